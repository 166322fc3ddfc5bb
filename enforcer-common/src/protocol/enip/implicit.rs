//! Implicit I/O: data of a connection in a datagram, V2 3-2. Which data is right nobody but the connection's ends knows, so
//! it is reported, with the connection as unit, and judged by nobody.

use super::{add, double, eight, word};
use crate::bytes::Bytes;
use crate::operation::{Access, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// UDP port of implicit I/O.
const PORT: u16 = 2222;
/// UDP port of the encapsulation.
const EXPLICIT: u16 = 44818;
/// Type of a sequenced address item.
const SEQUENCED_ADDRESS: u32 = 0x8002;
/// Type of the data item of a connection.
const CONNECTED_DATA: u32 = 0x00b1;
/// Item count, address item, head of the data item.
const HEAD: u32 = 18;

/// True for a datagram of I/O: by its port, or on ports of nobody by its first item, which no encapsulation begins with.
#[inline(always)]
pub(super) fn is_here<B: Bytes + ?Sized>(bytes: &B, scratch: &Scratch) -> bool {
    let (source, destination) = (scratch.frame.source_port, scratch.frame.destination_port);
    if source == PORT || destination == PORT {
        return true;
    }
    let at = scratch.stream.start;
    source != EXPLICIT
        && destination != EXPLICIT
        && double(eight(bytes, at, scratch.stream.end), 0) == 2 | SEQUENCED_ADDRESS << 16
}

/// Reads the datagram: two items, whose lengths and its own agree.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    scratch.stream.start = end;
    let (first, second) = (eight(bytes, at, end), eight(bytes, at.wrapping_add(8), end));
    let data = eight(bytes, at.wrapping_add(14), end);
    let sound = end.wrapping_sub(at) >= HEAD
        && double(first, 0) == 2 | SEQUENCED_ADDRESS << 16
        && word(first, 4) == 8
        && word(data, 0) == CONNECTED_DATA;
    if !sound {
        scratch.fault(Reason::MalformedFraming);
        return;
    }
    let length = word(data, 2);
    scratch.nesting.unit = word(first, 6) | word(second, 0) << 16;
    scratch.nesting.transaction = double(second, 2);
    let Some(operation) = add(scratch, Protocol::CipIo as u8, Protocol::CipIo.within(0)) else {
        return;
    };
    operation.role = Role::Message as u8;
    operation.access = Access::Write as u8;
    if at.wrapping_add(HEAD).wrapping_add(length) != end {
        operation.fault = Reason::LengthMismatch as u8;
    }
}
