//! Transport segments, and the application header in the first one of a fragment. IEEE 1815 clause 8 and 4.2.2.

use super::context::Answer;
use super::link::{self, control};
use super::user::{Addresses, Frame};
use super::{abandon, add, blame, context, finish, functions, is_datagram, is_from_client, limits, state};
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// The bits of the transport header, 8.2.1.
mod transport {
    pub(super) const FINAL: u32 = 0x80;
    pub(super) const FIRST: u32 = 0x40;
    pub(super) const SEQUENCE: u32 = 0x3f;
}

/// The bits of the application control octet, 4.2.2.4.
mod application {
    pub(super) const FIRST_AND_FINAL: u32 = 0xc0;
    pub(super) const UNSOLICITED: u32 = 0x10;
    pub(super) const UNSOLICITED_AND_SEQUENCE: u32 = 0x1f;
}

/// Bits of the second octet of internal indications that refuse a request: function, object, parameter, already executing.
/// 4.5.
const REFUSED: u32 = 0x17;

/// Reads the transport header, and what follows it.
#[inline(always)]
pub(super) fn begin<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let Some(addresses) = Addresses::of(bytes, scratch) else {
        return link::stop(scratch, Reason::Truncated);
    };
    let function = addresses.control & (control::PRIMARY | control::FUNCTION);
    let data = function == control::CONFIRMED_DATA || function == control::UNCONFIRMED_DATA;
    if !data || scratch.walking.end == 0 {
        return link::message(&addresses, scratch);
    }
    let Some(head) = Frame::of(scratch).six(bytes, 0) else {
        return link::stop(scratch, Reason::Truncated);
    };
    let octet = |place: u32| (head >> (place << 3 & 63) & 0xff) as u32;
    let segment = octet(0);
    if segment & transport::FINAL != 0 {
        scratch.walking.seen = state::HEADER | state::FINAL;
    } else {
        scratch.walking.seen = state::HEADER;
    }
    if segment & transport::FIRST == 0 {
        return go_on(&addresses, segment & transport::SEQUENCE, scratch);
    }
    let length = scratch.walking.end;
    let (control, function) = (octet(1), octet(2));
    if length < 3 {
        // The function would stand in another segment than the one that decides.
        let cut = if segment & transport::FINAL != 0 { Reason::LengthMismatch } else { Reason::SplitUnit };
        scratch.fault(cut);
        return abandon(scratch);
    }
    if function >= functions::code::FIRST_RESPONSE {
        let control = control & application::UNSOLICITED_AND_SEQUENCE;
        let answer = Answer { function, control, refused: octet(4) & REFUSED };
        return first_of_answer(&addresses, segment, &answer, scratch);
    }
    request(&addresses, segment, control, function, scratch)
}

/// What an outstation says, asked or not: reported where it ends. Of a datagram nothing is known in the next one.
#[inline(always)]
fn first_of_answer(addresses: &Addresses, segment: u32, answer: &Answer, scratch: &mut Scratch) -> bool {
    let fault = if scratch.walking.end < 5 {
        Reason::LengthMismatch as u8
    } else if is_from_client(scratch) || addresses.is_from_master() {
        Reason::InvalidFunction as u8
    } else {
        0
    };
    let ends = segment & transport::FINAL != 0 || is_datagram(scratch);
    if fault == 0 && !ends && answer.function & !3 == functions::code::FIRST_RESPONSE {
        scratch.stream.context = context::answer(answer, segment & transport::SEQUENCE);
        return finish(scratch);
    }
    report(addresses, answer, fault, scratch)
}

/// Adds the record of an answer.
#[inline(always)]
fn report(addresses: &Addresses, answer: &Answer, fault: u8, scratch: &mut Scratch) -> bool {
    let Some(operation) = add(scratch, Role::Response, answer.function) else {
        return false;
    };
    operation.unit = addresses.source;
    operation.transaction = addresses.destination << 5 | answer.control;
    operation.access = functions::access(answer.function);
    operation.fault = fault;
    operation.exception = (answer.refused & 0xff) as u8;
    if answer.refused != 0 {
        operation.flags |= Operation::HAS_EXCEPTION;
    }
    abandon(scratch)
}

/// What a master says: one fragment, 4.2.2.4.2. Whoever sends it, it is judged.
#[inline(always)]
fn request(addresses: &Addresses, segment: u32, control: u32, function: u32, scratch: &mut Scratch) -> bool {
    let interrupts = scratch.stream.context & context::OPEN != 0;
    let Some(operation) = add(scratch, Role::Request, function) else {
        return false;
    };
    operation.unit = addresses.destination;
    operation.transaction = addresses.source << 5 | control & application::UNSOLICITED_AND_SEQUENCE;
    operation.access = functions::access(function);
    let unsolicited = control & application::UNSOLICITED != 0 && function != functions::code::CONFIRM;
    let nowhere = addresses.destination >= limits::FIRST_RESERVED && addresses.destination < limits::SELF_ADDRESS;
    if function > functions::code::LAST_REQUEST {
        operation.fault = Reason::InvalidFunction as u8;
    } else if interrupts {
        // Receivers differ in what becomes of the fragment before.
        operation.fault = Reason::SplitUnit as u8;
    } else if control & application::FIRST_AND_FINAL != application::FIRST_AND_FINAL
        || unsolicited
        || nowhere
        || addresses.source >= limits::FIRST_RESERVED
        || !addresses.is_from_master()
    {
        operation.fault = Reason::OutOfRange as u8;
    }
    if operation.fault != 0 {
        return abandon(scratch);
    }
    scratch.stream.context = context::open(addresses, function, segment & transport::SEQUENCE);
    scratch.walking.at = 3;
    scratch.walking.seen |= state::EMPTY;
    true
}

/// A segment that is not the first one of its fragment. An outstation's is a part of an answer; a master's goes on where its
/// request left off, or is a fault.
#[inline(always)]
fn go_on(addresses: &Addresses, sequence: u32, scratch: &mut Scratch) -> bool {
    let known = scratch.stream.context;
    if known & context::OPEN == 0 && !addresses.is_from_master() && !is_from_client(scratch) {
        if known & context::ANSWER == 0 || known & 63 != sequence {
            return abandon(scratch);
        }
        if scratch.walking.seen & state::FINAL != 0 {
            return report(addresses, &Answer::of(known), 0, scratch);
        }
        scratch.stream.context = context::next(known);
        return finish(scratch);
    }
    if !addresses.is_from_master() || !context::is_continued(known, addresses, sequence) {
        // Of a datagram the one before may have been lost, or was another station's.
        let reason = if is_datagram(scratch) { Reason::BeyondInspection } else { Reason::SplitUnit };
        scratch.fault(reason);
        return abandon(scratch);
    }
    let here = scratch.walking.end.wrapping_sub(1);
    let rest = context::rest(known);
    scratch.stream.context = context::with_rest(context::next(known), rest.saturating_sub(here));
    if rest < here {
        scratch.walking.at = rest.wrapping_add(1);
        scratch.walking.seen |= state::LATER;
        return true;
    }
    if scratch.walking.seen & state::FINAL == 0 {
        return finish(scratch);
    }
    if rest > here {
        let Some(operation) = add(scratch, Role::Request, context::function(known)) else {
            return false;
        };
        operation.unit = addresses.destination;
        blame(operation, Reason::LengthMismatch);
    }
    abandon(scratch)
}
