//! How far each direction of a TCP conversation has come, and which of a segment's bytes are new.
//!
//! Enters: headers and path. Leaves: the bytes to parse in [`Stream`], or the reason why the segment holds none. State
//! changes only in [`commit`], for segments that are forwarded, and only in the direction that the frame's own port writes.
//! RFC 9293 3.4 and 3.10.

use crate::action::OnDeny;
use crate::environment::Environment;
use crate::flow::{Direction, Flow};
use crate::operation::Role;
use crate::policy::{Image, OnUnsynchronised, UNCOVERED};
use crate::port::Side;
use crate::scratch::{Frame, Scratch};
use crate::transport::flag;
use crate::verdict::{Mode, Reason};

/// Finds the new bytes of a segment. Fills `scratch.stream`.
///
/// # Errors
/// The reason of the whole frame when there is nothing to parse: `no_payload`, `retransmission`, `sequence_gap`, `overlap`,
/// `unsynchronised`, `invalid_flags`, `flow_killed`, `flow_table_full`.
#[inline(always)]
pub fn follow<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Result<(), Reason> {
    let now = environment.now();
    let frame = &scratch.frame;
    let length = frame.payload_end.wrapping_sub(frame.payload);
    let flags = frame.tcp_flags;
    check_flags(flags, length)?;
    let flow: &mut Flow = environment.flow(scratch.path.slot).ok_or(Reason::FlowTableFull)?;
    let side = Side::from_code(frame.side);
    if answers(flow.directions(side).1, frame) {
        flow.killed = 0;
    }
    let killed = flow.killed != 0;
    let (mine, theirs) = flow.directions(side);
    mine.seen = now;

    open(mine, theirs);
    if flags & flag::SYN != 0 {
        synchronise(mine, theirs, frame);
        return Err(Reason::NoPayload);
    }
    if flags & flag::RST != 0 {
        mine.flags |= Direction::CLOSED | Direction::RESET;
        return Err(Reason::NoPayload);
    }
    if killed && scratch.path.mode == Mode::Enforce as u8 {
        return Err(Reason::FlowKilled);
    }
    if flags & flag::FIN != 0 {
        mine.flags |= Direction::CLOSED;
    }
    if length == 0 {
        return Err(Reason::NoPayload);
    }
    if let Some(reason) = place(policy, mine, scratch, length)? {
        // A record without function stands for what is wrong with the segment's place.
        scratch.fault(reason);
    }
    Ok(())
}

/// Forgets where the direction is: its bytes pass without inspection, so none that follow are known to lie in their place.
#[inline(always)]
pub fn lose<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if let Some(flow) = environment.flow(scratch.path.slot) {
        flow.killed = 0;
        let (mine, _) = flow.directions(Side::from_code(scratch.frame.side));
        mine.flags = 0;
        mine.carry_length = 0;
        mine.skip = 0;
    }
}

/// Flags that belong to no conversation, and data in a SYN.
#[inline(always)]
fn check_flags(flags: u8, length: u32) -> Result<(), Reason> {
    let syn = flags & flag::SYN != 0;
    if syn && (flags & (flag::FIN | flag::RST) != 0 || length != 0) {
        return Err(Reason::InvalidFlags);
    }
    if flags & (flag::SYN | flag::RST | flag::ACK) == 0 {
        return Err(Reason::InvalidFlags);
    }
    Ok(())
}

/// True for the SYN-ACK to a SYN that came from the other side. No other SYN-ACK changes anything: a client can send one,
/// and a late copy would turn the numbering back.
#[inline(always)]
fn answers(theirs: &Direction, frame: &Frame) -> bool {
    frame.tcp_flags & (flag::SYN | flag::ACK) == flag::SYN | flag::ACK
        && theirs.flags & Direction::PENDING != 0
        && theirs.pending == frame.acknowledgement
}

/// A SYN starts nothing by itself: the numbering it offers counts when the other side's SYN-ACK acknowledges it. A copy of
/// the SYN that was answered last offers nothing.
#[inline(always)]
fn synchronise(mine: &mut Direction, theirs: &Direction, frame: &Frame) {
    let first = frame.sequence.wrapping_add(1);
    if answers(theirs, frame) {
        mine.next = first;
        mine.confirmed = frame.acknowledgement;
        mine.carry_length = 0;
        mine.skip = 0;
        mine.flags = Direction::SYNCHRONISED | Direction::CONFIRMED;
    } else if frame.tcp_flags & flag::ACK == 0
        && (theirs.flags & Direction::CONFIRMED == 0 || theirs.confirmed != first)
    {
        mine.pending = first;
        mine.flags |= Direction::PENDING;
    }
}

/// Takes up the numbering of a SYN that the other side has answered.
#[inline(always)]
fn open(mine: &mut Direction, theirs: &Direction) {
    if mine.flags & Direction::PENDING != 0
        && theirs.flags & Direction::CONFIRMED != 0
        && theirs.confirmed == mine.pending
    {
        mine.next = mine.pending;
        mine.carry_length = 0;
        mine.skip = 0;
        mine.flags = Direction::SYNCHRONISED;
    }
}

/// Where the segment lies relative to what was forwarded. Ok(Some(reason)): parsed all the same, because nothing may be
/// held back, but it is not where it should be. A device's answer is never held back for that: it can do the device no
/// harm, and a device that repeats old bytes together with new ones would not get through.
#[inline(always)]
fn place(policy: &Image, mine: &mut Direction, scratch: &mut Scratch, length: u32) -> Result<Option<Reason>, Reason> {
    let Scratch { frame, path, stream, .. } = scratch;
    let answer = path.role == Role::Response as u8 && frame.side == Side::Device as u8;
    // What no conduit covers gets the policy's default, whatever its place.
    let hold = path.mode == Mode::Enforce as u8 && !answer && path.conduit != UNCOVERED;
    let mut gap = None;
    let mut fresh = 0;
    if mine.flags & Direction::SYNCHRONISED == 0 {
        let on = policy.header.on_unsynchronised;
        if on != OnUnsynchronised::Resync as u8 {
            path.on_deny = if on == OnUnsynchronised::Reset as u8 { OnDeny::Reset } else { OnDeny::Drop } as u8;
            return Err(Reason::Unsynchronised);
        }
        adopt(mine, frame.sequence);
        mine.flags |= Direction::ADOPTED;
    }
    let ahead = frame.sequence.wrapping_sub(mine.next).cast_signed();
    if ahead > 0 {
        if hold {
            return Err(Reason::SequenceGap);
        }
        gap = Some(Reason::SequenceGap);
        adopt(mine, frame.sequence);
    } else if ahead < 0 {
        fresh = ahead.unsigned_abs();
        if fresh >= length {
            stream.retransmission = 1;
            return Err(Reason::Retransmission);
        }
        if hold {
            return Err(Reason::Overlap);
        }
        gap = Some(Reason::Overlap);
    }

    let skipped = mine.skip.min(length.wrapping_sub(fresh));
    stream.commit = 1;
    stream.next = frame.sequence.wrapping_add(length).wrapping_add((frame.tcp_flags & flag::FIN != 0) as u32);
    stream.skip = mine.skip.wrapping_sub(skipped);
    stream.start = frame.payload.wrapping_add(fresh).wrapping_add(skipped);
    stream.end = frame.payload_end;
    stream.assembled = (mine.carry_length != 0) as u8;
    if stream.start >= stream.end {
        // A device's answer stays an answer, wherever it lies.
        return Err(match gap {
            Some(reason) if !answer => reason,
            _ => Reason::Partial,
        });
    }
    Ok(gap)
}

#[inline(always)]
fn adopt(mine: &mut Direction, sequence: u32) {
    mine.next = sequence;
    mine.carry_length = 0;
    mine.skip = 0;
    mine.flags |= Direction::SYNCHRONISED;
}

/// Marks the conversation as reset: what its ends still send is denied until a new handshake.
#[inline(always)]
pub fn kill<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if let Some(flow) = environment.flow(scratch.path.slot) {
        flow.killed = 1;
    }
}

/// Advances the direction that the frame belongs to. Called for frames that are forwarded.
#[inline(always)]
pub fn commit<E: Environment>(environment: &mut E, scratch: &Scratch) {
    let stream = &scratch.stream;
    if stream.commit == 0 {
        return;
    }
    if let Some(flow) = environment.flow(scratch.path.slot) {
        let (mine, _) = flow.directions(Side::from_code(scratch.frame.side));
        mine.next = stream.next;
        mine.skip = stream.skip;
        mine.carry_length = stream.save_length;
    }
    if stream.save_length != 0 {
        environment.save_carry(scratch);
    }
}
