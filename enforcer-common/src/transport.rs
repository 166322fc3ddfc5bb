//! TCP and UDP headers: ports, sequence numbers and the bounds of the payload.
//!
//! RFC 9293 3.1, RFC 768.

use crate::bytes::Bytes;
use crate::network::protocol;
use crate::scratch::Frame;
use crate::verdict::Reason;

/// TCP flags.
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Acknowledgement field is valid.
    pub const ACK: u8 = 0x10;
    /// Urgent pointer is valid.
    pub const URG: u8 = 0x20;
}

/// Reads the transport header into `frame`: ports, sequence numbers, flags, `payload`. `payload_end` is already bounded.
///
/// # Errors
/// `truncated`, `malformed_transport`.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    match frame.transport_protocol {
        protocol::TCP => tcp(bytes, frame),
        protocol::UDP => udp(bytes, frame),
        // ICMP, and what a conduit may carry by its IP protocol number.
        _ => {
            frame.payload = frame.transport;
            Ok(())
        }
    }
}

/// TCP, UDP and ICMP; other IP protocols pass by a conduit that names their number.
#[must_use]
#[inline(always)]
pub const fn is_known(transport: u8) -> bool {
    matches!(transport, protocol::TCP | protocol::UDP | protocol::ICMP | protocol::ICMPV6)
}

#[inline(always)]
fn tcp<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    let header = bytes.read::<20>(frame.transport).ok_or(Reason::Truncated)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, _, _, _, _, u0, u1] = header;
    frame.source_port = u16::from_be_bytes([s0, s1]);
    frame.destination_port = u16::from_be_bytes([d0, d1]);
    frame.sequence = u32::from_be_bytes([q0, q1, q2, q3]);
    frame.acknowledgement = u32::from_be_bytes([a0, a1, a2, a3]);
    frame.tcp_flags = flags;
    // Nearly every segment is data or an acknowledgement, with nothing odd about it.
    let odd = (flags & (flag::FIN | flag::SYN | flag::RST | flag::ACK | flag::URG)) ^ flag::ACK;
    if odd | offset & RESERVED | u0 | u1 != 0 && frame.suspect == 0 {
        frame.suspect = suspect(offset, flags, u0 | u1);
    }
    let header_length = ((offset >> 4) as u32) << 2;
    frame.payload = frame.transport.wrapping_add(header_length);
    if header_length < 20 || frame.payload > frame.payload_end {
        return Err(Reason::MalformedTransport);
    }
    Ok(())
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

/// Reserved bits beside the data offset. The fourth is Accurate ECN's (RFC 9768 3.1.1).
const RESERVED: u8 = 0x0e;

/// The reason, or 0: flags, reserved bits, and urgent data, which receivers place differently in the stream (RFC 6093).
#[inline(always)]
const fn suspect(offset: u8, flags: u8, urgent: u8) -> u8 {
    if offset & RESERVED != 0 || IMPOSSIBLE >> (flags & 0x3f) & 1 != 0 {
        Reason::InvalidFlags as u8
    } else if flags & flag::URG != 0 || urgent != 0 {
        Reason::UrgentData as u8
    } else {
        0
    }
}

#[inline(always)]
fn udp<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    let [s0, s1, d0, d1, l0, l1, _, _] = bytes.read::<8>(frame.transport).ok_or(Reason::Truncated)?;
    frame.source_port = u16::from_be_bytes([s0, s1]);
    frame.destination_port = u16::from_be_bytes([d0, d1]);
    frame.payload = frame.transport.wrapping_add(8);
    let end = frame.transport.wrapping_add(u16::from_be_bytes([l0, l1]) as u32);
    if frame.payload > frame.payload_end || end != frame.payload_end {
        return Err(Reason::MalformedTransport);
    }
    Ok(())
}
