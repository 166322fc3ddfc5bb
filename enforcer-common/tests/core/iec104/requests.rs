//! ASDUs for a device: fields, exact lengths, and what each type may be sent with.

use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::protocol::iec104::functions::{FUNCTIONS, space};
use enforcer_common::verdict::Reason;

use super::{ask, fault, read, under};
use crate::support::iec104::{Asdu, object};
use crate::support::policy::{Effect, rule};

/// Types that may be sent to a device, with the octets behind their object address (IEC 60870-5-101 7.3) and a cause.
const SIZES: &[(u8, usize, u8)] = &[
    (45, 1, 6),
    (46, 1, 6),
    (47, 1, 8),
    (48, 3, 6),
    (49, 3, 6),
    (50, 5, 8),
    (51, 4, 6),
    (58, 8, 6),
    (59, 8, 6),
    (60, 8, 6),
    (61, 10, 6),
    (62, 10, 6),
    (63, 12, 6),
    (64, 11, 6),
    (100, 1, 6),
    (101, 1, 6),
    (102, 0, 5),
    (103, 7, 6),
    (104, 2, 6),
    (105, 1, 6),
    (106, 2, 3),
    (107, 9, 6),
    (110, 3, 6),
    (111, 3, 6),
    (112, 5, 6),
    (113, 1, 8),
    (120, 6, 13),
    (121, 7, 13),
    (122, 4, 5),
    (123, 5, 13),
    (124, 4, 13),
    (127, 16, 13),
];

/// One object of a type, with its smallest sound element.
fn sound(kind: u8, size: usize, cause: u8) -> Asdu {
    let mut elements = vec![0; size];
    if [46, 47, 59, 60].contains(&kind) {
        elements[0] = 1;
    }
    Asdu::new(kind, 0x01_0203, &elements).cause(cause)
}

fn value(one: &Operation) -> Option<(i64, i64)> {
    one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max))
}

#[test]
fn every_type_has_its_length_and_nothing_else() {
    for (kind, size, cause) in SIZES {
        let asdu = sound(*kind, *size, *cause);
        let one = read(&asdu);
        assert_eq!((one.fault, one.function, one.unit), (0, u32::from(*kind), 7), "{kind}");
        assert_eq!((one.space, one.first, one.last), (u32::from(*kind), 0x02_0406, 0x02_0407), "{kind}");
        for length in 0..asdu.objects.len() {
            let cut = Asdu { objects: asdu.objects[..length].to_vec(), ..asdu.clone() };
            assert_eq!(fault(&cut), Some(Reason::LengthMismatch), "{kind} cut to {length}");
        }
        assert_eq!(fault(&asdu.clone().and(&[0])), Some(Reason::LengthMismatch), "{kind} and a byte");
        assert_eq!(fault(&asdu.clone().qualifier(2)), Some(Reason::LengthMismatch), "{kind} twice, once there");
        assert_eq!(fault(&asdu.clone().qualifier(0)), Some(Reason::LengthMismatch), "{kind} without object");
        let twice = asdu.clone().and(&asdu.objects).qualifier(2);
        assert_eq!(fault(&twice), Some(Reason::OutOfRange), "{kind} twice");
        assert_eq!(fault(&asdu.clone().qualifier(0x81)), Some(Reason::OutOfRange), "{kind} as a sequence");
        if *size != 0 {
            let sequence = asdu.clone().and(&asdu.objects[3..]).qualifier(0x82);
            assert_eq!(fault(&sequence), Some(Reason::OutOfRange), "{kind} as a sequence of two");
        }
    }
}

#[test]
fn a_segment_of_a_file_says_its_length() {
    let segment =
        |stated: u8, data: usize| Asdu::new(125, 1, &[&[1, 0, 1, stated][..], &vec![0xee; data]].concat()).cause(13);
    for size in [0, 1, 200, 236] {
        assert_eq!(fault(&segment(size, usize::from(size))), None, "{size}");
        assert_eq!(fault(&segment(size.wrapping_add(1), usize::from(size))), Some(Reason::LengthMismatch));
    }
    assert_eq!(fault(&Asdu::new(125, 1, &[1, 0, 1]).cause(13)), Some(Reason::LengthMismatch));
}

#[test]
fn what_only_devices_send_and_what_nobody_knows_is_no_request() {
    for kind in 0..=255u8 {
        let known = SIZES.iter().any(|row| row.0 == kind) || kind == 125 || (81..=95).contains(&kind);
        if !known {
            let one = read(&Asdu::new(kind, 5, &[0; 13]).cause(3));
            assert_eq!((one.fault, one.function), (Reason::InvalidFunction as u8, u32::from(kind)));
        }
    }
    for kind in [88, 89] {
        assert_eq!(fault(&Asdu::new(kind, 5, &[0])), Some(Reason::InvalidFunction));
    }
}

#[test]
fn causes_are_those_of_the_control_direction() {
    let allowed: &[(&[u8], &[u8])] = &[
        (&[45, 46, 47, 48, 49, 50, 51, 58, 59, 60, 61, 62, 63, 64, 100, 101, 113], &[6, 8]),
        (&[102], &[5]),
        (&[103, 104, 105, 107, 110, 111, 112], &[6]),
        (&[106], &[3, 6]),
        (&[120, 121, 123, 124], &[13]),
        (&[122, 127], &[5, 13]),
    ];
    for (kinds, causes) in allowed {
        for kind in *kinds {
            let (_, size, _) = SIZES.iter().find(|row| row.0 == *kind).expect("a row");
            for cause in 0..64 {
                let expected = (!causes.contains(&cause)).then_some(Reason::OutOfRange);
                assert_eq!(fault(&sound(*kind, *size, cause)), expected, "type {kind}, cause {cause}");
            }
        }
    }
    let single = |cause| Asdu::new(45, 1, &[1]).cause(cause);
    for (bits, transaction) in [(0x40, 1), (0x80, 1 << 24 | 1), (0xc0, 1 << 24 | 1)] {
        let one = read(&single(6 | bits));
        let as_ever = (0, transaction, Some((1, 1)));
        assert_eq!((one.fault, one.transaction, value(&one)), as_ever, "a test or a negative request is a command");
    }
}

#[test]
fn all_stations_at_once_are_interrogated_set_reset_and_tested_only() {
    for (kind, size, cause) in SIZES {
        let expected = (![100, 101, 103, 104, 105, 106, 107].contains(kind)).then_some(Reason::OutOfRange);
        assert_eq!(fault(&sound(*kind, *size, *cause).station(0xffff)), expected, "{kind}");
    }
}

#[test]
fn commands_carry_their_state() {
    let state = |kind, element: &[u8]| value(&read(&Asdu::new(kind, 1, element)));
    for octet in 0..128u8 {
        assert_eq!(state(45, &[octet]), Some((i64::from(octet & 1), i64::from(octet & 1))));
        for kind in [46, 47] {
            let expected = (octet & 3 == 0 || octet & 3 == 3).then_some(Reason::OutOfRange);
            assert_eq!(fault(&Asdu::new(kind, 1, &[octet])), expected, "{octet:#x} is not permitted");
        }
    }
    assert_eq!((state(46, &[1]), state(47, &[2])), (Some((1, 1)), Some((2, 2))));
    let time = [0; 7];
    assert_eq!(state(58, &[&[5][..], &time].concat()), Some((1, 1)));
    assert_eq!(state(59, &[&[6][..], &time].concat()), Some((2, 2)));
}

#[test]
fn set_points_and_parameters_carry_their_value() {
    let state = |kind, element: &[u8]| value(&read(&Asdu::new(kind, 1, element)));
    for kind in [48, 49, 110, 111] {
        assert_eq!(state(kind, &[0x34, 0x12, 0]), Some((0x1234, 0x1234)));
        assert_eq!(state(kind, &[0, 0x80, 0]), Some((-32768, -32768)));
    }
    assert_eq!(state(61, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some((1, 1)));
    for kind in [50, 112] {
        let float = |number: f32| state(kind, &[&number.to_le_bytes()[..], &[0]].concat());
        assert_eq!(float(100.0), Some((100, 100)));
        assert_eq!(float(99.5), Some((99, 100)), "a range covers it when it lies inside");
        assert_eq!(float(-0.25), Some((-1, 0)));
        assert_eq!(float(f32::NAN), None);
    }
    assert_eq!(state(51, &[0xff, 0xff, 0xff, 0xff]), Some((0xffff_ffff, 0xffff_ffff)));
    for kind in [100, 105, 113] {
        assert_eq!(state(kind, &[20]), Some((20, 20)));
    }
}

#[test]
fn a_value_that_is_no_number_is_covered_by_no_rule_with_values() {
    let rules = [rule(Effect::Allow, &[50]).values(&[(i64::MIN, i64::MAX)])];
    let set = |number: f32| Asdu::new(50, 1, &[&number.to_le_bytes()[..], &[0]].concat()).frame(0);
    assert_eq!(under(&rules).ask(&set(5.5)).reason, Reason::RuleAllow);
    assert_eq!(under(&rules).ask(&set(f32::NAN)).reason, Reason::ValueNotAllowed);
    let rules = [rule(Effect::Allow, &[50]).values(&[(0, 100)])];
    for (number, reason) in
        [(100.0, Reason::RuleAllow), (100.01, Reason::ValueNotAllowed), (-0.01, Reason::ValueNotAllowed)]
    {
        assert_eq!(under(&rules).ask(&set(number)).reason, reason, "{number}");
    }
}

#[test]
fn a_select_touches_the_member_and_an_execute_the_whole_object() {
    let select = [(45, vec![0x81]), (46, vec![0x82]), (49, vec![5, 0, 0x80]), (50, vec![0, 0, 0x80, 0x3f, 0x80])];
    for (kind, elements) in select {
        let one = read(&Asdu::new(kind, 1000, &elements));
        assert_eq!((one.fault, one.first, one.last), (0, 2001, 2001), "{kind}");
        assert!(one.has(Operation::HAS_VALUE));
    }
    let frame = |octet| Asdu::new(45, 1000, &[octet]).frame(0);
    let only_select = [rule(Effect::Allow, &[45]).objects(&[(45, 2001, 2001)])];
    assert_eq!(under(&only_select).ask(&frame(0x81)).reason, Reason::RuleAllow);
    assert_eq!(under(&only_select).ask(&frame(0x01)).reason, Reason::ObjectNotAllowed);
    let both = [rule(Effect::Allow, &[45]).objects(&[(45, 2000, 2001)])];
    assert_eq!(under(&both).ask(&frame(0x81)).reason, Reason::RuleAllow);
    assert_eq!(under(&both).ask(&frame(0x01)).reason, Reason::RuleAllow);
    // A parameter has no S/E where a set point has one.
    assert_eq!(read(&Asdu::new(110, 1000, &[0, 0, 0x80])).first, 2000);
    assert_eq!(read(&Asdu::new(51, 1000, &[0, 0, 0, 0x80])).first, 2000);
}

#[test]
fn counters_that_are_frozen_and_files_that_are_deleted_are_objects_of_their_own() {
    let counter = |octet| read(&Asdu::new(101, 0, &[octet]));
    let one = counter(5);
    assert_eq!((one.space, one.access, value(&one)), (space::TYPE + 101, Access::Read as u8, Some((5, 5))));
    for freeze in 1..=3 {
        let one = counter(freeze << 6 | 5);
        assert_eq!((one.space, one.first, one.last), (space::COUNTER_FREEZE, 0, 0));
        assert_eq!((one.access, value(&one)), (Access::Write as u8, Some((freeze.into(), freeze.into()))));
    }
    for qualifier in 0..16 {
        let one = read(&Asdu::new(122, 9, &[0x34, 0x12, 0, qualifier]).cause(13));
        let expected = if qualifier == 4 { space::FILE_DELETE } else { space::TYPE + 122 };
        assert_eq!((one.space, one.fault, value(&one)), (expected, 0, Some((0x1234, 0x1234))));
    }
}

#[test]
fn secure_authentication_has_no_object_and_what_it_wraps_is_beyond_inspection() {
    for kind in [81, 82, 84, 85, 86, 87, 90, 91, 92, 93, 94, 95] {
        let asdu = Asdu { objects: vec![0xc1, 1, 2], ..Asdu::new(kind, 0, &[]) }.cause(14);
        let one = read(&asdu);
        assert_eq!((one.fault, one.space, one.access), (0, NO_OBJECT, Access::Session as u8), "{kind}");
        assert_eq!(fault(&Asdu { objects: vec![], ..asdu.clone() }), Some(Reason::LengthMismatch));
        assert_eq!(fault(&asdu.cause(6)), Some(Reason::OutOfRange));
    }
    let wrapped = Asdu { objects: vec![0xc1, 45, 1, 6, 0, 7, 0, 1, 0, 0, 1], ..Asdu::new(83, 0, &[]) }.cause(14);
    assert_eq!(fault(&wrapped), Some(Reason::BeyondInspection));
}

#[test]
fn every_name_is_in_these_tables() {
    for row in FUNCTIONS.iter().filter(|row| row.code < 256 && row.access != Access::Session) {
        let sent = SIZES.iter().any(|known| u32::from(known.0) == row.code) || row.code == 125;
        assert_eq!(row.technique == "T0856", !sent, "{}: what devices alone send is a spoofed report", row.name);
    }
    let seen = ask(&Asdu { objects: object(1, &[1]), ..Asdu::new(45, 0, &[]) });
    assert_eq!(seen.reason, Reason::RuleAllow);
}
