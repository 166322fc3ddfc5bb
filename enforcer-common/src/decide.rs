//! Composes the stages. The kernel runs [`walk`], [`follow`], a protocol's dissector and [`conclude`] as programs that
//! tail-call each other; the host runs [`decide`], which is the same functions in the same order.

use crate::action::Action;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::flow::NO_FLOW;
use crate::judge;
use crate::link::{self, ethertype};
use crate::network;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::{Protocol, modbus};
use crate::scratch::{Path, Scratch, Stream};
use crate::transport;
use crate::verdict::Reason;
use crate::{conduit, stream};

/// The stage that comes next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Conduit and stream of a TCP segment.
    Stream,
    /// The dissector of the path's protocol.
    Protocol,
    /// Judge and act.
    Judge,
}

/// Judges one frame: `bytes` came in by the port of `side`. All findings are in `scratch` afterwards.
pub fn decide<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Action {
    let mut next = walk(bytes, bytes.length(), side, policy, environment, scratch);
    if next == Next::Stream {
        next = follow(policy, environment, scratch);
    }
    if next == Next::Protocol {
        if scratch.stream.assembled == 0 {
            dissect(bytes, scratch);
        } else {
            let payload = scratch.stream.start;
            match environment.assemble(scratch) {
                Some(assembled) => {
                    scratch.stream.start = 0;
                    scratch.stream.end = assembled.length();
                    dissect(assembled, scratch);
                }
                None => {
                    scratch.stream.start = payload;
                    scratch.outcome = Reason::BeyondInspection as u8;
                }
            }
        }
    }
    conclude(policy, environment, scratch)
}

/// Link, network and transport; for what is not TCP the conduit, too. `length` is the whole frame's, of which `bytes` may
/// hold only the first part.
#[inline(always)]
pub fn walk<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Next {
    scratch.count = 0;
    scratch.outcome = 0;
    scratch.action = 0;
    scratch.stream = Stream::default();
    scratch.path = Path { slot: NO_FLOW, ..Path::default() };
    scratch.frame = crate::scratch::Frame { side: side as u8, length, ..crate::scratch::Frame::default() };
    match headers(bytes, length, policy, environment, scratch) {
        Ok(next) => next,
        Err(reason) => {
            scratch.outcome = reason as u8;
            if scratch.path.generation != policy.header.generation {
                if scratch.path.protocol == 0 {
                    scratch.path.protocol =
                        if scratch.frame.version == 0 { Protocol::Ethernet as u8 } else { Protocol::Ip as u8 };
                }
                conduit::finish(policy, environment, &mut scratch.path, UNCOVERED);
            }
            Next::Judge
        }
    }
}

#[inline(always)]
fn headers<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Result<Next, Reason> {
    let frame = &mut scratch.frame;
    link::parse(bytes, frame)?;
    // Frames for the bridge's own address end in the box, whatever the port.
    if environment.is_management(frame.destination_mac) {
        return Err(Reason::Management);
    }
    if frame.ethertype != ethertype::IPV4 && frame.ethertype != ethertype::IPV6 {
        scratch.path.protocol = Protocol::Ethernet as u8;
        return Err(ethernet(policy, frame.side, frame.source_mac, frame.ethertype));
    }
    match network::parse(bytes, frame) {
        Err(Reason::Fragment) => {
            return Err(Reason::from_code(policy.header.fragments).unwrap_or(Reason::Fragment));
        }
        other => other?,
    }
    transport::parse(bytes, frame)?;
    if bytes.length() < frame.payload_end && bytes.length() < length {
        return Err(Reason::MultiBuffer);
    }
    if frame.transport_protocol == network::protocol::TCP {
        return Ok(Next::Stream);
    }
    conduit::resolve(policy, environment, scratch)?;
    Ok(datagram(policy, scratch))
}

#[inline(always)]
fn ethernet(policy: &Image, side: u8, source: [u8; 6], ethertype: u16) -> Reason {
    if side == Side::Network as u8 && policy.is_device_mac(source) {
        return Reason::SpoofedDevice;
    }
    policy.ethernet(ethertype)
}

/// What to do with a datagram whose conduit is known.
#[inline(always)]
fn datagram(policy: &Image, scratch: &mut Scratch) -> Next {
    if scratch.path.protocol < Protocol::FIRST_INSPECTED {
        uninspected(policy, scratch);
        return Next::Judge;
    }
    scratch.stream.start = scratch.frame.payload;
    scratch.stream.end = scratch.frame.payload_end;
    Next::Protocol
}

/// A conduit without inspection inside, or traffic without conduit and without known protocol.
#[inline(always)]
fn uninspected(policy: &Image, scratch: &mut Scratch) {
    scratch.outcome = if scratch.path.conduit == UNCOVERED { policy.uncovered() as u8 } else { Reason::Conduit as u8 };
}

/// Conduit and stream of a TCP segment.
#[inline(always)]
pub fn follow<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    if let Err(reason) = conduit::resolve(policy, environment, scratch) {
        scratch.outcome = reason as u8;
        return Next::Judge;
    }
    if scratch.path.slot == NO_FLOW {
        uninspected(policy, scratch);
        return Next::Judge;
    }
    match stream::follow(policy, environment, scratch) {
        Ok(()) => Next::Protocol,
        Err(reason) => {
            // Control segments of traffic that no conduit covers are not covered either.
            let uncovered =
                scratch.path.conduit == UNCOVERED && reason.verdict() as u8 == crate::verdict::Verdict::Allow as u8;
            scratch.outcome = if uncovered { policy.uncovered() as u8 } else { reason as u8 };
            Next::Judge
        }
    }
}

/// Runs the dissector of the path's protocol over the bytes that `scratch.stream` marks.
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    match Protocol::from_code(scratch.path.protocol) {
        Some(Protocol::Modbus) => modbus::dissect(bytes, scratch),
        Some(Protocol::Ethernet | Protocol::Ip | Protocol::Tcp | Protocol::Udp | Protocol::Icmp) | None => {
            scratch.outcome = Reason::BeyondInspection as u8;
        }
    }
}

/// Judges, counts, reports; and advances the stream when the frame goes on.
#[inline(always)]
pub fn conclude<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Action {
    let action = judge::judge(policy, environment, scratch);
    if action == Action::Forward {
        stream::commit(environment, scratch);
    }
    action
}
