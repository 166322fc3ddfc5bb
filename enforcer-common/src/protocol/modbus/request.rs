//! Requests: exact lengths and ranges per function code, object ranges and written values.
//!
//! A unit whose length is not the one its function implies is a fault even when its framing is sound: servers exist that
//! ignore the length field and run what hides behind it.

use super::Unit;
use super::functions::{self, space};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Largest quantities, MB 6.1 to 6.18.
mod quantity {
    pub(super) const READ_BITS: u32 = 2000;
    pub(super) const READ_REGISTERS: u32 = 125;
    pub(super) const WRITE_BITS: u32 = 1968;
    pub(super) const WRITE_REGISTERS: u32 = 123;
    pub(super) const READ_WRITE_WRITES: u32 = 121;
    /// Sub-requests of functions 20 and 21 that are walked; more is beyond inspection.
    pub(super) const FILE_GROUPS: u32 = 8;
}

/// Adds the operations of one request. False when there is no room for them.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, mut operation: Operation, scratch: &mut Scratch) -> bool {
    operation.access = functions::access(unit.code);
    let values = scratch.path.values != 0;
    match unit.code {
        1 => range(bytes, unit, &mut operation, space::COIL, quantity::READ_BITS),
        2 => range(bytes, unit, &mut operation, space::DISCRETE, quantity::READ_BITS),
        3 => range(bytes, unit, &mut operation, space::HOLDING, quantity::READ_REGISTERS),
        4 => range(bytes, unit, &mut operation, space::INPUT, quantity::READ_REGISTERS),
        5 => write_coil(bytes, unit, &mut operation),
        6 => write_register(bytes, unit, &mut operation),
        8 => diagnostic(bytes, unit, &mut operation),
        7 | 11 | 12 | 17 => exact(unit, 2, &mut operation),
        15 => write_coils(bytes, unit, &mut operation, values),
        16 => write_registers(bytes, unit, &mut operation, values),
        20 | 21 => return file_records(bytes, unit, operation, scratch),
        22 => mask_write(bytes, unit, &mut operation),
        23 => return read_write(bytes, unit, operation, values, scratch),
        24 => {
            exact(unit, 4, &mut operation);
            objects(&mut operation, space::FIFO, word(bytes, unit, 0), 1);
        }
        43 => mei(bytes, unit, &mut operation),
        functions::UMAS if unit.length < 4 => operation.fault = Reason::LengthMismatch as u8,
        // Several functions inside one request: none of them can be told apart without the vendor's rules.
        41 => operation.fault = Reason::BeyondInspection as u8,
        0 | 0x80..=0xff => operation.fault = Reason::InvalidFunction as u8,
        _ => {}
    }
    scratch.push(operation)
}

/// A 16-bit field of the unit's data; 0 where the unit is too short, which its length check reports.
#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, offset: u32) -> u32 {
    match bytes.u16(unit.data().wrapping_add(offset)) {
        Some(word) if unit.length >= offset.wrapping_add(4) => word as u32,
        _ => 0,
    }
}

#[inline(always)]
fn exact(unit: &Unit, length: u32, operation: &mut Operation) {
    if unit.length != length && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// Sets the object range. A quantity of 0 and an end beyond 65535 are out of range (MB 4.4).
#[inline(always)]
fn objects(operation: &mut Operation, space: u32, first: u32, count: u32) {
    operation.space = space;
    operation.first = first;
    operation.last = first.wrapping_add(count.max(1)).wrapping_sub(1);
    if (count == 0 || operation.last > 0xffff) && operation.fault == 0 {
        operation.fault = Reason::OutOfRange as u8;
    }
}

#[inline(always)]
fn range<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation, space: u32, most: u32) {
    exact(unit, 6, operation);
    let count = word(bytes, unit, 2);
    objects(operation, space, word(bytes, unit, 0), count);
    limit(operation, count, most);
}

#[inline(always)]
fn limit(operation: &mut Operation, count: u32, most: u32) {
    if count > most && operation.fault == 0 {
        operation.fault = Reason::OutOfRange as u8;
    }
}

#[inline(always)]
fn value(operation: &mut Operation, min: u32, max: u32) {
    operation.value_min = min as i64;
    operation.value_max = max as i64;
    operation.flags |= Operation::HAS_VALUE;
}

/// MB 6.5: 0x0000 is off, 0xFF00 is on, nothing else exists.
#[inline(always)]
fn write_coil<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    exact(unit, 6, operation);
    objects(operation, space::COIL, word(bytes, unit, 0), 1);
    match word(bytes, unit, 2) {
        0x0000 => value(operation, 0, 0),
        0xff00 => value(operation, 1, 1),
        _ if operation.fault == 0 => operation.fault = Reason::OutOfRange as u8,
        _ => {}
    }
}

#[inline(always)]
fn write_register<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    exact(unit, 6, operation);
    objects(operation, space::HOLDING, word(bytes, unit, 0), 1);
    let written = word(bytes, unit, 2);
    value(operation, written, written);
}

/// MB 6.8: a sub-function and at least one word of data.
#[inline(always)]
fn diagnostic<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    if unit.length < 6 || unit.length & 1 != 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
    let number = word(bytes, unit, 0);
    objects(operation, space::DIAGNOSTIC, number, 1);
    operation.access = functions::diagnostic_access(number);
}

/// MB 6.11: address, quantity, byte count, bits.
#[inline(always)]
fn write_coils<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation, values: bool) {
    let count = word(bytes, unit, 2);
    let size = count.wrapping_add(7) >> 3;
    exact(unit, size.wrapping_add(7), operation);
    byte_count(bytes, unit, 4, size, operation);
    objects(operation, space::COIL, word(bytes, unit, 0), count);
    limit(operation, count, quantity::WRITE_BITS);
    if values && operation.fault == 0 {
        let (min, max) = bits(bytes, unit.data().wrapping_add(5), count);
        value(operation, min, max);
    }
}

/// MB 6.12: address, quantity, byte count, words.
#[inline(always)]
fn write_registers<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation, values: bool) {
    let count = word(bytes, unit, 2);
    let size = count.wrapping_mul(2);
    exact(unit, size.wrapping_add(7), operation);
    byte_count(bytes, unit, 4, size, operation);
    objects(operation, space::HOLDING, word(bytes, unit, 0), count);
    limit(operation, count, quantity::WRITE_REGISTERS);
    if values && operation.fault == 0 {
        let (min, max) = words(bytes, unit.data().wrapping_add(5), count);
        value(operation, min, max);
    }
}

#[inline(always)]
fn byte_count<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, offset: u32, expected: u32, operation: &mut Operation) {
    let stated = match bytes.u8(unit.data().wrapping_add(offset)) {
        Some(byte) if unit.length >= offset.wrapping_add(3) => byte as u32,
        _ => u32::MAX,
    };
    if stated != expected && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// Smallest and largest of `count` words.
#[inline(always)]
fn words<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32) -> (u32, u32) {
    let mut min = u32::MAX;
    let mut max = 0;
    for index in 0..quantity::WRITE_REGISTERS {
        if index >= count {
            break;
        }
        let Some(word) = bytes.u16(at.wrapping_add(index.wrapping_mul(2))) else {
            break;
        };
        min = min.min(word as u32);
        max = max.max(word as u32);
    }
    (min, max)
}

/// Smallest and largest of `count` bits, lowest bit of a byte first.
#[inline(always)]
fn bits<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32) -> (u32, u32) {
    let mut all = 0xff;
    let mut any = 0;
    for index in 0..(quantity::WRITE_BITS >> 3) {
        let done = index.wrapping_mul(8);
        if done >= count {
            break;
        }
        let Some(byte) = bytes.u8(at.wrapping_add(index)) else {
            break;
        };
        let left = count.wrapping_sub(done);
        let mask = if left >= 8 { 0xff } else { (1u32 << (left & 7)).wrapping_sub(1) };
        all &= byte as u32 | !mask;
        any |= byte as u32 & mask;
    }
    ((all & 0xff == 0xff) as u32, (any != 0) as u32)
}

/// MB 6.16: the result is (current AND and-mask) OR (or-mask AND NOT and-mask). Its bounds over every current value are
/// what policy judges.
#[inline(always)]
fn mask_write<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    exact(unit, 8, operation);
    objects(operation, space::HOLDING, word(bytes, unit, 0), 1);
    let and = word(bytes, unit, 2);
    let or = word(bytes, unit, 4);
    let forced = or & !and & 0xffff;
    value(operation, forced, forced | and);
}

/// MB 6.17: reads one range and writes another, in one unit.
#[inline(always)]
fn read_write<B: Bytes + ?Sized>(
    bytes: &B,
    unit: &Unit,
    mut operation: Operation,
    values: bool,
    scratch: &mut Scratch,
) -> bool {
    let reads = word(bytes, unit, 2);
    let writes = word(bytes, unit, 6);
    let size = writes.wrapping_mul(2);
    exact(unit, size.wrapping_add(11), &mut operation);
    byte_count(bytes, unit, 8, size, &mut operation);
    let mut written = operation;
    objects(&mut operation, space::HOLDING, word(bytes, unit, 0), reads);
    limit(&mut operation, reads, quantity::READ_REGISTERS);
    objects(&mut written, space::HOLDING, word(bytes, unit, 4), writes);
    limit(&mut written, writes, quantity::READ_WRITE_WRITES);
    written.flags |= Operation::CONTINUES;
    if values && operation.fault == 0 && written.fault == 0 {
        let (min, max) = words(bytes, unit.data().wrapping_add(9), writes);
        value(&mut written, min, max);
    }
    // The first range is only read: values bind the second.
    operation.access = crate::operation::Access::Read as u8;
    scratch.push(operation) && scratch.push(written)
}

/// MB 6.14 and 6.15: byte count, then groups of reference type 6, file, record, length (and data when written).
#[inline(always)]
fn file_records<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, mut operation: Operation, scratch: &mut Scratch) -> bool {
    let write = unit.code == 21;
    let stated = bytes.u8(unit.data()).unwrap_or(0) as u32;
    let (least, most) = if write { (9, 251) } else { (7, 245) };
    if unit.length != stated.wrapping_add(3) || stated < least || stated > most {
        operation.fault = Reason::LengthMismatch as u8;
        return scratch.push(operation);
    }
    let mut at = unit.data().wrapping_add(1);
    let mut left = stated;
    for group in 0..quantity::FILE_GROUPS {
        if left == 0 {
            return true;
        }
        let Some([kind, f0, f1, r0, r1, n0, n1]) = bytes.read::<7>(at) else {
            break;
        };
        let count = u16::from_be_bytes([n0, n1]) as u32;
        let size = if write { count.wrapping_mul(2).wrapping_add(7) } else { 7 };
        let mut part = operation;
        if group != 0 {
            part.flags |= Operation::CONTINUES;
        }
        let file = u16::from_be_bytes([f0, f1]) as u32;
        objects(&mut part, space::FILE.wrapping_add(file), u16::from_be_bytes([r0, r1]) as u32, count);
        if part.last > 9999 || kind != 6 || file == 0 {
            part.fault = Reason::OutOfRange as u8;
        }
        if size > left {
            part.fault = Reason::LengthMismatch as u8;
        }
        if !scratch.push(part) {
            return false;
        }
        if part.fault != 0 {
            return true;
        }
        at = at.wrapping_add(size);
        left = left.wrapping_sub(size);
    }
    if left != 0 {
        operation.flags |= Operation::CONTINUES;
        operation.fault = Reason::BeyondInspection as u8;
        return scratch.push(operation);
    }
    true
}

/// MB 6.19 to 6.21: the MEI type is the sub-function.
#[inline(always)]
fn mei<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let Some(kind) = bytes.u8(unit.data()) else {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    };
    if unit.length < 3 {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    }
    objects(operation, space::MEI, kind as u32, 1);
    operation.access = functions::mei_access(kind as u32);
    if kind == 14 {
        exact(unit, 5, operation);
    }
}
