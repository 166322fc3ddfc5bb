//! Which service a message is, in every encoding; who may send it; lengths.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use super::{LONG, PLAIN, ask, denied, fault, on, plain, policy, records, run, under};
use crate::support::dissect::{CLIENT, DEVICE, From};
use crate::support::opcua::*;
use crate::support::policy::{Effect, rule};
use crate::support::wire::Wire;

/// A Write of one node, its service in any encoding.
fn written(service: &[u8]) -> Vec<u8> {
    let parameters = list(&[writing(&text(2, "V"), 13, &value(&[6, 5, 0, 0, 0]))]);
    raw("MSGF", 2, &[service, &request_header(), &parameters].concat())
}

#[test]
fn a_service_is_the_same_in_every_encoding() {
    // Vector 35.
    for service in [numeric(0, 673), long(0, 673), vec![1, 0, 0xa1, 2]] {
        let one = plain(&written(&service))[0];
        assert_eq!((one.function, one.access, one.fault), (673, Access::Write as u8, 0));
        assert_eq!((one.role, one.transaction, one.unit), (Role::Request as u8, 2, 0));
        denied(&ask(&[rule(Effect::Allow, &[631])], &written(&service)), Reason::FunctionNotAllowed);
        let seen = ask(&[rule(Effect::Allow, &[673])], &written(&service));
        assert_eq!(seen.reason, Reason::RuleAllow, "{seen:?}");
    }
    // Two bytes hold no number of a service.
    let seen = ask(&[rule(Effect::Allow, &[673])], &written(&[0, 161]));
    denied(&seen, Reason::FunctionNotAllowed);
    assert_eq!((seen.operations[0].function, seen.operations[0].access), (161, Access::Unknown as u8));
}

#[test]
fn what_is_no_number_of_namespace_0_is_no_service() {
    for service in [
        vec![1, 1, 0xa1, 2],
        long(1, 673),
        long(0, 0x1_0000 | 673),
        text(0, "WriteRequest"),
        named(4, 0, &[0xa1; 16]),
        named(5, 0, &[0xa1, 2]),
        vec![6, 0, 0xa1, 2],
        vec![0x41, 0, 0xa1, 2],
        vec![0x81, 0, 0xa1, 2],
    ] {
        let seen = ask(&[rule(Effect::Allow, &[])], &written(&service));
        denied(&seen, Reason::InvalidFunction);
        assert_eq!(seen.operations[0].function, NO_FUNCTION);
    }
    assert_eq!(plain(&written(&numeric(0, 9999)))[0].function, 9999, "a number that no standard knows");
}

#[test]
fn channels_have_message_types_of_their_own() {
    let close = |kind: &str, service| raw(kind, 3, &[numeric(0, service), request_header()].concat());
    let one = plain(&close("CLOF", 452))[0];
    assert_eq!((one.function, one.access, one.fault), (452, Access::Session as u8, 0));
    for bytes in [close("CLOF", 673), close("CLOF", 631), close("CLOF", 9999), close("MSGF", 452)] {
        assert_eq!(fault(on(PLAIN), &bytes), Some(Reason::InvalidFunction));
    }
    for service in [446, 449] {
        assert_eq!(fault(on(PLAIN), &request(service, &[])), Some(Reason::InvalidFunction));
        assert_eq!(
            fault(on(8), &channel(NONE, &[numeric(0, 673), request_header()].concat())),
            Some(Reason::InvalidFunction)
        );
    }
    let more = [close("CLOF", 452), vec![0]].concat();
    let mut longer = more.clone();
    longer[4] += 1;
    assert_eq!(fault(on(PLAIN), &longer), Some(Reason::LengthMismatch));
}

#[test]
fn lists_and_fixed_parts_end_where_the_message_does() {
    let sized: [(u32, Vec<u8>); 10] = [
        (473, vec![1]),
        (479, words(&[7])),
        (769, [words(&[1, 0]), list(&[words(&[3]), words(&[4])])].concat()),
        (781, [words(&[1]), list(&[words(&[3])])].concat()),
        (787, vec![0; 22]),
        (793, vec![0; 25]),
        (799, [vec![1], list(&[])].concat()),
        (826, list(&[vec![0; 8], vec![0; 8], vec![0; 8]])),
        (832, vec![0; 8]),
        (847, list(&[words(&[3])])),
    ];
    for (service, parameters) in sized {
        let one = plain(&request(service, &parameters));
        assert_eq!((one.len(), one[0].function, one[0].fault, one[0].space), (1, service, 0, NO_OBJECT), "{service}");
        let longer = request(service, &[&parameters[..], &[0]].concat());
        assert_eq!(fault(on(PLAIN), &longer), Some(Reason::LengthMismatch), "{service}");
        let shorter = request(service, &parameters[..parameters.len() - 1]);
        assert_eq!(fault(on(PLAIN), &shorter), Some(Reason::LengthMismatch), "{service}");
    }
    let mut none = request(826, &[]);
    none.extend([0xff; 4]);
    none[4] += 4;
    assert_eq!(fault(on(PLAIN), &none), None, "a list of -1 is none");
}

#[test]
fn a_request_header_has_what_the_standard_puts_there() {
    let header = |token: Vec<u8>, audit: Option<&str>, more: Vec<u8>| {
        [token, vec![7; 8], words(&[1, 0]), string(audit), words(&[4000]), more].concat()
    };
    let body = |header: Vec<u8>| raw("MSGF", 2, &[numeric(0, 473), header, vec![1]].concat());
    let encoded = [numeric(0, 17537), vec![1], string(Some("ecc"))].concat();
    for sound in [
        header(vec![0, 0], None, vec![0, 0, 0]),
        header(named(4, 1, &[9; 16]), Some("who"), vec![0, 0, 0]),
        header(named(5, 0, &[9; 32]), Some(""), encoded.clone()),
        header(text(1, "session"), None, encoded),
    ] {
        assert_eq!(fault(on(PLAIN), &body(sound)), None);
    }
    for (unsound, reason) in [
        (header(vec![6, 0], None, vec![0, 0, 0]), Reason::MalformedFraming),
        (header(vec![0, 0], None, vec![6, 0, 0]), Reason::MalformedFraming),
        (header(vec![0, 0], None, vec![0, 0, 3]), Reason::MalformedFraming),
        (header(vec![0, 0], None, vec![0, 0, 1, 9, 0, 0, 0]), Reason::LengthMismatch),
        (header(vec![3, 0, 0, 0xff, 0xff, 0xff, 0x7f], None, vec![0, 0, 0]), Reason::LengthMismatch),
    ] {
        assert_eq!(fault(on(PLAIN), &body(unsound)), Some(reason));
    }
}

#[test]
fn services_wait_for_a_channel() {
    for context in [0, 8] {
        assert_eq!(fault(on(context), &read(&[numeric(0, 2258)])), Some(Reason::InvalidFunction));
        assert_eq!(fault(on(context), &request(9999, &[])), Some(Reason::InvalidFunction));
    }
    let mut wire = Wire::open(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce);
    denied(&wire.at(wire.client, &read(&[numeric(0, 2258)])), Reason::InvalidFunction);
    wire.ask(&hello());
    denied(&wire.at(wire.client, &read(&[numeric(0, 2258)])), Reason::InvalidFunction);
    wire.ask(&open(NONE));
    assert_eq!(wire.ask(&read(&[numeric(0, 2258)])).reason, Reason::RuleAllow);
}

#[test]
fn answers_are_read_and_never_judged() {
    let mut wire = under(&[rule(Effect::Allow, &[631])]);
    wire.ask(&read(&[numeric(0, 2258)]));
    let seen = wire.answer(&answer(634, 0));
    let one = seen.operations[0];
    assert_eq!((seen.reason, one.function, one.role), (Reason::Response, 634, Role::Response as u8));
    assert_eq!((one.transaction, one.has(Operation::HAS_EXCEPTION)), (2, false));
    let one = wire.answer(&answer(397, 0x800b_0000)).operations[0];
    assert_eq!((one.function, one.exception), (397, 0x0b), "BadServiceUnsupported");
    assert!(one.has(Operation::HAS_EXCEPTION | Operation::OTHER_FUNCTION));
    let seen = wire.answer(&answer(637, 0));
    assert_eq!(seen.action, Action::Forward, "whatever it is");
    // In pieces: what is reported stands in its first bytes.
    let long = answer(634, 0);
    let mut pieces = under(&[]);
    assert!(pieces.answer(&long[..30]).operations.is_empty());
    assert_eq!(pieces.answer(&long[30..]).operations[0].function, 634);
}

#[test]
fn an_answer_from_a_client_is_no_request() {
    for service in [634, 676, 397, 12209] {
        let one = plain(&answer(service, 0))[0];
        assert_eq!((one.role, one.fault), (Role::Response as u8, Reason::InvalidFunction as u8), "{service}");
        denied(&ask(&[rule(Effect::Allow, &[])], &answer(service, 0)), Reason::InvalidFunction);
    }
    // A device that asks where it should answer is not stopped.
    let mut wire = under(&[]);
    let seen = wire.answer(&read(&[numeric(0, 2258)]));
    assert_eq!((seen.reason, seen.operations[0].role), (Reason::Response, Role::Request as u8));
    // A device that asks gets answers from the network.
    let server = From { role: Role::Response, ..on(1 << 31) };
    let one = records(server, &answer(634, 0))[0];
    assert_eq!((one.role, one.fault), (Role::Response as u8, 0));
    // And is not asked in the answers' place.
    let one = records(server, &written(&numeric(0, 673)))[0];
    assert_eq!((one.role, one.fault != 0), (Role::Request as u8, true), "no channel was opened");
}

#[test]
fn a_conversation_taken_up_in_the_middle_is_read_where_it_can_be() {
    let mut wire = Wire::new(&policy(&[rule(Effect::Allow, &[631])]), Mode::Enforce);
    wire.host.limits = enforcer_common::environment::Limits::UNLIMITED;
    assert_eq!(wire.ask(&read(&[numeric(0, 2258)])).operations[0].fault, 0);
    wire.answer(&answer(634, 0));
    assert_eq!(wire.ask(&read(&[numeric(0, 2258)])).reason, Reason::RuleAllow);
    // A signature may stand behind it, nothing else.
    let end = |size: usize| {
        let mut bytes = read(&[numeric(0, 2258)]);
        bytes.extend(vec![9; size]);
        bytes[4] += size as u8;
        wire_fault(&bytes)
    };
    assert_eq!([0, 20, 32].map(end), [None; 3]);
    assert_eq!([1, 19, 33].map(end), [Some(Reason::LengthMismatch); 3]);
    let one = wire_read(&raw("MSGF", 7, &[0x5a; 64]));
    assert_eq!((one.function, one.access), (2, Access::Unknown as u8), "nobody knows whether it is encrypted");
}

fn wire_read(bytes: &[u8]) -> Operation {
    let mut wire = Wire::new(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce);
    wire.host.limits = enforcer_common::environment::Limits::UNLIMITED;
    wire.ask(&read(&[numeric(0, 2258)]));
    wire.ask(bytes).operations[0]
}

fn wire_fault(bytes: &[u8]) -> Option<Reason> {
    Reason::from_code(wire_read(bytes).fault)
}

#[test]
fn nothing_mutilated_is_read_beyond_its_end() {
    for bytes in [
        hello(),
        acknowledge(65535),
        reverse_hello(),
        open(NONE),
        open("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"),
        written(&numeric(0, 673)),
        read(&[numeric(0, 2258), text(3, "\"DB1\".\"a\""), named(4, 1, &[1; 16])]),
        call(&[calling(&text(2, "Pump"), &numeric(2, 7001), &[vec![12, 1, 0, 0, 0, b'x']])]),
        monitor(&[monitoring(&text(2, "V"), &[0, 0, 0])]),
        answer(634, 0),
    ] {
        crate::support::dissect::mutilate(Protocol::Opcua, &bytes);
        for from in [on(PLAIN), on(LONG), From { context: (PLAIN, 0), ..CLIENT }, DEVICE] {
            for length in 0..bytes.len() {
                run(from, &bytes[..length]);
                let mut other = bytes.clone();
                other[length] ^= 0xff;
                run(from, &other);
            }
        }
    }
}
