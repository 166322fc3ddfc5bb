//! Smallest and largest value of a write to several objects.
//!
//! A pass of its own, behind the dissector and only where a rule or learning looks at values: a segment can hold 700 words,
//! and one flat loop over all of them is what the kernel's verifier can walk.

use super::functions::space;
use super::limits;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::Scratch;

/// Most words, or bytes of bits, that one pass reads: more than a full Ethernet frame holds.
const STEPS: u32 = 760;

/// Notes where the values of a sound write stand: `count` of them from offset `at`.
#[inline(always)]
pub(super) fn later(operation: &mut Operation, at: u32, count: u32) {
    if operation.fault == 0 {
        operation.value_min = at as i64;
        operation.value_max = count as i64;
        operation.flags |= Operation::VALUES_LATER;
    }
}

/// Reads the values that the dissector left for later, of all operations in `scratch`. What is not read for want of steps
/// stays without value, and no rule with values covers it.
#[inline(always)]
pub fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let mut index = 0;
    let mut left = 0;
    let mut at = 0;
    for _ in 0..STEPS {
        let scratch = scratch.anew();
        if left == 0 {
            if index >= scratch.count {
                return;
            }
            let Some(record) = scratch.operation_mut(index) else {
                return;
            };
            if !record.has(Operation::VALUES_LATER) {
                index = index.wrapping_add(1);
                continue;
            }
            at = low(record.value_min);
            left = low(record.value_max);
            record.flags &= !Operation::VALUES_LATER;
            record.flags |= Operation::HAS_VALUE;
            record.value_min = i64::MAX;
            record.value_max = i64::MIN;
        }
        let Some(record) = scratch.operation_mut(index) else {
            return;
        };
        let (min, max, taken, width) = if record.space == space::COIL {
            let taken = left.min(8);
            let mask = 0xffu32 >> (8u32.wrapping_sub(taken) & 7);
            let byte = bytes.u8(at).unwrap_or(0) as u32 & mask;
            ((byte == mask) as i64, (byte != 0) as i64, taken, 1)
        } else {
            let word = bytes.u16(at).unwrap_or(0) as i64;
            (word, word, 1, 2)
        };
        record.value_min = record.value_min.min(min);
        record.value_max = record.value_max.max(max);
        at = at.wrapping_add(width) & MASK;
        left = left.wrapping_sub(taken) & MASK;
        if left == 0 {
            index = index.wrapping_add(1);
        }
    }
}

/// Offsets and counts are below this; masked with it they have the same bounds in every step.
const MASK: u32 = 0xffff;

#[inline(always)]
fn low(number: i64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "masked first")]
    let number = (number & MASK as i64) as u32;
    number
}

const _: () = assert!(limits::LENGTH_MAX < MASK);
