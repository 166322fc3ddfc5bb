//! MMS (ISO 9506-2) over TPKT, COTP class 0 and the OSI session, presentation and association layers, as IEC 61850-8-1 and
//! TASE.2 use it.
//!
//! Enters: bytes in stream order, from the start of a TPKT. Leaves: operations, and which bytes the next segment
//! continues. Names are told apart as [`crate::protocol::tables::name_number`] does, without regard to case.

mod answer;
mod ber;
pub mod functions;
mod grammar;
mod name;
mod pdu;
mod service;
mod session;
mod value;
mod walk;

use core::hint::black_box;

use functions::{service as number, unit};
use session::identifier;

use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::protocol::cotp::Tpdu;
use crate::protocol::cotp::carried::{self, Carried};
use crate::protocol::cotp::functions::code;
use crate::protocol::{Protocol, cotp, framing};
use crate::scratch::{MOST, Nesting, Scratch};
use crate::verdict::Reason;

/// Bounds of the inspection.
pub mod limits {
    /// Elements or pieces of names that one step reads.
    pub const TURNS: u32 = 24;
    /// Steps that one segment may take.
    pub const STEPS: u32 = 13;
    /// Longest domain and item, IEC 61850-8-1 clause 7.
    pub const NAME: u32 = crate::protocol::tables::NAME_PART;
    /// Most objects that one request may name.
    pub const ITEMS: u32 = crate::scratch::MOST;
}

/// What comes next, in `nesting.state`. Done one after the other, and kept in the record between: what one of them found
/// out would multiply the verifier's paths through the others.
mod phase {
    /// A TPKT.
    pub(super) const UNIT: u32 = 0;
    /// A TPDU that carries nothing.
    pub(super) const CONNECTION: u32 = 1;
    /// A session protocol data unit of the client.
    pub(super) const SESSION: u32 = 2;
    /// The presentation data of one.
    pub(super) const PRESENTATION: u32 = 3;
    /// A protocol data unit of MMS.
    pub(super) const PDU: u32 = 4;
    /// What a server says.
    pub(super) const ANSWER: u32 = 5;
    /// Elements, as [`super::grammar`] says.
    pub(super) const WALK: u32 = 6;
    /// Something is wrong with it.
    pub(super) const BROKEN: u32 = 7;
    /// Nothing but to move behind the TPKT.
    pub(super) const DONE: u32 = 8;
}

/// What is known about the unit at hand, in `nesting.seen`.
mod seen {
    /// It has a record.
    pub(super) const RECORD: u32 = 1;
    /// An answer: what breaks in it is left unsaid.
    pub(super) const QUIET: u32 = 2;
    /// The service is a write.
    pub(super) const WRITE: u32 = 4;
    /// More TPDUs continue it.
    pub(super) const CONTINUES: u32 = 8;
    /// A list of variables is walked.
    pub(super) const LISTED: u32 = 16;
    /// The name at hand is the last part of an object.
    pub(super) const LAST: u32 = 32;
    /// What carries the protocol data unit is no session: no stack in use takes it.
    pub(super) const BARE: u32 = 64;
    /// The service is a read or a write: its class depends on the kind of object.
    pub(super) const ACCESS: u32 = 128;
    /// The name at hand has a `$`.
    pub(super) const DIVIDED: u32 = 256;
    /// Behind it stand the two letters of a functional constraint.
    pub(super) const CONSTRAINT: u32 = 512;
    /// From this bit on: the state behind a name.
    pub(super) const THEN: u32 = 16;
    /// From this bit on: those letters, five bits of each.
    pub(super) const LETTERS: u32 = 22;
}

/// Bits of the direction's context.
mod context {
    use crate::protocol::cotp::carried;

    /// From this bit on, 16 of them: bytes of the session's unit that further TPDUs bring.
    pub(super) const REST: u32 = carried::FIRST_FREE.trailing_zeros();
    /// The bits.
    pub(super) const REST_MASK: u32 = 0xffff << REST;
    /// From this bit on: one more than the number of the last confirmed service that was asked for.
    pub(super) const SERVICE: u32 = 24;
    /// The bits.
    pub(super) const SERVICE_MASK: u32 = 0xff << SERVICE;
}

/// Reads the next unit, or goes on in the one at hand. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.nesting = Nesting::default();
    }
    scratch.nesting.steps = scratch.nesting.steps.wrapping_add(1);
    if scratch.nesting.steps > limits::STEPS {
        scratch.fault(Reason::BeyondInspection);
        return false;
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::UNIT {
        unit(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::CONNECTION {
        scratch.nesting.state = phase::DONE;
        cotp::connection(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::ANSWER {
        scratch.nesting.state = phase::DONE;
        answer::read(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::SESSION {
        scratch.nesting.state = phase::DONE;
        session::read(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::PRESENTATION {
        scratch.nesting.state = phase::DONE;
        session::presentation(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::PDU {
        scratch.nesting.state = phase::DONE;
        pdu::read(bytes, scratch);
    }
    // Not unrolled: there is no room on the kernel's stack for the turns side by side.
    for _ in 0..limits::TURNS {
        let scratch = scratch.anew();
        if scratch.nesting.state != phase::WALK {
            break;
        }
        walk::turn(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::BROKEN {
        scratch.nesting.state = phase::DONE;
        tell(scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.state == phase::DONE {
        scratch.nesting.state = phase::UNIT;
        cotp::advance(bytes, scratch);
    }
    let scratch = scratch.anew();
    scratch.nesting.state != phase::UNIT || scratch.stream.start < scratch.stream.end
}

/// Frames the next TPKT and says what is to be done with it.
#[inline(always)]
fn unit<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = cotp::next(bytes, scratch) else {
        return;
    };
    let scratch = scratch.anew();
    if tpdu.code != code::DATA {
        scratch.nesting.state = phase::CONNECTION;
        return;
    }
    let end = tpdu.at.wrapping_add(tpdu.size);
    let continues = if tpdu.continues() { seen::CONTINUES } else { 0 };
    let nesting = &mut scratch.nesting;
    nesting.at = tpdu.payload();
    nesting.end = end;
    nesting.until = end.min(scratch.stream.end);
    nesting.seen = continues;
    nesting.state = phase::DONE;
    let carried = carried::take(bytes, &tpdu, scratch);
    let answer = scratch.path.role == Role::Response as u8;
    match carried {
        Carried::Payload(carried::SESSION) => {
            scratch.nesting.state = if answer { phase::ANSWER } else { phase::SESSION };
        }
        Carried::Payload(carried::BARE) if !answer => {
            scratch.nesting.seen |= seen::BARE;
            scratch.nesting.state = phase::PDU;
        }
        Carried::Payload(_) => scratch.fault(Reason::MalformedFraming),
        Carried::Continued if !answer => continued(tpdu.length(), tpdu.continues(), scratch),
        Carried::Continued | Carried::Done => {}
    }
}

/// A session in a conversation that no conduit covers, on the port that this protocol shares: from here on it is read as what
/// it is. The unit at hand has opened it, or says nothing that is missed.
#[inline(always)]
pub(crate) fn found<B: Bytes + ?Sized>(bytes: &B, tpdu: &Tpdu, scratch: &mut Scratch) {
    scratch.path.protocol = Protocol::Mms as u8;
    scratch.nesting = Nesting::default();
    let first = black_box(bytes.u8(tpdu.payload()).unwrap_or(0));
    if matches!(first, identifier::CONNECT | identifier::ACCEPT) {
        let _ = add(scratch.anew(), unit::INITIATE, Access::Session as u8);
    }
}

/// The rest of a session's unit, of which its first TPDU said how long it is: ISO 8073 13.7.3. Neither more nor less may come.
#[inline(always)]
fn continued(length: u32, continues: bool, scratch: &mut Scratch) {
    let rest = (scratch.stream.context & context::REST_MASK) >> context::REST;
    if length > rest || (length == rest) == continues {
        scratch.fault(Reason::LengthMismatch);
        return;
    }
    scratch.stream.context = scratch.stream.context & !context::REST_MASK | rest.wrapping_sub(length) << context::REST;
}

/// Adds a record of the unit at hand. False where there is no room.
#[inline(always)]
fn add(scratch: &mut Scratch, function: u32, access: u8) -> bool {
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return false;
    }
    let (role, transaction) = (scratch.path.role, scratch.nesting.transaction);
    let bare = scratch.nesting.seen & seen::BARE != 0;
    // What is no confirmed service has no answer of its own kind, or none at all. Rules judge a client's all the same.
    let asks = role == Role::Request as u8;
    let service = function < unit::PDU;
    scratch.nesting.seen |= seen::RECORD;
    let Some(operation) = scratch.add() else {
        return false;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Mms as u8;
    operation.role = if service { role } else { Role::Message as u8 };
    operation.flags = if asks && !service { Operation::TURNED } else { 0 };
    operation.function = function;
    operation.transaction = transaction;
    operation.access = access;
    if bare {
        operation.fault = Reason::MalformedFraming as u8;
    }
    true
}

/// Ends the reading of the unit at hand with what is wrong with it. Said later, in one place: the verifier would follow it
/// from each of the many where something can be wrong.
#[inline(always)]
const fn broken(scratch: &mut Scratch, reason: Reason) {
    scratch.nesting.state = phase::BROKEN;
    scratch.walking.found = reason as u32;
}

/// Says what is wrong with the unit at hand.
#[inline(always)]
fn tell(scratch: &mut Scratch) {
    let seen = scratch.nesting.seen;
    let Some(reason) = Reason::from_code(scratch.walking.found.to_le_bytes()[0]) else {
        return;
    };
    if seen & seen::QUIET != 0 {
        return;
    }
    if seen & seen::RECORD != 0 {
        framing::fault(scratch, reason);
    } else {
        scratch.fault(reason);
    }
}

const _: () = assert!(number::LAST < 0xff && unit::LAST <= 0x1ff);
