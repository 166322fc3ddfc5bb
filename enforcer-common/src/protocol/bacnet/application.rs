//! The application layer's header, 20.1: PDU type, flags, invoke identifier, service choice.

use core::hint::black_box;

use super::functions::{self, pdu};
use super::{answer, record, request};
use crate::bytes::Bytes;
use crate::operation::{Access, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Flag of a message that is one of several segments, 20.1.2.1.
pub(super) const SEGMENTED: u8 = 8;
/// Flag of one after which more segments follow, 20.1.2.2.
const MORE: u8 = 4;

/// Adds the record of one message, and begins with what it holds. True when a list is left to be walked.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let at = scratch.stream.start;
    let head = black_box(bytes.u8(at).unwrap_or(0));
    match head as u32 >> 4 {
        pdu::CONFIRMED => confirmed(bytes, scratch, head),
        pdu::UNCONFIRMED => unconfirmed(bytes, scratch),
        kind if kind <= pdu::ABORT => {
            answer::read(bytes, scratch, head);
            false
        }
        _ => {
            scratch.fault(Reason::InvalidFunction);
            false
        }
    }
}

/// 20.1.2: flags, what the client can take, invoke identifier, sequence number and window of a segment, service choice.
#[inline(always)]
fn confirmed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, head: u8) -> bool {
    let at = scratch.stream.start;
    let segmented = head & SEGMENTED != 0;
    let choice = at.wrapping_add(if segmented { 5 } else { 3 });
    if choice >= scratch.stream.end {
        scratch.fault(Reason::LengthMismatch);
        return false;
    }
    let invoke = black_box(bytes.u8(at.wrapping_add(2)).unwrap_or(0));
    let service = black_box(bytes.u8(choice).unwrap_or(0)) as u32;
    let access = functions::confirmed_access(service);
    let Some(operation) = record::add(scratch, Protocol::Bacnet, service, Role::Request) else {
        scratch.fault(Reason::BeyondInspection);
        return false;
    };
    operation.transaction = invoke as u32;
    operation.access = access;
    scratch.leave_out::<0>(at.wrapping_add(2), 0xff);
    scratch.stream.start = choice.wrapping_add(1);
    let scratch = scratch.anew();
    if segmented {
        // Every segment says its service; what it touches is scattered. A rule without objects can allow it where nothing
        // is changed.
        if !matches!(Access::from_code(access), Access::Read | Access::Session | Access::Diagnose | Access::Discover) {
            record::fault(scratch, Reason::SplitUnit);
        }
        return false;
    }
    if head & MORE != 0 {
        record::fault(scratch, Reason::MalformedFraming);
        return false;
    }
    request::confirmed(bytes, scratch, service)
}

/// 20.1.3: service choice.
#[inline(always)]
fn unconfirmed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let choice = scratch.stream.start.wrapping_add(1);
    if choice >= scratch.stream.end {
        scratch.fault(Reason::LengthMismatch);
        return false;
    }
    let service = black_box(bytes.u8(choice).unwrap_or(0)) as u32;
    let access = functions::unconfirmed_access(service);
    let function = pdu::UNCONFIRMED << 8 | service;
    let Some(operation) = record::add(scratch, Protocol::Bacnet, function, Role::Message) else {
        scratch.fault(Reason::BeyondInspection);
        return false;
    };
    operation.access = access;
    scratch.stream.start = choice.wrapping_add(1);
    request::unconfirmed(bytes, scratch.anew(), service);
    false
}
