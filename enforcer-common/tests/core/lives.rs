//! How conversations end and go on: kills, policies that change, what begins in the middle, a table without room.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, FIN, PSH, RST, SYN};
use crate::support::modbus;
use crate::support::policy::Policy;
use crate::support::wire::Wire;

fn read() -> Vec<u8> {
    modbus::read(1)
}

fn write() -> Vec<u8> {
    modbus::write(2)
}

fn answer() -> Vec<u8> {
    modbus::answer(1)
}

fn enforce() -> Wire {
    Wire::open(&Policy::reads(), Mode::Enforce)
}

#[test]
fn a_reset_kills_the_conversation_until_a_new_handshake() {
    let mut policy = Policy::reads();
    policy.on_deny = OnDeny::Reset;
    let mut wire = Wire::open(&policy, Mode::Enforce);
    let before = wire.client;
    assert_eq!(wire.ask(&write()).action, Action::Reset);
    wire.client = before;
    let killed = wire.ask(&read());
    assert_eq!((killed.reason, killed.action), (Reason::FlowKilled, Action::Reset), "whoever goes on is told again");
    let answered = wire.answer(&answer());
    assert_eq!((answered.reason, answered.action), (Reason::FlowKilled, Action::Reset), "the device is told too");
    let ack = wire.server;
    let seen = wire.segment(Side::Network, before, ack, RST, &[]);
    assert_eq!((seen.reason, seen.action), (Reason::FlowKilled, Action::Drop), "a reset is not answered");
    (wire.client, wire.server) = (40_000, 80_000);
    wire.handshake();
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
}

#[test]
fn a_denial_in_shadow_kills_nothing() {
    let mut policy = Policy::reads();
    policy.on_deny = OnDeny::Reset;
    let mut wire = Wire::open(&policy, Mode::Shadow);
    assert_eq!(wire.ask(&write()).action, Action::Forward);
    wire.host.mode = Mode::Enforce;
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow);
}

#[test]
fn a_conversation_without_beginning_is_taken_up_or_denied_as_the_policy_says() {
    let first = |on_unsynchronised, mode| {
        let mut wire = Wire::new(&Policy { on_unsynchronised, ..Policy::reads() }, mode);
        let one = wire.ask(&read());
        wire.answer(&answer());
        (one, wire.ask(&read()))
    };
    let (one, two) = first(OnUnsynchronised::Resync, Mode::Enforce);
    assert_eq!((one.reason, two.reason), (Reason::RuleAllow, Reason::RuleAllow));
    for (on, action) in [(OnUnsynchronised::Deny, Action::Drop), (OnUnsynchronised::Reset, Action::Reset)] {
        let (one, two) = first(on, Mode::Enforce);
        assert_eq!((one.reason, one.action), (Reason::Unsynchronised, action));
        assert_ne!(two.action, Action::Forward);
        let (one, two) = first(on, Mode::Shadow);
        assert_eq!([one.reason, two.reason], [Reason::Unsynchronised; 2]);
    }
}

#[test]
fn a_new_generation_judges_live_conversations_again() {
    let mut wire = enforce();
    wire.ask(&read());
    wire.policy = Policy { generation: 2, stream: true, ..Policy::new(&[]) }.build();
    assert_eq!(wire.ask(&read()[..5]).reason, Reason::Partial);
    assert_eq!(wire.ask(&read()[5..]).reason, Reason::FunctionNotAllowed);
    assert_eq!(wire.host.only_flow().generation, 2, "no flow is made or lost");
}

#[test]
fn a_generation_without_inspection_lets_live_conversations_pass() {
    let mut wire = enforce();
    wire.ask(&read());
    wire.policy = Policy { generation: 2, protocol: Protocol::Tcp, ..Policy::reads() }.build();
    for _ in 0..2 {
        assert_eq!(wire.ask(b"anything").reason, Reason::Conduit);
    }
    wire.client += 100;
    assert_eq!(wire.ask(b"even behind a gap").reason, Reason::Conduit);
    wire.policy = Policy { generation: 3, ..Policy::reads() }.build();
    assert_eq!(wire.ask(&read()).reason, Reason::RuleAllow, "taken up again where it is");
    wire.policy = Policy { generation: 4, protocol: Protocol::Tcp, ..Policy::reads() }.build();
    wire.ask(b"anything");
    let on_unsynchronised = OnUnsynchronised::Deny;
    wire.policy = Policy { generation: 5, on_unsynchronised, ..Policy::reads() }.build();
    assert_eq!(wire.ask(&read()).reason, Reason::Unsynchronised, "its bytes were not inspected");
}

#[test]
fn a_full_flow_table_is_a_reason_of_its_own() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    wire.host.most_devices = 0;
    let seen = wire.answer(&answer());
    assert_eq!((seen.reason, seen.action), (Reason::FlowTableFull, Action::Drop));
    wire.host.mode = Mode::Shadow;
    assert_eq!(wire.answer(&answer()).action, Action::Forward);
    assert_eq!(wire.host.lost, 2);
}

#[test]
fn flags_that_belong_to_no_conversation_are_invalid() {
    let mut wire = enforce();
    let (sequence, ack) = (wire.client, wire.server);
    for flags in [0, FIN, PSH, SYN | FIN, SYN | RST, SYN | FIN | ACK, 0x29] {
        let seen = wire.segment(Side::Network, sequence, ack, flags, &[]);
        assert_eq!(seen.reason, Reason::InvalidFlags, "{flags:#x}");
    }
    assert_eq!(wire.segment(Side::Network, sequence, ack, SYN, &read()).reason, Reason::InvalidFlags);
    assert_eq!(wire.segment(Side::Network, sequence, ack, ACK, &[]).reason, Reason::NoPayload);
    assert_eq!(wire.segment(Side::Network, sequence, ack, ACK | FIN, &read()).reason, Reason::RuleAllow);
    assert_eq!(wire.host.only_flow().network.next, sequence + 13, "the end of data counts as one");
}

#[test]
fn behind_frames_that_passed_unseen_the_stream_goes_on_at_the_next_segment() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    wire.ask(&read());
    wire.answer(&answer());
    // Bypass: two exchanges, then the box looks again.
    wire.client += 24;
    wire.server += 2 * answer().len() as u32;
    wire.host.limits.sync += 1;
    for _ in 0..4 {
        let seen = wire.ask(&read());
        assert_eq!((seen.action, seen.reason), (Action::Forward, Reason::RuleAllow));
        wire.answer(&answer());
    }
}

#[test]
fn what_was_forwarded_before_frames_passed_unseen_may_still_be_repeated_and_nothing_else() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    let sequence = wire.client;
    wire.ask(&read());
    wire.host.limits.sync += 1;
    assert_eq!(wire.at(sequence, &read()).reason, Reason::Retransmission);
    let other = modbus::read(9);
    assert_eq!(wire.at(sequence, &other).reason, Reason::DuplicateDiffers);
}

#[test]
fn a_station_is_held_off_for_denied_operations_and_not_for_conversations_from_before_the_box() {
    for (on, held) in [(OnUnsynchronised::Reset, false), (OnUnsynchronised::Resync, true)] {
        let policy = Policy { on_unsynchronised: on, on_deny: OnDeny::Reset, ..Policy::reads() };
        let mut wire = Wire::new(&policy, Mode::Enforce);
        wire.host.limits.resets = 3;
        for _ in 0..3 {
            if held {
                wire.handshake();
            }
            let payload = if held { write() } else { read() };
            assert_eq!(wire.ask(&payload).action, Action::Reset);
            // The next conversation, as far as TCP is concerned.
            wire.client += 10_000;
            wire.server += 10_000;
        }
        let opening = wire.client;
        let seen = wire.segment(Side::Network, opening, 0, SYN, &[]);
        assert_eq!(seen.reason == Reason::HeldAfterResets, held, "{on:?}: {seen:?}");
    }
}

#[test]
fn a_client_that_repeats_what_its_device_has_is_not_reset() {
    let mut wire = Wire::new(&Policy { on_deny: OnDeny::Reset, ..Policy::reads() }, Mode::Shadow);
    let (client, server) = (wire.client, wire.server);
    wire.segment(Side::Network, client.wrapping_sub(1), 0, SYN, &[]);
    wire.segment(Side::Device, server.wrapping_sub(1), client, SYN | ACK, &[]);
    // The second request overtakes the first, and with it the handshake: shadow forwards it and knows no conversation.
    assert_eq!(wire.at(client + 12, &read()).reason, Reason::UnexpectedHandshake);
    assert_eq!(wire.at(client, &read()).reason, Reason::RuleAllow);
    // The device has both, but the client does not hear of it.
    wire.acknowledge(client + 24, 8192);
    wire.host.mode = Mode::Enforce;
    for _ in 0..5 {
        let seen = wire.at(client + 12, &read());
        assert_eq!((seen.reason, seen.action), (Reason::DuplicateUnverified, Action::Drop));
    }
    // What the device has not is another matter.
    let longer = [read(), read()].concat();
    let seen = [0; 3].map(|_| wire.at(client + 12, &longer).action);
    assert_eq!(seen, [Action::Drop, Action::Drop, Action::Reset]);
}
