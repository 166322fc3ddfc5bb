//! What opens a connection in front of any channel: Hello, Acknowledge, Error, ReverseHello. OPC 10000-6 7.1.2.3 to 7.1.2.6.

use super::frame::{Chunk, kind};
use super::functions::code;
use super::{add, channel, limits, node, number, skip};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::port::Side;
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Reads one of them. Its length must be the one that its strings say.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let chunk = Chunk::of(scratch);
    let reverse = chunk.kind == kind::REVERSE_HELLO;
    let Some(operation) = add(scratch, if reverse { code::REVERSE_HELLO } else { code::HELLO }) else {
        return;
    };
    operation.role = Role::Message as u8;
    operation.access = Access::Session as u8;
    strings(bytes, &chunk, scratch);
    let scratch = scratch.anew();
    let wrong = state(bytes, &chunk, scratch) as u32;
    scratch.nesting.number = wrong;
    let scratch = scratch.anew();
    let (behind, wrong) = (scratch.nesting.at, scratch.nesting.number.to_le_bytes()[0]);
    let from_network = scratch.frame.side == Side::Network as u8;
    let (end, reverse) = (scratch.nesting.end, (scratch.nesting.count & 0x00ff_ffff) == kind::REVERSE_HELLO);
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    operation.fault = wrong;
    if reverse && from_network {
        // A device that takes it becomes the server of whoever sent it.
        operation.flags |= Operation::TURNED;
    }
    if behind != end {
        framing::set_fault(operation, Reason::LengthMismatch);
    }
}

/// Moves `nesting.at` behind the last of its strings.
#[inline(always)]
fn strings<B: Bytes + ?Sized>(bytes: &B, chunk: &Chunk, scratch: &mut Scratch) {
    if chunk.kind == kind::ACKNOWLEDGE {
        return skip(scratch, 28);
    }
    skip(
        scratch,
        match chunk.kind {
            kind::HELLO => 28,
            kind::ERROR => 12,
            _ => 8,
        },
    );
    node::string(bytes, scratch);
    if chunk.kind == kind::REVERSE_HELLO {
        node::string(bytes, scratch.anew());
    }
}

/// What the direction remembers from now on. Returns the reason code of what may not stand here, or 0.
#[inline(always)]
fn state<B: Bytes + ?Sized>(bytes: &B, chunk: &Chunk, scratch: &mut Scratch) -> u8 {
    let context = scratch.stream.context;
    let opener = scratch.path.role == Role::Request as u8;
    let from_network = scratch.frame.side == Side::Network as u8;
    let mut wrong = 0;
    if chunk.kind == kind::HELLO {
        let (receive, send) = buffers(bytes, chunk, scratch);
        scratch.stream.context = channel::HELLO;
        if context & (channel::HELLO | channel::SERVER) != 0 {
            wrong = Reason::InvalidFunction as u8;
        } else if receive < limits::BUFFER || send < limits::BUFFER {
            wrong = Reason::OutOfRange as u8;
        }
    } else if chunk.kind == kind::ACKNOWLEDGE {
        // Whoever opened the connection is the one that asks, unless it said otherwise.
        if opener && from_network && context & channel::REVERSE == 0 {
            wrong = Reason::InvalidFunction as u8;
        } else {
            let (receive, _) = buffers(bytes, chunk, scratch);
            scratch.stream.context = channel::acknowledged(context, receive);
        }
    } else if chunk.kind == kind::REVERSE_HELLO {
        if opener && context == 0 {
            scratch.stream.context = channel::SERVER | channel::REVERSE;
        } else {
            wrong = Reason::InvalidFunction as u8;
        }
    }
    wrong
}

/// Sizes of the buffers that it receives into and sends from.
#[inline(always)]
fn buffers<B: Bytes + ?Sized>(bytes: &B, chunk: &Chunk, scratch: &mut Scratch) -> (u32, u32) {
    let behind = scratch.nesting.at;
    scratch.nesting.at = chunk.at.wrapping_add(12);
    let receive = number(bytes, scratch);
    scratch.nesting.at = chunk.at.wrapping_add(16);
    let send = number(bytes, scratch);
    scratch.nesting.at = behind;
    (receive, send)
}
