//! IEC 60870-5-104: APCI framing, its three formats, and the ASDU of I frames in both directions.
//!
//! Enters: bytes in stream order, from the start of an APDU. Leaves: operations, and which bytes the next segment continues.
//! Clauses cited as "104" are of IEC 60870-5-104:2006, as "101" of IEC 60870-5-101:2003, whose application layer it is.
//!
//! An ASDU for a device is one object and one command, of exact length. The bits for tests and for negative confirmations
//! (T and P/N, 101 7.2.3) change nothing in how a command is judged: devices exist that look at neither. An ASDU from the
//! device lists what it reports.

pub mod elements;
mod frame;
pub mod functions;
mod request;
mod response;

use self::frame::Framed;
use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard, and of the walk.
pub mod limits {
    /// Most APDUs in one segment that are inspected; a station waits for an acknowledgement after k = 12 of them, 104 5.5.
    pub const UNITS_PER_SEGMENT: u8 = 32;
    /// How many of them are read in one step.
    pub const UNITS_PER_STEP: u32 = 4;
    /// Start octet, 104 5.
    pub const START: u8 = 0x68;
    /// Start octet and length field.
    pub const HEADER: u32 = 2;
    /// Smallest value of the length field: four control octets.
    pub const LENGTH_MIN: u32 = 4;
    /// Largest value of the length field, 104 5.
    pub const LENGTH_MAX: u32 = 253;
    /// Value of the length field of an I frame whose ASDU ends behind its identifier, 101 7.1.
    pub const LENGTH_IDENTIFIED: u32 = 10;
    /// Octets of an information object address.
    pub const ADDRESS: u32 = 3;
    /// Bytes that say of an answer all that is reported when a segment ends in it: up to its first object address.
    pub const HEAD_RESPONSE: u32 = 15;
}

/// Common address of all stations, 101 7.2.4.
pub(crate) const ALL_STATIONS: u32 = 0xffff;

/// What [`crate::flow::Direction::context`] says of the direction toward the device; 0 while data transfer is not started.
mod context {
    /// STARTDT act, or a conversation taken up in the middle.
    pub(super) const STARTED: u32 = 1;
    /// STOPDT act.
    pub(super) const STOPPED: u32 = 2;
}

/// One APDU, framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Offset of the start octet.
    pub at: u32,
    /// Length field.
    pub length: u32,
    /// The four control octets, the first in the lowest bits.
    pub control: u32,
}

impl Unit {
    /// Offset of the ASDU.
    #[inline(always)]
    pub(crate) const fn asdu(&self) -> u32 {
        self.at.wrapping_add(6)
    }

    /// Offset of the first information object.
    #[inline(always)]
    pub(crate) const fn objects(&self) -> u32 {
        self.at.wrapping_add(12)
    }
}

/// The data unit identifier of an ASDU, 101 7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// Type identification.
    pub kind: u8,
    /// Number of objects or elements.
    pub count: u32,
    /// One address for all elements (SQ).
    pub sequence: bool,
    /// Cause of transmission.
    pub cause: u32,
    /// Negative confirmation (P/N).
    pub negative: bool,
}

/// Reads APDUs from `stream.start` to `stream.end`, at most [`limits::UNITS_PER_STEP`] of them. Adds one operation per
/// object range of an I frame, one per U frame, none for an S frame. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    for _ in 0..limits::UNITS_PER_STEP {
        let scratch = scratch.anew();
        let (at, end) = (scratch.stream.start, scratch.stream.end);
        if at >= end {
            return false;
        }
        if scratch.stream.units >= limits::UNITS_PER_SEGMENT {
            scratch.fault(Reason::BeyondInspection);
            return false;
        }
        scratch.stream.units = scratch.stream.units.wrapping_add(1);
        let remaining = end.wrapping_sub(at);
        let answer = scratch.path.role == Role::Response as u8 && scratch.frame.side == Side::Device as u8;
        match frame::frame(bytes, at, remaining, answer) {
            Framed::Whole(unit, size) => {
                scratch.stream.start = at.wrapping_add(size);
                scratch.stream.skip = size.saturating_sub(remaining);
                if !read(bytes, &unit, scratch) {
                    return false;
                }
                if size > remaining && scratch.stream.whole != 0 {
                    scratch.fault(Reason::SplitUnit);
                }
            }
            Framed::Partial => {
                frame::partial(scratch, at, remaining);
                return false;
            }
            Framed::Malformed => {
                scratch.fault(Reason::MalformedFraming);
                return false;
            }
        }
    }
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Reads one APDU by its format, 104 5.1. False when its control field is none of the standard's: nothing behind it is
/// believed.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) -> bool {
    if unit.control & 1 == 0 {
        information(bytes, unit, scratch);
        return true;
    }
    // S frames have nothing but a receive sequence number, whose lowest bit is 0; U frames nothing but one bit of six.
    let sound = match unit.control & 3 {
        1 => unit.control & 0x0001_ffff == 1,
        _ => matches!(unit.control, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83),
    };
    if !sound || unit.length != limits::LENGTH_MIN {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    if unit.control & 3 == 3 {
        unnumbered(unit, scratch);
    }
    true
}

/// A U frame, 104 5.1 and 5.3.
#[inline(always)]
fn unnumbered(unit: &Unit, scratch: &mut Scratch) {
    match unit.control {
        0x07 => scratch.stream.context = context::STARTED,
        0x13 => scratch.stream.context = context::STOPPED,
        _ => {}
    }
    let Some(operation) = add(scratch) else {
        return;
    };
    operation.function = functions::UNNUMBERED | unit.control;
    operation.access = Access::Session as u8;
    // A confirmation is the bit above that of its activation.
    operation.transaction = (unit.control >> 2 | unit.control >> 3) & 0x15;
    operation.flags |= Operation::OTHER_FUNCTION;
}

/// An I frame: one ASDU.
#[inline(always)]
fn information<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    let role = scratch.path.role;
    let stopped = is_stopped(scratch);
    // Both sequence numbers, without the lowest bits of their octets, which say what the frame is.
    scratch.leave_out::<0>(unit.at.wrapping_add(2), 0xfffe_fffe);
    let Some(operation) = add(scratch) else {
        return;
    };
    if unit.length < limits::LENGTH_IDENTIFIED {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    }
    let [kind, qualifier, cause, _, a0, a1] = bytes.read::<6>(unit.asdu()).unwrap_or([0; 6]);
    let identifier = Identifier {
        kind,
        count: (qualifier & 0x7f) as u32,
        sequence: qualifier & 0x80 != 0,
        cause: (cause & 0x3f) as u32,
        negative: cause & 0x40 != 0,
    };
    operation.function = kind as u32;
    operation.unit = u16::from_le_bytes([a0, a1]) as u32;
    operation.access = functions::access(kind);
    // What an answer repeats: the test bit, and below it the object address.
    operation.transaction = (cause & 0x80) as u32 >> 7 << 24;
    match Role::from_code(role) {
        Role::Request | Role::Message => {
            if stopped {
                operation.fault = Reason::InvalidFunction as u8;
            } else if unit.control & 0x0001_0000 != 0 {
                operation.fault = Reason::MalformedFraming as u8;
            }
            request::read(bytes, unit, &identifier, operation);
        }
        Role::Response => response::read(bytes, unit, &identifier, scratch),
    }
}

/// True where the sender may not send I frames: it has not started data transfer, or has stopped it, 104 5.3. A
/// conversation taken up in the middle is taken as started.
#[inline(always)]
fn is_stopped(scratch: &mut Scratch) -> bool {
    if scratch.path.role == Role::Response as u8 || scratch.frame.side != Side::Network as u8 {
        return false;
    }
    if scratch.stream.context == 0 && scratch.stream.midstream != 0 {
        scratch.stream.context = context::STARTED;
    }
    scratch.stream.context != context::STARTED
}

/// Adds a record, `None` and the fault noted when there is no room.
#[inline(always)]
fn add(scratch: &mut Scratch) -> Option<&mut Operation> {
    let role = scratch.path.role;
    if scratch.count >= crate::scratch::MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Iec104 as u8;
    operation.role = role;
    Some(operation)
}

/// Sets the object range of a type, both selected and executed.
#[inline(always)]
pub(crate) fn objects(operation: &mut Operation, kind: u8, first: u32, last: u32) {
    operation.space = functions::space::TYPE.wrapping_add(kind as u32);
    operation.first = first << functions::SELECT_BITS;
    operation.last = last << functions::SELECT_BITS | 1;
}

/// Octets that the ASDU has behind its identifier, for this many elements of this size.
#[inline(always)]
pub(crate) const fn expected(identifier: &Identifier, size: u32) -> u32 {
    if identifier.sequence {
        limits::ADDRESS.wrapping_add(identifier.count.wrapping_mul(size))
    } else {
        identifier.count.wrapping_mul(limits::ADDRESS.wrapping_add(size))
    }
}

/// An information object address, in little-endian order; 0 where there is none.
#[inline(always)]
pub(crate) fn address<B: Bytes + ?Sized>(bytes: &B, at: u32) -> u32 {
    let [a, b, c] = bytes.read::<3>(at).unwrap_or([0; 3]);
    u32::from_le_bytes([a, b, c, 0])
}
