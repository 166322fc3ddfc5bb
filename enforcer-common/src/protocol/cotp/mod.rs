//! TPKT and COTP class 0, in which S7comm, S7comm-plus and MMS travel on TCP port 102.
//!
//! Enters: bytes in stream order, from the start of a TPKT. Leaves: where the TPDU in it begins and ends and what it
//! carries, for the dissector of the conduit's protocol; operations for connections. Clauses cited as "1006" are of RFC
//! 1006, as "8073" of ISO/IEC 8073 (ITU-T X.224).

pub mod carried;
mod connection;
pub mod functions;

pub use connection::read as connection;
use functions::code;

use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{MOST, Scratch};
use crate::verdict::Reason;

/// Limits of the standards.
pub mod limits {
    /// Most TPKTs in one segment that are inspected.
    pub const UNITS_PER_SEGMENT: u8 = 8;
    /// TPKT header and the first bytes of the TPDU, which say all about a data TPDU.
    pub const HEADER: u32 = 7;
    /// Bytes of a unit toward the device that decide about it, where it is longer.
    pub const HEAD: u32 = 264;
    /// Bytes of an answer that say what is reported of it.
    pub const HEAD_ANSWER: u32 = 32;
}

/// A TPKT and the TPDU in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpdu {
    /// Offset of the TPKT.
    pub at: u32,
    /// Size of the TPKT, 1006 6.
    pub size: u32,
    /// Length indicator: bytes of the TPDU's header behind this field, 8073 13.2.1.
    pub indicator: u8,
    /// TPDU code as on the wire.
    pub code: u8,
    /// The octet behind it: in a data TPDU the number, which class 0 does not use, and the end-of-TSDU mark.
    pub mark: u8,
}

impl Tpdu {
    /// Offset of what a data TPDU carries.
    #[must_use]
    #[inline(always)]
    pub const fn payload(&self) -> u32 {
        self.at.wrapping_add(limits::HEADER)
    }

    /// How much a data TPDU carries.
    #[must_use]
    #[inline(always)]
    pub const fn length(&self) -> u32 {
        self.size.wrapping_sub(limits::HEADER)
    }

    /// True where a data TPDU is not the last one of what it carries.
    #[must_use]
    #[inline(always)]
    pub const fn continues(&self) -> bool {
        self.mark & 0x80 == 0
    }
}

/// What stands at an offset.
pub enum Framed {
    /// A unit, or as much of it as decides.
    Whole(Tpdu),
    /// The rest of the bytes is the beginning of a unit.
    Partial,
    /// Not a frame.
    Malformed,
}

/// Frames one TPKT: 1006 6, 8073 13.7. The length is believed only behind the version and a reserved octet of 0, and where
/// the TPDU is one of class 0 whose header ends inside.
#[inline(always)]
pub fn frame<B: Bytes + ?Sized>(bytes: &B, at: u32, remaining: u32, answer: bool) -> Framed {
    if remaining < limits::HEADER {
        return Framed::Partial;
    }
    let Some([version, reserved, l0, l1, indicator, code, mark]) = bytes.read::<7>(at) else {
        return Framed::Malformed;
    };
    let size = u16::from_be_bytes([l0, l1]) as u32;
    let header = (indicator as u32).wrapping_add(5);
    if version != 3 || reserved != 0 || size < limits::HEADER || header < limits::HEADER || header > size {
        return Framed::Malformed;
    }
    let sound = match code & 0xf0 {
        code::DATA => code == code::DATA && indicator == 2 && mark & 0x7f == 0,
        // Nothing but data has octets behind its header in class 0.
        code::CONNECTION_REQUEST
        | code::CONNECTION_CONFIRM
        | code::DISCONNECT_REQUEST
        | code::DISCONNECT_CONFIRM
        | code::ERROR => true,
        _ => false,
    };
    if !sound {
        return Framed::Malformed;
    }
    let head = if answer { limits::HEAD_ANSWER } else { limits::HEAD };
    if remaining < size.min(head) {
        return Framed::Partial;
    }
    Framed::Whole(Tpdu { at, size, indicator, code, mark })
}

/// The next unit of the segment. `None` where there is none to be read: the end, the beginning of a unit, too many of
/// them, or no frame; what has to be said of it is in `scratch` then.
#[inline(always)]
pub fn next<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Option<Tpdu> {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if at >= end {
        return None;
    }
    if scratch.stream.units >= limits::UNITS_PER_SEGMENT {
        scratch.fault(Reason::BeyondInspection);
        scratch.stream.start = end;
        return None;
    }
    scratch.stream.units = scratch.stream.units.wrapping_add(1);
    let remaining = end.wrapping_sub(at);
    match frame(bytes, at, remaining, is_answer(scratch) && scratch.frame.side == Side::Device as u8) {
        Framed::Whole(tpdu) => Some(tpdu),
        Framed::Partial => {
            partial(scratch, at, remaining);
            scratch.stream.start = end;
            None
        }
        Framed::Malformed => {
            scratch.fault(Reason::MalformedFraming);
            scratch.stream.start = end;
            None
        }
    }
}

/// The unit at `stream.start`, which [`next`] has framed.
#[inline(always)]
pub fn again<B: Bytes + ?Sized>(bytes: &B, scratch: &Scratch) -> Option<Tpdu> {
    let at = scratch.stream.start;
    let [_, _, l0, l1, indicator, code, mark] = bytes.read::<7>(at)?;
    Some(Tpdu { at, size: u16::from_be_bytes([l0, l1]) as u32, indicator, code, mark })
}

/// Moves behind the unit at `stream.start`.
#[inline(always)]
pub fn advance<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let size = match bytes.read::<2>(scratch.stream.start.wrapping_add(2)) {
        Some(length) => u16::from_be_bytes(length) as u32,
        None => u16::MAX as u32,
    };
    let remaining = scratch.stream.end.wrapping_sub(scratch.stream.start);
    scratch.stream.start = scratch.stream.start.wrapping_add(size);
    scratch.stream.skip = size.saturating_sub(remaining);
    if size > remaining && scratch.stream.whole != 0 {
        scratch.fault(Reason::SplitUnit);
    }
}

/// True for what a server says to its client.
#[must_use]
#[inline(always)]
pub fn is_answer(scratch: &Scratch) -> bool {
    scratch.path.role == Role::Response as u8
}

/// Adds a record of a TPDU, or of what data TPDUs hide.
#[inline(always)]
pub fn add(scratch: &mut Scratch, function: u32, access: u8) -> Option<&mut Operation> {
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let role = scratch.path.role;
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Cotp as u8;
    operation.role = role;
    operation.function = Protocol::Cotp.within(function);
    operation.access = access;
    Some(operation)
}

/// Gives the last record a fault, where it has none yet.
#[inline(always)]
pub fn last_fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && last.fault == 0
    {
        last.fault = reason as u8;
    }
}

/// Keeps the beginning of a unit for the next segment; where units must be whole, that is a fault.
#[inline(always)]
fn partial(scratch: &mut Scratch, at: u32, remaining: u32) {
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
