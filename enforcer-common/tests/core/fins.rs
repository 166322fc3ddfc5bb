//! Omron FINS in datagrams and in TCP: commands, memory areas, the header of FINS/TCP.

use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::fins::functions::space;
use enforcer_common::verdict::Reason;

use crate::support::dissect::{self, CLIENT, DATAGRAM, DEVICE, DEVICE_DATAGRAM, From};

/// A command from node 1 to node 2.
fn command(code: u16, data: &[u8]) -> Vec<u8> {
    [&[0x80, 0, 2, 0, 2, 0, 0, 1, 0, 0x60][..], &code.to_be_bytes(), data].concat()
}

/// Its answer.
fn response(code: u16, data: &[u8]) -> Vec<u8> {
    [&[0xc0, 0, 2, 0, 1, 0, 0, 2, 0, 0x60][..], &code.to_be_bytes(), data].concat()
}

/// A message of FINS/TCP.
fn message(command: u32, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u32 + 8;
    [&b"FINS"[..], &length.to_be_bytes(), &command.to_be_bytes(), &[0; 4], data].concat()
}

fn read(code: u16, data: &[u8]) -> Vec<Operation> {
    let bytes = command(code, data);
    let records = dissect::read(Protocol::Fins, DATAGRAM, &bytes);
    assert_eq!(dissect::read(Protocol::Fins, CLIENT, &message(2, &bytes)), records, "{bytes:02x?}");
    records
}

fn fault(code: u16, data: &[u8]) -> Option<Reason> {
    read(code, data).iter().find_map(|one| Reason::from_code(one.fault))
}

/// Objects of a sound command.
fn objects(code: u16, data: &[u8]) -> Vec<(u32, u32, u32)> {
    let records = read(code, data);
    assert!(records.iter().all(|one| one.fault == 0), "{code:04x} {data:02x?}: {records:?}");
    records.iter().map(|one| (one.space, one.first, one.last)).collect()
}

#[test]
fn a_command_names_function_node_and_class() {
    let one = read(0x0402, &[])[0];
    assert_eq!((one.function, one.access, one.unit), (0x0402, Access::Control as u8, 2));
    assert_eq!((one.role, one.transaction, one.space), (Role::Request as u8, 0x60, NO_OBJECT));
    let mut relayed = command(0x0402, &[]);
    (relayed[3], relayed[5]) = (3, 0x10);
    assert_eq!(dissect::read(Protocol::Fins, DATAGRAM, &relayed)[0].unit, 0x10_0302, "network, unit of the node");
    for (code, access) in [(0x2301, Access::Control), (0x0307, Access::Program), (0x9999, Access::Unknown)] {
        assert_eq!(read(code, &[0, 1, 0, 1, 0x30, 0, 0, 1])[0].access, access as u8, "{code:04x}");
    }
}

#[test]
fn words_and_bits_of_an_area_are_the_same_objects() {
    for (data, wanted) in [
        ([0x82, 0, 100, 0, 0, 2], (space::DATA, 1600, 1631)),
        ([0x02, 0, 100, 3, 0, 2], (space::DATA, 1603, 1604)),
        ([0xb0, 0, 0, 0, 0, 1], (space::CIO, 0, 15)),
        ([0x30, 0, 1, 15, 0, 1], (space::CIO, 31, 31)),
        ([0xf0, 0, 1, 0, 0, 1], (space::CIO, 16, 31)),
        ([0xa3, 0, 1, 0, 0, 1], (space::BANK + 3, 16, 31)),
        ([0x61, 0, 1, 0, 0, 1], (space::BANK + 17, 16, 31)),
        ([0xe1, 0, 1, 2, 0, 1], (space::BANK + 17, 18, 18)),
        ([0x09, 0, 7, 0, 0, 2], (space::TIMER_FLAG, 112, 143)),
        ([0x89, 0x80, 7, 0, 0, 1], (space::TIMER, 0x8_0070, 0x8_007f)),
        ([0x1b, 0, 7, 0xcc, 0, 1], (space::AREA + 0x1b, 112, 127)),
    ] {
        assert_eq!(objects(0x0101, &data), [wanted], "{data:02x?}");
    }
    for data in [[0x82, 0, 100, 0, 0, 0], [0x82, 0xff, 0xff, 0, 0, 2], [0x30, 0, 0, 16, 0, 1]] {
        assert_eq!(fault(0x0101, &data), Some(Reason::OutOfRange), "{data:02x?}");
    }
}

#[test]
fn lengths_are_exact() {
    for (code, data) in [
        (0x0101, &[0x82, 0, 0, 0, 0, 1][..]),
        (0x0102, &[0x82, 0, 0, 0, 0, 2, 1, 2, 3, 4]),
        (0x0102, &[0x02, 0, 0, 0, 0, 3, 1, 0, 1]),
        (0x0103, &[0x82, 0, 0, 0, 0, 9, 1, 2]),
        (0x0105, &[0x82, 0, 0, 0, 0xb0, 0, 1, 0, 0, 1]),
        (0x0201, &[0x80, 0x10, 0, 0, 0x80, 1]),
        (0x2102, &[0, 1, 0, 1]),
        (0x2301, &[0, 1, 0, 1, 0x30, 0, 0, 1]),
        (0x0403, &[]),
    ] {
        assert_eq!(fault(code, data), None, "{code:04x}");
        for length in 0..data.len() {
            assert_eq!(fault(code, &data[..length]), Some(Reason::LengthMismatch), "{code:04x} cut to {length}");
        }
        assert_eq!(fault(code, &[data, &[0]].concat()), Some(Reason::LengthMismatch), "{code:04x} and a byte");
    }
}

#[test]
fn several_objects_are_several_records() {
    let both = objects(0x0105, &[0x82, 0, 0, 0, 0xb0, 0, 1, 0, 0, 2]);
    assert_eq!(both, [(space::DATA, 0, 31), (space::CIO, 16, 47)]);
    let records = read(0x0105, &[0x82, 0, 0, 0, 0xb0, 0, 1, 0, 0, 2]);
    assert_eq!((records[0].access, records[1].access), (Access::Read as u8, Access::Write as u8));
    let many = objects(0x0104, &[0x82, 0, 1, 0, 0x31, 0, 2, 4]);
    assert_eq!(many, [(space::DATA, 16, 31), (space::WORK, 36, 36)]);
    assert_eq!(fault(0x0104, &[0x82, 0, 1]), Some(Reason::LengthMismatch));
    assert_eq!(fault(0x0104, &[0x82, 0, 1, 0].repeat(24)), None);
    assert_eq!(fault(0x0104, &[0x82, 0, 1, 0].repeat(25)), Some(Reason::BeyondInspection));
    assert_eq!(objects(0x2301, &[0, 1, 0, 1, 0x30, 0, 2, 5]), [(space::CIO, 37, 37)]);
}

#[test]
fn a_single_value_is_told() {
    let written = |code, data: &[u8]| {
        let one = read(code, data)[0];
        one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max))
    };
    assert_eq!(written(0x0102, &[0x82, 0, 0, 0, 0, 1, 0x12, 0x34]), Some((0x1234, 0x1234)));
    assert_eq!(written(0x0102, &[0x30, 0, 0, 1, 0, 1, 1]), Some((1, 1)));
    assert_eq!(written(0x0103, &[0x82, 0, 0, 0, 0, 9, 0, 7]), Some((7, 7)));
    assert_eq!(written(0x0102, &[0x82, 0, 0, 0, 0, 2, 1, 2, 3, 4]), None);
}

#[test]
fn an_answer_is_one_by_its_own_word() {
    let one = dissect::read(Protocol::Fins, DEVICE_DATAGRAM, &response(0x0101, &[0, 0, 1, 2]))[0];
    assert_eq!((one.function, one.role, one.unit, one.fault), (0x0101, Role::Response as u8, 2, 0));
    let refused = dissect::read(Protocol::Fins, DEVICE, &message(2, &response(0x0101, &[0x11, 3])))[0];
    assert_eq!((refused.exception, refused.fault), (0x11, 0));
    // Nobody toward a device answers what nobody asked, and nobody commands where answers come from.
    let toward = dissect::fault(Protocol::Fins, DATAGRAM, &response(0x0101, &[0, 0]));
    assert_eq!(toward, Some(Reason::InvalidFunction));
    let server = From { side: Side::Network, ..DEVICE_DATAGRAM };
    assert_eq!(dissect::fault(Protocol::Fins, server, &command(0x0402, &[])), Some(Reason::InvalidFunction));
    let own = dissect::read(Protocol::Fins, DEVICE_DATAGRAM, &command(0x0102, &[0x82, 0, 0, 0, 0, 1, 0, 0]))[0];
    assert_eq!((own.role, own.fault), (Role::Message as u8, 0));
}

#[test]
fn the_header_is_what_the_standard_says() {
    let sound = command(0x0601, &[]);
    for (at, byte) in [(0, 0x82), (0, 0xbe), (1, 1), (2, 8)] {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        assert_eq!(dissect::fault(Protocol::Fins, DATAGRAM, &bytes), Some(Reason::MalformedFraming), "{at}");
    }
    for (at, byte) in [(0, 0x81), (0, 0x00), (2, 7), (9, 0)] {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        assert_eq!(dissect::fault(Protocol::Fins, DATAGRAM, &bytes), None, "{at}");
    }
    assert!(dissect::fault(Protocol::Fins, DATAGRAM, &sound[..11]).is_some());
}

#[test]
fn messages_of_tcp_have_the_lengths_of_their_commands() {
    let fault = |bytes: &[u8]| dissect::fault(Protocol::Fins, CLIENT, bytes);
    for bytes in [message(0, &[0; 4]), message(3, &[]), message(6, &[])] {
        assert_eq!(dissect::read(Protocol::Fins, CLIENT, &bytes), [], "{bytes:02x?}");
    }
    assert_eq!(dissect::read(Protocol::Fins, DEVICE, &message(1, &[0; 8])), []);
    for bytes in [
        message(0, &[0; 5]),
        message(1, &[0; 8]),
        message(2, &[0; 11]),
        message(2, &[0; 2021]),
        message(4, &[]),
        message(6, &[0]),
        [&b"FINX"[..], &message(6, &[])[4..]].concat(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"GET ".to_vec(),
    ] {
        assert_eq!(fault(&bytes), Some(Reason::MalformedFraming), "{bytes:02x?}");
    }
    // Two frames in one message, and two messages in one segment.
    let run = command(0x0401, &[]);
    let two = [command(0x0601, &[]), run.clone()].concat();
    assert_eq!(fault(&message(2, &two)), Some(Reason::LengthMismatch));
    let both = [message(2, &command(0x0601, &[])), message(2, &run)].concat();
    let functions: Vec<u32> = dissect::read(Protocol::Fins, CLIENT, &both).iter().map(|one| one.function).collect();
    assert_eq!(functions, [0x0601, 0x0401]);
}

#[test]
fn a_long_write_may_lie_in_two_segments_and_a_short_one_not() {
    let write = |words: u16| {
        let range = [&[0x82, 0, 0, 0][..], &words.to_be_bytes(), &vec![0; usize::from(words) * 2]].concat();
        message(2, &command(0x0102, &range))
    };
    let scratch = dissect::run(Protocol::Fins, CLIENT, &write(999)[..1448]);
    assert_eq!((scratch.count, scratch.operations[0].fault), (1, 0));
    assert_eq!((scratch.operations[0].last, scratch.stream.skip), (999 * 16 - 1, 2032 - 1448));
    assert_eq!(dissect::fault(Protocol::Fins, CLIENT, &write(300)[..400]), Some(Reason::SplitUnit));
    assert_eq!(dissect::fault(Protocol::Fins, From { whole: false, ..CLIENT }, &write(300)[..400]), None);
}

#[test]
fn no_cut_and_no_flipped_byte_confuses() {
    for bytes in [
        command(0x0102, &[0x82, 0, 0, 0, 0, 1, 0x12, 0x34]),
        command(0x0104, &[0x82, 0, 1, 0, 0x31, 0, 2, 4]),
        command(0x2301, &[0, 1, 0, 1, 0x30, 0, 2, 5]),
    ] {
        dissect::mutilate(Protocol::Fins, &message(2, &bytes));
    }
}
