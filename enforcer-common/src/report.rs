//! What leaves the box about a frame: events for what is not simply allowed, observations for learning.
//!
//! Runs after the judge, and only for frames that have something to report; in the kernel it is a program of its own.

use crate::environment::Environment;
use crate::operation::Operation;
use crate::scratch::{MOST, Scratch};
use crate::verdict::{Mode, Reason, Verdict};

/// Reports what the judge left in `scratch`.
#[inline(always)]
pub fn report<E: Environment>(environment: &mut E, scratch: &Scratch) {
    let learn = scratch.path.mode == Mode::Learn as u8;
    if scratch.count == 0 {
        whole_frame(environment, scratch, learn);
        return;
    }
    for index in 0..MOST {
        if index >= scratch.count {
            break;
        }
        if let Some(record) = scratch.operation(index)
            && record.has(Operation::DECIDED)
            && worth_an_event(record.reason)
        {
            environment.emit(scratch, Some(index));
        }
    }
    for index in 0..MOST {
        if !learn || index >= scratch.count {
            break;
        }
        environment.observe(scratch, Some(index));
    }
}

#[inline(always)]
fn whole_frame<E: Environment>(environment: &mut E, scratch: &Scratch, learn: bool) {
    if worth_an_event(scratch.outcome) {
        environment.emit(scratch, None);
    }
    if learn && Reason::from_code(scratch.outcome).is_some_and(worth_learning) {
        environment.observe(scratch, None);
    }
}

#[inline(always)]
fn worth_an_event(reason: u8) -> bool {
    match Reason::from_code(reason) {
        Some(reason) => reason.verdict() as u8 != Verdict::Allow as u8,
        None => true,
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
        | Reason::UncoveredDeny
        | Reason::UnknownTransport => true,
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
        | Reason::InvalidAddress
        | Reason::FrameTooLarge
        | Reason::TcpOption
        | Reason::InvalidAcknowledgement
        | Reason::DuplicateDiffers
        | Reason::DuplicateUnverified
        | Reason::SplitUnit
        | Reason::BackPressure
        | Reason::InexactReset
        | Reason::DataAfterClose
        | Reason::UnexpectedHandshake
        | Reason::ConnectionRate
        | Reason::HeldAfterResets
        | Reason::VlanMismatch
        | Reason::IcmpType
        | Reason::IcmpRate
        | Reason::UrgentData
        | Reason::StalledUnit
        | Reason::ProtocolChanged => false,
    }
}
