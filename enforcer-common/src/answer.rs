//! Answers that nobody reads. Nothing is judged in what a device answers, and in enforce nothing of it is written down:
//! where no later decision hangs on it either, its bytes are followed and not looked at.
//!
//! Read all the same are answers of a conversation that has yet to prove where its units begin, in a capture, and where the
//! device's health or a candidate policy wants to know; and those of protocols whose requests are read by what was answered
//! before.

use crate::environment::{Limits, Trust};
use crate::operation::Role;
use crate::policy::UNCOVERED;
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Mode;

/// A bit for each protocol whose answers stand alone, see [`crate::protocol::Tables::lone_answers`].
const LONE: u64 = {
    let mut bits = 0;
    let mut rest = Protocol::ALL;
    while let [protocol, tail @ ..] = rest {
        if protocol.tables().lone_answers {
            bits |= 1 << *protocol as u8;
        }
        rest = tail;
    }
    bits
};

/// True when the frame at hand, whose bytes are new, is an answer that need not be read.
#[must_use]
#[inline(always)]
pub const fn is_let_be(limits: &Limits, scratch: &Scratch) -> bool {
    let Scratch { frame, path, .. } = scratch;
    let other =
        (path.mode ^ Mode::Enforce as u8) | (path.role ^ Role::Response as u8) | (frame.side ^ Side::Device as u8);
    other == 0
        && scratch.looked_on == 0
        && scratch.count == 0
        && path.conduit != UNCOVERED
        && is_alone(path.protocol)
        && limits.trust as u8 != Trust::Whole as u8
}

/// True for a protocol, by its code, whose answers stand alone.
#[must_use]
#[inline(always)]
pub const fn is_alone(protocol: u8) -> bool {
    LONE >> (protocol & 63) & 1 != 0
}
