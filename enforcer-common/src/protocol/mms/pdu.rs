//! The protocol data units of MMS that a client sends: ISO 9506-2 clause 7.

use core::hint::black_box;

use super::functions::unit;
use super::{add, ber, broken, service};
use crate::bytes::Bytes;
use crate::operation::Access;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Tags of protocol data units.
pub(super) mod tag {
    /// Confirmed request.
    pub(in super::super) const REQUEST: u32 = 0xa0;
    /// Its answer.
    pub(in super::super) const RESPONSE: u32 = 0xa1;
    /// The answer that is an error.
    pub(in super::super) const ERROR: u32 = 0xa2;
    /// Unconfirmed service.
    pub(in super::super) const UNCONFIRMED: u32 = 0xa3;
    /// Reject.
    pub(in super::super) const REJECT: u32 = 0xa4;
    /// Cancel request.
    pub(in super::super) const CANCEL: u32 = 0x85;
    /// Initiate request.
    pub(in super::super) const INITIATE: u32 = 0xa8;
    /// Conclude request.
    pub(in super::super) const CONCLUDE: u32 = 0x8b;
}

/// Identifier of an invocation: INTEGER, ISO 9506-2 7.3.
const INTEGER: u32 = 0x02;

/// Reads the unit at `nesting.at`, which must fill what is around it.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if !ber::head(bytes, scratch) {
        return;
    }
    let scratch = scratch.anew();
    let nesting = &scratch.nesting;
    if nesting.number != nesting.end {
        broken(scratch, Reason::LengthMismatch);
        return;
    }
    let tag = nesting.list;
    let length = nesting.number.wrapping_sub(nesting.from);
    ber::enter(scratch);
    if tag == tag::REQUEST {
        if invocation(bytes, INTEGER, scratch) {
            service::read(bytes, scratch.anew());
        }
        return;
    }
    if tag == tag::CANCEL && (length == 0 || length > 5) {
        broken(scratch, Reason::LengthMismatch);
        return;
    }
    let first = black_box(bytes.u8(scratch.nesting.at).unwrap_or(0)) as u32;
    let (function, access, reason) = match tag {
        tag::CANCEL => (unit::CANCEL, Access::Session, None),
        tag::REJECT => (unit::REJECT, Access::Session, None),
        tag::CONCLUDE if length != 0 => (unit::CONCLUDE, Access::Session, Some(Reason::LengthMismatch)),
        tag::CONCLUDE => (unit::CONCLUDE, Access::Session, None),
        tag::UNCONFIRMED => (unit::UNCONFIRMED.wrapping_add(first & 0x1f), Access::Write, None),
        // An association is opened once, in what opens the session.
        tag::INITIATE => (unit::INITIATE, Access::Session, Some(Reason::InvalidFunction)),
        // Answers and what is none of MMS, ISO 9506-2 7.
        other => (unit::PDU.wrapping_add(other & 0x1f), Access::Unknown, Some(Reason::InvalidFunction)),
    };
    if !add(scratch, function, access as u8) {
        return;
    }
    if let Some(reason) = reason {
        broken(scratch, reason);
    }
}

/// Reads the number of an invocation and moves behind it.
#[inline(always)]
pub(super) fn invocation<B: Bytes + ?Sized>(bytes: &B, tag: u32, scratch: &mut Scratch) -> bool {
    if !ber::head(bytes, scratch) {
        return false;
    }
    let scratch = scratch.anew();
    let (end, until) = (scratch.nesting.number, scratch.nesting.until);
    let length = end.wrapping_sub(scratch.nesting.from);
    if scratch.nesting.list != tag {
        broken(scratch, Reason::MalformedFraming);
        return false;
    }
    // Unsigned32, of which the sign may take a fifth octet.
    let fifth = black_box(bytes.u8(scratch.nesting.from).unwrap_or(0));
    if length == 0 || length > 5 || length == 5 && fifth != 0 {
        broken(scratch, Reason::OutOfRange);
        return false;
    }
    if end > until {
        broken(scratch, Reason::BeyondInspection);
        return false;
    }
    scratch.nesting.transaction = ber::number(bytes, end, length);
    // Of five octets the first one decides.
    let bits = if length < 5 { 0xffff_ffff >> (32u32.wrapping_sub(length << 3) & 31) } else { 0 };
    scratch.leave_out::<0>(scratch.nesting.from, bits);
    scratch.nesting.at = end;
    true
}
