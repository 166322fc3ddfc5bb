//! EtherNet/IP and CIP: records of each kind of message, each bad length, and the vectors of evasion.

use enforcer_common::operation::{Access, NO_FUNCTION, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::enip::commands::FILE;
use enforcer_common::protocol::enip::services::class::{PATH, TAG};
use enforcer_common::protocol::tables::name_number;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::enip::{connected, frame, items, object, request, sent_on, several, symbol, unconnected};
use crate::support::frames::{HMI, PLC, ethernet, ipv4, udp};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn wire() -> Wire {
    let mut policy = Policy::new(&[rule(Effect::Allow, &[])]);
    policy.protocol = Protocol::Enip;
    Wire::open(&policy, Mode::Enforce).watched()
}

/// The records of one request.
fn ask(bytes: &[u8]) -> Vec<Operation> {
    wire().ask(bytes).operations
}

/// The first fault of one request.
fn fault(bytes: &[u8]) -> Option<Reason> {
    ask(bytes).iter().find_map(|one| Reason::from_code(one.fault))
}

/// (protocol, function, space, first, last).
fn fields(bytes: &[u8]) -> Vec<(u8, u32, u32, u32, u32)> {
    let records = ask(bytes);
    assert!(records.iter().all(|one| one.fault == 0), "{records:?}");
    records.iter().map(|one| (one.protocol, Protocol::standard(one.function), one.space, one.first, one.last)).collect()
}

const CIP: u8 = Protocol::Cip as u8;
const READ_IDENTITY: (u8, u32, u32, u32, u32) = (CIP, 14, 1, 0x0001_0007, 0x0001_0007);

fn read_identity() -> Vec<u8> {
    request(14, &[0x20, 1, 0x24, 1, 0x30, 7], &[])
}

#[test]
fn commands_without_message_are_themselves() {
    for (command, body, access) in [
        (0x63, &[][..], Access::Discover),
        (0x04, &[], Access::Discover),
        (0x64, &[], Access::Discover),
        (0x65, &[1, 0, 0, 0], Access::Session),
        (0x66, &[], Access::Session),
        (0x00, &[0; 64], Access::Session),
    ] {
        let records = ask(&frame(command, body));
        assert_eq!(records.len(), 1);
        assert_eq!((records[0].function, records[0].fault), (u32::from(command), 0));
        assert_eq!((records[0].protocol, records[0].access), (Protocol::Enip as u8, access as u8));
        let longer = [body, &[0]].concat();
        assert_eq!(fault(&frame(command, &longer)), Some(Reason::LengthMismatch), "{command}");
    }
    for command in [0x01, 0x05, 0x67, 0x72, 0x73, 0xc8, 0xffff] {
        assert_eq!(fault(&frame(command, &[])), Some(Reason::InvalidFunction), "{command}");
    }
}

#[test]
fn status_and_options_are_none_in_a_request() {
    for at in [8, 20] {
        let mut bytes = unconnected(&read_identity());
        bytes[at] = 1;
        assert_eq!(fault(&bytes), Some(Reason::OutOfRange));
    }
}

#[test]
fn a_service_names_class_instance_and_attribute() {
    assert_eq!(fields(&unconnected(&read_identity())), [READ_IDENTITY]);
    assert_eq!(fields(&connected(7, &read_identity())), [READ_IDENTITY]);
    assert_eq!(ask(&connected(7, &read_identity()))[0].transaction, 7);
    let wide = request(1, &[0x21, 0, 0x04, 3, 0x25, 0, 0x34, 0x12], &[]);
    assert_eq!(fields(&connected(1, &wide)), [(CIP, 1, 0x304, 0x1234_0000, 0x1234_ffff)]);
    let widest = request(1, &[0x20, 4, 0x26, 0, 0x34, 0x12, 0, 0], &[]);
    assert_eq!(fields(&connected(1, &widest)), [(CIP, 1, 4, 0x1234_0000, 0x1234_ffff)]);
    let beyond = request(1, &[0x20, 4, 0x26, 0, 0, 0, 1, 0], &[]);
    assert_eq!(fault(&connected(1, &beyond)), Some(Reason::BeyondInspection));
}

#[test]
fn paths_that_devices_read_in_two_ways_are_faults() {
    for path in [
        &[0x20, 1, 0x20, 4, 0x24, 1][..],
        &[0x20, 1, 0x24, 1, 0x20, 6, 0x24, 1],
        &[0x20, 6, 0x24, 1, 0x20, 1, 0x24, 1],
        &[0x91, 1, b'a', 0, 0x20, 2, 0x24, 1],
        &[0x20, 1, 0x24, 1, 0x24, 2],
        &[0x24, 1, 0x20, 1],
        &[0x20, 1, 0x24, 1, 0x30, 1, 0x30, 2],
        &[0x20, 1, 0x25, 0],
        &[0x23, 1, 0x24, 1],
        &[0xe0, 1, 0x24, 1],
        &[0x01, 0, 0x20, 1],
        &[0x34, 4, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x91, 9, b'a', b'b'],
        &[0x91, 0],
        &[],
    ] {
        assert_eq!(fault(&unconnected(&request(14, path, &[]))), Some(Reason::OutOfRange), "{path:x?}");
    }
    let long = [0x28, 1].repeat(12);
    let path = [&object(0x6b, 1)[..], &long].concat();
    assert_eq!(fault(&unconnected(&request(0x4c, &path, &[1, 0]))), Some(Reason::BeyondInspection));
    assert_eq!(fault(&unconnected(&[14, 9, 0x20, 1])), Some(Reason::LengthMismatch));
    assert_eq!(fault(&unconnected(&request(0x8e, &object(1, 1), &[]))), Some(Reason::InvalidFunction));
}

#[test]
fn a_path_with_a_further_class_is_its_object_and_its_whole() {
    let read = |path: &[u8]| {
        let records = ask(&unconnected(&request(3, path, &[1, 0, 1, 0])));
        assert!(records.len() == 2 && records.iter().all(|one| one.fault == 0), "{records:?}");
        assert_eq!((records[0].space, records[0].first, records[1].space), (0x68, 9 << 16, PATH));
        assert!(records[1].has(Operation::CONTINUES));
        records[1].first
    };
    let one = read(&[0x20, 0x68, 0x24, 9, 0x20, 0x6a, 0x25, 0, 0xfa, 0x1b]);
    assert_ne!(one, read(&[0x20, 0x68, 0x24, 9, 0x20, 0x6a, 0x25, 0, 0xfb, 0x1b]));
    assert_ne!(one, read(&[0x20, 0x68, 0x24, 9, 0x20, 0x6b, 0x25, 0, 0xfa, 0x1b]));
}

#[test]
fn tags_have_the_number_of_their_name() {
    let name_number = |name: &[u8]| name_number(name, Some(b'.'));
    let tag = |name: &[u8]| (CIP, 0x4c, TAG, name_number(name), name_number(name));
    let read = |path: &[u8]| fields(&unconnected(&request(0x4c, path, &[1, 0])));
    assert_eq!(read(&symbol("Speed")), [tag(b"speed")]);
    assert_eq!(read(&symbol("A_name_of_more_than_eight_letters")), [tag(b"a_name_of_more_than_eight_letters")]);
    let member = [symbol("Program:Main"), symbol("Motors"), vec![0x28, 3], symbol("Speed")].concat();
    assert_eq!(read(&member), [tag(b"Program:Main.Motors.Speed")]);
    let inside = [object(0x6b, 9), symbol("Speed")].concat();
    assert_eq!(read(&inside), [(CIP, 0x4c, 0x6b, 0x0009_0000, 0x0009_ffff)]);
    let scoped = [symbol("Program:Main"), object(0x6b, 9)].concat();
    assert_ne!(read(&scoped)[0].3, name_number(b"Program:Main"));
}

#[test]
fn tags_are_written_with_a_value() {
    let value = |data: &[u8]| {
        let record = ask(&unconnected(&request(0x4d, &symbol("x"), data)))[0];
        assert_eq!(record.access, Access::Write as u8);
        (record.fault, record.has(Operation::HAS_VALUE), record.value_min)
    };
    assert_eq!(value(&[0xc3, 0, 1, 0, 0xfe, 0xff]), (0, true, -2));
    assert_eq!(value(&[0xc4, 0, 1, 0, 1, 0, 0, 0]), (0, true, 1));
    assert!(!value(&[0xca, 0, 1, 0, 0, 0, 0x80, 0x3f]).1, "a real number");
    assert_eq!(value(&[0xc3, 0, 2, 0, 1, 0, 2, 0]), (0, false, 0));
    assert_eq!(value(&[0xc3, 0, 2, 0, 1, 0]).0, Reason::LengthMismatch as u8);
    assert_eq!(value(&[0xa0, 2, 0x34, 0x12, 1, 0, 1, 2, 3, 4]).0, 0);
    assert_eq!(fault(&unconnected(&request(0x4c, &symbol("x"), &[1]))), Some(Reason::LengthMismatch));
    let fragment = |data: &[u8]| fault(&unconnected(&request(0x53, &symbol("x"), data)));
    assert_eq!(fragment(&[0xc4, 0, 2, 0, 4, 0, 0, 0, 1, 2, 3, 4]), None);
    assert_eq!(fragment(&[0xc4, 0, 2, 0, 8, 0, 0, 0, 1, 2, 3, 4]), Some(Reason::OutOfRange));
    let attribute = ask(&unconnected(&request(0x10, &[0x20, 4, 0x24, 100, 0x30, 3], &[7, 0])))[0];
    assert_eq!((attribute.value_min, attribute.first), (7, 100 << 16 | 3));
}

#[test]
fn each_service_of_a_list_is_an_operation() {
    let write = request(0x10, &[0x20, 4, 0x24, 1, 0x30, 3], &[1, 0]);
    let mut list = vec![read_identity(); 5];
    list[2] = write;
    let seen = fields(&connected(1, &several(&list)));
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[0], (CIP, 10, 2, 0x0001_0000, 0x0001_ffff));
    assert_eq!((seen[1], seen[3].1), (READ_IDENTITY, 0x10));
    assert_eq!(fields(&connected(1, &several(&vec![read_identity(); 30]))).len(), 31);
    let tags = vec![request(0x4c, &symbol("A_tag_of_some_length"), &[1, 0]); 18];
    assert_eq!(fields(&connected(1, &several(&tags))).len(), 19);
    assert_eq!(
        fault(&unconnected(&several(&vec![request(1, &object(1, 1), &[]); 33]))),
        Some(Reason::BeyondInspection)
    );
}

#[test]
fn a_write_in_a_list_is_denied_with_the_list() {
    let mut policy = Policy::new(&[rule(Effect::Allow, &[Protocol::Cip.within(10), Protocol::Cip.within(14)])]);
    policy.protocol = Protocol::Enip;
    let mut list = vec![read_identity(); 5];
    assert_eq!(Wire::open(&policy, Mode::Enforce).ask(&connected(1, &several(&list))).reason, Reason::RuleAllow);
    list[2] = request(0x10, &[0x20, 4, 0x24, 1, 0x30, 3], &[1, 0]);
    let seen = Wire::open(&policy, Mode::Enforce).ask(&connected(1, &several(&list)));
    assert_eq!(seen.reason, Reason::FunctionNotAllowed);
}

#[test]
fn lists_are_exact() {
    let good = several(&[read_identity(), read_identity()]);
    for (at, value, reason) in [
        (6, 0, Reason::LengthMismatch),
        (7, 1, Reason::BeyondInspection),
        (8, 7, Reason::LengthMismatch),
        (10, 6, Reason::LengthMismatch),
        (10, 200, Reason::LengthMismatch),
    ] {
        let mut bytes = good.clone();
        bytes[at] = value;
        let found = fault(&connected(1, &bytes));
        let alike = found == Some(reason) || reason == Reason::BeyondInspection && found.is_some();
        assert!(alike, "{at} {value}: {found:?}");
    }
    let nested = several(&[several(&[read_identity()])]);
    assert_eq!(fault(&unconnected(&nested)), Some(Reason::BeyondInspection));
    let sent = several(&[sent_on(&read_identity(), &[1, 0])]);
    assert_eq!(fault(&unconnected(&sent)), Some(Reason::BeyondInspection));
    let twice = sent_on(&sent_on(&read_identity(), &[1, 0]), &[1, 0]);
    assert_eq!(fault(&unconnected(&twice)), Some(Reason::BeyondInspection));
    let deep = sent_on(&several(&[several(&[read_identity()])]), &[1, 0]);
    assert_eq!(fault(&unconnected(&deep)), Some(Reason::BeyondInspection));
}

#[test]
fn the_way_of_a_message_is_its_unit() {
    let records = ask(&unconnected(&sent_on(&read_identity(), &[1, 3])));
    assert_eq!(records.iter().map(|one| one.unit).collect::<Vec<_>>(), [0x103, 0x103]);
    assert_eq!(records[1].function, Protocol::Cip.within(14));
    for nowhere in [[0, 3], [15, 3]] {
        let records = ask(&unconnected(&sent_on(&read_identity(), &nowhere)));
        assert_eq!((records.len(), records[0].fault), (1, Reason::OutOfRange as u8), "{nowhere:?}");
    }
    let odd = request(0x10, &[0x20, 4, 0x24, 1, 0x30, 3], &[1]);
    assert_eq!(fields(&unconnected(&sent_on(&odd, &[1, 0]))).len(), 2);
    let address = [&[0x12, 11][..], b"192.168.1.5\0", &[1, 2]].concat();
    let far = ask(&unconnected(&sent_on(&several(&[read_identity()]), &address)));
    assert_eq!(far.len(), 3);
    assert!(far.iter().all(|one| one.unit >= 0x8000_0000 && one.unit == far[0].unit && one.fault == 0), "{far:?}");
    let nearer = [&[0x12, 11][..], b"192.168.1.6\0", &[1, 2]].concat();
    assert_ne!(ask(&unconnected(&sent_on(&read_identity(), &nearer)))[0].unit, far[0].unit);
    let mut short = sent_on(&read_identity(), &[1, 0]);
    short.push(0);
    assert_eq!(fault(&unconnected(&short)), Some(Reason::LengthMismatch));
}

/// `Forward_Open` to a path.
fn open(service: u8, path: &[u8]) -> Vec<u8> {
    let mut data = vec![0; if service == 0x5b { 39 } else { 35 }];
    data.push(u8::try_from(path.len() / 2).expect("short"));
    data.extend(path);
    request(service, &object(6, 1), &data)
}

#[test]
fn connections_name_what_they_are_to() {
    let to = |path: &[u8]| {
        let records = ask(&unconnected(&open(0x54, path)));
        (records[0].unit, records[0].first, records[0].fault)
    };
    assert_eq!(to(&[1, 0, 0x20, 2, 0x24, 1]), (0x100, 0x1_0002, 0));
    assert_eq!(
        to(&[0x34, 4, 1, 0, 2, 0, 3, 0, 4, 5, 0x20, 4, 0x24, 151, 0x2c, 150, 0x2c, 100, 0x80, 1, 0, 0]).1,
        0x1_0004
    );
    assert_eq!(to(&[0x20, 4, 0x24, 1, 0x2c, 2, 0x2c, 3, 0x43, 9]).2, 0);
    assert_eq!(to(&symbol("Produced")).1, 0x1_006b);
    let mut bad = open(0x54, &[1, 0, 0x20, 2, 0x24, 1]);
    bad.extend([0, 0]);
    assert_eq!(fault(&unconnected(&bad)), Some(Reason::LengthMismatch));
    assert_eq!(fault(&unconnected(&request(0x4e, &object(6, 1), &[&[0; 10][..], &[1, 0, 1, 0]].concat()))), None);
    assert_eq!(fault(&unconnected(&request(0x4e, &object(6, 1), &[0; 13]))), Some(Reason::LengthMismatch));
}

#[test]
fn long_messages_follow_a_large_opening_only() {
    let long = connected(1, &request(0x4d, &symbol("x"), &[&[0xc2, 0, 0xe8, 3][..], &[0; 1000]].concat()));
    assert_eq!(fault(&long), Some(Reason::LengthMismatch));
    let mut wire = wire();
    assert_eq!(wire.ask(&unconnected(&open(0x5b, &[1, 0, 0x20, 2, 0x24, 1]))).reason, Reason::RuleAllow);
    assert_eq!(wire.ask(&long).reason, Reason::RuleAllow);
    // Longer than a segment: the first part decides, the rest goes with it.
    let longer = connected(2, &request(0x4d, &symbol("x"), &[&[0xc2, 0, 0xd0, 7][..], &[0; 2000]].concat()));
    let seen = wire.ask(&longer[..1460]);
    assert_eq!((seen.reason, seen.operations.len()), (Reason::RuleAllow, 1));
    assert_eq!(wire.ask(&longer[1460..]).reason, Reason::Partial);
    assert_eq!(wire.ask(&unconnected(&read_identity())).reason, Reason::RuleAllow);
}

#[test]
fn items_are_exactly_two() {
    let message = read_identity();
    let socket: &[u8] = &[0; 16];
    for (bytes, reason) in [
        (items(0x6f, &[(0, &[]), (0xb2, &message), (0x8000, &[0; 15])]), Reason::LengthMismatch),
        (items(0x6f, &[(0, &[]), (0xb2, &message), (0x1234, socket)]), Reason::MalformedFraming),
        (items(0x6f, &[(0, &[]), (0xb2, &message), (0x8000, socket)]), Reason::MalformedFraming),
        (items(0x6f, &[(0, &[])]), Reason::LengthMismatch),
        (items(0x6f, &[(0, &[0]), (0xb2, &message)]), Reason::LengthMismatch),
        (items(0x6f, &[(0xa1, &[0; 4]), (0xb2, &message)]), Reason::MalformedFraming),
        (items(0x70, &[(0xa1, &[0; 5]), (0xb1, &message)]), Reason::LengthMismatch),
        (items(0x70, &[(0, &[]), (0xb2, &message)]), Reason::MalformedFraming),
        (items(0x70, &[(0xa1, &[0; 4]), (0xb1, &[0; 2])]), Reason::LengthMismatch),
        ([unconnected(&message), vec![0]].concat(), Reason::SplitUnit),
    ] {
        assert_eq!(fault(&bytes), Some(reason), "{bytes:x?}");
    }
    let opening = open(0x54, &[1, 0, 0x20, 2, 0x24, 1]);
    assert_eq!(fault(&items(0x6f, &[(0, &[]), (0xb2, &opening), (0x8000, socket), (0x8001, socket)])), None);
}

#[test]
fn pccc_is_an_operation_of_its_own() {
    let execute = |command: &[u8]| {
        let data = [&[7, 1, 0, 1, 2, 3, 4][..], command].concat();
        ask(&unconnected(&request(0x4b, &object(0x67, 1), &data)))
    };
    let read = execute(&[0x0f, 0, 1, 0, 0xa2, 4, 7, 0x89, 10, 0]);
    assert_eq!(read.len(), 2);
    assert_eq!((read[1].function, read[1].space), (Protocol::Pccc.within(0x0fa2), FILE + 7));
    assert_eq!((read[1].first, read[1].last, read[1].fault), (10 << 16, 11 << 16 | 0xffff, 0));
    let write = execute(&[0x0f, 0, 1, 0, 0xaa, 2, 0xff, 7, 0, 0x89, 0xff, 10, 0, 0, 5, 0]);
    assert_eq!((write[1].access, write[1].fault, write[1].value_min), (Access::Write as u8, 0, 5));
    assert_eq!((write[1].space, write[1].first), (FILE + 7, 10 << 16));
    let timer = execute(&[0x0f, 0, 1, 0, 0xa2, 2, 4, 0x86, 2, 1]);
    assert_eq!((timer[1].first, timer[1].last), (2 << 16 | 1, 2 << 16 | 1));
    assert_eq!(execute(&[0x0f, 0, 1, 0, 0xaa, 2, 7, 0x89, 10, 0, 5])[1].fault, Reason::LengthMismatch as u8);
    assert_eq!(execute(&[0x0f, 0, 1, 0, 0x80, 6])[1].access, Access::Control as u8);
    assert_eq!(execute(&[0x4f, 0, 1, 0, 0x80])[1].fault, Reason::InvalidFunction as u8);
    assert_eq!(execute(&[0x0f, 0, 1])[0].fault, Reason::LengthMismatch as u8);
}

#[test]
fn answers_tell_their_status() {
    let mut wire = wire();
    wire.ask(&unconnected(&read_identity()));
    let refused = wire.answer(&unconnected(&[0x8e, 0, 5, 1, 0, 0]));
    assert_eq!((refused.operations[0].exception, refused.operations[0].role), (5, Role::Response as u8));
    let identity = vec![0x8e, 0, 0, 0, 9];
    let list = [&[0x8a, 0, 0x1e, 0, 2, 0, 6, 0, 11, 0][..], &identity, &[0x90, 0, 8, 0]].concat();
    let seen = wire.answer(&unconnected(&list));
    let found: Vec<_> = seen.operations.iter().map(|one| (Protocol::standard(one.function), one.exception)).collect();
    assert_eq!(found, [(10, 0x1e), (14, 0), (16, 8)]);
    let mut bare = frame(0x6f, &[]);
    bare[8] = 0x64;
    let seen = wire.answer(&bare);
    assert_eq!((seen.operations[0].function, seen.operations[0].exception), (0x6f, 0x64));
}

fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 17, &[], &udp((port, 502), payload)))
}

#[test]
fn datagrams_list_and_carry_data() {
    let send = |port, payload: &[u8]| wire().frame(Side::Network, &datagram(port, payload)).operations;
    assert_eq!(send(40000, &frame(0x63, &[]))[0].fault, 0);
    assert_eq!(send(40000, &[frame(0x63, &[]), vec![0]].concat())[0].fault, Reason::LengthMismatch as u8);
    assert_eq!(send(40000, &unconnected(&read_identity()))[0].fault, Reason::InvalidFunction as u8);
    let mut data = vec![2, 0, 2, 0x80, 8, 0, 0x43, 6, 0x4b, 0, 1, 0, 0, 0, 0xb1, 0, 4, 0, 1, 2, 3, 4];
    let seen = send(2222, &data);
    assert_eq!((seen[0].unit, seen[0].role, seen[0].fault), (0x004b_0643, Role::Message as u8, 0));
    assert_eq!(seen[0].function, Protocol::CipIo.within(0));
    data.push(0);
    assert_eq!(send(2222, &data)[0].fault, Reason::LengthMismatch as u8);
    assert_eq!(send(2222, &[2, 0, 2])[0].function, NO_FUNCTION);
}

#[test]
fn no_cut_and_no_flip_panics() {
    let list = several(&[read_identity(), request(0x4c, &symbol("Speed"), &[1, 0])]);
    let pccc = [&[7, 1, 0, 1, 2, 3, 4][..], &[0x0f, 0, 1, 0, 0xaa, 2, 7, 0x89, 10, 0, 5, 0]].concat();
    for bytes in [
        unconnected(&sent_on(&list, &[1, 0])),
        unconnected(&open(0x54, &[1, 0, 0x20, 2, 0x24, 1])),
        unconnected(&request(0x4b, &object(0x67, 1), &pccc)),
        connected(1, &request(0x53, &symbol("x"), &[0xc4, 0, 2, 0, 4, 0, 0, 0, 1, 2, 3, 4])),
    ] {
        for cut in 1..bytes.len() {
            let faulty = ask(&bytes[..cut]);
            assert!(faulty.iter().any(|one| one.fault == Reason::SplitUnit as u8), "{cut}: {faulty:?}");
            let mut flipped = bytes.clone();
            flipped[cut] ^= 0xff;
            ask(&flipped);
            wire().frame(Side::Network, &datagram(40000, &flipped));
        }
    }
}
