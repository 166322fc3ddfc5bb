//! Segments of which no flow is known yet: what a conversation begins with, and what it is made from.
//!
//! A flow is made by the device's word alone: a SYN-ACK of its own that its opener has heard, its last acknowledgement in a
//! handshake that it began itself, or any segment of a conversation that was open before the box came. So nobody on the
//! network side can fill the table by asking. What waits for that word is kept in a table of its own, [`HalfOpen`].

use super::inward::{coarse, is_awaited};
use super::{Found, admit, check, holds, is_opening, payload_length, prepare, resync};
use crate::action::OnDeny;
use crate::conduit;
use crate::environment::{Environment, Limits, Trust};
use crate::flow::{self, Direction, Flow, FlowKey, HalfOpen, Offer, Sent, Stretch, distance};
use crate::operation::Role;
use crate::policy::Image;
use crate::port::Side;
use crate::scratch::{Commit, Scratch};
use crate::table;
use crate::transport::flag;
use crate::verdict::Reason;

/// What waits for an answer waits this long, in nanoseconds: longer than a SYN is repeated.
pub const PATIENCE: u64 = 75_000_000_000;

/// Handles a segment without flow on a conduit that is inspected.
///
/// # Errors
/// The reason of the whole frame when there is nothing to parse.
#[inline(always)]
pub fn begin<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Result<Found, Reason> {
    let limits = environment.limits();
    check(&limits, &scratch.frame)?;
    let key = FlowKey::of(&scratch.frame);
    let now = scratch.now;
    let half = match environment.half_open(&key) {
        Some(half) if now.saturating_sub(half.since) < PATIENCE => *half,
        _ => HalfOpen::EMPTY,
    };
    if is_opening(&scratch.frame) {
        return Err(open(environment, scratch, &limits, &key, &half));
    }
    match Side::from_code(scratch.frame.side) {
        Side::Network => from_network(policy, environment, scratch, &limits, &key, &half),
        Side::Device => from_device(environment, scratch, &key, &half),
    }
}

/// A SYN waits for its answer. What was answered, or went by, stays until the other side answers anew, for anybody can send
/// another SYN; but the device may answer that one too, so it is not forgotten.
#[inline(always)]
fn open<E: Environment>(
    environment: &mut E,
    scratch: &Scratch,
    limits: &Limits,
    key: &FlowKey,
    half: &HalfOpen,
) -> Reason {
    let now = scratch.now;
    let frame = &scratch.frame;
    let first = frame.sequence.wrapping_add(1);
    let answered = half.flags & HalfOpen::ANSWERED != 0;
    let mut offer = half.offer;
    if frame.side == Side::Network as u8 {
        if let Err(reason) = admit(environment, limits, key, now) {
            return reason;
        }
        if offer.at != 0 && offer.first != first && is_awaited(offer.at, now) {
            // One question at a time, so that it is known what the device may be answering.
            return Reason::ConnectionRate;
        }
        // A copy of the one that was answered offers nothing.
        if !(answered && half.waits_for(Side::Network) && half.first == first) {
            offer = Offer::new(first, coarse(now));
        }
    }
    let asked = if half.since == 0 { 0 } else { HalfOpen::ASKED_AGAIN };
    let next = if answered || half.flags & HalfOpen::MIDSTREAM != 0 {
        HalfOpen { offer, flags: half.flags | asked, ..*half }
    } else {
        let serves = if scratch.path.role == Role::Request as u8 { 0 } else { HalfOpen::SERVES };
        HalfOpen { since: now, first, offer, side: frame.side as u32, flags: serves | asked, ..HalfOpen::EMPTY }
    };
    environment.set_half_open(key, next);
    Reason::NoPayload
}

#[inline(always)]
fn from_network<E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    limits: &Limits,
    key: &FlowKey,
    half: &HalfOpen,
) -> Result<Found, Reason> {
    let frame = &scratch.frame;
    let asked = half.waits_for(Side::Device) && half.first == frame.acknowledgement;
    if frame.tcp_flags & flag::SYN != 0 {
        if !asked {
            return Err(Reason::UnexpectedHandshake);
        }
        let answered =
            HalfOpen { answer: frame.sequence.wrapping_add(1), flags: half.flags | HalfOpen::ANSWERED, ..*half };
        environment.set_half_open(key, answered);
        return Err(Reason::NoPayload);
    }
    let trust = limits.trust_at(scratch.now);
    let trusted = trust as u8 != Trust::Nothing as u8;
    if frame.tcp_flags & flag::RST != 0 {
        // The server refuses the device, or the opener takes its SYN back.
        let withdrawn = half.waits_for(Side::Network) && half.first == frame.sequence;
        return Err(if asked || withdrawn || trusted { Reason::NoPayload } else { Reason::Unsynchronised });
    }
    if frame.tcp_flags & flag::ACK == 0 {
        return Err(Reason::InvalidFlags);
    }
    if half.waits_for(Side::Network) {
        // Before the device has answered nobody can have heard its answer.
        let heard = half.flags & HalfOpen::ANSWERED != 0
            && half.answer == frame.acknowledgement
            && half.first == frame.sequence;
        return if heard { ask(environment, scratch, key) } else { Err(Reason::UnexpectedHandshake) };
    }
    if trust as u8 == Trust::Whole as u8 {
        return ask(environment, scratch, key);
    }
    stateless(policy, scratch, trust, half)
}

/// Bytes of a conversation nobody knows. While that may be, whole units that read pass, once: until the device has spoken
/// nothing but the same bytes may follow.
#[inline(always)]
fn stateless(policy: &Image, scratch: &mut Scratch, trust: Trust, half: &HalfOpen) -> Result<Found, Reason> {
    let length = payload_length(&scratch.frame);
    if length == 0 {
        let trusted = trust as u8 != Trust::Nothing as u8;
        return Err(if trusted { Reason::NoPayload } else { Reason::Unsynchronised });
    }
    let refused = resync::refuse(policy, trust, scratch);
    let hold = holds(scratch);
    if hold && refused {
        return Err(Reason::Unsynchronised);
    }
    let sequence = scratch.frame.sequence;
    let mut commit = Commit::Midstream;
    if half.flags & HalfOpen::MIDSTREAM != 0 {
        // What went by first stays what is known of it.
        commit = Commit::Nothing;
        let same =
            half.first == sequence && half.answer == sequence.wrapping_add(length) && half.hash == scratch.stream.hash;
        if same {
            scratch.stream.retransmission = 1;
            return Err(Reason::Retransmission);
        }
        if hold {
            return Err(Reason::BackPressure);
        }
        if !refused {
            scratch.fault(Reason::BackPressure);
            scratch.stream.uncertain = 1;
        }
    }
    if refused {
        scratch.fault(Reason::Unsynchronised);
        scratch.stream.uncertain = 1;
    }
    scratch.stream.unproved = 1;
    scratch.stream.whole = 1;
    prepare(&Direction::EMPTY, scratch, sequence, commit);
    Ok(Found::Fresh)
}

/// Notes the bytes of an unknown conversation that were forwarded.
#[inline(always)]
pub(super) fn note<E: Environment>(environment: &mut E, scratch: &Scratch) {
    let stream = &scratch.stream;
    let key = FlowKey::of(&scratch.frame);
    let offer = match environment.half_open(&key) {
        Some(half) => half.offer,
        None => Offer::NONE,
    };
    let half = HalfOpen {
        since: scratch.now,
        hash: stream.hash,
        first: stream.fresh,
        answer: stream.fresh.wrapping_add(stream.fresh_length),
        offer,
        side: Side::Network as u32,
        flags: HalfOpen::MIDSTREAM,
    };
    environment.set_half_open(&key, half);
}

#[inline(always)]
fn from_device<E: Environment>(
    environment: &mut E,
    scratch: &mut Scratch,
    key: &FlowKey,
    half: &HalfOpen,
) -> Result<Found, Reason> {
    let frame = &scratch.frame;
    let answers = half.waits_for(Side::Network) && half.first == frame.acknowledgement;
    if frame.tcp_flags & flag::RST != 0 {
        if answers || half.flags & HalfOpen::MIDSTREAM != 0 {
            environment.forget_half_open(key);
        }
        return Err(Reason::NoPayload);
    }
    if frame.tcp_flags & flag::SYN != 0 && half.flags & HalfOpen::MIDSTREAM == 0 {
        return Err(answered(environment, scratch, key, half));
    }
    if frame.tcp_flags & flag::ACK == 0 {
        return Err(Reason::InvalidFlags);
    }
    ask(environment, scratch, key)
}

/// The device's SYN-ACK says what it takes for the beginning; whoever opens the connection has yet to hear it.
#[inline(always)]
fn answered<E: Environment>(environment: &mut E, scratch: &Scratch, key: &FlowKey, half: &HalfOpen) -> Reason {
    if environment.slots(&key.device, Side::Device).is_none() {
        environment.lose_flow();
        return Reason::FlowTableFull;
    }
    let frame = &scratch.frame;
    let serves = if half.waits_for(Side::Network) {
        half.flags & HalfOpen::SERVES
    } else if scratch.path.role == Role::Request as u8 {
        HalfOpen::SERVES
    } else {
        0
    };
    let now = HalfOpen {
        since: scratch.now,
        first: frame.acknowledgement,
        offer: if half.offer.first == frame.acknowledgement { Offer::NONE } else { half.offer },
        answer: frame.sequence.wrapping_add(1),
        side: Side::Network as u32,
        flags: HalfOpen::ANSWERED | serves | half.flags & HalfOpen::ASKED_AGAIN,
        ..HalfOpen::EMPTY
    };
    environment.set_half_open(key, now);
    Reason::NoPayload
}

/// Asks for a flow for the segment at hand.
#[inline(always)]
fn ask<E: Environment>(environment: &mut E, scratch: &mut Scratch, key: &FlowKey) -> Result<Found, Reason> {
    if table::begin(environment, &mut scratch.claim, &key.device, Side::from_code(scratch.frame.side)) {
        return Ok(Found::New);
    }
    environment.lose_flow();
    Err(Reason::FlowTableFull)
}

/// Looks for a flow, and fills it. `Ok(Found::New)`: the caller comes again.
///
/// # Errors
/// `flow_table_full`; `no_payload` for a handshake, which is done.
#[inline(always)]
pub fn claim<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Result<Found, Reason> {
    let now = scratch.now;
    if table::search(environment, &mut scratch.claim, now) {
        return Ok(Found::New);
    }
    let scratch = scratch.anew();
    let key = FlowKey::of(&scratch.frame);
    let Some(slot) = table::take(environment, &scratch.claim, &key, now) else {
        if scratch.claim.ended != u32::MAX {
            // One is given up and free in a moment: its sender's TCP comes again.
            scratch.path.on_deny = OnDeny::Drop as u8;
            return Err(Reason::FlowTableFull);
        }
        environment.lose_flow();
        return Err(Reason::FlowTableFull);
    };
    let half = match environment.half_open(&key) {
        Some(half) => *half,
        None => HalfOpen::EMPTY,
    };
    let limits = environment.limits();
    let Some(flow) = environment.flow(slot) else {
        return Err(Reason::FlowTableFull);
    };
    scratch.path.slot = slot;
    let terms = conduit::terms(policy, &scratch.path);
    flow.settle(policy.header.generation, scratch.path.conduit, scratch.path.protocol, terms);
    flow.vlans = flow::vlans(&scratch.frame);
    flow.network_sync = limits.sync;
    flow.device_sync = limits.sync;
    let handshake = scratch.frame.tcp_flags & flag::SYN != 0;
    if handshake {
        establish(flow, scratch, &half);
    } else {
        take_up(flow, scratch, &half);
    }
    if half.offer.at != 0 && !(handshake && half.offer.first == scratch.frame.acknowledgement) {
        flow.network.pending = half.offer.first;
        flow.network.flags |= Direction::PENDING;
        flow.network.handshake = half.offer.at;
    }
    // Found only when it is complete: the network port's program may look for it at any moment.
    if !environment.bind(&key, slot) {
        return Err(Reason::FlowTableFull);
    }
    environment.forget_half_open(&key);
    if handshake { Err(Reason::NoPayload) } else { Ok(Found::Known) }
}

/// The device has answered a SYN, and bytes went by before.
#[inline(always)]
fn establish(flow: &mut Flow, scratch: &Scratch, half: &HalfOpen) {
    flow.client = if half.waits_for(Side::Network) { half.client() } else { client(scratch) };
    let frame = &scratch.frame;
    flow.network.start(frame.acknowledgement, 0);
    flow.device.start(frame.sequence.wrapping_add(1), Direction::CONFIRMED);
    flow.device.handshake = frame.sequence.wrapping_add(1);
    flow.device.confirmed = frame.acknowledgement;
    flow.device.acknowledged = frame.acknowledgement;
    flow.device.window = frame.window;
    if half.flags & HalfOpen::MIDSTREAM != 0 && distance(half.answer, frame.acknowledgement) > 0 {
        went_by(flow, half);
        ahead(flow, half);
    }
}

/// [`Side`] code of the protocol's client, by what the policy says of the segment at hand.
#[inline(always)]
fn client(scratch: &Scratch) -> u8 {
    let side = Side::from_code(scratch.frame.side);
    if scratch.path.role == Role::Request as u8 { side as u8 } else { side.other() as u8 }
}

/// Notes the bytes that went by before the device spoke.
#[inline(always)]
fn went_by(flow: &mut Flow, half: &HalfOpen) {
    flow.newest = 0;
    if let Some(entry) = flow.ring.first_mut() {
        let length = half.answer.wrapping_sub(half.first);
        *entry = Sent { hash: half.hash, sequence: half.first, length };
    }
}

/// They lie ahead of where the device is.
#[inline(always)]
fn ahead(flow: &mut Flow, half: &HalfOpen) {
    if let Some(stretch) = flow.ahead.first_mut() {
        *stretch = Stretch { first: half.first, end: half.answer };
        flow.strays = 1;
    }
}

/// The last step of a handshake, or the middle of a conversation whose beginning was not seen.
#[inline(always)]
fn take_up(flow: &mut Flow, scratch: &Scratch, half: &HalfOpen) {
    let frame = &scratch.frame;
    let side = Side::from_code(frame.side);
    flow.client = client(scratch);
    let (toward, from) = match side {
        Side::Network => (frame.sequence, frame.acknowledgement),
        Side::Device => (frame.acknowledgement, frame.sequence),
    };
    let ends = if half.side == Side::Network as u32 { (half.first, half.answer) } else { (half.answer, half.first) };
    let began = half.since != 0
        && half.flags & (HalfOpen::ANSWERED | HalfOpen::MIDSTREAM) == HalfOpen::ANSWERED
        && ends == (toward, from);
    // Whose SYN-ACK it was that counted.
    let device = began && half.side == Side::Network as u32;
    flow.network.start(toward, Direction::SPOKEN | if began { 0 } else { Direction::ADOPTED });
    flow.device.start(from, if side as u8 == Side::Device as u8 { Direction::SPOKEN } else { 0 });
    if device {
        flow.device.flags |= Direction::CONFIRMED;
        flow.device.handshake = from;
        flow.device.confirmed = toward;
    } else if began {
        flow.network.flags |= Direction::CONFIRMED;
        flow.network.confirmed = from;
    }
    flow.device.acknowledged = toward;
    flow.device.window = u16::MAX;
    if began {
        flow.client = half.client();
        flow.network.handshake = coarse(half.since);
        if device && half.flags & HalfOpen::ASKED_AGAIN == 0 {
            flow.network.flags |= Direction::ASKED_ONCE;
        }
    } else if half.flags & HalfOpen::MIDSTREAM != 0 && distance(half.answer, toward) > 0 {
        // Bytes that went by before the device spoke: only the same may come again.
        went_by(flow, half);
        if distance(toward, half.first) >= 0 {
            flow.network.next = half.answer;
        } else {
            ahead(flow, half);
        }
    }
}
