//! The image says what the policy means: addresses, conduit choice, rules, limits, names.

use std::fmt::Write as _;
use std::net::IpAddr;

use enforcer_common::abi;
use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::policy::UNCOVERED;
use enforcer_common::verdict::{Mode, Reason};

use super::super::trial::{Outcome, conduit, core_address, judge};
use super::super::{Compiled, compile, parse};

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const HOLDING: u32 = 3;

fn compiled(text: &str) -> Compiled {
    let loaded = parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    compile(&loaded.valid, 12, 1).unwrap_or_else(|errors| panic!("{errors}"))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Name of the conduit for a conversation, "-" when none covers it.
fn choose<'c>(compiled: &'c Compiled, from: &str, to: &str, transport: u8, port: u16) -> &'c str {
    let id = conduit(&compiled.image, ip(from), ip(to), transport, port);
    compiled.names.conduit(id).unwrap_or("-")
}

const ZONES: &str = r#"
[policy]
name = "p"
revision = 7
default = "log"
fragments = "allow"
on_unsynchronised = "deny"
[zones]
hmi = ["10.0.0.1", "10.0.0.16/28"]
plc = ["10.0.1.0-10.0.1.9", "fd00::/64"]
[devices]
a = { ip = "10.0.1.5", mac = "00:1b:1b:12:34:56" }
b = { ip = "192.168.0.9" }
c = { ip = "fd00::5", mac = "00:00:00:00:00:01" }
[[ethernet]]
types = ["arp", "stp", 0x88e1]
action = "allow"
[[ethernet]]
types = ["lldp"]
action = "log"
"#;

#[test]
fn the_header_says_what_holds_for_all() {
    let header = compiled(ZONES).image.header;
    assert_eq!((header.layout, header.generation, header.bank), (abi::LAYOUT, 12, 1));
    assert_eq!(header.uncovered, Reason::UncoveredLog as u8);
    assert_eq!(header.fragments, Reason::FragmentAllow as u8);
    assert_eq!(header.on_unsynchronised, enforcer_common::policy::OnUnsynchronised::Deny as u8);
}

#[test]
fn addresses_find_their_zone_and_devices_are_marked() {
    let compiled = compiled(ZONES);
    let place = |address: &str| {
        let place = compiled.image.place(&core_address(ip(address)));
        (compiled.names.zone(place.zone).unwrap_or("?"), place.device)
    };
    let cases = [
        ("10.0.0.0", "any", false),
        ("10.0.0.1", "hmi", false),
        ("10.0.0.2", "any", false),
        ("10.0.0.16", "hmi", false),
        ("10.0.0.31", "hmi", false),
        ("10.0.0.32", "any", false),
        ("10.0.1.0", "plc", false),
        ("10.0.1.4", "plc", false),
        ("10.0.1.5", "plc", true),
        ("10.0.1.6", "plc", false),
        ("10.0.1.9", "plc", false),
        ("10.0.1.10", "any", false),
        ("192.168.0.9", "any", true),
        ("255.255.255.255", "any", false),
        ("fd00::4", "plc", false),
        ("fd00::5", "plc", true),
        ("fd00::ffff:ffff:ffff:ffff", "plc", false),
        ("fd00:0:0:1::", "any", false),
        ("::", "any", false),
    ];
    for (address, zone, device) in cases {
        assert_eq!(place(address), (zone, device), "{address}");
    }
    assert!(compiled.image.is_device_mac([0, 0x1b, 0x1b, 0x12, 0x34, 0x56]));
    assert!(compiled.image.is_device_mac([0, 0, 0, 0, 0, 1]));
    assert!(!compiled.image.is_device_mac([0, 0, 0, 0, 0, 2]));
}

#[test]
fn ethernet_types_find_their_action() {
    let image = compiled(ZONES).image;
    assert_eq!(image.ethernet(0x0806), Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x0042), Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x88e1), Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x88cc), Reason::EthernetLog);
    assert_eq!(image.ethernet(0x8892), Reason::UncoveredLog);
}

/// A conduit without rules.
fn bare(name: &str, from: &str, to: &str, rest: &str) -> String {
    format!("[[conduits]]\nname = \"{name}\"\nfrom = [\"{from}\"]\nto = [\"{to}\"]\n{rest}\n")
}

#[test]
fn the_most_specific_conduit_wins() {
    let compiled = compiled(
        &[
            ZONES.to_owned(),
            bare("exact", "hmi", "plc", "protocol = \"modbus\""),
            bare("from-hmi", "hmi", "any", "protocol = \"tcp\"\nports = [502, 80]"),
            bare("from-hmi-all-udp", "hmi", "any", "protocol = \"udp\""),
            bare("to-plc", "any", "plc", "protocol = \"tcp\"\nports = [80, 443, 502]"),
            bare("to-plc-udp", "any", "plc", "protocol = \"udp\"\nports = [53]"),
            bare("all", "any", "any", "protocol = \"tcp\""),
            bare("all-22", "any", "any", "protocol = \"tcp\"\nports = [22]"),
            bare("ping", "any", "plc", "protocol = \"icmp\""),
        ]
        .concat(),
    );
    let (hmi, plc, other) = ("10.0.0.1", "10.0.1.5", "172.16.0.1");
    let cases = [
        (hmi, plc, TCP, 502, "exact"),
        (hmi, plc, UDP, 502, "exact"),
        (hmi, plc, TCP, 80, "from-hmi"),
        (hmi, plc, TCP, 443, "to-plc"),
        (hmi, plc, TCP, 22, "all-22"),
        (hmi, plc, TCP, 0, "all"),
        (hmi, plc, TCP, 65535, "all"),
        // A level that claims every port leaves nothing to less specific levels.
        (hmi, plc, UDP, 53, "from-hmi-all-udp"),
        (hmi, other, TCP, 502, "from-hmi"),
        (hmi, other, TCP, 443, "all"),
        (other, plc, TCP, 502, "to-plc"),
        (other, plc, UDP, 53, "to-plc-udp"),
        (other, plc, UDP, 54, "-"),
        (other, other, TCP, 22, "all-22"),
        (other, other, TCP, 502, "all"),
        (other, other, UDP, 502, "-"),
        (plc, hmi, TCP, 502, "all"),
        (hmi, plc, ICMP, 0, "ping"),
        (plc, hmi, ICMP, 0, "-"),
        (hmi, plc, 132, 0, "-"),
    ];
    for (from, to, transport, port, name) in cases {
        assert_eq!(choose(&compiled, from, to, transport, port), name, "{from} -> {to} {transport}/{port}");
    }
}

const RULES: &str = r#"
[policy]
name = "p"
[zones]
hmi = ["10.0.0.1"]
plc = ["10.0.1.1"]
[[conduits]]
name = "other"
from = ["plc"]
to = ["hmi"]
protocol = "modbus"
mode = "learn"
on_deny = "drop"
[[conduits.rules]]
name = "any"
functions = ["@any"]
action = "allow"
[[conduits]]
name = "c"
from = ["hmi"]
to = ["plc"]
protocol = "modbus"
"#;

/// The image of RULES with these rules on conduit "c".
fn rules(text: &str) -> Compiled {
    compiled(&format!("{RULES}{text}"))
}

fn rule(name: &str, functions: &str, rest: &str, action: &str) -> String {
    format!("[[conduits.rules]]\nname = \"{name}\"\nfunctions = [{functions}]\n{rest}\naction = \"{action}\"\n")
}

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
    let compiled = rules(&rule("r", "\"@read\"", "objects = [\"holding:0-9\", \"holding:10-19\", \"holding:21-29\"]", "allow"));
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
    let text = rule("low", "3", "objects = [\"holding:0-9\"]", "allow") + &rule("high", "3", "objects = [\"holding:10-19\"]", "allow");
    let compiled = rules(&text);
    assert_eq!(verdict(&compiled, &[read(0, 9)]), (Reason::RuleAllow, "low"));
    assert_eq!(verdict(&compiled, &[read(9, 10)]), (Reason::ObjectNotAllowed, "-"));
    assert_eq!(verdict(&compiled, &[read(10, 10)]), (Reason::RuleAllow, "high"));
}

#[test]
fn log_beats_allow_and_the_first_of_equals_is_named() {
    let text = rule("a", "3", "", "allow") + &rule("b", "\"@read\"", "", "allow") + &rule("l", "3", "objects = [\"holding:5\"]", "log");
    let compiled = rules(&text);
    assert_eq!(verdict(&compiled, &[read(4, 4)]), (Reason::RuleAllow, "a"));
    assert_eq!(verdict(&compiled, &[read(5, 5)]), (Reason::RuleLog, "l"));
    assert_eq!(verdict(&compiled, &[read(4, 5)]), (Reason::RuleAllow, "a"));
    assert_eq!(verdict(&compiled, &[operation(1, Access::Read, 0, 0, 0)]), (Reason::RuleAllow, "b"));
}

#[test]
fn a_deny_rule_wins_by_touching() {
    let text = rule("all", "\"@any\"", "", "allow") + &rule("no", "\"@write\"", "objects = [\"holding:44\"]\nvalues = [\"100-200\"]", "deny");
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
    assert_eq!(compiled.image.conduits[id].values, 1);
}

#[test]
fn units_are_looked_at() {
    let compiled = rules(&(rule("one", "3", "units = [1, \"3-4\"]", "allow") + &rule("two", "3", "units = [2]\nobjects = [\"holding:0\"]", "log")));
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
    let both = rule("low", "23", "objects = [\"holding:0-9\"]", "allow") + &rule("high", "23", "objects = [\"holding:10-19\"]", "allow");
    let part = |first, last, access| operation(23, access, HOLDING, first, last);
    let crossing = [part(0, 3, Access::Read), part(10, 12, Access::Write)];
    assert_eq!(verdict(&rules(&both), &crossing), (Reason::ObjectNotAllowed, "-"));
    let wide = both + &rule("wide", "23", "objects = [\"holding:0-3\", \"holding:12-10\"]", "log").replace("12-10", "10-12");
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

#[test]
fn equal_runs_are_stored_once() {
    let one = rules(&rule("r", "3", "objects = [\"holding:0-9\"]", "allow"));
    let class = rules(&rule("r", "\"@read\"", "objects = [\"holding:0-9\"]", "allow"));
    assert_eq!(one.image.units, class.image.units);
    assert_eq!(one.image.segments, class.image.segments);
}

/// The sentence for a policy that does not fit.
fn refused(text: &str) -> String {
    let loaded = parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    compile(&loaded.valid, 1, 0).map(|_| String::new()).unwrap_or_else(|errors| errors.to_string())
}

#[test]
fn too_many_rules_on_one_object_are_refused() {
    let mut text = RULES.to_owned();
    for index in 0..17 {
        text += &rule(&format!("r{index}"), "3", &format!("units = [\"0-{index}\"]"), "allow");
    }
    assert_eq!(
        refused(&text),
        "policy.toml:18: conduit \"c\", function read_holding_registers: 17 rules, each value range counted, cover the same \
         objects; at most 16 fit"
    );
}

#[test]
fn too_many_denied_ranges_are_refused() {
    let ranges: Vec<String> = (0..33).map(|index| format!("\"holding:{}\"", index * 2)).collect();
    let text = rule("r", "6", &format!("objects = [{}]", ranges.join(", ")), "deny");
    assert_eq!(
        refused(&format!("{RULES}{text}")),
        "policy.toml:18: conduit \"c\", function write_single_register: 33 ranges are denied, each pair of an object and a \
         value range counted; at most 32 fit"
    );
}

#[test]
fn too_many_conduits_and_rules_are_refused() {
    let mut text = "[policy]\nname = \"p\"\n[zones]\nplc = [\"10.0.1.1\"]\n".to_owned();
    for index in 1..=1024 {
        write!(text, "[[conduits]]\nname = \"{index}\"\nfrom = [\"any\"]\nto = [\"plc\"]\nprotocol = \"tcp\"\nports = [{index}]\n").unwrap();
    }
    assert_eq!(
        refused(&text),
        "policy.toml:6143: the policy is too large: it needs more than the 1023 conduits that there is room for"
    );
    let mut text = RULES.to_owned();
    for index in 0..8192 {
        text += &rule(&index.to_string(), &(index % 256).to_string(), &format!("units = [{}]", index / 256), "allow");
    }
    let sentence = refused(&text);
    assert!(sentence.ends_with("the policy is too large: it needs more than the 8192 rules that there is room for"), "{sentence}");
}
