//! Requests: exact lengths and ranges per function code, object ranges and written values.
//!
//! A unit whose length is not the one its function implies is a fault even when its framing is sound: servers exist that
//! ignore the length field and run what hides behind it.

use core::hint::black_box;

use super::functions::{self, space};
use super::{Unit, values};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::protocol::Protocol;
use crate::scratch::{MOST, Scratch};
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

/// Fills the last record with one request, and adds records for further object ranges.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    match unit.code {
        20 | 21 => return file_records(bytes, unit, scratch),
        23 => return read_write(bytes, unit, scratch),
        _ => {}
    }
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match unit.code {
        1 => range(bytes, unit, operation, space::COIL, quantity::READ_BITS),
        2 => range(bytes, unit, operation, space::DISCRETE, quantity::READ_BITS),
        3 => range(bytes, unit, operation, space::HOLDING, quantity::READ_REGISTERS),
        4 => range(bytes, unit, operation, space::INPUT, quantity::READ_REGISTERS),
        5 => write_coil(bytes, unit, operation),
        6 => write_register(bytes, unit, operation),
        8 => diagnostic(bytes, unit, operation),
        7 | 11 | 12 | 17 => exact(unit, 2, operation),
        15 => write_coils(bytes, unit, operation),
        16 => write_registers(bytes, unit, operation),
        22 => mask_write(bytes, unit, operation),
        24 => {
            exact(unit, 4, operation);
            objects(operation, space::FIFO, word(bytes, unit, 0), 1);
        }
        43 => mei(bytes, unit, operation),
        // Several functions inside one request: none of them can be told apart without the vendor's rules.
        41 => operation.fault = Reason::BeyondInspection as u8,
        0 | 0x80..=0xff => operation.fault = Reason::InvalidFunction as u8,
        _ => {}
    }
    if unit.code == 15 || unit.code == 16 {
        values::later(scratch, unit.data().wrapping_add(5), word(bytes, unit, 2));
    }
}

/// A 16-bit field of the unit's data; 0 where the unit is too short, which its length check reports.
#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, offset: u32) -> u32 {
    // A number in either case: an absent one would be moved around undefined, which the kernel's verifier refuses.
    let word = black_box(bytes.u16(unit.data().wrapping_add(offset)).unwrap_or(0));
    if unit.length >= offset.wrapping_add(4) { word as u32 } else { 0 }
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
fn write_coils<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let count = word(bytes, unit, 2);
    let size = count.wrapping_add(7) >> 3;
    exact(unit, size.wrapping_add(7), operation);
    byte_count(bytes, unit, 4, size, operation);
    objects(operation, space::COIL, word(bytes, unit, 0), count);
    limit(operation, count, quantity::WRITE_BITS);
}

/// MB 6.12: address, quantity, byte count, words.
#[inline(always)]
fn write_registers<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let count = word(bytes, unit, 2);
    let size = count.wrapping_mul(2);
    exact(unit, size.wrapping_add(7), operation);
    byte_count(bytes, unit, 4, size, operation);
    objects(operation, space::HOLDING, word(bytes, unit, 0), count);
    limit(operation, count, quantity::WRITE_REGISTERS);
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
fn read_write<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    let reads = word(bytes, unit, 2);
    let writes = word(bytes, unit, 6);
    let size = writes.wrapping_mul(2);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    exact(unit, size.wrapping_add(11), operation);
    byte_count(bytes, unit, 8, size, operation);
    let fault = operation.fault;
    objects(operation, space::HOLDING, word(bytes, unit, 0), reads);
    limit(operation, reads, quantity::READ_REGISTERS);
    // The first range is only read: values bind the second.
    operation.access = Access::Read as u8;
    let Some(written) = continued(unit, scratch) else {
        return;
    };
    written.fault = fault;
    objects(written, space::HOLDING, word(bytes, unit, 4), writes);
    limit(written, writes, quantity::READ_WRITE_WRITES);
    values::later(scratch, unit.data().wrapping_add(9), writes);
}

/// Adds a record for a further object range of the request. `None`, and the fault noted, when there is no room.
#[inline(always)]
fn continued<'a>(unit: &Unit, scratch: &'a mut Scratch) -> Option<&'a mut Operation> {
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let role = scratch.path.role;
    let part = scratch.add()?;
    *part = Operation::EMPTY;
    part.protocol = Protocol::Modbus as u8;
    part.role = role;
    part.function = unit.code as u32;
    part.unit = unit.address as u32;
    part.transaction = unit.transaction as u32;
    part.access = functions::access(unit.code);
    part.flags = Operation::CONTINUES;
    Some(part)
}

/// MB 6.14 and 6.15: byte count, then groups of reference type 6, file, record, length (and data when written).
#[inline(always)]
fn file_records<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    let write = unit.code == 21;
    let stated = bytes.u8(unit.data()).unwrap_or(0) as u32;
    let (least, most) = if write { (9, 251) } else { (7, 245) };
    if unit.length != stated.wrapping_add(3) || stated < least || stated > most {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    let mut at = unit.data().wrapping_add(1);
    let mut left = stated;
    for group in 0..quantity::FILE_GROUPS {
        let scratch = scratch.anew();
        if left == 0 {
            return;
        }
        // What follows the unit in the segment is not part of it.
        if left < 7 {
            last_fault(scratch, Reason::LengthMismatch);
            return;
        }
        let Some([kind, f0, f1, r0, r1, n0, n1]) = bytes.read::<7>(at) else {
            break;
        };
        let part =
            if group == 0 { scratch.operation_mut(scratch.count.wrapping_sub(1)) } else { continued(unit, scratch) };
        let Some(part) = part else {
            return;
        };
        let count = u16::from_be_bytes([n0, n1]) as u32;
        let size = if write { count.wrapping_mul(2).wrapping_add(7) } else { 7 };
        let file = u16::from_be_bytes([f0, f1]) as u32;
        objects(part, space::FILE.wrapping_add(file), u16::from_be_bytes([r0, r1]) as u32, count);
        if part.last > 9999 || kind != 6 || file == 0 {
            part.fault = Reason::OutOfRange as u8;
        }
        if size > left {
            part.fault = Reason::LengthMismatch as u8;
        }
        if part.fault != 0 {
            return;
        }
        at = at.wrapping_add(size);
        left = left.wrapping_sub(size);
    }
    if left != 0 {
        last_fault(scratch, Reason::BeyondInspection);
    }
}

#[inline(always)]
fn last_fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        last.fault = reason as u8;
    }
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
