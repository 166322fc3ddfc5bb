//! Composes the stages. The kernel runs [`walk`], [`follow`], a protocol's dissector and [`conclude`] as programs that
//! tail-call each other; the host runs [`decide`], which is the same functions in the same order.

use crate::action::Action;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::flow::{BEHIND_CARRY, NO_FLOW};
use crate::judge;
use crate::link::{self, ethertype};
use crate::network;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::{Protocol, modbus};
use crate::report::report;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::transport;
use crate::verdict::{Reason, Verdict};
use crate::{admission, conduit, icmp, neighbour, options, stream};

/// The stage that comes next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The options of a TCP segment.
    Options,
    /// The conduit, from the policy.
    Conduit,
    /// The conduit of a TCP segment from its flow, and its stream.
    Stream,
    /// What an ICMP message from the network is.
    Icmp,
    /// Who speaks in ARP or neighbour discovery from the network.
    Neighbour,
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
    decide_part(bytes, bytes.length(), side, policy, environment, scratch)
}

/// Judges a frame of `length` bytes, of which `bytes` holds only the first part: a driver that lays long frames into several
/// buffers shows the programs the first one.
pub fn decide_part<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Action {
    let mut next = walk(bytes, length, side, policy, environment, scratch);
    if next == Next::Options {
        next = tcp_options(bytes, scratch);
    }
    if next == Next::Stream {
        next = follow(policy, environment, scratch);
    }
    if next == Next::Conduit {
        next = locate(policy, environment, scratch);
        if next == Next::Stream {
            next = follow(policy, environment, scratch);
        }
    }
    if next == Next::Icmp {
        next = icmp_message(bytes, environment, scratch);
    }
    if next == Next::Neighbour {
        next = neighbours(bytes, policy, scratch);
    }
    if next == Next::Protocol {
        if scratch.stream.assembled == 0 {
            dissect(bytes, scratch);
        } else {
            dissect_assembled(environment, scratch);
        }
    }
    while judge::units(policy, environment, scratch) {}
    let action = conclude(environment, scratch);
    if scratch.report != 0 {
        report(environment, scratch);
    }
    action
}

/// Link, network and transport. `length` is the whole frame's, of which `bytes` may hold only the first part.
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
    scratch.report = 0;
    scratch.stream = Stream::default();
    judge::begin(scratch);
    scratch.path = Path::EMPTY;
    scratch.frame = Frame::EMPTY;
    scratch.frame.side = side as u8;
    scratch.frame.length = length;
    match headers(bytes, length, policy, environment, scratch) {
        Ok(next) => next,
        Err(reason) => {
            let scratch = scratch.anew();
            scratch.outcome = reason as u8;
            scratch.path.protocol =
                if scratch.frame.version == 0 { Protocol::Ethernet as u8 } else { Protocol::Ip as u8 };
            conduit::finish(policy, environment, &mut scratch.path, UNCOVERED);
            let named = reason as u8 == Reason::Management as u8 || reason as u8 == Reason::SpoofedDevice as u8;
            if neighbour::is_arp(&scratch.frame) && !named { Next::Neighbour } else { Next::Judge }
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
    link::parse(bytes, &mut scratch.frame)?;
    let frame = &mut scratch.anew().frame;
    // Frames for the bridge's own address end in the box, whatever the port.
    if environment.is_management(frame.destination_mac) {
        return Err(Reason::Management);
    }
    if frame.ethertype != ethertype::IPV4 && frame.ethertype != ethertype::IPV6 {
        return Err(ethernet(policy, frame.side, frame.source_mac, frame.ethertype));
    }
    match network::parse(bytes, frame, || policy.header.ip_options != 0) {
        Err(Reason::Fragment) if admission::too_large(frame) => return Err(Reason::FrameTooLarge),
        Err(Reason::Fragment) => {
            return Err(Reason::from_code(policy.header.fragments).unwrap_or(Reason::Fragment));
        }
        other => other?,
    }
    let frame = &mut scratch.anew().frame;
    transport::parse(bytes, frame)?;
    if bytes.length() < frame.payload_end && bytes.length() < length {
        return Err(Reason::MultiBuffer);
    }
    if let Err(reason) = admission::check(bytes, frame) {
        return Ok(refused(scratch, reason));
    }
    if frame.transport_protocol != network::protocol::TCP {
        return Ok(Next::Conduit);
    }
    if options::worth_a_walk(bytes, frame) { Ok(Next::Options) } else { Ok(Next::Stream) }
}

/// The options of a TCP segment from the network.
#[inline(always)]
pub fn tcp_options<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Next {
    match options::check(bytes, scratch) {
        Ok(()) => Next::Stream,
        Err(reason) => refused(scratch, reason),
    }
}

/// Something is wrong with a frame whose headers could be read: it still belongs to a conduit, whose mode holds.
#[inline(always)]
fn refused(scratch: &mut Scratch, reason: Reason) -> Next {
    scratch.outcome = reason as u8;
    Next::Conduit
}

/// What was found wrong with the frame becomes a record in front of its operations.
#[inline(always)]
fn note(scratch: &mut Scratch) {
    if let Some(reason) = Reason::from_code(scratch.outcome) {
        scratch.fault(reason);
        scratch.outcome = 0;
    }
}

/// The conduit, from the policy. Leaves a datagram to its dissector, and a segment to its stream.
#[inline(always)]
pub fn locate<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    // What is wrong with a segment says nothing about whose conversation it is in.
    let refused = scratch.outcome != 0 && scratch.frame.transport_protocol == network::protocol::TCP;
    if !(refused && conduit::recall(policy, environment, scratch))
        && let Err(reason) = conduit::resolve(policy, environment, scratch.anew())
    {
        scratch.outcome = reason as u8;
        return Next::Judge;
    }
    let scratch = scratch.anew();
    if !admission::goes_on(scratch.outcome) {
        return Next::Judge;
    }
    if scratch.path.slot != NO_FLOW {
        if scratch.outcome != 0 && scratch.path.protocol < Protocol::FIRST_INSPECTED {
            return Next::Judge;
        }
        note(scratch);
        return Next::Stream;
    }
    if scratch.frame.transport_protocol == network::protocol::TCP || scratch.path.protocol < Protocol::FIRST_INSPECTED {
        if scratch.outcome != 0 {
            return Next::Judge;
        }
        uninspected(policy, scratch);
        return if icmp::concerns(&scratch.frame) { Next::Icmp } else { Next::Judge };
    }
    note(scratch);
    let scratch = scratch.anew();
    scratch.stream.start = scratch.frame.payload;
    scratch.stream.end = scratch.frame.payload_end;
    Next::Protocol
}

#[inline(always)]
fn ethernet(policy: &Image, side: u8, source: [u8; 6], ethertype: u16) -> Reason {
    if side == Side::Network as u8 && policy.is_device_mac(source) {
        return Reason::SpoofedDevice;
    }
    policy.ethernet(ethertype)
}

/// A conduit without inspection inside, or traffic without conduit and without known protocol.
#[inline(always)]
fn uninspected(policy: &Image, scratch: &mut Scratch) {
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
    if !denied && let Err(reason) = icmp::check(bytes, environment, &scratch.frame) {
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

/// The stream of a TCP segment whose flow is known.
#[inline(always)]
pub fn follow<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    if !conduit::recall(policy, environment, scratch) {
        return Next::Conduit;
    }
    if scratch.path.protocol < Protocol::FIRST_INSPECTED {
        // A policy since the flow was made took the inspection away.
        stream::lose(environment, scratch);
        uninspected(policy, scratch);
        return Next::Judge;
    }
    match stream::follow(policy, environment, scratch) {
        Ok(()) => Next::Protocol,
        Err(reason) => {
            // Control segments of traffic that no conduit covers are not covered either.
            let uncovered = scratch.path.conduit == UNCOVERED && reason.verdict() as u8 == Verdict::Allow as u8;
            if scratch.count != 0 {
                // What was noted decides.
                return Next::Judge;
            }
            scratch.outcome = if uncovered { policy.uncovered() as u8 } else { reason as u8 };
            Next::Judge
        }
    }
}

/// Runs the dissector of the path's protocol over the bytes that `scratch.stream` marks.
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    match Protocol::from_code(scratch.path.protocol) {
        Some(Protocol::Modbus) => {
            while modbus::dissect(bytes, scratch) {}
            if scratch.path.values != 0 {
                while modbus::values::read(bytes, scratch) {}
            }
        }
        Some(Protocol::Ethernet | Protocol::Ip | Protocol::Tcp | Protocol::Udp | Protocol::Icmp) | None => {
            scratch.outcome = Reason::BeyondInspection as u8;
        }
    }
}

/// Runs the dissector over what the direction carries and the segment's new bytes behind it.
#[inline(always)]
pub fn dissect_assembled<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    match assemble(environment, scratch) {
        Some(assembled) => dissect(assembled, scratch),
        // A record, behind those of what came before it: shadow names the first reason, as enforce does.
        None => scratch.fault(Reason::BeyondInspection),
    }
}

/// Lays carry and payload behind each other and marks them to be parsed.
#[inline(always)]
pub fn assemble<'a, E: Environment>(environment: &'a mut E, scratch: &mut Scratch) -> Option<&'a E::Assembled> {
    if scratch.stream.end.wrapping_sub(scratch.stream.start) > BEHIND_CARRY {
        return None;
    }
    let assembled = environment.assemble(scratch)?;
    scratch.stream.start = 0;
    scratch.stream.end = assembled.length();
    Some(assembled)
}

/// Decides about the frame, whose operations are judged; and advances the stream when it goes on.
#[inline(always)]
pub fn conclude<E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Action {
    let action = judge::frame(environment, scratch);
    match action {
        Action::Forward => stream::commit(environment, scratch),
        Action::Reset => stream::kill(environment, scratch),
        Action::Drop => {}
    }
    action
}
