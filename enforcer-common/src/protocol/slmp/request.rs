//! Requests: exact lengths, subcommands, and the devices that they name. SLMP 5.

use core::hint::black_box;

use super::Unit;
use super::devices::{self, Form};
use super::functions::{command, space};
use super::limits::REQUEST;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::framing::{self, set_fault};
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Devices of one request that are walked; more is beyond inspection.
const ITEMS: u32 = 24;
/// Blocks of one request that are walked.
const BLOCKS: u32 = 8;
/// Most words of one read or write.
const WORDS: u32 = 960;
/// Most bits of one.
const BITS: u32 = 7168;

/// Fills the last record with one request whose data stand at `data`, and adds records for further device ranges.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, data: u32, unit: &Unit, subcommand: u16, scratch: &mut Scratch) {
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    let length = unit.length.wrapping_sub(REQUEST);
    let function = operation.function;
    let form = Form { bits: (subcommand & 1) as u32, wide: (subcommand >> 1 & 1) as u32 };
    if names_devices(function) {
        // Devices with modifications (0080 and up) are written in another way, with indices that only the controller knows.
        let extended = subcommand & 0xfffc == 0x80;
        let words_only = form.bits != 0
            && function != command::READ
            && function != command::WRITE
            && function != command::WRITE_RANDOM;
        if extended {
            set_fault(operation, Reason::BeyondInspection);
            return;
        }
        if subcommand > 3 || words_only {
            set_fault(operation, Reason::OutOfRange);
            return;
        }
    }
    match function {
        command::READ => consecutive(bytes, data, length, form, false, operation),
        command::WRITE => consecutive(bytes, data, length, form, true, operation),
        command::READ_RANDOM | command::ENTRY_MONITOR => {
            random(bytes, unit, [data, length], form, false, scratch.anew());
        }
        command::WRITE_RANDOM => random(bytes, unit, [data, length], form, true, scratch.anew()),
        command::READ_BLOCK => blocks(bytes, unit, [data, length], form, false, scratch.anew()),
        command::WRITE_BLOCK => blocks(bytes, unit, [data, length], form, true, scratch.anew()),
        command::MODULE_READ | command::MODULE_WRITE | command::MEMORY_READ | command::MEMORY_WRITE => {
            memory(bytes, data, length, operation);
        }
        command::MONITOR | 0x0101 => exact(operation, length, 0),
        0x1001 => exact(operation, length, 4),
        0x1002 | 0x1003 | 0x1005 | 0x1006 => exact(operation, length, 2),
        // A length and as many bytes.
        0x0619 | 0x1630 | 0x1631 => {
            let [low, high] = bytes.read::<2>(data).unwrap_or([0; 2]);
            exact(operation, length, (u16::from_le_bytes([low, high]) as u32).wrapping_add(2));
        }
        _ => {}
    }
}

#[inline(always)]
const fn names_devices(function: u32) -> bool {
    matches!(
        function,
        command::READ
            | command::WRITE
            | command::READ_RANDOM
            | command::ENTRY_MONITOR
            | command::WRITE_RANDOM
            | command::READ_BLOCK
            | command::WRITE_BLOCK
    )
}

#[inline(always)]
fn exact(operation: &mut Operation, length: u32, wanted: u32) {
    if length != wanted {
        set_fault(operation, Reason::LengthMismatch);
    }
}

#[inline(always)]
fn value(operation: &mut Operation, written: u32) {
    operation.value_min = written as i64;
    operation.value_max = written as i64;
    operation.flags |= Operation::HAS_VALUE;
}

/// A little-endian word, 0 where there is none.
#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, at: u32) -> u32 {
    black_box(u16::from_le_bytes(bytes.read::<2>(at).unwrap_or([0; 2]))) as u32
}

/// Head device, how many, and when written as many words, or two bits in a byte.
#[inline(always)]
fn consecutive<B: Bytes + ?Sized>(
    bytes: &B,
    data: u32,
    length: u32,
    form: Form,
    write: bool,
    operation: &mut Operation,
) {
    let head = form.size().wrapping_add(2);
    if length < head {
        set_fault(operation, Reason::LengthMismatch);
        return;
    }
    let count = word(bytes, data.wrapping_add(form.size()));
    let bits = form.bits != 0;
    let written = if bits { count.wrapping_add(1) >> 1 } else { count << 1 };
    exact(operation, length, if write { head.wrapping_add(written) } else { head });
    let (low, high) = devices::code_at(form.wide);
    let number = bytes.read::<4>(data).unwrap_or([0; 4]);
    let low = black_box(bytes.u8(data.wrapping_add(low)).unwrap_or(0));
    let high = black_box(bytes.u8(data.wrapping_add(high)).unwrap_or(0));
    devices::range(operation, devices::device(number, low, high, form.wide), count, form.bits);
    if count > if bits { BITS } else { WORDS } {
        set_fault(operation, Reason::OutOfRange);
    }
    if write && count == 1 {
        let at = data.wrapping_add(head);
        let one = if bits { (black_box(bytes.u8(at).unwrap_or(0)) >> 4 & 1) as u32 } else { word(bytes, at) };
        value(operation, one);
    }
}

/// How many words and double words, or bits, then each device, and when written its value: a record for each.
#[inline(always)]
fn random<B: Bytes + ?Sized>(
    bytes: &B,
    unit: &Unit,
    [data, length]: [u32; 2],
    form: Form,
    write: bool,
    scratch: &mut Scratch,
) {
    let single = black_box(bytes.u8(data).unwrap_or(0)) as u32;
    let double = black_box(bytes.u8(data.wrapping_add(1)).unwrap_or(0)) as u32;
    let double = if form.bits != 0 { 0 } else { double };
    let head = if form.bits != 0 { 1 } else { 2 };
    // What stands behind a device.
    let (short, long) = match (write, form.bits, form.wide) {
        (false, _, _) => (0, 0),
        (true, 1, 0) => (1, 0),
        (true, 1, _) => (2, 0),
        (true, _, _) => (2, 4),
    };
    let (short_size, long_size) = (form.size().wrapping_add(short), form.size().wrapping_add(long));
    let wanted = single.wrapping_mul(short_size).wrapping_add(double.wrapping_mul(long_size)).wrapping_add(head);
    let count = single.wrapping_add(double);
    if length < head || length != wanted {
        framing::fault(scratch, Reason::LengthMismatch);
        return;
    }
    if count == 0 {
        framing::fault(scratch, Reason::OutOfRange);
        return;
    }
    let state = single | count << 8 | short_size << 17 | long_size << 21;
    let flags = form.bits << 25 | form.wide << 26 | (write as u32) << 27;
    framing::walk(scratch, data.wrapping_add(head), unit.end, state | flags);
    for item in 0..ITEMS {
        let scratch = scratch.anew();
        let Walking { at, end, seen, found: _ } = scratch.walking;
        if item >= seen >> 8 & 0x1ff {
            return;
        }
        let form = Form { bits: seen >> 25 & 1, wide: seen >> 26 & 1 };
        let written = seen >> 27 & 1;
        // 1 behind the single words.
        let doubled = (seen & 0xff).wrapping_sub(item).wrapping_sub(1) >> 31;
        let next = at.wrapping_add(seen >> 17 >> (doubled << 2) & 15);
        let (low, high) = devices::code_at(form.wide);
        // Where nothing is written, the device stands for its value; where a byte is, it stands for those behind it.
        let value = at.wrapping_add(form.size().wrapping_mul(written));
        let wordy = written & (form.bits ^ 1);
        if next > end {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        }
        scratch.walking.at = next;
        let part = if item == 0 { framing::last(scratch) } else { framing::continued(scratch) };
        let Some(part) = part else {
            return;
        };
        // All of these lie in front of `next`.
        part.fault = Reason::BeyondInspection as u8;
        let Some(number) = bytes.read::<4>(at) else {
            return;
        };
        let (Some(low), Some(high)) = (bytes.u8(at.wrapping_add(low)), bytes.u8(at.wrapping_add(high))) else {
            return;
        };
        let (Some(v0), Some(v1)) = (bytes.u8(value), bytes.u8(value.wrapping_add(wordy))) else {
            return;
        };
        let third = value.wrapping_add(doubled.wrapping_mul(2));
        let (Some(v2), Some(v3)) = (bytes.u8(third), bytes.u8(third.wrapping_add(doubled))) else {
            return;
        };
        part.fault = 0;
        let lower =
            v0 as u32 & 0xffu32.wrapping_sub(form.bits.wrapping_mul(0xfe)) | (v1 as u32).wrapping_mul(wordy) << 8;
        let upper = (v2 as u32 | (v3 as u32) << 8).wrapping_mul(doubled) << 16;
        part.value_min = (upper | lower).wrapping_mul(written) as i64;
        part.value_max = part.value_min;
        part.flags |= Operation::HAS_VALUE & 0u8.wrapping_sub((written & 1) as u8);
        devices::range(part, devices::device(number, low, high, form.wide), doubled.wrapping_add(1), form.bits);
    }
    let scratch = scratch.anew();
    if scratch.walking.seen >> 8 & 0x1ff > ITEMS {
        framing::fault(scratch, Reason::BeyondInspection);
    }
}

/// How many blocks of words and of bits, then of each head device and number of words, and when written the words.
#[inline(always)]
fn blocks<B: Bytes + ?Sized>(
    bytes: &B,
    unit: &Unit,
    [data, length]: [u32; 2],
    form: Form,
    write: bool,
    scratch: &mut Scratch,
) {
    let [words, bits] = bytes.read::<2>(data).unwrap_or([0; 2]);
    let count = (words as u32).wrapping_add(bits as u32);
    if length < 2 {
        framing::fault(scratch, Reason::LengthMismatch);
        return;
    }
    if count == 0 {
        framing::fault(scratch, Reason::OutOfRange);
        return;
    }
    let flags = form.wide << 30 | (write as u32) << 31;
    framing::walk(scratch, data.wrapping_add(2), unit.end, length.wrapping_sub(2) | count << 16 | flags);
    for block in 0..BLOCKS {
        let scratch = scratch.anew();
        let Walking { at, end, seen, found: _ } = scratch.walking;
        let (left, count) = (seen & 0xffff, seen >> 16 & 0x3fff);
        let form = Form { bits: 0, wide: seen >> 30 & 1 };
        let head = form.size().wrapping_add(2);
        if block >= count {
            if left != 0 {
                framing::fault(scratch, Reason::LengthMismatch);
            }
            return;
        }
        if left < head {
            framing::fault(scratch, Reason::LengthMismatch);
            return;
        }
        let (low, high) = devices::code_at(form.wide);
        let (Some(number), Some([p0, p1])) = (bytes.read::<4>(at), bytes.read::<2>(at.wrapping_add(form.size())))
        else {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        };
        let (Some(low), Some(high)) = (bytes.u8(at.wrapping_add(low)), bytes.u8(at.wrapping_add(high))) else {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        };
        let points = u16::from_le_bytes([p0, p1]) as u32;
        let size = head.wrapping_add((points << 1).wrapping_mul(seen >> 31));
        if left < size {
            framing::fault(scratch, Reason::LengthMismatch);
            return;
        }
        if at.wrapping_add(head) > end {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        }
        scratch.walking.at = at.wrapping_add(size);
        scratch.walking.seen = seen.wrapping_sub(size);
        let part = if block == 0 { framing::last(scratch) } else { framing::continued(scratch) };
        let Some(part) = part else {
            return;
        };
        if points > WORDS {
            set_fault(part, Reason::OutOfRange);
        }
        devices::range(part, devices::device(number, low, high, form.wide), points, 0);
    }
    let scratch = scratch.anew();
    let (left, count) = (scratch.walking.seen & 0xffff, scratch.walking.seen >> 16 & 0x3fff);
    if count > BLOCKS {
        framing::fault(scratch, Reason::BeyondInspection);
    } else if left != 0 {
        framing::fault(scratch, Reason::LengthMismatch);
    }
}

/// Buffer memory: head address, how many words; of a module how many bytes, and its number.
#[inline(always)]
fn memory<B: Bytes + ?Sized>(bytes: &B, data: u32, length: u32, operation: &mut Operation) {
    let own = operation.function == command::MEMORY_READ || operation.function == command::MEMORY_WRITE;
    let write = operation.function == command::MEMORY_WRITE || operation.function == command::MODULE_WRITE;
    let head = if own { 6 } else { 8 };
    if length < head {
        set_fault(operation, Reason::LengthMismatch);
        return;
    }
    let [a, b, c, d] = bytes.read::<4>(data).unwrap_or([0; 4]);
    let count = word(bytes, data.wrapping_add(4));
    let written = if own { count << 1 } else { count };
    exact(operation, length, if write { head.wrapping_add(written) } else { head });
    let space = if own { space::BUFFER } else { space::MODULE.wrapping_add(word(bytes, data.wrapping_add(6))) };
    framing::objects(operation, space, u32::from_le_bytes([a, b, c, d]), count, u32::MAX);
}
