//! Modbus/TCP: MBAP framing and the units inside, requests and responses.
//!
//! Enters: bytes in stream order, from the start of a unit. Leaves: operations, and which bytes the next segment
//! continues. Clauses cited as "MB" are of MODBUS Application Protocol Specification V1.1b3, as "TCP" of MODBUS Messaging
//! on TCP/IP Implementation Guide V1.0b.

pub mod functions;
mod request;
mod response;
pub mod values;

use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::network;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::{Protocol, umas};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard.
pub mod limits {
    /// Most application data units in one segment that are inspected.
    pub const UNITS_PER_SEGMENT: u8 = 32;
    /// How many of them are read in one step.
    pub const UNITS_PER_STEP: u32 = 4;
    /// MBAP header up to the length field, TCP 3.1.3.
    pub const HEADER: u32 = 6;
    /// Smallest value of the length field: unit identifier and function code.
    pub const LENGTH_MIN: u32 = 2;
    /// Largest value of the length field: a unit of 253 bytes and the unit identifier, MB 4.1.
    pub const LENGTH_MAX: u32 = 254;
    /// Largest length field of function 90, whose frames are negotiated per device.
    pub const LENGTH_MAX_UMAS: u32 = 1100;
    /// Bytes that say all about a response: exception code, byte count, the address that a write echoes.
    pub const HEAD_RESPONSE: u32 = 12;
}

/// One application data unit, framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Offset of the MBAP header.
    pub at: u32,
    /// MBAP length field.
    pub length: u32,
    /// Transaction identifier.
    pub transaction: u16,
    /// Unit identifier.
    pub address: u8,
    /// Function code as on the wire.
    pub code: u8,
}

impl Unit {
    /// Offset of the byte behind the function code.
    #[inline(always)]
    pub(crate) const fn data(&self) -> u32 {
        self.at.wrapping_add(8)
    }
}

/// What stands at an offset.
enum Framed {
    /// A whole unit, or as much of it as decides, and its size in bytes.
    Whole(Unit, u32),
    /// The rest of the bytes is the beginning of a unit.
    Partial,
    /// Not a frame.
    Malformed(Reason),
}

/// Reads units from `stream.start` to `stream.end`, at most [`limits::UNITS_PER_STEP`] of them. Adds one operation per
/// object range, and a record with a fault where bytes are not what the standard allows. Written values are left for
/// [`values::read`]. True when there is more: the caller comes again. In steps, because the kernel verifies a program's
/// whole loop.
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
        match frame(bytes, at, remaining, is_datagram(scratch), answer) {
            Framed::Whole(unit, size) => {
                scratch.stream.start = at.wrapping_add(size);
                scratch.stream.skip = size.saturating_sub(remaining);
                read(bytes, &unit, scratch);
                if size > remaining && scratch.stream.whole != 0 {
                    scratch.fault(Reason::SplitUnit);
                }
            }
            Framed::Partial => {
                partial(scratch, at, remaining);
                return false;
            }
            Framed::Malformed(reason) => {
                scratch.fault(reason);
                return false;
            }
        }
    }
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Frames one unit: TCP 3.1.3. The length field is believed only with a protocol identifier of 0 and inside its limits.
#[inline(always)]
fn frame<B: Bytes + ?Sized>(bytes: &B, at: u32, remaining: u32, datagram: bool, answer: bool) -> Framed {
    if remaining < 8 {
        return Framed::Partial;
    }
    let Some([t0, t1, p0, p1, l0, l1, address, code]) = bytes.read::<8>(at) else {
        return Framed::Malformed(Reason::Truncated);
    };
    let length = u16::from_be_bytes([l0, l1]) as u32;
    let longest = if code & 0x7f == functions::UMAS { limits::LENGTH_MAX_UMAS } else { limits::LENGTH_MAX };
    if (p0 | p1) != 0 || length < limits::LENGTH_MIN || length > longest {
        return Framed::Malformed(Reason::MalformedFraming);
    }
    let size = limits::HEADER.wrapping_add(length);
    // A unit of function 90 can be longer than what is carried; its head decides.
    let needed = if answer {
        size.min(limits::HEAD_RESPONSE)
    } else if code == functions::UMAS {
        size.min(umas::HEAD)
    } else {
        size
    };
    // A datagram holds exactly one unit: what follows it is read by nobody, or by a parser of another kind.
    if datagram && remaining != size {
        return Framed::Malformed(Reason::LengthMismatch);
    }
    if remaining < needed {
        return Framed::Partial;
    }
    Framed::Whole(Unit { at, length, code, address, transaction: u16::from_be_bytes([t0, t1]) }, size)
}

#[inline(always)]
fn is_datagram(scratch: &Scratch) -> bool {
    scratch.frame.transport_protocol == network::protocol::UDP
}

/// Reads the inside of a unit into a record, or several.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) {
    let role = scratch.path.role;
    scratch.leave_out::<0>(unit.at, 0xffff);
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Modbus as u8;
    operation.role = role;
    operation.function = (unit.code & 0x7f) as u32;
    operation.unit = unit.address as u32;
    operation.transaction = unit.transaction as u32;
    operation.access = functions::access(unit.code);
    if unit.code == functions::UMAS {
        umas::read(bytes, unit.at.wrapping_add(7), unit.length.wrapping_sub(1), operation);
        return;
    }
    match Role::from_code(role) {
        Role::Request | Role::Message => request::read(bytes, unit, scratch),
        Role::Response => response::read(bytes, unit, operation),
    }
}

/// Keeps the beginning of a unit for the next segment; where units must be whole, that is a fault.
#[inline(always)]
fn partial(scratch: &mut Scratch, at: u32, remaining: u32) {
    if is_datagram(scratch) {
        scratch.fault(Reason::MalformedFraming);
        return;
    }
    if scratch.stream.whole != 0 {
        scratch.fault(Reason::SplitUnit);
    }
    if remaining > carry_size(Side::from_code(scratch.frame.side)) {
        scratch.fault(Reason::BeyondInspection);
        return;
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
}
