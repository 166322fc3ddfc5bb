//! Paths of segments (EPATH), V1 appendix C: class, instance and attribute by number, tags by name.
//!
//! A path begins with a class or with a symbol. Behind a class the object is its instance, with the attribute where one is
//! named; members and symbols behind it lie inside. Behind a symbol everything is part of the tag: its number is made of
//! the symbols, a point between two, and of classes and instances behind them; indices lie inside the tag. Segments twice,
//! out of their order or of another kind are a fault: devices disagree which one counts.

use super::services::{LARGEST, class};
use super::{byte, connection, done, double, fault, go_on, limits, nested, state, word};
use crate::bytes::Bytes;
use crate::operation::{NO_OBJECT, Operation};
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

/// Reads the segment at `nesting.at`; behind the last one, goes on with what the path is of.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end) = (scratch.nesting.at, scratch.nesting.path_end);
    let left = end.wrapping_sub(at);
    scratch.nesting.seen = scratch.nesting.seen.wrapping_add(seen::ONE_SEGMENT);
    let size = segment(bytes, at, left, scratch);
    let scratch = scratch.anew();
    let seen = scratch.nesting.seen;
    // A segment of no size is one that cannot be.
    let reason = if size == 0 || size > left {
        Reason::OutOfRange
    } else if size < left && seen >= seen::ONE_SEGMENT.wrapping_mul(limits::SEGMENTS) {
        Reason::BeyondInspection
    } else if size < left {
        scratch.nesting.at = at.wrapping_add(size);
        return;
    } else {
        return behind(scratch, seen);
    };
    fault(scratch, reason);
    done(scratch);
}

/// Behind the last segment.
#[inline(always)]
fn behind(scratch: &mut Scratch, seen: u32) {
    let (unit, name) = (scratch.nesting.unit, scratch.nesting.name);
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
    if seen & seen::CONNECTION != 0 { connection::arrive(scratch) } else { go_on(scratch, state::DATA) }
}

/// A port segment, V1 C-1.4.1: port, and the link address behind it, of several bytes whose number stands before them.
/// Returns its size.
#[inline(always)]
fn hop<B: Bytes + ?Sized>(bytes: &B, at: u32, left: u32, kind: u32, low: u32, scratch: &mut Scratch) -> u32 {
    let several = kind & 0x10 != 0;
    let size = if several { low.wrapping_add(3) & 0x1fe } else { 2 };
    // Port 15: its number follows, which nobody uses.
    if kind & 15 == 0 || kind & 15 == 15 || size > left || size > limits::SYMBOL {
        return 0;
    }
    let unit = scratch.nesting.unit;
    scratch.nesting.unit = if unit == 0 && !several {
        kind << 8 | low
    } else {
        characters(bytes, at, size, name_part(unit, size)) | limits::MORE_HOPS
    };
    size
}

/// One segment. Returns its size, 0 for one that cannot stand here.
#[inline(always)]
fn segment<B: Bytes + ?Sized>(bytes: &B, at: u32, left: u32, scratch: &mut Scratch) -> u32 {
    let (kind, low) = (byte(bytes, at), byte(bytes, at.wrapping_add(1)));
    let connection = scratch.nesting.seen & seen::CONNECTION != 0;
    let nothing = scratch.nesting.seen & seen::NAMED == 0;
    match kind >> 5 {
        0 if nothing && scratch.nesting.seen & (seen::CONNECTION | seen::ROUTE) != 0 => {
            hop(bytes, at, left, kind, low, scratch)
        }
        _ if scratch.nesting.seen & seen::ROUTE != 0 => 0,
        1 => logical_segment(bytes, at, left, kind, scratch),
        4 if kind == EXTENDED_SYMBOL => {
            let size = low.wrapping_add(3) & 0x1fe;
            if size > left || low == 0 {
                return 0;
            }
            if low > limits::SYMBOL {
                fault(scratch, Reason::BeyondInspection);
                return size;
            }
            symbol(bytes, at.wrapping_add(2), low, scratch);
            size
        }
        // Simple data: configuration of a connection's target.
        4 if kind == 0x80 && connection => low.wrapping_mul(2).wrapping_add(2),
        // Network segments: production inhibit time and the like, of one byte; from 0x50 on of several.
        2 if connection && kind & 0x10 == 0 => 2,
        2 if connection => low.wrapping_mul(2).wrapping_add(2),
        _ => 0,
    }
}

/// A logical segment of 8, 16 or 32 bits, the longer ones behind a byte that makes them even.
#[inline(always)]
fn logical_segment<B: Bytes + ?Sized>(bytes: &B, at: u32, left: u32, kind: u32, scratch: &mut Scratch) -> u32 {
    let what = kind >> 2 & 7;
    let connection = scratch.nesting.seen & seen::CONNECTION != 0;
    if what == logical::KEY {
        // Electronic key, format 4: vendor, type, product, revision.
        let format = byte(bytes, at.wrapping_add(1));
        return if connection && kind & 3 == 0 && format == 4 { 10 } else { 0 };
    }
    let size = match kind & 3 {
        0 => 2,
        1 => 4,
        2 => 6,
        _ => 0,
    };
    if size == 0 || size > left {
        return 0;
    }
    let number = match size {
        2 => byte(bytes, at.wrapping_add(1)),
        4 => word(bytes, at.wrapping_add(2)),
        _ => double(bytes, at.wrapping_add(2)),
    };
    if number > LARGEST && what != logical::MEMBER {
        fault(scratch, Reason::BeyondInspection);
    }
    let seen = scratch.nesting.seen;
    if seen & (seen::SYMBOL | seen::CLASS) == seen::SYMBOL {
        return if part_of_tag(what, number, scratch) { size } else { 0 };
    }
    let bit = match what {
        logical::CLASS if seen & seen::NAMED == 0 => seen::CLASS,
        logical::INSTANCE if seen & (seen::CLASS | seen::INSTANCE | seen::ATTRIBUTE) == seen::CLASS => seen::INSTANCE,
        logical::ATTRIBUTE if seen & (seen::CLASS | seen::ATTRIBUTE) == seen::CLASS => seen::ATTRIBUTE,
        logical::MEMBER if seen & seen::CLASS != 0 => seen::MEMBER,
        logical::CONNECTION_POINT if seen & seen::CLASS != 0 => seen::MEMBER,
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

/// A class or instance behind a symbol belongs to the tag's number, an index lies inside the tag.
#[inline(always)]
fn part_of_tag(what: u32, number: u32, scratch: &mut Scratch) -> bool {
    match what {
        logical::MEMBER => true,
        logical::CLASS | logical::INSTANCE | logical::ATTRIBUTE => {
            // No part has so many characters.
            let name = name_part(scratch.nesting.name, what | 0x100);
            scratch.nesting.name = name_piece(name, number as u64);
            true
        }
        _ => false,
    }
}

/// The characters of a symbol.
#[inline(always)]
fn symbol<B: Bytes + ?Sized>(bytes: &B, at: u32, length: u32, scratch: &mut Scratch) {
    let seen = scratch.nesting.seen;
    scratch.nesting.seen = seen | seen::SYMBOL;
    if seen & seen::CLASS != 0 {
        return;
    }
    scratch.nesting.name = characters(bytes, at, length, name_part(scratch.nesting.name, length));
}

/// The number of a name with `length` more characters, eight at a time: the last ones of them, and in front of those what
/// does not count.
#[inline(always)]
fn characters<B: Bytes + ?Sized>(bytes: &B, at: u32, length: u32, start: u32) -> u32 {
    let mut number = start;
    for index in 0..limits::SYMBOL >> 3 {
        let before = index << 3;
        if before >= length {
            break;
        }
        let count = length.wrapping_sub(before).min(8);
        let Some(eight) = bytes.read::<8>(at.wrapping_add(before).wrapping_add(count).wrapping_sub(8)) else {
            break;
        };
        let keep = u64::MAX >> (8u32.wrapping_sub(count) << 3 & 63);
        number = name_piece(number, u64::from_be_bytes(eight) & keep);
    }
    number
}
