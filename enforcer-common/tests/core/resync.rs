//! Conversations whose beginning was not seen: what passes before they are proved, and what proves them.

use enforcer_common::action::Action;
use enforcer_common::environment::Trust;
use enforcer_common::flow::Direction;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::ACK;
use crate::support::modbus::{Request, adu, answer, read};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn set(transaction: u16) -> Vec<u8> {
    adu(transaction, 1, &Request::Registers(10, vec![5]).pdu())
}

fn policy() -> Policy {
    Policy::new(&[rule(Effect::Allow, &[3, 16])])
}

/// A conversation met in the middle, taken up by the device's word.
fn met(mode: Mode) -> Wire {
    let mut wire = Wire::new(&policy(), mode);
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    wire
}

fn adopted(wire: &mut Wire) -> bool {
    wire.host.only_flow().network.has(Direction::ADOPTED)
}

#[test]
fn three_exchanges_prove_where_units_begin() {
    let mut wire = met(Mode::Enforce);
    for number in 1..=3 {
        let early = wire.at(wire.client, &set(9));
        assert_eq!((early.reason, early.action), (Reason::Unsynchronised, Action::Drop), "before exchange {number}");
        assert_eq!(wire.ask(&read(number)).reason, Reason::RuleAllow);
        assert!(adopted(&mut wire), "exchange {number} is not answered");
        wire.answer(&answer(number));
    }
    assert_eq!(wire.ask(&set(9)).reason, Reason::RuleAllow);
    assert!(!adopted(&mut wire));
}

#[test]
fn learn_and_shadow_prove_as_enforce_does() {
    for mode in [Mode::Learn, Mode::Shadow] {
        let mut wire = met(mode);
        for number in 1..=3 {
            assert_eq!(wire.at(wire.client + 4_000, &[]).action, Action::Forward);
            wire.ask(&read(number));
            wire.answer(&answer(number));
        }
        wire.host.mode = Mode::Enforce;
        assert_eq!(wire.ask(&set(9)).reason, Reason::RuleAllow, "{mode:?}");
    }
}

#[test]
fn what_is_no_exchange_proves_nothing() {
    type Exchange = fn(&mut Wire, u16);
    let ways: [(&str, Exchange); 5] = [
        ("another transaction", |wire, number| {
            wire.ask(&read(number));
            wire.answer(&answer(number + 100));
        }),
        ("another function", |wire, number| {
            wire.ask(&read(number));
            wire.answer(&adu(number, 1, &[4, 2, 0, 0]));
        }),
        ("another unit", |wire, number| {
            wire.ask(&read(number));
            wire.answer(&adu(number, 2, &[3, 2, 0, 0]));
        }),
        ("not acknowledged to the last byte", |wire, number| {
            wire.ask(&read(number));
            wire.client -= 1;
            wire.answer(&answer(number));
            wire.client += 1;
        }),
        ("the same answer again and again", |wire, number| {
            if number == 1 {
                wire.ask(&read(1));
            }
            wire.answer(&answer(1));
        }),
    ];
    for (what, exchange) in ways {
        let mut wire = met(Mode::Enforce);
        for number in 1..=6 {
            exchange(&mut wire, number);
        }
        assert_eq!(wire.ask(&set(9)).reason, Reason::Unsynchronised, "{what}");
    }
}

/// A false boundary: for the device the bytes are the middle of something longer, so it does not answer them.
#[test]
fn bytes_that_look_like_units_and_are_none_prove_nothing() {
    let mut wire = Wire::new(&Policy { stream: true, ..policy() }, Mode::Shadow);
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    for number in 1..=6 {
        wire.ask(&[&read(number)[..], &read(number)[..5]].concat());
        wire.answer(&answer(number));
        wire.ask(&read(number)[5..]);
    }
    assert!(adopted(&mut wire));
    assert_eq!(wire.host.only_flow().network.hindrance, Reason::SplitUnit as u8);
}

#[test]
fn a_false_boundary_in_between_begins_anew() {
    let mut wire = Wire::new(&policy(), Mode::Shadow);
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    for number in 1..=2 {
        wire.ask(&read(number));
        wire.answer(&answer(number));
    }
    wire.ask(b"none of this is a unit");
    for number in 3..=4 {
        wire.ask(&read(number));
        wire.answer(&answer(number));
    }
    wire.ask(&[]);
    assert!(adopted(&mut wire), "two and two are not three in a row");
}

#[test]
fn after_grace_nothing_passes() {
    for (on, action) in [
        (OnUnsynchronised::Deny, Action::Drop),
        (OnUnsynchronised::Reset, Action::Reset),
        (OnUnsynchronised::Resync, Action::Reset),
    ] {
        let mut wire = Wire::new(&Policy { on_unsynchronised: on, ..policy() }, Mode::Enforce);
        wire.host.limits.trust = Trust::Nothing;
        assert_eq!(wire.at(1000, &read(1)).reason, Reason::Unsynchronised);
        wire.segment(Side::Device, 5000, 1000, ACK, &[]);
        let seen = wire.at(1000, &read(1));
        assert_eq!((seen.reason, seen.action), (Reason::Unsynchronised, action), "{on:?}");
        assert_eq!(wire.host.only_flow().network.next, 1000);
    }
}

#[test]
fn a_box_that_looked_away_proves_every_conversation_again() {
    let mut wire = Wire::open(&policy(), Mode::Enforce);
    assert_eq!(wire.ask(&set(1)).reason, Reason::RuleAllow);
    wire.host.limits.sync += 1;
    let first = wire.client - set(1).len() as u32;
    assert_eq!(wire.at(first, &set(1)).reason, Reason::Retransmission, "what was forwarded is still known");
    assert_eq!(wire.at(first, &set(2)).reason, Reason::DuplicateDiffers);
    assert_eq!(wire.at(wire.client, &set(3)).reason, Reason::Unsynchronised);
    for number in 1..=3 {
        wire.ask(&read(number));
        wire.answer(&answer(number));
    }
    assert_eq!(wire.ask(&set(4)).reason, Reason::RuleAllow);
}

/// The device is the client: what it asks and the network side answers proves the same.
#[test]
fn exchanges_that_the_device_begins_count_too() {
    let mut wire = met(Mode::Enforce);
    wire.host.only_flow().client = Side::Device as u8;
    for number in 1..=3 {
        assert_eq!(wire.answer(&read(number)).action, Action::Forward, "asked by the device");
        assert_eq!(wire.ask(&answer(number)).action, Action::Forward);
    }
    wire.ask(&[]);
    assert!(!adopted(&mut wire));
}

#[test]
fn a_gap_before_anything_is_proved_is_an_island_too() {
    let mut wire = met(Mode::Shadow);
    let seen = wire.at(1012, &read(2));
    assert_eq!(seen.reasons(), [Reason::SequenceGap, Reason::RuleAllow]);
    assert_eq!(wire.host.only_flow().network.next, 1000, "nobody knows yet whether the device has what is before");
    wire.host.mode = Mode::Enforce;
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
    assert_eq!(wire.host.only_flow().network.next, 1024);
}
