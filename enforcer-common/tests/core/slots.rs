//! Where conversations are kept: a full device, what makes room, and what never does.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::flow::{Direction, Flow, State};
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, FIN, HMI, PLC, RST, SYN, ethernet, ipv4, tcp};
use crate::support::modbus::{answer, read, write};
use crate::support::policy::Policy;
use crate::support::wire::{Seen, Wire};

const SECOND: u64 = 1_000_000_000;

fn segment(wire: &mut Wire, side: Side, port: u16, numbers: (u32, u32), flags: u8) -> Seen {
    let (from, to, ports) = if side == Side::Network { (HMI, PLC, (port, 502)) } else { (PLC, HMI, (502, port)) };
    let bytes = tcp(ports, numbers.0, numbers.1, flags, &[]);
    wire.frame(side, &ethernet(side, &[], 0x0800, &ipv4(from, to, 6, &[], &bytes)))
}

/// The device's answer to a connection from `port`.
fn accept(wire: &mut Wire, port: u16) -> Seen {
    segment(wire, Side::Network, port, (99, 0), SYN);
    segment(wire, Side::Device, port, (199, 100), SYN | ACK)
}

/// A connection from `port` with its last step.
fn connect(wire: &mut Wire, port: u16) -> Seen {
    accept(wire, port);
    segment(wire, Side::Network, port, (100, 200), ACK)
}

/// A box that has sixteen slots for connections to each device, and some for others.
fn empty() -> Wire {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    wire.host.per_device = 21;
    wire
}

fn full() -> Wire {
    let mut wire = empty();
    for port in 0..16 {
        assert_eq!(connect(&mut wire, 41_000 + port).reason, Reason::NoPayload);
    }
    wire
}

#[test]
fn a_device_with_all_its_slots_taken_gets_no_more() {
    let mut wire = full();
    let seen = connect(&mut wire, 42_000);
    assert_eq!((seen.reason, seen.action), (Reason::FlowTableFull, Action::Drop));
    assert_eq!(wire.host.lost, 1);
    assert_eq!(wire.host.keys.len(), 16, "a conversation that lives is never pushed out");
    wire.host.now += 24 * 3600 * SECOND;
    assert_eq!(connect(&mut wire, 42_001).reason, Reason::FlowTableFull, "not after a day of silence either");
}

#[test]
fn another_devices_slots_are_its_own() {
    let mut wire = full();
    let other = enforcer_common::network::mapped([10, 0, 1, 11]);
    wire.host.devices.push(other);
    assert_eq!(wire.host.devices.len(), 2);
    assert!(wire.host.flows[16..].iter().all(|flow| flow.state() == State::Free as u8));
}

#[test]
fn ended_conversations_make_room_one_guard_time_later() {
    type End = fn(&mut Wire, u16);
    let ends: [(&str, End); 3] = [
        ("reset by the client", |wire, port| drop(segment(wire, Side::Network, port, (100, 200), RST))),
        ("reset by the device", |wire, port| drop(segment(wire, Side::Device, port, (200, 100), RST | ACK))),
        ("closed by both", |wire, port| {
            segment(wire, Side::Network, port, (100, 200), FIN | ACK);
            segment(wire, Side::Device, port, (200, 101), FIN | ACK);
        }),
    ];
    for (what, end) in ends {
        let mut wire = full();
        end(&mut wire, 41_005);
        assert_eq!(connect(&mut wire, 42_000).reason, Reason::FlowTableFull, "{what}: a program may still hold it");
        assert_eq!(wire.host.flows.iter().filter(|flow| flow.state() == State::Retired as u8).count(), 1, "{what}");
        wire.host.now += SECOND / 10 - 1;
        assert_eq!(connect(&mut wire, 42_001).reason, Reason::FlowTableFull, "{what}: a moment too early");
        wire.host.now += 1;
        assert_eq!(connect(&mut wire, 42_002).reason, Reason::NoPayload, "{what}");
        assert_eq!(wire.host.keys.len(), 16);
    }
}

#[test]
fn connections_that_are_never_completed_take_no_slot() {
    let mut wire = empty();
    for port in 0..100 {
        assert_eq!(accept(&mut wire, 41_000 + port).reason, Reason::NoPayload);
    }
    assert!(wire.host.keys.is_empty());
    assert_eq!(connect(&mut wire, 42_000).reason, Reason::NoPayload);
    assert_eq!((wire.host.keys.len(), wire.host.lost), (1, 0));
}

#[test]
fn half_closed_ones_wait_two_minutes() {
    let mut wire = full();
    segment(&mut wire, Side::Network, 41_003, (100, 200), FIN | ACK);
    wire.host.now += 120 * SECOND;
    connect(&mut wire, 42_000);
    assert!(wire.host.flows.iter().all(|flow| flow.state() != State::Retired as u8));
    wire.host.now += 1;
    connect(&mut wire, 42_001);
    assert_eq!(wire.host.flows.iter().filter(|flow| flow.state() == State::Retired as u8).count(), 1);
}

#[test]
fn slots_are_retired_before_the_last_is_taken() {
    let mut wire = empty();
    for port in 0..11 {
        connect(&mut wire, 41_000 + port);
    }
    segment(&mut wire, Side::Device, 41_000, (200, 100), RST | ACK);
    connect(&mut wire, 42_000);
    assert_eq!(wire.host.flows[0].state(), State::Live as u8, "with more than four spare ones nothing is given up");
    connect(&mut wire, 42_001);
    assert_eq!(wire.host.flows[0].state(), State::Retired as u8);
}

/// Vector 21.
#[test]
fn a_day_of_silence_changes_nothing() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    wire.ask(&read(1));
    wire.answer(&answer(1));
    wire.host.now += 24 * 3600 * SECOND;
    assert_eq!(wire.ask(&read(2)).reason, Reason::RuleAllow);
    assert!(!wire.host.only_flow().network.has(Direction::ADOPTED));
}

/// A slot is given up; the device may still hold bytes that it has not acknowledged.
#[test]
fn what_is_on_the_way_is_known_when_the_slot_is_given_up() {
    let policy = Policy { on_deny: OnDeny::Reset, ..Policy::reads() };
    let mut wire = Wire::open(&policy, Mode::Enforce);
    wire.host.per_device = 21;
    let place = wire.client;
    wire.ask(&read(1));
    assert_eq!(wire.ask(&write(2)).action, Action::Reset);
    for port in 0..16 {
        connect(&mut wire, 41_000 + port);
        wire.host.now += SECOND;
    }
    assert!(wire.host.keys.keys().all(|key| key.network_port != 40_000), "the killed one made room");
    let other = wire.at(place, &read(3));
    assert_eq!((other.reason, other.action), (Reason::BackPressure, Action::Drop));
    wire.segment(Side::Device, wire.server, place, ACK, &[]);
    assert_eq!(wire.at(place, &read(3)).reason, Reason::DuplicateDiffers, "nor when the device speaks");
}

/// The device may answer it though its conversation has lost the slot.
#[test]
fn a_syn_that_waits_outlives_the_slot() {
    for flags in [RST | ACK, ACK] {
        let mut wire = full();
        segment(&mut wire, Side::Device, 41_005, (200, 100), flags);
        segment(&mut wire, Side::Network, 41_005, (100, 200), RST);
        assert_eq!(segment(&mut wire, Side::Network, 41_005, (51, 0), SYN).action, Action::Forward);
        connect(&mut wire, 42_000);
        assert_eq!(wire.host.keys.len(), 15, "it made room");
        let (key, half) = wire.host.half_open.iter().find(|(key, _)| key.network_port == 41_005).expect("what waits");
        assert_eq!((half.offer.first, half.waits_for(Side::Network)), (52, flags & RST != 0), "{key:?}");
        assert_eq!(segment(&mut wire, Side::Network, 41_005, (60, 0), SYN).reason, Reason::ConnectionRate);
        wire.host.now += SECOND;
        segment(&mut wire, Side::Device, 41_005, (299, 52), SYN | ACK);
        segment(&mut wire, Side::Network, 41_005, (52, 300), ACK);
        let mine = |flow: &&Flow| flow.state() == State::Live as u8 && flow.key.network_port == 41_005;
        let flow = wire.host.flows.iter().find(mine).expect("taken up");
        assert_eq!((flow.network.next, flow.network.has(Direction::PENDING)), (52, false));
    }
}
