//! Vectors 9 to 13 and 19: bytes said twice, early, late, in other pieces, or with other contents, while the device
//! loses or trims what it gets.

use std::thread;
use std::time::Duration;

use super::engine::Conversation;
use super::field::Zone;
use super::filter::{LOST, trimmed};
use super::packet::{Packet, Spoilt};
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "retransmission",
    held: "Each forwarded segment is remembered by place, length and a keyed hash until the device has acknowledged it; what \
           is said again must be the same bytes, and what comes early waits until it comes in order.",
    only_enforce: false,
    vectors: &[
        vector(
            "a read that the device loses, then a denied write in its place",
            &["duplicate_differs", "object_not_allowed"],
            lost_then_denied,
        ),
        vector("a write that the device loses, then another allowed value in its place", DIFFERS, lost_then_other),
        vector("the same write again after the device lost it: it passes", &[], lost_then_same),
        vector("a write of which the device takes a part, then another value", DIFFERS, trimmed_then_other),
        vector(
            "a write of which the device takes a part, then only the rest with another value",
            UNVERIFIED,
            trimmed_then_rest,
        ),
        vector(
            "two allowed streams over one range that cut it differently: spliced they hold a denied write",
            DIFFERS,
            splice,
        ),
        vector("the same with a new unit behind", DIFFERS, splice_and_more),
        vector("two lost segments again as one: it passes", &[], coalesced),
        vector("a lost segment again together with new data: it passes", &[], again_and_more),
        vector("a lost segment again with one byte changed, together with new data", DIFFERS, changed_and_more),
        vector("a lost segment again in two pieces that never were", UNVERIFIED, split_again),
        vector("a segment one byte ahead, then what belongs there", &["sequence_gap"], one_ahead),
        vector("a denied write ahead of the stream, then the read before it", &["sequence_gap"], denied_ahead),
        vector("two segments in the wrong order, then in the right one: it passes", &["sequence_gap"], swapped),
        vector("a denied write that begins in bytes already acknowledged", UNVERIFIED_OR_SPLIT, overlap_old),
        vector("a read with a wrong checksum, then a denied write in its place", &["bad_checksum"], spoilt_then_denied),
        vector(
            "a denied write with a wrong checksum, then an allowed one in its place: it passes",
            &["bad_checksum"],
            spoilt_then_allowed,
        ),
        vector("old bytes again behind the acknowledgement, changed: harmless", &[], old_changed),
        vector("numbers that wrap around within a burst: it passes", &[], wrapped),
        vector("a denied write across the wrap", &["object_not_allowed"], wrapped_denied),
        Vector {
            against: Against::Puppet,
            ..vector(
                "a device that acknowledges nothing for more segments than are remembered",
                &["back_pressure"],
                unacknowledged,
            )
        },
        Vector {
            against: Against::Puppet,
            ..vector("an unacknowledged segment changed after many others", DIFFERS_LATE, late_change)
        },
        vector("two senders at once with different bytes for one place", &[], race),
    ],
};

const DIFFERS: &[&str] = &["duplicate_differs"];
const UNVERIFIED: &[&str] = &["duplicate_unverified", "duplicate_differs", "split_unit"];
const UNVERIFIED_OR_SPLIT: &[&str] = &["duplicate_unverified", "split_unit", "object_not_allowed", "duplicate_differs"];
const DIFFERS_LATE: &[&str] = &["duplicate_differs", "duplicate_unverified"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

/// Sends bytes as the next segment with a mark for the device, and does not go on behind them.
pub(super) fn marked(scene: &Scene<'_>, client: &Conversation<'_>, bytes: &[u8], id: u16) -> Packet {
    let packet = Packet { id, ..client.packet(bytes) };
    client.send(&packet);
    scene.settle();
    packet
}

/// Says again what was said before, as the last word: now the device must take it and answer.
fn goes_on(scene: &mut Scene<'_>, client: &mut Conversation<'_>, bytes: &[u8]) {
    scene.ask(client, bytes);
    let read = scene.read();
    scene.ask(client, &read);
}

fn lost_then_denied(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    marked(scene, &client, &read, LOST);
    scene.attempt(&client, &denied);
    goes_on(scene, &mut client, &read);
}

fn lost_then_other(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let first = scene.write(50);
    let mut second = first.clone();
    second[10..].copy_from_slice(&900_u16.to_be_bytes());
    marked(scene, &client, &first, LOST);
    scene.attempt(&client, &second);
    goes_on(scene, &mut client, &first);
}

fn lost_then_same(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(51);
    marked(scene, &client, &write, LOST);
    marked(scene, &client, &write, LOST);
    goes_on(scene, &mut client, &write);
}

fn trimmed_then_other(scene: &mut Scene<'_>) {
    for take in [1, 7, 12, 14, 16] {
        let mut client = scene.begin();
        let first = scene.write_many(&[50, 60]);
        let mut second = first.clone();
        second[13..].copy_from_slice(&[2, 188, 2, 189]);
        marked(scene, &client, &first, trimmed(take));
        scene.attempt(&client, &second);
        goes_on(scene, &mut client, &first);
    }
}

fn trimmed_then_rest(scene: &mut Scene<'_>) {
    for take in [7, 13, 15] {
        let mut client = scene.begin();
        let first = scene.write_many(&[50, 60]);
        let mut second = first.clone();
        second[15..].copy_from_slice(&5000_u16.to_be_bytes());
        marked(scene, &client, &first, trimmed(take));
        let mut rest = client.packet(&second[usize::from(take)..]);
        rest.sequence = rest.sequence.wrapping_add(u32::from(take));
        client.send(&rest);
        scene.settle();
        goes_on(scene, &mut client, &first);
    }
}

/// Two streams of 27 bytes that policy allows. The first is a write of one register and a read, the second a write of
/// seven registers, whose values are a write to register 50 where the read begins.
fn two_streams(scene: &Scene<'_>) -> (Vec<u8>, Vec<u8>) {
    let first = [scene.write_many(&[50]), scene.read()].concat();
    let transaction = scene.transaction();
    (first, scene.write_many(&[50, transaction, 0, 6, 0x0106, 50, 99]))
}

fn splice(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (first, second) = two_streams(scene);
    marked(scene, &client, &first, trimmed(15));
    scene.attempt(&client, &second);
    goes_on(scene, &mut client, &first);
}

fn splice_and_more(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (first, second) = two_streams(scene);
    marked(scene, &client, &first, trimmed(15));
    let more = scene.read();
    scene.attempt(&client, &[second, more].concat());
    goes_on(scene, &mut client, &first);
}

fn coalesced(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (one, two) = (scene.write(1), scene.write(2));
    let first = marked(scene, &client, &one, LOST);
    client.send(&Packet { sequence: first.end(), id: LOST, ..client.packet(&two) });
    goes_on(scene, &mut client, &[one, two].concat());
}

fn again_and_more(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (one, two) = (scene.write(1), scene.write(2));
    marked(scene, &client, &one, LOST);
    goes_on(scene, &mut client, &[one, two].concat());
}

fn changed_and_more(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (one, two) = (scene.write(1), scene.write(2));
    marked(scene, &client, &one, LOST);
    let mut changed = one.clone();
    changed[11] = 3;
    scene.attempt(&client, &[changed, two].concat());
    goes_on(scene, &mut client, &one);
}

fn split_again(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(1);
    marked(scene, &client, &write, LOST);
    let mut changed = write.clone();
    changed[11] = 9;
    // The pieces are refused even where they are the same: they cannot be compared.
    client.send(&client.packet(&changed[..5]));
    let rest = client.packet(&changed[5..]);
    client.send(&Packet { sequence: rest.sequence.wrapping_add(5), ..rest });
    scene.settle();
    goes_on(scene, &mut client, &write);
}

fn one_ahead(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (first, second) = (scene.write(1), scene.write(2));
    let ahead = client.packet(&second[1..]);
    client.send(&Packet { sequence: ahead.sequence.wrapping_add(1), ..ahead });
    scene.settle();
    goes_on(scene, &mut client, &first);
}

fn denied_ahead(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    let ahead = client.packet(&denied);
    client.send(&Packet { sequence: ahead.sequence.wrapping_add(12), ..ahead });
    goes_on(scene, &mut client, &read);
}

fn swapped(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (first, second) = (scene.write(1), scene.write(2));
    let ahead = client.packet(&second);
    client.send(&Packet { sequence: ahead.sequence.wrapping_add(12), ..ahead });
    scene.settle();
    goes_on(scene, &mut client, &first);
    goes_on(scene, &mut client, &second);
}

fn overlap_old(scene: &mut Scene<'_>) {
    for back in [1, 5, 12] {
        let client = scene.begin();
        let denied = scene.denied();
        let bytes = [vec![0x55; back as usize], denied].concat();
        let packet = client.packet(&bytes);
        client.send(&Packet { sequence: packet.sequence.wrapping_sub(back), ..packet });
        scene.settle();
    }
}

fn spoilt_then_denied(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (read, denied) = (scene.read(), scene.denied());
    client.send(&Packet { spoilt: Spoilt::TransportChecksum, ..client.packet(&read) });
    scene.attempt(&client, &denied);
    goes_on(scene, &mut client, &read);
}

fn spoilt_then_allowed(scene: &mut Scene<'_>) {
    for spoilt in [Spoilt::TransportChecksum, Spoilt::NetworkChecksum] {
        let mut client = scene.begin();
        let (denied, write) = (scene.denied(), scene.write(4));
        client.send(&Packet { spoilt, ..client.packet(&denied) });
        scene.settle();
        goes_on(scene, &mut client, &write);
    }
}

fn old_changed(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(1);
    scene.ask(&mut client, &write);
    let mut changed = write.clone();
    changed[11] = 2;
    let old = client.packet(&changed);
    client.send(&Packet { sequence: old.sequence.wrapping_sub(12), ..old });
    let next = scene.write(3);
    goes_on(scene, &mut client, &next);
}

fn near_the_wrap<'field>(scene: &mut Scene<'field>) -> Conversation<'field> {
    let mut client = scene.stranger(Zone::Drop, 0xffff_ffea);
    if !client.open() {
        scene.broken("a client near the wrap cannot connect");
    }
    client
}

fn wrapped(scene: &mut Scene<'_>) {
    let mut client = near_the_wrap(scene);
    for value in 0..6 {
        let write = scene.write(value);
        scene.ask(&mut client, &write);
    }
}

fn wrapped_denied(scene: &mut Scene<'_>) {
    let mut client = near_the_wrap(scene);
    let read = scene.read();
    scene.ask(&mut client, &read);
    // The write lies across the wrap.
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    goes_on(scene, &mut client, &read);
}

fn unacknowledged(scene: &mut Scene<'_>) {
    let (mut client, mut device) = scene.pair(Zone::Drop);
    let writes: Vec<Vec<u8>> = (0..24).map(|value| scene.write(value)).collect();
    let first = client.next;
    for write in &writes {
        client.say(write);
    }
    scene.settle();
    let mut carried = 0;
    while let Some(packet) = device.receive(Duration::from_millis(20)) {
        carried += usize::from(!packet.payload.is_empty());
    }
    // Acknowledge what arrived; then everything else must arrive as well.
    let mut reached = device.heard;
    for _ in 0..4 {
        device.send(&device.packet(&[]));
        scene.settle();
        while client.receive(Duration::ZERO).is_some() {}
        let from = (client.acknowledged.wrapping_sub(first) / 12) as usize;
        client.next = client.acknowledged;
        for write in &writes[from.min(24)..] {
            client.say(write);
        }
        scene.settle();
        while device.receive(Duration::from_millis(20)).is_some() {}
        reached = device.heard;
    }
    if reached != first.wrapping_add(24 * 12) {
        scene.broken(format!("{carried} segments passed at first, and not all in the end"));
    }
}

fn late_change(scene: &mut Scene<'_>) {
    let (mut client, _device) = scene.pair(Zone::Drop);
    let first = client.packet(&scene.write(1));
    for value in 1..24 {
        let write = if value == 1 { first.payload.clone() } else { scene.write(value) };
        client.say(&write);
    }
    scene.settle();
    let mut changed = first;
    changed.payload[11] = 200;
    client.send(&changed);
    scene.settle();
}

/// Two processors race with different allowed values, one of them in a tag that stacks take for none.
fn race(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    for round in 0..20 {
        let (one, two) = (scene.write(100 + round), scene.write(200 + round));
        let plain = client.packet(&one).frame();
        let tagged = Packet { tags: vec![(0x8100, 0)], ..client.packet(&two) }.frame();
        thread::scope(|scope| {
            for frame in [&plain, &tagged] {
                let field = scene.field;
                scope.spawn(move || field.network.send(frame));
            }
        });
        let end = client.next.wrapping_add(12);
        let reached = |client: &Conversation<'_>| super::engine::reached(client.acknowledged, end);
        if !client.listen(Duration::from_millis(300), reached) {
            client.send(&client.packet(&one));
            if !client.wait(reached) {
                // Whichever came first must have passed; if it was the other one, then it is the one to say again.
                client.send(&client.packet(&two));
                client.wait(reached);
            }
        }
        if !reached(&client) {
            return scene.broken("neither of two racing writes passed");
        }
        // The capture may lag behind the acknowledgement.
        scene.settle();
        let first = scene.first_at(&client);
        scene.promise(&client, &first.unwrap_or(one));
        client.next = end;
    }
}
