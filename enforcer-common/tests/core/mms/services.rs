//! Confirmed services and the other protocol data units.

use enforcer_common::operation::{Access, NO_OBJECT};
use enforcer_common::protocol::mms::functions::{FUNCTIONS, service, space, unit};
use enforcer_common::protocol::tables::name_number;
use enforcer_common::verdict::Reason;

use super::{fault, fields, named, read};
use crate::support::mms::{ask, long, object, pdu, request, seq, tlv};

/// A request of this service with these contents.
fn asked(number: u8, primitive: bool, contents: &[u8]) -> Vec<u8> {
    let class = if primitive { 0x80 } else { 0xa0 };
    ask(&if number < 31 { tlv(class | number, contents) } else { long(class | 0x1f, number, contents) })
}

#[test]
fn every_service_is_the_function_of_its_tag_and_of_its_rows_class() {
    let primitive = [0, 2, 27, 29, 30, 31, 36, 37, 39, 45, 73, 74];
    for number in 0..=service::LAST {
        if number == service::READ || number == service::WRITE {
            continue;
        }
        let row = FUNCTIONS.iter().find(|row| row.code == number).expect("a row");
        let tag = number as u8;
        for other in [false, true] {
            let found = read(&asked(tag, other, &[0x80, 1, b'x']));
            let [one] = found[..] else { panic!("{found:?}") };
            assert_eq!((one.function, one.access, one.transaction), (number, row.access as u8, 9), "{}", row.name);
            let wrong = other != primitive.contains(&number);
            let malformed = one.fault == Reason::MalformedFraming as u8;
            // Contents of another shape than the one in front are wrong as well.
            assert!(malformed || !wrong, "{}: {one:?}", row.name);
        }
    }
    let unknown = read(&asked(100, false, &[]));
    assert_eq!((unknown[0].function, unknown[0].access, unknown[0].fault), (100, Access::Unknown as u8, 0));
}

#[test]
fn services_are_about_what_they_name() {
    let whole = |name: &[u8]| name_number(name, None);
    let object_of = |bytes: &[u8]| {
        let seen = fields(bytes);
        let [(_, _, space, number)] = seen[..] else { panic!("{seen:?}") };
        (space, number)
    };
    let field = tlv(0x80, b"Main");
    for number in [40, 41, 42, 43, 44, 38] {
        assert_eq!(object_of(&asked(number, false, &field)), (space::PROGRAM, whole(b"Main")));
    }
    for number in [39, 45] {
        assert_eq!(object_of(&asked(number, true, b"Main")), (space::PROGRAM, whole(b"Main")));
    }
    for number in [26, 28, 32, 33, 34, 35] {
        assert_eq!(object_of(&asked(number, false, &field)), (space::DOMAIN, whole(b"main")));
    }
    for number in [27, 29, 36, 37] {
        assert_eq!(object_of(&asked(number, true, b"Main")), (space::DOMAIN, whole(b"Main")));
    }
    let file = tlv(0x19, b"COMTRADE/fault 1.dat");
    let known = (space::FILE, whole(b"COMTRADE/fault 1.dat"));
    assert_eq!(object_of(&asked(72, false, &[tlv(0xa0, &file), tlv(0x81, &[0])].concat())), known);
    assert_eq!(object_of(&asked(76, false, &file)), known);
    assert_eq!(object_of(&asked(75, false, &[tlv(0xa0, &file), tlv(0xa1, &file)].concat())), known);
    assert_eq!(object_of(&asked(77, false, &tlv(0xa0, &file))), known);
    assert_eq!(object_of(&asked(77, false, &[])).0, NO_OBJECT);
    assert_eq!(object_of(&asked(77, false, &tlv(0x81, b"after"))).0, NO_OBJECT);
    let parts = [file.clone(), file].concat();
    assert_eq!(fault(&asked(76, false, &parts)), Some(Reason::BeyondInspection), "a name in several parts");
    let journal = tlv(0xa0, &object("LD1", "LLN0$log"));
    assert_eq!(object_of(&asked(65, false, &journal)), (space::JOURNAL, named("LD1/LLN0$log")));
    let list = object("LD1", "LLN0$ds");
    assert_eq!(object_of(&asked(12, false, &list)), (space::LIST, named("LD1/LLN0$ds")));
    assert_eq!(object_of(&asked(11, false, &[list, tlv(0xa0, &[])].concat())), (space::LIST, named("LD1/LLN0$ds")));
    let name = tlv(0xa0, &object("LD1", "GGIO1"));
    assert_eq!(object_of(&asked(6, false, &name)), (space::VARIABLE, named("LD1/GGIO1")));
    assert_eq!(object_of(&asked(6, false, &tlv(0xa1, &[0x80, 0]))).0, NO_OBJECT, "an address");
    for number in [1, 13, 19, 46, 71] {
        assert_eq!(object_of(&asked(number, false, &[])).0, NO_OBJECT);
    }
    assert_eq!(fault(&asked(41, false, &[])), Some(Reason::LengthMismatch), "nothing is named");
    assert_eq!(fault(&asked(41, false, &tlv(0x81, b"x"))), Some(Reason::MalformedFraming));
    assert_eq!(fault(&asked(36, true, &[])), Some(Reason::OutOfRange));
}

#[test]
fn one_request_has_one_service() {
    // Vector 33 of PROTOCOLS.md 23: a server in use runs both.
    let identify = tlv(0x82, &[]);
    let operate = crate::support::mms::write(&[("LD1", "GGIO1$CO$a$Oper")], &[vec![0x83, 1, 1]]);
    let both = ask(&[identify.clone(), operate.clone()].concat());
    assert_eq!(fault(&both), Some(Reason::MalformedFraming));
    assert_eq!(fault(&ask(&[operate, identify.clone()].concat())), Some(Reason::MalformedFraming));
    // [79] detail of a companion standard.
    assert_eq!(fault(&ask(&[identify.clone(), long(0xbf, 79, &[])].concat())), Some(Reason::MalformedFraming));
    // Modifiers.
    assert_eq!(fault(&ask(&[tlv(0x30, &[]), identify.clone()].concat())), Some(Reason::BeyondInspection));
    assert_eq!(fault(&ask(&[])), Some(Reason::LengthMismatch), "none");
    // Two protocol data units where one belongs, and two values in the presentation data.
    let one = request(1, &identify);
    assert_eq!(fault(&pdu(&[one.clone(), one].concat())), Some(Reason::LengthMismatch));
}

#[test]
fn tags_and_invocations_have_one_form() {
    for bad in [
        long(0xbf, 4, &[]),
        long(0xbf, 30, &[]),
        [vec![0xbf, 0x81, 0x04], vec![0]].concat(),
        tlv(0x42, &[]),
        tlv(0x04, &[]),
        tlv(0xe4, &[]),
    ] {
        assert_eq!(fault(&ask(&bad)), Some(Reason::MalformedFraming), "{bad:02x?}");
    }
    let invocation = |octets: &[u8]| {
        let bytes = pdu(&seq(0xa0, &[tlv(0x02, octets), tlv(0x82, &[])]));
        let found = read(&bytes);
        (found[0].transaction, Reason::from_code(found[0].fault))
    };
    assert_eq!(invocation(&[7]), (7, None));
    assert_eq!(invocation(&[0x12, 0x34]), (0x1234, None));
    assert_eq!(invocation(&[0, 0xff, 0xff, 0xff, 0xff]), (0xffff_ffff, None));
    assert_eq!(invocation(&[]).1, Some(Reason::OutOfRange));
    assert_eq!(invocation(&[1, 0, 0, 0, 0]).1, Some(Reason::OutOfRange));
    assert_eq!(invocation(&[0; 6]).1, Some(Reason::OutOfRange));
    let other = pdu(&seq(0xa0, &[tlv(0x80, &[1]), tlv(0x82, &[])]));
    assert_eq!(fault(&other), Some(Reason::MalformedFraming));
}

#[test]
fn what_is_no_confirmed_request() {
    let one = |bytes: &[u8]| {
        let found = read(&pdu(bytes));
        let [one] = found[..] else { panic!("{found:?}") };
        (one.function, Access::from_code(one.access), Reason::from_code(one.fault))
    };
    assert_eq!(one(&[0x8b, 0]), (unit::CONCLUDE, Access::Session, None));
    assert_eq!(one(&[0x8b, 1, 0]).2, Some(Reason::LengthMismatch));
    assert_eq!(one(&[0x85, 1, 7]), (unit::CANCEL, Access::Session, None));
    assert_eq!(fault(&pdu(&[0x85, 0])), Some(Reason::LengthMismatch));
    assert_eq!(one(&tlv(0xa4, &[0x80, 1, 7])).0, unit::REJECT);
    assert_eq!(one(&tlv(0xa3, &tlv(0xa0, &[]))).0, unit::INFORMATION_REPORT);
    // Answers, from the wrong end; and what opens an association, in the middle of one.
    for tag in [0xa1, 0xa2, 0xa9, 0x8c, 0x86, 0x60, 0x30, 0xa8] {
        assert_eq!(one(&tlv(tag, &[])).2, Some(Reason::InvalidFunction), "{tag:02x}");
    }
}
