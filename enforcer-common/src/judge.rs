//! Operation -> finding -> verdict -> action, counted and reported.
//!
//! The only stage that reads rules, once per frame, from one image. Counters come first, then the event.

use crate::action::{Action, OnDeny, action};
use crate::environment::Environment;
use crate::network::protocol;
use crate::operation::{NO_RULE, Operation, Role};
use crate::policy::rules::{Finding, Survivors};
use crate::policy::{Image, UNCOVERED, lookup};
use crate::port::Side;
use crate::scratch::{OPERATIONS, Scratch};
use crate::verdict::{Mode, Reason, Verdict};

/// Most operations that one frame can yield.
#[expect(clippy::cast_possible_truncation, reason = "64")]
const MOST: u32 = OPERATIONS as u32;

/// The worst finding over the object ranges of one unit.
struct Group {
    reason: Option<Reason>,
    index: u32,
    rule: u16,
    node: u32,
}

impl Group {
    const EMPTY: Self = Self { reason: None, index: 0, rule: NO_RULE, node: u32::MAX };

    /// A denial stays; among ranges that pass, the last one's rule covers them all.
    #[inline(always)]
    fn merge(&mut self, index: u32, finding: Finding) {
        let denied = match self.reason {
            Some(reason) => reason.verdict() as u8 == Verdict::Deny as u8,
            None => false,
        };
        if !denied {
            *self = Self { reason: Some(finding.reason), index, rule: finding.rule, node: finding.node };
        }
    }
}

/// Judges everything in `scratch`, counts and reports it, and leaves the frame's action and outcome there.
#[inline(always)]
pub fn judge<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Action {
    let mode = Mode::from_code(scratch.path.mode);
    let mut worst = Reason::from_code(scratch.outcome);
    let mut survivors = Survivors::START;
    let mut group = Group::EMPTY;
    let count = scratch.count;
    for index in 0..MOST {
        if index >= count {
            break;
        }
        let Some(record) = scratch.operation(index) else {
            break;
        };
        let continued = continues_after(scratch, index);
        group.merge(index, find(policy, scratch, record, continued, &mut survivors));
        if continued {
            continue;
        }
        let reason = conclude(policy, environment, scratch, &group);
        group = Group::EMPTY;
        worst = Some(match worst {
            Some(before) => heavier(before, reason),
            None => reason,
        });
    }
    let reason = match worst {
        Some(reason) => reason,
        None => nothing_found(scratch),
    };
    scratch.outcome = reason as u8;
    let decided = action(reason.verdict(), mode, on_deny(scratch));
    scratch.action = decided as u8;
    if count == 0 {
        whole_frame(environment, scratch, reason, mode);
    }
    decided
}

/// True when the record behind `index` is a further range of the same unit.
#[inline(always)]
fn continues_after(scratch: &Scratch, index: u32) -> bool {
    let next = index.wrapping_add(1);
    match scratch.operation(next) {
        Some(record) => next < scratch.count && record.has(Operation::CONTINUES),
        None => false,
    }
}

/// A stage handed the frame on without operation and without outcome: bytes of a unit that is not complete, or a conduit
/// without inspection.
#[inline(always)]
fn nothing_found(scratch: &Scratch) -> Reason {
    if scratch.stream.save_length != 0 || scratch.stream.commit != 0 { Reason::Partial } else { Reason::Conduit }
}

/// A reset needs a TCP conversation that is inspected; everything else is dropped.
#[inline(always)]
fn on_deny(scratch: &Scratch) -> OnDeny {
    if scratch.path.on_deny == OnDeny::Reset as u8
        && scratch.frame.transport_protocol == protocol::TCP
        && scratch.stream.commit != 0
    {
        OnDeny::Reset
    } else {
        OnDeny::Drop
    }
}

/// Counts and reports one unit and returns its reason.
#[inline(always)]
fn conclude<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch, group: &Group) -> Reason {
    let mut reason = match group.reason {
        Some(reason) => reason,
        None => Reason::BeyondInspection,
    };
    if reason.verdict() as u8 != Verdict::Deny as u8
        && group.rule != NO_RULE
        && !within_rate(policy, environment, group.rule)
    {
        reason = Reason::RateExceeded;
    }
    if let Some(record) = scratch.operation_mut(group.index) {
        record.reason = reason as u8;
        record.rule = group.rule;
    }
    let mode = scratch.path.mode;
    let deny = reason.verdict() as u8 == Verdict::Deny as u8;
    environment.count(scratch, Some(group.index), group.node, reason, deny && mode == Mode::Enforce as u8);
    if reason.verdict() as u8 != Verdict::Allow as u8 {
        environment.emit(scratch, Some(group.index));
    }
    if mode == Mode::Learn as u8 {
        environment.observe(scratch, Some(group.index));
    }
    reason
}

#[inline(always)]
fn find(policy: &Image, scratch: &Scratch, record: &Operation, continued: bool, survivors: &mut Survivors) -> Finding {
    let none = |reason| Finding { reason, rule: NO_RULE, node: u32::MAX };
    if scratch.path.conduit == UNCOVERED {
        return none(policy.uncovered());
    }
    let response = record.role != Role::Request as u8;
    if let Some(fault) = Reason::from_code(record.fault) {
        // A device's answer that breaks the standard is not stopped on its way out: it can do the device no harm.
        let harmless = response && scratch.frame.side == Side::Device as u8;
        return none(if harmless { Reason::Response } else { fault });
    }
    if response {
        return none(Reason::Response);
    }
    let continues = record.has(Operation::CONTINUES);
    if continues || continued {
        policy.judge_part(scratch.path.conduit, record, !continues, survivors)
    } else {
        policy.judge(scratch.path.conduit, record)
    }
}

#[inline(always)]
fn within_rate<E: Environment>(policy: &Image, environment: &mut E, rule: u16) -> bool {
    match lookup::get(&policy.rules, rule as u32) {
        Some(entry) if entry.interval != 0 => environment.take(rule, entry.interval, entry.burst),
        _ => true,
    }
}

/// Of two reasons the one that decides about the frame: deny before log before allow, the first of equals.
#[inline(always)]
fn heavier(one: Reason, other: Reason) -> Reason {
    if other.verdict() as u8 > one.verdict() as u8 { other } else { one }
}

/// Counts and reports a frame that holds no operation.
#[inline(always)]
fn whole_frame<E: Environment>(environment: &mut E, scratch: &Scratch, reason: Reason, mode: Mode) {
    let verdict = reason.verdict();
    let acted = verdict as u8 == Verdict::Deny as u8 && mode as u8 == Mode::Enforce as u8;
    environment.count(scratch, None, u32::MAX, reason, acted);
    if verdict as u8 != Verdict::Allow as u8 {
        environment.emit(scratch, None);
    }
    if mode as u8 == Mode::Learn as u8 && worth_learning(reason) {
        environment.observe(scratch, None);
    }
}

/// Frames without inspection inside that a policy would have to name.
#[inline(always)]
fn worth_learning(reason: Reason) -> bool {
    match reason {
        Reason::Conduit
        | Reason::EthernetAllow
        | Reason::EthernetLog
        | Reason::EthernetDeny
        | Reason::UncoveredAllow
        | Reason::UncoveredLog
        | Reason::UncoveredDeny => true,
        Reason::RuleAllow
        | Reason::RuleLog
        | Reason::RuleDeny
        | Reason::Response
        | Reason::NoPayload
        | Reason::Retransmission
        | Reason::Partial
        | Reason::Management
        | Reason::FunctionNotAllowed
        | Reason::UnitNotAllowed
        | Reason::ObjectNotAllowed
        | Reason::ValueNotAllowed
        | Reason::RateExceeded
        | Reason::Truncated
        | Reason::MalformedLink
        | Reason::VlanDepth
        | Reason::MalformedNetwork
        | Reason::NetworkOptions
        | Reason::ExtensionHeader
        | Reason::Fragment
        | Reason::MalformedTransport
        | Reason::MultiBuffer
        | Reason::BadChecksum
        | Reason::SpoofedDevice
        | Reason::SequenceGap
        | Reason::Overlap
        | Reason::Unsynchronised
        | Reason::FlowTableFull
        | Reason::MalformedFraming
        | Reason::LengthMismatch
        | Reason::OutOfRange
        | Reason::InvalidFunction
        | Reason::BeyondInspection
        | Reason::InvalidFlags
        | Reason::FragmentAllow
        | Reason::FlowKilled
        | Reason::UnknownTransport => false,
    }
}
