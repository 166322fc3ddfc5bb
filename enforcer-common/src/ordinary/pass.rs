//! Segments of which nothing is left to be asked: acknowledgements, answers that nobody reads, and requests that are known.
//! They are most of what control traffic sends, and each costs what it costs to count it and to move its stream on.
//!
//! Enters: an ordinary segment in enforce, with nobody looking on. Leaves: its conversation and the counters, as the stages do.

use super::Following;
use crate::answer;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::flow::{Direction, Flow};
use crate::head::{Head, TRANSPORT};
use crate::known::{self, Circumstances};
use crate::network::protocol::TCP;
use crate::policy::Image;
use crate::port::Side;
use crate::scratch::Scratch;
use crate::stream::in_turn;
use crate::verdict::Reason;

/// Lets such a segment pass. False: it is to be read.
#[inline(always)]
pub(super) fn pass<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    next: &Following,
) -> Option<bool> {
    let Following { segment, slot, resolved, .. } = *next;
    let (bank, conduit) = (policy.header.bank, resolved.conduit);
    let empty = segment.length() == 0;
    let reason = match side {
        Side::Device => {
            if !empty && !answer::is_alone(resolved.protocol) {
                return Some(false);
            }
            in_turn::outward(environment.flow(slot)?, &segment, scratch.now);
            if empty { Reason::NoPayload } else { Reason::Response }
        }
        Side::Network if empty => {
            environment.flow(slot)?.network.seen = scratch.now;
            Reason::NoPayload
        }
        Side::Network => return request(bytes, head, policy, environment, scratch, next),
    };
    environment.count_known(bank, conduit, None, reason);
    scratch.outcome = reason as u8;
    Some(true)
}

/// The same for one with bytes from the network.
#[inline(always)]
fn request<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
    next: &Following,
) -> Option<bool> {
    let Following { segment, slot, resolved, terms } = *next;
    if resolved.client as u8 != Side::Network as u8 || !known::fits(segment.length()) {
        return Some(false);
    }
    let flow: &mut Flow = environment.flow(slot)?;
    let here = Circumstances {
        generation: policy.header.generation,
        slot,
        conduit: segment.length() << 16 | resolved.conduit as u32,
        ports: (head.u16(const { TRANSPORT + 2 })? as u32) << 16 | head.u16(TRANSPORT)? as u32,
        context: flow.network.context,
        peer_context: flow.device.context,
        marks: Circumstances::marks(TCP, resolved.protocol, terms.whole(), flow.network.has(Direction::MIDSTREAM)),
        padding: 0,
    };
    let Some(context) = known::recognise(bytes, environment, scratch, &here, segment.payload, segment.end) else {
        return Some(false);
    };
    known::count(environment, scratch, policy.header.bank, resolved.conduit);
    let scratch = scratch.anew();
    in_turn::inward(environment.flow(slot)?, &segment, scratch.stream.hash, context, scratch.now);
    scratch.outcome = Reason::RuleAllow as u8;
    Some(true)
}
