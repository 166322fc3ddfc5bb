//! Token-passing protocol data units: delimiter, address, command, byte count, data, check byte. HCF_SPEC-081 5.

use core::hint::black_box;

use super::functions::{self, command};
use super::{Unit, kind, list};
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Address of five bytes.
const LONG: u8 = 0x80;
/// Number of expansion bytes, which no device has.
const EXPANSION: u8 = 0x60;
/// Frame type.
const TYPE: u8 = 0x07;
/// Frame types: burst, from the master, from the device.
const BURST: u8 = 1;
const MASTER: u8 = 2;
const DEVICE: u8 = 6;
/// Bits of an address that are no part of it: master and burst mode.
const ADDRESS: u8 = 0x3f;
/// Longest unit: long address, 255 bytes of data.
const LONGEST: u32 = 264;

/// Fills the last record with the unit in the body of a message, and adds records for commands inside it.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit, kind: u8) {
    let delimiter = black_box(bytes.u8(unit.body).unwrap_or(EXPANSION));
    let long = delimiter & LONG != 0;
    let head = if long { 8 } else { 4 };
    let [_, a0, a1, a2, a3, a4] = bytes.read::<6>(unit.body).unwrap_or([0; 6]);
    let short = black_box(bytes.u8(unit.body.wrapping_add(1)).unwrap_or(0));
    let [code, count] = bytes.read::<2>(unit.body.wrapping_add(head).wrapping_sub(2)).unwrap_or([0; 2]);
    let wanted = match kind {
        kind::REQUEST => MASTER,
        kind::PUBLISH => BURST,
        _ => DEVICE,
    };
    // A device passes on what bursts on its wire as an answer, too.
    let typed = delimiter & TYPE == wanted || (kind == kind::RESPONSE && delimiter & TYPE == BURST);
    let fits = unit.length >= head.wrapping_add(1);
    let exact = unit.length == head.wrapping_add(count as u32).wrapping_add(1);
    let whole = unit.end == unit.body.wrapping_add(unit.length);
    let sound = !fits || !exact || !whole || check(bytes, unit) == 0;
    let data = unit.body.wrapping_add(head);
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    if delimiter & EXPANSION != 0 || !typed || !fits {
        framing::set_fault(operation, if fits { Reason::MalformedFraming } else { Reason::LengthMismatch });
        return;
    }
    operation.unit = if long { u32::from_be_bytes([a1, a2, a3, a4]) } else { (short & ADDRESS) as u32 };
    let _ = a0;
    operation.function = code as u32;
    operation.access = functions::access(operation.function);
    if !exact {
        framing::set_fault(operation, Reason::LengthMismatch);
        return;
    }
    if !sound {
        framing::set_fault(operation, Reason::MalformedFraming);
        return;
    }
    let count = count as u32;
    let answer = operation.role == Role::Response as u8;
    if code == command::EXTENDED {
        extended(bytes, data, count, answer, operation);
    }
    if answer {
        outcome(bytes, data, count, operation);
    } else if operation.function == command::AGGREGATED {
        list::aggregated(bytes, scratch.anew(), unit, data, count);
    } else if operation.function == command::TO_SUB_DEVICE {
        list::sub_device(bytes, scratch.anew(), unit, data, count);
    }
}

/// The number of a command that has two bytes; in an answer it stands behind response code and status.
#[inline(always)]
fn extended<B: Bytes + ?Sized>(bytes: &B, data: u32, count: u32, answer: bool, operation: &mut Operation) {
    let skipped = if answer { 2 } else { 0 };
    if count < 2u32.wrapping_add(skipped) {
        framing::set_fault(operation, Reason::LengthMismatch);
        return;
    }
    operation.function = black_box(bytes.u16(data.wrapping_add(skipped)).unwrap_or(0)) as u32;
    operation.access = functions::access(operation.function);
    // A number that has one byte stands in one byte: what carries others must not hide here.
    if operation.function < 256 {
        framing::set_fault(operation, Reason::OutOfRange);
    }
}

/// The response code, HCF_SPEC-307; with its top bit set it tells of an error on the wire.
#[inline(always)]
fn outcome<B: Bytes + ?Sized>(bytes: &B, data: u32, count: u32, operation: &mut Operation) {
    let code = black_box(bytes.u8(data).unwrap_or(0));
    if count >= 2 && code != 0 {
        operation.exception = code;
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}

/// Every byte of the unit and its check byte together: 0 where it is right.
#[inline(always)]
fn check<B: Bytes + ?Sized>(bytes: &B, unit: &Unit) -> u8 {
    let whole = unit.length >> 3;
    let mut sum = 0u64;
    for index in 0..LONGEST >> 3 {
        if index >= whole {
            break;
        }
        let Some(eight) = bytes.read::<8>(unit.body.wrapping_add(index << 3) & MASK) else {
            return WRONG;
        };
        sum ^= u64::from_be_bytes(eight);
    }
    let rest = unit.body.wrapping_add(whole << 3);
    let mut last = 0u8;
    for index in 0..7u32 {
        if index >= unit.length & 7 {
            break;
        }
        let Some(byte) = bytes.u8(rest.wrapping_add(index) & MASK) else {
            return WRONG;
        };
        last ^= byte;
    }
    sum ^= sum >> 32;
    sum ^= sum >> 16;
    sum ^= sum >> 8;
    (sum & 0xff) as u8 ^ last
}

/// Any sum but 0.
const WRONG: u8 = 1;

/// Offsets are below this; masked with it they have the same bounds in every turn.
const MASK: u32 = 0xffff;
