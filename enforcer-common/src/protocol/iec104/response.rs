//! ASDUs from the device: which objects they are about, and confirmations that are negative.
//!
//! Nothing here is judged by rules. Objects are listed in ranges as far as the segment holds them and the walk goes; a
//! length that count and type do not say is noted.

use core::hint::black_box;

use super::elements::{self, Form};
use super::functions::SELECT_BITS;
use super::{Identifier, Unit, add, address, expected, limits, objects};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::{MOST, Scratch, Walking};
use crate::verdict::Reason;

/// Objects with an address of their own that are walked in one ASDU; what follows them is not listed.
const OBJECTS: u32 = 24;

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
        scratch.walking = Walking { at: unit.objects(), end, seen: size.wrapping_add(limits::ADDRESS), found: 0 };
        list(bytes, scratch);
    }
}

/// Objects behind the first one, each with its address. `walking` holds where the one before stands, where the bytes end,
/// and how far the next one is.
#[inline(always)]
fn list<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    for _ in 1..OBJECTS {
        if !object(bytes, scratch.anew()) {
            return;
        }
    }
}

/// One of them. An address behind the one before it continues its range. False behind the last.
#[inline(always)]
fn object<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let Walking { at, end, seen: stride, found: _ } = scratch.walking;
    let at = at.wrapping_add(stride);
    if at.wrapping_add(stride) > end {
        return false;
    }
    scratch.walking.at = at;
    let next = black_box(address(bytes, at));
    let scratch = scratch.anew();
    let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return false;
    };
    if last.last >> SELECT_BITS == next.wrapping_sub(1) {
        last.last = next << SELECT_BITS | 1;
        return true;
    }
    further(next, scratch)
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
