//! S7comm-plus: requests, responses and notifications of S7-1200 and S7-1500, in the data TPDUs of an S7comm conduit.
//!
//! Enters: a data TPDU whose payload begins with 0x72. Leaves: a record per request and response. A message may be spread
//! over several of them: the one that ends it has a trailer, and only the first one says what it is.

pub mod functions;

use functions::{code, object, space};

use crate::bytes::Bytes;
use crate::operation::{Access, NO_OBJECT, Operation, Role};
use crate::protocol::Protocol;
use crate::protocol::cotp::{again, carried, is_answer};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Sizes of what stands around a message.
mod size {
    /// Identifier, version, length.
    pub(super) const HEADER: u32 = 4;
    /// The same, of length 0, behind the last part of a message.
    pub(super) const TRAILER: u32 = 4;
    /// Its own length, and a digest of 32 octets, in version 3.
    pub(super) const DIGEST: u32 = 33;
    /// Operation, reserved, function, reserved, sequence, session, flags, and the object of a request.
    pub(super) const REQUEST: u32 = 18;
    /// The same up to the sequence, which answers have too.
    pub(super) const ANSWER: u32 = 9;
}

/// Versions of the header.
mod version {
    /// Of sessions without, and with, a digest in the payload.
    pub(super) const FIRST: u8 = 1;
    /// With a digest in front of it.
    pub(super) const DIGEST: u8 = 3;
    /// A system event.
    pub(super) const EVENT: u8 = 0xfe;
    /// A sign of life, which is the header alone.
    pub(super) const ALIVE: u8 = 0xff;
}

/// Operation codes.
mod operation {
    pub(super) const REQUEST: u8 = 0x31;
    pub(super) const RESPONSE: u8 = 0x32;
}

/// Bit of the context: the message's last part is still to come.
const FRAGMENT: u32 = carried::FIRST_FREE << 1;

/// Reads what the data TPDU at `stream.start` carries.
#[inline(always)]
pub fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = again(bytes, scratch) else {
        return;
    };
    let at = tpdu.payload();
    let Some([_, version, l0, l1]) = bytes.read::<4>(at) else {
        return fault(scratch, Reason::LengthMismatch);
    };
    if version == version::ALIVE {
        // No length: the two octets are its own.
        if tpdu.length() != size::HEADER {
            fault(scratch, Reason::LengthMismatch);
        }
        return;
    }
    let length = u16::from_be_bytes([l0, l1]) as u32;
    let open = size::HEADER.wrapping_add(length);
    let last = tpdu.length() == open.wrapping_add(size::TRAILER);
    let event = version == version::EVENT;
    if !matches!(version, version::FIRST..=version::DIGEST) && !event {
        return fault(scratch, Reason::MalformedFraming);
    }
    if !last && tpdu.length() != open {
        return fault(scratch, Reason::LengthMismatch);
    }
    if event {
        // Devices say what is wrong with a message in this way; clients have nothing to say in it.
        if !is_answer(scratch) {
            fault(scratch, Reason::InvalidFunction);
        }
        return;
    }
    let further = scratch.stream.context & FRAGMENT != 0;
    scratch.stream.context = scratch.stream.context & !FRAGMENT | if last { 0 } else { FRAGMENT };
    let end = at.wrapping_add(open);
    let data = at.wrapping_add(if version == version::DIGEST { 37 } else { 4 });
    let digest = bytes.u8(at.wrapping_add(size::HEADER)).unwrap_or(0) as u32;
    if version == version::DIGEST && digest.wrapping_add(1) != size::DIGEST {
        return fault(scratch, Reason::BeyondInspection);
    }
    if further {
        // A device that did not wait for the rest would run it: it must not look like a message.
        if !is_answer(scratch) && is_request(bytes, data) {
            fault(scratch, Reason::BeyondInspection);
        }
        return;
    }
    message(bytes, data, end, scratch.anew());
}

#[inline(always)]
fn fault(scratch: &mut Scratch, reason: Reason) {
    scratch.fault(reason);
}

/// True for octets that begin as a request does whose function is known.
#[inline(always)]
fn is_request<B: Bytes + ?Sized>(bytes: &B, at: u32) -> bool {
    match bytes.read::<7>(at) {
        Some([operation::REQUEST, 0, 0, f0, f1, 0, 0]) => {
            !matches!(functions::access(u16::from_be_bytes([f0, f1]), NO_OBJECT, 0), Access::Unknown)
        }
        _ => false,
    }
}

/// Fills a record with a request or a response; whatever else a device says is a message without function.
#[inline(always)]
fn message<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, scratch: &mut Scratch) {
    let server = is_answer(scratch);
    let Some([operation, _, _, f0, f1, _, _, s0, s1]) = bytes.read::<9>(at) else {
        return scratch.fault(Reason::LengthMismatch);
    };
    let asked = operation == operation::REQUEST;
    let known = asked || operation == operation::RESPONSE;
    let function = u16::from_be_bytes([f0, f1]);
    let needed = if asked { size::REQUEST } else { size::ANSWER };
    let short = at.wrapping_add(needed) > end;
    let role = scratch.path.role;
    let Some(record) = scratch.add() else {
        return scratch.fault(Reason::BeyondInspection);
    };
    *record = Operation::EMPTY;
    record.protocol = Protocol::S7commplus as u8;
    record.role = role;
    if server {
        record.role = match operation {
            operation::RESPONSE => Role::Response,
            _ => Role::Message,
        } as u8;
    }
    if !server && !asked {
        record.fault = Reason::InvalidFunction as u8;
    } else if short && known {
        record.fault = Reason::LengthMismatch as u8;
    }
    if !known {
        return;
    }
    record.function = Protocol::S7commplus.within(function as u32);
    record.transaction = u16::from_be_bytes([s0, s1]) as u32;
    let sound = record.fault == 0;
    if asked && sound {
        target(bytes, at, record);
    }
    record.access = functions::access(function, record.space, record.first) as u8;
    if function == code::INIT_SSL && sound {
        scratch.stream.context |= carried::SECURED;
    }
}

/// The object that a request is about stands behind the session and the flags, in every function that has one.
#[inline(always)]
fn target<B: Bytes + ?Sized>(bytes: &B, at: u32, record: &mut Operation) {
    let Some([s0, s1, s2, s3, _, o0, o1, o2, o3]) = bytes.read::<9>(at.wrapping_add(9)) else {
        record.fault = Reason::LengthMismatch as u8;
        return;
    };
    let session = u32::from_be_bytes([s0, s1, s2, s3]);
    let identifier = u32::from_be_bytes([o0, o1, o2, o3]);
    // A session has two identifiers in a row; what clients create lies above 0x70000000.
    let own = session > object::NO_SESSION && identifier.wrapping_sub(session) <= 1;
    let created = identifier >> 28 == 7;
    if own || created {
        record.space = space::SESSION;
    } else if identifier == object::EXECUTION_UNIT {
        record.space = space::EXECUTION_UNIT;
    } else {
        record.space = space::OBJECT;
        record.first = identifier;
        record.last = identifier;
    }
}
