//! ICMP and ICMPv6 from the network side: what a conduit for it lets through, and what it does not.
//!
//! Enters: the headers, and the outcome that the conduit gives. Leaves: nothing, or the reason. A message that redirects,
//! maps or narrows the way to the device is none that a plant needs: echo and its answer, errors, and neighbour discovery,
//! which [`crate::neighbour`] looks at. RFC 792, RFC 4443; attacks on TCP by ICMP in RFC 5927.

use crate::bytes::{Bytes, part};
use crate::environment::Environment;
use crate::flow::FlowKey;
use crate::network::{mapped, protocol};
use crate::policy::rate;
use crate::port::Side;
use crate::scratch::Frame;
use crate::verdict::Reason;

/// Nanoseconds between two echo requests at the rate, and how many may come at once: over all senders.
const ECHO_INTERVAL: u64 = 10_000_000;
const ECHO_BURST: u32 = 100;

/// Smallest MTU that a path can have: what every host must take (RFC 791 3.2), what every IPv6 link carries (RFC 8200 5).
const LEAST_MTU_V4: u32 = 576;
const LEAST_MTU_V6: u32 = 1280;

/// Bytes in front of what an error quotes.
const HEADER: u32 = 8;

/// What a message is to the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Passes where the conduit says so.
    Plain,
    EchoRequest,
    /// Says that packets to somewhere are too big.
    PathMtu,
    /// Does not pass.
    Refused,
}

/// True for ICMP of either version from the network side.
#[must_use]
#[inline(always)]
pub const fn concerns(frame: &Frame) -> bool {
    matches!(frame.transport_protocol, protocol::ICMP | protocol::ICMPV6) && frame.side == Side::Network as u8
}

/// May this message go on to the device at boot time `now`, as far as the conduit allows it?
///
/// # Errors
/// `malformed_transport`, `icmp_type`, `icmp_rate`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    environment: &mut E,
    frame: &Frame,
    now: u64,
) -> Result<(), Reason> {
    if frame.payload_end.wrapping_sub(frame.transport) < HEADER {
        return Err(Reason::MalformedTransport);
    }
    let header = bytes.read::<8>(frame.transport).ok_or(Reason::Truncated)?;
    match kind(frame, header) {
        Kind::Plain => Ok(()),
        Kind::Refused => Err(Reason::IcmpType),
        Kind::EchoRequest => {
            let within = environment.echoes().is_some_and(|state| rate::admit(state, now, ECHO_INTERVAL, ECHO_BURST));
            if within { Ok(()) } else { Err(Reason::IcmpRate) }
        }
        Kind::PathMtu => match quotes_a_flow(bytes, environment, frame) {
            Some(true) => Ok(()),
            Some(false) | None => Err(Reason::IcmpType),
        },
    }
}

#[inline(always)]
fn kind(frame: &Frame, header: [u8; 8]) -> Kind {
    let [kind, code, _, _, m0, m1, m2, m3] = header;
    let enough = |mtu: u32, least: u32| if mtu < least { Kind::Refused } else { Kind::PathMtu };
    match (frame.version, frame.transport_protocol, kind, code) {
        (4, protocol::ICMP, 8, _) | (6, protocol::ICMPV6, 128, _) => Kind::EchoRequest,
        // RFC 1191 4: the MTU of the next hop in the lower half of the word.
        (4, protocol::ICMP, 3, 4) => enough(u16::from_be_bytes([m2, m3]) as u32, LEAST_MTU_V4),
        (6, protocol::ICMPV6, 2, _) => enough(u32::from_be_bytes([m0, m1, m2, m3]), LEAST_MTU_V6),
        // Echo reply; destination unreachable, time exceeded, parameter problem.
        (4, protocol::ICMP, 0 | 3 | 11 | 12, _) => Kind::Plain,
        // The same of ICMPv6; router and neighbour solicitations, neighbour advertisements.
        (6, protocol::ICMPV6, 1 | 3 | 4 | 129 | 133 | 135 | 136, _) => Kind::Plain,
        _ => Kind::Refused,
    }
}

/// True when the device is told about a conversation of its own: the TCP segment quoted is one that it sent.
#[inline(always)]
fn quotes_a_flow<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &mut E, frame: &Frame) -> Option<bool> {
    let at = frame.transport.wrapping_add(HEADER);
    let (source, network, header_length, carried) = if frame.version == 4 {
        let header = bytes.read::<20>(at)?;
        let [first, _, _, _, _, _, _, _, _, carried, ..] = header;
        if first >> 4 != 4 {
            return None;
        }
        (mapped(part(&header, 12)), mapped(part(&header, 16)), ((first & 0x0f) as u32) << 2, carried)
    } else {
        let source = bytes.read::<16>(at.wrapping_add(8))?;
        (source, bytes.read::<16>(at.wrapping_add(24))?, 40, bytes.u8(at.wrapping_add(6))?)
    };
    let transport = at.wrapping_add(header_length);
    if header_length < 20 || carried != protocol::TCP || source != frame.destination {
        return None;
    }
    if transport.wrapping_add(4) > frame.payload_end {
        return None;
    }
    let device_port = bytes.u16(transport)?;
    let network_port = bytes.u16(transport.wrapping_add(2))?;
    let key = FlowKey { network, device: source, network_port: network_port as u32, device_port: device_port as u32 };
    Some(environment.find_flow(&key).is_some())
}
