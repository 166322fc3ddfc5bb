//! Segments toward the device: in order, or the same as what was forwarded.

use super::{Found, forwarded, holds, outward, payload_length, prepare, resync};
use crate::environment::{Limits, Trust};
use crate::flow::{Direction, Flow, Sent, distance};
use crate::policy::Image;
use crate::scratch::{Commit, Scratch};
use crate::transport::flag;
use crate::verdict::{Mode, Reason};

/// A unit in pieces must be complete after this, in units of 2^20 nanoseconds: five seconds.
const PATIENCE: u32 = 4768;

/// Segments that could not be verified before the conversation is reset.
const STRIKES: u8 = 3;

/// A device answers a SYN within this time, in nanoseconds, or not at all.
pub(super) const ANSWER: u64 = 3_000_000_000;

/// Bytes that may be on the way: behind the first one of a conversation before the device has acknowledged anything, and
/// before the last one that was sent when it is sent again.
const WINDOW: i32 = 1 << 20;

/// Follows a segment that entered by the network port.
#[inline(always)]
pub(super) fn follow(
    policy: &Image,
    limits: &Limits,
    flow: &mut Flow,
    scratch: &mut Scratch,
    now: u64,
) -> Result<Found, Reason> {
    let flags = scratch.frame.tcp_flags;
    flow.network.seen = now;
    open(flow);
    if flags & flag::SYN != 0 {
        return Err(synchronise(flow, scratch, now));
    }
    if flow.killed != 0 && scratch.path.mode == Mode::Enforce as u8 {
        return Err(Reason::FlowKilled);
    }
    if flow.network_sync != limits.sync {
        flow.network_sync = limits.sync;
        // What passed unseen lies before this segment. A reset has no say in where the stream is.
        let sequence = if flags & flag::RST == 0 { scratch.frame.sequence } else { flow.network.next };
        resync::restart(flow, later(flow.network.next, sequence), 0);
    }
    resync::settle(flow, limits, now);
    scratch.path.expected = flow.network.next;
    scratch.stream.peer_context = flow.device.context;
    if flags & flag::RST != 0 {
        return Err(reset(flow, scratch.frame.sequence));
    }
    if flags & flag::ACK == 0 {
        return Err(Reason::InvalidFlags);
    }
    // The order of a capture's frames is the recorder's, not the cable's.
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    if !recorded && !acknowledges(flow, scratch) {
        return Err(Reason::InvalidAcknowledgement);
    }
    if !recorded && !fits_handshake(flow, scratch, now) {
        if holds(scratch) {
            return Err(Reason::SequenceGap);
        }
        scratch.fault(Reason::SequenceGap);
        scratch.stream.uncertain = 1;
    }
    flow.network.flags |= Direction::SPOKEN;
    place(policy, limits, flow, scratch, now)
}

/// Takes up the numbering of a SYN that the device has answered.
#[inline(always)]
fn open(flow: &mut Flow) {
    let (mine, theirs) = (&mut flow.network, &flow.device);
    if theirs.has(Direction::CONFIRMED) && theirs.turn != mine.turn {
        mine.turn = theirs.turn;
        mine.start(theirs.confirmed, unanswered(mine, theirs.confirmed));
        flow.forget();
    }
}

/// What stays of a SYN that the device may answer yet, when it answers one with this first number: the flag.
#[inline(always)]
const fn unanswered(mine: &Direction, answered: u32) -> u32 {
    if mine.pending == answered { 0 } else { mine.flags & Direction::PENDING }
}

/// False for a segment that a device could take for a part of another conversation than the one that is followed: it may
/// have answered several SYNs, and the first segment chooses one; or it may have answered one whose answer is not here yet.
#[inline(always)]
fn fits_handshake(flow: &Flow, scratch: &Scratch, now: u64) -> bool {
    let mine = &flow.network;
    let sequence = scratch.frame.sequence;
    if !mine.has(Direction::SPOKEN) && flow.device.has(Direction::CONFIRMED) {
        return sequence == mine.next;
    }
    let end = sequence.wrapping_add(payload_length(&scratch.frame));
    let awaited = mine.has(Direction::PENDING) && is_awaited(mine.handshake, now);
    !(awaited && distance(end, mine.pending) > 0 && distance(sequence, mine.pending) < WINDOW)
}

/// True while the device may answer a SYN that passed `since`, in units of 2^20 nanoseconds.
#[inline(always)]
pub(super) const fn is_awaited(since: u32, now: u64) -> bool {
    coarse(now).wrapping_sub(since) < coarse(ANSWER)
}

/// True for a SYN with the number that the device stands at, having answered it, while nothing was forwarded since: if it
/// begins anew for it, it stands where it stood.
#[inline(always)]
const fn changes_nothing(flow: &Flow, first: u32) -> bool {
    outward::is_at(&flow.device, first) && flow.network.next == first && flow.strays == 0
}

/// True for a copy of the SYN that the conversation began with, which a cable repeated or kept for so long that bytes passed
/// meanwhile. Nobody begins anew so soon with the same number; and were it to pass, all that follows would have to wait until
/// it is certain that the device does not answer it.
#[inline(always)]
const fn is_late_copy(flow: &Flow, first: u32, now: u64) -> bool {
    let (mine, theirs) = (&flow.network, &flow.device);
    let same = theirs.has(Direction::CONFIRMED) && theirs.confirmed == first && !changes_nothing(flow, first);
    same && !mine.has(Direction::PENDING) && is_awaited(mine.handshake, now)
}

/// A SYN starts nothing by itself: the numbering it offers counts when the device's SYN-ACK acknowledges it. A copy of the
/// SYN that was answered last offers nothing. A SYN-ACK answers a SYN of the device, or does not pass.
#[inline(always)]
fn synchronise(flow: &mut Flow, scratch: &Scratch, now: u64) -> Reason {
    let first = scratch.frame.sequence.wrapping_add(1);
    let (late, idle) = (is_late_copy(flow, first, now), changes_nothing(flow, first));
    let (mine, theirs) = (&mut flow.network, &flow.device);
    if scratch.frame.tcp_flags & flag::ACK == 0 {
        if mine.has(Direction::PENDING) && mine.pending != first && is_awaited(mine.handshake, now) {
            // One question at a time, so that it is known what the device may be answering.
            return Reason::ConnectionRate;
        }
        if late && holds(scratch) {
            return Reason::UnexpectedHandshake;
        }
        mine.flags &= !Direction::ASKED_ONCE;
        if !idle {
            mine.pending = first;
            mine.flags |= Direction::PENDING;
            mine.handshake = coarse(now);
        }
        return if late { Reason::UnexpectedHandshake } else { Reason::NoPayload };
    }
    let acknowledged = scratch.frame.acknowledgement;
    if theirs.has(Direction::PENDING) && theirs.pending == acknowledged {
        mine.start(first, Direction::CONFIRMED | unanswered(mine, first));
        mine.confirmed = acknowledged;
        flow.killed = 0;
        flow.forget();
        return Reason::NoPayload;
    }
    // A copy of the answer that counted.
    if mine.has(Direction::CONFIRMED) && mine.confirmed == acknowledged {
        return Reason::NoPayload;
    }
    Reason::UnexpectedHandshake
}

/// A reset is forwarded when it is exactly where the device expects it. The conversation stays as it is: a device that
/// does not believe the reset goes on with it.
#[inline(always)]
fn reset(flow: &mut Flow, sequence: u32) -> Reason {
    let mine = &mut flow.network;
    // Of a conversation taken up in the middle, the device's last acknowledgement may be all that is known.
    if sequence == mine.next || (mine.has(Direction::ADOPTED) && sequence == flow.device.acknowledged) {
        mine.flags |= Direction::RESET;
        return Reason::NoPayload;
    }
    Reason::InexactReset
}

/// An acknowledgement is of what the device sent. The first one of a station that opened the conversation is of the
/// device's SYN exactly: whoever has not seen that cannot speak (RFC 9293 3.10.7.4).
#[inline(always)]
fn acknowledges(flow: &Flow, scratch: &Scratch) -> bool {
    if flow.network.has(Direction::ADOPTED) || !flow.device.has(Direction::SYNCHRONISED) {
        return true;
    }
    let behind = distance(scratch.frame.acknowledgement, flow.device.next);
    let first = !flow.network.has(Direction::SPOKEN) && flow.device.has(Direction::CONFIRMED);
    behind <= 0 && (!first || behind == 0)
}

/// How far behind `next` a segment begins; negative when before. What is so far before it that nobody repeats it belongs to
/// another numbering, and is no more known than what lies behind.
#[inline(always)]
const fn how_far(limits: &Limits, sequence: u32, next: u32) -> i32 {
    let ahead = distance(sequence, next);
    // The numbers of a capture are its recorder's: nobody hides behind them.
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    if ahead < -WINDOW && !recorded { i32::MAX } else { ahead }
}

/// Where the segment lies relative to what was forwarded.
#[inline(always)]
fn place(policy: &Image, limits: &Limits, flow: &mut Flow, scratch: &mut Scratch, now: u64) -> Result<Found, Reason> {
    let length = payload_length(&scratch.frame);
    let sequence = scratch.frame.sequence;
    let end = sequence.wrapping_add(length);
    let fin = scratch.frame.tcp_flags & flag::FIN != 0;
    let mine = &flow.network;
    let closed = mine.has(Direction::CLOSED);
    let ahead = how_far(limits, sequence, mine.next);
    let limit = mine.next.wrapping_sub(closed as u32);
    if closed && (distance(end, limit) > 0 || (fin && end != limit)) {
        // A bare acknowledgement behind the FIN has no bytes.
        return Err(if length == 0 && !fin && ahead <= 0 { Reason::NoPayload } else { Reason::DataAfterClose });
    }
    if length == 0 && (!fin || closed) {
        let beyond = ahead > 0 && !mine.has(Direction::ADOPTED);
        return Err(if beyond { Reason::SequenceGap } else { Reason::NoPayload });
    }
    let ends = fin && !closed;
    if ahead < 0 && distance(end, flow.device.acknowledged) <= 0 && !ends {
        scratch.stream.retransmission = 1;
        return Err(Reason::Retransmission);
    }
    if ends && distance(end, mine.next) < 0 {
        // An end in front of bytes that were forwarded.
        return Err(Reason::DuplicateDiffers);
    }
    if mine.has(Direction::ADOPTED)
        && let Some(reason) = unproved(policy, limits.trust_at(now), scratch, ahead)
    {
        return Err(reason);
    }
    set_whole(flow, scratch, length);
    if ahead > 0 {
        return beyond(limits, flow, scratch, end);
    }
    if ahead < 0 {
        let from = later(sequence, flow.device.acknowledged);
        scratch.stream.compare = from;
        scratch.stream.compare_end = if distance(end, limit) < 0 { end } else { limit };
        return Ok(Found::Again);
    }
    if holds(scratch) && forwarded::went_ahead(flow, sequence, end).first != end {
        scratch.stream.compare = sequence;
        scratch.stream.compare_end = sequence;
        return Ok(Found::Again);
    }
    fresh(flow, scratch, sequence, now)
}

/// Nanoseconds in units of 2^20.
#[inline(always)]
pub(super) const fn coarse(now: u64) -> u32 {
    (now >> 20 & 0xffff_ffff) as u32
}

/// The later of two sequence numbers.
#[inline(always)]
pub(super) const fn later(a: u32, b: u32) -> u32 {
    if distance(a, b) < 0 { b } else { a }
}

/// The new bytes of a segment, from `sequence` on, which is what the device expects next.
#[inline(always)]
pub(super) fn fresh(flow: &Flow, scratch: &mut Scratch, sequence: u32, now: u64) -> Result<Found, Reason> {
    let mine = &flow.network;
    if payload_length(&scratch.frame) != 0 && forwarded::vacancy(flow).is_none() {
        if holds(scratch) {
            return Err(Reason::BackPressure);
        }
        scratch.fault(Reason::BackPressure);
        scratch.stream.uncertain = 1;
    }
    if mine.carry_length != 0 && coarse(now) > mine.carried_at.wrapping_add(PATIENCE) {
        scratch.fault(Reason::StalledUnit);
    }
    prepare(mine, scratch, sequence, Commit::Advance);
    if scratch.stream.fresh_length == 0 {
        return Err(Reason::NoPayload);
    }
    if scratch.stream.start >= scratch.stream.end {
        return Err(Reason::Partial);
    }
    Ok(Found::Fresh)
}

/// Units must begin and end where segments do, unless the conduit says otherwise, or the sender asks whether the device
/// has room again: a single byte against a window of none (RFC 9293 3.8.6.1).
#[inline(always)]
pub(super) fn set_whole(flow: &Flow, scratch: &mut Scratch, length: u32) {
    let probe = length == 1 && flow.device.window == 0;
    scratch.stream.whole = (!probe && scratch.path.whole != 0) as u8;
}

/// A segment behind a gap. Held back, or else noted, so that the stream goes on behind it when the gap is filled.
#[inline(always)]
fn beyond(limits: &Limits, flow: &mut Flow, scratch: &mut Scratch, end: u32) -> Result<Found, Reason> {
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    if holds(scratch) && !recorded {
        return Err(Reason::SequenceGap);
    }
    let sequence = scratch.frame.sequence;
    for stretch in &flow.ahead {
        if stretch.first != stretch.end && distance(sequence, stretch.first) >= 0 && distance(end, stretch.end) <= 0 {
            scratch.stream.compare = sequence;
            scratch.stream.compare_end = end;
            return Ok(Found::Again);
        }
    }
    scratch.stream.uncertain = 1;
    if recorded {
        // What a recorder missed never comes, and says nothing about these bytes.
        flow.network.start(sequence, flow.network.flags & Direction::SPOKEN | Direction::MIDSTREAM);
        flow.forget();
        prepare(&flow.network, scratch, sequence, Commit::Advance);
        return if scratch.stream.fresh_length == 0 { Err(Reason::SequenceGap) } else { Ok(Found::Fresh) };
    }
    if scratch.count == 0 {
        scratch.fault(Reason::SequenceGap);
    }
    // Units begin at its first byte, as they do in every segment, or nobody knows where.
    let aligned = Direction { skip: 0, carry_length: 0, flags: Direction::MIDSTREAM, ..Direction::EMPTY };
    prepare(&aligned, scratch, sequence, Commit::Ahead);
    if scratch.stream.fresh_length == 0 { Err(Reason::SequenceGap) } else { Ok(Found::Fresh) }
}

/// A conversation whose units are not known to begin where it is. `Some`: why the segment does not pass.
#[inline(always)]
fn unproved(policy: &Image, trust: Trust, scratch: &mut Scratch, ahead: i32) -> Option<Reason> {
    let refused = resync::refuse(policy, trust, scratch);
    let hold = holds(scratch);
    if hold && refused {
        return Some(Reason::Unsynchronised);
    }
    scratch.stream.unproved = 1;
    if ahead > 0 && hold {
        return Some(Reason::SequenceGap);
    }
    if refused {
        scratch.fault(Reason::Unsynchronised);
        scratch.stream.uncertain = 1;
    }
    None
}

/// Notes a segment that is forwarded.
#[inline(always)]
pub(super) fn commit(flow: &mut Flow, scratch: &Scratch) {
    let stream = &scratch.stream;
    if stream.fresh_length != 0 {
        let sent = Sent { hash: stream.hash, sequence: stream.fresh, length: stream.fresh_length };
        forwarded::remember(flow, sent);
    }
    if stream.commit == Commit::Ahead as u8 {
        // Without an end: what ends the stream must come in its place.
        forwarded::note(flow, stream.fresh, stream.fresh.wrapping_add(stream.fresh_length));
        return;
    }
    resync::learn_inward(flow, scratch);
    let mine = &mut flow.network;
    mine.strikes = 0;
    mine.next = stream.next;
    mine.skip = stream.skip;
    mine.context = stream.context;
    if stream.save_length != 0 && mine.carry_length == 0 {
        mine.carried_at = coarse(mine.seen);
    }
    mine.carry_length = stream.save_length;
    if scratch.frame.tcp_flags & flag::FIN != 0 {
        mine.flags |= Direction::CLOSED;
    }
    forwarded::absorb(flow);
}

/// A segment that was sent again, up to `end`, and is not what was forwarded. True when it is the one too many since the
/// last one that brought new bytes: the conversation is to be reset. What the device has, though it did not pass here, it
/// does not wait for, and its next segment tells the sender so.
#[inline(always)]
pub(super) fn strike(flow: &mut Flow, end: u32) -> bool {
    if flow.device.has(Direction::UNSEEN) && distance(end, flow.device.unseen) <= 0 {
        return false;
    }
    let mine = &mut flow.network;
    mine.strikes = mine.strikes.wrapping_add(1);
    mine.strikes >= STRIKES
}
