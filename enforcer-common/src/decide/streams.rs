//! The place of a TCP segment in its conversation.

use super::Next;
use super::path::uninspected;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::policy::grant;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::stream::compare::Step;
use crate::stream::{self, Found};
use crate::verdict::{Reason, Verdict};
use crate::{conduit, ordinary};

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
