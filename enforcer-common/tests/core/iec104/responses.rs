//! ASDUs from the device: ranges of objects, negative confirmations, and that nothing is held back.

use enforcer_common::action::Action;
use enforcer_common::operation::{NO_OBJECT, Operation, Role};
use enforcer_common::verdict::Reason;

use super::started;
use crate::support::iec104::{Asdu, control, object, raw};
use crate::support::wire::Seen;

fn answer(bytes: &[u8]) -> Seen {
    let seen = started().answer(bytes);
    assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward), "a device's answer is not stopped");
    seen
}

fn ranges(asdu: &Asdu) -> Vec<(u32, u32)> {
    let seen = answer(&asdu.frame(0));
    for (index, one) in seen.operations.iter().enumerate() {
        assert_eq!((one.fault, one.function, one.role), (0, u32::from(asdu.kind), Role::Response as u8));
        assert_eq!(one.has(Operation::CONTINUES), index > 0);
        assert_eq!((one.space, one.unit, one.first & 1, one.last & 1), (u32::from(asdu.kind), 7, 0, 1));
    }
    seen.operations.iter().map(|one| (one.first >> 1, one.last >> 1)).collect()
}

/// Octets behind the object address of what devices send, IEC 60870-5-101 7.3.1 and 7.3.3.
const SIZES: &[(u8, usize)] = &[
    (1, 1),
    (2, 4),
    (3, 1),
    (4, 4),
    (5, 2),
    (6, 5),
    (7, 5),
    (8, 8),
    (9, 3),
    (10, 6),
    (11, 3),
    (12, 6),
    (13, 5),
    (14, 8),
    (15, 5),
    (16, 8),
    (17, 6),
    (18, 7),
    (19, 7),
    (20, 5),
    (21, 2),
    (30, 8),
    (31, 8),
    (32, 9),
    (33, 12),
    (34, 10),
    (35, 10),
    (36, 12),
    (37, 12),
    (38, 10),
    (39, 11),
    (40, 11),
    (41, 14),
    (70, 1),
    (126, 13),
];

#[test]
fn lengths_follow_from_count_and_type() {
    for (kind, size) in SIZES {
        let one = Asdu::new(*kind, 5, &vec![0; *size]).cause(3);
        let three = (6..8).fold(one.clone(), |all, place| all.and(&object(place, &vec![0; *size]))).qualifier(3);
        assert_eq!(ranges(&one), [(5, 5)], "{kind}");
        assert_eq!(ranges(&three), [(5, 7)], "{kind}");
        let sequence = one.clone().and(&vec![0; *size * 3]).qualifier(0x84);
        assert_eq!(ranges(&sequence), [(5, 8)], "{kind}");
        for bad in [one.clone().and(&[0]), one.clone().qualifier(2), sequence.qualifier(0x85)] {
            assert_eq!(answer(&bad.frame(0)).operations[0].fault, Reason::LengthMismatch as u8, "{kind}");
        }
    }
}

#[test]
fn objects_apart_are_ranges_of_their_own() {
    let places = [9, 10, 20, 3, 4, 5];
    let list = places.iter().fold(Asdu::new(1, 8, &[0]), |all, place| all.and(&object(*place, &[1]))).qualifier(7);
    assert_eq!(ranges(&list.cause(20)), [(8, 10), (20, 20), (3, 5)]);
    let many = (1..40).fold(Asdu::new(1, 0, &[0]), |all, place| all.and(&object(place * 2, &[1]))).qualifier(40);
    assert_eq!(ranges(&many.cause(20)).len(), 9, "the room that is left is that of the frames behind");
}

#[test]
fn thirty_two_lists_in_one_segment_have_a_record_each() {
    let list = Asdu::new(1, 8, &[0]).and(&object(99, &[1])).qualifier(2).cause(3).frame(0);
    let seen = answer(&list.repeat(32));
    let units = seen.operations.iter().filter(|one| !one.has(Operation::CONTINUES)).count();
    assert_eq!((units, seen.operations.len()), (32, 40));
    assert!(seen.operations.iter().all(|one| one.fault == 0));
}

#[test]
fn confirmations_that_are_negative_are_exceptions() {
    let exception = |cause: u8| {
        let one = answer(&Asdu::new(46, 3, &[1]).cause(cause).frame(0)).operations[0];
        assert_eq!((one.function, one.first, one.transaction & 0xff_ffff), (46, 6, 3));
        one.has(Operation::HAS_EXCEPTION).then_some(one.exception)
    };
    for cause in [7, 9, 10] {
        assert_eq!((exception(cause), exception(cause | 0x40)), (None, Some(cause)), "{cause}");
    }
    for cause in 44..48 {
        assert_eq!((exception(cause), exception(cause | 0x40)), (Some(cause), Some(cause)), "{cause}");
    }
}

#[test]
fn what_devices_send_that_nobody_knows_is_named_by_number() {
    for kind in [0, 22, 99, 128, 200, 255] {
        let one = answer(&Asdu::new(kind, 77, &[1, 2, 3]).cause(3).frame(0)).operations[0];
        assert_eq!((one.function, one.fault, one.first), (u32::from(kind), 0, 154));
    }
    let secured = Asdu { objects: vec![0xc1, 1, 2], ..Asdu::new(81, 0, &[]) };
    assert_eq!(answer(&secured.cause(14).frame(0)).operations[0].space, NO_OBJECT);
    assert_eq!(answer(&raw(4, &[0; 4])).operations[0].fault, Reason::LengthMismatch as u8);
    assert_eq!(answer(&control([0x43, 0, 0, 0])).operations[0].function, 256 + 0x43);
    assert_eq!(answer(&control([0xc3, 0, 0, 0])).operations[0].fault, Reason::MalformedFraming as u8);
}

#[test]
fn an_answer_in_pieces_is_read_once_and_skipped_to_its_end() {
    let long = Asdu::new(13, 500, &[0; 5]).and(&[0; 5 * 40]).qualifier(0x80 | 41).cause(20).frame(0);
    let next = Asdu::new(1, 1, &[1]).cause(3).frame(1);
    for cut in 1..long.len() {
        let mut wire = started();
        let before = wire.answer(&long[..cut]).operations.len();
        let seen = wire.answer(&[&long[cut..], &next].concat());
        let kinds: Vec<u32> = seen.operations.iter().map(|one| one.function).collect();
        let expected = if before == 0 { &[13, 1][..] } else { &[1] };
        assert_eq!((before + kinds.len(), &kinds[..]), (2, expected), "{cut}");
        assert!(seen.operations.iter().all(|one| one.fault == 0), "{cut}");
    }
}
