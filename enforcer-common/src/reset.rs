//! The reset that a denied segment is turned into: back to its sender, as if the other end had sent it.
//!
//! Enters: the headers of the denied segment. Leaves: the bytes to write over them. RFC 9293 3.10.7.4; the sequence number
//! is the one that the sender acknowledged, which its stack accepts exactly (RFC 5961 3.2).

use crate::network::protocol;
use crate::scratch::Frame;
use crate::transport::flag;

/// Length of the TCP header of a reset.
pub const TCP_LENGTH: u32 = 20;

/// IPv4 header, 20 bytes.
#[must_use]
#[inline(always)]
pub fn ipv4(frame: &Frame) -> [u8; 20] {
    let [.., a, b, c, d] = frame.destination;
    let [.., e, f, g, h] = frame.source;
    // Don't fragment, time to live 64.
    let header = [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protocol::TCP, 0, 0, a, b, c, d, e, f, g, h];
    let [v, t, l0, l1, i0, i1, f0, f1, ttl, p, _, _, ..] = header;
    let sum = 0x4500u32.wrapping_add(40).wrapping_add(0x4000).wrapping_add(0x4000 | protocol::TCP as u32);
    let sum = sum.wrapping_add(words4(frame.destination)).wrapping_add(words4(frame.source));
    let [c0, c1] = finish(sum).to_be_bytes();
    [v, t, l0, l1, i0, i1, f0, f1, ttl, p, c0, c1, a, b, c, d, e, f, g, h]
}

/// The first 8 bytes of the IPv6 header; source and destination follow, exchanged.
#[must_use]
#[inline(always)]
pub const fn ipv6() -> [u8; 8] {
    [0x60, 0, 0, 0, 0, 20, protocol::TCP, 64]
}

/// TCP header, 20 bytes, with its checksum.
#[must_use]
#[inline(always)]
pub fn tcp(frame: &Frame) -> [u8; 20] {
    let length = frame.payload_end.wrapping_sub(frame.payload);
    let fin = (frame.tcp_flags & flag::FIN != 0) as u32;
    let sequence = frame.acknowledgement;
    let acknowledgement = frame.sequence.wrapping_add(length).wrapping_add(fin);
    let flags = (flag::RST | flag::ACK) as u32;

    let sum = (frame.destination_port as u32)
        .wrapping_add(frame.source_port as u32)
        .wrapping_add(word32(sequence))
        .wrapping_add(word32(acknowledgement))
        .wrapping_add(0x5000 | flags)
        // Pseudo header: addresses, protocol, length.
        .wrapping_add(protocol::TCP as u32)
        .wrapping_add(TCP_LENGTH)
        .wrapping_add(words(frame));
    let [c0, c1] = finish(sum).to_be_bytes();
    let [s0, s1] = frame.destination_port.to_be_bytes();
    let [d0, d1] = frame.source_port.to_be_bytes();
    let [q0, q1, q2, q3] = sequence.to_be_bytes();
    let [a0, a1, a2, a3] = acknowledgement.to_be_bytes();
    [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, 0x50, flag::RST | flag::ACK, 0, 0, c0, c1, 0, 0]
}

/// Both addresses as 16-bit words.
#[inline(always)]
fn words(frame: &Frame) -> u32 {
    if frame.version == 4 {
        words4(frame.source).wrapping_add(words4(frame.destination))
    } else {
        words16(frame.source).wrapping_add(words16(frame.destination))
    }
}

#[inline(always)]
fn words4(address: [u8; 16]) -> u32 {
    let [.., a, b, c, d] = address;
    word32(u32::from_be_bytes([a, b, c, d]))
}

#[inline(always)]
fn words16(address: [u8; 16]) -> u32 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address;
    word32(u32::from_be_bytes([a, b, c, d]))
        .wrapping_add(word32(u32::from_be_bytes([e, f, g, h])))
        .wrapping_add(word32(u32::from_be_bytes([i, j, k, l])))
        .wrapping_add(word32(u32::from_be_bytes([m, n, o, p])))
}

#[inline(always)]
const fn word32(number: u32) -> u32 {
    (number >> 16).wrapping_add(number & 0xffff)
}

/// One's complement of the folded sum: RFC 1071.
#[inline(always)]
const fn finish(sum: u32) -> u16 {
    let folded = (sum >> 16).wrapping_add(sum & 0xffff);
    let folded = (folded >> 16).wrapping_add(folded & 0xffff);
    let folded = folded as u16;
    !folded
}

#[cfg(test)]
mod tests {
    use super::{ipv4, tcp};
    use crate::network::mapped;
    use crate::scratch::Frame;

    fn sum(bytes: &[u8]) -> u16 {
        let total: u32 = bytes.chunks(2).map(|pair| pair.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))).sum();
        super::finish(total)
    }

    #[test]
    fn checksums_verify_and_numbers_answer_the_segment() {
        let frame = Frame {
            source: mapped([10, 10, 1, 20]),
            destination: mapped([10, 10, 2, 5]),
            source_port: 50000,
            destination_port: 502,
            sequence: 0xffff_fff0,
            acknowledgement: 77,
            payload: 54,
            payload_end: 66,
            version: 4,
            tcp_flags: 0x18,
            ..Frame::EMPTY
        };
        assert_eq!(sum(&ipv4(&frame)), 0);
        let header = tcp(&frame);
        let mut pseudo = vec![10, 10, 2, 5, 10, 10, 1, 20, 0, 6, 0, 20];
        pseudo.extend(header);
        assert_eq!(sum(&pseudo), 0);
        assert!(header.starts_with(&[0x01, 0xf6, 0xc3, 0x50, 0, 0, 0, 77, 0xff, 0xff, 0xff, 0xfc, 0x50, 0x14]));
    }
}
