//! ASDUs from the device: which objects they are about, and confirmations that are negative.
//!
//! Nothing here is judged by rules. Objects are listed in ranges as far as the segment holds them and the walk goes; a
//! length that count and type do not say is noted.

use super::elements::{self, Form};
use super::functions::SELECT_BITS;
use super::{Identifier, Unit, add, address, expected, limits, objects};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::{MOST, Scratch};
use crate::verdict::Reason;

/// Objects with an address of their own that are walked in one ASDU: as many as fit of the smallest.
const OBJECTS: u32 = 60;

/// Unknown type, cause, common address or object address, 101 7.2.3.
const UNKNOWN_CAUSES: core::ops::RangeInclusive<u32> = 44..=47;

/// Fills the last record with one ASDU, and adds records for further object ranges.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, identifier: &Identifier, scratch: &mut Scratch) {
    let end = unit.at.wrapping_add(limits::HEADER).wrapping_add(unit.length).min(scratch.stream.end);
    let element = elements::of(identifier.kind);
    let size = element.size as u32;
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    if identifier.negative || UNKNOWN_CAUSES.contains(&identifier.cause) {
        #[expect(clippy::cast_possible_truncation, reason = "six bits")]
        {
            operation.exception = identifier.cause as u8;
        }
        operation.flags |= Operation::HAS_EXCEPTION;
    }
    let behind = unit.length.wrapping_sub(limits::LENGTH_IDENTIFIED);
    if element.form == Form::Authentication as u8 || element.form == Form::Wrapped as u8 {
        return;
    }
    let fixed = element.form != Form::Unknown as u8 && element.form != Form::Segment as u8;
    if fixed && behind != expected(identifier, size) {
        operation.fault = Reason::LengthMismatch as u8;
    }
    if behind < limits::ADDRESS {
        return;
    }
    let first = address(bytes, unit.objects());
    let more = if identifier.sequence { identifier.count.saturating_sub(1) } else { 0 };
    objects(operation, identifier.kind, first, first.wrapping_add(more));
    operation.transaction |= first;
    if fixed && identifier.count > 1 && !identifier.sequence {
        list(bytes, unit.objects(), size.wrapping_add(limits::ADDRESS), end, scratch);
    }
}

/// Objects behind the first one, each with its address. An address behind the one before it continues its range.
#[inline(always)]
fn list<B: Bytes + ?Sized>(bytes: &B, at: u32, stride: u32, end: u32, scratch: &mut Scratch) {
    scratch.walking.at = at;
    for _ in 1..OBJECTS {
        let scratch = scratch.anew();
        let at = scratch.walking.at.wrapping_add(stride);
        if at.wrapping_add(stride) > end {
            return;
        }
        scratch.walking.at = at;
        let next = address(bytes, at);
        let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
            return;
        };
        if last.last >> SELECT_BITS == next.wrapping_sub(1) {
            last.last = next << SELECT_BITS | 1;
            continue;
        }
        if !further(next, scratch) {
            return;
        }
    }
}

/// Adds a record for a further range. False where the room left is that of the APDUs behind this one.
#[inline(always)]
fn further(address: u32, scratch: &mut Scratch) -> bool {
    let left = limits::UNITS_PER_SEGMENT.saturating_sub(scratch.stream.units) as u32;
    if scratch.count >= MOST.saturating_sub(left) {
        return false;
    }
    let Some(before) = scratch.operation(scratch.count.wrapping_sub(1)) else {
        return false;
    };
    let (function, unit, transaction, access) = (before.function, before.unit, before.transaction, before.access);
    let Some(part) = add(scratch) else {
        return false;
    };
    part.function = function;
    part.unit = unit;
    part.transaction = transaction;
    part.access = access;
    part.flags = Operation::CONTINUES;
    #[expect(clippy::cast_possible_truncation, reason = "a type identification")]
    objects(part, function as u8, address, address);
    true
}
