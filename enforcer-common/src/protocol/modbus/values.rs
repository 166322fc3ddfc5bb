//! Smallest and largest value of a write to several objects.
//!
//! A pass of its own, behind the dissector and only where a rule or learning looks at values, so that the loops over words
//! and bits weigh on nobody else. What is not read for want of room stays without value, and no rule with values covers it.

use core::hint::black_box;

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

/// Reads the values that the dissector left for later.
#[inline(always)]
pub fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    for place in 0..LATER {
        let scratch = scratch.anew();
        if place >= scratch.stream.later_count as usize {
            return;
        }
        let index = match scratch.stream.later.get(place) {
            Some(index) => *index as u32,
            None => return,
        };
        if let Some(operation) = scratch.operation_mut(index) {
            one(bytes, operation);
        }
    }
}

#[inline(always)]
fn one<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation) {
    let at = low(operation.value_min);
    let count = low(operation.value_max);
    operation.flags |= Operation::HAS_VALUE;
    operation.value_min = i64::MAX;
    operation.value_max = i64::MIN;
    let coils = operation.space == space::COIL;
    for index in 0..WORDS {
        let operation = black_box(&mut *operation);
        let done = if coils { index << 4 } else { index };
        if done >= count {
            break;
        }
        let offset = at.wrapping_add(index << 1) & MASK;
        let (min, max) = if coils { bits(bytes, offset, count.wrapping_sub(done)) } else { word(bytes, offset) };
        operation.value_min = operation.value_min.min(min);
        operation.value_max = operation.value_max.max(max);
    }
}

#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, at: u32) -> (i64, i64) {
    let word = bytes.u16(at).unwrap_or(0) as i64;
    (word, word)
}

/// Up to 16 bits in two bytes, lowest bit of a byte first.
#[inline(always)]
fn bits<B: Bytes + ?Sized>(bytes: &B, at: u32, left: u32) -> (i64, i64) {
    let mask = if left >= 16 { 0xffff } else { (1u32 << (left & 15)).wrapping_sub(1) };
    let low = bytes.u8(at).unwrap_or(0) as u32;
    let high = if left > 8 { bytes.u8(at.wrapping_add(1)).unwrap_or(0) as u32 } else { 0 };
    let both = (low | high << 8) & mask;
    ((both == mask) as i64, (both != 0) as i64)
}

/// Offsets and counts are below this; masked with it they have the same bounds in every step.
const MASK: u32 = 0xffff;

#[inline(always)]
fn low(number: i64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "masked first")]
    let number = (number & MASK as i64) as u32;
    number
}
