//! Several units in a segment, answers, and what learning and reports keep.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::operation::{NO_FUNCTION, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::modbus::functions::space;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::modbus::{Request, adu, raw, words};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire};

fn unit(transaction: u16, request: &Request) -> Vec<u8> {
    adu(transaction, 1, &request.pdu())
}

fn ask(rules: &[crate::support::policy::Rule], bytes: &[u8]) -> Seen {
    Wire::open(&Policy::new(rules), Mode::Enforce).ask(bytes)
}

/// The record of one answer of the device.
fn answer(pdu: &[u8]) -> Operation {
    let seen = Wire::open(&Policy::reads(), Mode::Enforce).watched().answer(&adu(9, 3, pdu));
    assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward), "a device's answer is not stopped");
    seen.operations[0]
}

#[test]
fn thirty_two_units_are_read_and_one_more_is_beyond_inspection() {
    let rules = [rule(Effect::Allow, &[3])];
    let units =
        |count: u16| (0..count).flat_map(|number| unit(number, &Request::Read(3, number, 1))).collect::<Vec<u8>>();
    let seen = ask(&rules, &units(32));
    assert_eq!((seen.operations.len(), seen.reason), (32, Reason::RuleAllow));
    assert!(seen.operations.iter().zip(0..).all(|(one, number)| one.first == number && one.transaction == number));
    let seen = ask(&rules, &units(33));
    assert_eq!((seen.operations.len(), seen.reason, seen.action), (33, Reason::BeyondInspection, Action::Drop));
}

#[test]
fn forty_records_are_kept_and_one_more_is_beyond_inspection() {
    let rules = [rule(Effect::Allow, &[])];
    let units = |count| unit(1, &Request::ReadWrite(0, 1, 5, vec![1])).repeat(count);
    assert_eq!(ask(&rules, &units(20)).reason, Reason::RuleAllow);
    let seen = ask(&rules, &units(21));
    assert_eq!((seen.operations.len(), seen.reason), (40, Reason::BeyondInspection));
    let files = unit(1, &Request::ReadFiles(vec![(1, 0, 1); 8]));
    assert_eq!(ask(&rules, &files.repeat(5)).reason, Reason::RuleAllow);
    assert_eq!(ask(&rules, &[files.repeat(5), files].concat()).reason, Reason::BeyondInspection);
}

#[test]
fn one_denied_unit_denies_the_segment() {
    // Vector 2 of PROTOCOLS.md 23.
    let (read, write) = (unit(1, &Request::Read(3, 0, 1)), unit(2, &Request::Register(0, 1)));
    let rules = [rule(Effect::Allow, &[3])];
    for place in 0..9 {
        let mut units = vec![read.clone(); 8];
        units.insert(place, write.clone());
        let seen = ask(&rules, &units.concat());
        assert_eq!((seen.reason, seen.action, seen.counted.len()), (Reason::FunctionNotAllowed, Action::Drop, 9));
    }
}

#[test]
fn what_hides_behind_a_wrong_length_or_quantity_is_denied() {
    // Vectors 3 and 4: a real server runs the hidden write.
    let hidden = unit(2, &Request::Register(0, 1));
    let outer = raw(1, 0, 6 + hidden.len(), 1, &[&words(3, &[0, 1])[..], &hidden].concat());
    assert_eq!(ask(&[rule(Effect::Allow, &[3])], &outer).reason, Reason::LengthMismatch);
    let poison = [unit(1, &Request::Read(3, 0, 126)), unit(2, &Request::Registers(0, vec![1; 9]))].concat();
    assert_eq!(ask(&[rule(Effect::Allow, &[])], &poison).reasons(), [Reason::OutOfRange, Reason::RuleAllow]);
}

#[test]
fn a_long_opaque_unit_is_skipped_to_its_end() {
    let rules = [rule(Effect::Allow, &[3, Protocol::Umas.within(0x29)])];
    let mut wire = Wire::open(&Policy { stream: true, ..Policy::new(&rules) }, Mode::Enforce);
    let umas = unit(1, &Request::Umas(0, 0x29, vec![0xee; 900]));
    assert_eq!(wire.ask(&umas[..300]).reasons(), [Reason::RuleAllow]);
    assert_eq!(wire.ask(&umas[300..600]).reason, Reason::Partial);
    let rest = [&umas[600..], &unit(2, &Request::Read(3, 0, 1))].concat();
    let seen = wire.ask(&rest);
    assert_eq!((seen.reasons(), seen.operations[0].transaction), (vec![Reason::RuleAllow], 2));
}

#[test]
fn malformed_framing_is_denied_with_what_stood_before_it() {
    let rules = [rule(Effect::Allow, &[3])];
    let bytes = [unit(1, &Request::Read(3, 0, 1)), b"GET / HTTP/1.1".to_vec()].concat();
    assert_eq!(ask(&rules, &bytes).reasons(), [Reason::RuleAllow, Reason::MalformedFraming]);
}

#[test]
fn answers_are_read_and_their_faults_noted() {
    for code in [1, 2, 3, 4, 12, 17, 20, 21, 23] {
        assert_eq!(answer(&[code, 2, 0, 0]).fault, 0, "{code}");
        assert_eq!(answer(&[code, 3, 0, 0]).fault, Reason::LengthMismatch as u8, "{code}");
    }
    for (code, length) in [(5, 4), (6, 4), (7, 1), (11, 4), (15, 4), (16, 4), (22, 6)] {
        let pdu = |size: usize| [&[code][..], &vec![0; size]].concat();
        assert_eq!(answer(&pdu(length)).fault, 0, "{code}");
        assert_eq!(answer(&pdu(length + 1)).fault, Reason::LengthMismatch as u8, "{code}");
    }
    assert_eq!(answer(&[0, 0]).fault, Reason::InvalidFunction as u8);
    assert_eq!(answer(&[43, 14, 1, 1, 0, 0, 0]).fault, 0);
    let echo = answer(&words(16, &[100, 5]));
    assert_eq!((echo.space, echo.first, echo.last, echo.role), (space::HOLDING, 100, 104, Role::Response as u8));
    assert_eq!((echo.unit, echo.transaction, echo.function), (3, 9, 16));
}

#[test]
fn exceptions_carry_their_code() {
    for code in [1, 2, 3, 4, 5, 6, 8, 10, 11, 0, 255] {
        let record = answer(&[0x80 | 6, code]);
        assert!(record.has(Operation::HAS_EXCEPTION));
        assert_eq!((record.function, record.exception, record.fault), (6, code, 0));
    }
    assert_eq!(answer(&[0x86, 1, 2]).fault, Reason::LengthMismatch as u8);
    assert_eq!(answer(&[0x86]).fault, Reason::LengthMismatch as u8);
}

#[test]
fn learning_observes_and_shadow_reports() {
    let policy = Policy { on_deny: OnDeny::Reset, ..Policy::reads() };
    let bytes = [unit(1, &Request::Read(3, 0, 4)), unit(2, &Request::Registers(7, vec![3, 9]))].concat();
    let mut wire = Wire::open(&policy, Mode::Learn);
    wire.host.observations.clear();
    for _ in 0..3 {
        wire.ask(&bytes);
    }
    let mut seen: Vec<_> =
        wire.host.observations.iter().map(|(key, seen)| (key.function, key.first, key.last, *seen)).collect();
    seen.sort_by_key(|one| one.0);
    assert_eq!((seen[0].0, seen[0].2, seen[0].3.count), (3, 3, 3));
    assert_eq!((seen[1].0, seen[1].1, seen[1].3.value_min, seen[1].3.value_max), (16, 7, 3, 9));
    let mut wire = Wire::open(&policy, Mode::Shadow);
    wire.host.events.clear();
    wire.ask(&bytes);
    assert_eq!(wire.host.events.len(), 1, "what is allowed is counted only");
    let event = &wire.host.events[0];
    assert_eq!((event.operation.function, event.operation.reason), (16, Reason::FunctionNotAllowed as u8));
    assert_eq!(event.action, Action::Forward as u8);
    let mut seen: Vec<_> =
        wire.host.observations.iter().map(|(key, seen)| (key.function, key.reason(), seen.count)).collect();
    seen.sort_by_key(|one| one.0);
    assert_eq!(seen, [(3, Some(Reason::RuleAllow), 1), (16, Some(Reason::FunctionNotAllowed), 1)]);
}

#[test]
fn learning_observes_who_splits_units_once_and_its_operations_as_ever() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Learn);
    wire.host.observations.clear();
    let bytes = unit(1, &Request::Read(3, 0, 4));
    for _ in 0..3 {
        wire.ask(&bytes[..5]);
        wire.ask(&bytes[5..]);
    }
    let mut seen: Vec<_> =
        wire.host.observations.iter().map(|(key, seen)| (key.function, key.protocol, seen.count)).collect();
    seen.sort_unstable();
    let modbus = Protocol::Modbus as u8;
    assert_eq!(seen, [(3, modbus, 3), (NO_FUNCTION, modbus, 3)]);
}
