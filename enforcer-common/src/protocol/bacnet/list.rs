//! Lists of objects and properties: ReadPropertyMultiple (15.7) and WritePropertyMultiple (15.10).
//!
//! Walked in steps of a few properties each; a record for each property. What lies behind the last step, or in a value
//! with more parts than are walked, is beyond inspection.

use super::tag::{self, Element};
use super::{limits, record, value};
use crate::bytes::Bytes;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// What `stream.context` says between two turns. Its upper half holds the numbers of the constructed values that are
/// open, four bits each, the innermost lowest, each counted from 1.
mod state {
    /// The list writes.
    pub(super) const WRITES: u32 = 0x100;
    /// The properties of an object are being read.
    pub(super) const INSIDE: u32 = 0x200;
    /// A property was found.
    pub(super) const FOUND: u32 = 0x400;
    /// What is open: see above.
    pub(super) const OPEN: u32 = 0xffff_0000;
    /// One more can be opened while this is 0.
    pub(super) const DEEPEST: u32 = 0xf000_0000;
}

/// Before the first step. `stream.start` is where the list begins.
#[inline(always)]
pub(super) fn begin(scratch: &mut Scratch, writes: bool) {
    scratch.stream.context = if writes { state::WRITES } else { 0 };
}

/// Reads some properties. True when there are more.
#[inline(always)]
pub(super) fn step<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units > limits::STEPS {
        record::fault(scratch, Reason::BeyondInspection);
        return false;
    }
    for _ in 0..limits::TURNS_PER_STEP {
        let scratch = scratch.anew();
        let context = scratch.stream.context;
        if scratch.stream.start >= scratch.stream.end {
            if context & (state::OPEN | state::INSIDE) != 0 || context & state::FOUND == 0 {
                record::fault(scratch, Reason::LengthMismatch);
            }
            return false;
        }
        let wrong = if context & state::OPEN != 0 { part(bytes, scratch) } else { property(bytes, scratch) };
        if let Some(reason) = wrong {
            record::fault(scratch.anew(), reason);
            return false;
        }
    }
    true
}

/// One property, and in front of the first one of an object that object: \[0\] identifier, \[1\] opening tag.
#[inline(always)]
fn property<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Option<Reason> {
    let (mut at, end) = (scratch.stream.start, scratch.stream.end);
    if scratch.stream.context & state::INSIDE == 0 {
        let object = tag::object(bytes, at, end, tag::identifier(0));
        if object.next == 0 || tag::octet(bytes, object.next, end) != tag::opening(1) {
            return Some(Reason::MalformedFraming);
        }
        at = object.next.wrapping_add(1);
        scratch.walking.seen = object.value;
    }
    let property = tag::unsigned(bytes, at, end, 0);
    if property.next == 0 {
        return Some(Reason::MalformedFraming);
    }
    let index = tag::optional(bytes, property.next, end, 1);
    if index.next == 0 {
        return Some(Reason::MalformedFraming);
    }
    scratch.stream.start = index.next;
    let scratch = scratch.anew();
    if scratch.stream.context & state::FOUND != 0 && !record::continued(scratch) {
        return Some(Reason::BeyondInspection);
    }
    let scratch = scratch.anew();
    scratch.stream.context |= state::FOUND | state::INSIDE;
    let identifier = scratch.walking.seen;
    if let Some(operation) = record::last(scratch) {
        record::property(operation, identifier, property.value);
    }
    let scratch = scratch.anew();
    if scratch.stream.context & state::WRITES != 0 {
        return written(bytes, scratch);
    }
    behind(bytes, scratch);
    None
}

/// \[2\] the value that is written. A single one is read; a constructed one is left to [`part`].
#[inline(always)]
fn written<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Option<Reason> {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if tag::octet(bytes, at, end) != tag::opening(2) {
        return Some(Reason::MalformedFraming);
    }
    let inside = at.wrapping_add(1);
    let element = tag::element(bytes, inside, end);
    let single = element.next != 0 && element.is_primitive_value();
    if single && tag::octet(bytes, element.next, end) == tag::closing(2) {
        if let Some(operation) = record::last(scratch) {
            value::read(bytes, &element, operation);
        }
        scratch.stream.start = element.next.wrapping_add(1);
        return behind_value(bytes, scratch.anew());
    }
    scratch.stream.start = inside;
    scratch.stream.context |= 3 << 16;
    None
}

/// One part of a constructed value.
#[inline(always)]
fn part<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Option<Reason> {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let element: Element = tag::element(bytes, at, end);
    if element.next == 0 {
        return Some(Reason::MalformedFraming);
    }
    scratch.stream.start = element.next;
    let context = scratch.stream.context;
    let (open, rest) = (context & state::OPEN, context & !state::OPEN);
    if element.opens() {
        if open & state::DEEPEST != 0 || element.number() > 14 {
            return Some(Reason::BeyondInspection);
        }
        scratch.stream.context = open << 4 | (element.number().wrapping_add(1) << 16) | rest;
    } else if element.closes() {
        if open >> 16 & 15 != element.number().wrapping_add(1) {
            return Some(Reason::MalformedFraming);
        }
        let open = open >> 4 & state::OPEN;
        scratch.stream.context = open | rest;
        if open == 0 {
            return behind_value(bytes, scratch.anew());
        }
    }
    None
}

/// \[3\] a priority, or none.
#[inline(always)]
fn behind_value<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Option<Reason> {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let priority = tag::optional(bytes, at, end, 3);
    if priority.next == 0 || (priority.next != at && !(1..=16).contains(&priority.value)) {
        return Some(Reason::OutOfRange);
    }
    scratch.stream.start = priority.next;
    behind(bytes, scratch.anew());
    None
}

/// The closing tag behind the last property of an object, or nothing.
#[inline(always)]
fn behind<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if tag::octet(bytes, at, end) == tag::closing(1) {
        scratch.stream.start = at.wrapping_add(1);
        scratch.stream.context &= !state::INSIDE;
    }
}
