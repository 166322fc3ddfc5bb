//! Answers, 20.1.4 to 20.1.9: acknowledgements, errors, rejects, aborts. Rules do not judge them.

use core::hint::black_box;

use super::application::SEGMENTED;
use super::functions::{self, pdu};
use super::{record, tag};
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// The tag of an enumerated number of one octet in application class, 20.2.11.
const ENUMERATED: u32 = 0x91;

/// Adds the record of one answer.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, head: u8) {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let kind = head as u32 >> 4;
    let size = end.wrapping_sub(at);
    let segmented = kind == pdu::COMPLEX_ACK && head & SEGMENTED != 0;
    let place = at.wrapping_add(if segmented { 4 } else { 2 });
    let invoke = tag::octet(bytes, at.wrapping_add(1), end);
    let last = tag::octet(bytes, place, end);
    let names_service = kind == pdu::SIMPLE_ACK || kind == pdu::COMPLEX_ACK || kind == pdu::ERROR;
    let service = if names_service { last } else { 0 };
    let Some(operation) = record::add(scratch, Protocol::Bacnet, kind << 8 | service, Role::Response) else {
        return;
    };
    operation.transaction = invoke;
    operation.access = if names_service { functions::confirmed_access(service) } else { 0 };
    let fits = match kind {
        pdu::SIMPLE_ACK | pdu::REJECT | pdu::ABORT => size == 3,
        pdu::SEGMENT_ACK => size == 4,
        _ => place < end,
    };
    if !fits && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
    if kind == pdu::REJECT || kind == pdu::ABORT {
        exception(operation, last);
    }
    let scratch = scratch.anew();
    if kind == pdu::ERROR {
        error(bytes, scratch, place.wrapping_add(1));
    }
}

#[inline(always)]
const fn exception(operation: &mut Operation, code: u32) {
    operation.exception = (code & 0xff) as u8;
    operation.flags |= Operation::HAS_EXCEPTION;
}

/// 20.1.7: error class and error code, for some services inside a constructed value. A code of more than one octet is a
/// vendor's and not reported.
#[inline(always)]
fn error<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32) {
    let end = scratch.stream.end;
    let at = if tag::octet(bytes, at, end) == tag::opening(0) { at.wrapping_add(1) } else { at };
    let [class, _, code, number] = black_box(bytes.read::<4>(at).unwrap_or([0; 4]));
    if at.wrapping_add(4) <= end
        && class as u32 == ENUMERATED
        && code as u32 == ENUMERATED
        && let Some(operation) = record::last(scratch)
    {
        exception(operation, number as u32);
    }
}
