//! The encoding of everything from the presentation layer on: tag, length, contents (ITU-T X.690 clause 8).
//!
//! Only what one sender can mean by one octet string is taken: definite lengths in their shortest form, of up to two octets
//! behind the first. Receivers do not agree about the others, and nobody who speaks MMS sends them.

use core::hint::black_box;

use super::broken;
use crate::bytes::Bytes;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Reads tag and length at `nesting.at`. Leaves the tag in `nesting.list`, where its contents begin in `nesting.from` and
/// end in `nesting.number`, which is not behind `nesting.end`. False, and the fault noted, where that cannot be.
#[inline(always)]
pub(super) fn head<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end, until) = (scratch.nesting.at, scratch.nesting.end, scratch.nesting.until);
    let behind = at.wrapping_add(2);
    if behind > end {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    if behind > until {
        broken(scratch, Reason::BeyondInspection);
        return false;
    }
    let word = eight(bytes, at, until);
    let tag = (word >> 56) as u32;
    let first = (word >> 48 & 0xff) as u32;
    let (second, both) = ((word >> 40 & 0xff) as u32, (word >> 32 & 0xffff) as u32);
    // Octets of the length behind its first one, X.690 8.1.3.4 and 8.1.3.5; 10.1 for the shortest form.
    let (more, length, shortest) = match first {
        0x81 => (1, second, second >= 0x80),
        0x82 => (2, both, both >= 0x100),
        other => (0, other, other < 0x80),
    };
    if !shortest {
        broken(scratch, Reason::MalformedFraming);
        return false;
    }
    let from = black_box(behind.wrapping_add(more));
    let number = black_box(from.wrapping_add(length));
    if from > until && from <= end {
        broken(scratch, Reason::BeyondInspection);
        return false;
    }
    if number > end {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    let nesting = &mut scratch.nesting;
    nesting.list = tag;
    nesting.from = from;
    nesting.number = number;
    true
}

/// The eight bytes from `at` on, the first one highest; what is not in front of `until` is 0. More than eight bytes lie in
/// front of that.
#[inline(always)]
fn eight<B: Bytes + ?Sized>(bytes: &B, at: u32, until: u32) -> u64 {
    let from = at.min(until.wrapping_sub(8));
    let word = black_box(match bytes.read::<8>(from) {
        Some(word) => u64::from_be_bytes(word),
        None => 0,
    });
    word << (at.wrapping_sub(from) << 3 & 63)
}

/// Goes into the contents of what [`head`] read.
#[inline(always)]
pub(super) const fn enter(scratch: &mut Scratch) {
    scratch.nesting.at = scratch.nesting.from;
    scratch.nesting.end = scratch.nesting.number;
}

/// The number in the last four bytes in front of `end`, of which `length` are its own.
#[inline(always)]
pub(super) fn number<B: Bytes + ?Sized>(bytes: &B, end: u32, length: u32) -> u32 {
    let all = black_box(bytes.u32(end.wrapping_sub(4)).unwrap_or(0));
    if length >= 4 { all } else { all & (1u32 << (length << 3 & 31)).wrapping_sub(1) }
}
