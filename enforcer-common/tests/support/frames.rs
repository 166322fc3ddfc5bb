//! Frames byte by byte.

use enforcer_common::port::Side;

pub(crate) const DEVICE_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x10];
pub(crate) const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
/// Zone 1 of the test policies.
pub(crate) const HMI: [u8; 4] = [10, 0, 0, 5];
/// Zone 3.
pub(crate) const ENGINEER: [u8; 4] = [10, 0, 3, 5];
/// In no zone.
pub(crate) const STRANGER: [u8; 4] = [192, 168, 7, 7];
/// Zone 2, a device.
pub(crate) const PLC: [u8; 4] = [10, 0, 1, 10];

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

pub(crate) fn be(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("16 bits").to_be_bytes()
}

/// An Ethernet II frame with tags of (type, control).
pub(crate) fn ethernet(side: Side, tags: &[(u16, u16)], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let (to, from) = if side == Side::Network { (DEVICE_MAC, CLIENT_MAC) } else { (CLIENT_MAC, DEVICE_MAC) };
    let mut frame = [to, from].concat();
    for (kind, control) in tags {
        frame.extend([kind.to_be_bytes(), control.to_be_bytes()].concat());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IPv4 packet; `options` must be whole words.
pub(crate) fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let mut packet = vec![0x40 | (header / 4) as u8, 0];
    packet.extend(be(header + payload.len()));
    packet.extend([0x12, 0x34, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend([from, to].concat());
    packet.extend(options);
    packet.extend(payload);
    packet
}

pub(crate) fn v6(zone: u8, host: u8) -> [u8; 16] {
    [0xfd, 0, 0, zone, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]
}

pub(crate) fn ipv6(from: [u8; 16], to: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(be(payload.len()));
    packet.extend([next, 64]);
    packet.extend([from, to].concat());
    packet.extend(payload);
    packet
}

/// An ARP request of a sender for the PLC's address.
pub(crate) fn arp(sender: [u8; 6], address: [u8; 4]) -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, 1][..], &sender, &address, &[0; 6], &PLC].concat()
}

pub(crate) fn tcp(ports: (u16, u16), sequence: u32, acknowledgement: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledgement.to_be_bytes());
    segment.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

pub(crate) fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = [ports.0.to_be_bytes(), ports.1.to_be_bytes(), be(8 + payload.len()), [0, 0]].concat();
    datagram.extend(payload);
    datagram
}

/// A datagram from the HMI to the PLC's Modbus port.
pub(crate) fn modbus_udp(payload: &[u8]) -> Vec<u8> {
    ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 17, &[], &udp((40000, 502), payload)))
}

/// A segment from the HMI to the PLC's Modbus port, without a tag.
pub(crate) fn modbus_tcp(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 6, &[], &tcp((40000, 502), sequence, 1, flags, payload)))
}
