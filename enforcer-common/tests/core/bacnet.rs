//! BACnet/IP: what each kind of message says, and every rule of length and range violated in turn.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::bacnet::spaces;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::bacnet::*;
use crate::support::frames::{HMI, PLC, ethernet, ipv4, udp};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

/// One datagram between equal ports, in a conduit with these rules.
fn send(rules: &[Rule], side: Side, bytes: &[u8]) -> Seen {
    let mut policy = Policy::new(rules);
    policy.protocol = Protocol::Bacnet;
    let (from, to) = if side == Side::Network { (HMI, PLC) } else { (PLC, HMI) };
    let frame = ethernet(side, &[], 0x0800, &ipv4(from, to, 17, &[], &udp((502, 502), bytes)));
    Wire::new(&policy, Mode::Enforce).watched().frame(side, &frame)
}

fn all() -> [Rule; 1] {
    [rule(Effect::Allow, &[])]
}

fn read(bytes: &[u8]) -> Vec<Operation> {
    send(&all(), Side::Network, bytes).operations
}

/// What was wrong with a datagram.
fn fault(bytes: &[u8]) -> Option<Reason> {
    read(bytes).iter().find_map(|one| Reason::from_code(one.fault))
}

/// The only record of a sound datagram.
fn single(bytes: &[u8]) -> Operation {
    let records = read(bytes);
    assert_eq!((records.len(), records[0].fault), (1, 0), "{records:?}");
    records[0]
}

fn property(kind: u32, instance: u32, property: u32) -> (u32, u32, u32) {
    (kind, instance << 10 | property, instance << 10 | property)
}

fn whole(kind: u32, instance: u32) -> (u32, u32, u32) {
    (kind, instance << 10, instance << 10 | 1023)
}

fn touched(one: &Operation) -> (u32, u32, u32) {
    (one.space, one.first, one.last)
}

fn value(one: &Operation) -> Option<(i64, i64)> {
    one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max))
}

#[test]
fn a_property_is_part_of_its_object() {
    let one = single(&unicast(&read_property(0, 7, 85)));
    assert_eq!(touched(&one), property(0, 7, 85));
    assert_eq!((one.function, one.role, one.access), (12, Role::Request as u8, Access::Read as u8));
    assert_eq!((one.transaction, one.unit, one.protocol), (9, 0, Protocol::Bacnet as u8));
    assert_eq!(touched(&single(&unicast(&read_property(1023, 0x3f_ffff, 4000)))), property(1023, 0x3f_ffff, 1023));
    for many in [8, 80, 105] {
        assert_eq!(touched(&single(&unicast(&read_property(8, 1, many)))), whole(8, 1), "all, optional, required");
    }
    let indexed = [object(0x0c, 8, 3), number(1, 76), number(2, 300)].concat();
    assert_eq!(touched(&single(&unicast(&confirmed(12, &indexed)))), property(8, 3, 76));
}

#[test]
fn a_write_has_its_value() {
    let written = |tags: &[u8]| {
        let one = single(&unicast(&write_property(1, 2, 85, tags)));
        assert_eq!((touched(&one), one.access), (property(1, 2, 85), Access::Write as u8));
        value(&one)
    };
    assert_eq!(written(&[0x11]), Some((1, 1)), "boolean");
    assert_eq!(written(&[0x10]), Some((0, 0)));
    assert_eq!(written(&[0x21, 200]), Some((200, 200)), "unsigned");
    assert_eq!(written(&[0x24, 0xff, 0xff, 0xff, 0xff]), Some((0xffff_ffff, 0xffff_ffff)));
    assert_eq!(written(&[0x31, 0xfe]), Some((-2, -2)), "signed");
    assert_eq!(written(&[0x91, 1]), Some((1, 1)), "enumerated");
    assert_eq!(written(&[0x00]), None, "NULL takes a command back");
    assert_eq!(written(&[0x75, 5, 0, b'a', b'b', b'c', b'd']), None, "a string");
    assert_eq!(written(&[0x2e, 0x21, 1, 0x2f]), None, "constructed");
    assert_eq!(written(&[]), None, "an empty list");
    assert_eq!(written(&[0x21, 1, 0x21, 2]), None, "a list");
}

#[test]
fn a_real_number_lies_between_two_whole_ones() {
    let real = |number: f32| {
        let tags = [&[0x44][..], &number.to_be_bytes()].concat();
        value(&single(&unicast(&write_property(1, 2, 85, &tags))))
    };
    let double = |number: f64| {
        let tags = [&[0x55, 8][..], &number.to_be_bytes()].concat();
        value(&single(&unicast(&write_property(1, 2, 85, &tags))))
    };
    for number in [0.0, -0.0, 0.25, 21.5, 100.0, 16_777_217.0, 0.999, 1e-40, 123_456.79, 4e9, 1e15, 3.5e18] {
        let spans = |n: f64| Some((n.floor() as i64, n.ceil() as i64));
        for number in [number, -number] {
            assert_eq!(double(number), spans(number), "{number}");
            assert_eq!(real(number as f32), spans(f64::from(number as f32)), "{number}");
        }
    }
    for beyond in [1e30, f64::INFINITY, f64::NAN] {
        assert_eq!((double(beyond), real(beyond as f32)), (None, None));
    }
}

#[test]
fn values_bind_a_write() {
    let rules = [rule(Effect::Allow, &[15]).objects(&[whole(1, 2)]).values(&[(0, 100)])];
    let reason = |tags: &[u8]| send(&rules, Side::Network, &unicast(&write_property(1, 2, 85, tags))).reason;
    assert_eq!(reason(&[0x44, 0x42, 0xc7, 0, 0]), Reason::RuleAllow, "99.5");
    assert_eq!(reason(&[0x44, 0x42, 0xc9, 0, 0]), Reason::ValueNotAllowed, "100.5");
    assert_eq!(reason(&[0x00]), Reason::ValueNotAllowed, "NULL");
}

#[test]
fn lists_have_a_record_per_property() {
    let list = [read_list(0, 1, &[85, 28]), read_list(8, 5, &[8])].concat();
    let records = read(&unicast(&confirmed(14, &list)));
    let objects: Vec<_> = records.iter().map(touched).collect();
    assert_eq!(objects, [property(0, 1, 85), property(0, 1, 28), whole(8, 5)]);
    assert!(records.iter().all(|one| one.fault == 0 && one.function == 14 && one.transaction == 9));
    assert_eq!(records.iter().filter(|one| one.has(Operation::CONTINUES)).count(), 2);

    let list = [write_list(1, 1, &[(85, &[0x91, 1]), (28, &[0x75, 3, 0, 65, 66])]), write_list(4, 9, &[(85, &[0])])];
    let records = read(&unicast(&confirmed(16, &list.concat())));
    let seen: Vec<_> = records.iter().map(|one| (touched(one), value(one), one.fault)).collect();
    let written = [(property(1, 1, 85), Some((1, 1)), 0), (property(1, 1, 28), None, 0), (property(4, 9, 85), None, 0)];
    assert_eq!(seen, written);
}

#[test]
fn a_constructed_value_in_a_list_is_walked_over() {
    // A day of a schedule: [0] time, value, time, value; and an object behind it.
    let day: &[u8] = &[0x0e, 0xb4, 8, 0, 0, 0, 0x91, 1, 0xb4, 17, 0, 0, 0, 0x91, 0, 0x0f];
    let list = [write_list(17, 1, &[(123, day)]), write_list(1, 2, &[(85, &[0x91, 1])])].concat();
    let records = read(&unicast(&confirmed(16, &list)));
    let objects: Vec<_> = records.iter().map(|one| (touched(one), one.fault)).collect();
    assert_eq!(objects, [(property(17, 1, 123), 0), (property(1, 2, 85), 0)]);
    // The closing tag of the list hides in front of that of the value.
    let hidden: &[u8] = &[0x3e, 0x2f, 0x3f];
    assert_eq!(fault(&unicast(&confirmed(16, &write_list(1, 2, &[(85, hidden)])))), Some(Reason::MalformedFraming));
    let deep: &[u8] = &[0x0e, 0x0e, 0x0e, 0x0e, 0x0f, 0x0f, 0x0f, 0x0f];
    assert_eq!(fault(&unicast(&confirmed(16, &write_list(1, 2, &[(85, deep)])))), Some(Reason::BeyondInspection));
}

#[test]
fn a_list_is_walked_as_far_as_there_are_records() {
    let list = |count: u32| (0..count).flat_map(|n| read_list(0, n, &[85])).collect::<Vec<u8>>();
    assert_eq!(fault(&unicast(&confirmed(14, &list(40)))), None);
    assert_eq!(fault(&unicast(&confirmed(14, &list(41)))), Some(Reason::BeyondInspection));
    let written = |count: u32| (0..count).flat_map(|n| write_list(1, n, &[(85, &[0x91, 1])])).collect::<Vec<u8>>();
    assert_eq!(read(&unicast(&confirmed(16, &written(40)))).len(), 40);
    // What is beyond is not waved through: the last write is of an object that no rule has.
    let rules = [rule(Effect::Allow, &[16]).objects(&[(1, 0, (39 << 10) | 1023)])];
    assert_eq!(send(&rules, Side::Network, &unicast(&confirmed(16, &written(40)))).action, Action::Forward);
    assert_eq!(send(&rules, Side::Network, &unicast(&confirmed(16, &written(41)))).action, Action::Drop);
    let long: Vec<u8> = [0x21, 1].repeat(60);
    let seen = send(&all(), Side::Network, &unicast(&confirmed(16, &write_list(1, 1, &[(85, &long)]))));
    assert_eq!(seen.reason, Reason::BeyondInspection);
}

#[test]
fn a_list_that_breaks_off_is_refused() {
    let list = [read_list(0, 1, &[85, 28]), read_list(8, 5, &[8])].concat();
    for cut in 0..list.len() {
        let whole = [0, read_list(0, 1, &[85, 28]).len()].contains(&cut) && cut != 0;
        assert_eq!(fault(&unicast(&confirmed(14, &list[..cut]))).is_none(), whole, "{cut}");
    }
    let list = write_list(1, 1, &[(85, &[0x44, 0, 0, 0, 0])]);
    for cut in 0..list.len() {
        assert!(fault(&unicast(&confirmed(16, &list[..cut]))).is_some(), "{cut}");
    }
}

/// Service, its parameters, what they touch, class.
type Parameters = (u8, Vec<u8>, (u32, u32, u32), Access);

#[test]
fn other_services_name_what_they_touch() {
    let process = number(0, 18);
    let with = |parts: &[&[u8]]| parts.concat();
    let object1 = |kind, instance| object(0x1c, kind, instance);
    let rows: Vec<Parameters> = vec![
        (0, with(&[&process, &object1(3, 4), &number(2, 1)]), whole(3, 4), Access::Write),
        (5, with(&[&process, &object1(0, 10), &number(2, 1), &number(3, 60)]), whole(0, 10), Access::Session),
        (5, with(&[&process, &object1(0, 10)]), whole(0, 10), Access::Session),
        (6, with(&[&object(0xc4, 10, 1), &[0x0e, 0x31, 0, 0x21, 9, 0x0f]]), whole(10, 1), Access::Program),
        (7, with(&[&object(0xc4, 10, 1), &[0x0e, 0x31, 0, 0x61, 9, 0x0f]]), whole(10, 1), Access::Firmware),
        (8, with(&[&object(0x0c, 15, 1), &number(1, 102), &[0x3e, 0x3f]]), property(15, 1, 102), Access::Write),
        (10, with(&[&[0x0e], &object1(2, 6), &[0x0f]]), whole(2, 6), Access::Write),
        (10, with(&[&[0x0e], &number(0, 2), &[0x0f]]), (2, 0, u32::MAX), Access::Write),
        (11, object(0xc4, 2, 6), whole(2, 6), Access::Write),
        (
            17,
            with(&[&number(0, 5), &number(1, 1), &[0x2d, 7, 0, 1, 2, 3, 4, 5, 6]]),
            (spaces::COMMUNICATION, 1, 1),
            Access::Control,
        ),
        (17, number(1, 0), (spaces::COMMUNICATION, 0, 0), Access::Control),
        (18, with(&[&number(0, 260), &number(1, 3)]), (spaces::VENDOR + 260, 3, 3), Access::Unknown),
        (20, with(&[&number(0, 1), &[0x1c, 0, b'a', b'b', b'c']]), (spaces::REINITIALIZE, 1, 1), Access::Control),
        (26, with(&[&object(0x0c, 20, 2), &number(1, 131)]), property(20, 2, 131), Access::Read),
        (27, with(&[&process, &[0x1a, 0, b'x'], &number(2, 1), &object(0x3c, 21, 1)]), whole(21, 1), Access::Control),
        (27, with(&[&process, &[0x1a, 0, b'x'], &number(2, 1)]), (NO_OBJECT, 0, 0), Access::Control),
        (
            28,
            with(&[&process, &object1(0, 10), &[0x4e], &number(0, 85), &[0x4f]]),
            property(0, 10, 85),
            Access::Session,
        ),
        (3, vec![], (NO_OBJECT, 0, 0), Access::Diagnose),
        (99, vec![1, 2, 3], (NO_OBJECT, 0, 0), Access::Unknown),
    ];
    for (service, parameters, object, access) in rows {
        let one = single(&unicast(&confirmed(service, &parameters)));
        assert_eq!((one.function, touched(&one), one.access), (service.into(), object, access as u8));
    }
}

#[test]
fn fixed_parameters_are_exact() {
    let short = [
        (12, [object(0x0c, 0, 1), number(1, 85)].concat()),
        (15, [object(0x0c, 1, 1), number(1, 85), vec![0x3e, 0x91, 1, 0x3f, 0x49, 8]].concat()),
        (5, [number(0, 1), object(0x1c, 0, 10)].concat()),
        (11, object(0xc4, 2, 6)),
        (20, number(0, 0)),
    ];
    for (service, parameters) in short {
        assert_eq!(fault(&unicast(&confirmed(service, &parameters))), None, "{service}");
        for cut in 0..parameters.len() {
            // A priority may be left out.
            let optional = service == 15 && cut == parameters.len() - 2;
            let cut_off = fault(&unicast(&confirmed(service, &parameters[..cut])));
            assert_eq!(cut_off.is_some(), !optional, "{service} at {cut}");
        }
        let longer = [&parameters[..], &[0]].concat();
        assert!(fault(&unicast(&confirmed(service, &longer))).is_some(), "{service}");
    }
    let priority = |number| {
        let mut apdu = write_property(1, 1, 85, &[0x91, 1]);
        *apdu.last_mut().expect("a priority") = number;
        fault(&unicast(&apdu))
    };
    assert_eq!((priority(1), priority(16)), (None, None));
    assert_eq!((priority(0), priority(17)), (Some(Reason::OutOfRange), Some(Reason::OutOfRange)));
    // The same number in a longer form.
    let long = [object(0x0c, 0, 1), vec![0x1d, 1, 85]].concat();
    assert_eq!(fault(&unicast(&confirmed(12, &long))), Some(Reason::MalformedFraming));
}

#[test]
fn what_nobody_answers_is_judged_too() {
    let message = |service, parameters: &[u8]| unicast(&unconfirmed(service, parameters));
    let time = [0xa4, 124, 1, 1, 1, 0xb4, 1, 2, 3, 4];
    let only_discovery = [rule(Effect::Allow, &[264])];
    let sent = |bytes: &[u8]| send(&only_discovery, Side::Network, bytes);
    assert_eq!(sent(&message(8, &[])).reason, Reason::RuleAllow);
    let synchronised = sent(&message(6, &time));
    assert_eq!((synchronised.reason, synchronised.action), (Reason::FunctionNotAllowed, Action::Drop));
    assert_eq!(synchronised.operations[0].role, Role::Message as u8);
    assert_eq!(sent(&message(10, &number(0, 7))).reason, Reason::FunctionNotAllowed);
    assert_eq!(touched(&single(&message(10, &number(0, 7)))), (spaces::GROUP, 7, 7));
    assert_eq!(fault(&message(6, &time[..9])), Some(Reason::LengthMismatch));
    // A change of value is of a device and of its object.
    let told = [number(0, 1), object(0x1c, 8, 2), object(0x2c, 3, 4), number(3, 0)].concat();
    let records = read(&message(2, &told));
    assert_eq!(records.iter().map(touched).collect::<Vec<_>>(), [whole(8, 2), whole(3, 4)]);
}

#[test]
fn a_device_may_ask_in_a_conversation_of_the_network() {
    let rules = [rule(Effect::Allow, &[12])];
    let told = [number(0, 1), object(0x1c, 8, 2), object(0x2c, 3, 4), number(3, 0)].concat();
    for bytes in [unicast(&confirmed(1, &told)), unicast(&unconfirmed(0, &object(0xc4, 8, 2)))] {
        assert_eq!(send(&rules, Side::Device, &bytes).reason, Reason::Response);
        assert_eq!(send(&rules, Side::Network, &bytes).reason, Reason::FunctionNotAllowed);
    }
    // In a conduit of its own it is judged; and what comes back in that conduit is, too.
    let mut policy = Policy::new(&[]);
    policy.device_asks = true;
    policy.protocol = Protocol::Bacnet;
    let frame = ethernet(
        Side::Network,
        &[],
        0x0800,
        &ipv4(HMI, PLC, 17, &[], &udp((502, 502), &unicast(&confirmed(1, &told)))),
    );
    assert_eq!(Wire::new(&policy, Mode::Enforce).frame(Side::Network, &frame).reason, Reason::FunctionNotAllowed);
}

#[test]
fn answers_say_what_they_are() {
    let one = |apdu: &[u8]| {
        let one = send(&[], Side::Device, &unicast(apdu)).operations[0];
        let exception = one.has(Operation::HAS_EXCEPTION).then_some(one.exception);
        (one.function, one.transaction, one.role, exception, one.fault)
    };
    let response = Role::Response as u8;
    assert_eq!(one(&[0x20, 9, 15]), (256 * 2 + 15, 9, response, None, 0));
    assert_eq!(one(&[0x30, 9, 12, 0x0c]), (256 * 3 + 12, 9, response, None, 0));
    assert_eq!(one(&[0x3c, 9, 0, 4, 14, 1]), (256 * 3 + 14, 9, response, None, 0), "a segment");
    assert_eq!(one(&[0x41, 9, 0, 4]), (256 * 4, 9, response, None, 0));
    assert_eq!(one(&[0x50, 9, 15, 0x91, 2, 0x91, 40]), (256 * 5 + 15, 9, response, Some(40), 0));
    assert_eq!(one(&[0x50, 9, 16, 0x0e, 0x91, 2, 0x91, 40, 0x0f]), (256 * 5 + 16, 9, response, Some(40), 0));
    assert_eq!(one(&[0x60, 9, 4]), (256 * 6, 9, response, Some(4), 0));
    assert_eq!(one(&[0x71, 9, 5]), (256 * 7, 9, response, Some(5), 0));
    assert_eq!(one(&[0x20, 9]).4, Reason::LengthMismatch as u8);
    assert_eq!(fault(&unicast(&[0x80, 9, 5])), Some(Reason::InvalidFunction));
}

#[test]
fn segments_of_a_request() {
    let segment = |service| unicast(&[0x0c, 0x75, 9, 0, 4, service, 0x0c, 0, 0x40]);
    assert_eq!(fault(&segment(15)), Some(Reason::SplitUnit));
    assert_eq!(fault(&segment(20)), Some(Reason::SplitUnit));
    // A read in segments touches anything: a rule with objects does not cover it.
    assert_eq!(touched(&single(&segment(14))), (NO_OBJECT, 0, 0));
    let rules = [rule(Effect::Allow, &[14]).objects(&[whole(0, 1)])];
    assert_eq!(send(&rules, Side::Network, &segment(14)).reason, Reason::ObjectNotAllowed);
    assert_eq!(fault(&unicast(&[0x04, 0x75, 9, 12])), Some(Reason::MalformedFraming), "more, and no segment");
}

#[test]
fn the_network_layer_is_exact() {
    let to = |network: u16, address: &[u8]| {
        let mut npdu = vec![1, 0x24];
        npdu.extend(network.to_be_bytes());
        npdu.push(address.len() as u8);
        npdu.extend(address);
        npdu.push(255);
        link(10, &[npdu, read_property(0, 1, 85)].concat())
    };
    let one = single(&to(20, &[7]));
    assert_eq!((one.unit, touched(&one)), (20, property(0, 1, 85)));
    assert_eq!(single(&to(0xffff, &[])).unit, 0xffff);
    assert_eq!(fault(&to(0, &[7])), Some(Reason::OutOfRange), "decoders differ about the hop count");
    assert_eq!(fault(&to(20, &[1; 8])), Some(Reason::OutOfRange));
    let rules = [rule(Effect::Allow, &[12]).units(0, 0)];
    assert_eq!(send(&rules, Side::Network, &to(20, &[7])).reason, Reason::UnitNotAllowed);

    let from = |npdu: &[u8]| fault(&link(10, &[npdu, &read_property(0, 1, 85)].concat()));
    assert_eq!(from(&[1, 0x0c, 0, 9, 1, 3]), None);
    assert_eq!(from(&[1, 0x0c, 0, 9, 0]), Some(Reason::OutOfRange));
    assert_eq!(from(&[1, 0x0c, 0xff, 0xff, 1, 3]), Some(Reason::OutOfRange));
    assert_eq!(from(&[1, 0x2c, 0, 20, 1, 7, 0, 9, 1, 3, 255]), None);
    assert_eq!(from(&[2, 4]), Some(Reason::MalformedFraming), "version");
    assert_eq!(from(&[1, 0x44]), Some(Reason::MalformedFraming), "reserved bits");
    assert_eq!(from(&[1, 0x14]), Some(Reason::MalformedFraming), "reserved bits");
    assert_eq!(fault(&link(10, &[1])), Some(Reason::MalformedFraming));
    assert_eq!(fault(&link(10, &[1, 4])), Some(Reason::LengthMismatch), "nothing inside");
}

#[test]
fn messages_of_the_network_layer_are_functions_of_their_own() {
    let said = |rest: &[u8]| link(10, &[&[1, 0x80][..], rest].concat());
    let one = single(&said(&[0]));
    assert_eq!((one.protocol, one.function), (Protocol::Bvlc as u8, Protocol::Bvlc.within(256)));
    assert_eq!(fault(&said(&[0, 0, 5])), None);
    assert_eq!(fault(&said(&[0, 5])), Some(Reason::LengthMismatch));
    assert_eq!(single(&said(&[6, 0])).access, Access::Write as u8);
    let reads = [rule(Effect::Allow, &[12])];
    assert_eq!(send(&reads, Side::Network, &said(&[6, 0])).reason, Reason::FunctionNotAllowed);
    assert_eq!(single(&said(&[0x80, 0, 5])).access, Access::Unknown as u8);
    let routed = link(10, &[1, 0xa0, 0, 20, 0, 255, 0]);
    assert_eq!(single(&routed).unit, 20);
}

#[test]
fn the_virtual_link_is_exact() {
    let good = unicast(&read_property(0, 1, 85));
    for length in [0usize, 4, good.len() - 1, good.len() + 1, 0xffff] {
        let mut bytes = good.clone();
        bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        assert_eq!(fault(&bytes), Some(Reason::LengthMismatch), "{length}");
        assert_eq!(read(&bytes)[0].function, 12, "it is still named");
    }
    assert_eq!(fault(&[&[0x83], &good[1..]].concat()), Some(Reason::MalformedFraming));
    assert_eq!(fault(&good[..3]), Some(Reason::MalformedFraming));
    let function = |number, rest: &[u8]| {
        let one = read(&link(number, rest))[0];
        (Protocol::standard(one.function), one.role, one.fault)
    };
    let (request, response) = (Role::Request as u8, Role::Response as u8);
    let short = Reason::LengthMismatch as u8;
    assert_eq!(function(0, &[0, 0x30]), (0, response, 0));
    assert_eq!(function(1, &[0; 20]), (1, request, 0));
    assert_eq!(function(1, &[0; 19]), (1, request, short));
    assert_eq!(function(2, &[]), (2, request, 0));
    assert_eq!(function(5, &[0, 60]), (5, request, 0));
    assert_eq!(function(5, &[0]), (5, request, short));
    assert_eq!(function(6, &[]), (6, request, 0));
    assert_eq!(function(8, &[0; 6]), (8, request, 0));
    assert_eq!(function(12, &[1, 2, 3]), (12, request, 0));
    assert_eq!(function(77, &[]), (77, request, 0));
    assert_eq!(fault(&link(4, &[10, 0, 0, 5, 0xba, 0xc0])), Some(Reason::LengthMismatch), "nothing forwarded");
}

#[test]
fn who_passes_messages_on_needs_a_rule_for_that() {
    let who_is = [&[10, 9, 9, 9, 0xba, 0xc0, 1, 0][..], &unconfirmed(8, &[])].concat();
    let forwarded = link(4, &who_is);
    let records = read(&forwarded);
    assert_eq!(records.len(), 2);
    assert_eq!((records[0].function, records[1].function), (Protocol::Bvlc.within(4), 264));
    let only_who_is = [rule(Effect::Allow, &[264])];
    assert_eq!(send(&only_who_is, Side::Network, &forwarded).reason, Reason::FunctionNotAllowed);
    let both = [rule(Effect::Allow, &[264, Protocol::Bvlc.within(4)])];
    assert_eq!(send(&both, Side::Network, &forwarded).reason, Reason::RuleAllow);
    let distributed = link(9, &[&[1, 0][..], &unconfirmed(8, &[])].concat());
    assert_eq!(read(&distributed).len(), 2);
}

#[test]
fn a_message_for_one_station_is_not_sent_to_all() {
    let mut policy = Policy::new(&all());
    policy.protocol = Protocol::Bacnet;
    let sent = |bytes: &[u8]| {
        let mut frame = ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 17, &[], &udp((502, 502), bytes)));
        frame[..6].fill(0xff);
        Wire::new(&policy, Mode::Enforce).frame(Side::Network, &frame).operations[0].fault
    };
    let who_is = [&[1, 0][..], &unconfirmed(8, &[])].concat();
    assert_eq!(sent(&link(11, &who_is)), 0);
    assert_eq!(sent(&link(10, &who_is)), Reason::OutOfRange as u8);
}

#[test]
fn the_virtual_link_over_ipv6_has_addresses_in_front() {
    let over = |function, rest: &[u8]| {
        let mut bytes = link(function, rest);
        bytes[0] = 0x82;
        read(&bytes)
    };
    let npdu = [&[1, 4][..], &read_property(0, 1, 85)].concat();
    let unicast = over(1, &[&[0; 6][..], &npdu].concat());
    assert_eq!((unicast.len(), unicast[0].function, unicast[0].fault), (1, 12, 0));
    assert_eq!(over(2, &[&[0; 3][..], &npdu].concat())[0].function, 12);
    assert_eq!(over(8, &[&[0; 21][..], &npdu].concat()).len(), 2);
    assert_eq!(over(3, &[0; 6])[0].function, Protocol::Bvlc.within(515));
    assert_eq!(over(9, &[0; 4])[0].fault, Reason::LengthMismatch as u8);
}

#[test]
fn no_datagram_cut_or_changed_panics_or_passes_a_write() {
    let rules = [rule(Effect::Allow, &[12, 14]), rule(Effect::Allow, &[16]).objects(&[whole(1, 1)])];
    let list = [write_list(1, 1, &[(85, &[0x91, 1])]), write_list(1, 2, &[(85, &[0x2e, 0x91, 1, 0x2f])])].concat();
    let bytes = unicast(&confirmed(16, &list));
    for cut in 0..bytes.len() {
        let seen = send(&rules, Side::Network, &bytes[..cut]);
        assert!(cut == 0 || seen.action == Action::Drop, "{cut}");
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << bit;
            send(&rules, Side::Network, &bytes);
        }
    }
}
