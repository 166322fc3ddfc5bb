//! Smallest and largest value of a write to several objects.
//!
//! A pass of its own, behind the dissector and only where a rule or learning looks at values, so that the loops over words
//! and bits weigh on nobody else. What is not read for want of room stays without value, and no rule with values covers it.

use super::functions::space;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::{LATER, Scratch};

/// Most words of one write, MB 6.12; 16 coils count as a word.
const WORDS: u32 = 123;

/// Notes that the values of the last record, if it is a sound write to objects whose values matter, stand at offset `at`,
/// `count` of them.
#[inline(always)]
pub(super) fn later(scratch: &mut Scratch, at: u32, count: u32) {
    let index = scratch.count.wrapping_sub(1);
    let place = scratch.stream.later_count;
    let [first, last] = scratch.path.valued;
    let Some(operation) = scratch.operation_mut(index) else {
        return;
    };
    if operation.fault != 0 || place as usize >= LATER || operation.last < first || operation.first > last {
        return;
    }
    operation.value_min = at as i64;
    operation.value_max = count as i64;
    scratch.stream.later_count = place.wrapping_add(1);
    if let Some(slot) = scratch.stream.later.get_mut(place as usize & const { LATER - 1 }) {
        #[expect(clippy::cast_possible_truncation, reason = "below 40")]
        {
            *slot = index as u8;
        }
    }
}

/// Reads the values of one of the writes that the dissector left for later, the last first. True when there is another:
/// the caller comes again. One at a time, because the kernel verifies a program's whole loop.
#[must_use]
#[inline(always)]
pub fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let place = scratch.stream.later_count.wrapping_sub(1);
    if place as usize >= LATER {
        return false;
    }
    scratch.stream.later_count = place;
    let index = match scratch.stream.later.get(place as usize & const { LATER - 1 }) {
        Some(index) => *index as u32,
        None => return false,
    };
    if let Some(operation) = scratch.operation_mut(index) {
        one(bytes, operation);
    }
    place != 0
}

#[inline(always)]
fn one<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation) {
    let at = low(operation.value_min);
    let count = low(operation.value_max);
    let (min, max) = if operation.space == space::COIL { bits(bytes, at, count) } else { words(bytes, at, count) };
    operation.flags |= Operation::HAS_VALUE;
    operation.value_min = min as i64;
    operation.value_max = max as i64;
}

/// Smallest and largest of `count` words, four at a time.
#[inline(always)]
fn words<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32) -> (u32, u32) {
    let (mut min, mut max) = (Lanes::LARGEST, Lanes::SMALLEST);
    let whole = count >> 2;
    for index in 0..WORDS >> 2 {
        if index >= whole {
            break;
        }
        let four = bytes.read::<8>(at.wrapping_add(index << 3) & MASK).unwrap_or([0; 8]);
        let four = Lanes(u64::from_be_bytes(four));
        min = min.smaller(four);
        max = max.larger(four);
    }
    let (mut min, mut max) = (min.smallest(), max.largest());
    let rest = at.wrapping_add(whole << 3);
    for index in 0..3u32 {
        if index >= count & 3 {
            break;
        }
        let word = word(bytes, rest.wrapping_add(index << 1));
        // The sign of a difference of numbers below 2^31 says which is less, without a branch for the verifier to follow.
        min = word ^ ((min ^ word) & below(min, word));
        max = max ^ ((max ^ word) & below(max, word));
    }
    (min, max)
}

/// Four words, compared two and two: every other one has room for a borrow above it.
#[derive(Clone, Copy)]
struct Lanes(u64);

impl Lanes {
    const SMALLEST: Self = Self(0);
    const LARGEST: Self = Self(u64::MAX);
    /// Every other lane.
    const EVEN: u64 = 0x0000_ffff_0000_ffff;
    /// The bit above each of them.
    const ABOVE: u64 = 0x0001_0000_0001_0000;

    #[inline(always)]
    const fn halves(self) -> (u64, u64) {
        (self.0 & Self::EVEN, self.0 >> 16 & Self::EVEN)
    }

    /// All ones in the lanes in which `one` is not less than `other`.
    #[inline(always)]
    const fn not_less(one: u64, other: u64) -> u64 {
        let kept = (one | Self::ABOVE).wrapping_sub(other) & Self::ABOVE;
        kept.wrapping_sub(kept >> 16)
    }

    #[inline(always)]
    const fn larger(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.halves(), other.halves());
        let (even, odd) = (Self::not_less(a, c), Self::not_less(b, d));
        Self((c ^ ((a ^ c) & even)) | (d ^ ((b ^ d) & odd)) << 16)
    }

    #[inline(always)]
    const fn smaller(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.halves(), other.halves());
        let (even, odd) = (Self::not_less(c, a), Self::not_less(d, b));
        Self((c ^ ((a ^ c) & even)) | (d ^ ((b ^ d) & odd)) << 16)
    }

    #[inline(always)]
    const fn lane(self, index: u32) -> u32 {
        (self.0 >> (index << 4 & 63) & 0xffff) as u32
    }

    #[inline(always)]
    fn largest(self) -> u32 {
        self.lane(0).max(self.lane(1)).max(self.lane(2)).max(self.lane(3))
    }

    #[inline(always)]
    fn smallest(self) -> u32 {
        self.lane(0).min(self.lane(1)).min(self.lane(2)).min(self.lane(3))
    }
}

/// All ones when `one` is less than `other`, else 0.
#[inline(always)]
const fn below(one: u32, other: u32) -> u32 {
    (one.wrapping_sub(other).cast_signed() >> 31).cast_unsigned()
}

/// Whether all of `count` bits are set, and whether any is. The lowest bit of a byte is the first, MB 6.11.
#[inline(always)]
fn bits<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32) -> (u32, u32) {
    let (mut all, mut any) = (0xffff, 0);
    let whole = count >> 4;
    for index in 0..WORDS {
        if index >= whole {
            break;
        }
        let bits = word(bytes, at.wrapping_add(index << 1));
        all &= bits;
        any |= bits;
    }
    let left = count & 15;
    if left != 0 {
        let at = at.wrapping_add(whole << 1);
        let mask = (1u32 << left).wrapping_sub(1);
        let low = bytes.u8(at & MASK).unwrap_or(0) as u32;
        let high = bytes.u8(at.wrapping_add(1) & MASK).unwrap_or(0) as u32;
        let bits = (low | high << 8) & mask;
        all &= bits | (mask ^ 0xffff);
        any |= bits;
    }
    ((all == 0xffff) as u32, (any != 0) as u32)
}

#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, at: u32) -> u32 {
    bytes.u16(at & MASK).unwrap_or(0) as u32
}

/// Offsets and counts are below this; masked with it they have the same bounds in every step.
const MASK: u32 = 0xffff;

#[inline(always)]
fn low(number: i64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "masked first")]
    let number = (number & MASK as i64) as u32;
    number
}
