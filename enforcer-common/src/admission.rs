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

/// Longest IP packet of an Ethernet frame (IEEE 802.3 3.2.7, RFC 894, RFC 2464 2).
const LONGEST_PACKET: u32 = 1500;

/// Is this packet one that a cable can carry between two stations?
///
/// # Errors
/// `frame_too_large`, `invalid_address`, `invalid_flags`, `urgent_data`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> Result<(), Reason> {
    if too_large(frame) {
        return Err(Reason::FrameTooLarge);
    }
    let fine = if frame.version == 4 { ipv4(frame) } else { ipv6(bytes, frame) };
    if !fine {
        return Err(Reason::InvalidAddress);
    }
    if frame.transport_protocol == protocol::TCP && frame.side == Side::Network as u8 {
        if to_group(frame) {
            return Err(Reason::InvalidAddress);
        }
        if let Some(reason) = Reason::from_code(frame.suspect) {
            return Err(reason);
        }
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
const fn to_group(frame: &Frame) -> bool {
    let [first, ..] = frame.destination_mac;
    first & 1 != 0
}

const FIRST_UNICAST: u32 = 0x0100_0000;
const FIRST_GROUP: u32 = 0xe000_0000;
const FIRST_RESERVED: u32 = 0xf000_0000;
const LOOPBACK: u32 = 127;

/// Neither 0.0.0.0/8, nor loopback, nor a group, nor reserved.
#[inline(always)]
const fn is_station(address: u32) -> bool {
    address >= FIRST_UNICAST && address < FIRST_GROUP && address >> 24 != LOOPBACK
}

/// RFC 1122 3.2.1.3: what cannot be a source, and what cannot be a destination.
#[inline(always)]
fn ipv4(frame: &Frame) -> bool {
    let source = u32::from_be_bytes(part(&frame.source, 12));
    let destination = u32::from_be_bytes(part(&frame.destination, 12));
    if source == destination {
        return false;
    }
    (is_station(source) || may_send(frame, source)) && (is_station(destination) || may_receive(frame, destination))
}

/// A host that has no address yet asks for one (RFC 2131 4.1), or reports its groups (RFC 3376 4.2.13). No other source is
/// out of the ordinary and possible than one of the reserved range that some stations use.
#[inline(always)]
fn may_send(frame: &Frame, source: u32) -> bool {
    if source == 0 {
        let asks = frame.transport_protocol == protocol::UDP && frame.source_port == 68 && frame.destination_port == 67;
        return asks || frame.transport_protocol == protocol::IGMP;
    }
    source >= FIRST_RESERVED && source != u32::MAX
}

/// Groups and the broadcast take datagrams, and no conversation.
#[inline(always)]
fn may_receive(frame: &Frame, destination: u32) -> bool {
    destination != 0 && destination >> 24 != LOOPBACK && frame.transport_protocol != protocol::TCP
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
