//! The frames that are measured, and what the core must have found in each: a bench of the wrong path is worth nothing.

use enforcer_common::port::Side;
use enforcer_common::verdict::Reason;
use etherparse::{PacketBuilder, TcpHeader};

/// A kind of frame.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    pub(crate) frame: Vec<u8>,
    /// True for a request that was judged before; others are not kept.
    pub(crate) known: bool,
    /// Outcome and operations that the record must show. Of a request that is known, none are read.
    pub(crate) expected: (Reason, u32),
}

const CLIENT: ([u8; 6], [u8; 4]) = ([2, 0, 10, 10, 1, 20], [10, 10, 1, 20]);
const SERVER: ([u8; 6], [u8; 4]) = ([0, 0x1b, 0x1b, 0x12, 0x34, 0x56], [10, 10, 2, 5]);

/// First data bytes of client and server.
pub(crate) const FIRST: [u32; 2] = [1001, 5001];

fn frame(side: Side, port: u16, sequence: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let ((from, from_ip), (to, to_ip), ports) = match side {
        Side::Network => (CLIENT, SERVER, [50_000, port]),
        Side::Device => (SERVER, CLIENT, [port, 50_000]),
    };
    let mut header = TcpHeader::new(ports[0], ports[1], sequence[0], 0x2000);
    header.acknowledgment_number = sequence[1];
    (header.fin, header.syn) = (flags & 1 != 0, flags & 2 != 0);
    (header.psh, header.ack) = (flags & 8 != 0, flags & 16 != 0);
    let builder = PacketBuilder::ethernet2(from, to).ipv4(from_ip, to_ip, 64).tcp_header(header);
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut bytes, payload).expect("a frame in memory");
    bytes
}

fn data(side: Side, payload: &[u8]) -> Vec<u8> {
    let [client, server] = FIRST;
    frame(side, 502, if side == Side::Network { [client, server] } else { [server, client] }, 0x18, payload)
}

/// SYN, SYN-ACK and ACK of the conversation on a port.
pub(crate) fn handshake(port: u16) -> [(Side, Vec<u8>); 3] {
    let [client, server] = FIRST;
    [
        (Side::Network, frame(Side::Network, port, [client - 1, 0], 2, &[])),
        (Side::Device, frame(Side::Device, port, [server - 1, client], 0x12, &[])),
        (Side::Network, frame(Side::Network, port, [client, server], 0x10, &[])),
    ]
}

/// A request of the client in the conversation on a port.
pub(crate) fn request(port: u16, payload: &[u8]) -> Vec<u8> {
    frame(Side::Network, port, FIRST, 0x18, payload)
}

/// A datagram of the client.
pub(crate) fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(CLIENT.0, SERVER.0).ipv4(CLIENT.1, SERVER.1, 64).udp(50_000, port);
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut bytes, payload).expect("a frame in memory");
    bytes
}

fn unit(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 1).expect("a unit");
    [&[0, 7, 0, 0][..], &length.to_be_bytes(), &[1], data].concat()
}

fn read(first: u8) -> Vec<u8> {
    unit(&[3, 0, first, 0, 10])
}

fn write(registers: u8) -> Vec<u8> {
    let values = [0, 200].repeat(registers.into());
    unit(&[&[16, 4, 0, 0, registers, registers * 2][..], &values].concat())
}

/// Every class, in the order of the table.
pub(crate) fn classes() -> Vec<Class> {
    let writes = [write(123), write(123), write(123), write(123), write(123), write(76)].concat();
    assert_eq!(writes.len(), 1460, "a full segment");
    let answer = unit(&[&[3, 20][..], &[0; 20]].concat());
    let arp = [&[0xff; 6][..], &CLIENT.0, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[0; 38]].concat();
    let class = |name, side, frame, reason, count| Class { name, side, frame, known: false, expected: (reason, count) };
    let requests = |count| data(Side::Network, &read(100).repeat(count));
    vec![
        Class {
            known: true,
            ..class("request, 1 PDU", Side::Network, data(Side::Network, &read(90)), Reason::RuleAllow, 0)
        },
        class("the same, not seen before", Side::Network, requests(1), Reason::RuleAllow, 1),
        class("request, 10 PDUs", Side::Network, requests(10), Reason::RuleAllow, 10),
        class("request, 32 PDUs", Side::Network, requests(32), Reason::RuleAllow, 32),
        class("full segment, 6 writes", Side::Network, data(Side::Network, &writes), Reason::RuleAllow, 6),
        class("response, 1 PDU", Side::Device, data(Side::Device, &answer), Reason::Response, 0),
        class("acknowledgement only", Side::Network, data(Side::Network, &[]), Reason::NoPayload, 0),
        class(
            "pass-through TCP, 100 bytes",
            Side::Network,
            frame(Side::Network, 80, [1, 1], 0x18, &[0x55; 100]),
            Reason::Conduit,
            0,
        ),
        class("ARP", Side::Network, arp, Reason::EthernetAllow, 0),
    ]
}
