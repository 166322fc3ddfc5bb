//! Values that are written, and arguments of methods: OPC 10000-6 5.2.2.16 (Variant) and 5.1.2 (built-in types).

use super::header::extension;
use super::{fetch, is_shape, is_short, next, node, number, shape, skip, step};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::{floating, framing};
use crate::scratch::Scratch;

/// Bits of the first byte of a variant.
mod bits {
    pub(super) const TYPE: u32 = 0x3f;
    pub(super) const DIMENSIONS: u32 = 0x40;
    pub(super) const ARRAY: u32 = 0x80;
}

/// Built-in types of variable size; those from [`DATA_VALUE`] on hold others.
mod kind {
    pub(super) const NODE_ID: u32 = 17;
    pub(super) const EXPANDED_NODE_ID: u32 = 18;
    pub(super) const QUALIFIED_NAME: u32 = 20;
    pub(super) const LOCALIZED_TEXT: u32 = 21;
    pub(super) const EXTENSION_OBJECT: u32 = 22;
    pub(super) const DATA_VALUE: u32 = 23;
    pub(super) const LAST: u32 = 25;
}

/// Bytes of each built-in type; 0 where they differ.
static SIZES: [u8; 32] =
    [0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 8, 16, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A variant begins: its type, and all of it where its elements have one size.
#[inline(always)]
pub(super) fn variant<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let first = number(bytes, scratch) & 0xff;
    scratch.nesting.list = first;
    scratch.nesting.seen = (first & bits::TYPE != 0) as u32;
    skip(scratch, 1);
    let scratch = scratch.anew();
    if scratch.nesting.list & bits::ARRAY != 0 {
        scratch.nesting.seen = node::length(number(bytes, scratch));
        skip(scratch, 4);
    }
    let scratch = scratch.anew();
    if is_short(scratch) {
        return step::short(scratch);
    }
    let (first, seen) = (scratch.nesting.list, scratch.nesting.seen);
    if first & bits::TYPE > kind::LAST || first & (bits::DIMENSIONS | bits::ARRAY) == bits::DIMENSIONS {
        return step::malformed(scratch);
    }
    let size = match SIZES.get(core::hint::black_box(first) as usize & 31) {
        Some(size) => *size as u32,
        None => 0,
    };
    if seen != 0 && size == 0 {
        return step::go_on(scratch, step::ELEMENT);
    }
    let word = fetch(bytes, scratch);
    skip(scratch, seen.wrapping_mul(size));
    let scratch = scratch.anew();
    if is_short(scratch) {
        return step::short(scratch);
    }
    step::go_on(scratch, step::VALUED);
    let kind = scratch.nesting.list;
    let single = kind & bits::ARRAY == 0 && is_shape(scratch, shape::WRITE);
    if single && let Some(part) = framing::last(scratch) {
        number_of(kind, word, part);
    }
}

/// One number that is written. Types that are none have no value here, and no rule with values covers them.
#[inline(always)]
fn number_of(kind: u32, word: u64, operation: &mut Operation) {
    let number = word.cast_signed();
    let value = match kind & bits::TYPE {
        1 => (number & 0xff != 0) as i64,
        2 => number << 56 >> 56,
        3 => number & 0xff,
        4 => number << 48 >> 48,
        5 => number & 0xffff,
        6 => number << 32 >> 32,
        7 => number & 0xffff_ffff,
        8 => number,
        9 if number >= 0 => number,
        10 => return floating::bounds(floating::widen((word & 0xffff_ffff) as u32), operation),
        11 => return floating::bounds(word, operation),
        _ => return,
    };
    framing::value(operation, value);
}

/// One element of a type whose elements differ in size. Elements that hold others are not walked.
#[inline(always)]
pub(super) fn element<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let kind = scratch.nesting.list & bits::TYPE;
    if kind >= kind::DATA_VALUE {
        return if scratch.nesting.state & step::TARGETED != 0 {
            step::go_on(scratch, step::UNIT);
        } else {
            step::beyond(scratch);
        };
    }
    scratch.nesting.from = number(bytes, scratch) & 0xff;
    let scratch = scratch.anew();
    if kind == kind::NODE_ID || kind == kind::EXPANDED_NODE_ID {
        node_id(bytes, scratch);
    } else if kind == kind::LOCALIZED_TEXT {
        text(bytes, scratch);
    } else if kind == kind::EXTENSION_OBJECT {
        extension(bytes, scratch);
    } else {
        skip(scratch, if kind == kind::QUALIFIED_NAME { 2 } else { 0 });
        node::string(bytes, scratch.anew());
    }
    let scratch = scratch.anew();
    scratch.nesting.seen = scratch.nesting.seen.wrapping_sub(1);
    if scratch.nesting.seen == 0 {
        step::go_on(scratch, step::VALUED);
    }
    step::check(scratch.anew());
}

/// Moves behind a NodeId; an expanded one may have the URI of its namespace and the number of its server: 5.2.2.10.
#[inline(always)]
fn node_id<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let expanded = scratch.nesting.list & bits::TYPE == kind::EXPANDED_NODE_ID;
    node::skip_but(bytes, if expanded { 0xc0 } else { 0 }, scratch);
    let scratch = scratch.anew();
    if scratch.nesting.from & 0x80 != 0 {
        node::string(bytes, scratch);
    }
    let more = scratch.anew().nesting.from;
    skip(scratch, more >> 4 & 4);
}

/// Moves behind a LocalizedText: locale and text, where it has them. 5.2.2.14.
#[inline(always)]
fn text<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    skip(scratch, 1);
    for part in [1, 2] {
        let scratch = scratch.anew();
        if scratch.nesting.from & part != 0 {
            node::string(bytes, scratch);
        }
    }
}

/// Behind the elements: dimensions, and what a DataValue has besides its value. Then the next argument, or the next node.
#[inline(always)]
pub(super) fn behind<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.list & bits::DIMENSIONS != 0 {
        let dimensions = node::length(number(bytes, scratch));
        skip(scratch, (dimensions << 2).wrapping_add(4));
    }
    let scratch = scratch.anew();
    if is_shape(scratch, shape::WRITE) {
        let parts = scratch.nesting.purpose;
        let status = parts << 1 & 4;
        let times = (parts << 1 & 8).wrapping_add(parts & 8);
        let fractions = (parts >> 3 & 2).wrapping_add(parts >> 4 & 2);
        skip(scratch, status.wrapping_add(times).wrapping_add(fractions));
        scratch.nesting.name = 1;
    }
    let scratch = scratch.anew();
    if is_short(scratch) {
        return step::short(scratch);
    }
    scratch.nesting.name = scratch.nesting.name.wrapping_sub(1);
    if scratch.nesting.name != 0 {
        step::go_on(scratch, step::VARIANT);
    } else {
        next(scratch.anew());
    }
}
