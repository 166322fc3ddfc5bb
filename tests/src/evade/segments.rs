//! Vectors 1 to 8: what stands in the segments of an orderly stream.

use super::field::Zone;
use super::{Against, Class, Scene, Vector};
use crate::frames::{modbus, read_holding, write_multiple, write_single};

pub(super) const CLASS: Class = Class {
    name: "segments",
    held: "Every unit of a segment is judged before any of it is forwarded: the exact length of its function, the ranges of \
           the standard, the policy; and a segment begins and ends where units do.",
    only_enforce: false,
    vectors: &[
        vector("a denied write behind an allowed read, in a segment of its own", &["object_not_allowed"], write_alone),
        vector("a denied function", &["function_not_allowed"], function),
        vector("a denied value in an allowed register", &["value_not_allowed"], value),
        vector("a read beyond the allowed registers", &["object_not_allowed"], read_beyond),
        vector("an allowed read and a denied write in one segment", &["object_not_allowed"], read_and_write),
        vector("nine allowed reads in one segment", &[], nine_reads),
        vector("thirty-one reads and a denied write in one segment", DEEP, deep_write),
        vector("more units in one segment than are looked at, the last a denied write", DEEP, deeper_write),
        vector("a read whose length hides a denied write", &["length_mismatch"], hidden_write),
        vector(
            "a read that no server answers, then half of an allowed write that holds a denied one",
            POISON,
            poisoned_half,
        ),
        vector("the same in two segments", POISON, poisoned_two),
        vector("an allowed write that holds a denied one, cut where that begins", &["split_unit"], cut_at_hidden),
        vector("quantities of 0 and 126", &["out_of_range"], quantities),
        vector("a protocol number other than 0", &["malformed_framing"], protocol_number),
        vector("lengths of 0, 1, 255 and 65535", &["length_mismatch", "malformed_framing"], lengths),
        vector("functions 0, 128 and 134", &["invalid_function"], functions),
        vector("a byte count that does not fit the quantity", &["length_mismatch", "out_of_range"], byte_count),
        vector("registers beyond 65535", &["out_of_range"], beyond_the_end),
        vector("an allowed read and a denied write in one function 23", &["function_not_allowed"], read_write),
        vector("a UMAS stop in its signed wrapper", &["function_not_allowed"], umas),
        vector("a denied write cut at every byte", &["split_unit"], cut_denied),
        vector("an allowed write cut at every byte", &["split_unit"], cut_allowed),
        vector("the same where units may come in pieces: all of it passes", &[], cut_allowed_stream),
        vector(
            "a denied write cut at every byte where units may come in pieces",
            &["object_not_allowed"],
            cut_denied_stream,
        ),
        vector("something else than Modbus: HTTP, TLS", &["malformed_framing", "length_mismatch"], other_protocols),
    ],
};

const DEEP: &[&str] = &["object_not_allowed", "beyond_inspection"];
const POISON: &[&str] = &["out_of_range", "split_unit"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

/// An answered read first, so that the conversation is one the box has followed; then what must not pass.
fn after_a_read(scene: &mut Scene<'_>, bytes: &[u8]) {
    let mut client = scene.open();
    let read = scene.read();
    scene.ask(&mut client, &read);
    scene.attempt(&client, bytes);
}

fn denied_unit(scene: &mut Scene<'_>, pdu: &[u8]) {
    let unit = modbus(scene.transaction(), 1, pdu);
    scene.forbid(&unit);
    after_a_read(scene, &unit);
}

fn write_alone(scene: &mut Scene<'_>) {
    let denied = scene.denied();
    after_a_read(scene, &denied);
}

fn function(scene: &mut Scene<'_>) {
    denied_unit(scene, &[5, 0, 40, 0xff, 0]);
    denied_unit(scene, &[0x16, 0, 41, 0, 0, 0, 7]);
    denied_unit(scene, &[8, 0, 1, 0, 0]);
}

fn value(scene: &mut Scene<'_>) {
    denied_unit(scene, &write_single(41, 1001));
    denied_unit(scene, &write_multiple(40, &[1, 2, 0xffff]));
}

fn read_beyond(scene: &mut Scene<'_>) {
    denied_unit(scene, &read_holding(99, 2));
}

fn read_and_write(scene: &mut Scene<'_>) {
    let both = [scene.read(), scene.denied()].concat();
    after_a_read(scene, &both);
}

fn nine_reads(scene: &mut Scene<'_>) {
    let mut client = scene.open();
    let reads: Vec<u8> = (0..9).flat_map(|_| scene.read()).collect();
    scene.ask(&mut client, &reads);
}

fn deep(scene: &mut Scene<'_>, reads: usize) {
    let mut units: Vec<u8> = (0..reads).flat_map(|_| scene.read()).collect();
    units.extend(scene.denied());
    after_a_read(scene, &units);
}

fn deep_write(scene: &mut Scene<'_>) {
    deep(scene, 31);
}

fn deeper_write(scene: &mut Scene<'_>) {
    for reads in [32, 64, 119] {
        deep(scene, reads);
    }
}

/// libmodbus takes six bytes behind the function whatever the length says, and runs the rest as a unit of its own.
fn hidden_write(scene: &mut Scene<'_>) {
    let mut unit = scene.read();
    unit[5] = 18;
    unit.extend(scene.denied());
    after_a_read(scene, &unit);
}

/// An allowed write of eight registers whose values are a write to register 50, and where in it that begins.
fn nested(scene: &mut Scene<'_>) -> (Vec<u8>, usize) {
    let transaction = scene.transaction();
    (scene.write_many(&[7, transaction, 0, 6, 0x0106, 50, 77, 7]), 15)
}

/// libmodbus refuses the quantity and throws away what it has received by then, so that the rest begins a unit.
fn poison(scene: &mut Scene<'_>) -> Vec<u8> {
    let unit = modbus(scene.transaction(), 1, &read_holding(0, 126));
    scene.forbid(&unit);
    unit
}

fn poisoned_half(scene: &mut Scene<'_>) {
    let mut client = scene.open();
    let (write, at) = nested(scene);
    let first = [poison(scene), write[..at].to_vec()].concat();
    client.say(&first);
    std::thread::sleep(std::time::Duration::from_millis(60));
    client.say(&write[at..]);
    scene.settle();
}

fn poisoned_two(scene: &mut Scene<'_>) {
    let mut client = scene.open();
    let (write, at) = nested(scene);
    let poison = poison(scene);
    client.say(&poison);
    client.say(&write[..at]);
    std::thread::sleep(std::time::Duration::from_millis(60));
    client.say(&write[at..]);
    scene.settle();
}

fn cut_at_hidden(scene: &mut Scene<'_>) {
    let mut client = scene.open();
    let (write, at) = nested(scene);
    scene.promise(&client, &write);
    client.say(&write[..at]);
    client.say(&write[at..]);
    scene.settle();
}

fn quantities(scene: &mut Scene<'_>) {
    denied_unit(scene, &read_holding(0, 0));
    denied_unit(scene, &read_holding(0, 126));
    denied_unit(scene, &[16, 0, 40, 0, 0, 0]);
    denied_unit(scene, &read_holding(0, 0xffff));
}

/// libmodbus does not look at the protocol number.
fn protocol_number(scene: &mut Scene<'_>) {
    let mut unit = scene.denied();
    unit[2] = 0x12;
    scene.forbid(&unit);
    after_a_read(scene, &unit);
    let mut unit = scene.read();
    unit[3] = 1;
    scene.forbid(&unit);
    after_a_read(scene, &unit);
}

fn lengths(scene: &mut Scene<'_>) {
    for length in [0_u16, 1, 2, 5, 7, 255, 65535] {
        let mut unit = scene.denied();
        unit[4..6].copy_from_slice(&length.to_be_bytes());
        scene.forbid(&unit);
        after_a_read(scene, &unit);
    }
}

fn functions(scene: &mut Scene<'_>) {
    for function in [0, 0x80, 0x86] {
        denied_unit(scene, &[function, 0, 41, 0, 1]);
    }
}

fn byte_count(scene: &mut Scene<'_>) {
    // Two registers by quantity, one or three by bytes.
    denied_unit(scene, &[16, 0, 40, 0, 2, 2, 0, 1]);
    denied_unit(scene, &[16, 0, 40, 0, 2, 6, 0, 1, 0, 1, 0, 1]);
    denied_unit(scene, &[16, 0, 40, 0, 2, 4, 0, 1]);
    denied_unit(scene, &[16, 0, 40, 0, 1, 2, 0, 1, 0, 1]);
}

fn beyond_the_end(scene: &mut Scene<'_>) {
    denied_unit(scene, &[3, 0xff, 0xff, 0, 2]);
    denied_unit(scene, &write_multiple(0xfffe, &[1, 2, 3]));
}

fn read_write(scene: &mut Scene<'_>) {
    denied_unit(scene, &[0x17, 0, 0, 0, 1, 0, 50, 0, 1, 2, 0, 9]);
}

fn umas(scene: &mut Scene<'_>) {
    let mut pdu = vec![0x5a, 0, 0x38, 1];
    pdu.extend([0x33; 32]);
    pdu.extend([0x5a, 0, 0x41, 0xff, 0]);
    denied_unit(scene, &pdu);
}

/// The unit in two pieces, cut at every place; each time a new client.
fn cut(scene: &mut Scene<'_>, zone: Zone, allowed: bool, passes: bool) {
    for at in 1..12 {
        let mut client = scene.open_in(zone);
        let unit = if allowed { scene.write(300 + at as u16) } else { scene.denied() };
        if allowed {
            scene.promise(&client, &unit);
        }
        client.say(&unit[..at]);
        client.say(&unit[at..]);
        if passes && !client.wait(|client| client.acknowledged == client.next) {
            scene.broken(format!("cut at {at} it does not arrive"));
        }
    }
    scene.settle();
}

fn cut_denied(scene: &mut Scene<'_>) {
    cut(scene, Zone::Reset, false, false);
}

fn cut_allowed(scene: &mut Scene<'_>) {
    cut(scene, Zone::Drop, true, false);
}

fn cut_allowed_stream(scene: &mut Scene<'_>) {
    cut(scene, Zone::Stream, true, true);
}

/// What came before the last piece was forwarded; the server must not get the rest.
fn cut_denied_stream(scene: &mut Scene<'_>) {
    for at in 1..12 {
        let mut client = scene.open_in(Zone::Stream);
        let denied = scene.denied();
        if scene.server == super::servers::SINK {
            // A piece without its end is no unit: the sink may see it.
            scene.promise(&client, &denied[..11]);
        }
        client.say(&denied[..at]);
        client.say(&denied[at..]);
    }
    scene.settle();
}

fn other_protocols(scene: &mut Scene<'_>) {
    for bytes in [b"GET /stop HTTP/1.1\r\nHost: plc\r\n\r\n".as_slice(), &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]] {
        scene.forbid(bytes);
        after_a_read(scene, bytes);
    }
}
