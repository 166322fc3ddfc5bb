//! PROFINET's connections: connectionless DCE/RPC over UDP (DCE 1.1: Remote Procedure Call, chapter 12; IEC 61158-6-10).
//!
//! Enters: one datagram. Leaves: one operation, the number of the procedure; of a fragment too, because every one repeats it.
//! What a record holds is not read.

pub mod functions;

use self::functions::space;
use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Bytes of the header.
const HEADER: u32 = 80;

/// Packet types.
mod kind {
    pub(super) const REQUEST: u8 = 0;
    pub(super) const RESPONSE: u8 = 2;
    pub(super) const FAULT: u8 = 3;
    pub(super) const REJECT: u8 = 6;
    pub(super) const LAST: u8 = 10;
}

/// What stands for the endpoint mapper's interface (E1AF8308-5D1F-11C9-91A4-08002B14A0FA), and for any other that is not
/// PROFINET's.
const MAPPER: u32 = 0;
const UNKNOWN: u32 = 0x100;

/// Number of a PROFINET interface DEA0000n-6C97-11D1-8271-00A02442DF7D, whose first half is in the sender's byte order.
#[inline(always)]
fn interface(identifier: [u8; 16], format: u8) -> u32 {
    let [a, b, c, d, e, f, g, h, rest @ ..] = identifier;
    let first = if format & 0x10 == 0 {
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    } else {
        u64::from_be_bytes([d, c, b, a, f, e, h, g])
    };
    let second = u64::from_be_bytes(rest);
    let number = (first >> 32) & 0xff;
    let profinet = first & !(0xff << 32) == 0xdea0_0000_6c97_11d1 && second == 0x8271_00a0_2442_df7d;
    if profinet && number != 0 {
        number as u32
    } else if first == 0xe1af_8308_5d1f_11c9 && second == 0x91a4_0800_2b14_a0fa {
        MAPPER
    } else {
        UNKNOWN
    }
}

/// Reads the one packet of a datagram.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    scratch.stream.start = end;
    if end.wrapping_sub(at) < HEADER {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    let ([version, kind, _, _, format, _, _, _], Some(lengths)) =
        (bytes.read::<8>(at).unwrap_or([0; 8]), bytes.read::<8>(at.wrapping_add(68)))
    else {
        scratch.fault(Reason::Truncated);
        return false;
    };
    // Integers little endian (0x10) or big endian, characters in ASCII.
    if version != 4 || kind > kind::LAST || format & !0x10 != 0 {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    // What only keeps a call alive asks for nothing.
    if kind != kind::REQUEST && kind != kind::RESPONSE && kind != kind::FAULT && kind != kind::REJECT {
        scratch.outcome = Reason::NoPayload as u8;
        return false;
    }
    let [n0, n1, _, _, _, _, b0, b1] = lengths;
    let (number, body) = if format & 0x10 == 0 {
        (u16::from_be_bytes([n0, n1]), u16::from_be_bytes([b0, b1]))
    } else {
        (u16::from_le_bytes([n0, n1]), u16::from_le_bytes([b0, b1]))
    };
    let called = interface(bytes.read::<16>(at.wrapping_add(24)).unwrap_or([0; 16]), format);
    let asks = kind == kind::REQUEST;
    // The packet says who asks: either end of a connection calls the other one.
    let role = if asks { Role::Request } else { Role::Response } as u8;
    scratch.path.role = role;
    let Some(operation) = scratch.add() else {
        return false;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::ProfinetCm as u8;
    operation.role = role;
    operation.function = number as u32;
    if called == MAPPER {
        operation.function = functions::MAPPER.wrapping_add(number as u32);
        operation.access = Access::Discover as u8;
    } else {
        operation.access = match number {
            0 | 1 | 4 => Access::Session,
            2 | 5 => Access::Read,
            3 => Access::Write,
            _ => Access::Unknown,
        } as u8;
        operation.space = space::INTERFACE;
        operation.first = called;
        operation.last = called;
    }
    if called == UNKNOWN {
        operation.fault = Reason::InvalidFunction as u8;
    }
    if kind == kind::FAULT || kind == kind::REJECT {
        operation.flags |= Operation::HAS_EXCEPTION;
    }
    if body as u32 != end.wrapping_sub(at).wrapping_sub(HEADER) {
        operation.fault = Reason::LengthMismatch as u8;
    }
    false
}
