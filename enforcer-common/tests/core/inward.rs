//! Segments toward the device in and out of their place, row by row: reason, action in every mode, and the flow afterwards.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::flow::Direction;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::checksum::repaired;
use crate::support::frames::{ACK, FIN, HMI, PLC, PSH, RST, ethernet, ipv4, tcp};
use crate::support::modbus::{answer, read, write};
use crate::support::policy::Policy;
use crate::support::wire::{Seen, Wire, in_all_modes};

/// Where the client of an open conversation begins.
const FIRST: u32 = 1000;

fn open() -> Wire {
    Wire::open(&Policy::reads(), Mode::Enforce)
}

fn exchange(wire: &mut Wire) {
    assert_eq!(wire.ask(&read(7)).reason, Reason::RuleAllow);
    assert_eq!(wire.answer(&answer(7)).reason, Reason::Response);
}

/// Vector 12.
#[test]
fn a_segment_ahead_is_held_until_what_is_before_it_came() {
    let ahead = |wire: &mut Wire| wire.at(FIRST + 12, &read(2));
    let mut wire = in_all_modes(&Policy::reads(), ahead, Reason::SequenceGap, Action::Drop);
    assert_eq!(wire.host.only_flow().network.next, FIRST);
    assert_eq!(wire.at(FIRST, &read(1)).reason, Reason::RuleAllow);
    assert_eq!(wire.at(FIRST + 12, &read(2)).reason, Reason::RuleAllow, "the session survives");
    assert_eq!(wire.host.only_flow().network.next, FIRST + 24);
}

/// Its handshake was not seen: half of all numberings lie before the one that is followed.
#[test]
fn what_lies_far_before_the_stream_is_no_repetition() {
    for back in [2 << 20, 1 << 30, (1 << 31) - 1] {
        let mut wire = open();
        exchange(&mut wire);
        let next = wire.client;
        let seen = wire.at(next.wrapping_sub(back), &write(1));
        assert_eq!((seen.reason, seen.action), (Reason::SequenceGap, Action::Drop), "{back}");
        let mut shadow = Wire::open(&Policy::reads(), Mode::Shadow);
        exchange(&mut shadow);
        let seen = shadow.at(shadow.client.wrapping_sub(back), &write(1));
        assert_eq!(seen.reasons(), [Reason::SequenceGap, Reason::FunctionNotAllowed], "{back}");
    }
}

/// Vector 13.
#[test]
fn a_wrong_checksum_leaves_no_trace() {
    let frame = |payload: &[u8]| {
        let segment = tcp((40000, 502), FIRST, 5000, ACK | PSH, payload);
        repaired(ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 6, &[], &segment)))
    };
    for place in [24, 50] {
        let mut broken = frame(&read(1));
        broken[place] ^= 1;
        let send = |wire: &mut Wire| {
            wire.host.limits.checksums = true;
            wire.frame(Side::Network, &broken)
        };
        let mut wire = in_all_modes(&Policy::reads(), send, Reason::BadChecksum, Action::Drop);
        assert_eq!(wire.host.only_flow().network.next, FIRST);
        assert_eq!(wire.frame(Side::Network, &frame(&write(2))).reason, Reason::FunctionNotAllowed, "judged alone");
        assert_eq!(wire.frame(Side::Network, &frame(&read(3))).reason, Reason::RuleAllow);
    }
}

/// Vector 15.
#[test]
fn a_reset_ends_nothing() {
    for (place, reason) in [
        (0, Reason::NoPayload),
        (1, Reason::InexactReset),
        (u32::MAX, Reason::InexactReset),
        (500, Reason::InexactReset),
    ] {
        let reset = |wire: &mut Wire| wire.segment(Side::Network, FIRST.wrapping_add(place), 5000, RST, &[]);
        let mut wire = in_all_modes(&Policy::reads(), reset, reason, action(reason));
        assert_eq!(wire.host.only_flow().network.has(Direction::RESET), place == 0);
        assert_eq!(wire.ask(&write(1)).reason, Reason::FunctionNotAllowed, "still followed");
        assert_eq!(wire.at(FIRST, &read(1)).reason, Reason::RuleAllow);
    }
    let with_bytes = |wire: &mut Wire| wire.segment(Side::Network, FIRST, 5000, RST, &write(1));
    in_all_modes(&Policy::reads(), with_bytes, Reason::InvalidFlags, Action::Drop);
}

fn action(reason: Reason) -> Action {
    if reason == Reason::NoPayload { Action::Forward } else { Action::Drop }
}

/// Vector 17.
#[test]
fn nothing_follows_an_end() {
    let close = |wire: &mut Wire| {
        let ack = wire.server;
        assert_eq!(wire.segment(Side::Network, FIRST, ack, ACK | FIN, &read(1)).reason, Reason::RuleAllow);
    };
    for (place, payload, flags, reason) in [
        (13, write(1), ACK, Reason::DataAfterClose),
        (12, write(1), ACK, Reason::DataAfterClose),
        (0, [read(1), write(2)].concat(), ACK, Reason::DataAfterClose),
        (13, vec![], ACK | FIN, Reason::DataAfterClose),
        (13, vec![], ACK, Reason::NoPayload),
        (12, vec![], ACK | FIN, Reason::NoPayload),
        (0, read(1), ACK | FIN, Reason::Retransmission),
        (0, read(1), ACK, Reason::Retransmission),
    ] {
        let act = |wire: &mut Wire| {
            close(wire);
            wire.segment(Side::Network, FIRST + place, 5000, flags, &payload)
        };
        let denied = if reason == Reason::DataAfterClose { Action::Drop } else { Action::Forward };
        let mut wire = in_all_modes(&Policy::reads(), act, reason, denied);
        let flow = wire.host.only_flow();
        assert_eq!((flow.network.next, flow.network.has(Direction::CLOSED)), (FIRST + 13, true), "{place} {reason:?}");
    }
}

#[test]
fn an_end_in_front_of_bytes_that_went_by_contradicts_them() {
    let act = |wire: &mut Wire| {
        wire.ask(&read(1));
        wire.segment(Side::Network, FIRST, 5000, ACK | FIN, &[])
    };
    let mut wire = in_all_modes(&Policy::reads(), act, Reason::DuplicateDiffers, Action::Drop);
    assert!(!wire.host.only_flow().network.has(Direction::CLOSED));
    let ahead = |wire: &mut Wire| wire.segment(Side::Network, FIRST + 12, 5000, ACK | FIN, &[]);
    let mut wire = in_all_modes(&Policy::reads(), ahead, Reason::SequenceGap, Action::Drop);
    assert!(!wire.host.only_flow().network.has(Direction::CLOSED), "an end behind a gap is none yet");
}

/// Vector 18.
#[test]
fn only_the_device_acknowledges_and_only_what_it_was_sent() {
    let beyond = |wire: &mut Wire| wire.segment(Side::Network, FIRST, 5001, ACK, &read(1));
    in_all_modes(&Policy::reads(), beyond, Reason::InvalidAcknowledgement, Action::Drop);
    let mut wire = open();
    exchange(&mut wire);
    wire.acknowledge(FIRST + 500, 8192);
    let denied = wire.at(FIRST + 12, &read(2));
    assert_eq!((denied.reason, denied.action), (Reason::DuplicateUnverified, Action::Drop), "nobody saw what it has");
    let flow = wire.host.only_flow();
    assert_eq!(flow.network.next, FIRST + 500, "bytes that did not pass here");
    assert!(flow.network.has(Direction::ADOPTED));
    assert_eq!(wire.at(FIRST + 500, &write(3)).reason, Reason::FunctionNotAllowed);
}

/// Vector 19.
#[test]
fn numbers_wrap_inside_of_a_burst() {
    for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
        let mut wire = Wire::new(&Policy::reads(), mode);
        wire.client = 0xffff_fffa;
        wire.handshake();
        for number in 0..4 {
            assert_eq!(wire.ask(&read(number)).reason, Reason::RuleAllow);
        }
        assert_eq!(wire.at(0xffff_fffa, &[read(0), read(1)].concat()).reason, Reason::Retransmission);
        assert_eq!(wire.at(0xffff_fffa, &write(0)).action == Action::Forward, mode != Mode::Enforce);
        assert_eq!(wire.host.only_flow().network.next, 42);
    }
}

/// Vector 20.
#[test]
fn keep_alives_pass_when_nothing_is_on_the_way() {
    for bytes in [&[][..], &[0], &[0xff]] {
        let act = |wire: &mut Wire| {
            exchange(wire);
            wire.at(FIRST + 11, bytes)
        };
        let reason = if bytes.is_empty() { Reason::NoPayload } else { Reason::Retransmission };
        let mut wire = in_all_modes(&Policy::reads(), act, reason, Action::Forward);
        assert_eq!(wire.host.only_flow().network.next, FIRST + 12);
    }
}

#[test]
fn a_byte_that_asks_for_room_passes_and_what_follows_it_goes_on() {
    for (unit, last) in [(read(2), Reason::RuleAllow), (write(2), Reason::FunctionNotAllowed)] {
        // The device takes the byte, and the rest follows; or it does not, and all of it is sent again.
        for taken in [true, false] {
            let act = |wire: &mut Wire| {
                exchange(wire);
                wire.acknowledge(FIRST + 12, 0);
                let probe = wire.at(FIRST + 12, &unit[..1]);
                assert_eq!((probe.reason, probe.action), (Reason::Partial, Action::Forward));
                assert_eq!(wire.at(FIRST + 12, &unit[..1]).reason, Reason::Retransmission, "asked again");
                wire.acknowledge(FIRST + 12 + u32::from(taken), 8192);
                if taken { wire.at(FIRST + 13, &unit[1..]) } else { wire.at(FIRST + 12, &unit) }
            };
            let mut wire = in_all_modes(&Policy::reads(), act, last, action_of(last));
            let next = if last == Reason::RuleAllow { FIRST + 24 } else { FIRST + 13 };
            assert_eq!(wire.host.only_flow().network.next, next);
        }
    }
    let room = |wire: &mut Wire| wire.at(FIRST, &read(1)[..1]);
    in_all_modes(&Policy::reads(), room, Reason::SplitUnit, Action::Drop);
}

fn action_of(reason: Reason) -> Action {
    if reason == Reason::RuleAllow { Action::Forward } else { Action::Drop }
}

#[test]
fn new_bytes_wait_while_as_many_segments_as_can_be_compared_are_on_the_way() {
    let act = |wire: &mut Wire| {
        for number in 0..16 {
            assert_eq!(wire.ask(&read(number)).reason, Reason::RuleAllow);
        }
        wire.ask(&read(16))
    };
    let mut wire = in_all_modes(&Policy::reads(), act, Reason::BackPressure, Action::Drop);
    let next = FIRST + 16 * 12;
    assert_eq!(wire.host.only_flow().network.next, next);
    assert_eq!(wire.at(FIRST, &read(0)).reason, Reason::Retransmission, "the first is still known");
    wire.acknowledge(FIRST + 12, 8192);
    assert_eq!(wire.at(next, &read(16)).reason, Reason::RuleAllow);
    assert_eq!(wire.at(next + 12, &read(17)).reason, Reason::BackPressure);
}

/// An island that shadow let through and that nobody fills must not take the room for ever.
#[test]
fn what_went_ahead_in_shadow_does_not_stop_the_stream_in_enforce() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Shadow);
    wire.at(FIRST + 12_000, &read(9));
    wire.host.mode = Mode::Enforce;
    for number in 0..40u16 {
        assert_eq!(wire.ask(&read(number)).reason, Reason::RuleAllow, "{number}");
        let client = wire.client;
        wire.acknowledge(client, 8192);
    }
}

/// H13: the acknowledgement that a denied segment carries is lost with it.
#[test]
fn a_denied_segment_moves_nothing() {
    let policy = Policy { on_deny: OnDeny::Reset, ..Policy::reads() };
    let deny = |wire: &mut Wire| -> Seen { wire.at(FIRST, &write(1)) };
    let mut wire = in_all_modes(&policy, deny, Reason::FunctionNotAllowed, Action::Reset);
    let flow = wire.host.only_flow();
    assert_eq!((flow.network.next, flow.killed), (FIRST, 1));
    assert!(flow.ring.iter().all(|sent| sent.length == 0));
    assert_eq!(wire.at(FIRST, &read(1)).reason, Reason::FlowKilled);
    let seen = wire.acknowledge(FIRST, 8192);
    assert_eq!((seen.reason, seen.action), (Reason::FlowKilled, Action::Reset), "the device is told");
}
