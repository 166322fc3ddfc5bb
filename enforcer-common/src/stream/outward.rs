//! Segments from the device: followed as well as they come, and what they prove is noted. A device's answer is never held
//! back for its place: it can do the device no harm.

use super::{Found, holds, payload_length, prepare, resync};
use crate::answer;
use crate::environment::Limits;
use crate::flow::{Direction, Flow, distance};
use crate::operation::Role;
use crate::scratch::{Commit, Frame, Scratch};
use crate::transport::flag;
use crate::verdict::{Mode, Reason};

/// Follows a segment that entered by the device port.
#[inline(always)]
pub(super) fn follow(limits: &Limits, flow: &mut Flow, scratch: &mut Scratch, now: u64) -> Result<Found, Reason> {
    let flags = scratch.frame.tcp_flags;
    flow.device.seen = now;
    open(flow);
    scratch.path.expected = flow.device.next;
    scratch.stream.peer_context = flow.network.context;
    if flags & flag::SYN != 0 {
        synchronise(flow, scratch);
        return Err(Reason::NoPayload);
    }
    if flags & flag::RST != 0 {
        flow.device.flags |= Direction::CLOSED | Direction::RESET;
        return Err(Reason::NoPayload);
    }
    if flow.killed != 0 && scratch.path.mode == Mode::Enforce as u8 {
        return Err(Reason::FlowKilled);
    }
    if flow.device_sync != limits.sync {
        flow.device_sync = limits.sync;
        flow.device.carry_length = 0;
        flow.device.skip = 0;
    }
    heed(flow, scratch);
    place(limits, flow, scratch)
}

/// The device's word on how far it has come, which is what everything toward it hangs on.
#[inline(always)]
pub(super) const fn heed(flow: &mut Flow, scratch: &Scratch) {
    let Frame { acknowledgement, window, tcp_flags, .. } = scratch.frame;
    // Without ACK the number means nothing: what is known stays.
    let acknowledgement = if tcp_flags & flag::ACK != 0 { acknowledgement } else { flow.device.acknowledged };
    hear(flow, acknowledgement, window);
}

/// The same by its numbers.
#[inline(always)]
pub(super) const fn hear(flow: &mut Flow, acknowledgement: u32, window: u16) {
    let (mine, theirs) = (&mut flow.device, &flow.network);
    if distance(acknowledgement, mine.acknowledged) > 0 {
        if distance(acknowledgement, theirs.next) > 0 {
            // Of bytes that did not pass here: nothing that passes may count as old by it.
            mine.unseen = acknowledgement;
            mine.flags |= Direction::UNSEEN;
        } else {
            mine.acknowledged = acknowledgement;
        }
    }
    mine.window = window;
    mine.flags |= Direction::SPOKEN;
}

/// Takes up the numbering of a SYN of the device that the network side has answered.
#[inline(always)]
fn open(flow: &mut Flow) {
    let (mine, theirs) = (&mut flow.device, &flow.network);
    if mine.has(Direction::PENDING) && theirs.has(Direction::CONFIRMED) && theirs.confirmed == mine.pending {
        let next = mine.pending;
        mine.start(next, 0);
        mine.acknowledged = theirs.next;
    }
}

/// The device answers a SYN: from now on the numbering that it offered counts, whichever SYN it was, and whatever numbering
/// counted before. Or it asks for a conversation itself.
#[inline(always)]
fn synchronise(flow: &mut Flow, scratch: &Scratch) {
    let (mine, theirs) = (&mut flow.device, &flow.network);
    let frame = &scratch.frame;
    let first = frame.sequence.wrapping_add(1);
    if frame.tcp_flags & flag::ACK == 0 {
        if !theirs.has(Direction::CONFIRMED) || theirs.confirmed != first {
            mine.pending = first;
            mine.flags |= Direction::PENDING;
        }
        return;
    }
    if !is_at(mine, frame.acknowledgement) {
        if is_the_same_answer(mine, frame) && !theirs.has(Direction::PENDING) {
            if !theirs.has(Direction::ASKED_ONCE) {
                // It may stand where it then stood. What went on from there is known, and nothing else may come again.
                mine.acknowledged = frame.acknowledgement;
            }
            return;
        }
        mine.turn = mine.turn.wrapping_add(1);
    }
    mine.start(first, Direction::CONFIRMED);
    mine.handshake = first;
    mine.confirmed = frame.acknowledgement;
    mine.acknowledged = frame.acknowledgement;
    mine.window = frame.window;
    flow.killed = 0;
}

/// True for a SYN-ACK with the numbers of the one that counted: a copy, which a cable repeated or kept for so long that the
/// device has acknowledged bytes meanwhile. A device begins anew for a SYN alone, so with one only ever passed it is nothing
/// else. With several, of which none came after acknowledged bytes, it may also be the answer to another one.
#[inline(always)]
const fn is_the_same_answer(mine: &Direction, frame: &Frame) -> bool {
    mine.has(Direction::CONFIRMED)
        && mine.confirmed == frame.acknowledgement
        && mine.handshake == frame.sequence.wrapping_add(1)
}

/// True when the device has answered a SYN with this first number, and has acknowledged nothing since: an answer is a
/// copy of that one. A device that has acknowledged bytes and answers again has begun anew.
#[inline(always)]
pub(super) const fn is_at(device: &Direction, first: u32) -> bool {
    device.has(Direction::CONFIRMED) && device.confirmed == first && device.acknowledged == first
}

/// Where the segment lies relative to what came before.
#[inline(always)]
pub(super) fn place(limits: &Limits, flow: &mut Flow, scratch: &mut Scratch) -> Result<Found, Reason> {
    let length = payload_length(&scratch.frame);
    let sequence = scratch.frame.sequence;
    let fin = scratch.frame.tcp_flags & flag::FIN != 0;
    if length == 0 && !fin {
        return Err(Reason::NoPayload);
    }
    let answer = scratch.path.role == Role::Response as u8;
    let hold = holds(scratch) && !answer;
    let mine = &mut flow.device;
    if !mine.has(Direction::SYNCHRONISED) {
        mine.start(sequence, mine.flags & (Direction::SPOKEN | Direction::CLOSED));
    }
    let ahead = distance(sequence, mine.next);
    let mut fresh = sequence;
    let mut odd = None;
    if ahead > 0 {
        odd = Some(Reason::SequenceGap);
        mine.carry_length = 0;
        mine.skip = 0;
    } else if ahead < 0 {
        if ahead.unsigned_abs() >= length {
            scratch.stream.retransmission = (length != 0) as u8;
            return Err(if length == 0 { Reason::NoPayload } else { Reason::Retransmission });
        }
        odd = Some(Reason::Overlap);
        fresh = mine.next;
    }
    if hold && let Some(reason) = odd {
        return Err(reason);
    }
    prepare(mine, scratch, fresh, Commit::Advance);
    if scratch.stream.fresh_length == 0 {
        return Err(Reason::NoPayload);
    }
    if scratch.stream.start >= scratch.stream.end {
        // A device's answer stays an answer, wherever it lies.
        return Err(match odd {
            Some(reason) if !answer => reason,
            _ => Reason::Partial,
        });
    }
    if answer && !flow.network.has(Direction::ADOPTED) && answer::is_let_be(limits, scratch) {
        // Whoever reads the next one takes it up at its first byte.
        scratch.stream.skip = 0;
        return Err(Reason::Response);
    }
    if !answer && let Some(reason) = odd {
        scratch.fault(reason);
        scratch.stream.uncertain = 1;
    }
    Ok(Found::Fresh)
}

/// Notes a segment that is forwarded.
#[inline(always)]
pub(super) fn commit(flow: &mut Flow, scratch: &Scratch) {
    resync::learn_outward(flow, scratch);
    let mine = &mut flow.device;
    mine.next = scratch.stream.next;
    mine.skip = scratch.stream.skip;
    mine.context = scratch.stream.context;
    mine.carry_length = scratch.stream.save_length;
    if scratch.frame.tcp_flags & flag::FIN != 0 {
        mine.flags |= Direction::CLOSED;
    }
}
