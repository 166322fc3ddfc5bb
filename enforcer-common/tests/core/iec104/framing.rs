//! APCI: start, length, control field, segments, and when data transfer is started.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Role};
use enforcer_common::verdict::{Mode, Reason};

use super::{policy, started, under};
use crate::support::iec104::{Asdu, control, raw, startdt, supervisory};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn single() -> Asdu {
    Asdu::new(45, 1000, &[1])
}

#[test]
fn unnumbered_frames_are_functions_of_their_control_octet() {
    for octet in [0x07, 0x0b, 0x13, 0x23, 0x43, 0x83] {
        let seen = started().ask(&control([octet, 0, 0, 0]));
        let one = seen.operations[0];
        assert_eq!((one.function, one.access), (256 + u32::from(octet), Access::Session as u8));
        assert_eq!((one.unit, one.space, one.fault, one.role), (0, NO_OBJECT, 0, Role::Request as u8));
    }
}

#[test]
fn a_control_field_with_two_bits_or_a_filled_one_is_no_frame() {
    // Vector 32: stacks test the bits in different orders.
    for octet in 0..=255u8 {
        if octet & 1 == 0 || [0x07, 0x0b, 0x13, 0x23, 0x43, 0x83, 0x01].contains(&octet) {
            continue;
        }
        let seen = started().ask(&control([octet, 0, 0, 0]));
        assert_eq!((seen.reason, seen.action), (Reason::MalformedFraming, Action::Drop), "{octet:#x}");
    }
    for octets in [[7, 1, 0, 0], [7, 0, 1, 0], [0x43, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0]] {
        assert_eq!(started().ask(&control(octets)).reason, Reason::MalformedFraming, "{octets:?}");
    }
    for frame in [raw(5, &[7, 0, 0, 0, 0]), raw(6, &[1, 0, 2, 0, 0, 0])] {
        assert_eq!(started().ask(&frame).reason, Reason::MalformedFraming);
    }
    let mut frame = single().frame(3);
    frame[4] = 1;
    assert_eq!(started().ask(&frame).reason, Reason::MalformedFraming, "lowest bit of N(R)");
}

#[test]
fn supervisory_frames_pass_without_a_record() {
    for receive in [0, 1, 0x7fff] {
        let seen = under(&[]).ask(&supervisory(receive));
        assert_eq!((seen.operations.len(), seen.action), (0, Action::Forward));
    }
}

#[test]
fn start_and_length_are_what_the_standard_says() {
    let body = [0u8; 254];
    for length in [0, 1, 2, 3, 254, 255] {
        let seen = started().ask(&raw(length, &body[..length.min(254)]));
        assert_eq!((seen.reason, seen.operations[0].function), (Reason::MalformedFraming, NO_FUNCTION), "{length}");
    }
    for bytes in [&b"GET / HTTP/1.1"[..], &[0x16, 3, 1, 0, 5, 1], &[0x67, 4, 7, 0, 0, 0], &[0]] {
        assert_eq!(started().ask(bytes).reason, Reason::MalformedFraming);
    }
    for length in 4..10 {
        let seen = started().ask(&raw(length, &vec![0; length]));
        assert_eq!(seen.reason, Reason::LengthMismatch, "an I frame of {length}");
    }
}

#[test]
fn what_stands_between_supervisory_frames_is_judged() {
    // Vector 32: I, S, I, I with type 45 last.
    let interrogation = Asdu::new(100, 0, &[20]);
    let frames = |last: &Asdu| [interrogation.frame(0), supervisory(3), interrogation.frame(1), last.frame(2)].concat();
    let rules = [rule(Effect::Allow, &[100])];
    assert_eq!(under(&rules).ask(&frames(&interrogation)).reasons(), [Reason::RuleAllow; 3]);
    let seen = under(&rules).ask(&frames(&single()));
    assert_eq!(seen.reasons(), [Reason::RuleAllow, Reason::RuleAllow, Reason::FunctionNotAllowed]);
    assert_eq!(seen.action, Action::Drop);
}

#[test]
fn a_sequence_number_out_of_order_is_the_receivers_to_refuse() {
    let mut wire = started();
    for send in [0, 900, 3, 0x7fff] {
        assert_eq!(wire.ask(&single().frame(send)).reason, Reason::RuleAllow);
    }
}

#[test]
fn thirty_two_frames_are_read_and_one_more_is_beyond_inspection() {
    let frames = |count: u16| (0..count).flat_map(|number| single().frame(number)).collect::<Vec<u8>>();
    let seen = started().ask(&frames(32));
    assert_eq!((seen.operations.len(), seen.reason), (32, Reason::RuleAllow));
    assert_eq!(started().ask(&frames(33)).reason, Reason::BeyondInspection);
    let mut all = supervisory(0).repeat(32);
    assert_eq!(started().ask(&all).action, Action::Forward);
    all.extend(single().frame(0));
    assert_eq!(started().ask(&all).reason, Reason::BeyondInspection);
}

#[test]
fn a_frame_in_pieces_is_split_or_read_when_it_is_whole() {
    let bytes = Asdu::new(50, 9, &[0, 0, 0x80, 0x3f, 0]).frame(0);
    for cut in 1..bytes.len() {
        let seen = started().ask(&bytes[..cut]);
        assert_eq!((seen.reason, seen.action), (Reason::SplitUnit, Action::Drop), "{cut}");
        let stream = Policy { stream: true, ..policy(&[rule(Effect::Allow, &[])]) };
        let mut wire = Wire::open(&stream, Mode::Enforce);
        wire.ask(&startdt());
        assert_eq!(wire.ask(&bytes[..cut]).reason, Reason::Partial, "{cut}");
        let one = wire.ask(&bytes[cut..]).operations[0];
        assert_eq!((one.function, one.fault, one.value_min), (50, 0, 1), "{cut}");
    }
}

#[test]
fn commands_wait_until_data_transfer_is_started_and_end_when_it_is_stopped() {
    let mut wire = Wire::open(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce);
    let seen = wire.at(wire.client, &single().frame(0));
    assert_eq!((seen.reason, seen.operations[0].function), (Reason::InvalidFunction, 45));
    wire.ask(&control([0x43, 0, 0, 0]));
    assert_eq!(wire.at(wire.client, &single().frame(0)).reason, Reason::InvalidFunction, "a test starts nothing");
    wire.ask(&startdt());
    assert_eq!(wire.ask(&single().frame(0)).reason, Reason::RuleAllow);
    wire.ask(&control([0x13, 0, 0, 0]));
    assert_eq!(wire.at(wire.client, &single().frame(1)).reason, Reason::InvalidFunction);
    assert_eq!(wire.ask(&supervisory(2)).action, Action::Forward);
    let again = [startdt(), single().frame(1)].concat();
    assert_eq!(wire.ask(&again).reasons(), [Reason::RuleAllow, Reason::RuleAllow]);
}

#[test]
fn a_conversation_taken_up_in_the_middle_is_taken_as_started() {
    let mut wire = Wire::new(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce);
    wire.host.limits = enforcer_common::environment::Limits::UNLIMITED;
    let first = single().frame(7);
    wire.ask(&first);
    wire.answer(&single().cause(7).frame(0));
    let seen = wire.ask(&single().frame(8));
    assert_eq!((seen.reason, seen.operations[0].fault), (Reason::RuleAllow, 0), "{seen:?}");
}
