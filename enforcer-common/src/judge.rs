//! Operation -> finding -> verdict -> action, counted.
//!
//! The only stage that reads rules, once per frame, from one image. Counters come first; [`crate::report`] follows.

use core::hint::black_box;

use crate::action::{Action, OnDeny, action};
use crate::admission;
use crate::environment::Environment;
use crate::network::protocol;
use crate::operation::{NO_RULE, Operation};
use crate::policy::{Image, UNCOVERED, lookup, memo, rate};
use crate::port::Side;
use crate::scratch::{Commit, Finding, Judging, OPERATIONS, Scratch};
use crate::stream::resync;
use crate::transport::flag;
use crate::verdict::{Mode, Reason, Verdict};

/// How many records are judged in one step.
const STEP: u32 = 4;

/// The same where nothing is searched for.
pub const STEP_REMEMBERED: u32 = 8;

/// How far the judge has come with a frame's records.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All are judged.
    Done,
    /// There are more: the caller comes again.
    More,
    /// About the next one the policy must be asked: [`units`] goes on.
    Search,
}

/// Before the first step.
#[inline(always)]
pub fn begin(scratch: &mut Scratch) {
    scratch.judging.next = 0;
    scratch.judging.index = 0;
    scratch.judging.unit.reason = 0;
}

/// Judges and counts the next operations while nothing must be searched for in the policy: answers, and questions whose
/// finding is remembered; at most `STEPS` ranges of them. In the kernel without the policy, because that is what control
/// traffic is made of.
#[inline(always)]
pub fn remembered<const STEPS: u32, E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Progress {
    for _ in 0..STEPS {
        let scratch = scratch.anew();
        let index = scratch.judging.next;
        if index >= scratch.count {
            return Progress::Done;
        }
        let next = index.wrapping_add(1);
        let (further, more) = (continues(scratch, index), continues(scratch, next));
        if STEPS == 1 && more {
            // One step is for the units of one range that most frames hold.
            return Progress::More;
        }
        let Some(finding) = recall(environment, scratch, index, further, more) else {
            if further {
                // From the unit's first range on, of which nothing is settled yet.
                scratch.judging.next = scratch.judging.index;
            }
            return Progress::Search;
        };
        scratch.judging.next = next;
        if !more {
            settle(environment, scratch, index, &finding, finding.reason);
            continue;
        }
        if !further {
            scratch.judging.index = index;
            scratch.judging.range.node = finding.node;
            scratch.judging.range.rule = finding.rule;
            scratch.judging.range.reason = finding.reason;
        }
    }
    let scratch = scratch.anew();
    if scratch.judging.next < scratch.count { Progress::More } else { Progress::Done }
}

/// What the rules say about a unit of which this record is the next range, where that is known without them: remembered of
/// its first range, and of a `further` one the same where it hangs on no range. `more`: another range follows.
#[inline(always)]
fn recall<E: Environment>(
    environment: &mut E,
    scratch: &Scratch,
    index: u32,
    further: bool,
    more: bool,
) -> Option<Finding> {
    let record = scratch.operation(index)?;
    let conduit = scratch.path.conduit;
    // A unit of many ranges, and then the search for it, would take more steps than the kernel has.
    let many = more && scratch.count > STEP_REMEMBERED;
    if record.fault != 0 || conduit == UNCOVERED || many {
        return None;
    }
    if further {
        let before = scratch.operation(index.wrapping_sub(1))?;
        let other = (record.function ^ before.function)
            | (record.unit ^ before.unit)
            | (record.access ^ before.access) as u32
            | (record.is_asked() ^ before.is_asked()) as u32;
        return if other == 0 { Some(scratch.judging.range) } else { None };
    }
    if !record.is_asked() {
        return Some(Finding { node: u32::MAX, rule: NO_RULE, reason: Reason::Response as u8, bits: 0 });
    }
    if scratch.stream.unproved != 0 {
        return None;
    }
    let needed = if more || record.has(Operation::HAS_VALUE) { Finding::GENERAL } else { 0 };
    let known = environment.memo(memo::place(record))?;
    if known.finding.bits & (needed | Finding::RATED) == needed
        && known.is_about(scratch.path.generation, conduit, record)
    {
        Some(known.finding)
    } else {
        None
    }
}

/// Judges and counts the next operations. True when there are more: the caller comes again. In steps, because the kernel
/// verifies a program's whole loop.
#[must_use]
#[inline(always)]
pub fn units<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> bool {
    for _ in 0..STEP {
        let scratch = scratch.anew();
        let index = scratch.judging.next;
        if index >= scratch.count {
            return false;
        }
        scratch.judging.next = index.wrapping_add(1);
        scratch.judging.first = !continues(scratch, index) as u8;
        scratch.judging.continued = continues(scratch, index.wrapping_add(1)) as u8;
        find(policy, environment, scratch.anew());
        let scratch = scratch.anew();
        merge(scratch);
        if scratch.judging.continued == 0 {
            conclude(policy, environment, scratch.anew());
        }
    }
    let scratch = scratch.anew();
    scratch.judging.next < scratch.count
}

/// Decides about the whole frame: leaves its action and outcome in `scratch`.
#[inline(always)]
pub fn frame<E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Action {
    let scratch = scratch.anew();
    let mode = Mode::from_code(scratch.path.mode);
    let reason = match Reason::from_code(scratch.outcome) {
        Some(reason) => reason,
        None => nothing_found(scratch),
    };
    scratch.outcome = reason as u8;
    let denied = reason.verdict() as u8 == Verdict::Deny as u8;
    // What a denial asks for is not worth a look where there is none.
    let on_deny = if denied { on_deny(scratch, reason) } else { OnDeny::Drop };
    let decided = action(reason.verdict(), mode, on_deny);
    scratch.action = decided as u8;
    if scratch.count == 0 {
        let acted = denied && mode as u8 == Mode::Enforce as u8;
        environment.count(scratch, None, u32::MAX, reason, acted);
    }
    scratch.report = (reason.verdict() as u8 != Verdict::Allow as u8 || mode as u8 == Mode::Learn as u8) as u8;
    decided
}

/// True when the record at `index` is a further range of the unit before it.
#[inline(always)]
fn continues(scratch: &Scratch, index: u32) -> bool {
    match scratch.operation(index) {
        Some(record) => index < scratch.count && record.has(Operation::CONTINUES),
        None => false,
    }
}

/// Keeps the worst finding of the unit: a denial stays; of ranges that pass, the last one's rule covers them all.
#[inline(always)]
fn merge(scratch: &mut Scratch) {
    let judging = &mut scratch.judging;
    if !is_denial(judging.unit.reason) {
        // Field by field, as it was written: a load of several fresh stores at once waits for all of them.
        judging.unit.node = judging.range.node;
        judging.unit.rule = judging.range.rule;
        judging.unit.reason = black_box(judging.range.reason);
        judging.index = judging.next.wrapping_sub(1);
    }
}

/// False for 0, which stands for no finding yet.
#[inline(always)]
fn is_denial(code: u8) -> bool {
    match Reason::from_code(code) {
        Some(reason) => reason.verdict() as u8 == Verdict::Deny as u8,
        None => false,
    }
}

/// A stage handed the frame on without operation and without outcome: bytes of a unit that is not complete, or a conduit
/// without inspection.
#[inline(always)]
fn nothing_found(scratch: &Scratch) -> Reason {
    if scratch.stream.save_length != 0 || scratch.stream.commit != Commit::Nothing as u8 {
        Reason::Partial
    } else {
        Reason::Conduit
    }
}

/// A reset needs a TCP conversation that is inspected, and a denial that it could not go on from: of an operation, of what
/// follows one, of repetitions that never match, of a connection for which there is no room, or because the policy resets
/// what it has not seen begin. Everything else
/// is dropped: the sender's TCP repeats it in its place.
#[inline(always)]
fn on_deny(scratch: &Scratch, reason: Reason) -> OnDeny {
    let stream = &scratch.stream;
    let final_ = stream.commit != Commit::Nothing as u8
        || stream.strike != 0
        || reason as u8 == Reason::Unsynchronised as u8
        || reason as u8 == Reason::FlowKilled as u8
        || (reason as u8 == Reason::FlowTableFull as u8 && scratch.frame.side == Side::Network as u8);
    let tcp = scratch.frame.transport_protocol == protocol::TCP;
    if scratch.path.on_deny == OnDeny::Reset as u8
        && tcp
        && final_
        && scratch.frame.tcp_flags & flag::RST == 0
        && !admission::names_inside(reason as u8)
    {
        OnDeny::Reset
    } else {
        OnDeny::Drop
    }
}

/// Concludes one unit, if the rate of its rule lets it pass.
#[inline(always)]
fn conclude<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) {
    let finding = scratch.judging.unit;
    let index = scratch.judging.index;
    scratch.judging.unit.reason = 0;
    let mut reason = finding.reason;
    if !is_denial(reason) && finding.rule != NO_RULE && !within_rate(policy, environment, finding.rule) {
        reason = Reason::RateExceeded as u8;
    }
    // Written down and read back: the paths through the rate join.
    scratch.judging.unit.reason = reason;
    let scratch = scratch.anew();
    let reason = scratch.judging.unit.reason;
    scratch.judging.unit.reason = 0;
    settle(environment, scratch, index, &finding, reason);
}

/// Notes in the record what was found about its unit, counts it, and lets it weigh on the frame's outcome.
#[inline(always)]
fn settle<E: Environment>(environment: &mut E, scratch: &mut Scratch, index: u32, finding: &Finding, reason: u8) {
    let uncertain = scratch.stream.uncertain != 0;
    if let Some(record) = scratch.operation_mut(index) {
        record.reason = reason;
        record.rule = finding.rule;
        record.flags |= if uncertain { Operation::DECIDED | Operation::UNCERTAIN } else { Operation::DECIDED };
    }
    let reason = match Reason::from_code(reason) {
        Some(reason) => reason,
        None => Reason::BeyondInspection,
    };
    let deny = reason.verdict() as u8 == Verdict::Deny as u8;
    let acted = deny && scratch.path.mode == Mode::Enforce as u8;
    scratch.outcome = heavier(scratch.outcome, reason) as u8;
    environment.count(scratch, Some(index), finding.node, reason, acted);
}

/// Judges the range at hand.
#[inline(always)]
fn find<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) {
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
        look_up(policy, environment, path.conduit, record, judging, single);
        if stream.unproved != 0 && !resync::is_harmless(record.access) && !is_denial(judging.range.reason) {
            judging.range.reason = Reason::Unsynchronised as u8;
        }
    }
}

/// What the rules say about the range at hand: remembered, or searched for.
#[inline(always)]
fn look_up<E: Environment>(
    policy: &Image,
    environment: &mut E,
    conduit: u16,
    record: &Operation,
    judging: &mut Judging,
    single: bool,
) {
    let generation = policy.header.generation;
    let place = memo::place(record);
    let first = judging.first as u32;
    // Numbers: as branches, the questions would multiply the paths through the search.
    let alone = black_box(first & single as u32);
    if alone != 0
        && let Some(known) = environment.memo(place)
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
    if black_box(alone | first & general as u32 >> 1) != 0
        && let Some(entry) = environment.memo(place)
    {
        let rated = is_rated(policy, judging.range.rule) as u8;
        entry.set(generation, conduit, record, &judging.range, general | rated);
    }
}

const _: () = assert!(Finding::GENERAL >> 1 == 1 && Finding::RATED == true as u8);

/// Faults of a segment's place, not of its bytes.
#[inline(always)]
const fn is_about_place(fault: u8) -> bool {
    fault == Reason::SequenceGap as u8
        || fault == Reason::Overlap as u8
        || fault == Reason::Unsynchronised as u8
        || fault == Reason::BackPressure as u8
}

/// True when the rule that was found has a rate.
#[inline(always)]
fn is_rated(policy: &Image, rule: u16) -> bool {
    rule != NO_RULE && lookup::get(&policy.rules, rule as u32).is_some_and(|entry| entry.interval != 0)
}

#[inline(always)]
fn within_rate<E: Environment>(policy: &Image, environment: &mut E, rule: u16) -> bool {
    let Some(entry) = lookup::get(&policy.rules, rule as u32) else {
        return true;
    };
    if entry.interval == 0 {
        return true;
    }
    let now = environment.now();
    match environment.budget(policy.header.bank, rule) {
        Some(state) => rate::admit(state, now, entry.interval, entry.burst),
        None => false,
    }
}

/// Of two reasons the one that decides about the frame: deny before log before allow, the first of equals. `code` is 0
/// before the first.
#[inline(always)]
fn heavier(code: u8, other: Reason) -> Reason {
    if code == 0 {
        return other;
    }
    match Reason::from_code(code) {
        Some(one) if other.verdict() as u8 <= one.verdict() as u8 => one,
        _ => other,
    }
}
