//! Vectors 23, 26 and 38: tags, encapsulations, addresses and sizes of frames.

use super::field::{CLIENT_MAC, Zone};
use super::filter::LOST;
use super::packet::Packet;
use super::{Against, Class, Scene, Vector};
use crate::frames::{self, tagged};
use crate::lab::{HMI, PLC, PLC_MAC};

pub(super) const CLASS: Class = Class {
    name: "link",
    held: "A conversation lives in one VLAN and tag 0 is none, so that one device has one stream; what is not plain Ethernet \
           and IP does not pass unless the policy names it; a device's addresses are refused from the network side.",
    only_enforce: false,
    vectors: &[
        vector("a denied write in tag 0, in another VLAN, in two tags, with a service tag", TAGGED, other_tags),
        vector(
            "a read that the device loses, then other bytes in tag 0, which stacks take for none",
            DIFFERS,
            differs_in_tag,
        ),
        vector(
            "a conversation that goes on in tag 0: judged like the rest",
            &["object_not_allowed", "vlan_mismatch"],
            goes_on_in_tag,
        ),
        vector("a denied write in SNAP", &["malformed_link"], snap),
        cable("three and four tags", &["vlan_depth"], deep_tags),
        cable("a tag inside PROFINET, LLDP and an unknown type", &["not_covered", "ethernet"], tag_inside),
        cable("PPPoE, MPLS, MACsec, trill and other types around an IP packet", &["not_covered"], encapsulated),
        cable("802.3 lengths with and without LLC", &["malformed_link", "not_covered"], lengths),
        cable("ARP that claims the device's address", &["spoofed_device"], arp),
        cable("the device's hardware address as source", &["spoofed_device"], own_mac),
        cable("TCP for the device to a group or to everybody", &["invalid_address"], groups),
        cable("a denied write in a frame of 9,000 bytes, alone and at the end", LARGE, jumbo),
        cable("a frame of 1,501 to 4,000 bytes", LARGE, larger),
        cable("frames that end within their headers", &["truncated", "malformed_link", "malformed_network"], cut_short),
    ],
};

const TAGGED: &[&str] = &["object_not_allowed", "vlan_mismatch"];
const DIFFERS: &[&str] = &["duplicate_differs", "vlan_mismatch"];
const LARGE: &[&str] = &["frame_too_large", "multi_buffer", "malformed_network", "beyond_inspection"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

const fn cable(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Cable, reasons, play }
}

const TAGS: [&[(u16, u16)]; 5] =
    [&[(0x8100, 0)], &[(0x8100, 5)], &[(0x8100, 5), (0x8100, 6)], &[(0x88a8, 100), (0x8100, 5)], &[(0x8100, 0xe000)]];

fn other_tags(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    for tags in TAGS {
        let denied = scene.denied();
        client.send(&Packet { tags: tags.to_vec(), ..client.packet(&denied) });
        scene.settle();
    }
    let read = scene.read();
    scene.ask(&mut client, &read);
}

fn differs_in_tag(scene: &mut Scene<'_>) {
    for tags in TAGS {
        let mut client = scene.begin();
        let write = scene.write(8);
        let mut other = write.clone();
        other[11] = 9;
        client.send(&Packet { id: LOST, ..client.packet(&write) });
        scene.settle();
        client.send(&Packet { tags: tags.to_vec(), ..client.packet(&other) });
        scene.settle();
        scene.ask(&mut client, &write);
    }
}

/// Forth and back between tag 0 and none: whichever the box lets pass, it must be one stream.
fn goes_on_in_tag(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    scene.promise(&client, &read);
    client.send(&Packet { tags: vec![(0x8100, 0)], ..client.packet(&read) });
    scene.settle();
    let behind = client.packet(&denied);
    let behind = Packet { sequence: behind.sequence.wrapping_add(12), ..behind };
    client.send(&Packet { tags: vec![(0x8100, 0)], ..behind.clone() });
    client.send(&behind);
    scene.settle();
}

fn snap(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let denied = scene.denied();
    let packet = client.packet(&denied).network();
    let mut payload = vec![0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    payload.extend(&packet);
    let frame = frames::ethernet(PLC_MAC, CLIENT_MAC, payload.len() as u16, &payload);
    scene.refuse(&frame);
    scene.refuse(&tagged(&frame, &[(0x8100, 0)]));
    let read = scene.read();
    scene.ask(&mut client, &read);
}

fn deep_tags(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    let frame = client.syn().frame();
    scene.refuse(&tagged(&frame, &[(0x8100, 1), (0x8100, 2), (0x8100, 3)]));
    scene.refuse(&tagged(&frame, &[(0x88a8, 0), (0x8100, 0), (0x8100, 0), (0x8100, 0)]));
}

fn tag_inside(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    let inner = [&[0x81, 0, 0, 5, 8, 0][..], &client.syn().network()].concat();
    for kind in [0x8892, 0x88cc, 0x9999] {
        scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, kind, &inner));
    }
}

fn encapsulated(scene: &mut Scene<'_>) {
    let packet = scene.stranger(Zone::Reset, 1).syn().network();
    let session = [&[0x11, 0, 0, 1, 0, packet.len() as u8 + 2, 0, 0x21][..], &packet].concat();
    let label = [&[0, 0, 0x11, 0x40][..], &packet].concat();
    scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, 0x8864, &session));
    for kind in [0x8847, 0x8848, 0x88e5, 0x22f3, 0x894f, 0x6558, 0x88e7, 0x8863, 0x88b7] {
        scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, kind, &label));
    }
}

fn lengths(scene: &mut Scene<'_>) {
    let packet = scene.stranger(Zone::Reset, 1).syn().network();
    for kind in [0, 46, 0x05dc, 0x05ff] {
        scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, kind, &packet));
        scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, kind, &[&[6, 6, 3][..], &packet].concat()));
    }
}

/// The station would send its answers, and the device its acknowledgements, to whoever claims the address.
fn arp(scene: &mut Scene<'_>) {
    for (operation, target) in [(1, PLC), (2, HMI), (1, HMI)] {
        let mut payload = vec![0, 1, 8, 0, 6, 4, 0, operation];
        payload.extend(CLIENT_MAC);
        payload.extend(PLC.octets());
        payload.extend([0; 6]);
        payload.extend(target.octets());
        scene.refuse(&frames::ethernet([0xff; 6], CLIENT_MAC, 0x0806, &payload));
    }
    let mut payload = vec![0, 1, 8, 0, 6, 4, 0, 2];
    payload.extend(PLC_MAC);
    payload.extend(HMI.octets());
    payload.extend(PLC_MAC);
    payload.extend(PLC.octets());
    scene.refuse(&frames::ethernet(PLC_MAC, CLIENT_MAC, 0x0806, &payload));
}

fn own_mac(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    scene.refuse(&Packet { source_mac: PLC_MAC, ..client.syn() }.frame());
    let mut question = frames::arp_request();
    question[6..12].copy_from_slice(&PLC_MAC);
    scene.refuse(&question);
}

fn groups(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    for target_mac in [[0xff; 6], [1, 0, 0x5e, 0, 0, 1]] {
        scene.refuse(&Packet { target_mac, ..client.syn() }.frame());
    }
}

fn large(scene: &mut Scene<'_>, sizes: &[usize]) {
    for size in sizes {
        let client = scene.begin();
        let read = scene.read();
        let count = (size - 40) / read.len();
        let mut units = read.repeat(count - 1);
        units.extend(scene.denied());
        scene.refuse(&client.packet(&units).frame());
        let mut one = scene.denied();
        one.resize(size - 40, 0);
        scene.refuse(&client.packet(&one).frame());
    }
}

fn jumbo(scene: &mut Scene<'_>) {
    large(scene, &[9000]);
}

fn larger(scene: &mut Scene<'_>) {
    large(scene, &[1501, 1520, 2000, 3000, 3600, 4000]);
}

fn cut_short(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 1);
    let frame = client.syn().frame();
    for length in [14, 20, 33, 34, 40, 53] {
        scene.refuse(&frame[..length]);
    }
}
