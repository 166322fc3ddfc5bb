//! HART-IP: messages, token-passing units, lists of commands.

use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::hart_ip::functions::space;
use enforcer_common::verdict::Reason;

use crate::support::dissect::{self, CLIENT, DATAGRAM, DEVICE, DEVICE_DATAGRAM, From};

const DIRECT: u32 = 0x1_0004;

fn message(kind: u8, id: u8, body: &[u8]) -> Vec<u8> {
    [&[1, kind, id, 0, 0, 7][..], &(body.len() as u16 + 8).to_be_bytes(), body].concat()
}

/// A unit with its check byte.
fn token(delimiter: u8, address: &[u8], command: u8, data: &[u8]) -> Vec<u8> {
    let mut unit = [&[delimiter][..], address, &[command, data.len() as u8], data].concat();
    unit.push(unit.iter().fold(0, |sum, byte| sum ^ byte));
    unit
}

const LONG: [u8; 5] = [0x26, 0x4e, 0, 0, 0xd2];

fn request(command: u8, data: &[u8]) -> Vec<u8> {
    message(0, 3, &token(0x82, &LONG, command, data))
}

fn read(bytes: &[u8]) -> Vec<Operation> {
    let records = dissect::read(Protocol::HartIp, CLIENT, bytes);
    assert_eq!(dissect::read(Protocol::HartIp, DATAGRAM, bytes), records);
    records
}

fn fault(bytes: &[u8]) -> Option<Reason> {
    read(bytes).iter().find_map(|one| Reason::from_code(one.fault))
}

/// Function, class and command of every record of a sound message.
fn inside(bytes: &[u8]) -> Vec<(u32, Access, u32)> {
    let records = read(bytes);
    assert!(records.iter().all(|one| one.fault == 0 && !one.has(Operation::CONTINUES)), "{records:?}");
    assert!(records.iter().all(|one| one.space == space::COMMAND && one.first == one.last));
    records.iter().map(|one| (one.function, Access::from_code(one.access), one.first)).collect()
}

#[test]
fn a_unit_names_command_device_and_class() {
    let one = read(&request(48, &[]))[0];
    assert_eq!((one.function, one.access, one.fault), (48, Access::Diagnose as u8, 0));
    assert_eq!((one.unit, one.transaction, one.space), (0x4e00_00d2, 7, NO_OBJECT));
    let short = read(&message(0, 3, &token(0x02, &[0x83], 0, &[])))[0];
    assert_eq!((short.unit, short.function, short.fault), (3, 0, 0));
    for (command, access) in
        [(42, Access::Control), (35, Access::Write), (200, Access::Unknown), (112, Access::Firmware)]
    {
        assert_eq!(read(&request(command, &[]))[0].access, access as u8, "{command}");
    }
    for (id, function) in [(0, 0x1_0000), (1, 0x1_0001), (2, 0x1_0002), (5, 0x1_0005), (128, 0x1_0080)] {
        let body = match id {
            0 => vec![1, 0, 0, 0x75, 0x30],
            5 => vec![0, 255],
            _ => vec![],
        };
        let one = read(&message(0, id, &body))[0];
        assert_eq!((one.function, one.fault), (function, 0));
    }
}

#[test]
fn what_a_unit_must_be() {
    let sound = request(9, &[0, 1, 2, 3]);
    assert_eq!(fault(&sound), None);
    let with = |at: usize, byte: u8| {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        fault(&bytes)
    };
    let last = sound.len() - 1;
    assert_eq!(with(last, sound[last] ^ 1), Some(Reason::MalformedFraming), "check byte");
    for delimiter in [0xa2, 0xc2, 0x86, 0x81] {
        assert_eq!(with(8, delimiter), Some(Reason::MalformedFraming), "{delimiter:02x}");
    }
    for (at, byte) in [(15, 3), (15, 5), (8, 0x02)] {
        assert_eq!(with(at, byte), Some(Reason::LengthMismatch), "{at}");
    }
    for (at, byte) in [(0, 0), (0, 3), (1, 3), (1, 0x10), (7, 7), (6, 0xff)] {
        assert_eq!(with(at, byte), Some(Reason::MalformedFraming), "{at}");
    }
    for (id, body) in [(0, vec![1, 0, 0, 0]), (1, vec![0]), (2, vec![0]), (3, vec![]), (3, vec![0x82]), (5, vec![0])] {
        assert_eq!(fault(&message(0, id, &body)), Some(Reason::LengthMismatch), "{id}");
    }
    let two = [sound.clone(), sound.clone()].concat();
    assert_eq!(dissect::fault(Protocol::HartIp, DATAGRAM, &two), Some(Reason::LengthMismatch));
    assert_eq!(dissect::read(Protocol::HartIp, CLIENT, &two).len(), 2);
}

#[test]
fn a_command_of_two_bytes_is_looked_through() {
    let one = read(&request(31, &[2, 0]))[0];
    assert_eq!((one.function, one.access), (512, Access::Read as u8));
    assert_eq!(fault(&request(31, &[2])), Some(Reason::LengthMismatch));
    assert_eq!(fault(&request(31, &[0, 42])), Some(Reason::OutOfRange), "what fits into one byte stands in one");
    assert_eq!(read(&request(31, &[0, 42]))[0].function, 42);
}

#[test]
fn commands_in_a_list_are_operations() {
    let list = [0, 3, 0, 0, 42, 1, 9];
    let two = [(DIRECT, Access::Read, 3), (DIRECT, Access::Control, 42)];
    assert_eq!(inside(&message(0, 4, &[&[0, 0][..], &list].concat())), two);
    assert_eq!(inside(&request(78, &[&[2][..], &list].concat())), two.map(|(_, class, command)| (78, class, command)));
    let behind = [&[0, 1, 5, 0x82][..], &LONG, &[42, 1, 9]].concat();
    assert_eq!(inside(&request(77, &behind)), [(77, Access::Control, 42)]);
    assert_eq!(inside(&request(77, &[0, 1, 5, 0x02, 0x80, 3, 0])), [(77, Access::Read, 3)]);
    let many = |count: usize| message(0, 4, &[&[0, 0][..], &[0, 3, 0].repeat(count)].concat());
    assert_eq!((fault(&many(16)), fault(&many(17))), (None, Some(Reason::BeyondInspection)));
    assert_eq!(fault(&message(0, 4, &[0, 0])), None, "an empty list");
}

#[test]
fn a_list_that_does_not_add_up_or_holds_a_list_is_refused() {
    for inner in [31, 77, 78] {
        assert_eq!(fault(&message(0, 4, &[0, 0, 0, inner, 0])), Some(Reason::BeyondInspection), "{inner}");
        assert_eq!(fault(&request(78, &[1, 0, inner, 0])), Some(Reason::BeyondInspection), "{inner}");
    }
    for body in [vec![0], vec![0, 0, 0, 3], vec![0, 0, 0, 3, 1], vec![0, 0, 0, 3, 0, 0]] {
        assert_eq!(fault(&message(0, 4, &body)), Some(Reason::LengthMismatch), "{body:?}");
    }
    for data in [vec![], vec![0, 0], vec![1], vec![2, 0, 3, 0], vec![1, 0, 3, 0, 0, 3, 0], vec![1, 0, 3, 2, 0]] {
        assert_eq!(fault(&request(78, &data)), Some(Reason::LengthMismatch), "{data:?}");
    }
    assert_eq!(fault(&request(77, &[0, 1, 5, 0x22, 0x80, 3, 0])), Some(Reason::MalformedFraming));
    assert_eq!(fault(&request(77, &[0, 1, 5, 0x02, 0x80, 3])), Some(Reason::LengthMismatch));
}

#[test]
fn an_answer_tells_its_code_and_stays_where_it_belongs() {
    let answer = message(1, 3, &token(0x86, &LONG, 48, &[0, 0xd0, 1]));
    for from in [DEVICE, DEVICE_DATAGRAM] {
        let one = dissect::read(Protocol::HartIp, from, &answer)[0];
        assert_eq!((one.function, one.role, one.fault, one.flags), (48, Role::Response as u8, 0, 0));
    }
    let refused = dissect::read(Protocol::HartIp, DEVICE, &message(1, 3, &token(0x86, &LONG, 35, &[7, 0])))[0];
    assert_eq!(refused.exception, 7);
    let burst = dissect::read(Protocol::HartIp, DEVICE, &message(2, 3, &token(0x81, &LONG, 1, &[0, 0, 1])))[0];
    assert_eq!((burst.role, burst.fault, burst.function), (Role::Message as u8, 0, 1));
    assert_eq!(fault(&answer), Some(Reason::InvalidFunction), "an answer toward a device that asked nothing");
    assert_eq!(fault(&message(2, 3, &token(0x81, &LONG, 1, &[]))), Some(Reason::InvalidFunction));
    let server = From { side: Side::Network, ..DEVICE };
    let order = dissect::fault(Protocol::HartIp, server, &request(42, &[]));
    assert_eq!(order, Some(Reason::InvalidFunction), "a request from where answers come from");
}

#[test]
fn no_cut_and_no_flipped_byte_confuses() {
    for bytes in [
        request(9, &[0, 1, 2, 3]),
        request(78, &[2, 0, 3, 0, 0, 42, 1, 9]),
        message(0, 4, &[0, 0, 0, 3, 0, 0, 42, 1, 9]),
        request(77, &[0, 1, 5, 0x02, 0x80, 3, 0]),
    ] {
        dissect::mutilate(Protocol::HartIp, &bytes);
    }
}
