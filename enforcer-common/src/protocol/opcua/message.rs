//! CloseSecureChannel and messages: who speaks, on which channel, and which service it is. OPC 10000-6 6.7.2.

use super::channel::{LONG_SIGNATURE, SHORT_SIGNATURE, hidden};
use super::frame::{self, Chunk, kind};
use super::functions::code;
use super::{add, channel, fetch, here, limits, node, number, services, shape, skip, step};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::port::Side;
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// A chunk of a message, or the end of a channel.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    skip(scratch, 20);
    scratch.nesting.transaction = number(bytes, scratch);
    skip(scratch, 4);
    let chunk = Chunk::of(scratch);
    let (context, request) = (scratch.stream.context, scratch.nesting.transaction);
    if chunk.kind == kind::MESSAGE && channel::goes_on(context, request) {
        if chunk.part != frame::INTERMEDIATE {
            scratch.stream.context = channel::complete(context);
        }
        return;
    }
    if channel::is_open(context) {
        // Servers differ in what they make of a message inside another one.
        scratch.fault(Reason::MalformedFraming);
        return;
    }
    let scratch = scratch.anew();
    if chunk.part == frame::FINAL && scratch.stream.units == 1 {
        // Sequence number and request id, to which no other chunk belongs.
        scratch.leave_out::<0>(chunk.at.wrapping_add(16), u64::MAX);
    }
    let scratch = scratch.anew();
    scratch.nesting.purpose = if channel::asks(scratch) { channel::hides(context) } else { hidden::NO };
    let first = fetch(bytes, scratch);
    scratch.nesting.number = node::service(first);
    skip(scratch, node::size(first));
    let scratch = scratch.anew();
    if scratch.nesting.at > here(scratch) {
        scratch.nesting.number = u32::MAX;
    }
    let chunk = Chunk::of(scratch);
    let scratch = scratch.anew();
    let known = services::of(scratch.nesting.number).shape != shape::UNKNOWN;
    if known && scratch.nesting.purpose != hidden::OTHER && chunk.part != frame::ABORT {
        service(bytes, scratch);
    } else {
        unknown(scratch);
    }
}

/// A chunk in which no service of the standard can be read.
#[inline(always)]
fn unknown(scratch: &mut Scratch) {
    let chunk = Chunk::of(scratch);
    let asks = channel::asks(scratch);
    let (hides, service) = (scratch.nesting.purpose, scratch.nesting.number);
    let unseen = hides == hidden::NO && (scratch.stream.midstream != 0 || !asks);
    let secured = hides > hidden::PLAIN || unseen;
    let request = scratch.nesting.transaction;
    let Some(operation) = add(scratch, code::SECURED) else {
        return;
    };
    operation.role = if asks { Role::Request } else { Role::Response } as u8;
    if secured {
        if chunk.kind == kind::CLOSE {
            operation.function = code::CLOSE;
            operation.access = Access::Session as u8;
        }
        return;
    }
    operation.transaction = request;
    operation.function = service;
    if chunk.part == frame::ABORT {
        operation.fault = Reason::MalformedFraming as u8;
    } else if service == u32::MAX || hides == hidden::NO || chunk.kind == kind::CLOSE {
        operation.fault = Reason::InvalidFunction as u8;
    }
}

/// The first chunk of a service of the standard.
#[inline(always)]
fn service<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    scratch.nesting.size = placed(scratch) as u32;
    let scratch = scratch.anew();
    let row = services::of(scratch.nesting.number);
    let (access, laid_out) = (row.access, row.shape);
    scratch.nesting.unit = laid_out as u32;
    let (number, request) = (scratch.nesting.number, scratch.nesting.transaction);
    let wrong = scratch.nesting.size.to_le_bytes()[0];
    let from_device = is_from_device(scratch);
    let Some(operation) = add(scratch, number) else {
        return;
    };
    operation.access = access;
    operation.transaction = request;
    let answers = laid_out == shape::ANSWER;
    operation.role = if answers { Role::Response } else { Role::Request } as u8;
    if from_device && !answers {
        operation.flags |= Operation::TURNED;
    }
    operation.fault = wrong;
    if wrong != 0 {
        return;
    }
    let scratch = scratch.anew();
    if scratch.nesting.unit == shape::ANSWER as u32 {
        status(bytes, scratch);
    } else if scratch.nesting.unit != shape::OPEN_ENDED as u32 && !is_from_device(scratch) {
        let hides = scratch.nesting.purpose;
        walk(scratch, hides);
    }
}

/// True for an answer on its way out.
#[inline(always)]
fn is_from_device(scratch: &Scratch) -> bool {
    scratch.path.role == Role::Response as u8 && scratch.frame.side == Side::Device as u8
}

/// Reason code of why this service may not stand here, or 0. The first chunk of several is noted.
#[inline(always)]
fn placed(scratch: &mut Scratch) -> u8 {
    let chunk = Chunk::of(scratch);
    let service = scratch.nesting.number;
    let context = scratch.stream.context;
    let answers = services::of(service).shape == shape::ANSWER;
    // Each of these has a message type of its own.
    let apart = service == code::OPEN || service == code::OPENED || service == code::CLOSE;
    if chunk.kind == kind::CLOSE && service != code::CLOSE || chunk.kind == kind::MESSAGE && apart {
        return Reason::InvalidFunction as u8;
    }
    if answers {
        let opener = scratch.path.role == Role::Request as u8 && scratch.frame.side == Side::Network as u8;
        if opener && context & channel::SERVER == 0 {
            return Reason::InvalidFunction as u8;
        }
    } else if !is_from_device(scratch) && channel::hides(context) == hidden::NO && scratch.stream.midstream == 0 {
        return Reason::InvalidFunction as u8;
    }
    if chunk.part == frame::INTERMEDIATE {
        let begun = channel::begun(context, scratch.nesting.transaction);
        if begun == 0 {
            return Reason::BeyondInspection as u8;
        }
        scratch.stream.context = begun;
    }
    0
}

/// Takes up what stands in a request behind its service, from `nesting.at` on.
#[inline(always)]
pub(super) fn walk(scratch: &mut Scratch, hides: u32) {
    let chunk = Chunk::of(scratch);
    let signature = match hides {
        hidden::SHORT => SHORT_SIGNATURE,
        hidden::LONG => LONG_SIGNATURE,
        _ => 0,
    };
    let whole = chunk.part == frame::FINAL && chunk.end <= scratch.stream.end;
    let unseen = chunk.kind != kind::OPEN && hides == hidden::NO;
    scratch.nesting.state = step::HEADER | if whole { step::WHOLE } else { 0 } | if unseen { step::UNSEEN } else { 0 };
    scratch.nesting.end = chunk.end.saturating_sub(signature);
}

/// What an answer says of itself: time, handle, status. OPC 10000-4 7.33.
#[inline(always)]
pub(super) fn status<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    skip(scratch, 12);
    let status = number(bytes, scratch);
    let there = scratch.nesting.at.wrapping_add(4) <= here(scratch);
    if let Some(operation) = framing::last(scratch)
        && there
        && status >> 31 != 0
    {
        operation.exception = status.to_le_bytes()[2];
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}

const _: () = assert!(limits::MESSAGE == 24);
