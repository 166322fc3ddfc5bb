//! Requests of every function code: the operation's fields exactly, and every rule of length and range violated in turn.

use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::modbus::functions::space;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::modbus_udp;
use crate::support::modbus::{Request, adu, raw, words};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;
use enforcer_common::port::Side;

/// The records of one request, and its fault, read in a datagram with values decoded.
fn read(bytes: &[u8]) -> Vec<Operation> {
    let policy = Policy::new(&[rule(Effect::Allow, &[]).values(&[(0, 65535)])]);
    Wire::new(&policy, Mode::Enforce).frame(Side::Network, &modbus_udp(bytes)).operations
}

fn fault(pdu: &[u8]) -> Option<Reason> {
    read(&adu(7, 1, pdu)).iter().find_map(|one| Reason::from_code(one.fault))
}

/// (function, class, space, first, last, values) of every record of a sound request.
type Fields = (u32, Access, u32, u32, u32, Option<(i64, i64)>);

fn fields(request: &Request) -> Vec<Fields> {
    let records = read(&adu(0x1234, 17, &request.pdu()));
    for (index, one) in records.iter().enumerate() {
        assert_eq!((one.fault, one.unit, one.transaction), (0, 17, 0x1234), "{request:?}");
        assert_eq!((one.protocol, one.role), (Protocol::Modbus as u8, Role::Request as u8));
        assert_eq!(one.has(Operation::CONTINUES), index > 0);
    }
    let value = |one: &Operation| one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max));
    let class = |one: &Operation| Access::from_code(one.access);
    records.iter().map(|one| (one.function, class(one), one.space, one.first, one.last, value(one))).collect()
}

#[test]
fn reads_name_their_table_and_range() {
    for (code, space) in [(1, space::COIL), (2, space::DISCRETE), (3, space::HOLDING), (4, space::INPUT)] {
        let seen = fields(&Request::Read(code, 100, 10));
        assert_eq!(seen, [(code.into(), Access::Read, space, 100, 109, None)]);
    }
    assert_eq!(fields(&Request::Fifo(9)), [(24, Access::Read, space::FIFO, 9, 9, None)]);
}

#[test]
fn writes_carry_their_values() {
    let coil = |on| fields(&Request::Coil(3, on));
    assert_eq!(coil(true), [(5, Access::Write, space::COIL, 3, 3, Some((1, 1)))]);
    assert_eq!(coil(false), [(5, Access::Write, space::COIL, 3, 3, Some((0, 0)))]);
    let holding = |code, first, last, value| (code, Access::Write, space::HOLDING, first, last, Some(value));
    assert_eq!(fields(&Request::Register(65535, 77)), [holding(6, 65535, 65535, (77, 77))]);
    assert_eq!(fields(&Request::Registers(5, vec![9, 2, 65535])), [holding(16, 5, 7, (2, 65535))]);
    let bits = |bits: &[bool]| fields(&Request::Coils(8, bits.to_vec()))[0].5;
    assert_eq!(bits(&[true; 9]), Some((1, 1)), "padding bits of the last byte are no values");
    assert_eq!(bits(&[false; 17]), Some((0, 0)));
    assert_eq!(bits(&[true, true, true, true, true, true, true, true, false]), Some((0, 1)));
    assert_eq!(fields(&Request::Registers(0, vec![1; 123]))[0].4, 122);
    assert_eq!(fields(&Request::Coils(0, vec![true; 1968]))[0].4, 1967);
}

#[test]
fn a_mask_is_judged_by_every_value_it_can_leave() {
    // MB 6.16: (current AND and) OR (or AND NOT and).
    let mask = |and, or| fields(&Request::Mask(4, and, or))[0];
    assert_eq!(mask(0x00f2, 0x0025), (22, Access::Write, space::HOLDING, 4, 4, Some((0x05, 0xf7))));
    assert_eq!(mask(0, 1234).5, Some((1234, 1234)));
    assert_eq!(mask(0xffff, 0).5, Some((0, 0xffff)));
}

#[test]
fn read_write_multiple_has_two_ranges_of_which_the_second_is_written() {
    let seen = fields(&Request::ReadWrite(10, 5, 200, vec![3, 8]));
    let read = (23, Access::Read, space::HOLDING, 10, 14, None);
    assert_eq!(seen, [read, (23, Access::Write, space::HOLDING, 200, 201, Some((3, 8)))]);
}

#[test]
fn file_records_have_a_range_per_group() {
    let seen = fields(&Request::ReadFiles(vec![(4, 1, 2), (3, 9, 2)]));
    let group = |code, class, file, first, last| (code, class, space::FILE + file, first, last, None);
    assert_eq!(seen, [group(20, Access::Read, 4, 1, 2), group(20, Access::Read, 3, 9, 10)]);
    let seen = fields(&Request::WriteFiles(vec![(4, 7, vec![1, 2, 3]), (1, 0, vec![5])]));
    assert_eq!(seen, [group(21, Access::Write, 4, 7, 9), group(21, Access::Write, 1, 0, 0)]);
    assert_eq!(fields(&Request::ReadFiles(vec![(1, 0, 1); 8])).len(), 8);
}

#[test]
fn functions_without_data_and_sub_functions() {
    let bare = |code, class| (u32::from(code), class, NO_OBJECT, 0, 0, None);
    for (code, class) in [(7, Access::Diagnose), (11, Access::Diagnose), (12, Access::Diagnose), (17, Access::Discover)]
    {
        assert_eq!(fields(&Request::Bare(code)), [bare(code, class)]);
    }
    let sub = |number, class| (8, class, space::DIAGNOSTIC, number, number, None);
    let classes = [(0, Access::Diagnose), (1, Access::Control), (2, Access::Diagnose), (3, Access::Write)];
    let more = [(4, Access::Control), (10, Access::Diagnose), (18, Access::Diagnose), (20, Access::Diagnose)];
    for (number, class) in classes.into_iter().chain(more).chain([(19, Access::Unknown), (65535, Access::Unknown)]) {
        assert_eq!(fields(&Request::Diagnostic(number, vec![0xa537])), [sub(number.into(), class)]);
    }
    assert_eq!(fields(&Request::Diagnostic(0, vec![1; 20])), [sub(0, Access::Diagnose)], "an echo has any length");
    let mei = |kind, class| [(43, class, space::MEI, kind, kind, None)];
    assert_eq!(fields(&Request::Identify(1, 0)), mei(14, Access::Discover));
    let read_mei = |pdu: &[u8]| (read(&adu(1, 1, pdu))[0].access, read(&adu(1, 1, pdu))[0].first);
    assert_eq!(read_mei(&[43, 13, 0, 0, 0]), (Access::Write as u8, 13));
    assert_eq!(read_mei(&[43, 200]), (Access::Unknown as u8, 200));
}

#[test]
fn codes_outside_the_standard_are_named_by_number() {
    let classes = [(9, Access::Program), (13, Access::Program), (19, Access::Control), (125, Access::Firmware)];
    for (code, class) in
        classes.into_iter().chain([(65, Access::Unknown), (72, Access::Unknown), (100, Access::Unknown)])
    {
        let seen = read(&adu(1, 1, &[code, 1, 2, 3]));
        assert_eq!((seen[0].function, seen[0].access, seen[0].fault), (code.into(), class as u8, 0));
    }
    assert_eq!(fault(&[41, 1, 3]), Some(Reason::BeyondInspection), "several functions inside one");
    for code in [0, 0x80, 0x83, 0xff] {
        assert_eq!(fault(&[code, 0, 0, 0, 1]), Some(Reason::InvalidFunction), "{code}");
    }
}

#[test]
fn one_byte_more_or_less_is_a_length_mismatch() {
    let requests = [
        Request::Read(1, 0, 1),
        Request::Read(2, 0, 1),
        Request::Read(3, 0, 1),
        Request::Read(4, 0, 1),
        Request::Coil(0, true),
        Request::Register(0, 1),
        Request::Bare(7),
        Request::Bare(11),
        Request::Bare(12),
        Request::Bare(17),
        Request::Diagnostic(0, vec![1]),
        Request::Coils(0, vec![true; 9]),
        Request::Registers(0, vec![1, 2]),
        Request::ReadFiles(vec![(1, 0, 1)]),
        Request::WriteFiles(vec![(1, 0, vec![1])]),
        Request::Mask(0, 0, 0),
        Request::ReadWrite(0, 1, 0, vec![1]),
        Request::Fifo(0),
        Request::Identify(1, 0),
    ];
    for request in requests {
        let pdu = request.pdu();
        assert_eq!(fault(&pdu), None, "{request:?}");
        for length in 1..pdu.len() {
            assert_eq!(fault(&pdu[..length]), Some(Reason::LengthMismatch), "{request:?} cut to {length}");
        }
        assert_eq!(fault(&[&pdu[..], &[0]].concat()), Some(Reason::LengthMismatch), "{request:?} and a byte");
    }
    assert_eq!(fault(&[90, 0]), Some(Reason::LengthMismatch), "UMAS without its function");
}

#[test]
fn byte_counts_must_fit_quantities() {
    let with = |request: &Request, at: usize, byte: u8| {
        let mut pdu = request.pdu();
        pdu[at] = byte;
        fault(&pdu)
    };
    let mismatch = Some(Reason::LengthMismatch);
    assert_eq!(with(&Request::Coils(0, vec![true; 9]), 5, 1), mismatch);
    assert_eq!(with(&Request::Registers(0, vec![1, 2]), 5, 2), mismatch);
    assert_eq!(with(&Request::Registers(0, vec![1, 2]), 4, 3), mismatch, "quantity");
    assert_eq!(with(&Request::ReadWrite(0, 1, 0, vec![1, 2]), 9, 2), mismatch);
    assert_eq!(with(&Request::ReadFiles(vec![(1, 0, 1)]), 1, 14), mismatch);
    assert_eq!(with(&Request::WriteFiles(vec![(1, 0, vec![1])]), 8, 2), mismatch, "record length beyond the unit");
}

#[test]
fn quantities_addresses_and_codes_are_bounded() {
    let most = [(1, 2000), (2, 2000), (3, 125), (4, 125)];
    for (code, most) in most {
        assert_eq!(fault(&words(code, &[0, most])), None);
        for bad in [[0, 0], [0, most + 1], [0, 0xffff], [0xffff, 2]] {
            assert_eq!(fault(&words(code, &bad)), Some(Reason::OutOfRange), "{code} {bad:?}");
        }
        assert_eq!(fault(&words(code, &[0xffff, 1])), None);
    }
    let out = Some(Reason::OutOfRange);
    assert_eq!(fault(&words(5, &[0, 0x0001])), out);
    assert_eq!(fault(&words(5, &[0, 0xffff])), out);
    assert_eq!(fault(&Request::Coils(0, vec![]).pdu()), out);
    assert_eq!(fault(&Request::Coils(0, vec![true; 1969]).pdu()), out);
    assert_eq!(fault(&Request::Coils(65535, vec![true; 2]).pdu()), out);
    assert_eq!(fault(&Request::Registers(0, vec![]).pdu()), out);
    assert_eq!(fault(&Request::Registers(65500, vec![0; 37]).pdu()), out);
    for (reads, writes) in [(0, 1), (126, 1), (1, 0)] {
        assert_eq!(fault(&Request::ReadWrite(0, reads, 0, vec![0; writes]).pdu()), out, "{reads} {writes}");
    }
    assert_eq!(fault(&Request::ReadWrite(65535, 2, 0, vec![0]).pdu()), out);
    assert_eq!(fault(&Request::ReadWrite(0, 1, 65535, vec![0; 2]).pdu()), out);
    for group in [(0, 0, 1), (1, 10000, 1), (1, 9999, 2), (1, 0, 0)] {
        assert_eq!(fault(&Request::ReadFiles(vec![(1, 0, 1), group]).pdu()), out, "{group:?}");
    }
    let mut pdu = Request::ReadFiles(vec![(1, 0, 1)]).pdu();
    pdu[2] = 7;
    assert_eq!(fault(&pdu), out, "reference type");
    assert_eq!(fault(&Request::ReadFiles(vec![(1, 0, 1); 9]).pdu()), Some(Reason::BeyondInspection));
}

#[test]
fn a_rest_of_a_file_group_is_a_length_mismatch_wherever_the_segment_ends() {
    let pdu = [&[20, 10][..], &words(6, &[1, 0, 1]), &[6, 0, 1]].concat();
    assert_eq!(fault(&pdu), Some(Reason::LengthMismatch));
}

#[test]
fn framing_believes_a_length_only_within_its_limits() {
    let pdu = Request::Read(3, 0, 1).pdu();
    for length in [0, 1, 255, 65535] {
        let records = read(&raw(1, 0, length, 1, &pdu));
        assert_eq!(records[0].fault, Reason::MalformedFraming as u8, "{length}");
    }
    assert_eq!(read(&raw(1, 1, 6, 1, &pdu))[0].fault, Reason::MalformedFraming as u8, "protocol identifier");
    assert_eq!(read(&raw(1, 0x100, 6, 1, &pdu))[0].fault, Reason::MalformedFraming as u8);
    let umas = |size: usize| read(&adu(1, 1, &Request::Umas(0, 1, vec![0; size]).pdu()))[0].fault;
    assert_eq!((umas(1096), umas(1097)), (0, Reason::MalformedFraming as u8));
}

#[test]
fn a_datagram_holds_exactly_one_unit() {
    let one = adu(1, 1, &Request::Read(3, 0, 1).pdu());
    for bytes in [&one[..11], &[&one[..], &[0]].concat(), &[&one[..], &one].concat(), &one[..3]] {
        let records = read(bytes);
        assert_eq!(records.len(), 1, "{bytes:?}");
        assert_ne!(records[0].fault, 0, "{bytes:?}");
    }
}
