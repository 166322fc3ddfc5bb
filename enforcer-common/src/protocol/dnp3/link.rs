//! The link layer: frames, and the checksum of every block. IEEE 1815 clause 9.

use super::user::{Addresses, Frame, size};
use super::{add, crc, finish, functions, is_datagram, is_from_client, limits, state};
use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::operation::{Access, Role};
use crate::port::Side;
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// The bits of the control octet, 9.2.4.1.3.
pub(super) mod control {
    /// Sent by the station that began the exchange.
    pub(in super::super) const PRIMARY: u32 = 0x40;
    /// The function.
    pub(in super::super) const FUNCTION: u32 = 0x0f;
    /// User data, to be confirmed by the link layer.
    pub(in super::super) const CONFIRMED_DATA: u32 = PRIMARY | 3;
    /// User data.
    pub(in super::super) const UNCONFIRMED_DATA: u32 = PRIMARY | 4;
}

/// Frames: start octets, length, and the header's checksum. The length is believed only with all of them.
#[inline(always)]
pub(super) fn header<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    if at >= end {
        return false;
    }
    let remaining = end.wrapping_sub(at);
    if remaining < limits::HEADER {
        let first = bytes.u8(at).unwrap_or(0);
        let second = bytes.u8(at.wrapping_add(1)).unwrap_or(0);
        if first != 0x05 || (remaining > 1 && second != 0x64) {
            return stop(scratch, Reason::MalformedFraming);
        }
        return partial(scratch, at, remaining);
    }
    let Some(header) = bytes.read::<10>(at) else {
        return stop(scratch, Reason::Truncated);
    };
    let [first, second, length, control, ..] = header;
    let length = length as u32;
    if first != 0x05 || second != 0x64 || length < limits::LENGTH_MIN || !crc::header_is_right(&header) {
        return stop(scratch, Reason::MalformedFraming);
    }
    let length = length.wrapping_sub(limits::LENGTH_MIN);
    let size = size(length);
    let answer = scratch.frame.side == Side::Device as u8 && control & 0x80 == 0;
    let needed = if answer { size.min(limits::HEAD_RESPONSE) } else { size };
    if remaining < needed {
        return partial(scratch, at, remaining);
    }
    let turn = if length == 0 { state::FRAGMENT } else { state::BLOCKS };
    scratch.walking = Walking { at: 0, end: length, seen: turn, found: 0 };
    true
}

/// Bytes that are no frame end the segment.
#[inline(always)]
pub(super) fn stop(scratch: &mut Scratch, reason: Reason) -> bool {
    scratch.stream.context = 0;
    scratch.fault(reason);
    false
}

/// Keeps the beginning of a frame for the next segment; where frames must be whole, that is a fault.
#[inline(always)]
fn partial(scratch: &mut Scratch, at: u32, remaining: u32) -> bool {
    if is_datagram(scratch) {
        return stop(scratch, Reason::MalformedFraming);
    }
    if scratch.stream.whole != 0 {
        scratch.fault(Reason::SplitUnit);
    }
    if remaining > carry_size(Side::from_code(scratch.frame.side)) {
        return stop(scratch, Reason::BeyondInspection);
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
    false
}

/// Takes the checksums of the next blocks, 9.2.4.3. Of an outstation's frame whose end is still to come, of those that are
/// here.
#[inline(always)]
pub(super) fn blocks<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    for _ in 0..limits::BLOCKS_PER_TURN {
        let scratch = scratch.anew();
        let frame = Frame::of(scratch);
        let at = scratch.walking.at;
        let left = frame.length.wrapping_sub(at);
        // Written down and read back: the paths through what follows join before the checksum is taken.
        scratch.walking.found = if left > 16 { 16 } else { left };
        let scratch = scratch.anew();
        let data = scratch.walking.found;
        let end = frame.place(at).wrapping_add(data).wrapping_add(2);
        if data == 0 || end > frame.end {
            scratch.walking.seen = state::FRAGMENT;
            return true;
        }
        if !crc::block_is_right(bytes, end, data) {
            return stop(scratch, Reason::MalformedFraming);
        }
        scratch.walking.at = at.wrapping_add(data);
    }
    true
}

/// A frame without user data, 9.2.4.1.3.5: a message. What resets more than a link, what the standard does not know, and
/// data in a frame that bears none are faults.
#[inline(always)]
pub(super) fn message(addresses: &Addresses, scratch: &mut Scratch) -> bool {
    let length = scratch.walking.end;
    let function = addresses.control & (control::PRIMARY | control::FUNCTION);
    let reversed = is_from_client(scratch) && !addresses.is_from_master();
    let Some(operation) = add(scratch, Role::Message, functions::code::LINK.wrapping_add(function)) else {
        return false;
    };
    operation.unit = if addresses.is_from_master() { addresses.destination } else { addresses.source };
    let other = if addresses.is_from_master() { addresses.source } else { addresses.destination };
    operation.transaction = other << 5;
    operation.access = Access::Session as u8;
    let data = function == control::CONFIRMED_DATA || function == control::UNCONFIRMED_DATA;
    if !is_known(function) {
        operation.fault = Reason::InvalidFunction as u8;
    } else if (length == 0) == data {
        operation.fault = Reason::LengthMismatch as u8;
    } else if reversed {
        operation.fault = Reason::OutOfRange as u8;
    }
    finish(scratch)
}

/// Functions of the link layer that may stand in a frame: a bit for each, of primary and of secondary stations.
#[inline(always)]
const fn is_known(function: u32) -> bool {
    let known = if function & control::PRIMARY != 0 { 0x021du32 } else { 0xc803 };
    known >> (function & control::FUNCTION) & 1 != 0
}
