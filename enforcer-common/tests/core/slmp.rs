//! SLMP in 3E and 4E frames: commands, devices, answers without a command.

use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::slmp::functions::space;
use enforcer_common::verdict::Reason;

use crate::support::dissect::{self, CLIENT, DATAGRAM, DEVICE, DEVICE_DATAGRAM, From};

/// The connected station.
const OWN: [u8; 5] = [0, 0xff, 0xff, 0x03, 0];

fn frame(subheader: [u8; 2], serial: Option<u16>, route: [u8; 5], data: &[u8]) -> Vec<u8> {
    let serial = serial.map(|number| [number.to_le_bytes(), [0, 0]].concat()).unwrap_or_default();
    [&subheader[..], &serial, &route, &(data.len() as u16).to_le_bytes(), data].concat()
}

fn request(command: u16, subcommand: u16, data: &[u8]) -> Vec<u8> {
    let body = [&[4, 0][..], &command.to_le_bytes(), &subcommand.to_le_bytes(), data].concat();
    frame([0x50, 0], None, OWN, &body)
}

fn read(command: u16, subcommand: u16, data: &[u8]) -> Vec<Operation> {
    let bytes = request(command, subcommand, data);
    let records = dissect::read(Protocol::Slmp, CLIENT, &bytes);
    assert_eq!(dissect::read(Protocol::Slmp, DATAGRAM, &bytes), records);
    let mut four = dissect::read(Protocol::Slmp, CLIENT, &frame([0x54, 0], Some(7), OWN, &bytes[9..]));
    four.iter_mut().for_each(|one| one.transaction = 0);
    assert_eq!(four, records, "the same in a 4E frame");
    records
}

fn fault(command: u16, subcommand: u16, data: &[u8]) -> Option<Reason> {
    read(command, subcommand, data).iter().find_map(|one| Reason::from_code(one.fault))
}

/// Objects and values of a sound request.
fn objects(command: u16, subcommand: u16, data: &[u8]) -> Vec<(u32, u32, u32, Option<i64>)> {
    let records = read(command, subcommand, data);
    assert!(records.iter().all(|one| one.fault == 0), "{command:04x} {data:02x?}: {records:?}");
    let value = |one: &Operation| one.has(Operation::HAS_VALUE).then_some(one.value_max);
    records.iter().map(|one| (one.space, one.first, one.last, value(one))).collect()
}

#[test]
fn a_request_names_command_station_and_class() {
    let one = read(0x1002, 0, &[1, 0])[0];
    assert_eq!((one.function, one.access, one.unit), (0x1002, Access::Control as u8, 255));
    assert_eq!((one.role, one.space, one.fault), (Role::Request as u8, NO_OBJECT, 0));
    let body = [4, 0, 1, 1, 0, 0];
    let unit = |route| dissect::read(Protocol::Slmp, CLIENT, &frame([0x50, 0], None, route, &body))[0].unit;
    assert_eq!(unit([1, 2, 0xff, 0x03, 0]), 258);
    assert_ne!(unit([0, 0xff, 0xe0, 0x03, 0]), 255, "another CPU");
    assert_ne!(unit([0, 0xff, 0xff, 0x03, 3]), 255, "a multidrop station");
    let odd = frame([0x50, 0], None, [0, 0xff, 0, 4, 0], &body);
    assert_eq!(dissect::fault(Protocol::Slmp, CLIENT, &odd), Some(Reason::OutOfRange));
}

#[test]
fn consecutive_devices_are_one_range() {
    let (d, m) = (space::DEVICE + 0xa8, space::DEVICE + 0x90);
    assert_eq!(objects(0x0401, 0, &[100, 0, 0, 0xa8, 3, 0]), [(d, 100, 102, None)]);
    assert_eq!(objects(0x0401, 1, &[0, 0, 0, 0x90, 4, 0]), [(m, 0, 3, None)]);
    assert_eq!(objects(0x0401, 0, &[0, 0, 0, 0x90, 2, 0]), [(m, 0, 31, None)], "a word of bits is 16 of them");
    assert_eq!(objects(0x0401, 2, &[100, 0, 0, 1, 0xa8, 0, 3, 0]), [(d, 0x0100_0064, 0x0100_0066, None)]);
    assert_eq!(objects(0x1401, 0, &[100, 0, 0, 0xa8, 1, 0, 0x34, 0x12]), [(d, 100, 100, Some(0x1234))]);
    assert_eq!(objects(0x1401, 1, &[5, 0, 0, 0x90, 1, 0, 0x10]), [(m, 5, 5, Some(1))]);
    assert_eq!(objects(0x1401, 1, &[5, 0, 0, 0x90, 3, 0, 0x11, 0x10]), [(m, 5, 7, None)]);
}

#[test]
fn scattered_devices_are_a_record_each() {
    let (d, m) = (space::DEVICE + 0xa8, space::DEVICE + 0x90);
    let read = [2, 1, 0, 0, 0, 0xa8, 5, 0, 0, 0x90, 9, 0, 0, 0xa8];
    assert_eq!(objects(0x0403, 0, &read), [(d, 0, 0, None), (m, 5, 20, None), (d, 9, 10, None)]);
    assert_eq!(objects(0x0801, 0, &read).len(), 3);
    let write = [1, 1, 7, 0, 0, 0xa8, 9, 0, 8, 0, 0, 0xa8, 1, 0, 2, 0];
    assert_eq!(objects(0x1402, 0, &write), [(d, 7, 7, Some(9)), (d, 8, 9, Some(0x2_0001))]);
    let bits = [2, 7, 0, 0, 0x90, 1, 8, 0, 0, 0x90, 0];
    assert_eq!(objects(0x1402, 1, &bits), [(m, 7, 7, Some(1)), (m, 8, 8, Some(0))]);
    let blocks = [1, 1, 7, 0, 0, 0xa8, 2, 0, 0, 0, 0, 0x90, 1, 0];
    assert_eq!(objects(0x0406, 0, &blocks), [(d, 7, 8, None), (m, 0, 15, None)]);
    let written = [1, 0, 7, 0, 0, 0xa8, 2, 0, 1, 2, 3, 4];
    assert_eq!(objects(0x1406, 0, &written), [(d, 7, 8, None)]);
    let many = |count: u8| [&[count, 0][..], &[7, 0, 0, 0xa8].repeat(count.into())].concat();
    assert_eq!((fault(0x0403, 0, &many(24)), fault(0x0403, 0, &many(25))), (None, Some(Reason::BeyondInspection)));
}

#[test]
fn buffer_memory_is_an_object_too() {
    assert_eq!(objects(0x0613, 0, &[9, 0, 0, 0, 2, 0]), [(space::BUFFER, 9, 10, None)]);
    assert_eq!(objects(0x0601, 0, &[9, 0, 0, 0, 2, 0, 3, 0]), [(space::MODULE + 3, 9, 10, None)]);
    assert_eq!(objects(0x1601, 0, &[9, 0, 0, 0, 2, 0, 3, 0, 1, 2]), [(space::MODULE + 3, 9, 10, None)]);
}

#[test]
fn lengths_are_exact() {
    for (command, subcommand, data) in [
        (0x0401, 0, &[0, 0, 0, 0xa8, 1, 0][..]),
        (0x0401, 2, &[0, 0, 0, 0, 0xa8, 0, 1, 0]),
        (0x1401, 0, &[0, 0, 0, 0xa8, 2, 0, 1, 2, 3, 4]),
        (0x1401, 1, &[0, 0, 0, 0x90, 3, 0, 0x11, 0x10]),
        (0x0403, 0, &[1, 1, 0, 0, 0, 0xa8, 1, 0, 0, 0xa8]),
        (0x1402, 0, &[1, 0, 0, 0, 0, 0xa8, 1, 0]),
        (0x1402, 3, &[1, 0, 0, 0, 0, 0x90, 0, 1, 0]),
        (0x1406, 0, &[1, 0, 7, 0, 0, 0xa8, 1, 0, 1, 2]),
        (0x0613, 0, &[9, 0, 0, 0, 2, 0]),
        (0x1001, 0, &[1, 0, 0, 0]),
        (0x1006, 0, &[1, 0]),
        (0x0619, 0, &[2, 0, b'A', b'B']),
        (0x1630, 0, &[4, 0, b'1', b'2', b'3', b'4']),
        (0x0101, 0, &[]),
    ] {
        assert_eq!(fault(command, subcommand, data), None, "{command:04x}");
        for length in 0..data.len() {
            let cut = fault(command, subcommand, &data[..length]);
            assert_eq!(cut, Some(Reason::LengthMismatch), "{command:04x} cut to {length}");
        }
        let longer = fault(command, subcommand, &[data, &[0]].concat());
        assert_eq!(longer, Some(Reason::LengthMismatch), "{command:04x} and a byte");
    }
}

#[test]
fn what_a_subcommand_changes_is_known_or_refused() {
    let data = [0, 0, 0, 0xa8, 1, 0];
    assert_eq!(fault(0x0401, 0x80, &data), Some(Reason::BeyondInspection));
    for (command, subcommand) in [(0x0401, 4), (0x0401, 0x100), (0x0403, 1), (0x0406, 3)] {
        assert_eq!(fault(command, subcommand, &data), Some(Reason::OutOfRange), "{command:04x} {subcommand:04x}");
    }
    for data in [[0, 0, 0, 0xa8, 0, 0], [0, 0, 0, 0xa8, 0xc1, 3]] {
        assert_eq!(fault(0x0401, 0, &data), Some(Reason::OutOfRange), "{data:02x?}");
    }
}

#[test]
fn other_kinds_of_frames_are_malformed() {
    let fault = |bytes: &[u8]| dissect::fault(Protocol::Slmp, CLIENT, bytes);
    let sound = request(0x1002, 0, &[1, 0]);
    let mut reserved = frame([0x54, 0], Some(1), OWN, &sound[9..]);
    reserved[4] = 1;
    for bytes in [
        b"500000FF03FF000018000410020000".to_vec(),
        vec![0x13, 0xff, 0x0a, 0],
        vec![0x01, 0xff, 0x0a, 0, 0x64, 0, 0, 0, 0x20, 0x44, 1, 0],
        [&[0x57, 1][..], &sound[2..]].concat(),
        [&[0xd0, 0][..], &sound[2..]].concat(),
        frame([0x50, 0], None, OWN, &[4, 0, 2, 16, 0]),
        frame([0x50, 0], None, OWN, &[0; 4097]),
        reserved,
    ] {
        assert_eq!(fault(&bytes), Some(Reason::MalformedFraming), "{bytes:02x?}");
    }
    let two = [sound.clone(), sound.clone()].concat();
    assert_eq!(dissect::fault(Protocol::Slmp, DATAGRAM, &two), Some(Reason::LengthMismatch));
    let server = From { side: Side::Network, ..DEVICE };
    assert_eq!(dissect::fault(Protocol::Slmp, server, &sound), Some(Reason::MalformedFraming));
}

#[test]
fn an_answer_is_to_what_was_asked_last() {
    let asked =
        dissect::run(Protocol::Slmp, CLIENT, &frame([0x54, 0], Some(9), OWN, &[4, 0, 1, 4, 0, 0, 0, 0, 0, 0xa8, 1, 0]));
    let from = From { context: (0, asked.stream.context), ..DEVICE };
    let answer =
        |from, serial, data: &[u8]| dissect::read(Protocol::Slmp, from, &frame([0xd4, 0], Some(serial), OWN, data))[0];
    let good = answer(from, 9, &[0, 0, 1, 2]);
    assert_eq!((good.function, good.role, good.fault, good.flags), (0x0401, Role::Response as u8, 0, 0));
    let bad = answer(from, 9, &[0x59, 0xc0]);
    assert_eq!((bad.function, bad.exception), (0x0401, 0xc0));
    assert_eq!(answer(from, 8, &[0, 0]).function, NO_FUNCTION, "of another request");
    assert_eq!(answer(DEVICE_DATAGRAM, 9, &[0, 0]).function, NO_FUNCTION, "datagrams remember nothing");
}

#[test]
fn no_cut_and_no_flipped_byte_confuses() {
    for bytes in [
        request(0x1401, 0, &[0, 0, 0, 0xa8, 2, 0, 1, 2, 3, 4]),
        request(0x1402, 0, &[1, 1, 7, 0, 0, 0xa8, 9, 0, 8, 0, 0, 0xa8, 1, 0, 2, 0]),
        request(0x1406, 0, &[1, 0, 7, 0, 0, 0xa8, 1, 0, 1, 2]),
        frame([0x54, 0], Some(1), OWN, &request(0x1002, 0, &[1, 0])[9..]),
    ] {
        dissect::mutilate(Protocol::Slmp, &bytes);
    }
}
