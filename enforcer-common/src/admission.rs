//! What a packet must not be, whose headers could be read: longer than a cable takes, from or to an address that nobody
//! has, with flags that belong to no conversation.
//!
//! Enters: the headers in [`Frame`]. Leaves: nothing, or the reason. Where a rule holds for one side only it is the network
//! side: what a device sends can do the device no harm.

use crate::bytes::{Bytes, part};
use crate::network::{LONGEST_PACKET, protocol};
use crate::port::Side;
use crate::scratch::Frame;
use crate::transport::{RESERVED, flag};
use crate::verdict::Reason;

/// Is this packet one that a cable can carry between two stations? Network and transport stages mark what is worth the look.
///
/// # Errors
/// `frame_too_large`, `invalid_address`, `invalid_flags`, `urgent_data`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> Result<(), Reason> {
    if frame.suspect == 0 {
        return Ok(());
    }
    if too_large(frame) {
        return Err(Reason::FrameTooLarge);
    }
    let fine = if frame.version == 4 { ipv4(frame) } else { ipv6(bytes, frame) };
    if !fine {
        return Err(Reason::InvalidAddress);
    }
    if frame.transport_protocol == protocol::TCP && frame.side == Side::Network as u8 {
        return tcp(bytes, frame);
    }
    Ok(())
}

/// True when an outcome so far (0: none) leaves the payload in its place: what is inside is still looked at and named.
#[must_use]
#[inline(always)]
pub const fn goes_on(outcome: u8) -> bool {
    outcome == 0 || names_inside(outcome)
}

/// True for the reasons that deny a frame and leave its payload in its place.
#[must_use]
#[inline(always)]
pub const fn names_inside(reason: u8) -> bool {
    reason == Reason::InvalidAddress as u8 || reason == Reason::FrameTooLarge as u8
}

/// Several frames put together by an interface, or a jumbo frame: the device's cable carries neither.
#[must_use]
#[inline(always)]
pub const fn too_large(frame: &Frame) -> bool {
    frame.payload_end.wrapping_sub(frame.network) > LONGEST_PACKET
}

/// True for the bit of the destination that makes an Ethernet address a group's (IEEE 802 8.2).
#[inline(always)]
const fn is_group(frame: &Frame) -> bool {
    let [first, ..] = frame.destination_mac;
    first & 1 != 0
}

/// The first number of loopback addresses, and the upper half of that of groups.
const LOOPBACK: u8 = 127;
const GROUP: u8 = 0xe;

/// RFC 1122 3.2.1.3: what cannot be a source, and what cannot be a destination.
#[inline(always)]
fn ipv4(frame: &Frame) -> bool {
    let source: [u8; 4] = part(&frame.source, 12);
    let destination: [u8; 4] = part(&frame.destination, 12);
    source != destination && may_send(frame, source) && may_receive(frame, destination)
}

/// A host that has no address yet asks for one (RFC 2131 4.1), or reports its groups (RFC 3376 4.2.13). Some stations have
/// addresses of the reserved range.
#[inline(always)]
fn may_send(frame: &Frame, source: [u8; 4]) -> bool {
    let [first, ..] = source;
    if source == [0; 4] {
        let asks = frame.transport_protocol == protocol::UDP && frame.source_port == 68 && frame.destination_port == 67;
        return asks || frame.transport_protocol == protocol::IGMP;
    }
    first != 0 && first != LOOPBACK && first >> 4 != GROUP && source != [0xff; 4]
}

/// Groups and the broadcast take datagrams, and no conversation.
#[inline(always)]
fn may_receive(frame: &Frame, destination: [u8; 4]) -> bool {
    let [first, ..] = destination;
    first != 0 && first != LOOPBACK && (first >> 4 < GROUP || frame.transport_protocol != protocol::TCP)
}

/// RFC 4291 2.5.2, 2.5.3 and 2.7: `::`, `::1` and groups.
#[inline(always)]
fn ipv6<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    let source = halves(&frame.source);
    let destination = halves(&frame.destination);
    let ([s, _], [d, _]) = (source, destination);
    if source == destination || s >> 56 == 0xff || is_low(destination) {
        return false;
    }
    if is_low(source) {
        return source == [0, 0] && before_address(bytes, frame);
    }
    d >> 56 != 0xff || frame.transport_protocol != protocol::TCP
}

#[inline(always)]
fn halves(address: &[u8; 16]) -> [u64; 2] {
    [u64::from_be_bytes(part(address, 0)), u64::from_be_bytes(part(address, 8))]
}

/// `::` and `::1`.
#[inline(always)]
const fn is_low(address: [u64; 2]) -> bool {
    let [high, low] = address;
    high == 0 && low <= 1
}

/// What a host sends that has no address yet: is somebody using the one I want (RFC 4862 5.4.2), is there a router (RFC
/// 4861 4.1)?
#[inline(always)]
fn before_address<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    frame.transport_protocol == protocol::ICMPV6 && matches!(bytes.u8(frame.transport), Some(133 | 135))
}

/// A bit for each combination of the six flags of RFC 9293 3.1 that belongs to no conversation: none that says what the
/// segment is, the beginning together with the end, an end without acknowledgement.
const IMPOSSIBLE: u64 = {
    let mut bits = 0;
    let mut flags = 0u8;
    while flags < 64 {
        let syn = flags & flag::SYN != 0;
        let nothing = flags & (flag::SYN | flag::RST | flag::ACK) == 0;
        let contradicts = syn && flags & (flag::FIN | flag::RST) != 0;
        let unasked = flags & flag::FIN != 0 && flags & flag::ACK == 0;
        if nothing || contradicts || unasked {
            bits |= 1 << flags;
        }
        flags = flags.wrapping_add(1);
    }
    bits
};

/// Flags, reserved bits, and urgent data, which receivers place differently in the stream (RFC 6093).
#[inline(always)]
fn tcp<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> Result<(), Reason> {
    if is_group(frame) {
        return Err(Reason::InvalidAddress);
    }
    let [offset, flags, _, _, _, _, u0, u1] =
        bytes.read::<8>(frame.transport.wrapping_add(12)).ok_or(Reason::Truncated)?;
    if offset & RESERVED != 0 || IMPOSSIBLE >> (flags & 0x3f) & 1 != 0 {
        return Err(Reason::InvalidFlags);
    }
    if flags & flag::URG != 0 || u0 | u1 != 0 { Err(Reason::UrgentData) } else { Ok(()) }
}
