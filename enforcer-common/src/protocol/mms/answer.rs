//! What a server says: reported, never judged. What cannot be read of it is left unsaid.

use core::hint::black_box;

use super::functions::unit;
use super::pdu::{invocation, tag};
use super::session::identifier;
use super::{add, ber, context, seen};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::protocol::framing;
use crate::scratch::Scratch;

/// Number of an invocation in an answer, ISO 9506-2 7.4.
const INTEGER: u32 = 0x02;
/// The same in an error.
const ORIGINAL: u32 = 0x80;
/// An identifier of a context, in presentation data.
const CONTEXT: u32 = 0x02;

/// Reads the unit at `nesting.at`.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    scratch.nesting.seen |= seen::QUIET;
    scratch.nesting.transaction = 0;
    let at = scratch.nesting.at;
    let first = black_box(bytes.u8(at).unwrap_or(0));
    if first == identifier::DATA {
        scratch.nesting.at = at.wrapping_add(4);
        // Further TPDUs may continue it.
        scratch.nesting.end = scratch.nesting.end.saturating_add(0xffff);
        if presentation(bytes, scratch) {
            pdu(bytes, scratch.anew());
        }
        return;
    }
    let function = match first {
        identifier::ACCEPT | identifier::REFUSE => unit::INITIATE,
        other => unit::SESSION.wrapping_add(other as u32 & 0x7f),
    };
    if add(scratch, function, Access::Session as u8) && first == identifier::REFUSE {
        exception(1, scratch);
    }
}

/// Goes into presentation data: fully encoded data, list of values, value; a context stands in front of that.
#[inline(always)]
fn presentation<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    for _ in 0..4 {
        let scratch = scratch.anew();
        if !ber::head(bytes, scratch) {
            return false;
        }
        if scratch.nesting.list == CONTEXT {
            scratch.nesting.at = scratch.nesting.number;
        } else {
            ber::enter(scratch);
        }
    }
    true
}

/// Reads the protocol data unit.
#[inline(always)]
fn pdu<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if !ber::head(bytes, scratch) {
        return;
    }
    let scratch = scratch.anew();
    let tag = scratch.nesting.list;
    ber::enter(scratch);
    scratch.nesting.unit = tag;
    if tag == tag::RESPONSE || tag == tag::ERROR {
        let number = if tag == tag::ERROR { ORIGINAL } else { INTEGER };
        if invocation(bytes, number, scratch) {
            confirmed(bytes, scratch.anew());
        }
        return;
    }
    let first = black_box(bytes.u8(scratch.nesting.at).unwrap_or(0)) as u32;
    let function = if tag == tag::UNCONFIRMED {
        unit::UNCONFIRMED.wrapping_add(first & 0x1f)
    } else {
        // An answer's tag is one more than that of what it answers, or two where it is an error; but for rejects.
        match tag & 0x1f {
            6 | 7 => unit::CANCEL,
            9 | 10 => unit::INITIATE,
            12 | 13 => unit::CONCLUDE,
            other => unit::PDU.wrapping_add(other),
        }
    };
    let access = if tag == tag::UNCONFIRMED { Access::Read } else { Access::Session };
    let _ = add(scratch, function, access as u8);
}

/// The answer to a confirmed request: its service, or what is wrong. An error does not name the service.
#[inline(always)]
fn confirmed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let at = scratch.nesting.at;
    if at >= scratch.nesting.until {
        return;
    }
    let tag = black_box(bytes.u8(at).unwrap_or(0)) as u32;
    let second = black_box(bytes.u8(at.wrapping_add(1)).unwrap_or(0)) as u32;
    let error = scratch.nesting.unit == tag::ERROR;
    let asked = (scratch.stream.peer_context & context::SERVICE_MASK) >> context::SERVICE;
    let function = match (error, tag & 0x1f) {
        (true, _) if asked == 0 => unit::ERROR,
        (true, _) => asked.wrapping_sub(1),
        (false, 0x1f) => second,
        (false, number) => number,
    };
    if add(scratch, function, Access::Read as u8) && error {
        // The class of the error, and the code in it: [2] { [0] { [class] code } }, ISO 9506-2 7.4.
        let [_, _, _, _, class, _, code] = bytes.read::<7>(at).unwrap_or([0; 7]);
        exception((class & 0x0f) << 4 | code & 0x0f, scratch.anew());
    }
}

/// Marks the last record as one that says no.
#[inline(always)]
fn exception(code: u8, scratch: &mut Scratch) {
    if let Some(operation) = framing::last(scratch) {
        operation.flags |= Operation::HAS_EXCEPTION;
        operation.exception = code;
    }
}
