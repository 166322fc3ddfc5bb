//! One TCP segment in an Ethernet frame with every field in the sender's hand, right or wrong.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::frames;

pub const FIN: u16 = 1;
pub const SYN: u16 = 2;
pub const RST: u16 = 4;
pub const PSH: u16 = 8;
pub const ACK: u16 = 16;
pub const URG: u16 = 32;

/// What of the packet is made wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    Nothing,
    NetworkChecksum,
    TransportChecksum,
    /// The TCP header says that it is so many words long.
    DataOffset(u8),
    /// The IP header says that the packet is so many bytes longer or shorter.
    TotalLength(i16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub source_mac: [u8; 6],
    pub target_mac: [u8; 6],
    /// VLAN tags, outermost first.
    pub tags: Vec<(u16, u16)>,
    pub source: SocketAddrV4,
    pub target: SocketAddrV4,
    /// The IPv4 identification, by which the servers are told what to lose (see [`super::filter`]).
    pub id: u16,
    pub ttl: u8,
    pub network_options: Vec<u8>,
    pub sequence: u32,
    pub acknowledgement: u32,
    /// The low twelve bits: reserved bits, then CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    pub flags: u16,
    pub window: u16,
    pub urgent: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
    pub spoilt: Spoilt,
}

impl Packet {
    /// The number behind the last byte, a SYN and a FIN counted.
    pub fn end(&self) -> u32 {
        let flags = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        self.sequence.wrapping_add(self.payload.len() as u32).wrapping_add(flags)
    }

    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// The bytes of the frame, destination address first, tags included.
    pub fn frame(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(100 + self.payload.len());
        bytes.extend(self.target_mac);
        bytes.extend(self.source_mac);
        for (kind, control) in &self.tags {
            bytes.extend(kind.to_be_bytes());
            bytes.extend(control.to_be_bytes());
        }
        bytes.extend([8, 0]);
        bytes.extend(self.network());
        bytes.resize(bytes.len().max(60), 0);
        bytes
    }

    /// The IPv4 packet alone.
    pub fn network(&self) -> Vec<u8> {
        let segment = self.segment();
        let header = 20 + self.network_options.len();
        let mut total = (header + segment.len()) as u16;
        if let Spoilt::TotalLength(by) = self.spoilt {
            total = total.wrapping_add_signed(by);
        }
        let mut bytes = vec![0x40 | (header / 4) as u8, 0];
        bytes.extend(total.to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        bytes.extend([0x40, 0, self.ttl, 6, 0, 0]);
        bytes.extend(self.source.ip().octets());
        bytes.extend(self.target.ip().octets());
        bytes.extend(&self.network_options);
        let sum = checksum(&bytes) ^ if self.spoilt == Spoilt::NetworkChecksum { 0x5555 } else { 0 };
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes.extend(segment);
        bytes
    }

    fn segment(&self) -> Vec<u8> {
        assert!(self.options.len().is_multiple_of(4), "TCP options come in words: {:02x?}", self.options);
        let mut offset = 5 + (self.options.len() / 4) as u8;
        if let Spoilt::DataOffset(words) = self.spoilt {
            offset = words;
        }
        let mut bytes = Vec::new();
        bytes.extend(self.source.port().to_be_bytes());
        bytes.extend(self.target.port().to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledgement.to_be_bytes());
        bytes.extend((u16::from(offset) << 12 | self.flags & 0xfff).to_be_bytes());
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.urgent.to_be_bytes());
        bytes.extend(&self.options);
        bytes.extend(&self.payload);
        let mut pseudo = Vec::with_capacity(12 + bytes.len());
        pseudo.extend(self.source.ip().octets());
        pseudo.extend(self.target.ip().octets());
        pseudo.extend([0, 6]);
        pseudo.extend((bytes.len() as u16).to_be_bytes());
        pseudo.extend(&bytes);
        let sum = checksum(&pseudo) ^ if self.spoilt == Spoilt::TransportChecksum { 0x5555 } else { 0 };
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// Reads a TCP over IPv4 frame back, with up to two tags. Fragments and everything else are `None`.
    pub fn parse(frame: &[u8]) -> Option<Packet> {
        let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
        let long = |at: usize| Some(u32::from(word(at)?) << 16 | u32::from(word(at + 2)?));
        let mut tags = Vec::new();
        let mut at = 12;
        while matches!(word(at)?, 0x8100 | 0x88a8 | 0x9100) && tags.len() < 4 {
            tags.push((word(at)?, word(at + 2)?));
            at += 4;
        }
        let ip = at + 2;
        if word(at)? != 0x0800 || frame.get(ip)? >> 4 != 4 || frame.get(ip + 9)? != &6 || word(ip + 6)? & 0x3fff != 0 {
            return None;
        }
        let tcp = ip + usize::from(frame[ip] & 15) * 4;
        let end = (ip + usize::from(word(ip + 2)?)).min(frame.len());
        let payload = tcp + usize::from(frame.get(tcp + 12)? >> 4) * 4;
        let address = |at: usize| Some(Ipv4Addr::from(long(at)?));
        Some(Packet {
            source_mac: frame[6..12].try_into().ok()?,
            target_mac: frame[..6].try_into().ok()?,
            tags,
            source: SocketAddrV4::new(address(ip + 12)?, word(tcp)?),
            target: SocketAddrV4::new(address(ip + 16)?, word(tcp + 2)?),
            id: word(ip + 4)?,
            ttl: frame[ip + 8],
            network_options: frame.get(ip + 20..tcp)?.to_vec(),
            sequence: long(tcp + 4)?,
            acknowledgement: long(tcp + 8)?,
            flags: word(tcp + 12)? & 0xfff,
            window: word(tcp + 14)?,
            urgent: word(tcp + 18)?,
            options: frame.get(tcp + 20..payload)?.to_vec(),
            payload: frame.get(payload..end)?.to_vec(),
            spoilt: Spoilt::Nothing,
        })
    }

    /// The packet cut into IPv4 fragments of at most `size` payload bytes each.
    pub fn fragments(&self, size: usize) -> Vec<Vec<u8>> {
        frames::fragments(&Packet { tags: Vec::new(), ..self.clone() }.frame(), size)
    }
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|pair| pair.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))).sum();
    if bytes.len() % 2 == 1 {
        // The last byte is the high one of its word.
        sum += u32::from(bytes[bytes.len() - 1]) * 255;
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_reads_back_and_others_agree() {
        let packet = Packet {
            source_mac: [2, 0, 0, 0, 0, 1],
            target_mac: [2, 0, 0, 0, 0, 2],
            tags: vec![(0x8100, 5)],
            source: SocketAddrV4::new(Ipv4Addr::new(10, 20, 1, 1), 4000),
            target: SocketAddrV4::new(Ipv4Addr::new(10, 10, 2, 5), 502),
            id: 0xd103,
            ttl: 3,
            network_options: vec![],
            sequence: 0xffff_fff0,
            acknowledgement: 7,
            flags: ACK | PSH,
            window: 1000,
            urgent: 0,
            options: vec![1, 1, 1, 0],
            payload: vec![1, 2, 3],
            spoilt: Spoilt::Nothing,
        };
        let frame = packet.frame();
        assert_eq!(Packet::parse(&frame), Some(packet.clone()));
        let others = etherparse::SlicedPacket::from_ethernet(&frame).expect("a frame others can read");
        let Some(etherparse::NetSlice::Ipv4(ip)) = others.net else { panic!("no IPv4") };
        assert_eq!(ip.header().header_checksum(), ip.header().to_header().calc_header_checksum());
        let Some(etherparse::TransportSlice::Tcp(tcp)) = others.transport else { panic!("no TCP") };
        assert_eq!(tcp.to_header().calc_checksum_ipv4(&ip.header().to_header(), tcp.payload()), Ok(tcp.checksum()));
    }
}
