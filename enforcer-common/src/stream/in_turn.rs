//! The segment that a direction waits for, where nothing else is to be thought of: what [`super::follow`] would leave of it,
//! without a look at what it is not.

use super::{forwarded, inward, outward, payload_length, prepare};
use crate::answer;
use crate::environment::Limits;
use crate::flow::{Direction, Flow, Sent, before};
use crate::port::Side;
use crate::scratch::{Commit, Scratch};
use crate::transport::Segment;
use crate::verdict::Reason;

/// True when a segment is the one that its direction waits for. It has ACK and no other flag that has a meaning.
#[inline(always)]
pub(crate) fn is_next(limits: &Limits, flow: &Flow, side: Side, segment: &Segment) -> bool {
    let Segment { sequence, acknowledgement, .. } = *segment;
    let Flow { network, device, .. } = flow;
    match side {
        Side::Network => {
            const STATE: u32 = Direction::SYNCHRONISED
                | Direction::SPOKEN
                | Direction::PENDING
                | Direction::CLOSED
                | Direction::ADOPTED;
            let state = (network.flags & STATE) ^ (Direction::SYNCHRONISED | Direction::SPOKEN)
                | (device.flags & Direction::SYNCHRONISED) ^ Direction::SYNCHRONISED;
            let seen = (network.turn ^ device.turn) as u32 | (flow.network_sync ^ limits.sync) as u32;
            let under_way = network.carry_length | network.skip | (flow.killed | flow.strays) as u32;
            let place = sequence ^ network.next | before(device.next, acknowledgement);
            let unseen = device.flags & Direction::UNSEEN != 0 && before(network.next, device.unseen) != 0;
            state | seen | under_way | place == 0 && !unseen && (segment.length() == 0 || forwarded::has_room(flow))
        }
        Side::Device => {
            const STATE: u32 = Direction::SYNCHRONISED | Direction::PENDING;
            let state = (device.flags & STATE) ^ Direction::SYNCHRONISED | network.flags & Direction::ADOPTED;
            let seen = (flow.client ^ Side::Network as u8) as u32 | (flow.device_sync ^ limits.sync) as u32;
            let under_way = device.carry_length | device.skip | flow.killed as u32;
            state | seen | under_way | sequence ^ device.next == 0
        }
    }
}

/// Marks its bytes, if it has some, and notes what it says.
///
/// # Errors
/// `no_payload`; `response` for an answer that nobody reads.
#[inline(always)]
pub(crate) fn take(
    limits: &Limits,
    flow: &mut Flow,
    scratch: &mut Scratch,
    side: Side,
    now: u64,
) -> Result<(), Reason> {
    let length = payload_length(&scratch.frame);
    let sequence = scratch.frame.sequence;
    match side {
        Side::Network => {
            flow.network.seen = now;
            scratch.path.expected = sequence;
            scratch.stream.peer_context = flow.device.context;
            if length == 0 {
                return Err(Reason::NoPayload);
            }
            inward::set_whole(flow, scratch, length);
            prepare(&flow.network, scratch, sequence, Commit::Advance);
        }
        Side::Device => {
            flow.device.seen = now;
            scratch.path.expected = sequence;
            scratch.stream.peer_context = flow.network.context;
            outward::heed(flow, scratch);
            if length == 0 {
                return Err(Reason::NoPayload);
            }
            prepare(&flow.device, scratch, sequence, Commit::Advance);
            if answer::is_let_be(limits, scratch) {
                return Err(Reason::Response);
            }
        }
    }
    Ok(())
}

/// Notes such a segment toward the device, which is forwarded: what [`take`] and [`super::commit`] leave of one with bytes that
/// need not be read, where they end with a unit. `context` is what the dissector knows behind it.
#[inline(always)]
pub(crate) fn inward(flow: &mut Flow, segment: &Segment, hash: u64, context: u32, now: u64) {
    let sent = Sent { hash, sequence: segment.sequence, length: segment.length() };
    forwarded::remember_next(flow, sent);
    let mine = &mut flow.network;
    mine.seen = now;
    mine.strikes = 0;
    mine.next = segment.sequence.wrapping_add(segment.length());
    mine.context = context;
}

/// The same of a segment from the device.
#[inline(always)]
pub(crate) fn outward(flow: &mut Flow, segment: &Segment, now: u64) {
    outward::hear(flow, segment.acknowledgement, segment.window);
    flow.device.seen = now;
    flow.device.next = segment.sequence.wrapping_add(segment.length());
}
