//! HART-IP: HART commands over TCP and UDP.
//!
//! Enters: bytes in stream order, from the start of a message. Leaves: an operation per message, and per command of a list.
//! Clauses are of HCF_SPEC-085 (HART-IP) and HCF_SPEC-081 (token-passing data link).

pub mod functions;
mod list;
mod token;

use core::hint::black_box;

use self::functions::message;
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::{Protocol, framing};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard.
mod limits {
    /// Version, type, id, status, sequence number, byte count.
    pub(super) const HEADER: u32 = 8;
    /// Largest byte count.
    pub(super) const LONGEST: u32 = 2048;
    /// Bytes that decide about a message which is longer than what can be kept.
    pub(super) const HEAD: u32 = 64;
    /// Bytes that say all about an answer: a long address, an extended command.
    pub(super) const ANSWER: u32 = 20;
}

/// Message types.
mod kind {
    pub(super) const REQUEST: u8 = 0;
    pub(super) const RESPONSE: u8 = 1;
    pub(super) const PUBLISH: u8 = 2;
    pub(super) const NAK: u8 = 15;
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    /// Offset of the byte behind the header.
    body: u32,
    /// Bytes of the body.
    length: u32,
    /// Offset behind the last byte that is there.
    end: u32,
    /// Message id.
    id: u8,
}

/// Reads messages from `stream.start` to `stream.end`, one in each step. True when there is more.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let scratch = scratch.anew();
    if !framing::next(scratch) {
        return false;
    }
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    let size = size(bytes, scratch, at, remaining);
    if size == 0 {
        return false;
    }
    let scratch = scratch.anew();
    let answer = framing::is_answer(scratch);
    let needed = framing::needed(scratch, size, limits::HEAD);
    let needed = if answer { size.min(limits::ANSWER) } else { needed };
    if !framing::take(scratch, at, remaining, size, needed) {
        return false;
    }
    message(bytes, scratch.anew(), at, size, remaining.min(size));
    framing::end(scratch.anew(), size);
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Frames one message, 085 chapter 8: its size, or 0 where the bytes are none or too few, which is noted.
#[inline(always)]
fn size<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, remaining: u32) -> u32 {
    if remaining < limits::HEADER {
        let version = black_box(bytes.u8(at).unwrap_or(0));
        if version == 1 || version == 2 {
            framing::partial(scratch, at, remaining);
        } else {
            scratch.fault(Reason::MalformedFraming);
        }
        return 0;
    }
    let [version, kind, _, _, _, _, l0, l1] = bytes.read::<8>(at).unwrap_or([0; 8]);
    let length = u16::from_be_bytes([l0, l1]) as u32;
    let known = matches!(kind, kind::REQUEST | kind::RESPONSE | kind::PUBLISH | kind::NAK);
    let sized = matches!(length, limits::HEADER..=limits::LONGEST);
    if version == 0 || version > 2 || !known || !sized {
        scratch.fault(Reason::MalformedFraming);
        return 0;
    }
    length
}

/// Reads one message into a record, or several.
#[inline(always)]
fn message<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, size: u32, present: u32) {
    let [version, kind, id, _, s0, s1, _, _] = bytes.read::<8>(at).unwrap_or([0; 8]);
    let unit = Unit {
        body: at.wrapping_add(limits::HEADER),
        length: size.wrapping_sub(limits::HEADER),
        end: at.wrapping_add(present),
        id,
    };
    let asks = scratch.path.role == Role::Request as u8;
    let toward_device = scratch.frame.side == Side::Network as u8;
    scratch.leave_out::<0>(at.wrapping_add(4), 0xffff);
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::HartIp as u8;
    operation.transaction = u16::from_be_bytes([s0, s1]) as u32;
    operation.function = functions::MESSAGE.wrapping_add(id as u32);
    operation.access = functions::message_access(id);
    operation.role = match kind {
        kind::REQUEST if asks => Role::Request as u8,
        kind::RESPONSE | kind::NAK => Role::Response as u8,
        _ => Role::Message as u8,
    };
    // What only the other end sends does not go toward a device.
    if asks != (kind == kind::REQUEST) && (asks || toward_device) {
        operation.fault = Reason::InvalidFunction as u8;
    }
    let request = kind == kind::REQUEST;
    match id {
        message::INITIATE if version == 1 => exact(operation, unit.length, 5),
        message::CLOSE | message::KEEP_ALIVE => exact(operation, unit.length, 0),
        message::AUDIT if request => exact(operation, unit.length, 2),
        // An error in the header leaves no body.
        message::TOKEN if kind != kind::NAK && (request || unit.length != 0) => {
            token::read(bytes, scratch.anew(), &unit, kind);
        }
        message::DIRECT if request => list::direct(bytes, scratch.anew(), &unit),
        _ => {}
    }
}

#[inline(always)]
fn exact(operation: &mut Operation, length: u32, wanted: u32) {
    if length != wanted && !(operation.role == Role::Response as u8 && length == 0) {
        framing::set_fault(operation, Reason::LengthMismatch);
    }
}
