//! What frames say of the device's health.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::buckets::bucket;
use enforcer_common::flow::Direction;
use enforcer_common::health::{self, Counts, FIRST};
use enforcer_common::network::mapped;
use enforcer_common::port::Side;
use enforcer_common::verdict::Mode;

use crate::support::frames::{ACK, PLC, PSH, RST};
use crate::support::modbus::{Request, adu};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

/// A box where answers to function 3 have come before: the device is known.
fn known(mode: Mode) -> Wire {
    let reads = Policy::new(&[rule(Effect::Allow, &[3])]);
    let mut wire = Wire::open(&Policy { on_deny: OnDeny::Drop, ..reads }, mode).watched();
    exchange(&mut wire, 1, 5_000_000);
    wire
}

/// A read, and its answer so many nanoseconds later.
fn exchange(wire: &mut Wire, transaction: u16, after: u64) {
    ask(wire, transaction, &Request::Read(3, 0, 1));
    wire.host.now += after;
    answer(wire, &adu(transaction, 1, &[3, 2, 0, 7]));
}

fn ask(wire: &mut Wire, transaction: u16, request: &Request) {
    let sequence = wire.client;
    let bytes = adu(transaction, 1, &request.pdu());
    let ack = wire.server;
    let seen = wire.segment(Side::Network, sequence, ack, ACK | PSH, &bytes);
    if seen.action == Action::Forward {
        wire.client = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap());
    }
    note(wire);
}

fn answer(wire: &mut Wire, bytes: &[u8]) {
    let (sequence, ack) = (wire.server, wire.client);
    wire.segment(Side::Device, sequence, ack, ACK | PSH, bytes);
    wire.server = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap());
    note(wire);
}

fn note(wire: &mut Wire) {
    health::note(&mut wire.host, &mut wire.scratch);
}

fn counts(wire: &Wire) -> Counts {
    wire.host.health.get(&mapped(PLC)).copied().unwrap_or_default()
}

#[test]
fn polls_answers_and_their_times_are_counted_of_a_device_that_has_answered() {
    let mut wire = known(Mode::Shadow);
    // The first request came before anybody knew that it was to a device.
    let first = counts(&wire);
    assert_eq!((first.polls, first.answered, first.times[bucket::<FIRST>(5_000_000)]), (0, 1, 1));
    wire.host.now += 1_000_000_000;
    exchange(&mut wire, 2, 200_000);
    let two = counts(&wire);
    assert_eq!((two.polls, two.answered, two.stopped, two.times[bucket::<FIRST>(200_000)]), (1, 2, 0, 1));
    // A second answer to one request, and one nobody waited for, have no time.
    answer(&mut wire, &adu(2, 1, &[3, 2, 0, 7]));
    let three = counts(&wire);
    assert_eq!((three.answered, three.times.iter().sum::<u64>()), (3, 2));
    assert_eq!(wire.host.health.len(), 1, "the station is no device");
}

#[test]
fn of_requests_that_follow_each_other_closely_one_in_a_while_is_timed() {
    let mut wire = known(Mode::Shadow);
    wire.host.now += 1_000_000_000;
    for transaction in 2..102 {
        wire.host.now += 10_000_000 - 200_000;
        exchange(&mut wire, transaction, 200_000);
    }
    let all = counts(&wire);
    // A hundred of them, ten milliseconds apart: one in fifty milliseconds.
    assert_eq!((all.polls, all.answered, all.times[bucket::<FIRST>(200_000)]), (100, 101, 20));
    // Of one that was not timed the answer has no time either, however late it comes.
    ask(&mut wire, 102, &Request::Read(3, 0, 1));
    wire.host.now += 5_000_000_000;
    answer(&mut wire, &adu(102, 1, &[3, 2, 0, 7]));
    assert_eq!(counts(&wire).times.iter().sum::<u64>(), 21);
}

#[test]
fn exceptions_resets_and_repeated_segments_are_counted() {
    let mut wire = known(Mode::Shadow);
    ask(&mut wire, 2, &Request::Read(3, 0, 1));
    answer(&mut wire, &adu(2, 1, &[0x83, 2]));
    assert_eq!((counts(&wire).answered, counts(&wire).exceptions), (2, 1));
    let (sequence, ack) = (wire.server, wire.client);
    let again = adu(2, 1, &[0x83, 2]);
    let length = u32::try_from(again.len()).unwrap();
    wire.segment(Side::Device, sequence.wrapping_sub(length), ack, ACK | PSH, &again);
    note(&mut wire);
    assert_eq!((counts(&wire).answered, counts(&wire).retransmissions), (2, 1));
    wire.segment(Side::Device, sequence, ack, RST | ACK, &[]);
    note(&mut wire);
    assert_eq!(counts(&wire).resets, 1);
}

#[test]
fn a_stopped_read_is_a_poll_that_failed_and_a_stopped_write_says_nothing() {
    let mut wire = known(Mode::Enforce);
    ask(&mut wire, 2, &Request::Read(4, 0, 1));
    assert_eq!((counts(&wire).polls, counts(&wire).stopped), (1, 1));
    ask(&mut wire, 3, &Request::Register(7, 5));
    assert_eq!((counts(&wire).polls, counts(&wire).stopped), (1, 1));
}

#[test]
fn the_time_of_a_request_is_never_taken_for_what_proves_a_conversation() {
    let time = Direction::asked_at(u64::MAX >> 8);
    assert_eq!(time & Direction::IDENTITY, 0);
    assert_eq!(Direction::when_asked(Direction::asked_at(5 << 30)), Some(5 << 30));
    assert_eq!((Direction::when_asked(0), Direction::when_asked(Direction::IDENTITY | 7)), (None, None));
}
