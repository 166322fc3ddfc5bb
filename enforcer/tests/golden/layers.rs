//! Cases about what lies below Modbus: links, IP, transports, and who sends.

use etherparse::{Icmpv4Type, PacketBuilder};

use super::wire::{HMI, Host, MODBUS, PRESS, Packet, STRANGER, Talk, Wire, adu, ethernet, patched, pdu, tagged, udp};

const BROADCAST: [u8; 6] = [0xFF; 6];

fn read() -> Vec<u8> {
    adu(1, 1, &pdu(3, &[0, 2]))
}

fn icmp(from: Host, to: Host, kind: Icmpv4Type) -> Packet {
    let mut frame = Packet::new();
    let builder = PacketBuilder::ethernet2(from.mac, to.mac).ipv4(from.ip, to.ip, 64).icmpv4(kind);
    builder.write(&mut frame, &[0x55; 8]).expect("memory");
    frame
}

fn arp(from: Host, to: Host) -> Packet {
    let body = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &from.mac, &from.ip, &[0; 6], &to.ip].concat();
    ethernet(from.mac, BROADCAST, 0x0806, &body)
}

/// Tags, frames without IP, headers that hide a type.
pub(crate) fn links(wire: &mut Wire) {
    let talk = Talk::running(HMI, PRESS, 40_001);
    let frame = talk.client_segment(0, &read());
    wire.put(tagged(&frame, &[(0x8100, 0x2064)]));
    wire.put(tagged(&frame, &[(0x88A8, 100), (0x8100, 200)])); // the same bytes again
    wire.put(tagged(&frame, &[(0x88A8, 100), (0x8100, 200), (0x8100, 300)]));
    wire.put(arp(HMI, PRESS));
    wire.put(ethernet(HMI.mac, [1, 0x80, 0xC2, 0, 0, 0x0E], 0x88CC, &[2, 7, 4]));
    wire.put(ethernet(HMI.mac, PRESS.mac, 0x8892, &[0xFE, 0xFD, 5, 0]));
    wire.put(ethernet(HMI.mac, PRESS.mac, 0x88B8, &[0, 1, 0, 8]));
    wire.put(ethernet(HMI.mac, BROADCAST, 0x1234, &[1, 2, 3]));
    wire.put(ethernet(HMI.mac, [1, 0x80, 0xC2, 0, 0, 0], 38, &[0x42, 0x42, 3, 0, 0, 0])); // spanning tree
    wire.put(ethernet(HMI.mac, PRESS.mac, 48, &[0xAA, 0xAA, 3, 0, 0, 0, 8, 0, 0x45])); // SNAP
    wire.put_exact(vec![0xFF; 9]);
    wire.put_exact(tagged(&frame, &[(0x8100, 100)])[..15].to_vec());
}

/// Fragments, options, lengths that contradict each other, flags that belong to no conversation.
pub(crate) fn network(wire: &mut Wire) {
    let talk = Talk::running(HMI, PRESS, 40_001);
    let frame = talk.client_segment(0, &read());
    wire.put(patched(frame.clone(), 20, &[0x20, 0x00])); // more fragments
    wire.put(patched(frame.clone(), 20, &[0x00, 0x03])); // a later fragment
    wire.put(patched(frame.clone(), 20, &[0x40, 0x00])); // don't fragment: an ordinary frame
    wire.put(patched(frame.clone(), 14, &[0x46])); // IP options
    wire.put(patched(frame.clone(), 14, &[0x44])); // a header too short to be one
    wire.put(patched(frame.clone(), 14, &[0x65])); // not version 4
    wire.put(patched(frame.clone(), 16, &[0x01, 0x00])); // longer than the frame
    wire.put(patched(frame.clone(), 16, &[0x00, 0x10])); // shorter than its header
    wire.put(patched(frame.clone(), 23, &[47])); // GRE
    wire.put(patched(frame.clone(), 46, &[0x40])); // TCP header too short
    wire.put(patched(frame.clone(), 46, &[0xF0])); // TCP header longer than the packet
    wire.put(talk.client_odd(&[], |header| (header.syn, header.fin) = (true, true)));
    wire.put(talk.client_odd(&read(), |header| (header.syn, header.ack) = (true, false)));
    wire.put(talk.client_odd(&read(), |header| header.ack = false));
    wire.put(patched(udp((HMI, 40_001), (PRESS, MODBUS), &read()), 38, &[0, 12])); // UDP length
}

/// Modbus over IPv6 and over UDP.
pub(crate) fn ipv6_and_udp(wire: &mut Wire) {
    let mut six = |sequence: u32, flags: (bool, bool), back: bool, bytes: &[u8]| {
        let ends =
            [[0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20], [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5]];
        let (from, to) = if back { (PRESS, HMI) } else { (HMI, PRESS) };
        let (a, b) = if back { (ends[1], ends[0]) } else { (ends[0], ends[1]) };
        let ports = if back { (MODBUS, 40_006) } else { (40_006, MODBUS) };
        let mut header = etherparse::TcpHeader::new(ports.0, ports.1, sequence, 8_192);
        (header.syn, header.ack) = flags;
        header.acknowledgment_number = if back { 1_001 } else { 5_001 };
        let mut frame = Packet::new();
        let builder = PacketBuilder::ethernet2(from.mac, to.mac).ipv6(a, b, 64).tcp_header(header);
        builder.write(&mut frame, bytes).expect("memory");
        wire.put(frame);
    };
    six(1_000, (true, false), false, &[]);
    six(5_000, (true, true), true, &[]);
    six(1_001, (false, true), false, &[]);
    six(1_001, (false, true), false, &read());
    six(5_001, (false, true), true, &adu(1, 1, &[3, 4, 0, 1, 0, 2]));
    six(1_013, (false, true), false, &adu(2, 1, &pdu(6, &[0, 1])));
    wire.put(udp((HMI, 40_001), (PRESS, MODBUS), &read()));
    wire.put(udp((PRESS, MODBUS), (HMI, 40_001), &adu(1, 1, &[3, 4, 0, 1, 0, 2])));
    wire.put(udp((HMI, 40_001), (PRESS, MODBUS), &adu(2, 1, &pdu(6, &[0, 1]))));
    wire.put(udp((HMI, 40_001), (PRESS, MODBUS), &read()[..9])); // a unit that does not end in its datagram
    wire.put(udp((HMI, 40_001), (PRESS, MODBUS), &[read(), read()].concat()));
}

/// Conduits without inspection inside, and traffic that none covers.
pub(crate) fn uninspected(wire: &mut Wire) {
    let mut web = Talk { service: 80, ..Talk::running(HMI, PRESS, 40_080) };
    web.handshake(wire);
    web.send(wire, b"GET / HTTP/1.1\r\n\r\n");
    web.reply(wire, b"HTTP/1.1 200 OK\r\n\r\n");
    wire.put(udp((HMI, 40_069), (PRESS, 69), b"\0\x01plan\0octet\0"));
    wire.put(icmp(HMI, PRESS, Icmpv4Type::EchoRequest(etherparse::IcmpEchoHeader { id: 1, seq: 1 })));
    wire.put(icmp(PRESS, HMI, Icmpv4Type::EchoReply(etherparse::IcmpEchoHeader { id: 1, seq: 1 })));
    wire.put(icmp(STRANGER, PRESS, Icmpv4Type::EchoRequest(etherparse::IcmpEchoHeader { id: 2, seq: 1 })));
    wire.put(udp((HMI, 40_161), (PRESS, 161), &[0x30, 0]));
    let ssh = Talk { service: 22, ..Talk::running(STRANGER, PRESS, 40_022) };
    ssh.handshake(wire);
    let mut modbus = Talk::open(wire, STRANGER, PRESS, 40_502);
    modbus.ask(wire, 1, &pdu(6, &[0, 1]));
}

/// The device's hardware address in the frames of another host.
pub(crate) fn spoofed(wire: &mut Wire) {
    let mut talk = Talk::running(HMI, PRESS, 40_001);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    talk.answer(wire, 1, &[3, 4, 0, 1, 0, 2]);
    let borrowed = Host { mac: PRESS.mac, ..HMI };
    wire.put(icmp(borrowed, PRESS, Icmpv4Type::EchoRequest(etherparse::IcmpEchoHeader { id: 1, seq: 1 })));
    let mut thief = Talk { client: borrowed, ..Talk::running(HMI, PRESS, 40_002) };
    thief.ask(wire, 1, &pdu(3, &[0, 2]));
}

/// Checksums: right, wrong, and absent.
pub(crate) fn checksums(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    wire.put(patched(talk.client_segment(0, &read()), 24, &[0, 1])); // IPv4
    wire.put(patched(talk.client_segment(0, &read()), 50, &[0, 1])); // TCP
    talk.send(wire, &read()); // as TCP would repeat it
    let datagram = udp((HMI, 40_001), (PRESS, MODBUS), &read());
    wire.put(datagram.clone());
    wire.put(patched(datagram.clone(), 40, &[0, 1]));
    wire.put(patched(datagram, 40, &[0, 0])); // none computed
}
