//! What is kept of a request that was allowed.

use super::{Circumstances, Known, MOST_UNITS, WORDS, Word, last_word, word};
use crate::action::Action;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::judge::is_rated;
use crate::operation::Operation;
use crate::policy::Image;
use crate::policy::memo::minute;
use crate::scratch::{Bits, MOST, Scratch, UNITS};
use crate::verdict::Reason;

/// Takes the bytes over.
#[inline(always)]
fn copy<B: Bytes + ?Sized>(bytes: &B, known: &mut Known, from: u32, end: u32) {
    let size = end.wrapping_sub(from);
    let (whole, left) = ((size >> 3) as usize, size & 7);
    let mut at = from;
    // Of a short request all words are compared, see [`super::differs_from`].
    if let Some(short) = known.words.first_chunk_mut::<4>() {
        *short = [Word { bytes: 0, cares: 0 }; 4];
    }
    for index in 0..WORDS {
        if index >= whole {
            break;
        }
        let Some(kept) = known.words.get_mut(index) else {
            break;
        };
        *kept = Word { bytes: word(bytes, at), cares: u64::MAX };
        at = at.wrapping_add(8);
    }
    if left != 0
        && let Some(kept) = known.words.get_mut(whole & (WORDS - 1))
    {
        *kept = Word { bytes: last_word(bytes, end, left), cares: u64::MAX };
    }
}

/// True for a request that the judge has let pass, and that should be known when it comes again: [`keep`] is next.
#[must_use]
#[inline(always)]
pub fn is_worth_keeping(scratch: &Scratch) -> bool {
    let Scratch { stream, judging, operations: [first, ..], .. } = scratch;
    scratch.wanted.place != 0
        && scratch.outcome == Reason::RuleAllow as u8
        && scratch.action == Action::Forward as u8
        && judging.units.wrapping_sub(1) < MOST_UNITS
        && !first.has(Operation::HAS_VALUE)
        && stream.skip | stream.save_length | (stream.faulty | stream.uncertain) as u32 == 0
}

/// Keeps the request at hand, unless the one that has its place is in use, or the place saw too many that never came again.
#[inline(always)]
pub fn keep<B: Bytes + ?Sized, E: Environment>(bytes: &B, policy: &Image, environment: &mut E, scratch: &mut Scratch) {
    if !is_plain(policy, scratch) {
        return;
    }
    let scratch = scratch.anew();
    let (payload, end, now) = (scratch.frame.payload, scratch.frame.payload_end, minute(scratch.now));
    let Some(known): Option<&mut Known> = environment.known(scratch.wanted.place.wrapping_sub(1)) else {
        return;
    };
    let here = Circumstances::of(scratch, scratch.wanted.context);
    let current = known.minute == now && known.circumstances.generation == here.generation;
    if current && known.pending != 0 {
        return;
    }
    known.tries = if current { known.tries.wrapping_add(1) } else { 1 };
    if !known.tries.is_power_of_two() {
        return;
    }
    known.circumstances = here;
    known.minute = now;
    known.pending = 0;
    known.context = scratch.stream.context;
    known.units = scratch.judging.units;
    known.found = scratch.judging.found;
    copy(bytes, known, payload, end);
    for bits in &scratch.wanted.left_out {
        leave_out(known, bits, payload, end);
    }
}

/// None of these bits matters, which lie somewhere in the frame, in a request from `from` up to `end`.
#[inline(always)]
fn leave_out(known: &mut Known, bits: &Bits, from: u32, end: u32) {
    let at = bits.at.wrapping_sub(from);
    if bits.at < from || bits.at >= end {
        return;
    }
    let shift = (at & 7) << 3;
    let halves = [bits.bits << shift, (bits.bits >> 1) >> (63u32.wrapping_sub(shift) & 63)];
    for (index, half) in halves.into_iter().enumerate() {
        let place = core::hint::black_box((at >> 3) as usize).wrapping_add(index);
        if let Some(word) = known.words.get_mut(place & (WORDS - 1)) {
            word.cares &= !half;
        }
    }
}

/// True when all that was found is a rule that asks for nothing else, and no value is written.
#[inline(always)]
fn is_plain(policy: &Image, scratch: &Scratch) -> bool {
    let mut plain = true;
    for unit in 0..UNITS {
        if unit >= scratch.judging.units as usize {
            break;
        }
        plain &= match scratch.judging.found.get(unit) {
            Some(found) => {
                found.reason == Reason::RuleAllow as u8 && found.node != u32::MAX && !is_rated(policy, found.rule)
            }
            None => false,
        };
    }
    for index in 0..MOST {
        if index >= scratch.count {
            break;
        }
        plain &= match scratch.operation(index) {
            Some(record) => record.fault == 0 && !record.has(Operation::HAS_VALUE),
            None => false,
        };
    }
    plain
}
