//! TCP and UDP headers: ports, sequence numbers and the bounds of the payload.
//!
//! RFC 9293 3.1, RFC 768.

use crate::bytes::Bytes;
use crate::head;
use crate::network::protocol;
use crate::scratch::{Frame, Scratch};
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

/// What a TCP segment says of itself, for [`crate::ordinary`].
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    /// Offset of its payload, and behind it.
    pub(crate) payload: u32,
    /// See `payload`.
    pub(crate) end: u32,
    /// Of its first byte.
    pub(crate) sequence: u32,
    /// Of the byte that its sender expects next.
    pub(crate) acknowledgement: u32,
    /// How many bytes its sender has room for, unscaled.
    pub(crate) window: u16,
}

impl Segment {
    /// That of an ordinary frame, whose payload's bounds are in `scratch`.
    #[inline(always)]
    pub(crate) fn of<H: Bytes + ?Sized>(head: &H, scratch: &Scratch) -> Option<Self> {
        const AT: u32 = head::TRANSPORT;
        Some(Self {
            payload: scratch.frame.payload,
            end: scratch.frame.payload_end,
            sequence: head.u32(const { AT + 4 })?,
            acknowledgement: head.u32(const { AT + 8 })?,
            window: head.u16(const { AT + 14 })?,
        })
    }

    /// Bytes of payload.
    #[inline(always)]
    pub(crate) const fn length(self) -> u32 {
        self.end.wrapping_sub(self.payload)
    }
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
    let at = head::transport::<B>(frame);
    let header = bytes.read::<20>(at).ok_or(Reason::Truncated)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, u0, u1] = header;
    frame.source_port = u16::from_be_bytes([s0, s1]);
    frame.destination_port = u16::from_be_bytes([d0, d1]);
    frame.sequence = u32::from_be_bytes([q0, q1, q2, q3]);
    frame.acknowledgement = u32::from_be_bytes([a0, a1, a2, a3]);
    frame.tcp_flags = flags;
    frame.window = u16::from_be_bytes([w0, w1]);
    // Nearly every segment is data or an acknowledgement to one station, with nothing odd about it.
    let [group, ..] = frame.destination_mac;
    let plain = (flags & (flag::FIN | flag::SYN | flag::RST | flag::ACK | flag::URG)) ^ flag::ACK;
    frame.suspect |= plain | offset & RESERVED | u0 | u1 | group & 1;
    let header_length = ((offset >> 4) as u32) << 2;
    frame.payload = at.wrapping_add(header_length);
    if header_length < 20 || frame.payload > frame.payload_end {
        return Err(Reason::MalformedTransport);
    }
    Ok(())
}

/// Reserved bits beside the data offset. The fourth is Accurate ECN's (RFC 9768 3.1.1).
pub const RESERVED: u8 = 0x0e;

#[inline(always)]
fn udp<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    let at = head::transport::<B>(frame);
    let [s0, s1, d0, d1, l0, l1, _, _] = bytes.read::<8>(at).ok_or(Reason::Truncated)?;
    frame.source_port = u16::from_be_bytes([s0, s1]);
    frame.destination_port = u16::from_be_bytes([d0, d1]);
    frame.payload = at.wrapping_add(8);
    let end = at.wrapping_add(u16::from_be_bytes([l0, l1]) as u32);
    if frame.payload > frame.payload_end || end != frame.payload_end {
        return Err(Reason::MalformedTransport);
    }
    Ok(())
}
