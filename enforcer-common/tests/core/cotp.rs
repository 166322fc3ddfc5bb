//! TPKT and COTP: framing, connections, and which protocol a conversation carries.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_OBJECT};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::cotp::functions::{code, space};
use enforcer_common::verdict::{Mode, Reason};

use crate::support::cotp::{connect, data, item, job, part, plus, read, request, tpkt};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

fn policy(rules: &[Rule]) -> Policy {
    Policy { protocol: Protocol::S7comm, ..Policy::new(rules) }
}

fn any() -> Policy {
    policy(&[rule(Effect::Allow, &[])])
}

fn open() -> Wire {
    Wire::open(&any(), Mode::Enforce)
}

fn ask(bytes: &[u8]) -> Seen {
    open().ask(bytes)
}

fn setup() -> Vec<u8> {
    job(&[0xf0, 0, 0, 1, 0, 1, 1, 0xe0], &[])
}

#[test]
fn a_connection_names_whom_it_calls() {
    let object = |bytes: &[u8]| {
        let seen = ask(bytes);
        assert_eq!(seen.reason, Reason::RuleAllow, "{seen:?}");
        let one = seen.operations[0];
        let function = Protocol::Cotp.within(code::CONNECTION_REQUEST.into());
        assert_eq!((one.protocol, one.function), (Protocol::Cotp as u8, function));
        assert_eq!(one.access, Access::Session as u8);
        (one.space, one.first, one.last)
    };
    assert_eq!(object(&connect(0x0102)), (space::TSAP, 0x0102, 0x0102));
    assert_eq!(object(&request(b"\xc1\x02\x06\x00\xc2\x10SIMATIC-ROOT-HMI\xc0\x01\x0a")), (space::TSAP_NAME, 2, 2));
    assert_eq!(object(&request(b"\xc2\x0fSIMATIC-ROOT-ES")), (space::TSAP_NAME, 1, 1));
    assert_eq!(object(&request(b"\xc2\x0fSIMATIC-ROOT-EX")), (NO_OBJECT, 0, 0));
    assert_eq!(object(&request(&[])), (NO_OBJECT, 0, 0));
}

#[test]
fn programming_connections_can_be_kept_from_operator_stations() {
    // Vector 29 of PROTOCOLS.md 23.
    let connection = Protocol::Cotp.within(code::CONNECTION_REQUEST.into());
    let rules = [
        rule(Effect::Allow, &[connection]),
        rule(Effect::Deny, &[connection]).objects(&[(space::TSAP, 0x0100, 0x01ff)]),
    ];
    let seen = |called| Wire::open(&policy(&rules), Mode::Enforce).ask(&connect(called)).reason;
    assert_eq!(seen(0x0102), Reason::RuleDeny);
    assert_eq!(seen(0x0202), Reason::RuleAllow);
    assert_eq!(seen(0x0302), Reason::RuleAllow);
}

#[test]
fn a_connection_is_of_class_0_and_asked_for_once() {
    for (bytes, reason) in [
        (tpkt(&[6, 0xe0, 0, 0, 0, 1, 0x40]), Reason::OutOfRange),
        (tpkt(&[6, 0xe1, 0, 0, 0, 1, 0]), Reason::OutOfRange),
        (tpkt(&[6, 0xe0, 0, 9, 0, 1, 0]), Reason::OutOfRange),
        (tpkt(&[6, 0xe0, 0, 0, 0, 1, 0, 1]), Reason::LengthMismatch),
        (tpkt(&[5, 0xe0, 0, 0, 0, 1]), Reason::LengthMismatch),
        (request(&[0xc2, 3, 1, 2]), Reason::LengthMismatch),
        (request(&[0xc2, 2, 1, 2, 0xc2, 2, 2, 2]), Reason::OutOfRange),
        (request(&[0xc0, 1, 14]), Reason::OutOfRange),
        (request(&[0xc0, 2, 10, 10]), Reason::OutOfRange),
        (request(&[0xc1, 0].repeat(7)), Reason::BeyondInspection),
        (tpkt(&[6, 0xd0, 0, 1, 0, 1, 0]), Reason::InvalidFunction),
    ] {
        assert_eq!(ask(&bytes).reason, reason, "{bytes:02x?}");
    }
    let mut wire = open();
    assert_eq!(wire.ask(&connect(0x0102)).reason, Reason::RuleAllow);
    assert_eq!(wire.answer(&tpkt(&[6, 0xd0, 0, 1, 0, 1, 0])).reason, Reason::Response);
    let again = wire.ask(&connect(0x0202));
    assert_eq!((again.reason, again.action), (Reason::InvalidFunction, Action::Drop));
    let mut wire = open();
    wire.ask(&setup());
    assert_eq!(wire.ask(&connect(0x0202)).reason, Reason::InvalidFunction, "there was data before");
}

#[test]
fn what_is_no_frame_of_class_0_is_malformed() {
    let good = setup();
    assert_eq!(ask(&good).reason, Reason::RuleAllow);
    for (place, value) in [(0, 2), (1, 1), (3, 6), (4, 3), (5, 0xf1), (5, 0x60), (5, 0x10), (6, 0x81)] {
        let mut bad = good.clone();
        bad[place] = value;
        assert_eq!(ask(&bad).reason, Reason::MalformedFraming, "{place} {value}");
    }
    for kind in [0x80, 0xc0, 0x70] {
        let seen = ask(&tpkt(&[6, kind, 0, 1, 0, 1, 0]));
        assert_eq!((seen.reason, seen.operations[0].access), (Reason::RuleAllow, Access::Session as u8));
    }
}

#[test]
fn eight_units_are_read_and_one_more_is_beyond_inspection() {
    assert_eq!(ask(&setup().repeat(8)).operations.len(), 8);
    assert_eq!(ask(&setup().repeat(8)).reason, Reason::RuleAllow);
    assert_eq!(ask(&setup().repeat(9)).reason, Reason::BeyondInspection);
}

#[test]
fn empty_data_keep_a_conversation_alive_and_pieces_do_not_pass() {
    // Vector 27 of PROTOCOLS.md 23.
    let mut wire = open();
    for mark in [0, 0x80] {
        let seen = wire.ask(&tpkt(&[2, 0xf0, mark]));
        assert_eq!((seen.action, seen.operations.len()), (Action::Forward, 0));
    }
    assert_eq!(wire.ask(&[tpkt(&[2, 0xf0, 0]), setup()].concat()).reason, Reason::RuleAllow);
    let stop = job(b"\x29\0\0\0\0\0\x09P_PROGRAM", &[]);
    let mut first = tpkt(&[&[2, 0xf0, 0], &stop[7..12]].concat());
    assert_eq!(ask(&first).reason, Reason::SplitUnit);
    first.extend(data(&stop[12..]));
    assert_eq!(ask(&first).reasons(), [Reason::SplitUnit, Reason::SplitUnit]);
    // In a segment, and over segments.
    for end in 1..stop.len() {
        assert_eq!(ask(&stop[..end]).reason, Reason::SplitUnit, "{end}");
    }
}

#[test]
fn units_that_segments_split_are_put_together_where_the_policy_lets_them() {
    let policy = Policy { stream: true, ..any() };
    let unit = read(&[item(2, 4, 7, 0x84, 80), item(4, 1, 0, 0x83, 16)]);
    for end in 1..unit.len() {
        let mut wire = Wire::open(&policy, Mode::Enforce);
        assert_eq!(wire.ask(&unit[..end]).reason, Reason::Partial);
        let seen = wire.ask(&unit[end..]);
        assert_eq!((seen.reason, seen.operations.len()), (Reason::RuleAllow, 2), "{end}");
    }
}

#[test]
fn a_conversation_stays_with_its_protocol() {
    let explore = plus(0x04bb, 0x388, 0);
    let session = data(&[1, 0, 1, 0, 0x61, 0]);
    let tls = data(&[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]);
    let all = [(setup(), 0), (explore.clone(), 1), (session, 2), (tls.clone(), 3)];
    for (first, one) in &all {
        for (second, other) in &all {
            let mut wire = open();
            let before = wire.ask(first).reason;
            assert_eq!(before, if *one == 2 { Reason::MalformedFraming } else { Reason::RuleAllow });
            if *one == 2 {
                continue;
            }
            let expected = match (one, other) {
                // Nothing can be told of what follows.
                (3, _) => Reason::RuleAllow,
                (one, other) if one == other => Reason::RuleAllow,
                _ => Reason::ProtocolChanged,
            };
            assert_eq!(wire.ask(second).reason, expected, "{one} {other}");
        }
    }
    assert_eq!(ask(&data(b"GET / HTTP/1.0\r\n")).reason, Reason::MalformedFraming);
    // S7comm-plus may go over to TLS once both have said so.
    let mut wire = open();
    wire.ask(&explore);
    assert_eq!(wire.ask(&plus(0x05b3, 0, 0)).reason, Reason::RuleAllow);
    let seen = wire.ask(&tls);
    assert_eq!(seen.reason, Reason::RuleAllow);
    assert_eq!(seen.operations[0].function, Protocol::Cotp.within(code::TLS));
    assert_eq!(wire.ask(&data(&[9, 9, 9])).operations[0].function, Protocol::Cotp.within(code::TLS));
}

#[test]
fn tls_passes_only_where_a_rule_names_it() {
    // Vector 28 of PROTOCOLS.md 23.
    let sessions: Vec<u32> = [code::CONNECTION_REQUEST.into()].map(|code| Protocol::Cotp.within(code)).to_vec();
    let tls = data(&[0x16, 3, 1, 0, 1, 1]);
    let seen = Wire::open(&policy(&[rule(Effect::Allow, &sessions)]), Mode::Enforce).ask(&tls);
    assert_eq!((seen.reason, seen.action), (Reason::FunctionNotAllowed, Action::Drop));
    assert_eq!(seen.operations[0].access, Access::Program as u8);
}

#[test]
fn an_answer_of_any_shape_is_not_stopped() {
    for bytes in [data(b"HTTP"), data(&[0x32, 9, 1]), data(&part(3, &[1; 9], true)), tpkt(&[2, 0xf0, 0, 0x32])] {
        let seen = open().answer(&bytes);
        assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward), "{bytes:02x?}");
    }
}
