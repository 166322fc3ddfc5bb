//! What a rollout asks of the core: a candidate beside the active policy, grants, steps of values, sightings in enforce.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::candidate;
use enforcer_common::network::mapped;
use enforcer_common::operation::NO_FUNCTION;
use enforcer_common::policy::grant::{CONVERSATION, Grant, GrantKey};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::modbus::functions::space::HOLDING;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, HMI, PLC, PSH, STRANGER, SYN, ethernet, ipv4, tcp};
use crate::support::modbus::{Request, adu};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire};

fn unit(transaction: u16, request: &Request) -> Vec<u8> {
    adu(transaction, 1, &request.pdu())
}

/// Says something; what is stopped is not said again.
fn say(wire: &mut Wire, bytes: &[u8]) -> Seen {
    let before = wire.client;
    let seen = wire.ask(bytes);
    if seen.action != Action::Forward {
        wire.client = before;
    }
    seen
}

/// A segment of a conversation between a station's port 40000 and the PLC's Modbus port.
fn segment(side: Side, station: [u8; 4], sequence: u32, acknowledgement: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    let (from, to, ports) = match side {
        Side::Network => (station, PLC, (40_000, 502)),
        Side::Device => (PLC, station, (502, 40_000)),
    };
    let segment = tcp(ports, sequence, acknowledgement, flags, bytes);
    ethernet(side, &[], 0x0800, &ipv4(from, to, 6, &[], &segment))
}

/// Function, first object, what the active policy says, what the candidate says.
fn different(wire: &Wire) -> Vec<(u32, u32, Reason, Reason)> {
    wire.host.different.iter().map(|one| (one.function, one.first, one.was, one.now)).collect()
}

fn beside(active: &Policy, candidate: &Policy, bytes: &[u8]) -> Vec<(u32, u32, Reason, Reason)> {
    let mut wire = Wire::open(active, Mode::Enforce);
    wire.host.memos = vec![Memo::default(); MEMOS];
    let mut candidate = Policy { generation: 0x8000_0001, ..Policy::new(&candidate.rules) }.build();
    candidate.header.bank = 1;
    for _ in 0..2 {
        // The second time nothing is searched for that can be remembered.
        wire.host.different.clear();
        wire.host.compared = 0;
        say(&mut wire, bytes);
        candidate::judge(&candidate, &mut wire.host, &mut wire.scratch);
    }
    assert!(wire.host.compared > 0);
    different(&wire)
}

#[test]
fn a_candidate_is_compared_operation_by_operation_and_changes_nothing() {
    let reads = Policy::new(&[rule(Effect::Allow, &[3])]);
    let logs = Policy::new(&[rule(Effect::Log, &[3])]);
    let narrow = Policy::new(&[rule(Effect::Allow, &[3]).objects(&[(HOLDING, 0, 3)])]);
    let bytes = [unit(1, &Request::Read(3, 0, 4)), unit(1, &Request::Read(3, 10, 4))].concat();
    assert_eq!(beside(&reads, &reads, &bytes), []);
    assert_eq!(beside(&reads, &narrow, &bytes), [(3, 10, Reason::RuleAllow, Reason::ObjectNotAllowed)]);
    let logged = |first| (3, first, Reason::RuleAllow, Reason::RuleLog);
    assert_eq!(beside(&reads, &logs, &bytes), [logged(0), logged(10)]);
    let writes = Policy::new(&[rule(Effect::Allow, &[3]), rule(Effect::Allow, &[6]).values(&[(0, 10)])]);
    let denied = [unit(1, &Request::Register(7, 5))].concat();
    let different = beside(&Policy { on_deny: OnDeny::Drop, ..reads }, &writes, &denied);
    assert_eq!(different, [(6, 7, Reason::FunctionNotAllowed, Reason::RuleAllow)]);
}

/// A unit of two ranges, which one policy decides by the one and the other by the other.
#[test]
fn of_several_ranges_the_one_that_is_denied_is_told() {
    let all = Policy { on_deny: OnDeny::Drop, ..Policy::new(&[rule(Effect::Allow, &[23])]) };
    let within = |last| Policy {
        on_deny: OnDeny::Drop,
        ..Policy::new(&[rule(Effect::Allow, &[23]).objects(&[(HOLDING, 0, last)])])
    };
    let both = |read, write| unit(1, &Request::ReadWrite(read, 4, write, vec![1]));
    for (bytes, outside) in [(both(80, 7), 80), (both(0, 90), 90)] {
        assert_eq!(beside(&all, &within(50), &bytes), [(23, outside, Reason::RuleAllow, Reason::ObjectNotAllowed)]);
        assert_eq!(beside(&within(50), &all, &bytes), [(23, outside, Reason::ObjectNotAllowed, Reason::RuleAllow)]);
        assert_eq!(beside(&within(50), &within(99), &bytes).len(), 1);
    }
}

#[test]
fn a_pair_that_only_the_candidate_covers_shows_at_its_first_frame() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    let mut candidate = Policy { generation: 0x8000_0001, ..Policy::reads() }.build();
    candidate.header.uncovered = Reason::UncoveredAllow as u8;
    let seen = wire.frame(Side::Network, &segment(Side::Network, STRANGER, 1, 0, SYN, &[]));
    assert_eq!((seen.action, seen.reason), (Action::Drop, Reason::UncoveredDeny));
    candidate::judge(&candidate, &mut wire.host, &mut wire.scratch);
    assert_eq!(different(&wire), [(NO_FUNCTION, 0, Reason::UncoveredDeny, Reason::UncoveredAllow)]);
}

fn key(client: [u8; 4], function: u32) -> GrantKey {
    let protocol = Protocol::Modbus as u32;
    GrantKey { client: mapped(client), server: mapped(PLC), function, protocol }
}

#[test]
fn a_grant_lets_pass_what_no_rule_allows_until_it_ends() {
    let mut wire = Wire::open(&Policy { on_deny: OnDeny::Drop, ..Policy::reads() }, Mode::Enforce);
    let write = unit(1, &Request::Register(7, 5));
    let until = wire.host.now + 1000;
    wire.host.grants.insert(key(HMI, 6), Grant { until, count: 0 });
    let seen = say(&mut wire, &write);
    assert_eq!((seen.action, seen.reason), (Action::Forward, Reason::Grant));
    assert_eq!(wire.host.grants[&key(HMI, 6)].count, 1);
    assert_eq!(wire.host.events.last().map(|event| event.operation.reason), Some(Reason::Grant as u8), "recorded");
    let other = say(&mut wire, &unit(1, &Request::Registers(7, vec![1])));
    assert_eq!(other.reason, Reason::FunctionNotAllowed, "another function is not granted");
    wire.host.now = until;
    assert_eq!(say(&mut wire, &write).reason, Reason::FunctionNotAllowed);
    assert_eq!(wire.host.grants[&key(HMI, 6)].count, 1);
}

#[test]
fn a_grant_does_not_undo_a_deny_rule() {
    let policy = Policy::new(&[rule(Effect::Allow, &[3]), rule(Effect::Deny, &[6])]);
    let mut wire = Wire::open(&policy, Mode::Enforce);
    wire.host.grants.insert(key(HMI, 6), Grant { until: u64::MAX, count: 0 });
    assert_eq!(say(&mut wire, &unit(1, &Request::Register(7, 5))).reason, Reason::RuleDeny);
}

#[test]
fn a_granted_stranger_gets_a_conversation_with_what_is_granted_in_it() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    for function in [CONVERSATION, 3] {
        wire.host.grants.insert(key(STRANGER, function), Grant { until: u64::MAX, count: 0 });
    }
    let put = |wire: &mut Wire, side, sequence, acknowledgement, flags, bytes: &[u8]| {
        wire.frame(side, &segment(side, STRANGER, sequence, acknowledgement, flags, bytes))
    };
    let opened = [
        put(&mut wire, Side::Network, 999, 0, SYN, &[]),
        put(&mut wire, Side::Device, 4999, 1000, SYN | ACK, &[]),
        put(&mut wire, Side::Network, 1000, 5000, ACK, &[]),
    ];
    assert!(opened.iter().all(|seen| seen.action == Action::Forward), "{opened:?}");
    let read = unit(1, &Request::Read(3, 0, 4));
    let seen = put(&mut wire, Side::Network, 1000, 5000, ACK | PSH, &read);
    assert_eq!((seen.action, seen.reason), (Action::Forward, Reason::Grant));
    let next = 1000 + read.len() as u32;
    let seen = put(&mut wire, Side::Network, next, 5000, ACK | PSH, &unit(1, &Request::Register(7, 5)));
    assert_eq!((seen.action, seen.reason), (Action::Reset, Reason::UncoveredDeny));
    let unknown = wire.frame(Side::Network, &segment(Side::Network, [192, 168, 7, 8], 999, 0, SYN, &[]));
    assert_eq!((unknown.action, unknown.reason), (Action::Drop, Reason::UncoveredDeny));
}

#[test]
fn a_value_may_step_only_so_far_from_the_last_one_that_went_on() {
    let policy = Policy { on_deny: OnDeny::Drop, ..Policy::new(&[rule(Effect::Allow, &[6, 16]).max_step(10)]) };
    let mut wire = Wire::open(&policy, Mode::Enforce);
    let write = |wire: &mut Wire, value| say(wire, &unit(1, &Request::Register(7, value))).reason;
    assert_eq!(write(&mut wire, 500), Reason::RuleAllow, "nothing to measure from");
    assert_eq!(write(&mut wire, 510), Reason::RuleAllow);
    assert_eq!(write(&mut wire, 521), Reason::StepTooLarge);
    assert_eq!(write(&mut wire, 521), Reason::StepTooLarge, "what was stopped is not measured from");
    assert_eq!(write(&mut wire, 500), Reason::RuleAllow);
    assert_eq!(say(&mut wire, &unit(1, &Request::Register(8, 9000))).reason, Reason::RuleAllow, "another register");
    let several = say(&mut wire, &unit(1, &Request::Registers(7, vec![500, 500])));
    assert_eq!(several.reason, Reason::StepTooLarge, "several at once cannot be told apart");
    let twice = [unit(1, &Request::Register(7, 505)), unit(1, &Request::Register(7, 515))].concat();
    assert_eq!(say(&mut wire, &twice).reason, Reason::StepTooLarge, "two steps in one segment");
    assert_eq!(write(&mut wire, 511), Reason::StepTooLarge, "neither went on");
}

#[test]
fn what_is_allowed_in_enforce_is_written_down_once_a_minute() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    wire.host.memos = vec![Memo::default(); MEMOS];
    wire.host.observations.clear();
    let read = unit(1, &Request::Read(3, 0, 4));
    let counts = |wire: &Wire| wire.host.observations.values().map(|seen| seen.count).collect::<Vec<_>>();
    for _ in 0..5 {
        say(&mut wire, &read);
    }
    // One by the search, one when it is remembered, and three that wait.
    assert_eq!(counts(&wire), [2]);
    wire.host.now += 1 << 36;
    say(&mut wire, &read);
    assert_eq!(counts(&wire), [6]);
}

#[test]
fn the_largest_change_of_a_written_value_is_kept() {
    let mut wire = Wire::open(&Policy::new(&[rule(Effect::Allow, &[6, 16])]), Mode::Shadow);
    for value in [500, 510, 480, 483] {
        say(&mut wire, &unit(1, &Request::Register(7, value)));
    }
    say(&mut wire, &unit(1, &Request::Register(8, 9000)));
    say(&mut wire, &unit(1, &Request::Registers(7, vec![1, 900])));
    let mut steps: Vec<_> = wire
        .host
        .observations
        .iter()
        .filter(|(key, _)| key.function == 6 || key.function == 16)
        .map(|(key, seen)| (key.function, key.first, seen.value_last, seen.step))
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, [(6, 7, 483, 30), (6, 8, 9000, 0), (16, 7, i64::MIN, 0)]);
}

#[test]
fn a_write_within_its_bounds_is_remembered_and_one_beyond_them_is_not() {
    let bounds = |values: &[(i64, i64)]| Policy {
        on_deny: OnDeny::Drop,
        ..Policy::new(&[rule(Effect::Allow, &[6]).objects(&[(HOLDING, 0, 9)]).values(values)])
    };
    let mut wire = Wire::open(&bounds(&[(10, 20), (100, 200)]), Mode::Enforce);
    wire.host.memos = vec![Memo::default(); MEMOS];
    let mut candidate = Policy { generation: 0x8000_0001, ..bounds(&[(10, 20)]) }.build();
    candidate.header.bank = 1;
    let allow = Reason::RuleAllow;
    let deny = Reason::ValueNotAllowed;
    for (value, was, now) in [
        (15, allow, allow),
        (20, allow, allow),
        (21, deny, deny),
        (150, allow, deny),
        (10, allow, allow),
        (199, allow, deny),
        (99, deny, deny),
        (15, allow, allow),
    ] {
        wire.host.different.clear();
        assert_eq!(say(&mut wire, &unit(1, &Request::Register(7, value))).reason, was, "{value}");
        candidate::judge(&candidate, &mut wire.host, &mut wire.scratch);
        let told = different(&wire);
        assert_eq!(told, if was == now { vec![] } else { vec![(6, 7, was, now)] }, "{value}");
    }
    let remembered = wire.host.memos.iter().filter(|memo| memo.is_valued()).count();
    assert_eq!(remembered, 2, "one by each policy");
    let counts: u64 =
        wire.host.observations.iter().filter(|(key, _)| key.function == 6).map(|(_, seen)| seen.count).sum();
    assert_eq!(counts, 8, "each value is evidence");
}

/// Every value is written when every other one is remembered: what the rules say of it never depends on what came before.
#[test]
fn a_write_beside_what_deny_rules_name_is_remembered_up_to_there() {
    let never = |first, values| rule(Effect::Deny, &[6]).objects(&[(HOLDING, first, first)]).values(&[values]);
    let policy = Policy {
        on_deny: OnDeny::Drop,
        ..Policy::new(&[
            rule(Effect::Allow, &[6]).values(&[(1, 17), (19, 21)]),
            never(7, (4, 5)),
            never(7, (12, 12)),
            never(8, (0, 30)),
        ])
    };
    let expected = |value| match value {
        4 | 5 | 12 => Reason::RuleDeny,
        1..=17 | 19..=21 => Reason::RuleAllow,
        _ => Reason::ValueNotAllowed,
    };
    for before in 0..=22 {
        let mut wire = Wire::open(&policy, Mode::Enforce);
        wire.host.memos = vec![Memo::default(); MEMOS];
        say(&mut wire, &unit(1, &Request::Register(7, before)));
        let bounds: Vec<_> = wire
            .host
            .memos
            .iter()
            .filter(|memo| memo.is_valued())
            .map(|memo| (memo.value_min, memo.value_max))
            .collect();
        let around = match before {
            1..=3 => vec![(1, 3)],
            6..=11 => vec![(6, 11)],
            13..=17 => vec![(13, 17)],
            _ => vec![],
        };
        // Of several rules that could be named only the first is remembered.
        assert_eq!(bounds, around, "{before}");
        for value in 0..=22 {
            let seen = say(&mut wire, &unit(1, &Request::Register(7, value))).reason;
            assert_eq!(seen, expected(value), "{before} {value}");
            let (sequence, acknowledged) = (wire.server, wire.client);
            wire.segment(Side::Device, sequence, acknowledged, ACK, &[]);
        }
    }
}

/// As many deny rules as can touch a unit: their values hold, though nothing is remembered of it.
#[test]
fn many_deny_rules_with_values_hold_for_each_write() {
    let mut rules = vec![rule(Effect::Allow, &[6]).values(&[(0, 100)])];
    rules.extend((0..16).map(|n| rule(Effect::Deny, &[6]).values(&[(n * 5 + 2, n * 5 + 3)])));
    let mut wire = Wire::open(&Policy { on_deny: OnDeny::Drop, ..Policy::new(&rules) }, Mode::Enforce);
    wire.host.memos = vec![Memo::default(); MEMOS];
    for value in [0, 4, 7, 79, 78, 1, 2, 14, 12, 81, 77] {
        let denied = value < 80 && matches!(value % 5, 2 | 3);
        let expected = if denied { Reason::RuleDeny } else { Reason::RuleAllow };
        assert_eq!(say(&mut wire, &unit(1, &Request::Register(7, value))).reason, expected, "{value}");
    }
    assert!(!wire.host.memos.iter().any(Memo::is_valued));
}

#[test]
fn the_candidates_rate_counts_the_same_whether_its_rule_is_remembered_or_searched_for() {
    let policy = Policy { on_deny: OnDeny::Drop, ..Policy::new(&[rule(Effect::Allow, &[3])]) };
    let rated = Policy { generation: 0x8000_0001, ..Policy::new(&[rule(Effect::Allow, &[3]).rate(1_000_000_000, 2)]) };
    let mut candidate = rated.build();
    candidate.header.bank = 1;
    let told = [false, true].map(|remembers| {
        let mut wire = Wire::open(&policy, Mode::Enforce);
        if remembers {
            wire.host.memos = vec![Memo::default(); MEMOS];
        }
        // Five at once, then one in each second.
        let told = [0, 0, 0, 0, 0, 1, 1, 0].map(|seconds| {
            wire.host.now += seconds * 1_000_000_000;
            wire.host.different.clear();
            assert_eq!(say(&mut wire, &unit(1, &Request::Read(3, 0, 1))).reason, Reason::RuleAllow);
            candidate::judge(&candidate, &mut wire.host, &mut wire.scratch);
            different(&wire).first().map(|(_, _, _, now)| *now)
        });
        assert_eq!(
            wire.host.memos.iter().filter(|memo| memo.generation == 0x8000_0001).count(),
            usize::from(remembers)
        );
        told
    });
    let exceeded = Some(Reason::RateExceeded);
    assert_eq!(told, [[None, None, exceeded, exceeded, exceeded, None, None, exceeded]; 2]);
}

/// Writes these values to a register while a candidate is beside the policy, which has allowed two others before; what differs
/// of each. `active` and `candidate`: how far their rules let a value step, 0 for any.
fn flips(mode: Mode, active: u32, candidate: u32, remembers: bool, values: &[u16]) -> Vec<Option<(Reason, Reason)>> {
    let policy = |max_step| Policy {
        on_deny: OnDeny::Drop,
        ..Policy::new(&[match max_step {
            0 => rule(Effect::Allow, &[6]),
            _ => rule(Effect::Allow, &[6]).max_step(max_step),
        }])
    };
    let mut wire = Wire::open(&policy(active), mode);
    if remembers {
        wire.host.memos = vec![Memo::default(); MEMOS];
    }
    let mut image = Policy { generation: 0x8000_0001, ..policy(candidate) }.build();
    image.header.bank = 1;
    // Two writes before the candidate is staged.
    for value in [500, 505] {
        say(&mut wire, &unit(1, &Request::Register(7, value)));
    }
    let judged = values.iter().map(|value| {
        wire.host.different.clear();
        say(&mut wire, &unit(1, &Request::Register(7, *value)));
        candidate::judge(&image, &mut wire.host, &mut wire.scratch);
        different(&wire).first().map(|(_, _, was, now)| (*was, *now))
    });
    judged.collect()
}

#[test]
fn the_candidates_steps_are_measured_as_they_will_be() {
    for remembers in [false, true] {
        for mode in [Mode::Shadow, Mode::Enforce] {
            // The same policy beside itself: nothing flips, whatever went before.
            assert_eq!(flips(mode, 10, 10, remembers, &[521, 510, 519, 530, 520]), [None; 5], "{mode:?}");
            let allowed = |now| Some((Reason::RuleAllow, now));
            let stepped = [None, None, allowed(Reason::StepTooLarge), None];
            assert_eq!(flips(mode, 0, 10, remembers, &[600, 610, 621, 625]), stepped, "{mode:?}");
            let was = |now| Some((Reason::StepTooLarge, now));
            assert_eq!(flips(mode, 10, 0, remembers, &[510, 600]), [None, was(Reason::RuleAllow)], "{mode:?}");
        }
    }
}
