//! Vectors 15 and 17, and what a denial does to both ends.

use std::time::Duration;

use super::engine::Conversation;
use super::field::{Setting, Zone};
use super::filter::LOST;
use super::packet::{ACK, FIN, PSH, Packet, RST, Spoilt};
use super::servers::PUPPET;
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "reset_and_close",
    held: "No RST, FIN or SYN of a client ends what the box knows of a conversation; a reset passes only where the device \
           expects its next byte, and nothing passes behind an announced end. A denial resets both ends.",
    only_enforce: false,
    vectors: &[
        vector(
            "a reset, then a denied write on the old conversation",
            &["object_not_allowed", "flow_killed", "data_after_close", "unsynchronised"],
            reset_then_write,
        ),
        vector(
            "a reset that the device loses, then a denied write",
            &["object_not_allowed", "flow_killed", "data_after_close"],
            lost_reset,
        ),
        vector("resets one byte off, in the window and far from it", &["inexact_reset"], inexact),
        vector("a reset with a wrong checksum", &["bad_checksum"], spoilt_reset),
        vector("a reset with data", &["inexact_reset", "invalid_flags", "object_not_allowed"], reset_with_data),
        vector("an exact reset reaches the device and frees its socket", &[], exact),
        vector("an announced end, then a denied write behind it", CLOSED, end_then_write),
        vector("an announced end that the device loses, then a denied write in its place", CLOSED, lost_end),
        vector(
            "an end in the middle of nowhere, then the conversation goes on",
            &["sequence_gap", "data_after_close"],
            end_ahead,
        ),
        vector("an end with a wrong checksum, then the conversation goes on", &["bad_checksum"], spoilt_end),
        vector("an allowed request and the end in one segment: it passes", &[], request_and_end),
        vector("a denied write and the end in one segment", &["object_not_allowed"], write_and_end),
        vector("a client that has closed and still reads: it passes", &[], half_closed),
        vector("a denial resets the client and frees the device's socket", &["object_not_allowed"], frees),
        vector("a denied client that goes on sending", &["object_not_allowed"], goes_on_sending),
        vector(
            "where denials are dropped, neither end is reset and the session goes on",
            &["object_not_allowed"],
            dropped,
        ),
        Vector {
            against: Against::Puppet,
            ..vector(
                "the device gets its reset exactly where it expects the next byte",
                &["object_not_allowed"],
                exact_for_device,
            )
        },
    ],
};

const CLOSED: &[&str] =
    &["data_after_close", "object_not_allowed", "duplicate_differs", "duplicate_unverified", "split_unit"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

fn begin<'field>(scene: &mut Scene<'field>, zone: Zone) -> Conversation<'field> {
    let mut client = scene.open_in(zone);
    let read = scene.read();
    scene.ask(&mut client, &read);
    client
}

fn reset(client: &Conversation<'_>, ahead: u32) -> Packet {
    let packet = client.packet(&[]);
    Packet { flags: RST, acknowledgement: 0, sequence: packet.sequence.wrapping_add(ahead), ..packet }
}

fn reset_then_write(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    client.send(&reset(&client, 0));
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

fn lost_reset(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    client.send(&Packet { id: LOST, ..reset(&client, 0) });
    scene.settle();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

fn inexact(scene: &mut Scene<'_>) {
    for ahead in [1, 100, 0x4000_0000, u32::MAX] {
        let mut client = begin(scene, Zone::Drop);
        let plain = reset(&client, ahead);
        for packet in [plain.clone(), Packet { flags: RST | ACK, acknowledgement: client.heard, ..plain }] {
            scene.forbid(&packet.frame()[34..54]);
            client.send(&packet);
        }
        scene.settle();
        let denied = scene.denied();
        scene.attempt(&client, &denied);
        scene.goes_on(&mut client);
    }
}

fn spoilt_reset(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    client.send(&Packet { spoilt: Spoilt::TransportChecksum, ..reset(&client, 0) });
    scene.settle();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    scene.goes_on(&mut client);
}

fn reset_with_data(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    for flags in [RST, RST | ACK, RST | FIN | ACK] {
        let denied = scene.denied();
        client.send(&Packet { payload: denied, flags, ..reset(&client, 0) });
        scene.settle();
    }
}

fn exact(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    client.send(&reset(&client, 0));
    freed(scene, &client, "an exact reset");
}

/// The session is broken when the device keeps its socket.
fn freed(scene: &mut Scene<'_>, client: &Conversation<'_>, by: &str) {
    for _ in 0..50 {
        scene.settle();
        if scene.field.sockets(client.here) == 0 {
            return;
        }
    }
    scene.broken(format!("the device's socket is not freed by {by}"));
}

fn end(client: &Conversation<'_>) -> Packet {
    Packet { flags: FIN | ACK, ..client.packet(&[]) }
}

fn end_then_write(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    client.send(&end(&client));
    client.next = client.next.wrapping_add(1);
    let (denied, read) = (scene.denied(), scene.read());
    scene.forbid(&read);
    scene.attempt(&client, &denied);
    scene.attempt(&client, &read);
}

/// The device never saw the end, so that it would take what stands in its place.
fn lost_end(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    client.send(&Packet { id: LOST, ..end(&client) });
    scene.settle();
    let (denied, read) = (scene.denied(), scene.read());
    scene.forbid(&read);
    scene.attempt(&client, &denied);
    scene.attempt(&client, &read);
}

fn end_ahead(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    let packet = end(&client);
    client.send(&Packet { sequence: packet.sequence.wrapping_add(24), ..packet });
    scene.settle();
    scene.goes_on(&mut client);
    scene.goes_on(&mut client);
}

fn spoilt_end(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    client.send(&Packet { spoilt: Spoilt::TransportChecksum, ..end(&client) });
    scene.settle();
    scene.goes_on(&mut client);
}

fn request_and_end(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    let write = scene.write(6);
    scene.promise(&client, &write);
    client.send(&Packet { flags: FIN | ACK | PSH, ..client.packet(&write) });
    scene.wait_answer(&mut client, &write);
}

fn write_and_end(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Drop);
    let denied = scene.denied();
    client.send(&Packet { flags: FIN | ACK | PSH, ..client.packet(&denied) });
    scene.settle();
}

/// The request is on its way when the client closes; its answer still has to come.
fn half_closed(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    let read = scene.read();
    scene.promise(&client, &read);
    client.say(&read);
    client.send(&end(&client));
    scene.wait_answer(&mut client, &read);
}

fn frees(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Reset);
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    if !client.listen(Duration::from_millis(500), |client| client.reset) {
        scene.broken("the client is not reset");
    }
    freed(scene, &client, "a denial");
}

fn goes_on_sending(scene: &mut Scene<'_>) {
    let client = begin(scene, Zone::Reset);
    for _ in 0..10 {
        let (denied, read) = (scene.denied(), scene.read());
        scene.attempt(&client, &denied);
        scene.forbid(&read);
        scene.attempt(&client, &read);
    }
    freed(scene, &client, "a denial");
}

fn dropped(scene: &mut Scene<'_>) {
    let mut client = begin(scene, Zone::Drop);
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    client.listen(Duration::from_millis(100), |client| client.reset);
    if client.reset || scene.field.sockets(client.here) == 0 {
        scene.broken("an end is reset");
    }
    scene.goes_on(&mut client);
}

fn exact_for_device(scene: &mut Scene<'_>) {
    debug_assert_eq!(scene.server, PUPPET);
    let (client, mut device) = scene.pair(Zone::Reset);
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    let expected = device.heard;
    let mut resets = Vec::new();
    while let Some(packet) = device.receive(Duration::from_millis(300)) {
        if packet.has(RST) {
            resets.push(packet.sequence);
        }
    }
    if scene.field.setting == Setting::Enforce && (resets.is_empty() || resets.iter().any(|at| *at != expected)) {
        scene.broken(format!("the device expects its reset at {expected} and gets {resets:?}"));
    }
}
