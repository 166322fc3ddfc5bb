//! Which protocol the data TPDUs of a conversation carry, kept in the direction's context.
//!
//! The first payload of a direction decides, and it stays with that: a device that takes another protocol in the same
//! conversation would run what nobody judged. Which bits of the context are whose stands here.

use super::{Tpdu, add, functions};
use crate::bytes::Bytes;
use crate::operation::Access;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Bits of the context that hold the protocol: the numbers below.
const PROTOCOL: u32 = 7;
/// S7comm, protocol identifier 0x32.
pub const S7COMM: u32 = 1;
/// S7comm-plus, protocol identifier 0x72.
pub const S7COMM_PLUS: u32 = 2;
/// ISO session (ITU-T X.225), in which MMS travels.
pub const SESSION: u32 = 3;
/// TLS records.
pub const TLS: u32 = 4;
/// MMS without the session around it, which no stack in use takes.
pub const BARE: u32 = 5;

/// A connection was asked for, or there was data.
pub const CONNECTED: u32 = 8;
/// The next data TPDU continues the payload of the last one.
pub const CHAINED: u32 = 16;
/// TLS was agreed upon in what was carried so far.
pub const SECURED: u32 = 32;
/// Bits from here on are the carried protocol's.
pub const FIRST_FREE: u32 = 256;

/// What a data TPDU is for the protocol that the conduit inspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Nothing, or something that a record was left of.
    Done,
    /// The rest of a payload that the data TPDU before it began, in a session.
    Continued,
    /// A payload of the protocol with this number.
    Payload(u32),
}

/// Takes a data TPDU: what it carries, and whether it may.
#[inline(always)]
pub fn take<B: Bytes + ?Sized>(bytes: &B, tpdu: &Tpdu, scratch: &mut Scratch) -> Carried {
    let context = scratch.stream.context;
    scratch.stream.context = context | CONNECTED;
    // Empty ones with and without mark are how S7-1200 and S7-1500 keep conversations alive.
    if tpdu.length() == 0 {
        // One with the mark ends a payload that is not complete: the next one would be the device's alone to judge.
        if context & CHAINED != 0 && !tpdu.continues() {
            scratch.stream.context &= !CHAINED;
            scratch.fault(Reason::LengthMismatch);
        }
        return Carried::Done;
    }
    let first = [bytes.u8(tpdu.payload()).unwrap_or(0), bytes.u8(tpdu.payload().wrapping_add(1)).unwrap_or(0)];
    let pinned = context & PROTOCOL;
    // TLS records lie anywhere in the payloads.
    if pinned == TLS {
        opaque(scratch);
        return Carried::Done;
    }
    let found = found(first);
    let chained = if tpdu.continues() && found != TLS { CHAINED } else { 0 };
    scratch.stream.context = scratch.stream.context & !CHAINED | chained;
    if context & CHAINED != 0 && pinned == SESSION {
        return Carried::Continued;
    }
    // A function that is spread over TPDUs would be put together by the device alone.
    if (context | chained) & CHAINED != 0 && found != SESSION {
        scratch.fault(Reason::SplitUnit);
        return Carried::Done;
    }
    if found == 0 {
        scratch.fault(Reason::MalformedFraming);
        return Carried::Done;
    }
    if pinned != 0 && pinned != found && !(found == TLS && context & SECURED != 0) {
        scratch.fault(Reason::ProtocolChanged);
        return Carried::Done;
    }
    scratch.stream.context = scratch.stream.context & !PROTOCOL | found;
    if found == TLS {
        opaque(scratch);
        return Carried::Done;
    }
    Carried::Payload(found)
}

/// Nothing can be read: rules allow it as a whole.
#[inline(always)]
fn opaque(scratch: &mut Scratch) {
    let _ = add(scratch, functions::code::TLS, Access::Program as u8);
}

/// The protocol that a payload begins with; 0 for none of those known.
#[inline(always)]
const fn found(first: [u8; 2]) -> u32 {
    match first {
        [0x32, _] => S7COMM,
        [0x72, _] => S7COMM_PLUS,
        // RFC 8446 5.1: change_cipher_spec to application_data, with a version of 3.
        [0x14..=0x17, 3] => TLS,
        // X.225 8.3: give tokens, connect, accept, refuse, finish, disconnect, abort and their answers.
        [0x01 | 0x08..=0x0e | 0x19 | 0x1a, _] => SESSION,
        // ISO 9506-2 clause 7: protocol data units from confirmed request to conclude.
        [0xa0..=0xa4 | 0xa7..=0xaa | 0xad | 0x85 | 0x86 | 0x8b | 0x8c, _] => BARE,
        _ => 0,
    }
}
