//! Composes the stages. The kernel runs [`walk`], [`follow`], a protocol's dissector and [`conclude`] as programs that
//! tail-call each other; the host runs [`decide`], which is the same functions in the same order.

use core::hint::cold_path;

use crate::action::Action;
use crate::bytes::Bytes;
use crate::environment::{Environment, Limits};
use crate::flow::{BEHIND_CARRY, FlowKey, NO_FLOW};
use crate::head::Head;
use crate::judge::{self, Progress};
use crate::link::{self, ethertype};
use crate::network;
use crate::operation::Role;
use crate::ordinary::Course;
use crate::policy::grant;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::{self, Protocol, modbus};
use crate::report::report;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::stream::compare::Step;
use crate::stream::{self, Found};
use crate::verdict::{Mode, Reason, Verdict};
use crate::{admission, answer, conduit, digest, icmp, known, neighbour, options, ordinary, transport};

/// The stage that comes next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Next {
    /// The options of a TCP segment.
    Options,
    /// Checksums, and the hash of the payload.
    Digest,
    /// The conduit, from the policy.
    Conduit,
    /// The conduit of a TCP segment from its flow, and its stream.
    Stream,
    /// A TCP segment without flow.
    Handshake,
    /// A flow for a TCP segment.
    Claim,
    /// Bytes that were sent again, compared with what was forwarded.
    Compare,
    /// What an ICMP message from the network is.
    Icmp,
    /// Who speaks in ARP or neighbour discovery from the network.
    Neighbour,
    /// The dissector of the path's protocol.
    Protocol,
    /// Judge and act.
    Judge,
}

impl Next {
    /// The stage with this code; `None` for a number that is none.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u32) -> Option<Self> {
        const ALL: [Next; 11] = [
            Next::Options,
            Next::Digest,
            Next::Conduit,
            Next::Stream,
            Next::Handshake,
            Next::Claim,
            Next::Compare,
            Next::Icmp,
            Next::Neighbour,
            Next::Protocol,
            Next::Judge,
        ];
        let mut rest: &[Self] = &ALL;
        while let [next, tail @ ..] = rest {
            if *next as u32 == code {
                return Some(*next);
            }
            rest = tail;
        }
        None
    }
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
    begin(environment, scratch);
    let mut next = match ordinary::follow(bytes, length, side, policy, environment, scratch) {
        Some(Course::Passed) => return Action::Forward,
        Some(Course::Next(next)) => next,
        None => walk(bytes, length, side, policy, environment, scratch),
    };
    while next != Next::Judge {
        if next == Next::Protocol
            && scratch.ordinary == 0
            && let Some(action) = known::pass(bytes, environment, scratch)
        {
            return action;
        }
        next = match next {
            Next::Options => tcp_options(bytes, scratch),
            Next::Digest => digest(bytes, side, environment, scratch),
            Next::Conduit => locate(policy, environment, scratch),
            Next::Stream => follow_and_admit(policy, environment, scratch, side),
            Next::Handshake => handshake(policy, environment, scratch),
            Next::Claim => claim(policy, environment, scratch),
            Next::Compare => compare(bytes, environment, scratch),
            Next::Icmp => icmp_message(bytes, environment, scratch),
            Next::Neighbour => neighbours(bytes, policy, scratch),
            Next::Protocol if scratch.stream.assembled == 0 => {
                dissect(bytes, scratch);
                Next::Judge
            }
            Next::Protocol => {
                dissect_assembled(environment, scratch);
                Next::Judge
            }
            Next::Judge => Next::Judge,
        };
    }
    if is_settled(scratch) {
        return let_pass(environment, scratch);
    }
    judge(policy, environment, scratch);
    let action = conclude(environment, scratch);
    if scratch.report != 0 {
        report(environment, scratch);
    }
    if known::is_worth_keeping(scratch) {
        known::keep(bytes, policy, environment, scratch);
    }
    action
}

/// Judges all operations that were found.
pub fn judge<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) {
    loop {
        match judge::remembered::<{ judge::STEP_REMEMBERED }, E>(environment, scratch) {
            Progress::Done => return,
            Progress::More => {}
            Progress::Search => break,
        }
    }
    while judge::units(policy, environment, scratch) {}
}

/// Before anything is known of a frame.
#[inline(always)]
pub fn begin<E: Environment>(environment: &E, scratch: &mut Scratch) {
    scratch.count = 0;
    scratch.outcome = 0;
    scratch.action = 0;
    scratch.report = 0;
    scratch.asked = 0;
    scratch.ordinary = 0;
    scratch.wanted.place = 0;
    scratch.wanted.pending = 0;
    scratch.now = environment.now();
    judge::begin(scratch);
}

/// Link, network and transport, behind [`begin`], where [`ordinary::follow`] found nothing. `length` is the whole frame's, of
/// which `bytes` may hold only the first part.
#[inline(always)]
pub fn walk<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Next {
    scratch.path = Path::EMPTY;
    scratch.stream = Stream::default();
    scratch.frame = Frame::EMPTY;
    scratch.frame.side = side as u8;
    scratch.frame.length = length;
    let found = match Head::of(bytes) {
        Some(head) => match headers(bytes, &head, length, policy, environment, scratch) {
            Ok(Next::Digest) => Ok(sums(bytes, &head, side, environment, scratch)),
            other => other,
        },
        None => {
            cold_path();
            headers(bytes, bytes, length, policy, environment, scratch)
        }
    };
    match found {
        Ok(next) => next,
        Err(reason) => {
            cold_path();
            let scratch = scratch.anew();
            scratch.outcome = reason as u8;
            scratch.path.protocol =
                if scratch.frame.version == 0 { Protocol::Ethernet as u8 } else { Protocol::Ip as u8 };
            conduit::finish(policy, environment, scratch, UNCOVERED);
            let named = reason as u8 == Reason::Management as u8 || reason as u8 == Reason::SpoofedDevice as u8;
            if neighbour::is_arp(&scratch.frame) && !named { Next::Neighbour } else { Next::Judge }
        }
    }
}

/// `head` has the bytes of the headers.
#[inline(always)]
fn headers<B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    length: u32,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Result<Next, Reason> {
    link::parse(head, &mut scratch.frame)?;
    let scratch = scratch.joined::<H>();
    let frame = &mut scratch.frame;
    // Frames for the bridge's own address end in the box, whatever the port.
    if environment.is_management(frame.destination_mac) {
        return Err(Reason::Management);
    }
    if frame.ethertype != ethertype::IPV4 && frame.ethertype != ethertype::IPV6 {
        return ethernet(bytes, policy, environment, scratch);
    }
    match network::parse(head, frame, || policy.header.ip_options != 0) {
        Err(Reason::Fragment) if admission::too_large(frame) => return Err(Reason::FrameTooLarge),
        Err(Reason::Fragment) => {
            return Err(Reason::from_code(policy.header.fragments).unwrap_or(Reason::Fragment));
        }
        other => other?,
    }
    let scratch = scratch.joined::<H>();
    let frame = &mut scratch.frame;
    transport::parse(head, frame)?;
    if bytes.length() < frame.payload_end && bytes.length() < length {
        return Err(Reason::MultiBuffer);
    }
    if let Err(reason) = admission::check(bytes, frame) {
        return Ok(refused(scratch, reason));
    }
    if frame.transport_protocol == network::protocol::TCP {
        return if options::worth_a_walk(bytes, frame) { Ok(Next::Options) } else { Ok(Next::Digest) };
    }
    if transport::is_known(frame.transport_protocol) { Ok(Next::Digest) } else { Ok(Next::Conduit) }
}

/// The options of a TCP segment from the network.
#[inline(always)]
pub fn tcp_options<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Next {
    match options::check(bytes, scratch) {
        Ok(()) => Next::Digest,
        Err(reason) => refused(scratch, reason),
    }
}

/// Something is wrong with a frame whose headers could be read: it still belongs to a conduit, whose mode holds.
#[inline(always)]
fn refused(scratch: &mut Scratch, reason: Reason) -> Next {
    scratch.outcome = reason as u8;
    if admission::names_inside(reason as u8) { Next::Digest } else { Next::Conduit }
}

/// What was found wrong with the frame becomes a record in front of its operations.
#[inline(always)]
fn note(scratch: &mut Scratch) {
    if let Some(reason) = Reason::from_code(scratch.outcome) {
        scratch.fault(reason);
        scratch.outcome = 0;
    }
}

/// Checksums of an IP frame from `side`, and the hash of its payload.
#[inline(always)]
pub fn digest<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    side: Side,
    environment: &E,
    scratch: &mut Scratch,
) -> Next {
    sums(bytes, bytes, side, environment, scratch)
}

/// The same where `head` has the bytes of the headers.
#[inline(always)]
fn sums<B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    side: Side,
    environment: &E,
    scratch: &mut Scratch,
) -> Next {
    digest::take(bytes, head, side, environment, scratch);
    let tcp = scratch.frame.transport_protocol == network::protocol::TCP;
    if tcp && scratch.outcome == 0 { Next::Stream } else { Next::Conduit }
}

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
fn ethernet<B: Bytes + ?Sized, E: Environment>(
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

/// The stream of a TCP segment from `side` whose flow is known.
#[inline(always)]
pub fn follow<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch, side: Side) -> Next {
    if !conduit::recall(policy, environment, scratch, side) {
        return Next::Conduit;
    }
    if scratch.path.protocol < Protocol::FIRST_INSPECTED {
        // A policy since the flow was made took the inspection away.
        stream::lose(environment, scratch);
        uninspected(policy, scratch);
        return Next::Judge;
    }
    let found = stream::follow(policy, environment, scratch, side);
    found_or_reason(policy, scratch, found)
}

/// The same, and the next segment like it is known to be admitted, see [`ordinary`].
#[inline(always)]
pub fn follow_and_admit<E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    side: Side,
) -> Next {
    let next = follow(policy, environment, scratch, side);
    if next != Next::Conduit {
        ordinary::admit(environment, scratch.anew(), side);
    }
    next
}

/// A TCP segment whose flow is not known.
#[inline(always)]
pub fn handshake<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    let found = stream::handshake::begin(policy, environment, scratch);
    found_or_reason(policy, scratch, found)
}

/// A flow for a TCP segment, searched for in steps.
#[inline(always)]
pub fn claim<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Next {
    let found = stream::handshake::claim(policy, environment, scratch);
    found_or_reason(policy, scratch, found)
}

#[inline(always)]
fn found_or_reason(policy: &Image, scratch: &mut Scratch, found: Result<Found, Reason>) -> Next {
    match found {
        Ok(Found::Fresh) => Next::Protocol,
        Ok(Found::Again) => Next::Compare,
        Ok(Found::New) => Next::Claim,
        Ok(Found::Known) => Next::Stream,
        Err(reason) => {
            if scratch.count != 0 {
                // What was noted decides.
                return Next::Judge;
            }
            // Control segments of traffic that no conduit covers are not covered either; and where such traffic is denied,
            // nothing else is said of it.
            let allowed = reason.verdict() as u8 == Verdict::Allow as u8;
            let default = policy.uncovered();
            let uncovered = scratch.path.conduit == UNCOVERED
                && scratch.path.granted != grant::GRANTED
                && (allowed || default.verdict() as u8 == Verdict::Deny as u8);
            scratch.outcome = if uncovered { default as u8 } else { reason as u8 };
            Next::Judge
        }
    }
}

/// Compares bytes that were sent again with what was forwarded, a stretch of them.
#[inline(always)]
pub fn compare<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &mut E, scratch: &mut Scratch) -> Next {
    match stream::compare::step(bytes, environment, scratch) {
        Step::More => Next::Compare,
        Step::Fresh => Next::Protocol,
        Step::Whole(reason) => {
            if scratch.count == 0 {
                scratch.outcome = reason as u8;
            }
            Next::Judge
        }
    }
}

/// Runs the dissector of the path's protocol over the bytes that `scratch.stream` marks.
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let spoken = Protocol::from_code(scratch.path.protocol);
    while protocol::dissect(spoken, bytes, scratch) {}
    if scratch.stream.later_count != 0 {
        while modbus::values::read(bytes, scratch) {}
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

/// True for a frame in which nothing is asked and of which nothing is written down, the ordinary rest of a conversation in
/// enforce: [`let_pass`] is next, in the same program.
#[must_use]
#[inline(always)]
pub const fn is_settled(scratch: &Scratch) -> bool {
    const REST: u64 = 1 << Reason::Response as u8
        | 1 << Reason::NoPayload as u8
        | 1 << Reason::Retransmission as u8
        | 1 << Reason::Partial as u8;
    let enforced = scratch.path.mode == Mode::Enforce as u8;
    let rest = scratch.outcome < 64 && REST >> (scratch.outcome & 63) & 1 != 0;
    enforced && rest && scratch.count == 0 && scratch.looked_on == 0
}

/// Counts such a frame, and advances its stream.
#[inline(always)]
pub fn let_pass<E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Action {
    scratch.action = Action::Forward as u8;
    let reason = Reason::from_code(scratch.outcome).unwrap_or(Reason::BeyondInspection);
    environment.count(scratch, None, u32::MAX, reason, false);
    stream::commit(environment, scratch);
    Action::Forward
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
