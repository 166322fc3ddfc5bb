//! Requests that were judged before: what is known, what is not, and that nothing else comes of it.

use enforcer_common::action::Action;
use enforcer_common::known::{ENTRIES, Known};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::verdict::{Mode, Reason};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::modbus::{Request, adu};
use crate::support::policy::Effect::{Allow, Deny, Log};
use crate::support::policy::{Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

/// A minute and a bit, as sightings are counted.
const MINUTE: u64 = 1 << 36;

fn remembering(policy: &Policy, mode: Mode) -> Wire {
    let mut wire = Wire::open(policy, mode);
    wire.host.known = vec![Known::default(); ENTRIES];
    wire.host.memos = vec![Memo::default(); MEMOS];
    wire
}

/// No operation was read in what a rule allows.
fn is_known(seen: &Seen) -> bool {
    seen.reason == Reason::RuleAllow && seen.operations.is_empty()
}

fn read(transaction: u16, first: u16) -> Vec<u8> {
    adu(transaction, 1, &Request::Read(3, first, 10).pdu())
}

/// Conduit, function node, reason, and whether it was carried out, of every unit.
fn counted(seen: &Seen) -> Vec<(u16, u32, Reason, bool)> {
    seen.counted.iter().map(|one| (one.conduit, one.node, one.reason, one.acted)).collect()
}

/// Asks, is answered, and says whether the request was known.
fn asked(wire: &mut Wire, payload: &[u8]) -> bool {
    let seen = wire.ask(payload);
    wire.acknowledge(wire.client, 0x2000);
    is_known(&seen)
}

#[test]
fn a_request_that_comes_again_is_known_whatever_its_transaction() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    let first = wire.ask(&read(1, 100));
    assert!(!is_known(&first));
    for transaction in [1, 2, 0xffff, 0] {
        wire.acknowledge(wire.client, 0x2000);
        let seen = wire.ask(&read(transaction, 100));
        assert!(is_known(&seen), "{transaction}");
        assert_eq!(seen.action, Action::Forward);
        assert_eq!(counted(&seen), counted(&first), "counted as if it had been read");
        assert_eq!(wire.host.only_flow().network.next, wire.client, "the stream goes on");
    }
}

#[test]
fn no_other_bit_may_differ() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    let request = read(1, 100);
    asked(&mut wire, &request);
    for bit in 16..request.len() * 8 {
        let mut other = request.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_known(&wire.at(wire.client, &other)), "bit {bit}");
        wire = remembering(&Policy::reads(), Mode::Enforce);
        asked(&mut wire, &request);
        assert!(asked(&mut wire, &request), "itself");
    }
    for length in 8..request.len() {
        assert!(!is_known(&wire.at(wire.client, &request[..length])), "cut to {length}");
    }
    let twice = [&request[..], &request].concat();
    assert!(!is_known(&wire.at(wire.client, &twice)));
}

#[test]
fn a_write_under_the_rule_that_allowed_a_read_is_not_known() {
    let mut wire = remembering(&Policy::new(&[rule(Allow, &[3])]), Mode::Enforce);
    asked(&mut wire, &read(1, 100));
    let write = adu(1, 1, &Request::Register(100, 10).pdu());
    assert_eq!(write.len(), read(1, 100).len());
    assert_eq!(wire.ask(&write).reason, Reason::FunctionNotAllowed);
}

#[test]
fn what_more_is_asked_of_than_its_bytes_is_never_known() {
    let requests = [read(1, 100), adu(1, 1, &Request::Register(100, 10).pdu())];
    let never = |rules: &[Rule], request: &[u8], mode| {
        let mut wire = remembering(&Policy::new(rules), mode);
        for _ in 0..4 {
            assert!(!asked(&mut wire, request), "{rules:?}, {mode:?}");
        }
    };
    never(&[rule(Allow, &[3]).rate(1, 1000)], &requests[0], Mode::Enforce);
    never(&[rule(Log, &[3])], &requests[0], Mode::Enforce);
    never(&[rule(Allow, &[]), rule(Deny, &[3])], &requests[0], Mode::Enforce);
    never(&[rule(Allow, &[6]).values(&[(0, 20)])], &requests[1], Mode::Enforce);
    never(&[rule(Allow, &[6]).max_step(50)], &requests[1], Mode::Enforce);
    never(&[rule(Allow, &[3])], &requests[0], Mode::Shadow);
    never(&[rule(Allow, &[3])], &requests[0], Mode::Learn);
}

#[test]
fn whoever_looks_beside_the_verdict_sees_every_request() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    asked(&mut wire, &read(1, 100));
    wire.scratch.looked_on = 1;
    assert!(!asked(&mut wire, &read(2, 100)));
    wire.scratch.looked_on = 0;
    assert!(asked(&mut wire, &read(3, 100)));
}

#[test]
fn another_policy_judges_anew() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    asked(&mut wire, &read(1, 100));
    assert!(asked(&mut wire, &read(2, 100)));
    wire.policy = Policy { generation: 2, ..Policy::new(&[rule(Allow, &[4])]) }.build();
    assert_eq!(wire.ask(&read(3, 100)).reason, Reason::FunctionNotAllowed);
}

#[test]
fn a_unit_in_two_segments_is_not_known_by_its_end() {
    let policy = Policy { stream: true, ..Policy::reads() };
    let mut wire = remembering(&policy, Mode::Enforce);
    let request = read(1, 100);
    asked(&mut wire, &request);
    assert!(asked(&mut wire, &request));
    assert_eq!(wire.ask(&request[..3]).reason, Reason::Partial);
    // Behind what is carried the same bytes mean something else.
    assert!(!is_known(&wire.ask(&request)));
}

#[test]
fn bytes_that_are_sent_again_are_compared_and_not_known() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    asked(&mut wire, &read(1, 100));
    let at = wire.client;
    assert!(is_known(&wire.ask(&read(2, 100))));
    assert_eq!(wire.at(at, &read(2, 100)).reason, Reason::Retransmission);
    assert_eq!(wire.at(at, &read(3, 100)).reason, Reason::DuplicateDiffers, "though it would be known in its place");
}

#[test]
fn every_request_is_written_down_once() {
    let mut wire = remembering(&Policy::reads(), Mode::Enforce);
    let mut known = 0;
    for number in 0..200 {
        known += u32::from(asked(&mut wire, &read(number, 100)));
        if number % 50 == 49 {
            wire.host.now += MINUTE;
        }
    }
    assert!(known > 180, "{known} of 200");
    asked(&mut wire, &read(0, 100));
    let counts: Vec<u64> = wire.host.observations.values().map(|one| one.count).collect();
    assert_eq!(counts, [201], "all of them, the last ones with the first of another minute");
}

#[test]
fn requests_that_never_come_again_leave_the_place_in_the_end() {
    // Every one ends as the first: they share its place. With another unit each, none is known.
    let policy = Policy::new(&[rule(Allow, &[])]);
    let mut wire = remembering(&policy, Mode::Enforce);
    let request = |unit: u16| {
        let identify = Request::Diagnostic(0, vec![unit, 7, 7, 7, 7]);
        adu(1, 1, &identify.pdu())
    };
    for unit in 0..100 {
        assert!(!asked(&mut wire, &request(unit)));
    }
    let kept = wire.host.known.iter().find(|one| one.circumstances.generation != 0).expect("an entry");
    assert_eq!(kept.tries, 100);
    // The place is given another chance with the next minute.
    wire.host.now += MINUTE;
    asked(&mut wire, &request(7));
    assert!(asked(&mut wire, &request(7)));
}

/// One step of a client.
#[derive(Clone, Debug)]
enum Step {
    /// A request of a few, under another transaction.
    Ask(usize, u16),
    /// The same with one bit changed.
    Changed(usize, usize),
    /// The last one again.
    Again,
    /// Two in one segment, or one cut.
    Both(usize, usize),
    Cut(usize, usize),
    Answer,
    Later,
}

fn step() -> impl Strategy<Value = Step> {
    let one = || 0usize..6;
    prop_oneof![
        6 => (one(), any::<u16>()).prop_map(|(one, number)| Step::Ask(one, number)),
        2 => (one(), 0usize..200).prop_map(|(one, bit)| Step::Changed(one, bit)),
        1 => Just(Step::Again),
        1 => (one(), one()).prop_map(|(one, two)| Step::Both(one, two)),
        1 => (one(), 1usize..20).prop_map(|(one, at)| Step::Cut(one, at)),
        3 => Just(Step::Answer),
        1 => Just(Step::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_box_that_remembers_decides_as_one_that_does_not(steps in vec(step(), 1..60), stream in any::<bool>()) {
        let rules = [
            rule(Allow, &[1, 2, 3, 4, 8]),
            rule(Allow, &[16]).objects(&[(enforcer_common::protocol::modbus::functions::space::HOLDING, 0, 200)]),
            rule(Log, &[6]),
            rule(Deny, &[3]).units(9, 9),
        ];
        let policy = Policy { stream, ..Policy::new(&rules) };
        let requests = [
            Request::Read(3, 100, 10),
            Request::Read(1, 0, 2000),
            Request::Registers(100, vec![1, 2, 3]),
            Request::Registers(300, vec![1, 2, 3]),
            Request::Register(100, 7),
            Request::Diagnostic(0, vec![5; 60]),
        ];
        let bytes = |one: usize, number: u16| adu(number, 1, &requests[one].pdu());
        let mut wires = [Wire::open(&policy, Mode::Enforce), remembering(&policy, Mode::Enforce)];
        let mut last = Vec::new();
        for step in steps {
            let (payload, again) = match &step {
                Step::Ask(one, number) => (bytes(*one, *number), false),
                Step::Changed(one, bit) => {
                    let mut payload = bytes(*one, 1);
                    let bit = bit % (payload.len() * 8);
                    payload[bit / 8] ^= 1 << (bit % 8);
                    (payload, false)
                }
                Step::Again => (last.clone(), true),
                Step::Both(one, two) => ([bytes(*one, 1), bytes(*two, 2)].concat(), false),
                Step::Cut(one, at) => {
                    let payload = bytes(*one, 1);
                    let at = (*at).min(payload.len());
                    (payload[..at].to_vec(), false)
                }
                Step::Answer | Step::Later => (Vec::new(), false),
            };
            let [plain, remembers] = wires.each_mut().map(|wire| match step {
                Step::Answer => wire.acknowledge(wire.client, 0x2000),
                Step::Later => {
                    wire.host.now += MINUTE / 2;
                    wire.acknowledge(wire.client, 0x2000)
                }
                Step::Again => wire.at(wire.client.wrapping_sub(payload.len() as u32), &payload),
                Step::Ask(..) | Step::Changed(..) | Step::Both(..) | Step::Cut(..) => {
                    let seen = wire.at(wire.client, &payload);
                    if seen.action == Action::Forward {
                        wire.client = wire.client.wrapping_add(payload.len() as u32);
                    }
                    seen
                }
            });
            let told = |seen: &Seen| (seen.action, seen.reason, counted(seen));
            prop_assert_eq!(told(&plain), told(&remembers), "{:?}", step);
            if !payload.is_empty() && !again {
                last = payload;
            }
            let [plain, remembers] = wires.each_mut().map(|wire| *wire.host.only_flow());
            prop_assert_eq!(plain, remembers, "the conversation after {:?}", step);
        }
    }
}
