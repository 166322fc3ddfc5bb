//! SLMP, Mitsubishi's MC protocol: 3E and 4E frames in binary code, over TCP and UDP.
//!
//! Enters: bytes in stream order, from the start of a frame. Leaves: an operation per request and device range. Clauses are of
//! the SLMP Reference Manual. ASCII code and 1E frames begin otherwise: on a port of this protocol they are no frames. An
//! answer does not repeat its command, which is taken from what the other direction asked last.

mod devices;
pub mod functions;
mod request;

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::operation::{NO_FUNCTION, Operation, Role};
use crate::port::Side;
use crate::protocol::{Protocol, framing};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard, and subheaders (SLMP 4.2, 4.3).
mod limits {
    /// Subheader, access route, length of a 3E frame; a 4E frame has a serial number more.
    pub(super) const HEADER: u32 = 9;
    /// Bytes that a 4E frame has more.
    pub(super) const SERIAL: u32 = 4;
    /// Least that the length field counts in a request: timer, command, subcommand.
    pub(super) const REQUEST: u32 = 6;
    /// And in an answer: end code.
    pub(super) const RESPONSE: u32 = 2;
    /// Most that it counts: 960 words, or what file commands carry, with all in front of it.
    pub(super) const LONGEST: u32 = 4096;
    /// Bytes of data that decide about a request which is longer than what can be kept.
    pub(super) const HEAD: u32 = 16;
    /// Request of a 3E frame.
    pub(super) const REQUEST_3E: u16 = 0x5000;
    /// Request of a 4E frame.
    pub(super) const REQUEST_4E: u16 = 0x5400;
    /// What a station sends of its own accord.
    pub(super) const ON_DEMAND: u16 = 0x6000;
    /// Answer of a 3E frame.
    pub(super) const RESPONSE_3E: u16 = 0xd000;
    /// Answer of a 4E frame.
    pub(super) const RESPONSE_4E: u16 = 0xd400;
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    /// Offset of the access route.
    route: u32,
    /// Offset behind the last byte that is there.
    end: u32,
    /// Bytes of the frame; 0 for none.
    size: u32,
    /// Length field.
    length: u32,
    /// Serial number; 0 in a 3E frame.
    serial: u16,
    /// Role of the sender by the subheader.
    role: Role,
}

impl Unit {
    /// No frame.
    const NONE: Self = Self { route: 0, end: 0, size: 0, length: 0, serial: 0, role: Role::Request };
}

/// Reads frames from `stream.start` to `stream.end`, one in each step. True when there is more.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let scratch = scratch.anew();
    if !framing::next(scratch) {
        return false;
    }
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    let unit = frame(bytes, scratch, at, remaining);
    let size = unit.size;
    if size == 0 {
        return false;
    }
    let answer = framing::is_answer(scratch);
    let least = if answer { limits::RESPONSE } else { limits::REQUEST.wrapping_add(limits::HEAD) };
    let head = size.wrapping_sub(unit.length).wrapping_add(least);
    let needed = if answer { size.min(head) } else { framing::needed(scratch, size, head) };
    if !framing::take(scratch, at, remaining, size, needed) {
        return false;
    }
    read(bytes, scratch.anew(), &unit);
    framing::end(scratch.anew(), size);
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Frames one unit. [`Unit::NONE`] where the bytes are none or too few, which is noted.
#[inline(always)]
fn frame<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, remaining: u32) -> Unit {
    if remaining < 2 {
        framing::partial(scratch, at, remaining);
        return Unit::NONE;
    }
    let subheader = black_box(bytes.u16(at).unwrap_or(0));
    let four = subheader == limits::REQUEST_4E || subheader == limits::RESPONSE_4E;
    let more = if four { limits::SERIAL } else { 0 };
    let asks = scratch.path.role == Role::Request as u8;
    let device = scratch.frame.side == Side::Device as u8;
    let role = match subheader {
        limits::REQUEST_3E | limits::REQUEST_4E if asks => Role::Request,
        limits::RESPONSE_3E | limits::RESPONSE_4E if !asks => Role::Response,
        limits::ON_DEMAND if !asks && device => Role::Message,
        _ => {
            scratch.fault(Reason::MalformedFraming);
            return Unit::NONE;
        }
    };
    if remaining < limits::HEADER.wrapping_add(more) {
        framing::partial(scratch, at, remaining);
        return Unit::NONE;
    }
    let route = at.wrapping_add(2).wrapping_add(more);
    let [l0, l1] = bytes.read::<2>(route.wrapping_add(5)).unwrap_or([0; 2]);
    let length = u16::from_le_bytes([l0, l1]) as u32;
    let [s0, s1, z0, z1] = if four { bytes.read::<4>(at.wrapping_add(2)).unwrap_or([0; 4]) } else { [0; 4] };
    let serial = u16::from_le_bytes([s0, s1]);
    let least = if role as u8 == Role::Response as u8 { limits::RESPONSE } else { limits::REQUEST };
    if length < least || length > limits::LONGEST || z0 | z1 != 0 {
        scratch.fault(Reason::MalformedFraming);
        return Unit::NONE;
    }
    let size = limits::HEADER.wrapping_add(more).wrapping_add(length);
    let end = at.wrapping_add(remaining.min(size));
    Unit { route, end, size, length, serial, role }
}

/// Reads one frame into a record, or several.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit) {
    let asked = scratch.stream.peer_context;
    let route = bytes.read::<5>(unit.route).unwrap_or([0; 5]);
    let data = unit.route.wrapping_add(7);
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Slmp as u8;
    operation.role = unit.role as u8;
    operation.transaction = unit.serial as u32;
    operation.unit = station(route);
    if unit.role as u8 == Role::Response as u8 {
        answer(bytes, data, unit, asked, operation);
        return;
    }
    let [_, _, c0, c1, s0, s1] = bytes.read::<6>(data).unwrap_or([0; 6]);
    let command = u16::from_le_bytes([c0, c1]);
    let subcommand = u16::from_le_bytes([s0, s1]);
    operation.function = command as u32;
    operation.access = functions::access(operation.function);
    if route_is_odd(route) {
        operation.fault = Reason::OutOfRange as u8;
    }
    scratch.stream.context = (command as u32) << 16 | unit.serial as u32;
    request::read(bytes, data.wrapping_add(limits::REQUEST), unit, subcommand, scratch.anew());
}

/// An end code other than 0 is an error, SLMP 4.3; a byte of it says which kind.
#[inline(always)]
fn answer<B: Bytes + ?Sized>(bytes: &B, data: u32, unit: &Unit, asked: u32, operation: &mut Operation) {
    operation.function = if asked != 0 && asked & 0xffff == unit.serial as u32 { asked >> 16 } else { NO_FUNCTION };
    if operation.function != NO_FUNCTION {
        operation.access = functions::access(operation.function);
    }
    let [low, high] = bytes.read::<2>(data).unwrap_or([0; 2]);
    if low | high != 0 {
        operation.exception = if high != 0 { high } else { low };
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}

/// The station that the access route names (SLMP 4.2): 255 is the connected one, any other 256 times its network and its
/// number; above them, what the module and multidrop station differ from the CPU's own by.
#[inline(always)]
const fn station([network, station, i0, i1, multidrop]: [u8; 5]) -> u32 {
    let module = u16::from_le_bytes([i0, i1]) ^ OWN_MODULE;
    (multidrop as u32 & 0x3f) << 26 | (module as u32 & 0x3ff) << 16 | (network as u32) << 8 | station as u32
}

/// True where the number of a station does not hold all of its route.
#[inline(always)]
const fn route_is_odd([_, _, i0, i1, multidrop]: [u8; 5]) -> bool {
    u16::from_le_bytes([i0, i1]) > OWN_MODULE || multidrop > 31
}

/// Module number of the CPU.
const OWN_MODULE: u16 = 0x03ff;
