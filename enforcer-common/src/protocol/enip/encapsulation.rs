//! The encapsulation: frames, their commands and exact lengths, and the common packet format around a message. V2 2-3, 2-6.

use super::functions::{self, command};
use super::{LARGE, add, double, eight, go_on, implicit, is_answer, limits, state, word};
use crate::bytes::{Bytes, part};
use crate::flow::carry_size;
use crate::network;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// One frame.
#[derive(Clone, Copy)]
struct Unit {
    /// Offset of the header.
    at: u32,
    /// Size with header.
    size: u32,
    /// Command.
    command: u16,
    /// Status; 0 in requests.
    status: u32,
}

/// Reads the frame at `stream.start`; leaves the message in it, where it has one, in `nesting`. False when there is none.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if at >= end {
        return false;
    }
    scratch.nesting.state = state::FRAME;
    scratch.nesting.unit = 0;
    let datagram = is_datagram(scratch);
    if datagram && implicit::is_here(bytes, scratch) {
        implicit::read(bytes, scratch);
        return false;
    }
    let scratch = scratch.anew();
    scratch.nesting.number = framed(bytes, scratch) as u32;
    let scratch = scratch.anew();
    let wrong = scratch.nesting.number.to_le_bytes()[0];
    if wrong != 0 {
        scratch.fault(Reason::MalformedFraming);
        if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
            last.fault = wrong;
        }
    }
    true
}

/// Frames one unit and reads its command. Returns the reason of a fault that is no operation's, or 0.
#[inline(always)]
fn framed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> u8 {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if scratch.stream.units >= limits::UNITS_PER_SEGMENT {
        scratch.stream.start = end;
        return Reason::BeyondInspection as u8;
    }
    scratch.stream.units = scratch.stream.units.wrapping_add(1);
    let datagram = is_datagram(scratch);
    let remaining = end.wrapping_sub(at);
    if remaining < limits::HEADER {
        return partial(scratch, at, remaining, limits::HEADER);
    }
    let Some(header) = bytes.read::<24>(at) else {
        return Reason::Truncated as u8;
    };
    let length = u16::from_le_bytes(part::<2, 24>(&header, 2)) as u32;
    let unit = Unit {
        at,
        size: length.wrapping_add(limits::HEADER),
        command: u16::from_le_bytes(part::<2, 24>(&header, 0)),
        status: u32::from_le_bytes(part::<4, 24>(&header, 8)),
    };
    let options = u32::from_le_bytes(part::<4, 24>(&header, 20));
    if length > limits::LENGTH_MAX || (datagram && remaining != unit.size) {
        scratch.stream.start = end;
        return if datagram { Reason::LengthMismatch } else { Reason::MalformedFraming } as u8;
    }
    if unit.size > remaining && remaining <= carry_size(Side::from_code(scratch.frame.side)) {
        return partial(scratch, at, remaining, unit.size);
    }
    scratch.stream.start = at.wrapping_add(unit.size);
    scratch.stream.skip = unit.size.saturating_sub(remaining);
    scratch.nesting.transaction =
        u32::from_le_bytes(part::<4, 24>(&header, 12)) ^ u32::from_le_bytes(part::<4, 24>(&header, 16));
    scratch.leave_out::<0>(at.wrapping_add(12), u64::MAX);
    let split = unit.size > remaining && scratch.stream.whole != 0 && unit.size <= limits::SEGMENT;
    let sound = is_answer(scratch) || (unit.status | options) == 0;
    frame(bytes, &unit, sound, scratch.anew());
    if split { Reason::SplitUnit as u8 } else { 0 }
}

#[inline(always)]
fn is_datagram(scratch: &Scratch) -> bool {
    scratch.frame.transport_protocol == network::protocol::UDP
}

/// Keeps the beginning of a frame of `size` for the next segment; where frames must be whole, that is a fault, but for those
/// that fit into no segment.
#[inline(always)]
fn partial(scratch: &mut Scratch, at: u32, remaining: u32, size: u32) -> u8 {
    scratch.stream.start = scratch.stream.end;
    if is_datagram(scratch) {
        return Reason::MalformedFraming as u8;
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
    if scratch.stream.whole != 0 && size <= limits::SEGMENT { Reason::SplitUnit as u8 } else { 0 }
}

/// The inside of a frame: a message, or else the frame is its command.
#[inline(always)]
fn frame<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, sound: bool, scratch: &mut Scratch) {
    scratch.nesting.number = judge(bytes, unit, sound, scratch) as u32;
    let scratch = scratch.anew();
    let wrong = scratch.nesting.number.to_le_bytes()[0];
    if scratch.nesting.state & state::NEXT == state::SERVICE {
        return;
    }
    let answer = scratch.path.role == Role::Response as u8;
    let Some(operation) = add(scratch, Protocol::Enip as u8, unit.command as u32) else {
        return;
    };
    operation.access = functions::access(unit.command);
    operation.fault = wrong;
    if answer && unit.status != 0 {
        operation.exception = unit.status.to_le_bytes()[0];
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}

/// What is wrong with a frame, or 0; goes on to its message, where it has a sound one.
#[inline(always)]
fn judge<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, sound: bool, scratch: &mut Scratch) -> u8 {
    let answer = scratch.path.role == Role::Response as u8;
    let carries = unit.command == command::SEND_RR_DATA || unit.command == command::SEND_UNIT_DATA;
    if !carries || is_datagram(scratch) {
        return if answer { 0 } else { exact(unit, sound, is_datagram(scratch)) };
    }
    // A refusal is a header and nothing else.
    if answer && unit.size == limits::HEADER {
        return 0;
    }
    if !sound {
        return Reason::OutOfRange as u8;
    }
    if !answer && too_long(unit, scratch) {
        return Reason::LengthMismatch as u8;
    }
    let wrong = message(bytes, unit, scratch);
    if wrong == 0 {
        go_on(scratch, state::SERVICE);
    }
    wrong
}

/// What is wrong with a request that carries no message, or 0. V2 2-4.
#[inline(always)]
fn exact(unit: &Unit, sound: bool, datagram: bool) -> u8 {
    let length = unit.size.wrapping_sub(limits::HEADER);
    let (fits, listed) = match unit.command {
        command::LIST_SERVICES | command::LIST_IDENTITY | command::LIST_INTERFACES => (length == 0, true),
        command::NOP => (length <= limits::LENGTH_NOP, false),
        command::REGISTER_SESSION => (length == 4, false),
        command::UNREGISTER_SESSION => (length == 0, false),
        _ => return Reason::InvalidFunction as u8,
    };
    if datagram && !listed {
        return Reason::InvalidFunction as u8;
    }
    if !fits {
        return Reason::LengthMismatch as u8;
    }
    if sound { 0 } else { Reason::OutOfRange as u8 }
}

/// A request longer than what its connections allow. Of a conversation that began unseen nobody knows which it has.
#[inline(always)]
fn too_long(unit: &Unit, scratch: &mut Scratch) -> bool {
    if scratch.stream.unproved != 0 {
        scratch.stream.context |= LARGE;
    }
    let large = scratch.stream.context & LARGE != 0;
    let most = if large { limits::LENGTH_LARGE } else { limits::LENGTH_USUAL };
    unit.size.wrapping_sub(limits::HEADER) > most
}

/// The common packet format, V2 2-6: exactly the two items that the command has, address and data, their lengths and the
/// frame's agreeing. Devices read the items by position, and some believe an address length that is not the type's.
/// Leaves the message in `nesting`; returns what is wrong, or 0.
#[inline(always)]
fn message<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, scratch: &mut Scratch) -> u8 {
    const NULL_ADDRESS: u32 = 0x0000;
    const CONNECTED_ADDRESS: u32 = 0x00a1;
    const CONNECTED_DATA: u32 = 0x00b1;
    const UNCONNECTED_DATA: u32 = 0x00b2;
    let body = unit.at.wrapping_add(limits::HEADER);
    let end = unit.at.wrapping_add(unit.size);
    let present = end.min(scratch.stream.end);
    // Interface handle, timeout, item count, address item, head of the data item.
    let connected = unit.command == command::SEND_UNIT_DATA;
    let head = if connected { 20 } else { 16 };
    if present < body.wrapping_add(head) {
        return Reason::LengthMismatch as u8;
    }
    let Some(head) = bytes.read::<16>(body) else {
        return Reason::Truncated as u8;
    };
    let interface = u32::from_le_bytes(part::<4, 16>(&head, 0));
    let count = number(&head, 6);
    let (address, address_length) = (number(&head, 8), number(&head, 10));
    let (data_at, wanted, data) = if connected {
        (body.wrapping_add(16), (CONNECTED_ADDRESS, 4), CONNECTED_DATA)
    } else {
        (body.wrapping_add(12), (NULL_ADDRESS, 0), UNCONNECTED_DATA)
    };
    if interface != 0 || address != wanted.0 || !(2..=4).contains(&count) {
        return Reason::MalformedFraming as u8;
    }
    if address_length != wanted.1 {
        return Reason::LengthMismatch as u8;
    }
    let item = eight(bytes, data_at, present);
    if word(item, 0) != data {
        return Reason::MalformedFraming as u8;
    }
    let length = word(item, 2);
    let at = data_at.wrapping_add(4);
    let behind = at.wrapping_add(length);
    if count != 2 {
        let more = more_items(bytes, behind, count.wrapping_sub(2), end, present);
        // What an answer has behind its message is not read by the device.
        if more != 0 && !is_answer(scratch) {
            return more;
        }
        if connected {
            return Reason::MalformedFraming as u8;
        }
        scratch.nesting.state |= state::MORE_ITEMS;
    } else if behind != end {
        return Reason::LengthMismatch as u8;
    }
    if connected {
        scratch.nesting.transaction = word(item, 4);
        scratch.leave_out::<1>(at, 0xffff);
    }
    let start = if connected { at.wrapping_add(2) } else { at };
    scratch.nesting.at = start;
    scratch.nesting.end = behind;
    if start.wrapping_add(2) > behind || behind > end { Reason::LengthMismatch as u8 } else { 0 }
}

/// A little-endian word of the head.
#[inline(always)]
fn number(head: &[u8; 16], at: usize) -> u32 {
    u16::from_le_bytes(part::<2, 16>(head, at)) as u32
}

/// One or two socket address items, 16 bytes each, to the end of the frame: V2 2-6.3.3.
#[inline(always)]
fn more_items<B: Bytes + ?Sized>(bytes: &B, at: u32, count: u32, end: u32, present: u32) -> u8 {
    if at.wrapping_add(count.wrapping_mul(20)) != end || end != present {
        return Reason::LengthMismatch as u8;
    }
    let second = at.wrapping_add(count.wrapping_sub(1).wrapping_mul(20));
    if socket_address(eight(bytes, at, end)) && socket_address(eight(bytes, second, end)) {
        0
    } else {
        Reason::MalformedFraming as u8
    }
}

#[inline(always)]
const fn socket_address(item: u64) -> bool {
    double(item, 0) & !1 == 0x0010_8000
}
