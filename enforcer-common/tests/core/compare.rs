//! Bytes that are sent again: the same or not, in the same pieces or others, and what shadow let through before its time.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::flow::Direction;
use enforcer_common::operation::Operation;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, FIN};
use crate::support::modbus::{Request, adu, read, write};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire, in_all_modes};

const FIRST: u32 = 1000;

/// A write that the policy here allows, and that differs in its value alone.
fn set(value: u16) -> Vec<u8> {
    adu(4, 1, &Request::Registers(10, vec![value; 3]).pdu())
}

fn writes() -> Policy {
    Policy { on_deny: OnDeny::Reset, ..Policy::new(&[rule(Effect::Allow, &[3, 16])]) }
}

fn expect(policy: &Policy, act: impl Fn(&mut Wire) -> Seen, reason: Reason) -> Wire {
    let denied =
        if matches!(reason, Reason::RuleAllow | Reason::Retransmission) { Action::Forward } else { Action::Drop };
    in_all_modes(policy, act, reason, denied)
}

/// Vector 8.
#[test]
fn a_unit_cut_at_every_place_is_split_and_its_last_piece_decides_in_a_stream() {
    for cut in 1..12 {
        let bytes = write(1);
        let whole = |wire: &mut Wire| wire.at(FIRST, &bytes[..cut]);
        let mut wire = in_all_modes(&Policy::reads(), whole, Reason::SplitUnit, Action::Drop);
        assert_eq!(wire.host.only_flow().network.next, FIRST);
        let pieces = |wire: &mut Wire| {
            assert_eq!(wire.at(FIRST, &bytes[..cut]).reason, Reason::Partial);
            wire.at(FIRST + cut as u32, &bytes[cut..])
        };
        let stream = Policy { stream: true, ..Policy::reads() };
        let mut wire = in_all_modes(&stream, pieces, Reason::FunctionNotAllowed, Action::Drop);
        assert_eq!(wire.host.only_flow().network.next, FIRST + cut as u32);
    }
}

/// Vector 9.
#[test]
fn other_bytes_in_the_place_of_lost_ones_are_refused() {
    let act = |wire: &mut Wire| {
        wire.at(FIRST, &read(1));
        wire.at(FIRST, &write(1))
    };
    let mut wire = expect(&writes(), act, Reason::DuplicateDiffers);
    assert_eq!(wire.at(FIRST, &read(1)).reason, Reason::Retransmission, "the first ones again pass");
    let flow = wire.host.only_flow();
    assert_eq!((flow.network.next, flow.network.strikes), (FIRST + 12, 1));
}

/// Vector 10, and the hole H17: the acknowledgement lies inside of what was forwarded.
#[test]
fn a_partial_acknowledgement_lets_no_other_value_in() {
    let length = set(0).len() as u32;
    for taken in 1..length {
        let mut wire = Wire::open(&writes(), Mode::Enforce);
        wire.at(FIRST, &set(50));
        wire.acknowledge(FIRST + taken, 8192);
        assert_eq!(wire.at(FIRST, &set(5000)).reason, Reason::DuplicateDiffers, "{taken} taken");
        let rest = &set(50)[taken as usize..];
        assert_eq!(wire.at(FIRST + taken, rest).reason, Reason::DuplicateUnverified, "no entry begins there");
        assert_eq!(wire.at(FIRST, &set(50)).reason, Reason::Retransmission, "whole, it is compared");
        wire.acknowledge(FIRST + length, 8192);
        assert_eq!(wire.at(FIRST + length, &set(5000)).reason, Reason::RuleAllow);
    }
}

/// Vector 11.
#[test]
fn pieces_may_be_put_together_but_not_cut() {
    let two = |wire: &mut Wire| {
        wire.at(FIRST, &read(1));
        wire.at(FIRST + 12, &read(2));
    };
    for (place, bytes, reason) in [
        (0, [read(1), read(2)].concat(), Reason::Retransmission),
        (12, read(2), Reason::Retransmission),
        (0, [read(1), read(2), read(3)].concat(), Reason::RuleAllow),
        (12, [read(2), set(1)].concat(), Reason::RuleAllow),
        (0, [read(1), read(9)].concat(), Reason::DuplicateDiffers),
        (0, [read(9), read(2), read(3)].concat(), Reason::DuplicateDiffers),
        (6, [&read(1)[6..], &read(2)].concat(), Reason::DuplicateUnverified),
        (0, [&read(1)[..], &read(2)[..6]].concat(), Reason::DuplicateUnverified),
    ] {
        let act = |wire: &mut Wire| {
            two(wire);
            wire.at(FIRST + place, &bytes)
        };
        let mut wire = expect(&writes(), act, reason);
        let end = FIRST + place + bytes.len() as u32;
        let next = if reason == Reason::RuleAllow { end } else { FIRST + 24 };
        assert_eq!(wire.host.only_flow().network.next, next, "{place} {reason:?}");
    }
}

#[test]
fn the_third_repetition_that_cannot_be_verified_resets() {
    let cut = |wire: &mut Wire| wire.at(FIRST + 1, &read(1)[1..]);
    let mut wire = Wire::open(&writes(), Mode::Enforce);
    wire.at(FIRST, &read(1));
    let seen: Vec<Action> = (0..3).map(|_| cut(&mut wire).action).collect();
    assert_eq!(seen, [Action::Drop, Action::Drop, Action::Reset]);
    assert_eq!(wire.host.only_flow().killed, 1);
}

#[test]
fn strikes_count_while_nothing_new_comes() {
    let mut wire = Wire::open(&writes(), Mode::Enforce);
    wire.ask(&read(0));
    for number in 1..8 {
        let place = wire.client - 11;
        for _ in 0..2 {
            assert_eq!(wire.at(place, &[0; 11]).action, Action::Drop);
        }
        assert_eq!(wire.ask(&read(number)).reason, Reason::RuleAllow);
    }
}

#[test]
fn repetitions_pass_whatever_the_policy_says_by_then() {
    let mut wire = Wire::open(&writes(), Mode::Enforce);
    wire.at(FIRST, &set(5));
    wire.policy = Policy { generation: 2, ..Policy::reads() }.build();
    assert_eq!(wire.at(FIRST, &set(5)).reason, Reason::Retransmission);
    assert_eq!(wire.at(FIRST, &set(6)).reason, Reason::DuplicateDiffers);
    assert_eq!(wire.at(FIRST + set(5).len() as u32, &set(5)).reason, Reason::FunctionNotAllowed);
}

#[test]
fn shadow_marks_what_enforce_would_have_held_and_goes_on_behind_it() {
    let mut wire = Wire::open(&writes(), Mode::Shadow);
    let ahead = wire.at(FIRST + 24, &write(3));
    assert_eq!(ahead.reasons(), [Reason::SequenceGap, Reason::FunctionNotAllowed]);
    assert!(ahead.operations.iter().all(|one| one.has(Operation::UNCERTAIN)));
    assert_eq!(wire.at(FIRST + 12, &read(2)).reasons(), [Reason::SequenceGap, Reason::RuleAllow], "the other order");
    assert_eq!(wire.host.only_flow().network.next, FIRST);
    let filled = wire.at(FIRST, &read(1));
    assert_eq!(filled.reasons(), [Reason::RuleAllow]);
    assert!(!filled.operations[0].has(Operation::UNCERTAIN));
    assert_eq!(wire.host.only_flow().network.next, FIRST + 36);
}

#[test]
fn islands_that_overlap_carry_the_stream_to_the_end_of_the_longer() {
    let mut wire = Wire::open(&writes(), Mode::Shadow);
    wire.at(FIRST + 12, &read(2));
    wire.at(FIRST + 12, &[read(2), read(3)].concat());
    wire.at(FIRST, &read(1));
    assert_eq!(wire.host.only_flow().network.next, FIRST + 36);
    wire.host.mode = Mode::Enforce;
    assert_eq!(wire.at(FIRST + 36, &set(1)).reason, Reason::RuleAllow, "the place is not lost");
}

#[test]
fn islands_side_by_side_are_one() {
    let mut wire = Wire::open(&writes(), Mode::Shadow);
    for number in 1..9u16 {
        wire.at(FIRST + 12 * u32::from(number), &read(number));
    }
    wire.at(FIRST, &read(0));
    assert_eq!(wire.host.only_flow().network.next, FIRST + 9 * 12);
}

#[test]
fn an_island_that_is_never_filled_is_what_the_device_says_it_is() {
    let mut wire = Wire::open(&writes(), Mode::Shadow);
    wire.at(FIRST + 12, &read(2));
    // The filler did not pass here, and the device has it.
    wire.acknowledge(FIRST + 24, 8192);
    assert_eq!(wire.at(FIRST + 24, &read(3)).reasons(), [Reason::RuleAllow]);
    assert_eq!(wire.host.only_flow().network.next, FIRST + 36);
}

#[test]
fn enforce_lets_nothing_contradict_what_shadow_let_through() {
    for (bytes, reason) in [
        ([read(1), read(2), read(3)].concat(), Reason::RuleAllow),
        ([read(1), read(9)].concat(), Reason::DuplicateDiffers),
        ([&read(1)[..], &read(2)[..6]].concat(), Reason::DuplicateUnverified),
    ] {
        let mut wire = Wire::open(&Policy { stream: true, ..writes() }, Mode::Shadow);
        wire.at(FIRST + 12, &read(2));
        wire.host.mode = Mode::Enforce;
        assert_eq!(wire.at(FIRST, &bytes).reason, reason);
        let next = if reason == Reason::RuleAllow { FIRST + 36 } else { FIRST };
        assert_eq!(wire.host.only_flow().network.next, next);
        if reason != Reason::RuleAllow {
            assert_eq!(wire.at(FIRST, &read(1)).reason, Reason::RuleAllow);
            assert_eq!(wire.host.only_flow().network.next, FIRST + 24, "and goes on behind the island");
        }
    }
}

#[test]
fn an_end_that_went_ahead_comes_again_in_its_place() {
    let mut wire = Wire::open(&writes(), Mode::Shadow);
    let end = |wire: &mut Wire| wire.segment(Side::Network, FIRST + 12, 5000, ACK | FIN, &read(2));
    assert_eq!(end(&mut wire).reasons(), [Reason::SequenceGap, Reason::RuleAllow]);
    wire.at(FIRST, &read(1));
    wire.host.mode = Mode::Enforce;
    assert!(!wire.host.only_flow().network.has(Direction::CLOSED));
    assert_eq!(end(&mut wire).action, Action::Forward);
    let flow = wire.host.only_flow();
    assert_eq!((flow.network.next, flow.network.has(Direction::CLOSED)), (FIRST + 25, true));
    assert!(flow.ring.iter().all(|sent| sent.length <= 24));
}
