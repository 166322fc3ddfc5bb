//! What a packet must not be, whose headers could be read: longer than a cable takes, from or to an address that nobody
//! has, with flags that belong to no conversation.
//!
//! Enters: the headers in [`Frame`]. Leaves: nothing, or the reason. Where a rule holds for one side only it is the network
//! side: what a device sends can do the device no harm.

use crate::bytes::{Bytes, part};
use crate::network::protocol;
use crate::port::Side;
use crate::scratch::Frame;
use crate::verdict::Reason;

/// Is this packet one that a cable can carry between two stations?
///
/// # Errors
/// `frame_too_large`, `invalid_address`, `invalid_flags`, `urgent_data`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> Result<(), Reason> {
    let network = frame.side == Side::Network as u8;
    if frame.suspect != 0 && (network || too_large(frame)) {
        return Err(Reason::from_code(frame.suspect).unwrap_or(Reason::MalformedTransport));
    }
    let fine = if frame.version == 4 { ipv4(frame) } else { ipv6(bytes, frame) };
    let to_group = frame.transport_protocol == protocol::TCP && network && is_group(frame);
    if fine && !to_group { Ok(()) } else { Err(Reason::InvalidAddress) }
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
    frame.suspect == Reason::FrameTooLarge as u8
}

/// True for the bit of the destination that makes an Ethernet address a group's (IEEE 802 8.2).
#[inline(always)]
const fn is_group(frame: &Frame) -> bool {
    let [first, ..] = frame.destination_mac;
    first & 1 != 0
}

/// Numbers that IPv4 addresses begin with: groups from 224, what is reserved from 240.
const LOOPBACK: u8 = 127;
const FIRST_GROUP: u8 = 224;
const FIRST_RESERVED: u8 = 240;

/// True for the first number of a station's address: neither 0, nor loopback, nor a group, nor reserved.
#[inline(always)]
const fn is_station(first: u8) -> bool {
    first.wrapping_sub(1) < FIRST_GROUP.wrapping_sub(1) && first != LOOPBACK
}

/// RFC 1122 3.2.1.3: what cannot be a source, and what cannot be a destination.
#[inline(always)]
fn ipv4(frame: &Frame) -> bool {
    let [.., source, _, _, _] = frame.source;
    let [.., destination, _, _, _] = frame.destination;
    if !is_station(source) && !may_send(frame, source) || !is_station(destination) && !may_receive(frame, destination) {
        return false;
    }
    part::<4, 16>(&frame.source, 12) != part::<4, 16>(&frame.destination, 12)
}

/// A host that has no address yet asks for one (RFC 2131 4.1), or reports its groups (RFC 3376 4.2.13). Beyond that some
/// stations have addresses of the reserved range.
#[inline(always)]
fn may_send(frame: &Frame, first: u8) -> bool {
    let source = u32::from_be_bytes(part(&frame.source, 12));
    if source == 0 {
        let asks = frame.transport_protocol == protocol::UDP && frame.source_port == 68 && frame.destination_port == 67;
        return asks || frame.transport_protocol == protocol::IGMP;
    }
    first >= FIRST_RESERVED && source != u32::MAX
}

/// Groups and the broadcast take datagrams, and no conversation.
#[inline(always)]
const fn may_receive(frame: &Frame, first: u8) -> bool {
    first != 0 && first != LOOPBACK && frame.transport_protocol != protocol::TCP
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
