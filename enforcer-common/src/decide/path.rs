//! The way a frame takes through the policy, and frames that have no stream.

use super::Next;
use super::headers::note;
use crate::bytes::Bytes;
use crate::environment::{Environment, Limits};
use crate::flow::{FlowKey, NO_FLOW};
use crate::network;
use crate::operation::Role;
use crate::policy::grant;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::stream::{self};
use crate::verdict::{Mode, Reason, Verdict};
use crate::{admission, answer, conduit, icmp, neighbour, transport};

/// The conduit, from the policy. Leaves a datagram to its dissector, and a segment to its stream.
#[inline(always)]
pub fn locate<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    // What is wrong with a segment says nothing about whose conversation it is in.
    let refused = scratch.outcome != 0 && scratch.frame.transport_protocol == network::protocol::TCP;
    if !(refused && conduit::recall(policy, environment, scratch, Side::from_code(scratch.frame.side)))
        && let Err(reason) = conduit::resolve(policy, environment, scratch.anew())
    {
        scratch.outcome = reason as u8;
        return Next::Judge;
    }
    let scratch = scratch.anew();
    if scratch.path.conduit == UNCOVERED && environment.has_grants() {
        grant::look_up(environment, scratch);
    }
    let scratch = scratch.anew();
    if !admission::goes_on(scratch.outcome) {
        return Next::Judge;
    }
    let tcp = scratch.frame.transport_protocol == network::protocol::TCP;
    let inspected = scratch.path.protocol >= Protocol::FIRST_INSPECTED;
    if tcp && scratch.path.slot != NO_FLOW {
        if scratch.outcome != 0 && !inspected {
            return Next::Judge;
        }
        note(scratch);
        return Next::Stream;
    }
    let limits = environment.limits();
    if scratch.outcome == 0 && limits.checksums && scratch.frame.wrong_checksum != 0 {
        scratch.outcome = Reason::BadChecksum as u8;
        return Next::Judge;
    }
    if tcp || !inspected {
        let followed = tcp && inspected && conduit::worth_a_flow(policy, &scratch.path);
        // In enforce a frame that is refused begins no conversation.
        if scratch.outcome != 0 && (!followed || scratch.path.mode == Mode::Enforce as u8) {
            return Next::Judge;
        }
        if followed {
            note(scratch);
            return Next::Handshake;
        }
        if tcp && scratch.frame.side == Side::Network as u8 && scratch.path.conduit != UNCOVERED {
            scratch.outcome = opening(environment, scratch, &limits);
            if scratch.outcome != 0 {
                return Next::Judge;
            }
        }
        uninspected(policy, scratch);
        return if icmp::concerns(&scratch.frame) { Next::Icmp } else { Next::Judge };
    }
    note(scratch);
    let scratch = scratch.anew();
    if answer::is_let_be(&limits, scratch) {
        scratch.outcome = Reason::Response as u8;
        return Next::Judge;
    }
    scratch.stream.start = scratch.frame.payload;
    scratch.stream.end = scratch.frame.payload_end;
    Next::Protocol
}

/// Reason code that keeps a station from opening a connection in which nothing is inspected, or 0.
#[inline(always)]
fn opening<E: Environment>(environment: &mut E, scratch: &Scratch, limits: &Limits) -> u8 {
    if !stream::is_opening(&scratch.frame) {
        return 0;
    }
    match stream::admit(environment, limits, &FlowKey::of(&scratch.frame), scratch.now) {
        Ok(()) => 0,
        Err(reason) => reason as u8,
    }
}

/// A frame without IP: its type decides, and where that lets it pass, what is inside is read.
#[inline(always)]
pub(super) fn ethernet<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    policy: &Image,
    environment: &E,
    scratch: &mut Scratch,
) -> Result<Next, Reason> {
    let frame = &scratch.frame;
    if frame.side == Side::Network as u8 && policy.is_device_mac(frame.source_mac) {
        return Err(Reason::SpoofedDevice);
    }
    let (reason, conduit) = policy.ethernet(frame.ethertype);
    let Some(protocol) = Protocol::by_ethertype(frame.ethertype) else {
        return Err(reason);
    };
    // What lies in several buffers is not all there to be read.
    if reason.verdict() as u8 == Verdict::Deny as u8 || bytes.length() < frame.length {
        return Err(reason);
    }
    scratch.stream.start = frame.network;
    scratch.stream.end = frame.length;
    scratch.path.protocol = protocol as u8;
    scratch.path.role = Role::Message as u8;
    conduit::finish(policy, environment, scratch, conduit);
    scratch.path.uncovered = reason as u8;
    Ok(Next::Protocol)
}

/// A conduit without inspection inside, or traffic without conduit and without known protocol.
#[inline(always)]
pub(super) fn uninspected(policy: &Image, scratch: &mut Scratch) {
    scratch.outcome = if scratch.path.conduit != UNCOVERED {
        Reason::Conduit
    } else if transport::is_known(scratch.frame.transport_protocol) {
        policy.uncovered()
    } else {
        // Whatever the policy's default: nobody knows what is inside.
        Reason::UnknownTransport
    } as u8;
}

/// An ICMP message from the network: neighbour discovery is asked who speaks, whatever the conduit says; the others what
/// they are, where the conduit lets them through.
#[inline(always)]
pub fn icmp_message<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &mut E, scratch: &mut Scratch) -> Next {
    if neighbour::is_discovery(bytes, &scratch.frame) {
        return Next::Neighbour;
    }
    let denied = match Reason::from_code(scratch.outcome) {
        Some(reason) => reason.verdict() as u8 == Verdict::Deny as u8,
        None => false,
    };
    if !denied && let Err(reason) = icmp::check(bytes, environment, &scratch.frame, scratch.now) {
        scratch.outcome = reason as u8;
    }
    Next::Judge
}

/// ARP or neighbour discovery from the network.
#[inline(always)]
pub fn neighbours<B: Bytes + ?Sized>(bytes: &B, policy: &Image, scratch: &mut Scratch) -> Next {
    if let Err(reason) = neighbour::check(bytes, policy, scratch) {
        scratch.anew().outcome = reason as u8;
    }
    Next::Judge
}
