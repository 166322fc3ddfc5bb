//! GE-SRTP: service requests in a mailbox message of 56 bytes, with or without text behind it.
//!
//! Enters: bytes in stream order, from the start of a message. Leaves: an operation per request and answer. Integers are
//! little-endian. A message of zeros asks for a session, and gives no operation; nor does its answer. An answer does not repeat
//! its service, which is taken from what the other direction asked last.

pub mod functions;

use core::hint::black_box;

use self::functions::{service, space};
use crate::bytes::{self, Bytes};
use crate::operation::{Access, NO_FUNCTION, Operation, Role};
use crate::port::Side;
use crate::protocol::{Protocol, framing};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Bytes of a message without its text.
const HEADER: u32 = 56;
/// Most text.
const LONGEST: u32 = 4096;
/// Bytes that say all about an answer: the first ones; the codes of what is kept of it follow behind.
const ANSWER: u32 = 32;

/// Kinds of messages: the first byte.
mod kind {
    pub(super) const SESSION: u8 = 0;
    pub(super) const SESSION_GRANTED: u8 = 1;
    pub(super) const REQUEST: u8 = 2;
    pub(super) const RETURN: u8 = 3;
}

/// Message types: byte 31.
mod mailbox {
    /// Request in the header alone.
    pub(super) const SHORT: u8 = 0xc0;
    /// Request with text.
    pub(super) const LONG: u8 = 0x80;
    /// Refused.
    pub(super) const REFUSED: u8 = 0xd1;
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
    let asks = scratch.path.role == Role::Request as u8;
    let toward_device = scratch.frame.side == Side::Network as u8;
    let first = black_box(bytes.u8(at).unwrap_or(0));
    let expected = match first {
        kind::SESSION | kind::REQUEST => asks,
        kind::SESSION_GRANTED | kind::RETURN => !asks,
        _ => false,
    };
    if !expected {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    if remaining < 6 {
        framing::partial(scratch, at, remaining);
        return false;
    }
    let [l0, l1] = bytes.read::<2>(at.wrapping_add(4)).unwrap_or([0; 2]);
    let text = u16::from_le_bytes([l0, l1]) as u32;
    if text > LONGEST {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    let size = HEADER.wrapping_add(text);
    let least = if asks || toward_device { HEADER } else { ANSWER };
    let needed = framing::needed(scratch, size, least).min(if least == ANSWER { ANSWER } else { size });
    if !framing::take(scratch, at, remaining, size, needed) {
        return false;
    }
    let scratch = scratch.anew();
    match first {
        kind::SESSION => session(bytes, scratch, at, text),
        kind::SESSION_GRANTED => {}
        kind::REQUEST => request(bytes, scratch, at, text),
        _ => answer(bytes, scratch, at),
    }
    framing::end(scratch.anew(), size);
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// A message that asks for a session is nothing but zeros.
#[inline(always)]
fn session<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, text: u32) {
    let message = bytes.read::<56>(at).unwrap_or([1; 56]);
    let mut any = text as u64;
    for word in 0..7usize {
        any |= u64::from_be_bytes(bytes::part(&message, word << 3));
    }
    if any != 0 {
        scratch.fault(Reason::MalformedFraming);
    }
}

/// Where a request has its service code, selector, offset and length.
const SHORT_AT: usize = 42;
/// The same with text.
const LONG_AT: usize = 50;

/// Reads a request. Public descriptions disagree on where a message with text has its service code: another one where one
/// without text has it, of which not every reader would say that it does no harm, is beyond inspection.
#[inline(always)]
fn request<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, text: u32) {
    let message = bytes.read::<56>(at).unwrap_or([0; 56]);
    let [kind] = bytes::part::<1, 56>(&message, 31);
    let long = kind == mailbox::LONG;
    let [number, total] = if long { bytes::part(&message, 48) } else { bytes::part(&message, 40) };
    let fields: [u8; 6] = if long { bytes::part(&message, LONG_AT) } else { bytes::part(&message, SHORT_AT) };
    let [code, selector, o0, o1, n0, n1] = fields;
    let [other] = bytes::part::<1, 56>(&message, SHORT_AT);
    let [s0, s1] = bytes::part::<2, 56>(&message, 2);
    let mailbox = bytes::part::<4, 56>(&message, 36);
    let sequence = u16::from_le_bytes([s0, s1]) as u32;
    scratch.stream.context = 1 << 31 | (code as u32) << 16 | sequence;
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::GeSrtp as u8;
    operation.role = Role::Request as u8;
    operation.function = code as u32;
    operation.access = functions::access(code);
    operation.transaction = sequence;
    operation.unit = place(mailbox);
    let count = u16::from_le_bytes([n0, n1]) as u32;
    if names_memory(operation.function) {
        memory(operation, selector, u16::from_le_bytes([o0, o1]) as u32, count);
    }
    let known = kind == mailbox::SHORT && text == 0 || long;
    if !known {
        framing::set_fault(operation, Reason::MalformedFraming);
    } else if number != 1 || total != 1 || (long && other != code && !is_harmless(functions::access(other), other)) {
        framing::set_fault(operation, Reason::BeyondInspection);
    }
    if long && operation.function == service::WRITE && operation.fault == 0 {
        written(bytes, operation, at, text, selector, count);
    }
}

/// The processor that a mailbox is of: its slot, 16 times its rack, and above them what is not as with every other one.
#[inline(always)]
const fn place([slot, port, c, d]: [u8; 4]) -> u32 {
    u32::from_le_bytes([slot.rotate_left(4), port ^ 0x0e, c, d])
}

/// A written register's value; and that as much is written as the length says.
#[inline(always)]
fn written<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation, at: u32, text: u32, selector: u8, count: u32) {
    let words = selector == 0x08 || selector == 0x0a || selector == 0x0c;
    let size = if words { count << 1 } else { count };
    let bits = matches!(selector, 0x46..=0x56);
    if !bits && text != size {
        framing::set_fault(operation, Reason::LengthMismatch);
        return;
    }
    if words && count == 1 {
        let [low, high] = bytes.read::<2>(at.wrapping_add(HEADER)).unwrap_or([0; 2]);
        operation.value_min = u16::from_le_bytes([low, high]) as i64;
        operation.value_max = operation.value_min;
        operation.flags |= Operation::HAS_VALUE;
    }
}

#[inline(always)]
const fn names_memory(function: u32) -> bool {
    function >= service::READ && function <= service::WRITE_TASK
}

/// Offsets and lengths count words, bytes or bits, as the selector says. Memory of tasks and blocks has selectors of its own.
#[inline(always)]
fn memory(operation: &mut Operation, selector: u8, offset: u32, count: u32) {
    let system = operation.function == service::READ || operation.function == service::WRITE;
    let (space, shift) = functions::memory(selector);
    if system {
        framing::objects(operation, space, offset << shift, count << shift, 0xf_ffff);
    } else {
        framing::objects(operation, space::OTHER.wrapping_add(selector as u32), offset, count, 0x1_ffff);
    }
}

/// A service that reads, or that does not exist.
#[inline(always)]
const fn is_harmless(access: u8, code: u8) -> bool {
    match Access::from_code(access) {
        Access::Read | Access::Diagnose | Access::Discover => true,
        // What no table names is refused by every controller; small numbers stand there as counts.
        Access::Unknown => code < 3,
        Access::Write | Access::Control | Access::Program | Access::Firmware | Access::Session => false,
    }
}

/// Reads an answer: of what was asked last with its sequence number.
#[inline(always)]
fn answer<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32) {
    let asked = scratch.stream.peer_context;
    let header = bytes.read::<32>(at).unwrap_or([0; 32]);
    let [s0, s1] = bytes::part::<2, 32>(&header, 2);
    let [kind] = bytes::part::<1, 32>(&header, 31);
    let sequence = u16::from_le_bytes([s0, s1]) as u32;
    let mailbox = bytes.read::<4>(at.wrapping_add(32)).unwrap_or([0; 4]);
    let status = black_box(bytes.u8(at.wrapping_add(42)).unwrap_or(0));
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::GeSrtp as u8;
    operation.role = Role::Response as u8;
    operation.transaction = sequence;
    operation.unit = place(mailbox);
    if asked >> 31 != 0 && asked & 0xffff == sequence {
        let code = (asked >> 16 & 0xff) as u8;
        operation.function = code as u32;
        operation.access = functions::access(code);
    } else {
        operation.function = NO_FUNCTION;
    }
    if kind == mailbox::REFUSED {
        operation.exception = status;
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}
