//! What rules cover, what they touch, and which one is named.

use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::policy::UNCOVERED;
use enforcer_common::verdict::{Mode, Reason};

use super::super::super::Compiled;
use super::super::super::trial::{Outcome, judge};
use super::{rule, rules};

const HOLDING: u32 = 3;

fn operation(function: u32, access: Access, space: u32, first: u32, last: u32) -> Operation {
    Operation { function, access: access as u8, unit: 1, space, first, last, ..Operation::EMPTY }
}

fn write(first: u32, last: u32, min: i64, max: i64) -> Operation {
    let flags = Operation::HAS_VALUE;
    Operation { flags, value_min: min, value_max: max, ..operation(16, Access::Write, HOLDING, first, last) }
}

fn read(first: u32, last: u32) -> Operation {
    operation(3, Access::Read, HOLDING, first, last)
}

/// Reason and rule name for one unit on conduit "c".
#[track_caller]
fn verdict<'c>(compiled: &'c Compiled, parts: &[Operation]) -> (Reason, &'c str) {
    let id = compiled.names.conduit_id("c").unwrap();
    let Outcome { reason, rule, .. } = judge(&compiled.image, id, parts).unwrap();
    (reason, rule.map_or("-", |rule| compiled.names.rule(rule).unwrap()))
}

#[test]
fn touching_ranges_are_one_and_gaps_are_not() {
    let compiled =
        rules(&rule("r", "\"@read\"", "objects = [\"holding:0-9\", \"holding:10-19\", \"holding:21-29\"]", "allow"));
    assert_eq!(verdict(&compiled, &[read(0, 19)]), (Reason::RuleAllow, "r"));
    assert_eq!(verdict(&compiled, &[read(0, 20)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(20, 20)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(21, 29)]), (Reason::RuleAllow, "r"));
    // A rule with objects covers only operations that have one.
    assert_eq!(verdict(&compiled, &[operation(3, Access::Read, NO_OBJECT, 0, 0)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[operation(3, Access::Read, 2, 0, 0)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[write(0, 0, 0, 0)]), (Reason::FunctionNotAllowed, "-"));
}

#[test]
fn two_rules_together_do_not_cover_what_neither_covers() {
    let text = rule("low", "3", "objects = [\"holding:0-9\"]", "allow")
        + &rule("high", "3", "objects = [\"holding:10-19\"]", "allow");
    let compiled = rules(&text);
    assert_eq!(verdict(&compiled, &[read(0, 9)]), (Reason::RuleAllow, "low"));
    assert_eq!(verdict(&compiled, &[read(9, 10)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(10, 10)]), (Reason::RuleAllow, "high"));
}

#[test]
fn log_beats_allow_and_the_first_of_equals_is_named() {
    let text = rule("a", "3", "", "allow")
        + &rule("b", "\"@read\"", "", "allow")
        + &rule("l", "3", "objects = [\"holding:5\"]", "log");
    let compiled = rules(&text);
    assert_eq!(verdict(&compiled, &[read(4, 4)]), (Reason::RuleAllow, "a"));
    assert_eq!(verdict(&compiled, &[read(5, 5)]), (Reason::RuleLog, "l"));
    assert_eq!(verdict(&compiled, &[read(4, 5)]), (Reason::RuleAllow, "a"));
    assert_eq!(verdict(&compiled, &[operation(1, Access::Read, 0, 0, 0)]), (Reason::RuleAllow, "b"));
}

#[test]
fn a_deny_rule_wins_by_touching() {
    let text = rule("all", "\"@any\"", "", "allow")
        + &rule("no", "\"@write\"", "objects = [\"holding:44\"]\nvalues = [\"100-200\"]", "deny");
    let compiled = rules(&text);
    assert_eq!(verdict(&compiled, &[write(40, 43, 150, 150)]), (Reason::RuleAllow, "all"));
    assert_eq!(verdict(&compiled, &[write(40, 50, 0, 99)]), (Reason::RuleAllow, "all"));
    assert_eq!(verdict(&compiled, &[write(40, 50, 0, 100)]), (Reason::RuleDeny, "no"));
    assert_eq!(verdict(&compiled, &[read(44, 44)]), (Reason::RuleAllow, "all"));
}

#[test]
fn values_bind_writes_and_not_reads() {
    let compiled = rules(&rule("r", "3, 16, 21", "values = [\"0-10\", \"20-30\"]", "allow"));
    assert_eq!(verdict(&compiled, &[write(0, 0, 0, 10)]), (Reason::RuleAllow, "r"));
    assert_eq!(verdict(&compiled, &[write(0, 0, 25, 30)]), (Reason::RuleAllow, "r"));
    assert_eq!(verdict(&compiled, &[write(0, 0, 10, 20)]), (Reason::ValueNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(0, 0)]), (Reason::RuleAllow, "r"));
    assert_eq!(verdict(&compiled, &[operation(21, Access::Write, 0x1_0001, 0, 0)]), (Reason::ValueNotAllowed, "-"));
    let id = usize::from(compiled.names.conduit_id("c").unwrap());
    assert_eq!(compiled.image.conduits[id].valued, [0, u32::MAX]);
}

#[test]
fn values_are_decoded_where_a_rule_looks_at_them() {
    let some = [
        rule("a", "6", "objects = [\"holding:40-47\", \"coil:3\"]\nvalues = [\"0-10\"]", "allow"),
        rule("b", "16", "", "allow"),
    ];
    let compiled = rules(&some.concat());
    let id = usize::from(compiled.names.conduit_id("c").unwrap());
    assert_eq!(compiled.image.conduits[id].valued, [3, 47]);
    let none = rules(&rule("b", "16", "", "allow"));
    let [first, last] = none.image.conduits[id].valued;
    assert!(first > last);
}

#[test]
fn units_are_looked_at() {
    let compiled = rules(
        &(rule("one", "3", "units = [1, \"3-4\"]", "allow")
            + &rule("two", "3", "units = [2]\nobjects = [\"holding:0\"]", "log")),
    );
    let unit = |unit: u32| Operation { unit, ..read(0, 0) };
    for (number, expected) in [
        (0, (Reason::UnitNotAllowed, "-")),
        (1, (Reason::RuleAllow, "one")),
        (2, (Reason::RuleLog, "two")),
        (3, (Reason::RuleAllow, "one")),
        (4, (Reason::RuleAllow, "one")),
        (5, (Reason::UnitNotAllowed, "-")),
        (255, (Reason::UnitNotAllowed, "-")),
    ] {
        assert_eq!(verdict(&compiled, &[unit(number)]), expected, "unit {number}");
    }
}

#[test]
fn one_rule_must_cover_all_ranges_of_a_unit() {
    let both = rule("low", "23", "objects = [\"holding:0-9\"]", "allow")
        + &rule("high", "23", "objects = [\"holding:10-19\"]", "allow");
    let part = |first, last, access| operation(23, access, HOLDING, first, last);
    let crossing = [part(0, 3, Access::Read), part(10, 12, Access::Write)];
    assert_eq!(verdict(&rules(&both), &crossing), (Reason::ObjectNotAllowed, "-"));
    let wide =
        both + &rule("wide", "23", "objects = [\"holding:0-3\", \"holding:12-10\"]", "log").replace("12-10", "10-12");
    assert_eq!(verdict(&rules(&wide), &crossing), (Reason::RuleLog, "wide"));
}

#[test]
fn sub_functions_have_objects_of_their_own() {
    const DIAGNOSTIC: u32 = 5;
    let sub = |number, access| operation(8, access, DIAGNOSTIC, number, number);
    let compiled = rules(&rule("d", "\"force_listen_only_mode\", \"@read\"", "objects = [\"holding:0-9\"]", "allow"));
    assert_eq!(verdict(&compiled, &[sub(4, Access::Control)]), (Reason::RuleAllow, "d"));
    assert_eq!(verdict(&compiled, &[sub(1, Access::Control)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(0, 9)]), (Reason::RuleAllow, "d"));

    let whole = rules(&rule("w", "\"diagnostics\"", "", "allow"));
    assert_eq!(verdict(&whole, &[sub(4, Access::Control)]), (Reason::RuleAllow, "w"));
}

/// Function 8 as a whole counts as diagnose; the class must not let in its sub-functions that restart or silence a device.
#[test]
fn a_class_does_not_reach_sub_functions_of_another_class() {
    let compiled = rules(&rule("d", "\"@diagnose\", \"@discover\"", "", "allow"));
    let sub = |number, access| operation(8, access, 5, number, number);
    assert_eq!(verdict(&compiled, &[sub(0, Access::Diagnose)]), (Reason::RuleAllow, "d"));
    assert_eq!(verdict(&compiled, &[sub(4, Access::Control)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[sub(19, Access::Unknown)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[operation(43, Access::Discover, 6, 14, 14)]), (Reason::RuleAllow, "d"));
    assert_eq!(verdict(&compiled, &[operation(43, Access::Write, 6, 13, 13)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[operation(7, Access::Diagnose, NO_OBJECT, 0, 0)]), (Reason::RuleAllow, "d"));
}

#[test]
fn any_covers_functions_without_a_name_and_beside_named_ones() {
    let compiled = rules(&(rule("all", "\"@any\"", "", "allow") + &rule("three", "3", "units = [9]", "log")));
    assert_eq!(verdict(&compiled, &[operation(100, Access::Unknown, NO_OBJECT, 0, 0)]), (Reason::RuleAllow, "all"));
    assert_eq!(verdict(&compiled, &[read(0, 0)]), (Reason::RuleAllow, "all"));
    assert_eq!(verdict(&compiled, &[Operation { unit: 9, ..read(0, 0) }]), (Reason::RuleLog, "three"));
}

#[test]
fn conduits_and_rates_are_recorded() {
    let compiled = rules(&(rule("slow", "6", "rate = \"5/s\"", "log") + &rule("free", "3", "", "allow")));
    let names = &compiled.names;
    assert_eq!(names.conduits().collect::<Vec<_>>(), [(1, "other"), (2, "c")]);
    assert_eq!(names.rules().collect::<Vec<_>>(), [(0, 1, "any"), (1, 2, "slow"), (2, 2, "free")]);
    assert_eq!((names.conduit(UNCOVERED), names.rule(3), names.zone(9)), (None, None, None));
    let slow = compiled.image.rules[1];
    assert_eq!((slow.interval, slow.burst, slow.conduit), (200_000_000, 5, 2));
    assert_eq!((compiled.image.rules[2].interval, compiled.image.rules[2].burst), (0, 0));
    let modes: Vec<u8> = compiled.image.conduits[..3].iter().map(|conduit| conduit.mode).collect();
    assert_eq!(modes, [Mode::Enforce as u8, Mode::Learn as u8, Mode::Enforce as u8]);
    let on_deny: Vec<u8> = compiled.image.conduits[1..3].iter().map(|conduit| conduit.on_deny).collect();
    assert_eq!(on_deny, [0, 1]);
}
