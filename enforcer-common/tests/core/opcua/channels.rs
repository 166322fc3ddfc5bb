//! What is said before a channel, security policies, and channels of which little can be read.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::opcua::functions::space;
use enforcer_common::verdict::{Mode, Reason};

use super::{LONG, PLAIN, SHORT, ask, denied, fault, on, plain, policy, records, run, under};
use crate::support::dissect::{CLIENT, DEVICE, From};
use crate::support::opcua::*;
use crate::support::policy::{Effect, rule};
use crate::support::wire::Wire;

const POLICIES: [&str; 7] = [
    "None",
    "Basic128Rsa15",
    "Basic256",
    "Basic256Sha256",
    "Aes128_Sha256_RsaOaep",
    "Aes256_Sha256_RsaPss",
    "ECC_nistP256",
];

fn uri(name: &str) -> String {
    format!("http://opcfoundation.org/UA/SecurityPolicy#{name}")
}

#[test]
fn hello_and_its_answers_are_messages_of_exact_length() {
    for bytes in [hello(), chunk("ERRF", &[words(&[0x8080_0000]), string(Some("why"))].concat())] {
        let one = records(From { whole: false, ..CLIENT }, &bytes)[0];
        assert_eq!((one.function, one.role, one.fault), (0, Role::Message as u8, 0));
        assert_eq!((one.access, one.space), (Access::Session as u8, NO_OBJECT));
        for size in [bytes.len() - 1, bytes.len() + 1] {
            let mut other = bytes.clone();
            other.resize(size, 0);
            other[4] = size as u8;
            assert_eq!(fault(on(0), &other), Some(Reason::LengthMismatch));
        }
    }
    let small =
        |receive, send| chunk("HELF", &[words(&[0, receive, send, 0, 0]), string(Some("opc.tcp://x"))].concat());
    assert_eq!(fault(on(0), &small(8192, 8192)), None);
    for (receive, send) in [(0, 8192), (8192, 0), (1023, 8192)] {
        assert_eq!(fault(on(0), &small(receive, send)), Some(Reason::OutOfRange));
    }
    assert_eq!(fault(on(8), &hello()), Some(Reason::InvalidFunction), "once");
    assert_eq!(fault(on(0), &acknowledge(8192)), Some(Reason::InvalidFunction), "a server's");
    let mut long = acknowledge(8192);
    long.push(0);
    long[4] += 1;
    assert_eq!(fault(DEVICE, &long), Some(Reason::LengthMismatch));
}

#[test]
fn a_header_is_one_of_the_standards() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        &[0x16, 3, 1, 0, 5, 1, 0, 0, 0],
        b"MSGX\x20\0\0\0",
        b"HELC\x40\0\0\0",
        b"msgF\x20\0\0\0",
    ] {
        let seen = ask(&[rule(Effect::Allow, &[])], bytes);
        denied(&seen, Reason::MalformedFraming);
    }
    for bytes in [&b"G"[..], &[0], &[0x16, 3]] {
        denied(&ask(&[rule(Effect::Allow, &[])], bytes), Reason::MalformedFraming);
    }
    for size in [0u32, 7, 8, 23] {
        let mut bytes = read(&[numeric(0, 2258)]);
        bytes[4..8].copy_from_slice(&size.to_le_bytes());
        assert_eq!(fault(on(PLAIN), &bytes), Some(Reason::LengthMismatch), "{size}");
    }
}

#[test]
fn a_chunk_is_no_longer_than_the_server_takes() {
    let long = |size: u32| {
        let mut bytes = request(527, &[0; 64]);
        bytes[4..8].copy_from_slice(&size.to_le_bytes());
        bytes.resize(400, 0);
        bytes
    };
    let mut wire = under(&[rule(Effect::Allow, &[527])]);
    assert_eq!(wire.at(wire.client, &long(65535)).reason, Reason::RuleAllow);
    let mut wire = under(&[rule(Effect::Allow, &[527])]);
    denied(&wire.at(wire.client, &long(65600)), Reason::LengthMismatch);
    // Of a server that was not heard, a million.
    assert_eq!(fault(on(PLAIN), &long(1 << 20)), None);
    assert_eq!(fault(on(PLAIN), &long((1 << 20) + 1)), Some(Reason::LengthMismatch));
}

#[test]
fn the_policy_of_a_channel_is_its_object() {
    for (number, name) in (0..).zip(POLICIES) {
        let one = records(on(8), &open(&uri(name)))[0];
        assert_eq!((one.function, one.space, one.first, one.fault), (446, space::POLICY, number, 0), "{name}");
        assert_eq!((one.access, one.role), (Access::Session as u8, Role::Request as u8));
    }
    for other in [
        "",
        "None",
        "http://opcfoundation.org/UA/SecurityPolicy#none",
        "http://opcfoundation.org/UA/SecurityPolicy#None ",
    ] {
        assert_eq!(records(on(8), &open(other))[0].first, 6, "{other:?}");
    }
    let only = [rule(Effect::Allow, &[446]).objects(&[(space::POLICY, 3, 5)])];
    let mut wire = Wire::open(&policy(&only), Mode::Enforce);
    wire.ask(&hello());
    denied(&wire.at(wire.client, &open(NONE)), Reason::ObjectNotAllowed);
    assert_eq!(wire.ask(&open(&uri("Basic256Sha256"))).reason, Reason::RuleAllow);
}

#[test]
fn the_parts_of_a_channel_request_have_their_lengths() {
    let mut long = open(NONE);
    long.push(0);
    long[4] += 1;
    assert_eq!(fault(on(8), &long), Some(Reason::LengthMismatch));
    let mut uri_too_long = open(NONE);
    uri_too_long[12..16].copy_from_slice(&[0xff; 4]);
    assert_eq!(fault(on(8), &uri_too_long), Some(Reason::MalformedFraming));
    let mut uri_beyond = open(NONE);
    uri_beyond[12] = 250;
    assert_eq!(fault(on(8), &uri_beyond), Some(Reason::LengthMismatch));
    let mut certificate_beyond = open(NONE);
    certificate_beyond[63..67].copy_from_slice(&[0, 1, 0, 0]);
    assert_eq!(fault(on(8), &certificate_beyond), Some(Reason::LengthMismatch));
}

/// A request with a signature of so many bytes behind it.
fn signed(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.extend(vec![0x5a; size]);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[4..8].copy_from_slice(&length);
    bytes
}

#[test]
fn a_channel_that_only_signs_is_read() {
    let asked = read(&[text(2, "V")]);
    for (context, size) in [(SHORT, 20), (LONG, 32)] {
        let one = records(on(context), &signed(&asked, size))[0];
        assert_eq!((one.function, one.fault, one.space), (631, 0, space::STRING + 2));
        for other in [0, 1, size - 1, size + 1, 40] {
            assert_eq!(fault(on(context), &signed(&asked, other)), Some(Reason::LengthMismatch), "{other}");
        }
    }
    for (name, context) in [
        ("Basic128Rsa15", SHORT),
        ("Basic256", SHORT),
        ("Aes128_Sha256_RsaOaep", LONG),
        ("Basic256Sha256", LONG),
        ("ECC_nistP256", 12),
    ] {
        assert_eq!(run(on(8), &open(&uri(name))).stream.context, context, "{name}");
    }
}

#[test]
fn what_is_encrypted_is_a_function_of_its_own() {
    let encrypted = raw("MSGF", 0x5a5a_5a5a, &[0xa5; 80]);
    for context in [SHORT, LONG, 12] {
        let one = records(on(context), &encrypted)[0];
        assert_eq!((one.function, one.access, one.fault), (2, Access::Unknown as u8, 0));
        assert_eq!((one.role, one.transaction, one.space), (Role::Request as u8, 0, NO_OBJECT));
    }
    // Of another policy nobody knows where the signature begins.
    assert_eq!(records(on(12), &read(&[text(2, "V")]))[0].function, 2);
    assert_eq!(plain(&encrypted)[0].fault, Reason::InvalidFunction as u8, "where nothing may be");
    let closed = records(on(LONG), &raw("CLOF", 9, &[0xa5; 80]))[0];
    assert_eq!((closed.function, closed.access), (452, Access::Session as u8));
    let answered = records(From { context: (1 << 31, LONG), ..DEVICE }, &encrypted)[0];
    assert_eq!((answered.function, answered.role), (2, Role::Response as u8));
    // Vector 35: a peer that is not listed.
    let rules = [rule(Effect::Allow, &[446, 631])];
    let mut wire = Wire::open(&policy(&rules), Mode::Enforce);
    wire.ask(&hello());
    wire.ask(&open(&uri("Basic256Sha256")));
    denied(&wire.at(wire.client, &encrypted), Reason::FunctionNotAllowed);
    let mut wire = Wire::open(&policy(&[rule(Effect::Allow, &[446, 2])]), Mode::Enforce);
    wire.ask(&hello());
    wire.ask(&open(&uri("Basic256Sha256")));
    assert_eq!(wire.ask(&encrypted).reason, Reason::RuleAllow);
    denied(&wire.at(wire.client, &signed(&read(&[text(2, "V")]), 32)), Reason::FunctionNotAllowed);
}

#[test]
fn a_server_that_opens_the_connection_is_asked_by_whom_it_calls() {
    let mut both = policy(&[rule(Effect::Allow, &[])]);
    both.device_asks = true;
    let device = From { role: Role::Request, side: Side::Device, whole: false, ..CLIENT };
    let opening = run(device, &reverse_hello());
    let one = opening.operations[0];
    assert_eq!((one.function, one.role, one.fault, one.flags & Operation::TURNED), (1, Role::Message as u8, 0, 0));
    let server = From { context: (opening.stream.context, 0), ..device };
    let acknowledged = run(server, &acknowledge(65535));
    assert_eq!(acknowledged.operations[0].fault, 0);
    let one = records(From { context: (acknowledged.stream.context, 0), ..device }, &answer(634, 0))[0];
    assert_eq!((one.role, one.fault), (Role::Response as u8, 0));
    // The network's end asks, and is judged, though it did not open the connection.
    let caller = From { role: Role::Response, whole: false, ..CLIENT };
    let said = run(caller, &hello());
    let open_channel = run(From { context: (said.stream.context, 0), ..caller }, &open(&uri("Basic256Sha256")));
    assert_eq!(open_channel.operations[0].role, Role::Request as u8);
    let context = (open_channel.stream.context, 0);
    assert_eq!(records(From { context, ..caller }, &raw("MSGF", 1, &[0xa5; 80]))[0].role, Role::Request as u8);
    let one = records(From { context: (PLAIN, 0), ..caller }, &read(&[text(2, "V")]))[0];
    assert_eq!((one.function, one.role, one.fault), (631, Role::Request as u8, 0));
    // From the network it is judged.
    let one = records(on(0), &reverse_hello())[0];
    assert!(one.has(Operation::TURNED));
    let mut wire = Wire::open(&policy(&[rule(Effect::Allow, &[631])]), Mode::Enforce);
    let seen = wire.ask(&reverse_hello());
    assert_eq!((seen.reason, seen.action), (Reason::FunctionNotAllowed, Action::Drop));
    assert_eq!(fault(on(8), &reverse_hello()), Some(Reason::InvalidFunction), "in a conversation under way");
}
