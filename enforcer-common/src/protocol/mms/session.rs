//! The session layer (ISO 8327-1 clause 8) and the way through the presentation layer (ISO 8823-1) to what MMS says.

use core::hint::black_box;

use super::functions::unit;
use super::grammar::state;
use super::{add, ber, broken, context, phase, seen};
use crate::bytes::Bytes;
use crate::operation::Access;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Identifiers of session protocol data units, ISO 8327-1 8.3.
pub(super) mod identifier {
    /// Give tokens, and data transfer.
    pub(in super::super) const DATA: u8 = 1;
    /// Finish.
    pub(in super::super) const FINISH: u8 = 9;
    /// Disconnect.
    pub(in super::super) const DISCONNECT: u8 = 10;
    /// Refuse.
    pub(in super::super) const REFUSE: u8 = 12;
    /// Connect.
    pub(in super::super) const CONNECT: u8 = 13;
    /// Accept.
    pub(in super::super) const ACCEPT: u8 = 14;
    /// Abort.
    pub(in super::super) const ABORT: u8 = 25;
    /// Abort accept.
    pub(in super::super) const ABORT_ACCEPT: u8 = 26;
}

/// Parameters of a unit that are walked.
const PARAMETERS: u32 = 10;
/// The parameter that holds user data, ISO 8327-1 8.3.1.
const USER_DATA: u8 = 0xc1;

/// Reads the unit at `nesting.at`, which is a client's.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, until) = (scratch.nesting.at, scratch.nesting.until);
    let first = black_box(bytes.u8(at).unwrap_or(0));
    if first == identifier::DATA {
        // Tokens are given without parameters in front of all data: 8327-1 7.37.2, 7.11.2.
        if at.wrapping_add(4) > until || bytes.read::<4>(at).unwrap_or([0; 4]) != [1, 0, 1, 0] {
            broken(scratch, Reason::MalformedFraming);
            return;
        }
        scratch.nesting.at = at.wrapping_add(4);
        scratch.nesting.state = phase::PRESENTATION;
        return;
    }
    let session = unit::SESSION.wrapping_add((first & 0x7f) as u32);
    let (function, then) = match first {
        identifier::CONNECT => (unit::INITIATE, state::CONNECT),
        identifier::FINISH => (session, state::FINISH),
        identifier::DISCONNECT | identifier::ABORT | identifier::ABORT_ACCEPT => (session, state::ABORT),
        // What only a server says.
        _ => (session, state::NOTHING),
    };
    if !add(scratch, function, Access::Session as u8) {
        return;
    }
    if then == state::NOTHING {
        broken(scratch, Reason::InvalidFunction);
        return;
    }
    scratch.nesting.purpose = then;
    parameters(bytes, scratch.anew());
}

/// Walks the parameters: identifier, length, value. The user data must be the last one, and end where the TPDU does.
#[inline(always)]
fn parameters<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.seen & seen::CONTINUES != 0 {
        broken(scratch, Reason::BeyondInspection);
        return;
    }
    if !length(bytes, scratch) {
        return;
    }
    if scratch.nesting.number != scratch.nesting.end {
        broken(scratch, Reason::LengthMismatch);
        return;
    }
    scratch.nesting.at = scratch.nesting.from;
    for _ in 0..PARAMETERS {
        let scratch = scratch.anew();
        if scratch.nesting.at >= scratch.nesting.end {
            break;
        }
        if !length(bytes, scratch) {
            return;
        }
        let scratch = scratch.anew();
        let nesting = &mut scratch.nesting;
        nesting.at = nesting.number;
        if nesting.list == USER_DATA as u32 {
            if nesting.number != nesting.end {
                broken(scratch, Reason::LengthMismatch);
                return;
            }
            ber::enter(scratch);
            scratch.nesting.size = scratch.nesting.end;
            scratch.nesting.state = phase::WALK;
            return;
        }
    }
    let scratch = scratch.anew();
    if scratch.nesting.at < scratch.nesting.end {
        broken(scratch, Reason::BeyondInspection);
    } else if scratch.nesting.purpose == state::CONNECT {
        // Nobody asks for nothing.
        broken(scratch, Reason::LengthMismatch);
    }
}

/// Reads identifier and length at `nesting.at` as [`ber::head`] leaves them: one octet, or 255 and two more (8327-1 8.2.5).
#[inline(always)]
fn length<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end, until) = (scratch.nesting.at, scratch.nesting.end, scratch.nesting.until);
    let behind = at.wrapping_add(2);
    if behind > end {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    if behind > until {
        broken(scratch, Reason::BeyondInspection);
        return false;
    }
    let tag = black_box(bytes.u8(at).unwrap_or(0)) as u32;
    let short = black_box(bytes.u8(at.wrapping_add(1)).unwrap_or(0)) as u32;
    let long = black_box(bytes.u16(behind).unwrap_or(0)) as u32;
    let extended = short == 255;
    if extended && long < 255 {
        broken(scratch, Reason::MalformedFraming);
        return false;
    }
    let from = if extended { behind.wrapping_add(2) } else { behind };
    let number = from.wrapping_add(if extended { long } else { short });
    if number > end {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    let nesting = &mut scratch.nesting;
    nesting.list = tag;
    nesting.from = from;
    nesting.number = number;
    true
}

/// What stands around MMS in data: fully encoded data, one value list, its context and one value in it (8823-1 8.4.1). The
/// identifier of the context may be any: whatever is said in this place is judged as MMS.
mod tag {
    pub(super) const DATA: u32 = 0x61;
    pub(super) const LIST: u32 = 0x30;
    pub(super) const CONTEXT: u32 = 0x02;
    pub(super) const VALUE: u32 = 0xa0;
}

/// Reads the presentation data at `nesting.at`.
#[inline(always)]
pub(super) fn presentation<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let here = scratch.nesting.end;
    // What further TPDUs bring belongs to it.
    if scratch.nesting.seen & seen::CONTINUES != 0 {
        scratch.nesting.end = here.saturating_add(0xffff);
    }
    if !exactly(bytes, tag::DATA, scratch) {
        return;
    }
    let scratch = scratch.anew();
    if !whole(here, scratch) {
        return;
    }
    let scratch = scratch.anew();
    if !exactly(bytes, tag::LIST, scratch) {
        return;
    }
    let scratch = scratch.anew();
    if !ber::head(bytes, scratch) {
        return;
    }
    let nesting = &mut scratch.nesting;
    if nesting.list != tag::CONTEXT || nesting.number != nesting.from.wrapping_add(1) {
        broken(scratch, Reason::MalformedFraming);
        return;
    }
    nesting.at = nesting.number;
    let scratch = scratch.anew();
    if exactly(bytes, tag::VALUE, scratch) {
        scratch.nesting.state = phase::PDU;
    }
}

/// Enters the element at `nesting.at`, which must have this tag and end where what is around it does, unless that is open.
#[inline(always)]
fn exactly<B: Bytes + ?Sized>(bytes: &B, tag: u32, scratch: &mut Scratch) -> bool {
    if !ber::head(bytes, scratch) {
        return false;
    }
    let open = tag == tag::DATA && scratch.nesting.seen & seen::CONTINUES != 0;
    if scratch.nesting.list != tag {
        broken(scratch, Reason::MalformedFraming);
        return false;
    }
    if !open && scratch.nesting.number != scratch.nesting.end {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    ber::enter(scratch);
    true
}

/// Where TPDUs follow that continue this one, they must bring as much as is missing.
#[inline(always)]
fn whole(here: u32, scratch: &mut Scratch) -> bool {
    if scratch.nesting.seen & seen::CONTINUES == 0 {
        return true;
    }
    let rest = scratch.nesting.end.wrapping_sub(here);
    if scratch.nesting.end <= here {
        broken(scratch, Reason::LengthMismatch);
        return false;
    }
    scratch.stream.context = scratch.stream.context & !context::REST_MASK | rest << context::REST & context::REST_MASK;
    true
}
