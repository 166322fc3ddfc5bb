//! Modbus/TCP: MBAP framing and the units inside, requests and responses.
//!
//! Enters: bytes in stream order, from the start of a unit. Leaves: operations, and which bytes the next segment
//! continues. Clauses cited as "MB" are of MODBUS Application Protocol Specification V1.1b3, as "TCP" of MODBUS Messaging
//! on TCP/IP Implementation Guide V1.0b.

pub mod functions;
mod request;
mod response;

use crate::bytes::Bytes;
use crate::flow::CARRY;
use crate::network;
use crate::operation::{NO_FUNCTION, Operation, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard.
pub mod limits {
    /// Most application data units in one segment that are inspected.
    pub const UNITS_PER_SEGMENT: u32 = 32;
    /// MBAP header up to the length field, TCP 3.1.3.
    pub const HEADER: u32 = 6;
    /// Smallest value of the length field: unit identifier and function code.
    pub const LENGTH_MIN: u32 = 2;
    /// Largest value of the length field: a unit of 253 bytes and the unit identifier, MB 4.1.
    pub const LENGTH_MAX: u32 = 254;
    /// Largest length field of function 90, whose frames are negotiated per device.
    pub const LENGTH_MAX_UMAS: u32 = 1100;
    /// Bytes that decide about a unit of function 90.
    pub const HEAD_UMAS: u32 = 10;
}

/// One application data unit, framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Offset of the MBAP header.
    pub at: u32,
    /// MBAP length field.
    pub length: u32,
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
    Whole(Operation, Unit, u32),
    /// The rest of the bytes is the beginning of a unit.
    Partial,
    /// Not a frame.
    Malformed(Reason),
}

/// Reads all units from `stream.start` to `stream.end`. Adds one operation per object range, and a record with a fault
/// where bytes are not what the standard allows. The caller sets `stream.start`, `end` and, for TCP, `commit`.
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let end = scratch.stream.end;
    let mut at = scratch.stream.start;
    for _ in 0..limits::UNITS_PER_SEGMENT {
        if at >= end {
            return;
        }
        let remaining = end.wrapping_sub(at);
        match frame(bytes, at, remaining, scratch) {
            Framed::Whole(operation, unit, size) => {
                if !read(bytes, &unit, operation, scratch) {
                    fault(scratch, Reason::BeyondInspection);
                    return;
                }
                if size > remaining {
                    scratch.stream.skip = size.wrapping_sub(remaining);
                    return;
                }
                at = at.wrapping_add(size);
            }
            Framed::Partial => {
                partial(scratch, at, remaining);
                return;
            }
            Framed::Malformed(reason) => {
                fault(scratch, reason);
                return;
            }
        }
    }
    if at < end {
        fault(scratch, Reason::BeyondInspection);
    }
}

/// Frames one unit: TCP 3.1.3. The length field is believed only with a protocol identifier of 0 and inside its limits.
#[inline(always)]
fn frame<B: Bytes + ?Sized>(bytes: &B, at: u32, remaining: u32, scratch: &Scratch) -> Framed {
    if remaining < 8 {
        return Framed::Partial;
    }
    let Some([t0, t1, p0, p1, l0, l1, unit, code]) = bytes.read::<8>(at) else {
        return Framed::Malformed(Reason::Truncated);
    };
    let length = u16::from_be_bytes([l0, l1]) as u32;
    let longest = if code & 0x7f == functions::UMAS { limits::LENGTH_MAX_UMAS } else { limits::LENGTH_MAX };
    if (p0 | p1) != 0 || length < limits::LENGTH_MIN || length > longest {
        return Framed::Malformed(Reason::MalformedFraming);
    }
    let size = limits::HEADER.wrapping_add(length);
    // A unit of function 90 can be longer than what is carried; its head decides.
    let needed = if code == functions::UMAS { size.min(limits::HEAD_UMAS) } else { size };
    if remaining < needed || (remaining < size && is_datagram(scratch)) {
        return if is_datagram(scratch) { Framed::Malformed(Reason::LengthMismatch) } else { Framed::Partial };
    }
    let operation = Operation {
        protocol: Protocol::Modbus as u8,
        role: scratch.path.role,
        function: (code & 0x7f) as u32,
        unit: unit as u32,
        transaction: u16::from_be_bytes([t0, t1]) as u32,
        ..Operation::EMPTY
    };
    Framed::Whole(operation, Unit { at, length, code }, size)
}

#[inline(always)]
fn is_datagram(scratch: &Scratch) -> bool {
    scratch.frame.transport_protocol == network::protocol::UDP
}

/// Reads the inside of a unit. False when there is no room for its operations.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: Operation, scratch: &mut Scratch) -> bool {
    match Role::from_code(scratch.path.role) {
        Role::Request | Role::Message => request::read(bytes, unit, operation, scratch),
        Role::Response => response::read(bytes, unit, operation, scratch),
    }
}

/// Keeps the beginning of a unit for the next segment.
#[inline(always)]
fn partial(scratch: &mut Scratch, at: u32, remaining: u32) {
    if is_datagram(scratch) || remaining as usize > CARRY {
        fault(scratch, Reason::MalformedFraming);
        return;
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
}

/// A record for bytes in which no function could be read.
#[inline(always)]
fn fault(scratch: &mut Scratch, reason: Reason) {
    let record = Operation {
        protocol: Protocol::Modbus as u8,
        role: scratch.path.role,
        function: NO_FUNCTION,
        fault: reason as u8,
        ..Operation::EMPTY
    };
    if !scratch.push(record) {
        // No room for the record either: the frame is judged by its last operation instead.
        if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
            last.fault = reason as u8;
        }
    }
}
