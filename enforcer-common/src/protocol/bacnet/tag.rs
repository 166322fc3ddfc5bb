//! Tags, 20.2.1: one octet with number, class and length, further ones where the number or the length is larger.
//!
//! Numbers that say what an operation touches are read only in their one short form. A longer form of the same number is
//! refused: decoders differ in what they take.

use core::hint::black_box;

use crate::bytes::Bytes;

/// The bit of a tag that says it is context specific.
const CONTEXT: u32 = 8;
/// The length that says where a constructed value begins.
const OPENING: u32 = 6;
/// The length that says where a constructed value ends.
const CLOSING: u32 = 7;
/// The tag of an object identifier in application class, 20.2.14.
pub(super) const OBJECT_IDENTIFIER: u32 = 0xc4;

/// The opening tag with this number.
#[inline(always)]
pub(super) const fn opening(number: u32) -> u32 {
    number << 4 | CONTEXT | OPENING
}

/// The closing tag with this number.
#[inline(always)]
pub(super) const fn closing(number: u32) -> u32 {
    number << 4 | CONTEXT | CLOSING
}

/// The tag of an object identifier with this context number.
#[inline(always)]
pub(super) const fn identifier(number: u32) -> u32 {
    number << 4 | CONTEXT | 4
}

/// A number of at most four octets, and the offset behind it; 0 as offset when it is not there.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) value: u32,
    pub(super) next: u32,
}

/// No number.
const ABSENT: Number = Number { value: 0, next: 0 };

/// The octet at `at`, or 0 beyond `end`.
#[inline(always)]
pub(super) fn octet<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32) -> u32 {
    // A number in either case: an absent one would be moved around undefined, which the kernel's verifier refuses.
    let octet = black_box(bytes.u8(at).unwrap_or(0));
    if at < end { octet as u32 } else { 0 }
}

/// An unsigned or enumerated number with context tag `number`, 20.2.4 and 20.2.11.
#[inline(always)]
pub(super) fn unsigned<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, number: u32) -> Number {
    let head = octet(bytes, at, end);
    let size = head & 7;
    let next = at.wrapping_add(1).wrapping_add(size);
    if head & !7 != number << 4 | CONTEXT || size == 0 || size > 4 || next > end {
        return ABSENT;
    }
    Number { value: last_octets(bytes, next, size), next }
}

/// The same, and the offset unchanged where another tag stands, which may be an opening or closing one with this number.
#[inline(always)]
pub(super) fn optional<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, number: u32) -> Number {
    let head = octet(bytes, at, end);
    if head & !7 == number << 4 | CONTEXT && head & 7 < OPENING {
        unsigned(bytes, at, end, number)
    } else {
        Number { value: 0, next: at }
    }
}

/// An object identifier behind this tag, 20.2.14: type and instance.
#[inline(always)]
pub(super) fn object<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, tag: u32) -> Number {
    let next = at.wrapping_add(5);
    if octet(bytes, at, end) != tag || next > end {
        return ABSENT;
    }
    Number { value: last_octets(bytes, next, 4), next }
}

/// The `size` octets in front of `next` as a number. The four that are read lie in the message: headers come before.
#[inline(always)]
fn last_octets<B: Bytes + ?Sized>(bytes: &B, next: u32, size: u32) -> u32 {
    let word = black_box(bytes.u32(next.wrapping_sub(4)).unwrap_or(0));
    word & u32::MAX >> (4u32.wrapping_sub(size).wrapping_mul(8) & 31)
}

/// What stands at a tag.
#[derive(Clone, Copy)]
pub(super) struct Element {
    /// First octet of the tag.
    pub(super) head: u32,
    /// Octets of content.
    pub(super) size: u32,
    /// Offset behind it; 0 when it is not whole.
    pub(super) next: u32,
}

impl Element {
    /// It begins a constructed value.
    #[inline(always)]
    pub(super) const fn opens(&self) -> bool {
        self.head & (CONTEXT | 7) == CONTEXT | OPENING
    }

    /// It ends one.
    #[inline(always)]
    pub(super) const fn closes(&self) -> bool {
        self.head & (CONTEXT | 7) == CONTEXT | CLOSING
    }

    /// Its number, when that stands in the first octet; 15 when it does not.
    #[inline(always)]
    pub(super) const fn number(&self) -> u32 {
        self.head >> 4
    }

    /// A value of application class.
    #[inline(always)]
    pub(super) const fn is_primitive_value(&self) -> bool {
        self.head & CONTEXT == 0
    }
}

/// Any tag, and what it holds.
#[inline(always)]
pub(super) fn element<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32) -> Element {
    let head = octet(bytes, at, end);
    let mut content = at.wrapping_add(1);
    if head >> 4 == 15 {
        content = content.wrapping_add(1);
    }
    let mut size = head & 7;
    if head >> 3 == 2 || size > 5 {
        // A boolean of application class holds its value in the tag, 20.2.3; opening and closing tags hold nothing.
        size = 0;
    } else if size == 5 {
        size = octet(bytes, content, end);
        content = content.wrapping_add(1);
        if size == 254 {
            size = black_box(bytes.u16(content).unwrap_or(u16::MAX)) as u32;
            content = content.wrapping_add(2);
        } else if size == 255 {
            // Longer than any datagram.
            size = 0xffff;
        }
    }
    let next = content.wrapping_add(size);
    if at >= end || next > end || head & (CONTEXT | 7) == OPENING || head & (CONTEXT | 7) == CLOSING {
        return Element { head, size: 0, next: 0 };
    }
    Element { head, size, next }
}
