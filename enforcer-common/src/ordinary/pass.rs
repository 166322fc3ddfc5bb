//! Segments of which nothing is left to be asked: acknowledgements, answers that nobody reads, and requests that are known.
//! They are most of what control traffic sends, and each costs what it costs to count it and to move its stream on.
//!
//! Enters: an ordinary segment in enforce, with nobody looking on. Leaves: its conversation and the counters, as the stages do.

use super::Judging;
use crate::answer;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::flow::{Direction, Flow};
use crate::head::{Head, TRANSPORT};
use crate::known::{self, Circumstances};
use crate::network::protocol::TCP;
use crate::port::Side;
use crate::scratch::Scratch;
use crate::stream::in_turn;
use crate::transport::Segment;
use crate::verdict::Reason;

/// Lets such a segment of the conversation in a slot pass. False: it is to be read.
#[inline(always)]
pub(super) fn pass<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    side: Side,
    judging: Judging,
    environment: &mut E,
    scratch: &mut Scratch,
    slot: u32,
) -> Option<bool> {
    let segment = Segment::of(head, scratch)?;
    let empty = segment.length() == 0;
    let flow: &mut Flow = environment.same_flow(slot)?;
    let reason = match side {
        Side::Device => {
            if !empty && !answer::is_alone(flow.protocol) {
                return Some(false);
            }
            in_turn::outward(flow, &segment, scratch.now);
            if empty { Reason::NoPayload } else { Reason::Response }
        }
        Side::Network if empty => {
            flow.network.seen = scratch.now;
            Reason::NoPayload
        }
        Side::Network => return request(bytes, head, judging, environment, scratch, slot),
    };
    let conduit = flow.conduit;
    environment.count_known(judging.bank, conduit, None, reason);
    scratch.outcome = reason as u8;
    Some(true)
}

/// The same for one with bytes from the network.
#[inline(always)]
fn request<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    judging: Judging,
    environment: &mut E,
    scratch: &mut Scratch,
    slot: u32,
) -> Option<bool> {
    let length = scratch.frame.payload_end.wrapping_sub(scratch.frame.payload);
    if environment.same_flow(slot)?.client != Side::Network as u8 || !known::fits(length) {
        return Some(false);
    }
    let place = known::place_in(bytes, slot, scratch)?;
    let Some((known, flow)) = environment.known_in(place, slot) else {
        return Some(false);
    };
    let midstream = flow.network.has(Direction::MIDSTREAM);
    let conduit = flow.conduit;
    let here = Circumstances {
        generation: judging.generation,
        slot,
        conduit: length << 16 | conduit as u32,
        ports: u32::from_le_bytes(head.read(TRANSPORT)?),
        context: flow.network.context,
        peer_context: flow.device.context,
        marks: Circumstances::marks(TCP, flow.protocol, flow.terms.whole(), midstream),
        padding: 0,
    };
    let Some(context) = known::recognise::<true, B>(bytes, known, place, scratch, &here) else {
        return Some(false);
    };
    known::count(environment, scratch, judging.bank, conduit);
    let scratch = scratch.anew();
    let segment = Segment::of(head, scratch)?;
    in_turn::inward(environment.same_flow(slot)?, &segment, scratch.stream.hash, context, scratch.now);
    scratch.outcome = Reason::RuleAllow as u8;
    Some(true)
}
