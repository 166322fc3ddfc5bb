//! Operation -> finding -> verdict -> action, counted.
//!
//! The only stage that reads rules, once per frame, from one image. Counters come first; [`crate::report`] follows.

mod conclude;
mod find;

pub(crate) use conclude::{differs, hold_against, within_rate};
pub(crate) use find::is_rated;

use crate::action::{Action, OnDeny, action};
use crate::admission;
use crate::environment::Environment;
use crate::network::protocol;
use crate::operation::{NO_RULE, Operation, Role};
use crate::policy::memo::{self, Memo};
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::scratch::{Commit, Finding, Scratch};
use crate::transport::flag;
use crate::verdict::{Mode, Reason, Verdict, verdict_of};

/// How many records are judged in one step.
const STEP: u32 = 4;

/// The same for the candidate policy.
const STEP_CANDIDATE: u32 = 1;

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
    scratch.judging.stepped = 0;
    scratch.judging.units = 0;
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
        let Some((finding, repeats)) = recall(environment, scratch, index, further, more) else {
            if further {
                // From the unit's first range on, of which nothing is settled yet.
                scratch.judging.next = scratch.judging.index;
            }
            return Progress::Search;
        };
        scratch.judging.next = next;
        if !more {
            // No denial is remembered.
            conclude::settle(environment, scratch, index, &finding, finding.reason, Verdict::Allow as u8, repeats);
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
/// its first range, and of a `further` one the same where it hangs on no range. `more`: another range follows. Beside it,
/// how many sightings are to be written down now, of the unit's last range.
#[inline(always)]
fn recall<E: Environment>(
    environment: &mut E,
    scratch: &Scratch,
    index: u32,
    further: bool,
    more: bool,
) -> Option<(Finding, u32)> {
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
        if other != 0 {
            return None;
        }
        let seldom = record.is_asked() && scratch.path.mode == Mode::Enforce as u8;
        let known = if seldom { environment.memo(memo::place(record)) } else { None };
        return Some((scratch.judging.range, sightings(scratch, record, known)));
    }
    if !record.is_asked() {
        let finding = Finding { node: u32::MAX, rule: NO_RULE, reason: Reason::Response as u8, bits: 0 };
        return Some((finding, sightings(scratch, record, None)));
    }
    if scratch.stream.unproved != 0 {
        return None;
    }
    let known = environment.memo(memo::place(record))?;
    // A denial is searched for again: a grant may allow what the policy does not.
    if known.holds(record, more)
        && known.is_about(scratch.path.generation, conduit, record)
        && !is_denial(known.finding.reason)
    {
        let finding = known.finding;
        Some((finding, if more { 0 } else { sightings(scratch, record, Some(known)) }))
    } else {
        None
    }
}

/// How many sightings of an operation are to be written down now, of which `known` is remembered. In enforce, where nothing
/// but the ordinary is left, once a minute is enough.
#[inline(always)]
fn sightings(scratch: &Scratch, record: &Operation, known: Option<&mut Memo>) -> u32 {
    if scratch.path.mode != Mode::Enforce as u8 {
        return (record.role != Role::Response as u8) as u32;
    }
    if !record.is_asked() {
        return 0;
    }
    match known {
        // Which values are written is evidence, one by one.
        Some(known) if known.is_valued() => 1,
        Some(known) => known.sighted(scratch.path.slot, memo::minute(scratch.now), scratch.wanted.pending),
        None => 1,
    }
}

/// Judges and counts the next operations. True when there are more: the caller comes again. In steps, because the kernel
/// verifies a program's whole loop.
#[must_use]
#[inline(always)]
pub fn units<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> bool {
    search::<false, E>(policy, environment, scratch)
}

/// The same, for the active policy or the `CANDIDATE`.
#[must_use]
#[inline(always)]
pub(crate) fn search<const CANDIDATE: bool, E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> bool {
    let steps = if CANDIDATE { STEP_CANDIDATE } else { STEP };
    for _ in 0..steps {
        let scratch = scratch.anew();
        let index = scratch.judging.next;
        if index >= scratch.count {
            return false;
        }
        scratch.judging.next = index.wrapping_add(1);
        scratch.judging.first = !continues(scratch, index) as u8;
        scratch.judging.continued = continues(scratch, index.wrapping_add(1)) as u8;
        find::find::<CANDIDATE, E>(policy, environment, scratch.anew());
        let scratch = scratch.anew();
        find::merge(scratch);
        if scratch.judging.continued == 0 {
            conclude::conclude::<CANDIDATE, E>(policy, environment, scratch.anew());
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
    let code = if scratch.outcome != 0 { scratch.outcome } else { nothing_found(scratch) as u8 };
    scratch.outcome = code;
    let verdict = verdict_of(code);
    let denied = verdict == Verdict::Deny as u8;
    // What a denial asks for is not worth a look where there is none.
    let decided = if denied { action(Verdict::Deny, mode, on_deny(scratch, code)) } else { Action::Forward };
    scratch.action = decided as u8;
    if scratch.count == 0 {
        let reason = Reason::from_code(code).unwrap_or(Reason::BeyondInspection);
        let acted = denied && mode as u8 == Mode::Enforce as u8;
        environment.count(scratch, None, u32::MAX, reason, acted);
        let learnable = reason.is_of_policy();
        scratch.asked |= learnable as u8;
        scratch.report |= (learnable && mode as u8 != Mode::Enforce as u8) as u8;
    }
    scratch.report |= (verdict != Verdict::Allow as u8) as u8;
    decided
}

/// True when the record at `index` is a further range of the unit before it.
#[inline(always)]
pub(crate) fn continues(scratch: &Scratch, index: u32) -> bool {
    match scratch.operation(index) {
        Some(record) => index < scratch.count && record.has(Operation::CONTINUES),
        None => false,
    }
}

/// False for 0, which stands for no finding yet.
#[inline(always)]
pub(crate) fn is_denial(code: u8) -> bool {
    code != 0 && verdict_of(code) == Verdict::Deny as u8
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
fn on_deny(scratch: &Scratch, reason: u8) -> OnDeny {
    let stream = &scratch.stream;
    let final_ = stream.commit != Commit::Nothing as u8
        || stream.strike != 0
        || reason == Reason::Unsynchronised as u8
        || reason == Reason::FlowKilled as u8
        || (reason == Reason::FlowTableFull as u8 && scratch.frame.side == Side::Network as u8);
    let tcp = scratch.frame.transport_protocol == protocol::TCP;
    if scratch.path.on_deny == OnDeny::Reset as u8
        && tcp
        && final_
        && scratch.frame.tcp_flags & flag::RST == 0
        && !admission::names_inside(reason)
    {
        OnDeny::Reset
    } else {
        OnDeny::Drop
    }
}
