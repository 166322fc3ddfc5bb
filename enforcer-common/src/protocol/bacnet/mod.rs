//! BACnet/IP: virtual link, network layer and application layer of one datagram.
//!
//! Enters: a datagram's payload. Leaves: an operation per message, with a record per object and property; a virtual link
//! function that carries a message on for somebody else is an operation of its own in front of it. Clauses are of
//! ANSI/ASHRAE Standard 135-2020.
//!
//! Roles are what the message says it is, for both ends of BACnet ask and answer: confirmed requests are requests, what
//! answers them is a response, everything unconfirmed is a message, which rules judge like a request. `unit` is the
//! destination network (DNET), 0 for the local one.

mod answer;
mod application;
pub mod functions;
mod link;
pub mod link_functions;
mod list;
mod network;
mod record;
mod request;
pub mod spaces;
mod tag;
mod value;

use crate::bytes::Bytes;
use crate::scratch::Scratch;

/// Limits of the inspection.
pub mod limits {
    /// Properties of a list, or parts of a constructed value in it, that are read in one step.
    pub const TURNS_PER_STEP: u32 = 4;
    /// Steps; what a list holds beyond them is beyond inspection.
    pub const STEPS: u8 = 14;
}

/// Reads one datagram, a list of properties in steps. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let step = scratch.stream.units;
    scratch.stream.units = step.wrapping_add(1);
    if step != 0 {
        return list::step(bytes, scratch.anew());
    }
    scratch.stream.context = 0;
    scratch.walking.seen = 0;
    link::read(bytes, scratch.anew())
        && network::read(bytes, scratch.anew())
        && application::read(bytes, scratch.anew())
}
