//! Vectors 14, 18 and 20: what stands in the headers of TCP.

use std::time::Duration;

use super::engine::Conversation;
use super::field::Zone;
use super::packet::{ACK, FIN, PSH, Packet, RST, SYN, Spoilt, URG};
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "options_and_flags",
    held: "Flags and options that belong to no conversation, or that change what its bytes mean, do not pass; what a device \
           may ignore or drop by itself (timestamps, time to live, windows) is safe, because only the same bytes may follow.",
    only_enforce: false,
    vectors: &[
        vector(
            "an old timestamp makes the device drop a read, then a denied write in its place",
            DIFFERS,
            old_timestamp,
        ),
        vector("a read with a time to live of 1, then another in its place", DIFFERS, short_life),
        vector("a denied write with a time to live of 1", &["object_not_allowed"], short_write),
        vector(
            "an MD5 or authentication option makes the device drop a read, then a denied write",
            &["tcp_option"],
            signed,
        ),
        vector("MPTCP, Fast Open and options of the handshake on data", &["tcp_option"], misplaced),
        vector("options of length 0 and 1, overrun and twice", &["tcp_option", "malformed_transport"], broken_options),
        vector("forty bytes of padding as options: it passes", &[], padding),
        vector("urgent data", &["urgent_data"], urgent),
        vector("an urgent pointer without its flag", &["urgent_data"], pointer),
        vector("data without ACK, with SYN and FIN, SYN and RST, no flag or all flags", &["invalid_flags"], odd_flags),
        vector("reserved bits", &["invalid_flags"], reserved),
        vector("a TCP header that is too short or too long", &["malformed_transport"], offset),
        vector("a denied write with a window of 0", &["object_not_allowed"], no_window),
        vector("keepalives with and without a byte: they pass", &[], keepalive),
        vector(
            "a denied byte as keepalive, then the rest of its unit",
            &["object_not_allowed", "split_unit"],
            keepalive_byte,
        ),
        Vector {
            against: Against::Puppet,
            ..vector("a probe of a full device with the first byte of a read, then the rest: it passes", &[], probe)
        },
        Vector {
            against: Against::Puppet,
            ..vector(
                "a probe with the first byte of a denied write, then the rest",
                &["object_not_allowed", "split_unit", "duplicate_differs"],
                probe_denied,
            )
        },
        Vector {
            against: Against::Puppet,
            ..vector(
                "a probe, then its byte again with another value",
                &["duplicate_differs", "split_unit"],
                probe_changed,
            )
        },
        vector(
            "the device's acknowledgement forged from the network side, then other bytes",
            &["spoofed_device"],
            forged,
        ),
        Vector {
            against: Against::Puppet,
            ..vector(
                "a device that acknowledges what it was never sent, then a denied write there",
                AHEAD,
                device_ahead,
            )
        },
        vector("an acknowledgement of what the device never said", &["invalid_acknowledgement"], client_ahead),
    ],
};

const DIFFERS: &[&str] = &["duplicate_differs"];
const AHEAD: &[&str] = &["invalid_acknowledgement", "unsynchronised", "sequence_gap", "object_not_allowed"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

fn timestamp(value: u32) -> Vec<u8> {
    [vec![1, 1, 8, 10], value.to_be_bytes().to_vec(), vec![0; 4]].concat()
}

fn old_timestamp(scene: &mut Scene<'_>) {
    let mut client = scene.stranger(Zone::Drop, 50_000);
    client.options = timestamp(1_000_000);
    if !client.open() {
        return scene.broken("a client with timestamps cannot connect");
    }
    scene.goes_on(&mut client);
    let (write, denied) = (scene.write(8), scene.denied());
    client.send(&Packet { options: timestamp(1000), ..client.packet(&write) });
    scene.settle();
    client.options = timestamp(1_000_010);
    scene.attempt(&client, &denied);
    let mut other = write.clone();
    other[11] = 9;
    scene.attempt(&client, &other);
    scene.ask(&mut client, &write);
}

fn short_life(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(8);
    let mut other = write.clone();
    other[11] = 9;
    // Lost on the way as if a router had dropped it.
    client.send(&Packet { ttl: 1, id: super::filter::LOST, ..client.packet(&write) });
    scene.settle();
    scene.attempt(&client, &other);
    scene.ask(&mut client, &write);
}

fn short_write(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let denied = scene.denied();
    client.send(&Packet { ttl: 1, ..client.packet(&denied) });
    scene.settle();
}

fn with_options(scene: &mut Scene<'_>, list: &[&[u8]]) {
    for options in list {
        let mut client = scene.begin();
        let (write, denied) = (scene.write(7), scene.denied());
        let mut packet = Packet { options: options.to_vec(), ..client.packet(&write) };
        packet.options.resize(options.len().next_multiple_of(4), 1);
        scene.forbid(&packet.frame()[54..]);
        client.send(&packet);
        scene.settle();
        scene.attempt(&client, &denied);
        scene.ask(&mut client, &write);
    }
}

fn signed(scene: &mut Scene<'_>) {
    let (mut md5, mut authentication) = (vec![19, 18], vec![29, 16]);
    md5.resize(18, 0xaa);
    authentication.resize(16, 0xbb);
    with_options(scene, &[&md5, &authentication]);
}

fn misplaced(scene: &mut Scene<'_>) {
    let subflow = [30, 12, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    let cookie = [34, 10, 1, 2, 3, 4, 5, 6, 7, 8];
    with_options(scene, &[&subflow, &cookie, &[2, 4, 0, 64], &[3, 3, 2], &[4, 2]]);
}

fn broken_options(scene: &mut Scene<'_>) {
    with_options(scene, &[&[8, 0], &[8, 1], &[8, 40, 1, 1], &[1, 1, 1, 8]]);
    let client = scene.stranger(Zone::Drop, 60_000);
    let twice = vec![2, 4, 5, 0xb4, 2, 4, 0, 64];
    scene.forbid(&twice);
    client.send(&Packet { options: twice, ..client.syn() });
    scene.settle();
}

fn padding(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    client.options = vec![1; 40];
    scene.goes_on(&mut client);
    client.options = vec![1, 1, 1, 0];
    scene.goes_on(&mut client);
}

/// Stacks disagree about whether and where the urgent byte is part of the stream.
fn urgent(scene: &mut Scene<'_>) {
    for at in [1, 12, 200] {
        let client = scene.begin();
        let write = scene.write(7);
        scene.forbid(&write);
        client.send(&Packet { flags: ACK | PSH | URG, urgent: at, ..client.packet(&write) });
        scene.settle();
    }
}

fn pointer(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let write = scene.write(7);
    scene.forbid(&write);
    client.send(&Packet { urgent: 5, ..client.packet(&write) });
    scene.settle();
}

fn odd_flags(scene: &mut Scene<'_>) {
    let all = FIN | SYN | RST | PSH | ACK | URG;
    for flags in [PSH, 0, SYN | FIN, SYN | RST, SYN | FIN | ACK, FIN, FIN | PSH | URG, all] {
        let mut client = scene.begin();
        let (write, denied) = (scene.write(7), scene.denied());
        client.send(&Packet { flags, ..client.packet(&denied) });
        let packet = Packet { flags, ..client.packet(&write) };
        scene.forbid(&packet.frame()[34..]);
        client.send(&packet);
        scene.settle();
        scene.goes_on(&mut client);
    }
}

fn reserved(scene: &mut Scene<'_>) {
    for bit in [0x200, 0x400, 0x800] {
        let client = scene.begin();
        let write = scene.write(7);
        scene.forbid(&write);
        client.send(&Packet { flags: ACK | PSH | bit, ..client.packet(&write) });
        scene.settle();
    }
}

fn offset(scene: &mut Scene<'_>) {
    for words in [0, 4, 9, 15] {
        let client = scene.begin();
        let denied = scene.denied();
        client.send(&Packet { spoilt: Spoilt::DataOffset(words), ..client.packet(&denied) });
        scene.settle();
    }
}

fn no_window(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let denied = scene.denied();
    client.send(&Packet { window: 0, ..client.packet(&denied) });
    scene.settle();
}

fn keepalive(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    for payload in [&[][..], &[0]] {
        let packet = client.packet(payload);
        let before = client.answers.len();
        client.send(&Packet { sequence: packet.sequence.wrapping_sub(1), flags: ACK, ..packet });
        // A stack answers a keepalive by an acknowledgement, which says nothing new.
        if client.receive(client.patience).is_none() || client.answers.len() != before {
            scene.broken("a keepalive is not answered");
        }
        scene.goes_on(&mut client);
    }
}

fn keepalive_byte(scene: &mut Scene<'_>) {
    let client = scene.begin();
    let denied = scene.denied();
    let packet = client.packet(&denied[..1]);
    client.send(&Packet { sequence: packet.sequence.wrapping_sub(1), ..packet });
    scene.settle();
    scene.attempt(&client, &denied);
    let client = scene.begin();
    client.send(&client.packet(&denied[..1]));
    let rest = client.packet(&denied[1..]);
    client.send(&Packet { sequence: rest.sequence.wrapping_add(1), ..rest });
    if scene.server == super::servers::SINK {
        scene.promise(&client, &denied[..1]);
    }
    scene.settle();
}

/// A device whose window is full, as told to the client.
fn full<'field>(scene: &mut Scene<'field>) -> (Conversation<'field>, Conversation<'field>) {
    let (client, mut device) = scene.pair(Zone::Drop);
    device.window = 0;
    device.send(&device.packet(&[]));
    scene.settle();
    (client, device)
}

fn probe(scene: &mut Scene<'_>) {
    let (mut client, mut device) = full(scene);
    let read = scene.read();
    client.say(&read[..1]);
    if !device.wait(|device| device.answers.len() == 1) {
        scene.broken("the probe does not pass");
    }
    device.window = 1000;
    device.send(&device.packet(&[]));
    scene.settle();
    client.say(&read[1..]);
    if !device.wait(|device| device.answers == read) {
        scene.broken("the rest behind the probe does not pass");
    }
    device.send(&device.packet(&[]));
    let next = scene.read();
    client.say(&next);
    if !device.wait(|device| device.answers.ends_with(&next)) {
        scene.broken("the next request behind the probe does not pass");
    }
}

fn probe_denied(scene: &mut Scene<'_>) {
    let (mut client, mut device) = full(scene);
    let denied = scene.denied();
    client.say(&denied[..1]);
    device.listen(Duration::from_millis(100), |device| device.answers.len() == 1);
    device.window = 1000;
    device.send(&device.packet(&[]));
    scene.settle();
    client.say(&denied[1..]);
    device.listen(Duration::from_millis(100), |device| device.answers.len() >= 12);
    if device.answers.ends_with(&denied[1..]) {
        scene.leak("the rest of a denied write passed behind a probe");
    }
}

fn probe_changed(scene: &mut Scene<'_>) {
    let (client, _device) = full(scene);
    let read = scene.read();
    client.send(&client.packet(&read[..1]));
    scene.settle();
    client.send(&client.packet(&[read[0] ^ 0x40]));
    scene.settle();
}

/// If the box believed that the device had acknowledged, it would forget what it is to compare with.
fn forged(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(8);
    let mut other = write.clone();
    other[11] = 9;
    let lost = Packet { id: super::filter::LOST, ..client.packet(&write) };
    client.send(&lost);
    scene.settle();
    let acknowledgement = Packet {
        source: client.there,
        target: client.here,
        sequence: client.heard,
        acknowledgement: lost.end(),
        ..client.packet(&[])
    };
    client.send(&acknowledgement);
    client.send(&Packet { source_mac: crate::lab::PLC_MAC, ..acknowledgement });
    scene.settle();
    scene.attempt(&client, &other);
    scene.ask(&mut client, &write);
}

fn device_ahead(scene: &mut Scene<'_>) {
    let (mut client, mut device) = scene.pair(Zone::Drop);
    device.heard = device.heard.wrapping_add(24);
    device.send(&device.packet(&[]));
    scene.settle();
    for _ in 0..3 {
        let denied = scene.denied();
        scene.attempt(&client, &denied);
        client.next = client.next.wrapping_add(12);
    }
}

fn client_ahead(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(7);
    let packet = client.packet(&write);
    scene.forbid(&write);
    client.send(&Packet { acknowledgement: packet.acknowledgement.wrapping_add(100_000), ..packet });
    scene.settle();
    scene.goes_on(&mut client);
}
