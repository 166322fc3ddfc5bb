//! The virtual link, annex J.2 and for IPv6 annex U.2: type, function, length, and for some functions an address.

use core::hint::black_box;

use super::link_functions::{self, IPV6};
use super::record;
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Type of the virtual link over IPv4, J.1.
const BACNET_IP: u8 = 0x81;
/// Type of the virtual link over IPv6, U.1.
const BACNET_IPV6: u8 = 0x82;
/// The header: type, function, length.
const HEADER: u32 = 4;
/// Original-Unicast-NPDU over IPv4.
const UNICAST: u8 = 0x0a;

/// What follows the header of a function.
#[derive(Clone, Copy)]
struct Shape {
    /// Offset of the message that it carries; 0 when it carries none.
    carried: u8,
    /// Its size without entries; 0 when the standard leaves it open.
    size: u8,
    /// Size of an entry of the table that it holds.
    entry: u8,
    /// [`Role`] code.
    role: u8,
    /// Non-zero: it carries somebody else's message and is an operation of its own.
    wraps: u8,
}

const fn message(carried: u8, wraps: u8) -> Shape {
    Shape { carried, size: 0, entry: 0, role: Role::Message as u8, wraps }
}

const fn alone(size: u8, entry: u8, role: Role) -> Shape {
    Shape { carried: 0, size, entry, role: role as u8, wraps: 1 }
}

const OPEN: Shape = alone(0, 0, Role::Request);

/// J.2.1 to J.2.13.
static SHAPES: [Shape; 16] = [
    alone(6, 0, Role::Response),
    alone(4, 10, Role::Request),
    alone(4, 0, Role::Request),
    alone(4, 10, Role::Response),
    message(10, 1),
    alone(6, 0, Role::Request),
    alone(4, 0, Role::Request),
    alone(4, 10, Role::Response),
    alone(10, 0, Role::Request),
    message(4, 1),
    message(4, 0),
    message(4, 0),
    OPEN,
    OPEN,
    OPEN,
    OPEN,
];

/// U.2.1 to U.2.13.
static SHAPES_IPV6: [Shape; 16] = [
    alone(9, 0, Role::Response),
    message(10, 0),
    message(7, 0),
    alone(10, 0, Role::Message),
    alone(28, 0, Role::Message),
    alone(10, 0, Role::Response),
    alone(7, 0, Role::Message),
    alone(10, 0, Role::Response),
    message(25, 1),
    alone(9, 0, Role::Request),
    alone(25, 0, Role::Request),
    OPEN,
    message(7, 1),
    OPEN,
    OPEN,
    OPEN,
];

/// Leaves the offset of the network layer's message in `stream.start`, and in `stream.context` the reason why the
/// datagram is to be refused, if any. False when there is no message to read.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let size = end.wrapping_sub(at);
    if at >= end {
        return false;
    }
    let Some([kind, function, l0, l1]) = bytes.read::<4>(at) else {
        scratch.fault(Reason::MalformedFraming);
        return false;
    };
    if size < HEADER || (kind != BACNET_IP && kind != BACNET_IPV6) {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    let over_ipv4 = kind == BACNET_IP;
    let [first, ..] = scratch.frame.destination_mac;
    if u16::from_be_bytes([l0, l1]) as u32 != size {
        scratch.stream.context = Reason::LengthMismatch as u32;
    } else if over_ipv4 && function == UNICAST && first & 1 != 0 {
        // A message for one station that is sent to all of them.
        scratch.stream.context = Reason::OutOfRange as u32;
    }
    let shapes = if over_ipv4 { &SHAPES } else { &SHAPES_IPV6 };
    let shape = match shapes.get(black_box(function) as usize & 15) {
        Some(shape) if function < 16 => *shape,
        _ => OPEN,
    };
    scratch.stream.start = at.wrapping_add(shape.carried as u32);
    let scratch = scratch.anew();
    if shape.wraps != 0 {
        let number = if over_ipv4 { function as u32 } else { function as u32 | IPV6 };
        own(bytes, scratch, &shape, number, at);
    }
    if shape.carried == 0 {
        return false;
    }
    if (shape.carried as u32) < size {
        return true;
    }
    scratch.fault(Reason::LengthMismatch);
    false
}

/// The function as an operation of its own.
#[inline(always)]
fn own<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, shape: &Shape, number: u32, at: u32) {
    let size = scratch.stream.end.wrapping_sub(at);
    let Some(operation) =
        record::add(scratch, Protocol::Bvlc, Protocol::Bvlc.within(number), Role::from_code(shape.role))
    else {
        return;
    };
    operation.access = link_functions::access(number);
    let fixed = shape.size as u32;
    let entries = size.wrapping_sub(fixed);
    let fits = if shape.entry == 0 { entries == 0 } else { size >= fixed && entries.is_multiple_of(10) };
    if fixed != 0 && !fits {
        operation.fault = Reason::LengthMismatch as u8;
    }
    if number & !IPV6 == 0 && fits {
        result(bytes, operation, at.wrapping_add(size));
    }
}

/// J.2.1 and U.2.1: the result code is the last word of the message; 0 is success.
#[inline(always)]
fn result<B: Bytes + ?Sized>(bytes: &B, operation: &mut Operation, end: u32) {
    let code = black_box(bytes.u8(end.wrapping_sub(1)).unwrap_or(0));
    if code != 0 {
        operation.exception = code;
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}
