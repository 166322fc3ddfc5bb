//! What the dissectors of protocols with a length in front have in common: where units begin and end in the bytes that
//! `stream` marks, and what becomes of one that they do not hold.

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::network;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::scratch::{MOST, Scratch, Walking};
use crate::verdict::Reason;

/// Most units of one segment that are read, one in each step: the kernel's programs call each other 33 times and no more.
pub(crate) const UNITS: u8 = 8;

/// A unit longer than this may lie in several segments even where others must be whole: no cable carries it in one.
const LONGEST_WHOLE: u32 = 1400;

/// True for a datagram, which holds exactly one unit.
#[inline(always)]
pub(crate) fn is_datagram(scratch: &Scratch) -> bool {
    scratch.frame.transport_protocol == network::protocol::UDP
}

/// True for a device's answer, of which the head says all that is reported.
#[inline(always)]
pub(crate) fn is_answer(scratch: &Scratch) -> bool {
    scratch.path.role == Role::Response as u8 && scratch.frame.side == Side::Device as u8
}

/// True when there is another unit to read, at `stream.start`. No `Option` of where it is: one that is moved past its `None`
/// leaves numbers that the kernel's verifier has not seen written.
#[inline(always)]
pub(crate) fn next(scratch: &mut Scratch) -> bool {
    if scratch.stream.start >= scratch.stream.end {
        return false;
    }
    if scratch.stream.units >= UNITS {
        scratch.fault(Reason::BeyondInspection);
        return false;
    }
    scratch.stream.units = scratch.stream.units.wrapping_add(1);
    true
}

/// How many bytes there are from the next unit on.
#[inline(always)]
pub(crate) const fn remaining(scratch: &Scratch) -> u32 {
    scratch.stream.end.wrapping_sub(scratch.stream.start)
}

/// Moves behind a unit of `size` bytes, of which `needed` decide. False when they are not all there: the rest of the bytes
/// is kept for the next segment. A datagram must end where the unit does: what follows it is read by nobody, or by a parser
/// of another kind.
#[inline(always)]
pub(crate) fn take(scratch: &mut Scratch, at: u32, remaining: u32, size: u32, needed: u32) -> bool {
    if is_datagram(scratch) && remaining != size {
        scratch.fault(Reason::LengthMismatch);
        return false;
    }
    if remaining < needed {
        partial(scratch, at, remaining);
        return false;
    }
    scratch.stream.start = at.wrapping_add(size);
    scratch.stream.skip = size.saturating_sub(remaining);
    true
}

/// How many bytes of a unit must be there before it is read: all of it where the direction can keep them, else its head.
#[inline(always)]
pub(crate) fn needed(scratch: &Scratch, size: u32, head: u32) -> u32 {
    let kept = carry_size(Side::from_code(scratch.frame.side));
    if size <= kept { size } else { size.min(head) }
}

/// After a unit of `size` bytes was read: where units must be whole, one that goes on behind the segment is a fault.
#[inline(always)]
pub(crate) fn end(scratch: &mut Scratch, size: u32) {
    if scratch.stream.skip != 0 && scratch.stream.whole != 0 && size <= LONGEST_WHOLE {
        scratch.fault(Reason::SplitUnit);
    }
}

/// Keeps the beginning of a unit for the next segment; where units must be whole, that is a fault.
#[inline(always)]
pub(crate) fn partial(scratch: &mut Scratch, at: u32, remaining: u32) {
    if is_datagram(scratch) {
        scratch.fault(Reason::MalformedFraming);
        return;
    }
    if scratch.stream.whole != 0 {
        scratch.fault(Reason::SplitUnit);
    }
    if remaining > carry_size(Side::from_code(scratch.frame.side)) {
        scratch.fault(Reason::BeyondInspection);
        return;
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
}

/// Begins the walk through a list: where the next item stands, where the bytes end, and whatever else a turn has to know.
/// Kept in the scratch record, so that every turn begins with numbers of which the kernel's verifier knows nothing.
#[inline(always)]
pub(crate) fn walk(scratch: &mut Scratch, at: u32, end: u32, state: u32) {
    scratch.walking = Walking { at, end, seen: state, found: 0 };
}

/// The record that was added last.
#[inline(always)]
pub(crate) fn last(scratch: &mut Scratch) -> Option<&mut Operation> {
    scratch.operation_mut(scratch.count.wrapping_sub(1))
}

/// Notes what is wrong with the record that was added last, unless something is noted already.
#[inline(always)]
pub(crate) fn fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(operation) = last(scratch) {
        set_fault(operation, reason);
    }
}

/// Notes what is wrong with a record, unless something is noted already.
#[inline(always)]
pub(crate) fn set_fault(operation: &mut Operation, reason: Reason) {
    if operation.fault == 0 {
        operation.fault = reason as u8;
    }
}

/// Adds a record for a further object range of the unit that the last record is of: the same function, no object yet.
/// `None`, and the fault noted, when there is no room.
#[inline(always)]
pub(crate) fn continued(scratch: &mut Scratch) -> Option<&mut Operation> {
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let before = scratch.operation(scratch.count.wrapping_sub(1))?;
    let (protocol, role, access) = (before.protocol, before.role, before.access);
    let (function, unit, transaction) = (before.function, before.unit, before.transaction);
    let part = scratch.add()?;
    *part = Operation::EMPTY;
    part.protocol = protocol;
    part.role = role;
    part.access = access;
    part.function = function;
    part.unit = unit;
    part.transaction = transaction;
    part.flags = Operation::CONTINUES;
    Some(part)
}

/// Sets a range of `count` objects from `first` on, of which the last may be `most`. None at all, and an end beyond `most`,
/// are out of range.
#[inline(always)]
pub(crate) fn objects(operation: &mut Operation, space: u32, first: u32, count: u32, most: u32) {
    operation.space = space;
    operation.first = first;
    operation.last = first;
    let last = (first as u64).wrapping_add(count as u64).wrapping_sub(1);
    if count == 0 || last > most as u64 {
        set_fault(operation, Reason::OutOfRange);
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "not above `most`")]
    {
        operation.last = last as u32;
    }
}

/// The eight bytes from `at` on, the first one lowest; what is not in front of `end` is 0. The caller knows that eight bytes
/// lie in front of `end`.
#[inline(always)]
pub(crate) fn eight<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32) -> u64 {
    let from = at.min(end.wrapping_sub(8));
    let missing = at.wrapping_sub(from);
    // A number in either case: an absent one would be moved around undefined, which the kernel's verifier refuses.
    let word = black_box(match bytes.read::<8>(from) {
        Some(word) => u64::from_le_bytes(word),
        None => 0,
    });
    if missing < 8 { word >> (missing << 3 & 63) } else { 0 }
}

/// Notes one number that is written.
#[inline(always)]
pub(crate) fn value(operation: &mut Operation, value: i64) {
    values(operation, value, value);
}

/// Notes the smallest and the largest number that is written.
#[inline(always)]
pub(crate) fn values(operation: &mut Operation, min: i64, max: i64) {
    operation.value_min = min;
    operation.value_max = max;
    operation.flags |= Operation::HAS_VALUE;
}
