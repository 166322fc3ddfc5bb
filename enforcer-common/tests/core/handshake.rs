//! How conversations begin: who may offer which numbering, and from when on it counts.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::environment::{Limits, Trust};
use enforcer_common::flow::Direction;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, RST, SYN};
use crate::support::modbus::{answer, read, write};
use crate::support::policy::Policy;
use crate::support::wire::{Wire, in_all_modes};

fn closed() -> Wire {
    Wire::new(&Policy::reads(), Mode::Enforce)
}

/// One exchange, acknowledged by both ends.
fn exchange(wire: &mut Wire) {
    assert_eq!(wire.ask(&read(7)).reason, Reason::RuleAllow);
    assert_eq!(wire.answer(&answer(7)).reason, Reason::Response);
}

#[test]
fn a_syn_with_bytes_is_invalid() {
    let wire = in_all_modes(
        &Policy::reads(),
        |wire| wire.segment(Side::Network, 700, 0, SYN, &read(1)),
        Reason::InvalidFlags,
        Action::Drop,
    );
    assert_eq!(wire.host.flows[0].network.flags & Direction::PENDING, 0);
}

#[test]
fn bytes_wait_for_the_devices_answer() {
    let mut wire = closed();
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    let early = wire.at(1000, &read(1));
    assert_eq!((early.reason, early.action), (Reason::UnexpectedHandshake, Action::Drop));
    assert_eq!(wire.at(1000, &[]).reason, Reason::UnexpectedHandshake, "an acknowledgement of nothing");
    assert!(wire.host.keys.is_empty());
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
}

#[test]
fn the_first_segment_is_exactly_where_the_device_waits() {
    for (sequence, ack, reason) in [
        (1000, 5000, Reason::RuleAllow),
        (1000, 4999, Reason::UnexpectedHandshake),
        (1000, 5001, Reason::UnexpectedHandshake),
        (1012, 5000, Reason::UnexpectedHandshake),
        (988, 5000, Reason::UnexpectedHandshake),
    ] {
        let mut wire = closed();
        wire.segment(Side::Network, 999, 0, SYN, &[]);
        wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
        let seen = wire.segment(Side::Network, sequence, ack, ACK, &read(1));
        assert_eq!(seen.reason, reason, "{sequence} {ack}");
        if seen.action == Action::Forward {
            assert_eq!(wire.host.only_flow().network.next, 1012);
        } else {
            assert!(wire.host.keys.is_empty(), "whoever has not heard the device's answer opens nothing");
        }
    }
}

#[test]
fn one_question_at_a_time() {
    // Whatever the clock says; a SYN's time is kept in 32 bits of 2^20 nanoseconds each.
    for now in [2 << 20, 3 << 20, 1 << 52] {
        let mut wire = closed();
        wire.host.now = now;
        wire.segment(Side::Network, 999, 0, SYN, &[]);
        assert_eq!(wire.segment(Side::Network, 999, 0, SYN, &[]).reason, Reason::NoPayload, "the same again");
        assert_eq!(wire.segment(Side::Network, 888, 0, SYN, &[]).reason, Reason::ConnectionRate);
        wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
        wire.at(1000, &[]);
        assert_eq!(wire.segment(Side::Network, 776, 0, SYN, &[]).reason, Reason::NoPayload, "on a live conversation");
        assert_eq!(wire.segment(Side::Network, 665, 0, SYN, &[]).reason, Reason::ConnectionRate);
        assert_eq!(wire.host.only_flow().network.pending, 777);
        wire.host.now += 3_000_000_000;
        assert_eq!(wire.segment(Side::Network, 665, 0, SYN, &[]).reason, Reason::NoPayload, "a device answers at once");
    }
}

#[test]
fn a_question_that_nobody_answered_makes_room_for_another() {
    let mut wire = closed();
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    wire.host.now += 3_000_000_000;
    assert_eq!(wire.segment(Side::Network, 888, 0, SYN, &[]).reason, Reason::NoPayload);
    wire.segment(Side::Device, 4999, 889, SYN | ACK, &[]);
    assert_eq!(wire.at(889, &read(1)).reason, Reason::RuleAllow);
    let mut refused = closed();
    refused.segment(Side::Network, 999, 0, SYN, &[]);
    refused.segment(Side::Device, 0, 1000, RST | ACK, &[]);
    assert_eq!(refused.segment(Side::Network, 888, 0, SYN, &[]).reason, Reason::NoPayload, "at once");
}

/// The device may answer it after the one that it has answered, and then begins in the middle of these bytes.
#[test]
fn a_question_behind_the_answer_is_not_forgotten() {
    let mut wire = closed();
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    assert_eq!(wire.segment(Side::Network, 1016, 0, SYN, &[]).action, Action::Forward);
    assert_eq!(wire.segment(Side::Network, 999, 0, SYN, &[]).reason, Reason::ConnectionRate);
    wire.server = 5000;
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow, "in front of what it offered");
    let held = wire.at(1012, &read(2));
    assert_eq!((held.reason, held.action), (Reason::SequenceGap, Action::Drop));
    wire.host.now += 3_000_000_000;
    assert_eq!(wire.at(1012, &read(2)).reason, Reason::RuleAllow, "nobody answered it");
}

/// Of a conversation that was open before the box came, or that lost its place to another one.
#[test]
fn a_question_beside_what_went_by_is_not_forgotten() {
    let mut wire = closed();
    wire.host.limits.trust = Trust::Reading;
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
    assert_eq!(wire.segment(Side::Network, 989, 0, SYN, &[]).action, Action::Forward);
    wire.segment(Side::Device, 5000, 1012, ACK, &[]);
    assert_eq!(wire.host.only_flow().network.pending, 990);
    let held = wire.at(990, &write(1));
    assert_eq!((held.reason, held.action), (Reason::SequenceGap, Action::Drop), "the device may wait for them");
    wire.host.now += 3_000_000_000;
    assert_eq!(wire.at(990, &write(1)).reason, Reason::Retransmission, "it has not answered");
}

/// Vector 16, with the first bytes of the new numbering inside of what the old one sends.
#[test]
fn bytes_that_an_unanswered_syn_would_make_new_are_held() {
    let wire = in_all_modes(
        &Policy::reads(),
        |wire| {
            exchange(wire);
            wire.segment(Side::Network, 1017, 0, SYN, &[]);
            wire.at(1012, &read(2))
        },
        Reason::SequenceGap,
        Action::Drop,
    );
    assert_eq!(wire.host.flows[0].network.next, 1012);
}

#[test]
fn bytes_below_the_acknowledgement_are_held_while_they_could_be_new() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    exchange(&mut wire);
    assert_eq!(wire.at(1000, &write(1)).reason, Reason::Retransmission, "the device has them");
    wire.host.now += 3_000_000_000;
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    let seen = wire.at(1000, &write(1));
    assert_eq!((seen.reason, seen.action), (Reason::SequenceGap, Action::Drop));
    wire.host.now += 3_000_000_000;
    assert_eq!(wire.at(1000, &write(1)).reason, Reason::Retransmission, "the SYN was a copy from the network");
}

#[test]
fn a_device_that_answers_again_has_begun_anew() {
    // With the very numbers of before: a device that was switched off and on, or whose socket was closed by a reset.
    for (isn, answered) in [(999, 4999), (999, 70_000), (400, 4999), (50_000, 70_000)] {
        let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
        exchange(&mut wire);
        let (next, ack) = (wire.client, wire.server);
        assert_eq!(wire.segment(Side::Network, next, ack, RST, &[]).action, Action::Forward);
        wire.host.now += 3_000_000_000;
        wire.segment(Side::Network, isn, 0, SYN, &[]);
        wire.segment(Side::Device, answered, isn + 1, SYN | ACK, &[]);
        (wire.client, wire.server) = (isn + 1, answered + 1);
        let denied = wire.ask(&write(1));
        assert_eq!((denied.reason, denied.action), (Reason::FunctionNotAllowed, Action::Drop), "{isn} {answered}");
        assert_eq!(wire.host.only_flow().network.next, isn + 1);
        wire.client = isn + 1;
        assert_eq!(wire.ask(&read(1)).reason, Reason::RuleAllow);
    }
}

/// A cable that repeats and delays: the copy comes when the device has long acknowledged bytes.
#[test]
fn a_late_copy_of_the_devices_answer_changes_nothing() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    exchange(&mut wire);
    let before = *wire.host.only_flow();
    assert_eq!(wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]).action, Action::Forward);
    let after = *wire.host.only_flow();
    assert_eq!((after.device.turn, after.device.acknowledged), (before.device.turn, before.device.acknowledged));
    exchange(&mut wire);
    assert_eq!(wire.host.only_flow().network.next, 1024);
}

/// A device that answers two SYN of one number one after the other, with the very numbers of before, and takes bytes in
/// between; or a cable that was late with a copy. In both cases nothing but what went by may come again, and what follows
/// goes on.
#[test]
fn of_two_syn_on_the_way_the_second_answer_may_be_either() {
    let mut wire = closed();
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    (wire.client, wire.server) = (1000, 5000);
    exchange(&mut wire);
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    let denied = wire.at(1000, &write(1));
    assert_eq!(
        (denied.reason, denied.action),
        (Reason::DuplicateDiffers, Action::Drop),
        "the device may wait for them"
    );
    let again = wire.at(1000, &read(7));
    assert_eq!((again.reason, again.action), (Reason::Retransmission, Action::Forward));
    assert_eq!(wire.host.only_flow().network.next, 1012);
    assert_eq!(wire.ask(&write(2)).reason, Reason::FunctionNotAllowed, "behind them it is judged as ever");
    wire.client = 1012;
    exchange(&mut wire);
    assert_eq!(wire.at(1000, &write(1)).reason, Reason::Retransmission, "the device has said that it has them");
}

#[test]
fn a_late_copy_of_a_syn_holds_nothing_up() {
    let wire = in_all_modes(
        &Policy::reads(),
        |wire| {
            exchange(wire);
            wire.segment(Side::Network, 999, 0, SYN, &[])
        },
        Reason::UnexpectedHandshake,
        Action::Drop,
    );
    assert_eq!(wire.host.flows[0].network.flags & Direction::PENDING, 0);
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    exchange(&mut wire);
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    exchange(&mut wire);
    wire.host.now += 3_000_000_000;
    assert_eq!(
        wire.segment(Side::Network, 999, 0, SYN, &[]).action,
        Action::Forward,
        "a station that was switched off"
    );
}

/// A device whose numbers are always the same, and a SYN that passed while its bytes were on the way: it takes them, says so,
/// and then begins anew.
#[test]
fn a_syn_behind_bytes_on_the_way_may_make_them_new() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    assert_eq!(wire.ask(&read(7)).reason, Reason::RuleAllow);
    let copy = wire.segment(Side::Network, 999, 0, SYN, &[]);
    assert_eq!((copy.reason, copy.action), (Reason::UnexpectedHandshake, Action::Drop), "so soon it is a late copy");
    assert_eq!(wire.segment(Side::Network, wire.client, wire.server, RST, &[]).action, Action::Forward);
    wire.host.now += 3_000_000_000;
    assert_eq!(wire.segment(Side::Network, 999, 0, SYN, &[]).action, Action::Forward);
    assert_eq!(wire.answer(&answer(7)).reason, Reason::Response, "sent before the device heard of the reset");
    let held = wire.at(1000, &write(1));
    assert_eq!((held.reason, held.action), (Reason::SequenceGap, Action::Drop), "it may have answered");
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    (wire.client, wire.server) = (1000, 5000);
    assert_eq!(wire.ask(&write(1)).reason, Reason::FunctionNotAllowed);
    wire.client = 1000;
    exchange(&mut wire);
}

#[test]
fn the_devices_answer_counts_whichever_syn_it_is_for() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    exchange(&mut wire);
    wire.segment(Side::Network, 2000, 0, SYN, &[]);
    wire.host.now += 3_000_000_000;
    wire.segment(Side::Network, 3000, 0, SYN, &[]);
    wire.segment(Side::Device, 60_000, 2001, SYN | ACK, &[]);
    (wire.client, wire.server) = (2001, 60_001);
    assert_eq!(wire.ask(&write(1)).reason, Reason::FunctionNotAllowed);
    assert_eq!(wire.host.only_flow().network.next, 2001);
}

#[test]
fn a_device_may_be_the_one_that_asks() {
    let mut wire = Wire::new(&Policy { device_asks: true, ..Policy::reads() }, Mode::Enforce);
    wire.segment(Side::Device, 4999, 0, SYN, &[]);
    let seen = wire.segment(Side::Network, 999, 4000, SYN | ACK, &[]);
    assert_eq!((seen.reason, seen.action), (Reason::UnexpectedHandshake, Action::Drop), "no answer to this SYN");
    assert_eq!(wire.segment(Side::Network, 999, 5000, SYN | ACK, &[]).action, Action::Forward);
    assert!(wire.host.keys.is_empty(), "nothing is made by the network's word");
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    let flow = wire.host.only_flow();
    assert_eq!((flow.client, flow.network.next, flow.device.next), (Side::Device as u8, 1000, 5000));
    assert!(!flow.network.has(Direction::ADOPTED));
}

#[test]
fn a_stations_resets_hold_it_off() {
    let policy = Policy { on_deny: OnDeny::Reset, ..Policy::reads() };
    let mut wire = Wire::new(&policy, Mode::Enforce);
    wire.host.limits = Limits { resets: 3, ..wire.host.limits };
    for round in 0u32..3 {
        (wire.client, wire.server) = (1000 + round * 40_000, 5000 + round * 40_000);
        wire.handshake();
        assert_eq!(wire.ask(&write(1)).action, Action::Reset);
        assert_eq!(wire.host.only_flow().killed, 1);
    }
    let held = wire.segment(Side::Network, 500_000, 0, SYN, &[]);
    assert_eq!((held.reason, held.action), (Reason::HeldAfterResets, Action::Drop));
    wire.host.now += 60_000_000_000;
    (wire.client, wire.server) = (600_000, 700_000);
    wire.handshake();
    assert_eq!(wire.ask(&read(1)).reason, Reason::RuleAllow, "a minute later");
}

#[test]
fn a_station_opens_so_many_connections_in_a_time() {
    let mut wire = closed();
    wire.host.limits = Limits { connection_interval: 1_000_000_000, connection_burst: 2, ..wire.host.limits };
    let ask = |wire: &mut Wire| {
        wire.host.half_open.clear();
        wire.segment(Side::Network, 999, 0, SYN, &[]).reason
    };
    assert_eq!(
        [ask(&mut wire), ask(&mut wire), ask(&mut wire)],
        [Reason::NoPayload, Reason::NoPayload, Reason::ConnectionRate]
    );
    wire.host.now += 1_000_000_000;
    assert_eq!([ask(&mut wire), ask(&mut wire)], [Reason::NoPayload, Reason::ConnectionRate]);
}

#[test]
fn what_went_by_before_the_device_spoke_is_known_when_it_does() {
    // Where the device then says it is, and whether other bytes may follow there.
    for (ack, next) in [(1000, 1012), (1006, 1012), (1012, 1012), (994, 994), (1020, 1020)] {
        let mut wire = closed();
        wire.host.limits.trust = Trust::Reading;
        assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
        let other = wire.at(1000, &read(2));
        assert_eq!((other.reason, other.action), (Reason::BackPressure, Action::Drop));
        assert_eq!(wire.at(1000, &read(1)).reason, Reason::Retransmission);
        wire.segment(Side::Device, 5000, ack, ACK, &[]);
        let flow = wire.host.only_flow();
        assert_eq!((flow.network.next, flow.network.has(Direction::ADOPTED)), (next, true), "{ack}");
        if ack < 1012 {
            let splice = wire.at(ack.min(1000), &[&read(3)[..], &read(2)].concat());
            assert_eq!(splice.action, Action::Drop, "{ack}: {splice:?}");
        }
    }
}

#[test]
fn a_question_does_not_make_the_box_forget_what_went_by() {
    let mut wire = closed();
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
    assert_eq!(wire.segment(Side::Network, 1011, 0, SYN, &[]).action, Action::Forward);
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    let flow = wire.host.only_flow();
    assert_eq!((flow.network.next, flow.client), (1000, Side::Network as u8), "the device's answer needs no question");
    let other = wire.at(1000, &read(2));
    assert_eq!((other.reason, other.action), (Reason::DuplicateDiffers, Action::Drop));
    assert_eq!(wire.at(1000, &read(1)).reason, Reason::RuleAllow);
    let mut wire = closed();
    wire.at(1000, &read(1));
    wire.segment(Side::Device, 5000, 1000, RST, &[]);
    assert!(wire.host.half_open.is_empty(), "a device that resets has forgotten it");
}

#[test]
fn shadow_keeps_what_went_by_first() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Shadow);
    wire.at(1000, &read(1));
    assert_eq!(wire.at(1012, &read(2)).reasons(), [Reason::BackPressure, Reason::RuleAllow]);
    wire.host.mode = Mode::Enforce;
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    assert_eq!(wire.at(1000, &read(3)).reason, Reason::DuplicateDiffers);
}

#[test]
fn a_question_outlives_a_box_that_looked_away() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    exchange(&mut wire);
    wire.segment(Side::Network, 1003, 0, SYN, &[]);
    wire.host.limits.sync += 1;
    assert_eq!(wire.at(1004, &read(2)).reason, Reason::SequenceGap);
}
