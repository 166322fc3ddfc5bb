//! Vectors 13, 24 and 25: fragments, extension headers, options, and lengths that disagree.

use super::field::{CLIENT_MAC, Zone};
use super::packet::{Packet, Spoilt, checksum};
use super::{Against, Class, Scene, Vector};
use crate::frames::{self, modbus, write_single};
use crate::lab::{HMI_V6, PLC_MAC, PLC_V6};

pub(super) const CLASS: Class = Class {
    name: "network",
    held: "Fragments, options and extension headers towards a device do not pass, the IP length alone says where a packet \
           ends, and checksums are verified before anything is remembered.",
    only_enforce: false,
    vectors: &[
        vector("a denied write in fragments, in order, backwards and tiny", FRAGMENT, fragments),
        vector("fragments that overlap: a read below, a denied write above", FRAGMENT, overlapping),
        vector("a first fragment twice with other bytes, and a last one alone", FRAGMENT, first_twice),
        vector("a whole packet that says more fragments follow", FRAGMENT, whole_and_more),
        vector("record route, source routes, router alert and padding as IP options", &["ip_options"], options),
        vector(
            "a wrong IP checksum makes the device drop a read, then a denied write",
            &["bad_checksum"],
            network_checksum,
        ),
        vector("an allowed read with a denied write behind the end of its packet: it passes", &[], trailer),
        vector("an acknowledgement with a denied write behind its end: it passes", &[], trailer_of_nothing),
        vector("a packet that ends within its write", SHORT, short),
        vector("a packet longer than its frame", SHORT, long),
        vector("a header of 16 bytes, version 5", &["malformed_network"], broken_header),
        cable(
            "Modbus in UDP: a denied write, alone and behind a read",
            &["object_not_allowed", "malformed_framing", "not_covered"],
            datagrams,
        ),
        cable("UDP lengths that disagree with IP", &["malformed_transport"], datagram_lengths),
        cable("a UDP checksum that is wrong", &["bad_checksum"], datagram_checksum),
        cable(
            "IPv6: an atomic fragment, hop-by-hop, destination and routing headers",
            &["fragment", "extension_header"],
            extension_headers,
        ),
        cable("IP in IP, 6in4, GRE, ESP, AH, SCTP", &["unknown_transport", "not_covered"], tunnels),
        cable("ICMP redirect, timestamp, mask and a path of 68 bytes", &["icmp_type", "not_covered"], icmp),
        cable("the device's own address as source", &["spoofed_device", "invalid_address"], own_address),
        cable("a group, broadcast, loopback or nothing as source", &["invalid_address", "not_covered"], odd_sources),
    ],
};

const FRAGMENT: &[&str] = &["fragment"];
const SHORT: &[&str] = &["truncated", "malformed_network", "malformed_transport", "bad_checksum"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

const fn cable(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Cable, reasons, play }
}

fn fragments(scene: &mut Scene<'_>) {
    for size in [8, 16, 24] {
        let mut client = scene.begin();
        let denied = scene.denied();
        let mut list = client.packet(&denied).fragments(size);
        for frame in &list {
            scene.refuse(frame);
        }
        list.reverse();
        let other = scene.denied();
        let mut list = Packet { id: 1, ..client.packet(&other) }.fragments(size);
        list.reverse();
        for frame in &list {
            scene.refuse(frame);
        }
        scene.goes_on(&mut client);
    }
}

/// A piece of the IP payload of a packet, from `offset` (a multiple of 8), with or without more to follow.
fn piece(packet: &Packet, offset: usize, length: usize, more: bool) -> Vec<u8> {
    let whole = packet.network();
    let mut bytes = whole[..20].to_vec();
    bytes[2..4].copy_from_slice(&((20 + length) as u16).to_be_bytes());
    bytes[4..6].copy_from_slice(&0x7777_u16.to_be_bytes());
    bytes[6..8].copy_from_slice(&((offset / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
    bytes[10..12].fill(0);
    let sum = checksum(&bytes);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend(&whole[20 + offset..20 + offset + length]);
    frames::ethernet(PLC_MAC, CLIENT_MAC, 0x0800, &bytes)
}

fn overlapping(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    let (below, above) = (client.packet(&read), client.packet(&denied));
    scene.refuse(&piece(&below, 0, 32, true));
    scene.refuse(&piece(&above, 16, 16, false));
    scene.refuse(&piece(&above, 24, 8, false));
    scene.goes_on(&mut client);
}

fn first_twice(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    scene.refuse(&piece(&client.packet(&read), 0, 24, true));
    scene.refuse(&piece(&client.packet(&denied), 0, 24, true));
    scene.refuse(&piece(&client.packet(&denied), 24, 8, false));
    scene.goes_on(&mut client);
}

fn whole_and_more(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let denied = scene.denied();
    scene.refuse(&piece(&client.packet(&denied), 0, 32, true));
    scene.goes_on(&mut client);
}

fn options(scene: &mut Scene<'_>) {
    let record = vec![7, 7, 4, 0, 0, 0, 0, 0];
    let loose = vec![0x83, 7, 4, 10, 10, 2, 5, 0];
    let strict = vec![0x89, 7, 4, 10, 10, 2, 5, 0];
    for network_options in [record, loose, strict, vec![0x94, 4, 0, 0], vec![1, 1, 1, 0], vec![1; 40]] {
        let mut client = scene.begin();
        let denied = scene.denied();
        client.send(&Packet { network_options: network_options.clone(), ..client.packet(&denied) });
        let write = scene.write(9);
        scene.refuse(&Packet { network_options, ..client.packet(&write) }.frame());
        scene.goes_on(&mut client);
    }
}

fn network_checksum(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    scene.refuse(&Packet { spoilt: Spoilt::NetworkChecksum, ..client.packet(&read) }.frame());
    scene.attempt(&client, &denied);
    scene.ask(&mut client, &read);
}

/// A write that is no part of any packet: nothing may take it, but it may pass where padding does.
fn outside() -> Vec<u8> {
    modbus(0x7f7f, 1, &write_single(51, 7))
}

fn trailer(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let read = scene.read();
    scene.promise(&client, &read);
    let mut frame = client.packet(&read).frame();
    // The least length of a frame is reached: this lies behind the padding too.
    frame.truncate(66);
    frame.extend(outside());
    client.send_frame(&frame);
    client.next = client.next.wrapping_add(12);
    scene.wait_answer(&mut client, &read);
    scene.goes_on(&mut client);
}

fn trailer_of_nothing(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let mut frame = client.packet(&[]).frame();
    frame.truncate(54);
    frame.extend(outside());
    frame.extend([0; 100]);
    client.send_frame(&frame);
    scene.settle();
    scene.goes_on(&mut client);
}

fn short(scene: &mut Scene<'_>) {
    for by in [-1, -6, -12, -20, -30] {
        let mut client = scene.begin();
        let denied = scene.denied();
        scene.refuse(&Packet { spoilt: Spoilt::TotalLength(by), ..client.packet(&denied) }.frame());
        scene.goes_on(&mut client);
    }
}

fn long(scene: &mut Scene<'_>) {
    for by in [1, 100, 1400] {
        let mut client = scene.begin();
        let denied = scene.denied();
        scene.refuse(&Packet { spoilt: Spoilt::TotalLength(by), ..client.packet(&denied) }.frame());
        scene.goes_on(&mut client);
    }
}

fn broken_header(scene: &mut Scene<'_>) {
    for first in [0x44, 0x55, 0x40, 0x65] {
        let mut client = scene.begin();
        let denied = scene.denied();
        let mut frame = client.packet(&denied).frame();
        frame[14] = first;
        frame[24..26].fill(0);
        let sum = checksum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        scene.refuse(&frame);
        scene.goes_on(&mut client);
    }
}

fn datagrams(scene: &mut Scene<'_>) {
    let (denied, read) = (scene.denied(), scene.read());
    scene.refuse(&frames::udp(4000, 502, &denied));
    scene.refuse(&frames::udp(4000, 502, &[read, denied].concat()));
}

fn datagram_lengths(scene: &mut Scene<'_>) {
    let read = scene.read();
    for length in [0_u16, 7, 8, 19, 21, 100] {
        let mut frame = frames::udp(4000, 502, &read);
        frame[38..40].copy_from_slice(&length.to_be_bytes());
        // No checksum: the length alone decides.
        frame[40..42].fill(0);
        scene.refuse(&frame);
    }
}

fn datagram_checksum(scene: &mut Scene<'_>) {
    let read = scene.read();
    let mut frame = frames::udp(4000, 502, &read);
    frame[41] ^= 0x55;
    scene.refuse(&frame);
}

/// An IPv6 packet from the operator station to the controller with these headers before a TCP segment.
fn ipv6(kind: u8, headers: &[u8]) -> Vec<u8> {
    let tcp = frames::Segment {
        source: (HMI_V6, 40_000).into(),
        target: (PLC_V6, 502).into(),
        ..frames::Segment::to_plc(40_000, 1, 1, &outside())
    };
    let plain = tcp.frame();
    let mut frame = plain[..54].to_vec();
    let length = (plain.len() - 54 + headers.len()) as u16;
    frame[18..20].copy_from_slice(&length.to_be_bytes());
    frame[20] = kind;
    frame.extend(headers);
    frame.extend(&plain[54..]);
    frame
}

fn extension_headers(scene: &mut Scene<'_>) {
    let padding = [6, 0, 1, 4, 0, 0, 0, 0];
    let chain = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[43, 0, 1, 4, 0, 0, 0, 0], &[6, 0, 0, 0, 0, 0, 0, 0]].concat();
    // Fragment header with offset 0 and nothing to follow: an atomic fragment.
    scene.refuse(&ipv6(44, &[6, 0, 0, 0, 0, 0, 0, 1]));
    scene.refuse(&ipv6(44, &[6, 0, 0, 1, 0, 0, 0, 1]));
    for kind in [0, 60] {
        scene.refuse(&ipv6(kind, &padding));
    }
    for routing in [0, 2, 4] {
        scene.refuse(&ipv6(43, &[6, 0, routing, 1, 0, 0, 0, 0]));
    }
    scene.refuse(&ipv6(0, &chain));
    scene.refuse(&ipv6(51, &[6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]));
    scene.refuse(&ipv6(50, &[0; 16]));
}

fn tunnels(scene: &mut Scene<'_>) {
    let inner = frames::Segment::to_plc(40_000, 1, 1, &outside()).frame();
    for protocol in [4, 41, 47, 50, 51, 132, 255] {
        scene.refuse(&frames::ipv4(protocol, &inner[14..]));
    }
}

fn icmp(scene: &mut Scene<'_>) {
    let quoted = frames::Segment::to_plc(40_000, 1, 1, &[]).frame();
    for (kind, code, rest) in [(5_u8, 1_u8, [10, 10, 1, 66]), (13, 0, [0; 4]), (17, 0, [0; 4]), (3, 4, [0, 0, 0, 68])] {
        let mut message = vec![kind, code, 0, 0];
        message.extend(rest);
        message.extend(&quoted[14..42]);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        scene.refuse(&frames::ipv4(1, &message));
    }
}

fn own_address(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    for packet in [client.syn(), client.packet(&outside())] {
        scene.refuse(&Packet { source: client.there, ..packet }.frame());
    }
}

fn odd_sources(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    for source in [[224, 0, 0, 1], [255, 255, 255, 255], [127, 0, 0, 1], [0, 0, 0, 0]] {
        let source = std::net::SocketAddrV4::new(source.into(), 40_000);
        scene.refuse(&Packet { source, ..client.syn() }.frame());
    }
}
