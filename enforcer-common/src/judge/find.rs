//! What the rules say about one object range, and of the ranges of a unit the worst.

use core::hint::black_box;

use super::is_denial;
use crate::admission;
use crate::environment::Environment;
use crate::operation::{NO_RULE, Operation};
use crate::policy::{Image, UNCOVERED, lookup, memo};
use crate::port::Side;
use crate::scratch::{Finding, Judging, OPERATIONS, Scratch};
use crate::stream::resync;
use crate::verdict::Reason;

/// Keeps the worst finding of the unit: a denial stays; of ranges that pass, the last one's rule covers them all.
#[inline(always)]
pub(super) fn merge(scratch: &mut Scratch) {
    let judging = &mut scratch.judging;
    if !is_denial(judging.unit.reason) {
        // Field by field, as it was written: a load of several fresh stores at once waits for all of them.
        judging.unit.node = judging.range.node;
        judging.unit.rule = judging.range.rule;
        judging.unit.reason = black_box(judging.range.reason);
        judging.index = judging.next.wrapping_sub(1);
    }
}

/// Judges the range at hand.
#[inline(always)]
pub(super) fn find<const CANDIDATE: bool, E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) {
    let Scratch { operations, judging, path, frame, stream, .. } = scratch;
    let index = judging.next.wrapping_sub(1);
    judging.range = Finding { node: u32::MAX, rule: NO_RULE, reason: Reason::BeyondInspection as u8, bits: 0 };
    let Some(record) = operations.get(index as usize & const { OPERATIONS - 1 }) else {
        return;
    };
    let response = !record.is_asked();
    if record.fault != 0 && !is_about_place(record.fault) {
        stream.faulty = 1;
    }
    if CANDIDATE {
        // Chosen in bits, without a branch for the verifier to follow through the search.
        let decided = 0u8.wrapping_sub(record.flags >> const { Operation::DECIDED.trailing_zeros() } & 1);
        judging.was = (record.reason & decided) | (judging.was & !decided);
        let [low, _, _, _] = index.to_le_bytes();
        judging.held = (low & decided) | (judging.held & !decided);
    }
    if record.fault != 0 && admission::names_inside(record.fault) {
        judging.range.reason = record.fault;
    } else if path.conduit == UNCOVERED {
        judging.range.reason = path.uncovered;
    } else if response && (record.fault == 0 || frame.side == Side::Device as u8) {
        // A device's answer that breaks the standard is not stopped on its way out: it can do the device no harm.
        judging.range.reason = Reason::Response as u8;
    } else if record.fault != 0 {
        judging.range.reason = record.fault;
    } else {
        let single = judging.continued == 0 && !record.has(Operation::HAS_VALUE);
        look_up::<CANDIDATE, E>(policy, environment, path.conduit, record, judging, single);
        if stream.unproved != 0 && !resync::is_harmless(record.access) && !is_denial(judging.range.reason) {
            judging.range.reason = Reason::Unsynchronised as u8;
        }
    }
}

/// What the rules say about the range at hand: remembered, or searched for.
#[inline(always)]
fn look_up<const CANDIDATE: bool, E: Environment>(
    policy: &Image,
    environment: &mut E,
    conduit: u16,
    record: &Operation,
    judging: &mut Judging,
    single: bool,
) {
    let generation = policy.header.generation;
    let place = memo::place(record) | if CANDIDATE { memo::CANDIDATE } else { 0 };
    let first = judging.first as u32;
    // Numbers: as branches, the questions would multiply the paths through the search.
    let alone = black_box(first & single as u32);
    if alone != 0
        && let Some(known) = environment.memo(place)
        && !known.is_valued()
        && known.is_about(generation, conduit, record)
    {
        judging.range.node = known.finding.node;
        judging.range.rule = known.finding.rule;
        judging.range.reason = known.finding.reason;
        return;
    }
    policy.judge(conduit, record, judging);
    let judging = black_box(judging);
    let found = (judging.range.rule != NO_RULE) as u8;
    let general = judging.range.bits & Finding::GENERAL & found.wrapping_neg();
    let one = (judging.continued == 0 && record.has(Operation::HAS_VALUE)) as u8;
    let valued = judging.range.bits & Finding::VALUED & (found & one).wrapping_neg();
    if black_box(alone | first & (general >> 1 | valued >> 2) as u32) != 0
        && let Some(entry) = environment.memo(place)
    {
        if valued != 0 {
            policy.draw_in(record, judging);
        }
        let rated = is_rated(policy, judging.range.rule) as u8;
        entry.set(generation, conduit, record, judging, general | valued | rated);
    }
}

const _: () = assert!(Finding::GENERAL >> 1 == 1 && Finding::VALUED >> 2 == 1 && Finding::RATED == true as u8);

/// Faults of a segment's place, not of its bytes.
#[inline(always)]
const fn is_about_place(fault: u8) -> bool {
    fault == Reason::SequenceGap as u8
        || fault == Reason::Overlap as u8
        || fault == Reason::Unsynchronised as u8
        || fault == Reason::BackPressure as u8
}

/// True when the rule that was found asks for more than its ranges: a rate, or how far a value is from the last one.
#[inline(always)]
pub(crate) fn is_rated(policy: &Image, rule: u16) -> bool {
    rule != NO_RULE
        && lookup::get(&policy.rules, rule as u32).is_some_and(|entry| entry.interval | entry.max_step as u64 != 0)
}
