//! Segments with several chunks, chunks over several segments, messages of several chunks.

use enforcer_common::action::Action;
use enforcer_common::verdict::{Mode, Reason};

use super::{LONG, PLAIN, ask, denied, fault, on, plain, policy, records, run, under};
use crate::support::dissect::{CLIENT, DEVICE, From};
use crate::support::opcua::*;
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn browse(kind: &str, request: u32) -> Vec<u8> {
    raw(kind, request, &[numeric(0, 527), request_header(), vec![0; 40]].concat())
}

#[test]
fn every_message_of_a_segment_is_judged() {
    let reads = [rule(Effect::Allow, &[631])];
    let (one, other) = (read(&[text(2, "A")]), write(&[writing(&text(2, "B"), 13, &value(&[1, 1]))]));
    let seen = ask(&reads, &[one.clone(), one.clone(), one.clone()].concat());
    assert_eq!(seen.reasons(), [Reason::RuleAllow; 3]);
    let seen = ask(&reads, &[one.clone(), other].concat());
    assert_eq!(seen.reasons(), [Reason::RuleAllow, Reason::FunctionNotAllowed]);
    assert_eq!(seen.action, Action::Drop);
    assert_eq!(ask(&reads, &one.repeat(8)).reason, Reason::RuleAllow);
    denied(&ask(&reads, &one.repeat(9)), Reason::BeyondInspection);
}

#[test]
fn a_message_in_pieces_is_read_when_it_is_whole() {
    let bytes = write(&[writing(&text(2, "V"), 13, &value(&[6, 5, 0, 0, 0]))]);
    for cut in 1..bytes.len() {
        let mut wire = under(&[rule(Effect::Allow, &[673])]);
        let seen = wire.ask(&bytes[..cut]);
        assert_eq!((seen.reason, seen.operations.len()), (Reason::Partial, 0), "{cut}");
        let seen = wire.ask(&bytes[cut..]);
        let one = seen.operations[0];
        assert_eq!((one.function, one.fault, one.value_min, seen.reason), (673, 0, 5, Reason::RuleAllow), "{cut}");
        denied(
            &{
                let mut wire = under(&[rule(Effect::Allow, &[631])]);
                wire.ask(&bytes[..cut]);
                wire.ask(&bytes[cut..])
            },
            Reason::FunctionNotAllowed,
        );
        let whole = From { context: (PLAIN, 0), ..CLIENT };
        assert_eq!(fault(whole, &bytes[..cut]), Some(Reason::SplitUnit), "{cut}");
    }
}

#[test]
fn a_long_message_is_decided_by_what_is_there() {
    // More than can be kept is there: the node is known, its value ends in a later segment.
    let string = [vec![12], string(Some(&"x".repeat(2000)))].concat();
    let bytes = write(&[writing(&text(2, "V"), 13, &value(&string))]);
    let mut wire = under(&[rule(Effect::Allow, &[673])]);
    let seen = wire.ask(&bytes[..1400]);
    assert_eq!((seen.reason, seen.operations.len()), (Reason::RuleAllow, 1));
    assert_eq!(wire.ask(&bytes[1400..]).action, Action::Forward);
    assert_eq!(wire.ask(&read(&[text(2, "V")])).reason, Reason::FunctionNotAllowed, "and the next one is found");
    // A node that stands behind what is there could be any.
    let bytes = write(&[writing(&text(2, "V"), 13, &value(&string)), writing(&text(2, "W"), 13, &value(&[1, 1]))]);
    denied(&ask(&[rule(Effect::Allow, &[673])], &bytes[..1400]), Reason::BeyondInspection);
}

#[test]
fn the_first_chunk_of_a_message_decides() {
    let mut wire = under(&[rule(Effect::Allow, &[527])]);
    let seen = wire.ask(&browse("MSGC", 7));
    assert_eq!((seen.reason, seen.operations[0].function), (Reason::RuleAllow, 527));
    for kind in ["MSGC", "MSGC", "MSGF"] {
        let seen = wire.ask(&raw(kind, 7, &[0xa1; 60]));
        assert_eq!((seen.operations.len(), seen.action), (0, Action::Forward));
    }
    denied(&wire.at(wire.client, &raw("MSGF", 7, &[0xa1; 60])), Reason::InvalidFunction);
    denied(&ask(&[rule(Effect::Allow, &[631])], &browse("MSGC", 7)), Reason::FunctionNotAllowed);
}

#[test]
fn a_message_inside_another_one_is_none() {
    // Vector 35: servers differ in what they put together.
    let written = raw("MSGF", 8, &[numeric(0, 527), request_header(), vec![0; 40]].concat());
    for inside in [written, browse("MSGC", 8), raw("MSGF", 0x0400_0007, &[0xa1; 60]), raw("MSGA", 8, &[0; 8])] {
        let mut wire = under(&[rule(Effect::Allow, &[])]);
        wire.ask(&browse("MSGC", 7));
        denied(&wire.at(wire.client, &inside), Reason::MalformedFraming);
        assert_eq!(wire.ask(&raw("MSGF", 7, &[0xa1; 60])).action, Action::Forward);
    }
}

#[test]
fn a_message_may_be_given_up_once_it_was_begun() {
    let given_up = [words(&[0x8000_0000]), string(Some("no"))].concat();
    denied(&ask(&[rule(Effect::Allow, &[])], &raw("MSGA", 7, &given_up)), Reason::MalformedFraming);
    let mut wire = under(&[rule(Effect::Allow, &[527])]);
    wire.ask(&browse("MSGC", 7));
    assert_eq!(wire.ask(&raw("MSGA", 7, &given_up)).action, Action::Forward);
    assert_eq!(wire.ask(&browse("MSGF", 8)).reason, Reason::RuleAllow);
    let one = records(on(LONG), &raw("MSGA", 7, &[0xa5; 60]))[0];
    assert_eq!((one.function, one.fault), (2, 0), "on a channel that may encrypt nobody knows");
}

#[test]
fn nodes_in_later_chunks_are_beyond_inspection() {
    let body = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        bytes[3] = b'C';
        let cut = bytes.len() - 10;
        bytes.truncate(cut);
        bytes[4..8].copy_from_slice(&u32::try_from(cut).unwrap().to_le_bytes());
        bytes
    };
    let two = [writing(&text(2, "A"), 13, &value(&[1, 1])), writing(&text(2, "BBBBBBBBBBBBBBBB"), 13, &value(&[1, 1]))];
    assert_eq!(fault(on(PLAIN), &body(write(&two))), Some(Reason::BeyondInspection));
    assert_eq!(
        fault(on(PLAIN), &body(call(&[calling(&text(2, "A"), &text(2, "BBBBBBBBBBBB"), &[])]))),
        Some(Reason::BeyondInspection)
    );
    let listed = plain(&body(read(&[text(2, "A"), text(2, "BBBBBBBBBBBBBBBB")])));
    assert_eq!(listed.len(), 3, "and what reads has an object for the rest");
    assert_eq!(listed[2].space, enforcer_common::protocol::opcua::functions::space::UNLISTED);
}

#[test]
fn a_request_id_that_cannot_be_remembered_is_beyond_inspection() {
    assert_eq!(fault(on(PLAIN), &browse("MSGC", (1 << 26) - 1)), None);
    assert_eq!(fault(on(PLAIN), &browse("MSGC", 1 << 26)), Some(Reason::BeyondInspection));
    assert_eq!(fault(on(PLAIN), &browse("MSGF", u32::MAX)), None);
}

#[test]
fn an_answer_of_several_chunks_is_one_answer() {
    let first = raw("MSGC", 7, &[numeric(0, 530), response_header(0), vec![0; 60]].concat());
    let rest = raw("MSGF", 7, &[0xa1; 60]);
    let mut wire = under(&[]);
    assert_eq!(wire.answer(&first).operations[0].function, 530);
    assert!(wire.answer(&raw("MSGC", 7, &[0xa1; 60])).operations.is_empty());
    assert!(wire.answer(&rest).operations.is_empty());
    assert_eq!(wire.answer(&answer(634, 0)).operations[0].function, 634);
    // What the limit was is not forgotten over it.
    let device = From { context: (1 << 31 | 2047, 0), ..DEVICE };
    let context = run(device, &[first, rest].concat()).stream.context;
    assert_eq!(context, 1 << 31 | 2047);
}

#[test]
fn units_must_be_whole_where_the_conduit_says_so() {
    let whole = Policy { stream: false, ..policy(&[rule(Effect::Allow, &[])]) };
    let mut wire = Wire::open(&whole, Mode::Enforce);
    denied(&wire.at(wire.client, &hello()[..20]), Reason::SplitUnit);
    assert_eq!(wire.ask(&hello()).reason, Reason::Response);
}
