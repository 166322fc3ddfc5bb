//! Vector 22 and others: so many of them that something runs over.

use std::time::Duration;

use super::engine::Conversation;
use super::field::{CLIENT_MAC, Zone};
use super::packet::{ACK, Packet, RST, SYN};
use super::{Against, Class, Scene, Vector};
use crate::lab::PLC_MAC;

pub(super) const CLASS: Class = Class {
    name: "exhaustion",
    held: "Half-open conversations live apart from established ones and age out, a conversation is promoted only by the \
           device, rates are limited by source, and every loop over a segment has an end.",
    only_enforce: false,
    vectors: &[
        vector("one client with 200 conversations after each other", &["connection_rate"], many_conversations),
        vector("a client that is reset again and again, beside one that is not", &["held_after_resets"], reset_storm),
        puppet("5,000 handshakes that the device answers and the client does not end", &[], half_open),
        puppet("300 established conversations, then one more client", &[], established),
        vector("120 units in a segment, again and again", &["beyond_inspection", "object_not_allowed"], many_units),
        vector("a unit whose rest never comes, where units may come in pieces", &["stalled_unit"], stalled),
        vector("a thousand segments ahead of the stream", &["sequence_gap"], ahead),
        cable("10,000 packets of conversations that never were", &["unsynchronised"], unknown),
        cable("100,000 SYNs of made-up sources, while others talk", &[], spoofed_flood),
        cable("20,000 SYNs of one source", &["connection_rate"], one_source_flood),
    ],
};

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

const fn cable(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Cable, reasons, play }
}

const fn puppet(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Puppet, reasons, play }
}

fn goes_on(scene: &mut Scene<'_>, client: &mut Conversation<'_>) {
    let (read, denied) = (scene.read(), scene.denied());
    scene.ask(client, &read);
    scene.attempt(client, &denied);
}

/// What comes back of a flood is nobody's, and would take the room of answers that are.
fn now_and_then(scene: &Scene<'_>, number: u32) {
    if number.is_multiple_of(64) {
        scene.field.network.clear();
    }
}

/// A conversation that was there before must be there after, and is judged as before.
fn spoofed_flood(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let stranger = scene.stranger(Zone::Reset, 1);
    for number in 0..100_000_u32 {
        let mut syn = stranger.syn();
        syn.source = std::net::SocketAddrV4::new(Zone::Reset.address(number / 40), 1024 + (number % 60_000) as u16);
        syn.sequence = number.wrapping_mul(0x9e37_79b9);
        stranger.send(&syn);
        now_and_then(scene, number);
    }
    goes_on(scene, &mut client);
    let mut other = scene.open();
    let read = scene.read();
    scene.ask(&mut other, &read);
}

fn one_source_flood(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let stranger = scene.stranger(Zone::Reset, 1);
    for number in 0..20_000_u32 {
        let mut syn = stranger.syn();
        syn.source.set_port(1024 + (number % 60_000) as u16);
        stranger.send(&syn);
        now_and_then(scene, number);
    }
    goes_on(scene, &mut client);
    let mut other = scene.open();
    let read = scene.read();
    scene.ask(&mut other, &read);
}

fn many_conversations(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let first = scene.stranger(Zone::Drop, 1);
    for number in 0..200_u16 {
        let mut here = first.here;
        here.set_port(20_000 + number);
        let macs = (CLIENT_MAC, PLC_MAC);
        let mut one = Conversation::new(&scene.field.network, here, first.there, macs, u32::from(number) * 100_000);
        one.send(&one.syn());
        if one.listen(Duration::from_millis(20), |one| one.heard != 0) {
            one.next = one.next.wrapping_add(1);
            one.send(&one.packet(&[]));
            one.send(&Packet { flags: RST, acknowledgement: 0, ..one.packet(&[]) });
        }
    }
    goes_on(scene, &mut client);
}

fn reset_storm(scene: &mut Scene<'_>) {
    let mut other = scene.begin();
    let first = scene.stranger(Zone::Reset, 1);
    for number in 0..12_u16 {
        let mut here = first.here;
        here.set_port(20_000 + number);
        let macs = (CLIENT_MAC, PLC_MAC);
        let mut one = Conversation::new(&scene.field.network, here, first.there, macs, u32::from(number) * 100_000);
        one.send(&one.syn());
        if one.listen(Duration::from_millis(100), |one| one.heard != 0) {
            one.next = one.next.wrapping_add(1);
            one.send(&one.packet(&[]));
            let denied = scene.denied();
            scene.attempt(&one, &denied);
        }
    }
    goes_on(scene, &mut other);
    let mut third = scene.open();
    let read = scene.read();
    scene.ask(&mut third, &read);
}

/// Opens conversations with the puppet in bulk, until the box lets no more of them pass.
fn open_many(scene: &mut Scene<'_>, count: u32, confirm: bool) {
    let network = &scene.field.network;
    let mut refused = 0;
    for number in 0..count {
        if refused == 50 {
            return;
        }
        let client = scene.stranger(Zone::Drop, number.wrapping_mul(77_777));
        client.send(&client.syn());
        let mut device = scene.puppet(&client);
        device.silent = true;
        if !device.listen(Duration::from_millis(20), |device| device.heard != 0) {
            refused += 1;
            continue;
        }
        device.send(&Packet { flags: SYN | ACK, ..device.packet(&[]) });
        if let Some(answer) = network.next(client.here, Duration::from_millis(20)).filter(|_| confirm) {
            let packet = client.packet(&[]);
            let acknowledgement = answer.end();
            client.send(&Packet { sequence: packet.sequence.wrapping_add(1), acknowledgement, ..packet });
        }
    }
}

fn half_open(scene: &mut Scene<'_>) {
    let (mut client, mut device) = scene.pair(Zone::Drop);
    open_many(scene, 5000, false);
    still_there(scene, &mut client, &mut device);
}

fn established(scene: &mut Scene<'_>) {
    let (mut client, mut device) = scene.pair(Zone::Drop);
    open_many(scene, 300, true);
    still_there(scene, &mut client, &mut device);
}

fn still_there(scene: &mut Scene<'_>, client: &mut Conversation<'_>, device: &mut Conversation<'_>) {
    let (read, denied) = (scene.read(), scene.denied());
    client.say(&read);
    if !device.wait(|device| device.answers == read) {
        scene.broken("a conversation from before does not go on");
    }
    scene.attempt(client, &denied);
}

fn many_units(scene: &mut Scene<'_>) {
    for _ in 0..20 {
        let mut client = scene.begin();
        let mut units: Vec<u8> = (0..119).flat_map(|_| scene.read()).collect();
        units.extend(scene.denied());
        scene.attempt(&client, &units);
        let read = scene.read();
        scene.ask(&mut client, &read);
    }
}

/// The device would keep a socket and a buffer for each such client.
fn stalled(scene: &mut Scene<'_>) {
    if !scene.field.knows_segmentation {
        return scene.skip();
    }
    let mut client = scene.open_in(Zone::Stream);
    let write = scene.write(5);
    scene.promise(&client, &write[..6]);
    client.say(&write[..6]);
    std::thread::sleep(Duration::from_secs(8));
    client.say(&write[6..]);
    scene.settle();
}

fn ahead(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let denied = scene.denied();
    for number in 1..=1000 {
        let packet = client.packet(&denied);
        client.send(&Packet { sequence: packet.sequence.wrapping_add(number * 12), ..packet });
    }
    let read = scene.read();
    scene.ask(&mut client, &read);
}

fn unknown(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let stranger = scene.stranger(Zone::Drop, 1);
    let denied = scene.denied();
    for number in 0..10_000_u32 {
        let mut packet = stranger.packet(&denied);
        packet.source = std::net::SocketAddrV4::new(Zone::Drop.address(number / 4), 2000 + (number % 4) as u16);
        packet.acknowledgement = number;
        stranger.send(&packet);
        now_and_then(scene, number);
    }
    goes_on(scene, &mut client);
}
