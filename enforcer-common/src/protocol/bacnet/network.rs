//! The network layer, 6.2: version, control, destination, source, hop count, and a message of its own or one of the
//! application layer.

use core::hint::black_box;

use super::link_functions::{self, NETWORK};
use super::record;
use crate::bytes::Bytes;
use crate::operation::Role;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// 6.2.1.
const VERSION: u8 = 1;
/// Bits of the control octet, 6.2.2.
mod control {
    pub(super) const MESSAGE: u8 = 0x80;
    pub(super) const DESTINATION: u8 = 0x20;
    pub(super) const SOURCE: u8 = 0x08;
    pub(super) const RESERVED: u8 = 0x50;
}
/// The longest address of a station, LonTalk's with a unique identifier, 6.2.2.
const ADDRESS: u32 = 7;
/// Types of messages from here on are a vendor's, and the vendor's identifier follows.
const PROPRIETARY: u32 = 0x80;

/// Leaves the offset of the application layer's message in `stream.start` and the destination network in
/// `walking.seen`. False when there is no message to read.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let [version, bits] = black_box(bytes.read::<2>(at).unwrap_or([0; 2]));
    if at.wrapping_add(2) > end || version != VERSION || bits & control::RESERVED != 0 {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    let mut next = at.wrapping_add(2);
    let mut wrong = 0;
    if bits & control::DESTINATION != 0 {
        let [n0, n1, length] = black_box(bytes.read::<3>(next).unwrap_or([0; 3]));
        let network = u16::from_be_bytes([n0, n1]) as u32;
        scratch.walking.seen = network;
        // With network 0 some decoders leave out the hop count and others do not.
        if network == 0 || length as u32 > ADDRESS {
            wrong = 1;
        }
        next = next.wrapping_add(3).wrapping_add(length as u32);
    }
    if bits & control::SOURCE != 0 {
        let [n0, n1, length] = black_box(bytes.read::<3>(next).unwrap_or([0; 3]));
        let network = u16::from_be_bytes([n0, n1]);
        if network == 0 || network == u16::MAX || length == 0 || length as u32 > ADDRESS {
            wrong = 1;
        }
        next = next.wrapping_add(3).wrapping_add(length as u32);
    }
    if bits & control::DESTINATION != 0 {
        next = next.wrapping_add(1);
    }
    scratch.stream.start = next;
    let scratch = scratch.anew();
    if wrong != 0 {
        scratch.fault(Reason::OutOfRange);
        return false;
    }
    if scratch.stream.start >= end {
        scratch.fault(Reason::LengthMismatch);
        return false;
    }
    if bits & control::MESSAGE == 0 {
        return true;
    }
    message(bytes, scratch.anew());
    false
}

/// A message of the network layer, 6.4: an operation of its own.
#[inline(always)]
fn message<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let at = scratch.stream.start;
    let size = scratch.stream.end.wrapping_sub(at).wrapping_sub(1);
    let kind = black_box(bytes.u8(at).unwrap_or(0)) as u32;
    let role = if kind == 7 { Role::Response } else { Role::Message };
    let number = NETWORK | kind;
    let Some(operation) = record::add(scratch, Protocol::Bvlc, Protocol::Bvlc.within(number), role) else {
        return;
    };
    operation.access = link_functions::access(number);
    let fits = match kind {
        0x00 => size == 0 || size == 2,
        0x01 | 0x04 | 0x05 => size & 1 == 0,
        0x02 | 0x03 | 0x08 | 0x13 => size == 3,
        0x06 => size != 0,
        0x09 => size == 2,
        0x12 => size == 0,
        PROPRIETARY..=0xff => size >= 2,
        _ => true,
    };
    if !fits && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
}
