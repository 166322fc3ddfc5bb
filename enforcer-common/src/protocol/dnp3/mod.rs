//! DNP3 over TCP and UDP: link frames, transport segments, application fragments, objects.
//!
//! Enters: bytes in stream order, from the start of a link frame. Leaves: operations, and which bytes the next segment
//! continues. Clauses are of IEEE 1815-2012. The unit of an operation is the outstation's address: the destination of what
//! a master sends, the source of what an outstation sends.
//!
//! A step makes a few turns, and a turn does one thing of a frame: its header, some of its blocks, the beginning of its
//! fragment, one object header, or one object with a prefix. Where it is in the frame lies in `scratch.walking`:
//!
//! ```text
//! at     next byte, counted in user data: blocks without their checksums
//! end    bytes of user data in the frame
//! seen   what the next turn does, and the bits of [`state`]
//! ```
//!
//! What a fragment leaves for the segments behind it lies in `stream.context`, see [`context`].

mod context;
mod crc;
mod fragment;
pub mod functions;
mod link;
mod objects;
mod sizes;
mod user;
mod values;

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::network;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Limits of the standard, and of what is walked.
pub mod limits {
    /// Most turns that one segment takes: the kernel has tail calls for 13 steps. A full frame takes 12, one without user
    /// data 2; more in a segment is beyond inspection.
    pub const TURNS_PER_SEGMENT: u8 = 104;
    /// Turns of one step.
    pub const TURNS_PER_STEP: u32 = 8;
    /// Blocks whose checksums are taken in one turn.
    pub const BLOCKS_PER_TURN: u32 = 2;
    /// Header of a link frame with its checksum, 9.2.4.1.
    pub const HEADER: u32 = 10;
    /// Smallest value of the length octet: control, destination and source, 9.2.4.1.2.
    pub const LENGTH_MIN: u32 = 5;
    /// Bytes of an outstation's frame that say all that is reported of it: header and first block.
    pub const HEAD_RESPONSE: u32 = 28;
    /// Most objects with a prefix of one object header that are walked; more is beyond inspection.
    pub const PREFIXED: u32 = 32;
    /// Most bytes of an object that go on in the next segments; fragments of more are beyond inspection.
    pub const REST: u32 = 0xfff;
    /// Addresses from here on are no single outstation's: reserved, self-address, broadcast, 4.1.5.
    pub const FIRST_RESERVED: u32 = 0xfff0;
    /// Of those, the self-address is the first that is not reserved.
    pub const SELF_ADDRESS: u32 = 0xfffc;
}

/// The bits of `scratch.walking.seen`.
mod state {
    /// What the next turn does.
    pub(super) const TURN: u32 = 7;
    /// A link header.
    pub(super) const LINK: u32 = 0;
    /// Checksums of blocks.
    pub(super) const BLOCKS: u32 = 1;
    /// Transport and application header.
    pub(super) const FRAGMENT: u32 = 2;
    /// An object header.
    pub(super) const HEADER: u32 = 3;
    /// An object with a prefix.
    pub(super) const OBJECT: u32 = 4;
    /// The last record stands for the request, and still has no object range.
    pub(super) const EMPTY: u32 = 8;
    /// The last transport segment of the fragment.
    pub(super) const FINAL: u32 = 16;
    /// The prefix is the object's size, else its index.
    pub(super) const SIZED: u32 = 32;
    /// Not the first transport segment of the fragment.
    pub(super) const LATER: u32 = 64;
    /// Objects are written out behind the header at hand.
    pub(super) const WRITTEN: u32 = 128;
    /// Bytes of the prefix: 1, 2 or 4.
    pub(super) const PREFIX: u32 = 8;
    /// Bytes of the object behind it.
    pub(super) const SIZE: u32 = 16;
    /// How many of them are left.
    pub(super) const LEFT: u32 = 24;
}

/// Reads frames from `stream.start` to `stream.end`. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.walking = Walking::default();
    }
    for _ in 0..limits::TURNS_PER_STEP {
        let scratch = scratch.anew();
        if scratch.stream.units >= limits::TURNS_PER_SEGMENT {
            return link::stop(scratch, Reason::BeyondInspection);
        }
        scratch.stream.units = scratch.stream.units.wrapping_add(1);
        let more = match scratch.walking.seen & state::TURN {
            state::LINK => link::header(bytes, scratch),
            state::BLOCKS => link::blocks(bytes, scratch),
            state::FRAGMENT => fragment::begin(bytes, scratch),
            state::HEADER => objects::header(bytes, scratch),
            _ => objects::object(bytes, scratch),
        };
        // Written down and read back: the paths through the turns join.
        let scratch = scratch.anew();
        scratch.walking.found = more as u32;
        let scratch = scratch.anew();
        if scratch.walking.found == 0 {
            return false;
        }
    }
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Leaves the frame behind. True: there may be another one.
#[inline(always)]
fn finish(scratch: &mut Scratch) -> bool {
    let size = user::size(scratch.walking.end);
    let remaining = scratch.stream.end.wrapping_sub(scratch.stream.start);
    scratch.stream.start = scratch.stream.start.wrapping_add(size);
    scratch.stream.skip = size.saturating_sub(remaining);
    scratch.walking.seen = state::LINK;
    true
}

/// Leaves the frame behind whose fragment can't be followed: nothing continues it.
#[inline(always)]
fn abandon(scratch: &mut Scratch) -> bool {
    scratch.stream.context = 0;
    finish(scratch)
}

/// A record of this protocol. `None`, and the fault noted, when there is no room.
#[inline(always)]
fn add(scratch: &mut Scratch, role: Role, function: u32) -> Option<&mut Operation> {
    if scratch.count >= crate::scratch::MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Dnp3 as u8;
    operation.role = role as u8;
    operation.function = function;
    operation.flags = Operation::OTHER_FUNCTION;
    Some(operation)
}

/// The last record. The index is one that the compiler knows nothing of, so that the mask stays where the verifier sees it.
#[inline(always)]
fn last(scratch: &mut Scratch) -> Option<&mut Operation> {
    let index = black_box(scratch.count.wrapping_sub(1));
    scratch.operation_mut(index)
}

/// Puts a fault on a record that has none.
#[inline(always)]
fn blame(operation: &mut Operation, reason: Reason) {
    if operation.fault == 0 {
        operation.fault = reason as u8;
    }
}

#[inline(always)]
fn is_datagram(scratch: &Scratch) -> bool {
    scratch.frame.transport_protocol == network::protocol::UDP
}

/// True for bytes toward the device from who opened the conversation: a master, which nothing an outstation says is due to.
#[inline(always)]
fn is_from_client(scratch: &Scratch) -> bool {
    scratch.path.role == Role::Request as u8 && scratch.frame.side == Side::Network as u8
}
