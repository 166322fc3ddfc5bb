//! From the finding about a unit to its verdict: what a rule asks beside its ranges, grants, counters.

use super::is_denial;
use crate::environment::Environment;
use crate::operation::{NO_RULE, Operation, Role};
use crate::policy::{Image, grant, lookup, rate, step};
use crate::scratch::{Finding, Scratch, UNITS};
use crate::verdict::{Mode, Reason, Verdict, verdict_of};

/// Concludes one unit, if the rate of its rule lets it pass.
#[inline(always)]
pub(super) fn conclude<const CANDIDATE: bool, E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) {
    let finding = scratch.judging.unit;
    let index = scratch.judging.index;
    scratch.judging.unit.reason = 0;
    let mut reason = finding.reason;
    if !is_denial(reason) && finding.rule != NO_RULE && !within_rate(policy, environment, scratch.now, finding.rule) {
        reason = Reason::RateExceeded as u8;
    }
    // Written down and read back: the paths through the rate join.
    scratch.judging.unit.reason = reason;
    let scratch = scratch.anew();
    let reason = scratch.judging.unit.reason;
    scratch.judging.unit.reason = 0;
    let reason = stepped::<CANDIDATE, E>(policy, environment, scratch, index, &finding, reason);
    scratch.judging.unit.reason = reason;
    let scratch = scratch.anew();
    let mut reason = scratch.judging.unit.reason;
    scratch.judging.unit.reason = 0;
    if CANDIDATE {
        hold_against(scratch, index, reason);
        return;
    }
    if environment.has_grants() && grant::allows(environment, scratch, index, reason) {
        reason = Reason::Grant as u8;
    }
    let written = scratch.operation(index).is_some_and(|record| record.role != Role::Response as u8);
    settle(environment, scratch, index, &finding, reason, verdict_of(reason), written as u32);
}

/// The reason, if the rule lets the value pass as well. One value of a frame is held against the last one: the second would
/// be measured from where the first has not yet gone.
#[inline(always)]
fn stepped<const CANDIDATE: bool, E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    index: u32,
    finding: &Finding,
    reason: u8,
) -> u8 {
    if is_denial(reason) || finding.rule == NO_RULE {
        return reason;
    }
    let max_step = match lookup::get(&policy.rules, finding.rule as u32) {
        Some(rule) if rule.max_step != 0 => rule.max_step.wrapping_sub(1),
        Some(_) | None => return reason,
    };
    let first = scratch.judging.stepped == 0;
    let single = scratch.judging.first != 0;
    if first {
        let [low, _, _, _] = index.wrapping_add(1).to_le_bytes();
        scratch.judging.stepped = low;
        scratch.report |= !CANDIDATE as u8;
    }
    if first && single && step::within::<CANDIDATE, E>(environment, scratch, index, max_step) {
        reason
    } else {
        Reason::StepTooLarge as u8
    }
}

/// Notes in the record what was found about its unit, counts it, and lets it weigh on the frame's outcome. `verdict` is the
/// reason's, or `Allow` for what is known not to be denied.
#[inline(always)]
pub(super) fn settle<E: Environment>(
    environment: &mut E,
    scratch: &mut Scratch,
    index: u32,
    finding: &Finding,
    reason: u8,
    verdict: u8,
    repeats: u32,
) {
    let uncertain = scratch.stream.uncertain != 0;
    let Scratch { judging, .. } = scratch;
    if let Some(kept) = judging.found.get_mut(judging.units as usize & (UNITS - 1)) {
        kept.node = finding.node;
        kept.rule = finding.rule;
        kept.reason = reason;
    }
    judging.units = judging.units.wrapping_add(1);
    if let Some(record) = scratch.operation_mut(index) {
        record.reason = reason;
        record.rule = finding.rule;
        record.repeats = repeats;
        record.flags |= if uncertain { Operation::DECIDED | Operation::UNCERTAIN } else { Operation::DECIDED };
    }
    let reason = match Reason::from_code(reason) {
        Some(reason) => reason,
        None => Reason::BeyondInspection,
    };
    let acted = verdict == Verdict::Deny as u8 && scratch.path.mode == Mode::Enforce as u8;
    scratch.outcome = heavier(scratch.outcome, reason as u8);
    scratch.report |= (repeats != 0) as u8;
    scratch.asked |= (reason as u8 != Reason::Response as u8) as u8;
    environment.count(scratch, Some(index), finding.node, reason, acted);
}

/// Takes one operation out of the budget of a rule that has a rate. False when it is used up.
#[inline(always)]
pub(crate) fn within_rate<E: Environment>(policy: &Image, environment: &mut E, now: u64, rule: u16) -> bool {
    let Some(entry) = lookup::get(&policy.rules, rule as u32) else {
        return true;
    };
    if entry.interval == 0 {
        return true;
    }
    match environment.budget(policy.header.bank, rule) {
        Some(state) => rate::admit(state, now, entry.interval, entry.burst),
        None => false,
    }
}

/// Of two reasons the one that decides about the frame: deny before log before allow, the first of equals. `code` is 0
/// before the first.
#[inline(always)]
fn heavier(code: u8, other: u8) -> u8 {
    if code == 0 || verdict_of(other) > verdict_of(code) { other } else { code }
}

/// Compares a unit, whose finding under the active policy is in `judging.was`, with what the candidate says, and leaves in a
/// record where they differ. Written down by [`crate::candidate::tell`]. Of several ranges it is the one that is denied: by
/// the candidate the one at `index`, else the one that the active policy decided by.
#[inline(always)]
pub(crate) fn hold_against(scratch: &mut Scratch, index: u32, reason: u8) {
    let was = scratch.judging.was;
    scratch.judging.was = 0;
    // A grant is none of the policy's.
    if was == 0 || was == Reason::Grant as u8 || was == Reason::Response as u8 {
        return;
    }
    let scratch = scratch.anew();
    scratch.judging.compared = scratch.judging.compared.wrapping_add(1);
    if !differs(was, reason) {
        return;
    }
    scratch.judging.differs = 1;
    let index = if is_denial(reason) { index } else { scratch.judging.held as u32 };
    if let Some(record) = scratch.operation_mut(index) {
        record.candidate = reason;
        record.reason = was;
        record.flags |= Operation::DECIDED;
    }
}

/// True when two reason codes are different verdicts.
#[inline(always)]
pub(crate) fn differs(was: u8, reason: u8) -> bool {
    verdict_of(was) != verdict_of(reason)
}
