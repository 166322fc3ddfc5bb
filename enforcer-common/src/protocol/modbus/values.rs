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

/// Notes that the values of the last record, if it is a sound write, stand at offset `at`, `count` of them.
#[inline(always)]
pub(super) fn later(scratch: &mut Scratch, at: u32, count: u32) {
    let index = scratch.count.wrapping_sub(1);
    let place = scratch.stream.later_count;
    let Some(operation) = scratch.operation_mut(index) else {
        return;
    };
    if operation.fault != 0 || place as usize >= LATER {
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

/// Smallest and largest of `count` words.
#[inline(always)]
fn words<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32) -> (u32, u32) {
    let (mut min, mut max) = (0xffff, 0);
    for index in 0..WORDS {
        if index >= count {
            break;
        }
        let word = word(bytes, at.wrapping_add(index << 1));
        // The sign of a difference of numbers below 2^31 says which is less. Written as `min` and `max` the branches in each
        // of 123 steps are three times as much for the verifier to follow.
        min = word ^ ((min ^ word) & below(min, word));
        max = max ^ ((max ^ word) & below(max, word));
    }
    (min, max)
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
