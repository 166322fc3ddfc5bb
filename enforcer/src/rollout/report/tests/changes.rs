//! Every kind of change: what it says, and that it allows its group and nothing else of the report.

use enforcer_common::network::protocol as ip;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Reason, Verdict};

use super::super::heap;
use super::super::model::Group;
use super::{Box, COIL, DIAGNOSTIC, Evidence, Seen, frame, plain};
use crate::policy::{compile, parse};

/// The one group of this evidence.
fn only(policy: &Box, evidence: Evidence) -> Group {
    let mut groups = policy.groups(vec![evidence]);
    assert_eq!(groups.len(), 1, "{groups:#?}");
    groups.remove(0)
}

/// Kinds of the changes, all of which must be proven.
fn kinds(group: &Group) -> Vec<&'static str> {
    assert!(group.changes.iter().all(|change| change.proven), "{group:#?}");
    group.changes.iter().map(|change| change.kind).collect()
}

#[test]
fn near_ranges_are_one_group_and_far_ones_are_not() {
    let policy = Box::example("setpoint.toml");
    let wrote = |first, last| Seen::write(Reason::ObjectNotAllowed).holding(first, last).evidence();
    let groups = policy.groups(vec![wrote(48, 48), wrote(49, 49), wrote(60, 61), wrote(190, 190), wrote(48, 49)]);
    let said: Vec<_> = groups.iter().map(|group| (group.objects.join(" "), group.ranges, group.count)).collect();
    assert_eq!(said, [("holding:48-49 holding:60-61".into(), 4, 12), ("holding:190".into(), 1, 3)]);
}

#[test]
fn an_object_beside_a_rule_widens_it() {
    let policy = Box::example("setpoint.toml");
    let group = only(&policy, Seen::write(Reason::ObjectNotAllowed).holding(48, 48).evidence());
    assert_eq!(
        group.why,
        "rule \"setpoint\" (line 37) allows write_single_register on holding:40-47; this is holding:48"
    );
    assert_eq!(group.closest.as_ref().unwrap().rule, "setpoint");
    assert_eq!(kinds(&group), ["widen_objects", "new_rule"]);
    let widened = &group.changes[0];
    assert_eq!(widened.pieces[0].toml, "objects = [\"holding:40-47\", \"holding:48\"]");
    assert_eq!(
        widened.pieces[0].place,
        "in conduit \"hmi-press\", rule \"setpoint\" (line 37), in place of its objects"
    );
    assert!(widened.text.contains("It then holds for every function of the rule"), "{}", widened.text);
    let rule = &group.changes[1].pieces[0].toml;
    assert!(rule.contains("functions = [\"write_single_register\"]") && rule.contains("units     = [\"1\"]"), "{rule}");
    assert!(rule.contains("objects   = [\"holding:48\"]") && rule.contains("values    = [\"7\"]"), "{rule}");
    assert!(rule.contains("action    = \"log\""), "{rule}");
}

#[test]
fn values_and_units_widen_too() {
    let policy = Box::example("setpoint.toml");
    let group = only(&policy, Seen { values: Some((900, 1200)), ..Seen::write(Reason::ValueNotAllowed) }.evidence());
    assert!(group.why.ends_with("with values 0-1000; this wrote 900 to 1200"), "{}", group.why);
    assert_eq!(kinds(&group), ["widen_values", "new_rule"]);
    assert_eq!(group.changes[0].pieces[0].toml, "values = [\"0-1000\", \"900-1200\"]");
    let read = Seen { code: 3, unit: 2, values: None, ..Seen::write(Reason::UnitNotAllowed).holding(0, 9) };
    let group = only(&policy, read.evidence());
    assert!(group.why.ends_with("on unit 1; this is unit 2"), "{}", group.why);
    assert_eq!(kinds(&group), ["widen_units", "new_rule"]);
    assert!(group.changes[1].pieces[0].toml.contains("action    = \"allow\""));
}

#[test]
fn a_change_says_what_else_of_the_report_it_allows() {
    let policy = Box::example("setpoint.toml");
    let read = |code, first, last| Seen {
        code,
        unit: 2,
        values: None,
        ..Seen::write(Reason::UnitNotAllowed).holding(first, last)
    };
    let groups = policy.groups(vec![read(3, 0, 9).evidence(), read(3, 100, 120).evidence()]);
    assert_eq!(groups[0].changes[0].also_allows, [2]);
    assert_eq!(groups[0].changes[1].also_allows, [0_u32; 0]);
}

#[test]
fn a_dangerous_function_gets_a_warning_and_no_wider_rule() {
    let policy = Box::example("setpoint.toml");
    let stop =
        Seen { code: 8, objects: Some((DIAGNOSTIC, 4, 4)), values: None, ..Seen::write(Reason::FunctionNotAllowed) };
    let group = only(&policy, stop.evidence());
    assert!(group.function.as_ref().unwrap().dangerous);
    assert!(
        group.warnings[0].starts_with("force_listen_only_mode can stop, change or take over"),
        "{:?}",
        group.warnings
    );
    assert_eq!(group.why, "no rule of conduit \"hmi-press\" names force_listen_only_mode");
    assert_eq!(kinds(&group), ["new_rule"]);
    let toml = &group.changes[0].pieces[0].toml;
    assert!(toml.contains("functions = [\"force_listen_only_mode\"]") && !toml.contains("objects"), "{toml}");
}

#[test]
fn a_deny_rule_is_named_and_narrowed_only_where_something_is_left_of_it() {
    let example = Box::example("setpoint.toml");
    let group = only(&example, Seen::write(Reason::RuleDeny).holding(44, 44).evidence());
    assert_eq!(group.why, "rule \"interlock\" (line 46) forbids it, whatever other rules say");
    assert!(kinds(&group).is_empty());
    assert_eq!(group.warnings, ["Rule \"interlock\" forbids this in so many words: no text is proposed against it."]);
    let wider = Box::of(&example.loaded.text.replace("[\"holding:44\"]", "[\"holding:43-45\"]"));
    let group = only(&wider, Seen::write(Reason::RuleDeny).holding(44, 44).evidence());
    assert_eq!(kinds(&group), ["narrow_deny"]);
    assert_eq!(group.changes[0].pieces[0].toml, "objects = [\"holding:43\", \"holding:45\"]");
}

#[test]
fn a_rate_is_raised_but_not_proven() {
    let policy = Box::example("setpoint.toml");
    let group = only(&policy, Seen::write(Reason::RateExceeded).evidence());
    assert_eq!(group.why, "rule \"setpoint\" (line 37) allows it at most 5/s; it came more often");
    assert_eq!((group.changes[0].kind, group.changes[0].proven), ("raise_rate", false));
    assert_eq!(group.changes[0].pieces[0].toml, "rate = \"10/s\"");
}

#[test]
fn a_pair_without_conduit_gets_one_and_its_zone() {
    let policy = Box::example("setpoint.toml");
    let read = Seen { code: 3, from: "10.10.1.66", values: None, ..Seen::write(Reason::UncoveredDeny).holding(0, 99) };
    let groups = policy.groups(vec![
        read.evidence(),
        plain("10.10.1.66", "10.10.2.5", ip::TCP, 502, 80),
        plain("10.10.2.5", "10.10.1.66", ip::TCP, 40_001, 70),
    ]);
    assert_eq!(groups.len(), 1, "{groups:#?}");
    let group = &groups[0];
    assert_eq!(group.without_operation, 150);
    assert_eq!(
        group.why,
        "no conduit covers modbus (tcp port 502) from 10.10.1.66 (in no named zone) to 10.10.2.5 (zone press)"
    );
    assert_eq!(kinds(group), ["new_zone_and_conduit"]);
    let pieces = &group.changes[0].pieces;
    assert_eq!(
        (pieces[0].place.as_str(), pieces[0].toml.as_str()),
        ("in [zones]", "station-10-10-1-66 = [\"10.10.1.66\"]\n")
    );
    assert!(
        pieces[1].toml.contains("to       = [\"press\"]") && !pieces[1].toml.contains("ports"),
        "{}",
        pieces[1].toml
    );
    // Both ends are named already.
    let policy = Box::example("plant-floor.toml");
    let read = Seen { code: 3, to: "10.10.2.11", values: None, ..Seen::write(Reason::UncoveredDeny).holding(0, 99) };
    let group = only(&policy, read.evidence());
    assert_eq!(kinds(&group), ["new_conduit"]);
    assert!(group.changes[0].text.contains("It holds for all of zone \"hmi\" and all of zone \"s7\"."));
}

#[test]
fn what_is_not_inspected_gets_a_conduit_as_a_whole() {
    let policy = Box::example("setpoint.toml");
    for (transport, port, line) in [
        (ip::TCP, 443, "protocol = \"tcp\"\nports    = [443]\n"),
        (ip::UDP, 161, "protocol = \"udp\"\nports    = [161]\n"),
        (ip::ICMP, 0, "protocol = \"icmp\"\n"),
        (47, 0, "protocol = \"ip\"\nports    = [47]\n"),
        (ip::TCP, 502, "protocol = \"modbus\"\nmode     = \"learn\"\n"),
    ] {
        let group = only(&policy, plain("10.10.1.99", "10.10.2.5", transport, port, 6));
        assert_eq!(kinds(&group), ["new_zone_and_conduit"], "{transport} {port}");
        let toml = &group.changes[0].pieces[1].toml;
        assert!(toml.ends_with(line), "{toml}");
    }
}

#[test]
fn frames_that_are_not_ip_get_an_entry_or_another_action() {
    let policy = Box::example("setpoint.toml");
    let group = only(&policy, frame(0x88b8, Reason::UncoveredDeny));
    assert_eq!(kinds(&group), ["new_ethernet"]);
    assert_eq!(group.changes[0].pieces[0].toml, "[[ethernet]]\ntypes  = [\"goose\"]\naction = \"allow\"\n");
    let denied = Box::of(&format!("{}\n[[ethernet]]\ntypes = [\"goose\"]\naction = \"deny\"\n", policy.loaded.text));
    let group = only(&denied, frame(0x88b8, Reason::EthernetDeny));
    assert_eq!(kinds(&group), ["ethernet_action"]);
}

#[test]
fn other_protocols_are_named_in_their_words() {
    let policy = Box::example("plant-floor.toml");
    let row =
        |protocol: Protocol, name: &str| protocol.tables().functions.iter().find(|row| row.name == name).unwrap().code;
    let space = |protocol, word: &str| {
        crate::policy::parse("p", &format!(
        "[policy]\nname = \"p\"\n[[conduits]]\nname = \"c\"\nfrom = [\"any\"]\nto = [\"any\"]\nprotocol = \"{protocol}\"\n\
         [[conduits.rules]]\nname = \"r\"\nfunctions = [\"@any\"]\nobjects = [\"{word}\"]\naction = \"allow\"\n"
    )).unwrap().valid.conduits[0].rules[0].objects.clone().unwrap()[0]
    };
    let place = space("s7comm", "DB10:48-49");
    let s7 = Seen {
        protocol: Protocol::S7comm,
        to: "10.10.2.11",
        code: row(Protocol::S7comm, "write_var"),
        unit: 0,
        objects: Some((place.space, place.first, place.last)),
        values: None,
        ..Seen::write(Reason::ObjectNotAllowed)
    };
    let group = only(&policy, s7.evidence());
    assert_eq!(group.title, "write_var, DB10:48-49");
    assert_eq!(kinds(&group), ["widen_objects", "new_rule"]);
    assert_eq!(group.changes[0].pieces[0].toml, "objects = [\"DB10:40-47\", \"DB10:48-49\"]");
    let place = space("iec104", "type 46:1001");
    let rtu = Seen {
        protocol: Protocol::Iec104,
        from: "10.10.1.40",
        to: "10.10.2.12",
        code: row(Protocol::Iec104, "c_dc_na_1"),
        objects: Some((place.space, place.first, place.last)),
        values: None,
        ..Seen::write(Reason::ObjectNotAllowed)
    };
    assert_eq!(only(&policy, rtu.evidence()).title, "c_dc_na_1, unit 1, type 46:1001");
}

/// What is pasted is what was proven: put in by hand, the policy allows the group.
#[test]
fn pasted_by_hand_it_works() {
    let policy = Box::example("setpoint.toml");
    let evidence =
        Seen { code: 5, objects: Some((COIL, 3, 3)), values: None, ..Seen::write(Reason::FunctionNotAllowed) }
            .evidence();
    let group = only(&policy, evidence.clone());
    let text = format!("{}\n{}", policy.loaded.text, group.changes[0].pieces[0].toml);
    let image = compile(&parse("p", &text).unwrap().valid, 1, 0).unwrap().image;
    let heaps = heap::heaps(&image, &[evidence]);
    assert_ne!(heaps[0].judge(&image).verdict(), Verdict::Deny);
}
