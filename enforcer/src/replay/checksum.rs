//! Checksums, judged only when asked: a capture taken on the talking host holds what its network card had yet to fill in.
//!
//! Enters: a frame and its headers as the core read them. Leaves: the header whose checksum is wrong, if any. Fragments
//! and frames cut by the snap length have no bytes to sum; the callers keep those away. RFC 1071, 768, 9293 3.1, 8200 8.1.

use enforcer_common::network::protocol;
use enforcer_common::scratch::Frame;

/// A header whose checksum is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Ipv4,
    Tcp,
    Udp,
}

impl Wrong {
    /// The word in a replay line's `fault`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4_checksum",
            Self::Tcp => "tcp_checksum",
            Self::Udp => "udp_checksum",
        }
    }
}

/// The outermost wrong checksum of an IP frame. `transport` is false where only the IP header can be judged.
pub fn wrong(bytes: &[u8], frame: &Frame, transport: bool) -> Option<Wrong> {
    if frame.version == 4 {
        let words = bytes.get(frame.network as usize..)?;
        let length = usize::from(words.first()? & 0x0F) * 4;
        if sum(words.get(..length)?) != 0xFFFF {
            return Some(Wrong::Ipv4);
        }
    }
    if !transport || frame.version == 0 {
        return None;
    }
    let segment = bytes.get(frame.transport as usize..frame.payload_end as usize)?;
    match frame.transport_protocol {
        protocol::TCP => (fold(pseudo(frame, segment.len()) + raw(segment)) != 0xFFFF).then_some(Wrong::Tcp),
        protocol::UDP => {
            // Zero: the sender computed none. IPv6 forbids that.
            let none = segment.get(6..8)? == [0, 0] && frame.version == 4;
            (!none && fold(pseudo(frame, segment.len()) + raw(segment)) != 0xFFFF).then_some(Wrong::Udp)
        }
        _ => None,
    }
}

/// Addresses, protocol and length, as both IP versions put them before the segment. The mapped form of an IPv4 address
/// holds a word of its own (0xFFFF), which counts for nothing in one's complement.
fn pseudo(frame: &Frame, length: usize) -> u64 {
    raw(&frame.source) + raw(&frame.destination) + u64::from(frame.transport_protocol) + length as u64
}

fn sum(bytes: &[u8]) -> u16 {
    fold(raw(bytes))
}

/// The sum of the 16-bit words, an odd byte padded with zero. A frame has too few words to overflow.
fn raw(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| match pair {
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        [high] => u64::from(*high) << 8,
        _ => 0,
    };
    bytes.chunks(2).map(word).sum()
}

fn fold(sum: u64) -> u16 {
    let mut sum = sum;
    while sum > 0xFFFF {
        sum = (sum >> 16) + (sum & 0xFFFF);
    }
    // One's complement has two zeros; only the all-ones one is asked for.
    u16::try_from(sum).unwrap_or(0)
}
