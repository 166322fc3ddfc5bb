//! IPv4 and IPv6: addresses, transport protocol and the bounds of the transport's bytes.
//!
//! The bounds come from the IP length, never from the frame's: what Ethernet pads is not payload. A fragment is an
//! outcome, not an error of the sender. RFC 791 3.1, RFC 8200 3 and 4.

use crate::bytes::{Bytes, part};
use crate::head;
use crate::link::ethertype;
use crate::scratch::Frame;
use crate::verdict::Reason;

/// IP protocol numbers.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IGMP.
    pub const IGMP: u8 = 2;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// IPv6 hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// IPv6 routing header.
    pub const ROUTING: u8 = 43;
    /// IPv6 fragment header.
    pub const FRAGMENT: u8 = 44;
    /// IPv6 destination options.
    pub const DESTINATION_OPTIONS: u8 = 60;
    /// IPv6 mobility header.
    pub const MOBILITY: u8 = 135;
}

/// True for what a station's IPv4 address can begin with: neither 0, nor loopback, nor a group or what is reserved behind.
#[inline(always)]
const fn is_station([first, ..]: [u8; 4]) -> bool {
    // Both questions are asked: a branch between them costs more.
    (first.wrapping_sub(1) < 223) & (first != 127)
}

/// Longest IP packet of an Ethernet frame (IEEE 802.3 3.2.7, RFC 894, RFC 2464 2).
pub const LONGEST_PACKET: u32 = 1500;

/// Reads the IP header into `frame`: addresses, `transport`, `payload_end`, `transport_protocol`, `version`, `suspect`. With
/// `options`, IPv4 options are stepped over instead of refused.
///
/// # Errors
/// `truncated`, `malformed_network`, `ip_options`, `extension_header`, `fragment`.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame, options: impl Fn() -> bool) -> Result<(), Reason> {
    if B::PLAIN || frame.ethertype == ethertype::IPV4 { ipv4(bytes, frame, options) } else { ipv6(bytes, frame) }
}

/// The address as the core keeps it.
#[must_use]
#[inline(always)]
pub const fn mapped(address: [u8; 4]) -> [u8; 16] {
    // As numbers: stored in two words instead of byte by byte.
    let low = (u32::from_le_bytes(address) as u64) << 32 | 0xffff_0000;
    ((low as u128) << 64).to_le_bytes()
}

/// True for what [`mapped`] makes.
#[inline(always)]
const fn is_mapped(address: &[u8; 16]) -> bool {
    matches!(address, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..])
}

#[inline(always)]
fn ipv4<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame, options: impl Fn() -> bool) -> Result<(), Reason> {
    let at = head::network::<B>(frame);
    let header = bytes.read::<20>(at).ok_or(Reason::Truncated)?;
    let [version, _, l0, l1, _, _, f0, f1, _, protocol, ..] = header;
    frame.version = 4;
    frame.source = mapped(part(&header, 12));
    frame.destination = mapped(part(&header, 16));
    frame.transport_protocol = protocol;
    if !B::PLAIN && (version >> 4 != 4 || version & 0x0f < 5) {
        return Err(Reason::MalformedNetwork);
    }
    let total = u16::from_be_bytes([l0, l1]) as u32;
    let header_length = if B::PLAIN { 20 } else { ((version & 0x0f) as u32) << 2 };
    if total < header_length {
        return Err(Reason::MalformedNetwork);
    }
    frame.transport = at.wrapping_add(header_length);
    frame.payload_end = at.wrapping_add(total);
    let (from, to): ([u8; 4], [u8; 4]) = (part(&header, 12), part(&header, 16));
    let stations = is_station(from) & is_station(to) & (from != to);
    frame.suspect = (!stations || total > LONGEST_PACKET) as u8;
    if header_length != 20 && !options() {
        return Err(Reason::NetworkOptions);
    }
    if u16::from_be_bytes([f0, f1]) & 0x3fff != 0 {
        return Err(Reason::Fragment);
    }
    if frame.payload_end > frame.length {
        return Err(Reason::Truncated);
    }
    Ok(())
}

#[inline(always)]
fn ipv6<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    let [version, _, _, _, l0, l1, next, _] = bytes.read::<8>(frame.network).ok_or(Reason::Truncated)?;
    frame.version = 6;
    frame.source = bytes.read::<16>(frame.network.wrapping_add(8)).ok_or(Reason::Truncated)?;
    frame.destination = bytes.read::<16>(frame.network.wrapping_add(24)).ok_or(Reason::Truncated)?;
    frame.transport_protocol = next;
    // An IPv4 address mapped into IPv6 has no business on a wire (RFC 4942 2.2): it would share flow and zone with IPv4.
    if version >> 4 != 6 || is_mapped(&frame.source) || is_mapped(&frame.destination) {
        return Err(Reason::MalformedNetwork);
    }
    frame.transport = frame.network.wrapping_add(40);
    frame.payload_end = frame.transport.wrapping_add(u16::from_be_bytes([l0, l1]) as u32);
    let ([from, ..], [to, ..]) = (frame.source, frame.destination);
    let stations = !matches!(from, 0 | 0xff) && !matches!(to, 0 | 0xff) && frame.source != frame.destination;
    frame.suspect = (!stations || frame.payload_end.wrapping_sub(frame.network) > LONGEST_PACKET) as u8;
    match next {
        protocol::FRAGMENT => return Err(Reason::Fragment),
        protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS | protocol::MOBILITY => {
            return Err(Reason::ExtensionHeader);
        }
        _ => {}
    }
    if frame.payload_end > frame.length {
        return Err(Reason::Truncated);
    }
    Ok(())
}
