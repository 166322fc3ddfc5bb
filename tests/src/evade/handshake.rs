//! Vectors 14 (in part) and 16: how conversations begin, and how they could be made to begin differently for the box and
//! for the device.

use std::time::Duration;

use super::engine::Conversation;
use super::field::Zone;
use super::packet::{ACK, PSH, Packet, SYN};
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "handshake",
    held: "A numbering counts only when the device's own SYN-ACK confirms it: until then no data passes, and what a client \
           says afterwards about another numbering changes nothing.",
    only_enforce: false,
    vectors: &[
        vector("data in the SYN", &["invalid_flags"], data_in_syn),
        vector("a Fast Open cookie in the SYN, with and without data", &["tcp_option", "invalid_flags"], fast_open),
        vector("MPTCP in the SYN", &["tcp_option"], multipath),
        puppet("data before the device has answered", EARLY, early),
        puppet(
            "data behind the SYN-ACK that acknowledges another number",
            &["invalid_acknowledgement"],
            wrong_acknowledgement,
        ),
        vector(
            "a second SYN on a live conversation, then a denied write at the old number",
            &["object_not_allowed"],
            second_syn_old,
        ),
        vector("a second SYN on a live conversation, then a denied write at the new number", NOWHERE, second_syn_new),
        vector("a second SYN on a live conversation does it no harm", &[], second_syn_harmless),
        vector(
            "a SYN-ACK from the client on a live conversation, then a denied write at its number",
            UNASKED,
            client_syn_ack,
        ),
        puppet(
            "a SYN-ACK to a SYN that the device never sent",
            &["unexpected_handshake", "not_covered"],
            unasked_syn_ack,
        ),
        puppet("both sides open at once, then a denied write", CROSSED, both_open),
        puppet("a handshake in four steps with the roles exchanged", CROSSED, four_steps),
        puppet("a SYN-ACK that acknowledges another SYN than the last", EARLY, stale_syn_ack),
        vector(
            "the device's SYN-ACK forged from the network side",
            &["spoofed_device", "unexpected_handshake"],
            forged_syn_ack,
        ),
        vector("data on a conversation that never was", &["unsynchronised", "sequence_gap"], no_handshake),
        vector("the same ports again after a close: it passes", &[], port_again),
        vector("a lost SYN, SYN-ACK and ACK sent again: it passes", &[], lost_handshake),
    ],
};

const EARLY: &[&str] = &["unsynchronised", "unexpected_handshake", "sequence_gap", "invalid_acknowledgement"];
const NOWHERE: &[&str] = &["sequence_gap", "unsynchronised", "invalid_acknowledgement", "duplicate_unverified"];
const UNASKED: &[&str] = &["unexpected_handshake"];
const CROSSED: &[&str] =
    &["object_not_allowed", "unexpected_handshake", "not_covered", "unsynchronised", "invalid_function"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

const fn puppet(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Puppet, reasons, play }
}

fn data_in_syn(scene: &mut Scene<'_>) {
    let denied = scene.denied();
    let client = scene.stranger(Zone::Reset, 1000);
    client.send(&Packet { payload: denied, ..client.syn() });
    scene.settle();
    let read = scene.read();
    scene.forbid(&read);
    let client = scene.stranger(Zone::Reset, 1000);
    client.send(&Packet { payload: read, ..client.syn() });
    scene.settle();
}

fn fast_open(scene: &mut Scene<'_>) {
    let cookie = [2, 4, 5, 0xb4, 34, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1];
    let experimental = [2, 4, 5, 0xb4, 254, 12, 0xf9, 0x89, 9, 8, 7, 6, 5, 4, 3, 2];
    for (options, data) in [(cookie, true), (cookie, false), (experimental, true)] {
        let client = scene.stranger(Zone::Reset, 2000);
        let payload = if data { scene.denied() } else { Vec::new() };
        scene.forbid(&options);
        client.send(&Packet { options: options.to_vec(), payload, ..client.syn() });
        scene.settle();
    }
}

fn multipath(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 3000);
    let option = [30, 12, 0, 0x81, 1, 2, 3, 4, 5, 6, 7, 8];
    scene.forbid(&option);
    client.send(&Packet { options: option.to_vec(), ..client.syn() });
    scene.settle();
}

/// The device has got the SYN and says nothing. A stack that had answered would take the data.
fn early(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 4000);
    let mut device = scene.puppet(&client);
    client.send(&client.syn());
    if !device.wait(|device| device.heard != 0) {
        return scene.broken("no SYN reaches the device");
    }
    client.next += 1;
    client.heard = device.next.wrapping_add(1);
    let (read, denied) = (scene.read(), scene.denied());
    scene.forbid(&read);
    scene.attempt(&client, &read);
    scene.attempt(&client, &denied);
}

fn wrong_acknowledgement(scene: &mut Scene<'_>) {
    let (client, _device) = scene.pair(Zone::Reset);
    let (read, denied) = (scene.read(), scene.denied());
    for (unit, by) in [(&read, 1000), (&denied, 1000), (&denied, 0x7000_0000)] {
        scene.forbid(unit);
        let packet = client.packet(unit);
        client.send(&Packet { acknowledgement: packet.acknowledgement.wrapping_add(by), ..packet });
        scene.settle();
    }
}

/// A SYN far from the numbers in use: the server's stack answers with a challenge and keeps its state (RFC 5961).
fn second_syn(scene: &Scene<'_>, client: &Conversation<'_>) -> u32 {
    let first = client.next.wrapping_add(0x3000_0000);
    client.send(&Packet { sequence: first, ..client.syn() });
    scene.settle();
    first
}

fn second_syn_old(scene: &mut Scene<'_>) {
    let client = scene.begin();
    second_syn(scene, &client);
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

fn second_syn_new(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let first = second_syn(scene, &client);
    let denied = scene.denied();
    client.send(&Packet { sequence: first.wrapping_add(1), ..client.packet(&denied) });
    scene.settle();
    let (read, packet) = (scene.read(), client.packet(&[]));
    scene.forbid(&read);
    client.send(&Packet { sequence: first.wrapping_add(1), flags: ACK | PSH, payload: read, ..packet });
    scene.settle();
}

fn second_syn_harmless(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    second_syn(scene, &client);
    while client.receive(Duration::ZERO).is_some() {}
    scene.goes_on(&mut client);
    let write = scene.write(5);
    scene.ask(&mut client, &write);
}

fn client_syn_ack(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let first = client.next.wrapping_add(5000);
    client.send(&Packet { flags: SYN | ACK, sequence: first, ..client.packet(&[]) });
    scene.settle();
    let denied = scene.denied();
    client.send(&Packet { sequence: first.wrapping_add(1), ..client.packet(&denied) });
    scene.settle();
    scene.goes_on(&mut client);
}

fn unasked_syn_ack(scene: &mut Scene<'_>) {
    let client = scene.stranger(Zone::Reset, 6000);
    let packet = Packet { flags: SYN | ACK, acknowledgement: 1, options: vec![2, 4, 5, 0xaa], ..client.syn() };
    scene.forbid(&packet.frame()[34..]);
    client.send(&packet);
    scene.settle();
}

/// The device's SYN crosses the client's. Who is the client stands in the policy, not in the handshake.
fn both_open(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 7000);
    let mut device = scene.puppet(&client);
    client.send(&client.syn());
    device.wait(|device| device.heard != 0);
    device.send(&device.syn());
    scene.settle();
    (client.next, device.next) = (client.next.wrapping_add(1), device.next.wrapping_add(1));
    client.heard = device.next;
    client.send(&Packet { flags: SYN | ACK, sequence: client.next.wrapping_sub(1), ..client.packet(&[]) });
    device.send(&Packet { flags: SYN | ACK, sequence: device.next.wrapping_sub(1), ..device.packet(&[]) });
    scene.settle();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

/// The device answers the SYN with an ACK and a SYN of its own; the client confirms that one (split handshake).
fn four_steps(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 8000);
    let mut device = scene.puppet(&client);
    client.send(&client.syn());
    device.wait(|device| device.heard != 0);
    device.send(&Packet { flags: ACK, ..device.packet(&[]) });
    device.send(&device.syn());
    scene.settle();
    (client.next, device.next) = (client.next.wrapping_add(1), device.next.wrapping_add(1));
    client.heard = device.next;
    client.send(&Packet { flags: SYN | ACK, sequence: client.next.wrapping_sub(1), ..client.packet(&[]) });
    scene.settle();
    device.send(&device.packet(&[]));
    scene.settle();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

/// Two SYNs with different numbers; the device answers the first. Only the first numbering is then real.
fn stale_syn_ack(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 9000);
    let mut device = scene.puppet(&client);
    client.send(&client.syn());
    device.wait(|device| device.heard != 0);
    client.send(&Packet { sequence: 900_000, ..client.syn() });
    scene.settle();
    let read = scene.read();
    scene.forbid(&read);
    device.send(&Packet { flags: SYN | ACK, ..device.packet(&[]) });
    scene.settle();
    client.heard = device.next.wrapping_add(1);
    client.send(&Packet { sequence: 900_001, ..client.packet(&read) });
    client.next = 9001;
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

/// The SYN is lost at the device, so that it never answers; the client answers itself in the device's name.
fn forged_syn_ack(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 11_000);
    client.send(&Packet { id: super::filter::LOST, ..client.syn() });
    scene.settle();
    let forged = Packet {
        source: client.there,
        target: client.here,
        sequence: 77,
        acknowledgement: 11_001,
        flags: SYN | ACK,
        ..client.syn()
    };
    client.send(&forged);
    scene.settle();
    (client.next, client.heard) = (11_001, 78);
    let (read, denied) = (scene.read(), scene.denied());
    scene.forbid(&read);
    scene.attempt(&client, &read);
    scene.attempt(&client, &denied);
}

fn no_handshake(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Reset, 12_000);
    client.heard = 5;
    let (read, denied) = (scene.read(), scene.denied());
    scene.forbid(&read);
    scene.attempt(&client, &denied);
    scene.attempt(&client, &read);
}

fn port_again(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    client.send(&Packet { flags: super::packet::FIN | ACK, ..client.packet(&[]) });
    client.next = client.next.wrapping_add(1);
    if !client.wait(|client| client.closed && client.acknowledged == client.next) {
        return scene.broken("the conversation does not close");
    }
    scene.settle();
    let first = client.next.wrapping_add(100_000);
    let (here, there) = (client.here, client.there);
    let macs = (super::field::CLIENT_MAC, crate::lab::PLC_MAC);
    let mut again = Conversation::new(&scene.field.network, here, there, macs, first);
    if !again.open() {
        return scene.broken("the same ports cannot be used again");
    }
    scene.goes_on(&mut again);
}

fn lost_handshake(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Drop, 13_000);
    client.send(&Packet { id: super::filter::LOST, ..client.syn() });
    scene.settle();
    if !client.open() {
        return scene.broken("a SYN again does not open");
    }
    // The ACK never came, so the server repeats its SYN-ACK; the client's data does for it.
    scene.goes_on(&mut client);
}
