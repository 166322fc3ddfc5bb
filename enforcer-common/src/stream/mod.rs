//! How far each direction of a TCP conversation has come, and which of a segment's bytes are new.
//!
//! Enters: headers, path, checksum and hash. Leaves: the bytes to parse in [`Stream`](crate::scratch::Stream), or the
//! reason why the segment holds none. One invariant is held, and is why the receiver's TCP needs no model: *toward the
//! device at most one byte value is ever forwarded for each sequence number that the device has not acknowledged.* State
//! changes only in [`commit`], for segments that are forwarded, and only in what the frame's own port writes.
//!
//! ```text
//! handshake   no flow yet: SYN, SYN-ACK, what a flow is made from
//! inward      toward the device: in order, or compared with what was forwarded
//! forwarded   what is remembered of the bytes that were forwarded
//! compare     the bytes of a segment that was sent again
//! in_turn     the segment that a direction waits for
//! outward     from the device: followed, never held back
//! resync      conversations that were open before the box came
//! ```

pub mod compare;
mod forwarded;
pub mod handshake;
pub(crate) mod in_turn;
mod inward;
mod outward;
pub mod resync;

use crate::environment::{Environment, Limits};
use crate::flow::{self, Direction, Flow, FlowKey, NO_FLOW, Station};
use crate::policy::{Image, UNCOVERED, rate};
use crate::port::Side;
use crate::scratch::{Commit, Frame, Scratch};
use crate::transport::flag;
use crate::verdict::Reason;

/// What the stream stage leaves to be done.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// New bytes for the protocol's dissector.
    Fresh,
    /// Bytes that must first be compared with what was forwarded: [`compare::step`].
    Again,
    /// The device's word for a conversation, which now gets a flow: [`handshake::claim`].
    New,
    /// A segment of a flow that was made for it: [`follow`].
    Known,
}

/// A minute, in nanoseconds.
const MINUTE: u64 = 60_000_000_000;

/// Finds the new bytes of a segment from `side` whose flow is known.
///
/// # Errors
/// The reason of the whole frame when there is nothing to parse.
#[inline(always)]
pub fn follow<E: Environment>(
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    side: Side,
) -> Result<Found, Reason> {
    let now = scratch.now;
    let limits = environment.limits();
    check(&limits, &scratch.frame)?;
    if side as u8 == Side::Network as u8 && is_opening(&scratch.frame) {
        let limits = environment.limits();
        admit(environment, &limits, &FlowKey::of(&scratch.frame), now)?;
    }
    let flow: &mut Flow = environment.flow(scratch.path.slot).ok_or(Reason::FlowTableFull)?;
    if flow::vlans(&scratch.frame) != flow.vlans {
        return Err(Reason::VlanMismatch);
    }
    match side {
        Side::Network => inward::follow(policy, &limits, flow, scratch, now),
        Side::Device => outward::follow(&limits, flow, scratch, now),
    }
}

/// What makes a segment belong to no conversation: RFC 9293 3.10.7.
#[inline(always)]
fn check(limits: &Limits, frame: &Frame) -> Result<(), Reason> {
    if limits.checksums && frame.wrong_checksum != 0 {
        return Err(Reason::BadChecksum);
    }
    let length = payload_length(frame);
    let flags = frame.tcp_flags;
    // Nearly every segment.
    if flags & (flag::SYN | flag::RST | flag::ACK) == flag::ACK {
        return Ok(());
    }
    let syn = flags & flag::SYN != 0;
    if syn && (flags & (flag::FIN | flag::RST) != 0 || length != 0) {
        return Err(Reason::InvalidFlags);
    }
    if flags & (flag::SYN | flag::RST | flag::ACK) == 0 || (flags & flag::RST != 0 && length != 0) {
        return Err(Reason::InvalidFlags);
    }
    Ok(())
}

#[inline(always)]
pub(crate) const fn payload_length(frame: &Frame) -> u32 {
    frame.payload_end.wrapping_sub(frame.payload)
}

/// SYN without ACK: somebody opens a connection.
#[inline(always)]
pub(crate) const fn is_opening(frame: &Frame) -> bool {
    frame.tcp_flags & (flag::SYN | flag::ACK) == flag::SYN
}

/// Lets a station open a connection, or not.
///
/// # Errors
/// `held_after_resets`, `connection_rate`.
#[inline(always)]
pub(crate) fn admit<E: Environment>(
    environment: &mut E,
    limits: &Limits,
    key: &FlowKey,
    now: u64,
) -> Result<(), Reason> {
    if limits.connection_interval == 0 && limits.resets == 0 {
        return Ok(());
    }
    let Some(station): Option<&mut Station> = environment.station(&key.station()) else {
        return Ok(());
    };
    // A hold that began under what was taken back since is forgiven: the plant must not wait for it to end.
    if now < station.held_until && station.held_until > limits.forgive_before.saturating_add(MINUTE) {
        return Err(Reason::HeldAfterResets);
    }
    if limits.connection_interval != 0
        && !rate::admit(&mut station.budget, now, limits.connection_interval, limits.connection_burst)
    {
        return Err(Reason::ConnectionRate);
    }
    Ok(())
}

/// Marks the new bytes of a segment to be parsed, from the one with sequence number `fresh` on, and what changes when
/// they are forwarded.
#[inline(always)]
fn prepare(mine: &Direction, scratch: &mut Scratch, fresh: u32, commit: Commit) {
    let Scratch { frame, stream, .. } = scratch;
    let end = frame.sequence.wrapping_add(payload_length(frame));
    let length = end.wrapping_sub(fresh);
    let before = fresh.wrapping_sub(frame.sequence);
    let skipped = mine.skip.min(length);
    stream.commit = commit as u8;
    stream.fresh = fresh;
    stream.fresh_length = length;
    stream.next = end.wrapping_add((frame.tcp_flags & flag::FIN != 0) as u32);
    stream.skip = mine.skip.wrapping_sub(skipped);
    stream.start = frame.payload.wrapping_add(before).wrapping_add(skipped);
    stream.end = frame.payload_end;
    stream.assembled = (mine.carry_length != 0) as u8;
    stream.context = mine.context;
    stream.midstream = mine.has(Direction::MIDSTREAM) as u8;
}

/// True where a segment out of its place is kept from its receiver.
#[inline(always)]
fn holds(scratch: &Scratch) -> bool {
    scratch.path.holds != 0
}

/// Forgets where the direction is: its bytes pass without inspection, so none that follow are known to lie in their place.
#[inline(always)]
pub fn lose<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if let Some(flow) = environment.flow(scratch.path.slot) {
        flow.killed = 0;
        match Side::from_code(scratch.frame.side) {
            Side::Network => {
                let end = scratch.frame.sequence.wrapping_add(payload_length(&scratch.frame));
                resync::restart(flow, end, 0);
                flow.forget();
            }
            Side::Device => {
                flow.device.flags = Direction::ADOPTED;
                flow.device.carry_length = 0;
                flow.device.skip = 0;
            }
        }
    }
}

/// Marks the conversation as reset: what its ends still send is denied until a new handshake. A station whose connections
/// are reset again and again is held off; not for those that were open before the box came, which may be many.
#[inline(always)]
pub fn kill<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if scratch.outcome == Reason::FlowKilled as u8 {
        return;
    }
    if let Some(flow) = environment.flow(scratch.path.slot) {
        flow.killed = 1;
    }
    let limits = environment.limits();
    let unseen = scratch.outcome == Reason::Unsynchronised as u8 || scratch.outcome == Reason::FlowTableFull as u8;
    if limits.resets == 0 || unseen || scratch.frame.side != Side::Network as u8 {
        return;
    }
    let now = scratch.now;
    let Some(station) = environment.station(&FlowKey::of(&scratch.frame).station()) else {
        return;
    };
    if now.saturating_sub(station.resets_since) > MINUTE {
        station.resets_since = now;
        station.resets = 0;
    }
    station.resets = station.resets.wrapping_add(1);
    if station.resets >= limits.resets as u64 {
        station.held_until = now.saturating_add(MINUTE);
        station.resets = 0;
        station.resets_since = now;
    }
}

/// Advances the direction that the frame belongs to. Called for frames that are forwarded.
#[inline(always)]
pub fn commit<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    let commit = scratch.stream.commit;
    if commit == Commit::Nothing as u8 {
        return;
    }
    if commit == Commit::Midstream as u8 {
        handshake::note(environment, scratch);
        return;
    }
    if scratch.path.slot == NO_FLOW {
        return;
    }
    if let Some(flow) = environment.flow(scratch.path.slot) {
        // Where no conduit says what is spoken, the dissector may have found out.
        if scratch.path.conduit == UNCOVERED {
            flow.protocol = scratch.path.protocol;
        }
        match Side::from_code(scratch.frame.side) {
            Side::Network => inward::commit(flow, scratch),
            Side::Device => outward::commit(flow, scratch),
        }
    }
    if scratch.stream.save_length != 0 && commit == Commit::Advance as u8 {
        environment.save_carry(scratch);
    }
}
