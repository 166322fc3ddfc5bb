//! What the candidate policy says about a frame that the active one has decided.
//!
//! Enters: a judged frame, after everything about it was reported and committed. Leaves: for each operation about which the
//! two differ a call of [`Environment::differ`]. Nothing here changes what becomes of the frame: the path in the record is
//! the candidate's from here on.

use crate::action::Action;
use crate::conduit;
use crate::environment::Environment;
use crate::flow::NO_FLOW;
use crate::judge::{self, Progress};
use crate::operation::{NO_RULE, Operation};
use crate::policy::{Image, UNCOVERED, lookup, memo, step};
use crate::port::Side;
use crate::scratch::{Finding, MOST, Scratch};
use crate::verdict::Reason;

/// How many remembered operations are compared in one step.
pub const STEP: u32 = 8;

/// Compares the whole frame. On the host; the kernel runs [`locate`] with [`remembered`], [`search`] and [`tell`]
/// as programs.
pub fn judge<E: Environment>(candidate: &Image, environment: &mut E, scratch: &mut Scratch) {
    if !locate(candidate, environment, scratch) {
        return;
    }
    while remembered(candidate, environment, scratch) == Progress::More {}
    while search(candidate, environment, scratch) {}
    environment.compared(scratch.judging.compared);
    if has_news(scratch) {
        tell(environment, scratch);
    }
}

/// True where a compared frame leaves something for [`tell`].
#[must_use]
#[inline(always)]
pub const fn has_news(scratch: &Scratch) -> bool {
    (scratch.judging.differs | scratch.judging.stepped) != 0
}

/// Puts the candidate's conduit into the path. False when there is no operation to compare: of a frame without one the
/// comparison is made here.
#[inline(always)]
pub fn locate<E: Environment>(candidate: &Image, environment: &mut E, scratch: &mut Scratch) -> bool {
    let generation = candidate.header.generation;
    let Some((conduit, protocol, uncovered)) = found(candidate, environment, scratch) else {
        return false;
    };
    let scratch = scratch.anew();
    if scratch.count == 0 {
        whole(environment, scratch, conduit, uncovered);
        return false;
    }
    if conduit != UNCOVERED && protocol != scratch.path.protocol {
        environment.not_compared();
        return false;
    }
    scratch.path.conduit = conduit;
    scratch.path.generation = generation;
    scratch.path.bank = candidate.header.bank;
    scratch.path.uncovered = uncovered;
    scratch.judging.next = 0;
    scratch.judging.calls = 0;
    scratch.judging.was = 0;
    scratch.judging.compared = 0;
    scratch.judging.differs = 0;
    scratch.judging.unit.reason = 0;
    scratch.judging.stepped = 0;
    true
}

/// Conduit, protocol, and the reason where no conduit covers the frame.
#[inline(always)]
fn found<E: Environment>(candidate: &Image, environment: &mut E, scratch: &mut Scratch) -> Option<(u16, u8, u8)> {
    if scratch.frame.version == 0 {
        let (reason, conduit) = candidate.ethernet(scratch.frame.ethertype);
        return Some((conduit, scratch.path.protocol, reason as u8));
    }
    let uncovered = candidate.header.uncovered;
    let side = Side::from_code(scratch.frame.side);
    let generation = candidate.header.generation << 16;
    if scratch.path.slot != NO_FLOW
        && let Some(flow) = environment.flow(scratch.path.slot)
    {
        let known = flow.directions(side).0.candidate;
        if known & 0xffff_0000 == generation {
            let [low, high, _, _] = known.to_le_bytes();
            let conduit = u16::from_le_bytes([low, high]);
            let entry = lookup::get(&candidate.conduits, conduit as u32)?;
            // What no conduit covers is read as its port says, by both.
            let protocol = if conduit == UNCOVERED { scratch.path.protocol } else { entry.protocol };
            return Some((conduit, protocol, uncovered));
        }
    }
    let resolved = conduit::look_up(candidate, scratch.anew()).ok()?;
    let scratch = scratch.anew();
    if scratch.path.slot != NO_FLOW
        && let Some(flow) = environment.flow(scratch.path.slot)
    {
        flow.directions(side).0.candidate = generation | resolved.conduit as u32;
    }
    Some((resolved.conduit, resolved.protocol, uncovered))
}

/// Compares a frame without operation, where a policy has a say in it.
#[inline(always)]
fn whole<E: Environment>(environment: &mut E, scratch: &Scratch, conduit: u16, uncovered: u8) {
    if !Reason::from_code(scratch.outcome).is_some_and(Reason::is_of_policy) {
        return;
    }
    let reason = if conduit != UNCOVERED { Reason::Conduit as u8 } else { uncovered };
    environment.compared(1);
    if judge::differs(scratch.outcome, reason) {
        environment.differ(scratch, None, reason);
    }
}

/// Compares operations while nothing must be searched for.
#[inline(always)]
pub fn remembered<E: Environment>(candidate: &Image, environment: &mut E, scratch: &mut Scratch) -> Progress {
    for _ in 0..STEP {
        let scratch = scratch.anew();
        let index = scratch.judging.next;
        if index >= scratch.count {
            return Progress::Done;
        }
        let Some(finding) = recall(environment, scratch, index) else {
            return Progress::Search;
        };
        scratch.judging.range = finding;
        let scratch = scratch.anew();
        let Finding { rule, bits, reason, .. } = scratch.judging.range;
        let rated = bits & Finding::RATED != 0 && !judge::is_denial(reason);
        if rated
            && let Some(entry) = lookup::get(&candidate.rules, rule as u32)
            && entry.max_step != 0
        {
            return Progress::Search;
        }
        if rated && !judge::within_rate(candidate, environment, scratch.now, rule) {
            scratch.judging.range.reason = Reason::RateExceeded as u8;
        }
        let scratch = scratch.anew();
        let reason = scratch.judging.range.reason;
        scratch.judging.next = index.wrapping_add(1);
        if let Some(record) = scratch.operation(index) {
            scratch.judging.was = record.reason;
            let [low, _, _, _] = index.to_le_bytes();
            scratch.judging.held = low;
        }
        judge::hold_against(scratch, index, reason);
    }
    let scratch = scratch.anew();
    if scratch.judging.next < scratch.count { Progress::More } else { Progress::Done }
}

/// Compares operations that must be searched for in the candidate, a few of them. True when there are more.
#[inline(always)]
pub fn search<E: Environment>(candidate: &Image, environment: &mut E, scratch: &mut Scratch) -> bool {
    judge::search::<true, E>(candidate, environment, scratch)
}

/// What the candidate says about an operation of one range, where that is known without a search in its rules.
#[inline(always)]
fn recall<E: Environment>(environment: &mut E, scratch: &Scratch, index: u32) -> Option<Finding> {
    let record = scratch.operation(index)?;
    let conduit = scratch.path.conduit;
    let single = !record.has(Operation::CONTINUES) && !judge::continues(scratch, index.wrapping_add(1));
    if record.fault != 0 || conduit == UNCOVERED || !single {
        return None;
    }
    if !record.is_asked() {
        return Some(Finding { node: u32::MAX, rule: NO_RULE, reason: Reason::Response as u8, bits: 0 });
    }
    if scratch.stream.unproved != 0 {
        return None;
    }
    let known = environment.memo(memo::place(record) | memo::CANDIDATE)?;
    let usable = known.is_found(record, false) && known.is_about(scratch.path.generation, conduit, record);
    if usable { Some(known.finding) } else { None }
}

/// Writes down what was found to differ in the frame's operations, and the value that the candidate's next step is measured
/// from.
#[inline(always)]
pub fn tell<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if scratch.action == Action::Forward as u8 {
        step::remember::<true, E>(environment, scratch);
    }
    for index in 0..MOST {
        if index >= scratch.count {
            break;
        }
        let Some(record) = scratch.operation(index) else {
            break;
        };
        if record.candidate != 0 {
            environment.differ(scratch, Some(index), record.candidate);
        }
    }
}
