//! Commands: exact lengths and the objects that they name, W342 5-3.

use core::hint::black_box;

use super::functions::{command, space};
use super::limits::HEADER;
use super::{Unit, memory};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::protocol::framing::{self, set_fault};
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Objects of one command that are walked; more is beyond inspection.
const ITEMS: u32 = 24;

/// Area, address, bit, count.
const RANGE: u32 = 6;
/// Area, address, bit.
const ELEMENT: u32 = 4;
/// Set or reset, area, address, bit.
const FORCED: u32 = 6;

/// Fills the last record with one command, and adds records for further object ranges.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    let function = operation.function;
    let data = unit.at.wrapping_add(HEADER);
    let length = unit.length.wrapping_sub(HEADER);
    match function {
        command::MEMORY_READ | command::FORCED_STATUS => {
            range(bytes, operation, data, length);
            exact(operation, length, RANGE);
        }
        command::MEMORY_WRITE => write(bytes, operation, data, length, unit.present.wrapping_sub(HEADER)),
        command::MEMORY_FILL => {
            range(bytes, operation, data, length);
            exact(operation, length, RANGE.wrapping_add(2));
            let written = black_box(bytes.u16(data.wrapping_add(RANGE)).unwrap_or(0)) as u32;
            value(operation, written, written);
        }
        command::TRANSFER => transfer(bytes, data, length, scratch.anew()),
        command::MULTIPLE_READ => items(bytes, unit, [data, length], [ELEMENT, 0], scratch.anew()),
        command::FORCED_SET => forced(bytes, unit, [data, length], scratch.anew()),
        command::PARAMETER_READ => {
            parameter(bytes, operation, data, length);
            exact(operation, length, 6);
        }
        command::PARAMETER_WRITE | command::PARAMETER_CLEAR => parameter(bytes, operation, data, length),
        // Program number and mode; both may be left out.
        0x0401 => one_of(operation, length, [0, 2, 3]),
        0x0402 => one_of(operation, length, [0, 2, 2]),
        0x0403 | 0x0601 | 0x0603 | 0x0701 | 0x0802 | 0x2103 | 0x2302 | 0x2602 | 0x2603 => exact(operation, length, 0),
        0x0501 | 0x0620 => one_of(operation, length, [0, 1, 1]),
        0x0502 => one_of(operation, length, [1, 2, 2]),
        0x0702 => one_of(operation, length, [5, 6, 7]),
        0x2102 => exact(operation, length, 4),
        _ => {}
    }
}

#[inline(always)]
fn exact(operation: &mut Operation, length: u32, wanted: u32) {
    if length != wanted {
        set_fault(operation, Reason::LengthMismatch);
    }
}

#[inline(always)]
fn one_of(operation: &mut Operation, length: u32, [a, b, c]: [u32; 3]) {
    if length != a && length != b && length != c {
        set_fault(operation, Reason::LengthMismatch);
    }
}

#[inline(always)]
fn value(operation: &mut Operation, min: u32, max: u32) {
    operation.value_min = min as i64;
    operation.value_max = max as i64;
    operation.flags |= Operation::HAS_VALUE;
}

/// Sets the objects of an element or range: `count` elements of the area from the address and bit on.
#[inline(always)]
fn elements(operation: &mut Operation, area: u8, address: u16, bit: u8, count: u32) {
    let area = memory::area(area);
    let word = (address as u32) << 4;
    // What bits an area without a name has, nobody knows. 1 or 0, without a branch for the kernel's verifier to follow.
    let misplaced = ((bit >> 4) as u32).wrapping_add(15) >> 4;
    let single = area.bits & (area.named | (misplaced ^ 1));
    let first = word.wrapping_add(((bit & 15) as u32).wrapping_mul(single));
    framing::objects(operation, area.space, first, count << (single ^ 1).wrapping_mul(4), 0xf_ffff);
    if single & misplaced != 0 {
        set_fault(operation, Reason::OutOfRange);
    }
}

/// Sets the range at `at`.
#[inline(always)]
fn range<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation, at: u32, length: u32) {
    let [area, a0, a1, bit, c0, c1] = bytes.read::<6>(at).unwrap_or([0; 6]);
    if length >= RANGE {
        elements(operation, area, u16::from_be_bytes([a0, a1]), bit, u16::from_be_bytes([c0, c1]) as u32);
    }
}

/// W342 5-3-3: range, then as many elements.
#[inline(always)]
fn write<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation, data: u32, length: u32, present: u32) {
    range(bytes, operation, data, length);
    let [area, _, _, _, c0, c1] = bytes.read::<6>(data).unwrap_or([0; 6]);
    let count = u16::from_be_bytes([c0, c1]) as u32;
    let area = memory::area(area);
    let size = if area.size == 1 { count } else { count.wrapping_mul(area.size) };
    if area.named != 0 {
        exact(operation, length, RANGE.wrapping_add(size));
    } else if length < RANGE.wrapping_add(count) {
        set_fault(operation, Reason::LengthMismatch);
    }
    // A single word is a value as it stands; of several, and of parts, none is told.
    if count == 1 && area.named != 0 && area.size == 2 && present >= RANGE.wrapping_add(2) {
        let written = black_box(bytes.u16(data.wrapping_add(RANGE)).unwrap_or(0)) as u32;
        value(operation, written, written);
    }
    if count == 1 && area.size == 1 && length == RANGE.wrapping_add(1) {
        let written = (black_box(bytes.u8(data.wrapping_add(RANGE)).unwrap_or(0)) & 1) as u32;
        value(operation, written, written);
    }
}

/// W342 5-3-6: where from, where to, how many words.
#[inline(always)]
fn transfer<B: Bytes + ?Sized>(bytes: &B, data: u32, length: u32, scratch: &mut Scratch) {
    let [from, f0, f1, fb, to, t0, t1, tb, c0, c1] = bytes.read::<10>(data).unwrap_or([0; 10]);
    let count = u16::from_be_bytes([c0, c1]) as u32;
    let Some(source) = framing::last(scratch) else {
        return;
    };
    exact(source, length, 10);
    if source.fault != 0 {
        return;
    }
    elements(source, from, u16::from_be_bytes([f0, f1]), fb, count);
    source.access = Access::Read as u8;
    let Some(target) = framing::continued(scratch) else {
        return;
    };
    target.access = Access::Write as u8;
    elements(target, to, u16::from_be_bytes([t0, t1]), tb, count);
}

/// W342 5-3-34: how many, then set or reset and element of each.
#[inline(always)]
fn forced<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, [data, length]: [u32; 2], scratch: &mut Scratch) {
    let count = bytes.u16(data).unwrap_or(0) as u32;
    if length < 2 || length.wrapping_sub(2) != count.wrapping_mul(FORCED) {
        framing::fault(scratch, Reason::LengthMismatch);
        return;
    }
    items(bytes, unit, [data.wrapping_add(2), length.wrapping_sub(2)], [FORCED, 2], scratch);
}

/// Elements one behind the other, `size` bytes each, of which `skipped` come before the area: a record for each.
#[inline(always)]
fn items<B: Bytes + ?Sized>(
    bytes: &B,
    unit: &Unit,
    [data, length]: [u32; 2],
    [size, skipped]: [u32; 2],
    scratch: &mut Scratch,
) {
    framing::walk(scratch, data, unit.end(), length << 8 | size << 4 | skipped);
    if length == 0 {
        framing::fault(scratch, Reason::LengthMismatch);
    }
    for item in 0..ITEMS {
        let scratch = scratch.anew();
        let Walking { at, end, seen, found: _ } = scratch.walking;
        let (left, size, skipped) = (seen >> 8, seen >> 4 & 15, seen & 15);
        if left == 0 {
            return;
        }
        if left < size {
            framing::fault(scratch, Reason::LengthMismatch);
            return;
        }
        let next = at.wrapping_add(size);
        if next > end {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        }
        let Some([area, a0, a1, bit]) = bytes.read::<4>(at.wrapping_add(skipped)) else {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        };
        scratch.walking.at = next;
        scratch.walking.seen = seen.wrapping_sub(size << 8);
        let part = if item == 0 { framing::last(scratch) } else { framing::continued(scratch) };
        let Some(part) = part else {
            return;
        };
        elements(part, area, u16::from_be_bytes([a0, a1]), bit, 1);
    }
    let scratch = scratch.anew();
    if scratch.walking.seen >> 8 != 0 {
        framing::fault(scratch, Reason::BeyondInspection);
    }
}

/// W342 5-3-7 to 5-3-9: parameter area code, first word, how many.
#[inline(always)]
fn parameter<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation, data: u32, length: u32) {
    let [p0, p1, f0, f1, c0, c1] = bytes.read::<6>(data).unwrap_or([0; 6]);
    if length < 6 {
        set_fault(operation, Reason::LengthMismatch);
        return;
    }
    let area = space::PARAMETER.wrapping_add(u16::from_be_bytes([p0, p1]) as u32);
    // The top bit of the count says that this is the last part.
    let count = (u16::from_be_bytes([c0, c1]) & 0x7fff) as u32;
    framing::objects(operation, area, u16::from_be_bytes([f0, f1]) as u32, count, 0xffff);
}
