//! One TCP conversation: handshake, order, gaps, resets, policy changes, and what each mode does about them.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::operation::Operation;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, PSH, SYN};
use crate::support::modbus::{Request, adu};
use crate::support::policy::Policy;
use crate::support::wire::Wire;

fn read() -> Vec<u8> {
    adu(1, 1, &Request::Read(3, 0, 10).pdu())
}

fn write() -> Vec<u8> {
    adu(2, 1, &Request::Register(0, 1).pdu())
}

/// The answer to [`read`].
fn answer() -> Vec<u8> {
    adu(1, 1, &[&[3, 20][..], &[0; 20]].concat())
}

fn enforce() -> Wire {
    Wire::open(&Policy::reads(), Mode::Enforce)
}

/// A segment of the client at any place, with the acknowledgement that it has reached.
fn at(wire: &mut Wire, sequence: u32, payload: &[u8]) -> crate::support::wire::Seen {
    let ack = wire.server;
    wire.segment(Side::Network, sequence, ack, ACK | PSH, payload)
}

#[test]
fn a_conversation_in_order_is_judged_unit_by_unit() {
    let mut wire = enforce();
    assert_eq!(wire.ask(&read()).reasons(), [Reason::RuleAllow]);
    assert_eq!(wire.answer(&answer()).reasons(), [Reason::Response]);
    let denied = wire.ask(&[read(), write(), read()].concat());
    assert_eq!(denied.reasons(), [Reason::RuleAllow, Reason::FunctionNotAllowed, Reason::RuleAllow]);
    assert_eq!(denied.action, Action::Drop);
}

#[test]
fn a_dropped_segment_leaves_the_numbering_where_it_was() {
    let mut wire = enforce();
    let before = wire.client;
    assert_eq!(wire.ask(&write()).action, Action::Drop);
    assert_eq!(at(&mut wire, before, &read()).reason, Reason::RuleAllow);
}

#[test]
fn bytes_that_were_forwarded_are_retransmissions() {
    let mut wire = enforce();
    let first = wire.client;
    wire.ask(&read());
    assert_eq!(at(&mut wire, first, &read()).reason, Reason::Retransmission);
    assert_eq!(at(&mut wire, first + 11, &[0]).reason, Reason::DuplicateUnverified, "a byte of a unit in flight");
    wire.answer(&answer());
    assert_eq!(at(&mut wire, first + 11, &[0]).reason, Reason::Retransmission, "keep-alive");
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
}

#[test]
fn gaps_and_overlaps_are_denied_in_enforce_and_reported_in_the_other_modes() {
    for (offset, reason) in [(12, Reason::SequenceGap), (1u32.wrapping_neg(), Reason::DuplicateUnverified)] {
        for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
            let mut wire = Wire::open(&Policy::reads(), mode);
            wire.ask(&read());
            let place = wire.client.wrapping_add(offset);
            let seen = at(&mut wire, place, &[&read()[..], &[0]].concat());
            assert_eq!(seen.reason, reason, "{mode:?}");
            assert_eq!(seen.action == Action::Forward, mode != Mode::Enforce);
        }
    }
}

#[test]
fn a_gap_in_shadow_goes_on_behind_it() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Shadow);
    let first = wire.client;
    wire.client += 12;
    let seen = wire.ask(&read());
    assert_eq!(seen.reasons(), [Reason::SequenceGap, Reason::RuleAllow]);
    assert!(seen.operations.iter().all(|operation| operation.has(Operation::UNCERTAIN)), "{seen:?}");
    assert_eq!(at(&mut wire, first + 12, &read()).reason, Reason::Retransmission, "the same bytes again");
    let filled = at(&mut wire, first, &read());
    assert_eq!(filled.reasons(), [Reason::RuleAllow]);
    assert!(!filled.operations[0].has(Operation::UNCERTAIN));
    assert_eq!(wire.ask(&read()).reasons(), [Reason::RuleAllow], "behind what went ahead");
}

#[test]
fn shadow_says_of_a_servers_gap_what_enforce_does() {
    for offset in [12, 1u32.wrapping_neg()] {
        let verdicts = [Mode::Shadow, Mode::Enforce].map(|mode| {
            let mut wire = Wire::open(&Policy::reads(), mode);
            wire.answer(&answer());
            wire.server = wire.server.wrapping_add(offset);
            wire.answer(&answer()).reason
        });
        assert_eq!(verdicts[0], verdicts[1], "{offset}");
        assert_eq!(verdicts[1], Reason::Response, "a server's segment can do the server no harm");
    }
}

#[test]
fn an_overlap_that_cuts_what_was_forwarded_cannot_be_verified() {
    for mode in [Mode::Shadow, Mode::Enforce] {
        let rules = [crate::support::policy::rule(crate::support::policy::Effect::Allow, &[])];
        let mut wire = Wire::open(&Policy { stream: true, ..Policy::new(&rules) }, mode);
        let umas = adu(1, 1, &Request::Umas(0, 1, vec![0; 200]).pdu());
        wire.ask(&umas[..50]);
        let place = wire.client - 10;
        assert_eq!(at(&mut wire, place, &umas[40..90]).reason, Reason::DuplicateUnverified, "{mode:?}");
    }
}

#[test]
fn a_unit_cut_anywhere_is_split_and_shadow_still_reads_it() {
    for bytes in [read(), write()] {
        for cut in 1..bytes.len() {
            let mut wire = enforce();
            let first = wire.ask(&bytes[..cut]);
            assert_eq!((first.reason, first.action), (Reason::SplitUnit, Action::Drop), "cut at {cut}");
            let mut wire = Wire::open(&Policy::reads(), Mode::Shadow);
            assert_eq!(wire.ask(&bytes[..cut]).reasons(), [Reason::SplitUnit], "cut at {cut}");
            let rest = wire.ask(&bytes[cut..]);
            assert_eq!(rest.operations[0].function, u32::from(bytes[7]), "cut at {cut}");
        }
    }
}

#[test]
fn split_units_are_carried_and_judged_with_their_last_byte_where_the_conduit_says_so() {
    let enforce = || Wire::open(&Policy { stream: true, ..Policy::reads() }, Mode::Enforce);
    for (bytes, reason) in [(read(), Reason::RuleAllow), (write(), Reason::FunctionNotAllowed)] {
        for cut in 1..bytes.len() {
            let mut wire = enforce();
            let first = wire.ask(&bytes[..cut]);
            assert_eq!((first.reason, first.action), (Reason::Partial, Action::Forward));
            assert_eq!(wire.ask(&bytes[cut..]).reasons(), [reason], "cut at {cut}");
        }
        let mut wire = enforce();
        let reasons: Vec<Reason> = bytes.iter().map(|byte| wire.ask(&[*byte]).reason).collect();
        assert_eq!(reasons, [&[Reason::Partial; 11][..], &[reason]].concat(), "byte by byte");
    }
}

#[test]
fn numbers_wrap() {
    for before in [1, 6, 12, 13] {
        let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
        wire.client = 0u32.wrapping_sub(before);
        wire.handshake();
        let first = wire.client;
        assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
        assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
        assert_eq!(at(&mut wire, first, &read()).reason, Reason::Retransmission);
    }
}

#[test]
fn a_syn_on_a_live_flow_changes_nothing_until_the_server_answers() {
    let mut wire = enforce();
    wire.ask(&read());
    wire.segment(Side::Network, 90_000, 0, SYN, &[]);
    assert_eq!(at(&mut wire, 90_001, &read()).reason, Reason::SequenceGap, "new numbering");
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow, "old numbering");
    wire.segment(Side::Device, 70_000, 90_001, SYN | ACK, &[]);
    (wire.client, wire.server) = (90_001, 70_001);
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow, "new numbering, answered");
    assert_eq!(wire.answer(&answer()).reason, Reason::Response);
}

#[test]
fn a_repeated_syn_does_not_turn_the_numbering_back() {
    let mut wire = enforce();
    let first = wire.client;
    wire.ask(&read());
    wire.segment(Side::Network, first - 1, 0, SYN, &[]);
    let seen = at(&mut wire, first, &[read(), write()].concat());
    assert_eq!(seen.reason, Reason::FunctionNotAllowed, "what follows the same bytes is judged");
    assert_eq!(seen.operations.len(), 1, "bytes that were forwarded are not judged a second time");
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
}

#[test]
fn a_repeated_syn_ack_does_not_turn_the_numbering_back() {
    let mut wire = enforce();
    let (client, server) = (wire.client, wire.server);
    wire.ask(&read());
    wire.segment(Side::Device, server - 1, client, SYN | ACK, &[]);
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
    assert_eq!(at(&mut wire, client, &write()).reason, Reason::DuplicateDiffers, "what is on the way is still known");
}

#[test]
fn a_clients_syn_ack_moves_nothing_and_revives_nothing() {
    let mut policy = Policy::reads();
    policy.on_deny = OnDeny::Reset;
    let mut wire = Wire::open(&policy, Mode::Enforce);
    let before = wire.client;
    let seen = wire.segment(Side::Network, before + 50, 1, SYN | ACK, &[]);
    assert_eq!((seen.reason, seen.action), (Reason::UnexpectedHandshake, Action::Drop));
    assert_eq!(wire.host.only_flow().network.next, before);
    assert_eq!(at(&mut wire, before, &write()).action, Action::Reset);
    wire.segment(Side::Network, before + 50, 1, SYN | ACK, &[]);
    assert_eq!(at(&mut wire, before, &read()).reason, Reason::FlowKilled);
}

#[test]
fn a_second_syn_does_not_undo_an_answered_one() {
    let mut wire = Wire::new(&Policy { on_unsynchronised: OnUnsynchronised::Deny, ..Policy::reads() }, Mode::Enforce);
    wire.segment(Side::Network, 999, 0, SYN, &[]);
    wire.segment(Side::Device, 4999, 1000, SYN | ACK, &[]);
    wire.segment(Side::Network, 77_000, 0, SYN, &[]);
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
}
