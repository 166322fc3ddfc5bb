//! Paths of segments (EPATH), V1 appendix C: class, instance and attribute by number, tags by name.
//!
//! A path begins with a class or with a symbol. Behind a class the object is its instance, with the attribute where one is
//! named; members and symbols behind it lie inside. Behind a symbol everything is part of the tag: its number is made of
//! the symbols, a point between two, and of classes and instances behind them; indices lie inside the tag.
//!
//! Logix names what lies in an object by a further class and instance behind the first ones, and other devices take the
//! last class of a path for the one that is meant. Such a request is on the first object, and in a record that continues it
//! on its whole path, by number: a rule covers both, or neither. The objects that a walk goes on into are never named so.
//! Other segments twice, out of their order or of another kind are a fault.

use super::services::{self, LARGEST, class};
use super::{add, byte, connection, done, double, eight, fault, go_on, limits, nested, state, take, taken, word};
use crate::bytes::Bytes;
use crate::operation::{NO_OBJECT, Operation};
use crate::protocol::Protocol;
use crate::protocol::tables::{name_part, name_piece};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Bits of [`crate::scratch::Nesting::seen`].
pub(super) mod seen {
    /// A class.
    pub(in super::super) const CLASS: u32 = 1;
    /// An instance.
    pub(in super::super) const INSTANCE: u32 = 2;
    /// An attribute.
    pub(in super::super) const ATTRIBUTE: u32 = 4;
    /// A member.
    pub(in super::super) const MEMBER: u32 = 8;
    /// A symbol.
    pub(in super::super) const SYMBOL: u32 = 16;
    /// The path is of a connection: ports, keys, connection points, data may stand in it too.
    pub(in super::super) const CONNECTION: u32 = 32;
    /// The path is the way of a message: ports and nothing else.
    pub(in super::super) const ROUTE: u32 = 64;
    /// A further class behind the first object.
    pub(super) const FURTHER: u32 = 128;
    /// Something is named.
    pub(super) const NAMED: u32 = 31;
    /// Above the bits: how many segments there were.
    pub(super) const ONE_SEGMENT: u32 = 256;
}

/// Kinds of logical segments, V1 C-1.4.2.
mod logical {
    pub(super) const CLASS: u32 = 0;
    pub(super) const INSTANCE: u32 = 1;
    pub(super) const MEMBER: u32 = 2;
    pub(super) const CONNECTION_POINT: u32 = 3;
    pub(super) const ATTRIBUTE: u32 = 4;
    pub(super) const KEY: u32 = 5;
}

/// Symbol of more than 31 characters, the one that is in use: V1 C-1.4.5.
const EXTENDED_SYMBOL: u32 = 0x91;

/// Reads the logical segments at `nesting.at`, up to three: class, instance and attribute.
#[inline(always)]
pub(super) fn numbers<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    take::<2, B>(bytes, scratch.nesting.at, scratch.nesting.path_end, scratch);
    for _ in 0..3 {
        let scratch = scratch.anew();
        let nesting = &scratch.nesting;
        // Where the window begins is 16 bytes before where the next one would.
        let offset = nesting.at.wrapping_add(16).wrapping_sub(nesting.from);
        if nesting.state & state::NEXT != state::SEGMENT || offset > 10 {
            return;
        }
        let fields = taken(&nesting.window, offset);
        let kind = byte(fields, 0);
        if kind >> 5 != 1 || nesting.seen & seen::ROUTE != 0 {
            return;
        }
        scratch.nesting.size = logical_segment(fields, kind, scratch);
        advance(scratch.anew());
    }
}

/// Reads the segment at `nesting.at`, one of the others.
#[inline(always)]
pub(super) fn names<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    take::<1, B>(bytes, scratch.nesting.at, scratch.nesting.path_end, scratch);
    let scratch = scratch.anew();
    if byte(taken(&scratch.nesting.window, 0), 0) >> 5 == 1 && scratch.nesting.seen & seen::ROUTE == 0 {
        return;
    }
    scratch.nesting.purpose = purpose::NOTHING;
    scratch.nesting.left = 0;
    scratch.nesting.size = segment(scratch);
    characters(bytes, scratch.anew());
    let scratch = scratch.anew();
    named(scratch);
    advance(scratch.anew());
}

/// Goes on behind a segment of `nesting.size`.
#[inline(always)]
fn advance(scratch: &mut Scratch) {
    let (at, end, size) = (scratch.nesting.at, scratch.nesting.path_end, scratch.nesting.size);
    let left = end.wrapping_sub(at);
    let seen = scratch.nesting.seen.wrapping_add(seen::ONE_SEGMENT);
    scratch.nesting.seen = seen;
    scratch.nesting.at = at.wrapping_add(size);
    // A segment of no size is one that cannot be.
    let reason = if size == 0 || size > left {
        Reason::OutOfRange
    } else if size == left {
        return go_on(scratch, state::BEHIND);
    } else if seen >= seen::ONE_SEGMENT.wrapping_mul(limits::SEGMENTS) {
        Reason::BeyondInspection
    } else {
        return;
    };
    fault(scratch, reason);
    done(scratch);
}

/// Behind the last segment: goes on with what the path is of.
#[inline(always)]
pub(super) fn behind(scratch: &mut Scratch) {
    let (seen, unit, name) = (scratch.nesting.seen, scratch.nesting.unit, scratch.nesting.name);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    if seen & seen::ROUTE != 0 {
        operation.unit = unit;
        return nested::arrive(scratch);
    }
    if seen & seen::SYMBOL != 0 && operation.space == NO_OBJECT {
        operation.space = class::TAG;
        operation.first = name;
        operation.last = name;
    }
    if seen & seen::FURTHER != 0 {
        let function = operation.function;
        operation.access = services::access((function & 0x7f).to_le_bytes()[0], operation.space);
        let wrong = operation.fault;
        let Some(whole) = add(scratch, Protocol::Cip as u8, function) else {
            return;
        };
        whole.flags |= Operation::CONTINUES;
        whole.fault = wrong;
        whole.space = class::PATH;
        whole.first = name;
        whole.last = name;
    }
    if seen & seen::CONNECTION != 0 { connection::arrive(scratch) } else { go_on(scratch, state::DATA) }
}

/// The segment at `nesting.at`. Returns its size, 0 for one that cannot stand here.
#[inline(always)]
fn segment(scratch: &mut Scratch) -> u32 {
    let (at, end) = (scratch.nesting.at, scratch.nesting.path_end);
    let fields = taken(&scratch.nesting.window, 0);
    let (kind, low) = (byte(fields, 0), byte(fields, 1));
    let seen = scratch.nesting.seen;
    if seen & seen::CONNECTION != 0 && kind >= 0x40 && kind != EXTENDED_SYMBOL {
        return match kind {
            // Network segments: production inhibit time and the like, of one byte; from 0x50 on of several.
            0x40..=0x4f => 2,
            // Simple data: configuration of the target.
            0x50..=0x5f | 0x80 => low.wrapping_mul(2).wrapping_add(2),
            _ => 0,
        };
    }
    // A port, and the link address behind it, of several bytes whose number stands before them: V1 C-1.4.1. Port 15 stands
    // for a number that follows, which nobody uses.
    let port = kind < 0x20 && kind & 15 != 0 && kind & 15 != 15;
    let ways = seen & seen::NAMED == 0 && seen & (seen::CONNECTION | seen::ROUTE) != 0;
    let symbol = kind == EXTENDED_SYMBOL && seen & seen::ROUTE == 0 && low != 0;
    if !(symbol || port && ways) {
        return 0;
    }
    let size = if symbol || kind & 0x10 != 0 { low.wrapping_add(3) & 0x1fe } else { 2 };
    if size > end.wrapping_sub(at) {
        return 0;
    }
    if low > limits::SYMBOL && size != 2 {
        fault(scratch, Reason::BeyondInspection);
        return size;
    }
    let nesting = &mut scratch.nesting;
    nesting.from = at.wrapping_add(2);
    nesting.until = end;
    if symbol {
        nesting.number = name_part(nesting.name, low);
        nesting.left = low;
        nesting.purpose = purpose::NAME;
    } else if nesting.unit == 0 && size == 2 {
        nesting.unit = kind << 8 | low;
    } else {
        nesting.number = name_part(nesting.unit, kind << 8 | low);
        nesting.left = size.wrapping_sub(2);
        nesting.purpose = purpose::WAY;
    }
    size
}

/// What [`crate::scratch::Nesting::number`] is for.
mod purpose {
    pub(super) const NOTHING: u32 = 0;
    pub(super) const NAME: u32 = 1;
    pub(super) const WAY: u32 = 2;
}

/// Goes on with `nesting.number` over the characters that are left, eight at a time.
#[inline(always)]
fn characters<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    for _ in 0..limits::SYMBOL >> 3 {
        let nesting = &scratch.anew().nesting;
        if nesting.left == 0 {
            break;
        }
        let piece = eight(bytes, nesting.from, nesting.until).swap_bytes();
        let nesting = &mut scratch.anew().nesting;
        let count = nesting.left.min(8);
        nesting.number = name_piece(nesting.number, piece >> (8u32.wrapping_sub(count) << 3 & 63));
        nesting.left = nesting.left.wrapping_sub(count);
        nesting.from = nesting.from.wrapping_add(8);
    }
}

/// Notes what the characters are the name of.
#[inline(always)]
fn named(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    if nesting.purpose == purpose::WAY {
        nesting.unit = nesting.number | limits::MORE_HOPS;
    } else if nesting.purpose == purpose::NAME {
        // Behind a class it lies inside the object.
        if nesting.seen & seen::CLASS == 0 || nesting.seen & seen::FURTHER != 0 {
            nesting.name = nesting.number;
        }
        nesting.seen |= seen::SYMBOL;
    }
}

/// A logical segment of 8, 16 or 32 bits, the longer ones behind a byte that makes them even.
#[inline(always)]
fn logical_segment(fields: u64, kind: u32, scratch: &mut Scratch) -> u32 {
    let what = kind >> 2 & 7;
    let seen = scratch.nesting.seen;
    if what == logical::KEY {
        // Electronic key, format 4: vendor, type, product, revision.
        return if seen & seen::CONNECTION != 0 && kind & 3 == 0 && byte(fields, 1) == 4 { 10 } else { 0 };
    }
    let (size, number) = match kind & 3 {
        0 => (2, byte(fields, 1)),
        1 => (4, word(fields, 2)),
        2 => (6, double(fields, 2)),
        _ => return 0,
    };
    if number > LARGEST && what != logical::MEMBER {
        fault(scratch, Reason::BeyondInspection);
    }
    if what == logical::CLASS
        && seen & (seen::CLASS | seen::INSTANCE | seen::CONNECTION | seen::FURTHER) == seen::CLASS | seen::INSTANCE
        && !further(scratch)
    {
        return 0;
    }
    if seen & (seen::SYMBOL | seen::CLASS) == seen::SYMBOL || scratch.nesting.seen & seen::FURTHER != 0 {
        return if part_of_tag(what, number, scratch) { size } else { 0 };
    }
    let bit = match what {
        logical::CLASS if seen & seen::NAMED == 0 => seen::CLASS,
        logical::INSTANCE if seen & (seen::CLASS | seen::INSTANCE | seen::ATTRIBUTE) == seen::CLASS => seen::INSTANCE,
        logical::ATTRIBUTE if seen & (seen::CLASS | seen::ATTRIBUTE) == seen::CLASS => seen::ATTRIBUTE,
        logical::MEMBER | logical::CONNECTION_POINT if seen & seen::CLASS != 0 => seen::MEMBER,
        _ => return 0,
    };
    scratch.nesting.seen = seen | bit;
    if let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        name(operation, bit, number & LARGEST);
    }
    size
}

/// Notes in the record what a segment names: instance and attribute in one number, a whole instance without attribute.
#[inline(always)]
fn name(operation: &mut Operation, bit: u32, number: u32) {
    match bit {
        seen::CLASS => {
            operation.space = number;
            operation.first = 0;
            operation.last = LARGEST;
        }
        seen::INSTANCE => {
            operation.first = number << 16;
            operation.last = number << 16 | LARGEST;
        }
        seen::ATTRIBUTE => {
            operation.first = (operation.first & !LARGEST) | number;
            operation.last = operation.first;
        }
        _ => {}
    }
}

/// A class behind an object: the path's number begins with that one. False where the object is one that is walked into.
#[inline(always)]
fn further(scratch: &mut Scratch) -> bool {
    let Some(operation) = scratch.operation(scratch.count.wrapping_sub(1)) else {
        return false;
    };
    let (space, first, last) = (operation.space, operation.first, operation.last);
    let name = name_piece(name_part(scratch.nesting.name, space), first as u64 | (last as u64) << 32);
    scratch.nesting.name = name;
    scratch.nesting.seen |= seen::FURTHER;
    !is_walked(space)
}

/// Objects whose services carry others.
#[inline(always)]
const fn is_walked(class: u32) -> bool {
    class == class::MESSAGE_ROUTER || class == class::CONNECTION_MANAGER || class == class::PCCC
}

/// A class or instance behind a symbol belongs to the tag's number, an index lies inside the tag.
#[inline(always)]
fn part_of_tag(what: u32, number: u32, scratch: &mut Scratch) -> bool {
    match what {
        logical::MEMBER => true,
        logical::CLASS if is_walked(number) => false,
        logical::CLASS | logical::INSTANCE | logical::ATTRIBUTE => {
            // No part has so many characters.
            let name = name_part(scratch.nesting.name, what | 0x100);
            scratch.nesting.name = name_piece(name, number as u64);
            true
        }
        _ => false,
    }
}
