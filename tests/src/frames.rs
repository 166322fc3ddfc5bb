//! Building frames by hand: what no well-behaved client would send.

use std::net::SocketAddr;

use etherparse::{EtherType, IpFragOffset, IpNumber, Ipv4Header, PacketBuilder, TcpHeader};

use crate::lab::{HMI, HMI_MAC, PLC, PLC_MAC};

/// One TCP segment, by default from the operator station to the controller's Modbus port.
#[derive(Clone, Debug)]
pub struct Segment {
    pub source_mac: [u8; 6],
    pub target_mac: [u8; 6],
    pub source: SocketAddr,
    pub target: SocketAddr,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub window: u16,
    pub flags: Flags,
    pub payload: Vec<u8>,
}

/// The TCP flags that tests play with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub syn: bool,
    pub ack: bool,
    pub psh: bool,
    pub fin: bool,
    pub rst: bool,
    pub urg: bool,
}

impl Segment {
    /// Data from the operator station's `port` to the controller, acknowledging everything up to `acknowledgment`.
    pub fn to_plc(port: u16, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Segment {
        Segment {
            source_mac: HMI_MAC,
            target_mac: PLC_MAC,
            source: SocketAddr::from((HMI, port)),
            target: SocketAddr::from((PLC, 502)),
            sequence,
            acknowledgment,
            window: 64_000,
            flags: Flags { ack: true, psh: !payload.is_empty(), ..Flags::default() },
            payload: payload.to_vec(),
        }
    }

    /// The same conversation seen from the controller.
    pub fn to_hmi(port: u16, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Segment {
        let forth = Segment::to_plc(port, sequence, acknowledgment, payload);
        Segment {
            source_mac: forth.target_mac,
            target_mac: forth.source_mac,
            source: forth.target,
            target: forth.source,
            ..forth
        }
    }

    /// The frame with right lengths and checksums. Both addresses must be of one family.
    pub fn frame(&self) -> Vec<u8> {
        let mut tcp = TcpHeader::new(self.source.port(), self.target.port(), self.sequence, self.window);
        tcp.acknowledgment_number = self.acknowledgment;
        let Flags { syn, ack, psh, fin, rst, urg } = self.flags;
        (tcp.syn, tcp.ack, tcp.psh, tcp.fin, tcp.rst, tcp.urg) = (syn, ack, psh, fin, rst, urg);
        let link = PacketBuilder::ethernet2(self.source_mac, self.target_mac);
        let network = match (self.source, self.target) {
            (SocketAddr::V4(a), SocketAddr::V4(b)) => link.ipv4(a.ip().octets(), b.ip().octets(), 64),
            (SocketAddr::V6(a), SocketAddr::V6(b)) => link.ipv6(a.ip().octets(), b.ip().octets(), 64),
            _ => panic!("one address of each family: {} and {}", self.source, self.target),
        };
        let builder = network.tcp_header(tcp);
        let mut bytes = Vec::with_capacity(builder.size(self.payload.len()));
        builder.write(&mut bytes, &self.payload).expect("write to memory");
        bytes
    }
}

/// A Modbus/TCP frame: header with the right length, then the protocol data unit.
pub fn modbus(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).expect("a PDU that fits its length field");
    let mut bytes = Vec::with_capacity(7 + pdu.len());
    bytes.extend(transaction.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.push(unit);
    bytes.extend(pdu);
    bytes
}

/// PDU: read `count` holding registers from `first`.
pub fn read_holding(first: u16, count: u16) -> Vec<u8> {
    words(3, &[first, count])
}

/// PDU: write one holding register.
pub fn write_single(address: u16, value: u16) -> Vec<u8> {
    words(6, &[address, value])
}

/// PDU: write holding registers from `first`.
pub fn write_multiple(first: u16, values: &[u16]) -> Vec<u8> {
    let count = u8::try_from(values.len()).expect("at most 123 registers");
    let mut pdu = words(16, &[first, count.into()]);
    pdu.push(count * 2);
    pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    pdu
}

fn words(function: u8, fields: &[u16]) -> Vec<u8> {
    let mut pdu = vec![function];
    pdu.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    pdu
}

/// An Ethernet II frame with any ethertype, padded to the least length a cable carries.
pub fn ethernet(target: [u8; 6], source: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(14 + payload.len());
    bytes.extend(target);
    bytes.extend(source);
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().max(60), 0);
    bytes
}

/// Puts VLAN tags behind the addresses, outermost first, each as (tag ethertype, priority and VLAN id).
pub fn tagged(frame: &[u8], tags: &[(u16, u16)]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    let mut bytes = addresses.to_vec();
    for (ethertype, control) in tags {
        bytes.extend(ethertype.to_be_bytes());
        bytes.extend(control.to_be_bytes());
    }
    bytes.extend(rest);
    bytes
}

/// ARP: who has the controller's address, asked by the operator station.
pub fn arp_request() -> Vec<u8> {
    let mut payload = vec![0, 1, 8, 0, 6, 4, 0, 1];
    payload.extend(HMI_MAC);
    payload.extend(HMI.octets());
    payload.extend([0; 6]);
    payload.extend(PLC.octets());
    ethernet([0xff; 6], HMI_MAC, 0x0806, &payload)
}

/// LLDP to the address that an ordinary bridge swallows.
pub fn lldp() -> Vec<u8> {
    let mut payload = vec![0x02, 7, 4];
    payload.extend(HMI_MAC);
    payload.extend([0x04, 3, 7, b'p', b'1', 0x06, 2, 0, 120, 0, 0]);
    ethernet([0x01, 0x80, 0xc2, 0, 0, 0x0e], HMI_MAC, 0x88cc, &payload)
}

/// A PROFINET DCP identify request to everybody.
pub fn profinet_identify() -> Vec<u8> {
    let payload = [0xfe, 0xfe, 5, 0, 0, 0, 0, 1, 0, 1, 0, 4, 0xff, 0xff, 0, 0];
    ethernet([0x01, 0x0e, 0xcf, 0, 0, 0], HMI_MAC, 0x8892, &payload)
}

/// A UDP datagram from the operator station to the controller.
pub fn udp(source_port: u16, target_port: u16, payload: &[u8]) -> Vec<u8> {
    let builder =
        PacketBuilder::ethernet2(HMI_MAC, PLC_MAC).ipv4(HMI.octets(), PLC.octets(), 64).udp(source_port, target_port);
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut bytes, payload).expect("write to memory");
    bytes
}

/// An ICMP echo request from the operator station to the controller with `length` payload bytes.
pub fn ping(sequence: u16, length: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(HMI_MAC, PLC_MAC)
        .ipv4(HMI.octets(), PLC.octets(), 64)
        .icmpv4_echo_request(0x2020, sequence);
    let payload = vec![0xa5; length];
    let mut bytes = Vec::with_capacity(builder.size(length));
    builder.write(&mut bytes, &payload).expect("write to memory");
    bytes
}

/// Cuts an untagged IPv4 frame without options into fragments whose payloads are at most `size` bytes (a multiple of 8).
pub fn fragments(frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    assert!(size > 0 && size.is_multiple_of(8), "fragments are cut at multiples of 8 bytes");
    let (header, _) = Ipv4Header::from_slice(&frame[14..]).expect("an IPv4 frame");
    let end = 14 + usize::from(header.total_len);
    let payload = &frame[14 + header.header_len()..end];
    let pieces = payload.chunks(size).count();
    let cut = |(index, piece): (usize, &[u8])| {
        let mut part = header.clone();
        let offset = u16::try_from(index * size / 8).expect("an offset that fits");
        part.fragment_offset = IpFragOffset::try_new(offset).expect("an offset that fits");
        part.more_fragments = index + 1 < pieces;
        part.dont_fragment = false;
        part.identification = 0x4242;
        part.set_payload_len(piece.len()).expect("a length that fits");
        part.header_checksum = part.calc_header_checksum();
        let mut bytes = frame[..14].to_vec();
        part.write(&mut bytes).expect("write to memory");
        bytes.extend(piece);
        bytes.resize(bytes.len().max(60), 0);
        bytes
    };
    payload.chunks(size).enumerate().map(cut).collect()
}

/// An IPv4 frame of any inner protocol from the operator station to the controller.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a payload that fits");
    let mut header =
        Ipv4Header::new(length, 64, IpNumber(protocol), HMI.octets(), PLC.octets()).expect("a payload that fits");
    header.header_checksum = header.calc_header_checksum();
    let mut bytes = Vec::new();
    header.write(&mut bytes).expect("write to memory");
    bytes.extend(payload);
    ethernet(PLC_MAC, HMI_MAC, EtherType::IPV4.0, &bytes)
}

/// Puts options behind the TCP header of an untagged IPv4 frame without any; whole words.
pub fn with_tcp_options(frame: &[u8], options: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes[46] += u8::try_from(options.len() / 4).expect("at most ten words") << 4;
    bytes.splice(54..54, options.iter().copied());
    lengthened(bytes, options.len())
}

/// The same for IPv4 options.
pub fn with_ipv4_options(frame: &[u8], options: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes[14] += u8::try_from(options.len() / 4).expect("at most ten words");
    bytes.splice(34..34, options.iter().copied());
    lengthened(bytes, options.len())
}

fn lengthened(mut bytes: Vec<u8>, by: usize) -> Vec<u8> {
    let length = u16::from_be_bytes([bytes[16], bytes[17]]) + u16::try_from(by).expect("few");
    bytes[16..18].copy_from_slice(&length.to_be_bytes());
    checksummed(bytes)
}

/// An untagged IPv4 frame with right checksums: of its header, and of the TCP, UDP or ICMP inside.
pub fn checksummed(mut bytes: Vec<u8>) -> Vec<u8> {
    let transport = 14 + usize::from(bytes[14] & 15) * 4;
    let end = 14 + usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[24..26].fill(0);
    let sum = folded(&[&bytes[14..transport]]);
    bytes[24..26].copy_from_slice(&sum);
    let (at, length) = (bytes[23], u16::try_from(end - transport).expect("a packet").to_be_bytes());
    let (at, pseudo) = match at {
        6 => (16, [&bytes[26..34], &[0, 6], &length].concat()),
        17 => (6, [&bytes[26..34], &[0, 17], &length].concat()),
        1 => (2, Vec::new()),
        _ => return bytes,
    };
    bytes[transport + at..transport + at + 2].fill(0);
    let sum = folded(&[&pseudo, &bytes[transport..end]]);
    bytes[transport + at..transport + at + 2].copy_from_slice(&sum);
    bytes
}

/// The Internet checksum of parts, of which all but the last have an even length (RFC 1071).
fn folded(parts: &[&[u8]]) -> [u8; 2] {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).expect("folded")).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::SlicedPacket;

    #[test]
    fn checksums_are_what_another_library_computes() {
        let segment = Segment::to_plc(40_000, 1, 1, &[1, 2, 3]).frame();
        for whole in [segment, udp(4000, 502, &[1; 5]), ping(1, 9)] {
            assert_eq!(checksummed(whole.clone()), whole);
        }
    }

    #[test]
    fn a_segment_carries_its_modbus_bytes() {
        let request = modbus(7, 1, &read_holding(0, 10));
        assert_eq!(request, [0, 7, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10]);
        let frame = Segment::to_plc(40_000, 1, 1, &request).frame();
        let packet = SlicedPacket::from_ethernet(&frame).expect("a frame others can read");
        let Some(etherparse::TransportSlice::Tcp(tcp)) = packet.transport else { panic!("no TCP: {packet:?}") };
        assert_eq!(tcp.payload(), request);
        assert_eq!(tcp.destination_port(), 502);
    }

    #[test]
    fn tags_go_behind_the_addresses() {
        let frame = tagged(&arp_request(), &[(0x88a8, 5), (0x8100, 0xe00a)]);
        assert_eq!(frame[12..20], [0x88, 0xa8, 0, 5, 0x81, 0, 0xe0, 0x0a]);
        assert_eq!(frame[20..22], [8, 6]);
    }

    #[test]
    fn fragments_make_up_the_whole() {
        let whole = udp(5000, 6000, &[7; 100]);
        let parts = fragments(&whole, 64);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0][34..98], whole[34..98]);
        assert_eq!(parts[1][34..78], whole[98..142]);
    }
}
