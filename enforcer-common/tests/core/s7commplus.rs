//! S7comm-plus: headers, parts of messages, and the objects of requests.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::s7commplus::functions::space;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::cotp::{data, part, plus};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire};

const SESSION: u32 = 0x388;

fn open() -> Wire {
    let policy = Policy { protocol: Protocol::S7comm, ..Policy::new(&[rule(Effect::Allow, &[])]) };
    Wire::open(&policy, Mode::Enforce)
}

fn ask(bytes: &[u8]) -> Seen {
    open().ask(bytes)
}

fn one(bytes: &[u8]) -> Operation {
    let seen = ask(bytes);
    assert_eq!((seen.reason, seen.operations.len()), (Reason::RuleAllow, 1), "{seen:?}");
    let one = seen.operations[0];
    assert_eq!((one.protocol, one.transaction), (Protocol::S7commplus as u8, 7));
    one
}

#[test]
fn requests_name_their_function_and_object() {
    for (function, object, class, space, first) in [
        (0x04bb, 3, Access::Discover, space::OBJECT, 3),
        (0x04ca, 285, Access::Session, space::OBJECT, 285),
        (0x04ca, SESSION + 1, Access::Session, space::SESSION, 0),
        (0x04ca, 3, Access::Program, space::OBJECT, 3),
        (0x04d4, SESSION, Access::Session, space::SESSION, 0),
        (0x04d4, 0x7000_0123, Access::Session, space::SESSION, 0),
        (0x04d4, 0x8a0e_0001, Access::Program, space::OBJECT, 0x8a0e_0001),
        (0x04f2, 0, Access::Write, space::OBJECT, 0),
        (0x0542, 0, Access::Write, space::OBJECT, 0),
        (0x0542, SESSION, Access::Session, space::SESSION, 0),
        (0x054c, 0, Access::Read, space::OBJECT, 0),
        (0x056b, 0, Access::Control, space::OBJECT, 0),
        (0x057c, 0, Access::Program, space::OBJECT, 0),
        (0x9999, 0, Access::Unknown, space::OBJECT, 0),
    ] {
        let seen = one(&plus(function, SESSION, object));
        assert_eq!(seen.function, Protocol::S7commplus.within(function.into()));
        let found = (Access::from_code(seen.access), seen.space, seen.first, seen.last);
        assert_eq!(found, (class, space, first, first), "{function:x} {object:x}");
    }
}

#[test]
fn the_operating_state_is_no_ordinary_variable() {
    // Vector 28 of PROTOCOLS.md 23: object 52, whatever session claims to be that.
    for (function, session) in [(0x04f2, SESSION), (0x0542, SESSION), (0x04f2, 52), (0x04f2, 51)] {
        let seen = one(&plus(function, session, 52));
        assert_eq!((seen.access, seen.space), (Access::Control as u8, space::EXECUTION_UNIT));
    }
}

#[test]
fn lengths_are_exact() {
    let good = plus(0x054c, SESSION, 0);
    for step in [1, 255] {
        let mut bad = good.clone();
        bad[10] = bad[10].wrapping_add(step);
        assert_eq!(ask(&bad).reason, Reason::LengthMismatch);
    }
    let octets = &good[11..good.len() - 4];
    for end in 0..octets.len() {
        let seen = ask(&data(&part(2, &octets[..end], true)));
        let expected = match end {
            0 => Reason::InvalidFunction,
            1..18 => Reason::LengthMismatch,
            _ => Reason::RuleAllow,
        };
        if end > 0 {
            assert_eq!(seen.reason, expected, "{end}");
        }
        assert_ne!(seen.action == Action::Forward, end < 18, "{end}");
    }
    assert_eq!(ask(&data(&[0x72, 2, 0])).reason, Reason::LengthMismatch);
    assert_eq!(ask(&data(&part(4, octets, true))).reason, Reason::MalformedFraming);
    assert_eq!(ask(&data(&[0x72, 0xff, 7, 9])).action, Action::Forward, "a sign of life");
    assert_eq!(ask(&data(&[0x72, 0xff, 7, 9, 1])).reason, Reason::LengthMismatch);
    assert_eq!(ask(&data(&part(0xfe, &[1; 8], true))).reason, Reason::InvalidFunction);
}

#[test]
fn a_digest_stands_in_front_of_version_3() {
    let octets = plus(0x054c, SESSION, 0);
    let octets = &octets[11..octets.len() - 4];
    let digested = [&[32][..], &[0xaa; 32], octets].concat();
    assert_eq!(one(&data(&part(3, &digested, true))).function, Protocol::S7commplus.within(0x054c));
    let other = [&[16][..], &[0xaa; 16], octets].concat();
    assert_eq!(ask(&data(&part(3, &other, true))).reason, Reason::BeyondInspection);
}

#[test]
fn the_first_part_of_a_message_decides_about_it() {
    let read = plus(0x054c, SESSION, 0);
    let read = &read[11..read.len() - 4];
    let stop = plus(0x04f2, SESSION, 52);
    let stop = &stop[11..stop.len() - 4];
    let mut wire = open();
    assert_eq!(wire.ask(&data(&part(2, read, false))).operations.len(), 1);
    for last in [false, true] {
        let seen = wire.ask(&data(&part(2, &[7; 40], last)));
        assert_eq!((seen.action, seen.operations.len()), (Action::Forward, 0));
    }
    assert_eq!(wire.ask(&data(&part(2, stop, true))).operations[0].access, Access::Control as u8);
    let mut wire = open();
    wire.ask(&data(&part(2, read, false)));
    let hidden = wire.ask(&data(&part(2, stop, true)));
    assert_eq!(hidden.reason, Reason::BeyondInspection, "a part that is a request of its own");
}

#[test]
fn devices_answer_and_notify() {
    let answer = |octets: &[u8]| {
        let seen = open().answer(&data(&part(1, octets, true)));
        assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward));
        let one = seen.operations[0];
        (one.function, Role::from_code(one.role), one.space)
    };
    let function = Protocol::S7commplus.within(0x0542);
    assert_eq!(answer(&[0x32, 0, 0, 5, 0x42, 0, 0, 0, 2, 0x34, 0]), (function, Role::Response, NO_OBJECT));
    assert_eq!(answer(&[0x33, 0, 0, 4, 0, 0, 0, 0, 0, 0]), (NO_FUNCTION, Role::Message, NO_OBJECT));
    for octets in [[0x32, 0, 0, 5, 0x42, 0, 0, 0, 2], [0x33, 0, 0, 5, 0x42, 0, 0, 0, 2]] {
        assert_eq!(ask(&data(&part(1, &octets, true))).reason, Reason::InvalidFunction, "a client does not");
    }
}
