//! Policy on frames: which conduit holds, and what its rules say about an operation.

use enforcer_common::policy::UNCOVERED;
use enforcer_common::port::Side;
use enforcer_common::protocol::modbus::functions::space::{COIL, HOLDING, INPUT};
use enforcer_common::verdict::{Mode, Reason, Verdict};

use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::Effect::{Allow, Deny, Log};
use crate::support::policy::{Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

const HMI_READS: &[(u32, u32, u32)] = &[(HOLDING, 100, 199)];

fn seen(rules: &[Rule], unit: u8, request: &Request) -> Seen {
    Wire::new(&Policy::new(rules), Mode::Enforce).frame(Side::Network, &modbus_udp(&adu(1, unit, &request.pdu())))
}

fn reason(rules: &[Rule], unit: u8, request: &Request) -> Reason {
    seen(rules, unit, request).reason
}

fn segment(from: [u8; 4], port: u16) -> Seen {
    let request = adu(1, 1, &Request::Read(3, 0, 1).pdu());
    let packet = ipv4(from, PLC, 6, &[], &tcp((40000, port), 1000, 1, ACK, &request));
    Wire::new(&Policy::reads(), Mode::Enforce).frame(Side::Network, &ethernet(Side::Network, &[], 0x0800, &packet))
}

#[test]
fn the_most_specific_pair_of_zones_holds() {
    let conduit = |from, port| (segment(from, port).conduit, segment(from, port).reason);
    assert_eq!(conduit(HMI, 502), (1, Reason::RuleAllow));
    assert_eq!(conduit(ENGINEER, 502), (3, Reason::FunctionNotAllowed), "a conduit without rules");
    assert_eq!(conduit(STRANGER, 80), (2, Reason::Conduit));
    assert_eq!(conduit(ENGINEER, 80), (2, Reason::Conduit));
    assert_eq!(conduit(STRANGER, 502), (UNCOVERED, Reason::UncoveredDeny));
    assert_eq!(conduit(HMI, 503), (UNCOVERED, Reason::UncoveredDeny));
    let seen = segment(STRANGER, 502);
    assert_eq!((seen.counted[0].conduit, seen.counted[0].node, seen.counted[0].acted), (UNCOVERED, u32::MAX, true));
}

#[test]
fn icmp_has_conduits_too() {
    let ping = |from| ethernet(Side::Network, &[], 0x0800, &ipv4(from, PLC, 1, &[], &[8, 0, 0, 0, 0, 1, 0, 1]));
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    assert_eq!(wire.frame(Side::Network, &ping(HMI)).reason, Reason::Conduit);
    assert_eq!(wire.frame(Side::Network, &ping(STRANGER)).reason, Reason::UncoveredDeny);
}

#[test]
fn answers_follow_the_conversation() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    let answer = |from, to| {
        let pdu = adu(1, 1, &[0x83, 2]);
        ethernet(Side::Device, &[], 0x0800, &ipv4(from, to, 17, &[], &udp((502, 40000), &pdu)))
    };
    assert_eq!(wire.frame(Side::Device, &answer(PLC, HMI)).reason, Reason::Response);
    assert_eq!(wire.frame(Side::Device, &answer(PLC, STRANGER)).reason, Reason::UncoveredDeny);
}

#[test]
fn functions_are_named_or_any() {
    let read = Request::Read(3, 100, 1);
    assert_eq!(reason(&[], 1, &read), Reason::FunctionNotAllowed);
    assert_eq!(reason(&[rule(Allow, &[4])], 1, &read), Reason::FunctionNotAllowed);
    assert_eq!(reason(&[rule(Allow, &[4]), rule(Allow, &[])], 1, &read), Reason::RuleAllow);
    assert_eq!(reason(&[rule(Allow, &[]), rule(Deny, &[3])], 1, &read), Reason::RuleDeny);
    let seen = seen(&[rule(Allow, &[1]), rule(Allow, &[3])], 1, &read);
    assert_eq!((seen.counted[0].node, seen.operations[0].rule), (1, 1), "the second node, the second rule");
}

#[test]
fn units_bound_a_rule() {
    let rules = [rule(Allow, &[3]).units(2, 4), rule(Log, &[3]).units(9, 9)];
    let read = Request::Read(3, 100, 1);
    let reasons: Vec<Reason> = [1, 2, 4, 5, 9, 255].iter().map(|unit| reason(&rules, *unit, &read)).collect();
    let not = Reason::UnitNotAllowed;
    assert_eq!(reasons, [not, Reason::RuleAllow, Reason::RuleAllow, not, Reason::RuleLog, not]);
}

#[test]
fn a_rule_covers_all_objects_or_none() {
    let rules = [rule(Allow, &[3]).objects(HMI_READS)];
    let read = |first, count| reason(&rules, 1, &Request::Read(3, first, count));
    assert_eq!((read(100, 100), read(150, 1)), (Reason::RuleAllow, Reason::RuleAllow));
    for (first, count) in [(99, 1), (99, 2), (199, 2), (200, 1), (0, 125)] {
        assert_eq!(read(first, count), Reason::ObjectNotAllowed, "{first} {count}");
    }
    let halves = [rule(Allow, &[3]).objects(&[(HOLDING, 0, 9)]), rule(Allow, &[3]).objects(&[(HOLDING, 10, 19)])];
    assert_eq!(reason(&halves, 1, &Request::Read(3, 5, 10)), Reason::ObjectNotAllowed, "one rule covers it whole");
    let other = [rule(Allow, &[4]).objects(&[(HOLDING, 0, 65535)])];
    assert_eq!(reason(&other, 1, &Request::Read(4, 5, 1)), Reason::ObjectNotAllowed, "another table");
    let both = [rule(Allow, &[4]).objects(&[(INPUT, 7, 7)]), rule(Log, &[4])];
    assert_eq!(reason(&both, 1, &Request::Read(4, 7, 1)), Reason::RuleLog);
}

#[test]
fn values_bind_writes() {
    let rules = [rule(Allow, &[3, 5, 6, 15, 16, 22, 23]).values(&[(10, 20), (30, 40)])];
    let write = |request: &Request| reason(&rules, 1, request);
    assert_eq!(write(&Request::Register(0, 10)), Reason::RuleAllow);
    assert_eq!(write(&Request::Register(0, 40)), Reason::RuleAllow);
    for value in [9, 21, 29, 41, 65535] {
        assert_eq!(write(&Request::Register(0, value)), Reason::ValueNotAllowed, "{value}");
    }
    assert_eq!(write(&Request::Registers(0, vec![10, 15, 20])), Reason::RuleAllow);
    assert_eq!(write(&Request::Registers(0, vec![10, 21])), Reason::ValueNotAllowed);
    assert_eq!(write(&Request::Registers(0, vec![15, 35])), Reason::ValueNotAllowed, "one interval covers all");
    assert_eq!(write(&Request::Mask(0, 0xffff, 0)), Reason::ValueNotAllowed, "it may leave any value");
    assert_eq!(write(&Request::Mask(0, 0, 12)), Reason::RuleAllow);
    assert_eq!(write(&Request::Read(3, 0, 1)), Reason::RuleAllow, "a read has no value");
    assert_eq!(write(&Request::ReadWrite(0, 5, 9, vec![11])), Reason::RuleAllow);
    assert_eq!(write(&Request::ReadWrite(0, 5, 9, vec![9])), Reason::ValueNotAllowed);
    let coils = [rule(Allow, &[5, 15]).values(&[(0, 0)])];
    assert_eq!(reason(&coils, 1, &Request::Coils(0, vec![false; 30])), Reason::RuleAllow);
    assert_eq!(reason(&coils, 1, &Request::Coil(0, true)), Reason::ValueNotAllowed);
    let files = [rule(Allow, &[21]).values(&[(0, 65535)])];
    let file = Request::WriteFiles(vec![(1, 0, vec![1])]);
    assert_eq!(reason(&files, 1, &file), Reason::ValueNotAllowed, "values that are not decoded");
}

#[test]
fn deny_needs_only_to_touch() {
    let rules = [rule(Allow, &[]), rule(Deny, &[3, 6, 16]).objects(HMI_READS)];
    let reason_of = |first, count| reason(&rules, 1, &Request::Read(3, first, count));
    assert_eq!((reason_of(98, 2), reason_of(98, 3)), (Reason::RuleAllow, Reason::RuleDeny));
    assert_eq!((reason_of(199, 1), reason_of(200, 1)), (Reason::RuleDeny, Reason::RuleAllow));
    let values = [rule(Allow, &[]), rule(Deny, &[]).values(&[(100, 200)])];
    let write = |value| reason(&values, 1, &Request::Register(0, value));
    assert_eq!((write(99), write(100), write(201)), (Reason::RuleAllow, Reason::RuleDeny, Reason::RuleAllow));
    assert_eq!(reason(&values, 1, &Request::Registers(0, vec![1, 300])), Reason::RuleDeny, "bounds touch");
    assert_eq!(reason(&values, 1, &Request::Read(3, 0, 1)), Reason::RuleAllow);
    let units = [rule(Allow, &[]), rule(Deny, &[]).units(7, 7)];
    let read = Request::Read(3, 0, 1);
    assert_eq!((reason(&units, 7, &read), reason(&units, 8, &read)), (Reason::RuleDeny, Reason::RuleAllow));
}

#[test]
fn a_rate_lets_its_burst_through() {
    let rules = [rule(Allow, &[3]).rate(1_000_000_000, 2)];
    for mode in [Mode::Shadow, Mode::Enforce] {
        let mut wire = Wire::new(&Policy::new(&rules), mode);
        let frame = modbus_udp(&adu(1, 1, &Request::Read(3, 0, 1).pdu()));
        let reasons: Vec<Reason> = (0..3).map(|_| wire.frame(Side::Network, &frame).reason).collect();
        assert_eq!(reasons, [Reason::RuleAllow, Reason::RuleAllow, Reason::RateExceeded]);
        wire.host.now += 1_000_000_000;
        assert_eq!(wire.frame(Side::Network, &frame).reason, Reason::RuleAllow);
    }
}

#[test]
fn several_ranges_pass_by_one_rule_only() {
    let request = Request::ReadWrite(10, 1, 20, vec![5]);
    let apart = [rule(Allow, &[23]).objects(&[(HOLDING, 10, 10)]), rule(Allow, &[23]).objects(&[(HOLDING, 20, 20)])];
    let refused = seen(&apart, 1, &request);
    assert_eq!(refused.reasons(), [Reason::ObjectNotAllowed]);
    let one = rule(Allow, &[23]).objects(&[(HOLDING, 10, 10), (HOLDING, 20, 20)]);
    assert_eq!(reason(&[apart[0].clone(), apart[1].clone(), one.clone()], 1, &request), Reason::RuleAllow);
    let log = Rule { effect: Log, ..one.clone() };
    let logged = seen(&[one, apart[0].clone(), log], 1, &request);
    assert_eq!((logged.reason, logged.operations[1].rule), (Reason::RuleLog, 2), "log over allow");
    let denied = [rule(Allow, &[]), rule(Deny, &[]).objects(&[(HOLDING, 10, 10)])];
    assert_eq!(reason(&denied, 1, &request), Reason::RuleDeny, "the range that is read");
}

#[test]
fn log_wins_over_allow_and_the_first_rule_is_named() {
    let seen = seen(&[rule(Allow, &[3]), rule(Log, &[3]), rule(Log, &[])], 1, &Request::Read(3, 0, 1));
    assert_eq!((seen.reason, seen.operations[0].rule), (Reason::RuleLog, 1));
    assert_eq!(seen.reason.verdict(), Verdict::Log);
    assert_eq!(reason(&[rule(Allow, &[5]).objects(&[(COIL, 0, 9)])], 1, &Request::Coil(9, true)), Reason::RuleAllow);
}
