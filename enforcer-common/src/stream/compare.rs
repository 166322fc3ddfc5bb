//! Bytes toward the device that were sent again: forwarded only when they are the same.
//!
//! Whole entries of the ring are compared, each by its hash. An acknowledgement may have come to lie inside an entry; the
//! entry is compared as a whole all the same, so the segment must hold all of it. What lies below the acknowledgement the
//! device cannot deliver again.

use super::{Found, forwarded, holds, inward};
use crate::bytes::Bytes;
use crate::digest;
use crate::environment::Environment;
use crate::flow::{Direction, Flow, RING, Sent, distance};
use crate::scratch::Scratch;
use crate::transport::flag;
use crate::verdict::Reason;

/// What one step found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Equal so far: the caller comes again.
    More,
    /// Equal, and new bytes follow.
    Fresh,
    /// The whole frame's reason.
    Whole(Reason),
}

/// Compares the next entry. In steps, because the kernel verifies a program's whole loop.
#[inline(always)]
pub fn step<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &mut E, scratch: &mut Scratch) -> Step {
    let scratch = scratch.anew();
    if distance(scratch.stream.compare, scratch.stream.compare_end) >= 0 {
        return rest(bytes, environment, scratch.anew());
    }
    let Some(flow) = environment.flow(scratch.path.slot) else {
        return Step::Whole(Reason::FlowTableFull);
    };
    let entry = find(flow, scratch.stream.compare);
    let reason = match entry {
        Some(sent) if lies_inside(&sent, scratch) => {
            scratch.stream.fresh = sent.sequence;
            scratch.stream.fresh_length = sent.length;
            let (scratch, found) = hash(bytes, environment, scratch);
            if found == sent.hash {
                scratch.stream.compare = sent.end();
                return Step::More;
            }
            Reason::DuplicateDiffers
        }
        _ => Reason::DuplicateUnverified,
    };
    Step::Whole(refuse(environment, scratch.anew(), reason))
}

/// The entry that holds the byte with this sequence number.
#[inline(always)]
fn find(flow: &Flow, at: u32) -> Option<Sent> {
    let mut found = None;
    for index in 0..RING {
        if let Some(sent) = flow.ring.get(index & (RING - 1))
            && sent.length != 0
            && distance(sent.sequence, at) <= 0
            && distance(sent.end(), at) > 0
        {
            found = Some(*sent);
        }
    }
    found
}

#[inline(always)]
fn lies_inside(sent: &Sent, scratch: &Scratch) -> bool {
    let end = scratch.frame.sequence.wrapping_add(super::payload_length(&scratch.frame));
    distance(sent.sequence, scratch.frame.sequence) >= 0 && distance(sent.end(), end) <= 0
}

/// Hash of the segment's bytes that `stream.fresh` marks.
#[inline(always)]
fn hash<'s, B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    environment: &E,
    scratch: &'s mut Scratch,
) -> (&'s mut Scratch, u64) {
    let scratch = scratch.anew();
    let from = scratch.frame.payload.wrapping_add(scratch.stream.fresh.wrapping_sub(scratch.frame.sequence));
    let to = from.wrapping_add(scratch.stream.fresh_length);
    let Some(key) = environment.key() else {
        return (scratch, 0);
    };
    let (scratch, found) = digest::range(bytes, scratch, from, to, 0, Some(key));
    (scratch, found.hash)
}

/// All that was forwarded before is the same: what is left of the segment is new, or nothing is.
#[inline(always)]
fn rest<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &mut E, scratch: &mut Scratch) -> Step {
    scratch.stream.retransmission = 1;
    let end = scratch.frame.sequence.wrapping_add(super::payload_length(&scratch.frame));
    let now = scratch.now;
    let Some(flow) = environment.flow(scratch.path.slot) else {
        return Step::Whole(Reason::FlowTableFull);
    };
    let next = flow.network.next;
    let closes = scratch.frame.tcp_flags & flag::FIN != 0 && !flow.network.has(Direction::CLOSED);
    let ahead = distance(scratch.frame.sequence, next) > 0;
    if ahead || (distance(end, next) <= 0 && !closes) {
        return Step::Whole(Reason::Retransmission);
    }
    if holds(scratch) {
        let again = forwarded::went_ahead(flow, scratch.stream.compare, end);
        if again.first != again.end {
            scratch.stream.compare = again.first;
            scratch.stream.compare_end = again.end;
            return Step::More;
        }
    }
    scratch.stream.retransmission = 0;
    match inward::fresh(flow, scratch, next, now) {
        Ok(Found::Fresh | Found::Again | Found::New | Found::Known) => {}
        Err(reason) => return Step::Whole(reason),
    }
    let (scratch, found) = hash(bytes, environment, scratch);
    scratch.stream.hash = found;
    Step::Fresh
}

/// Not the same. After some of these the conversation is reset: its sender can't go on any more, and its device should
/// not wait for it.
#[inline(always)]
fn refuse<E: Environment>(environment: &mut E, scratch: &mut Scratch, reason: Reason) -> Reason {
    let end = scratch.frame.sequence.wrapping_add(super::payload_length(&scratch.frame));
    if let Some(flow) = environment.flow(scratch.path.slot) {
        scratch.stream.strike = inward::strike(flow, end) as u8;
    }
    reason
}
