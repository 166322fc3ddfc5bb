//! What comes next in a message, and what becomes of one that cannot be read to its end.

use super::functions::space;
use super::services::shape;
use crate::operation::NO_OBJECT;
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// A chunk.
pub(super) const UNIT: u32 = 0;
/// The authentication token that a request header begins with.
pub(super) const HEADER: u32 = 1;
/// What stands behind the request header.
pub(super) const SERVICE: u32 = 2;
/// A node of a list.
pub(super) const NODE: u32 = 3;
/// The characters of its identifier.
pub(super) const NAME: u32 = 4;
/// What stands behind it.
pub(super) const BEHIND: u32 = 5;
/// A variant.
pub(super) const VARIANT: u32 = 6;
/// Its elements.
pub(super) const ELEMENT: u32 = 7;
/// What stands behind its elements.
pub(super) const VALUED: u32 = 8;
/// Bits that say what comes next.
pub(super) const NEXT: u32 = 15;

/// All of the message is here.
pub(super) const WHOLE: u32 = 16;
/// What is left is the value of the last node.
pub(super) const TARGETED: u32 = 32;
/// Nobody has seen how the channel was opened: a signature may stand at the end.
pub(super) const UNSEEN: u32 = 64;
/// The node at hand is a method.
pub(super) const METHOD: u32 = 128;

/// Something that was skipped is none of what may stand there.
pub(super) const WRONG: u32 = 256;

/// Says what comes next.
#[inline(always)]
pub(super) fn go_on(scratch: &mut Scratch, next: u32) {
    scratch.nesting.state = (scratch.nesting.state & !NEXT) | next;
}

/// The message is none that the standard knows.
#[inline(always)]
pub(super) fn malformed(scratch: &mut Scratch) {
    go_on(scratch, UNIT);
    framing::fault(scratch, Reason::MalformedFraming);
}

/// After parts were skipped: were they what may stand there, and are they here?
#[inline(always)]
pub(super) fn check(scratch: &mut Scratch) {
    if scratch.nesting.state & WRONG != 0 {
        malformed(scratch);
    } else if scratch.nesting.at > super::here(scratch) {
        short(scratch);
    }
}

/// What comes next is not here.
#[inline(always)]
pub(super) fn short(scratch: &mut Scratch) {
    if scratch.nesting.state & WHOLE != 0 {
        go_on(scratch, UNIT);
        framing::fault(scratch, Reason::LengthMismatch);
    } else if scratch.nesting.state & TARGETED != 0 {
        go_on(scratch, UNIT);
    } else {
        beyond(scratch);
    }
}

/// What comes next is not walked. A request that only reads then has an object more, which no rule covers that names nodes;
/// nothing that changes anything passes unread.
#[inline(always)]
pub(super) fn beyond(scratch: &mut Scratch) {
    go_on(scratch, UNIT);
    let shape = scratch.nesting.unit;
    if shape == shape::READ as u32 || shape == shape::MONITOR as u32 {
        unlisted(scratch);
    } else if shape >= shape::WRITE as u32 {
        framing::fault(scratch, Reason::BeyondInspection);
    }
}

#[inline(always)]
fn unlisted(scratch: &mut Scratch) {
    let first = framing::last(scratch).is_some_and(|last| last.space == NO_OBJECT);
    let part = if first { framing::last(scratch) } else { framing::continued(scratch) };
    if let Some(part) = part {
        part.space = space::UNLISTED;
        part.first = 0;
        part.last = 0;
    }
}

/// Behind the last part of a message: nothing may be left but what signs it.
#[inline(always)]
pub(super) fn finish(scratch: &mut Scratch) {
    let state = scratch.nesting.state;
    go_on(scratch, UNIT);
    let left = scratch.nesting.end.wrapping_sub(scratch.nesting.at);
    let signed = left == super::channel::SHORT_SIGNATURE || left == super::channel::LONG_SIGNATURE;
    if state & WHOLE != 0 && left != 0 && !(state & UNSEEN != 0 && signed) {
        framing::fault(scratch, Reason::LengthMismatch);
    }
}
