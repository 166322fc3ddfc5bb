//! Nodes as objects: of Read, Write, Call and CreateMonitoredItems, in every form of identifier.

use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::protocol::opcua::functions::space;
use enforcer_common::protocol::tables::text_number;
use enforcer_common::verdict::Reason;

use super::{PLAIN, ask, denied, fault, objects, on, plain};
use crate::support::opcua::*;
use crate::support::policy::{Effect, rule};

fn string_of(namespace: u32, identifier: &str) -> (u32, u32) {
    (space::STRING + namespace, text_number(identifier.as_bytes()))
}

#[test]
fn nodes_are_objects_in_every_form() {
    let long = "Channel1.Device1.Group17.Machine.Axis3.Actual.Position.Filtered";
    let guid: Vec<u8> = (1..=16).collect();
    let nodes = [
        numeric(0, 85),
        numeric(0, 2258),
        long_form(),
        text(2, "V"),
        text(3, "\"DB1\".\"x\""),
        text(4, long),
        text(5, ""),
        named(4, 6, &guid),
        named(5, 7, &[1, 2, 3]),
    ];
    let records = plain(&read(&nodes));
    assert_eq!(
        objects(&records),
        [
            (0, 85),
            (0, 2258),
            (0x102, 0x8000_0001),
            string_of(2, "V"),
            string_of(3, "\"DB1\".\"x\""),
            string_of(4, long),
            string_of(5, ""),
            (space::GUID + 6, text_number(&guid)),
            (space::OPAQUE + 7, text_number(&[1, 2, 3])),
        ]
    );
    assert!(records.iter().all(|one| one.fault == 0 && one.function == 631 && one.access == Access::Read as u8));
    assert!(records.iter().skip(1).all(|one| one.has(Operation::CONTINUES)));
}

fn long_form() -> Vec<u8> {
    long(0x102, 0x8000_0001)
}

#[test]
fn one_node_is_the_same_in_every_encoding() {
    for node in [vec![0, 85], vec![1, 0, 85, 0], long(0, 85)] {
        assert_eq!(objects(&plain(&read(&[node]))), [(0, 85)]);
    }
    for wrong in [vec![6, 85], vec![0x40, 85], vec![0x83, 0, 0, 0, 0, 0, 0]] {
        assert!(fault(on(PLAIN), &read(&[wrong])).is_some());
    }
}

#[test]
fn every_identifier_up_to_its_longest_has_a_number_of_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for size in 0..=128 {
        let identifier: String = ('!'..='~').cycle().take(size).collect();
        let records = plain(&write(&[writing(&text(2, &identifier), 13, &value(&[1, 1]))]));
        assert_eq!((objects(&records), records[0].fault), (vec![string_of(2, &identifier)], 0), "{size}");
        assert!(seen.insert(records[0].first));
    }
    let longer = text(2, &"x".repeat(129));
    assert_eq!(fault(on(PLAIN), &write(&[writing(&longer, 13, &value(&[1, 1]))])), Some(Reason::BeyondInspection));
    assert_eq!(objects(&plain(&read(&[longer]))), [(space::UNLISTED, 0)]);
}

#[test]
fn what_reads_more_than_is_walked_has_an_object_more() {
    let nodes = |count: u32| (0..count).map(|number| numeric(2, 1000 + number)).collect::<Vec<_>>();
    let records = plain(&read(&nodes(32)));
    assert_eq!((records.len(), records[31].first), (32, 1031));
    for count in [33, 40, 100, 1000] {
        let records = plain(&read(&nodes(count)));
        assert_eq!((objects(&records), records[0].fault), (vec![(space::UNLISTED, 0)], 0), "{count}");
    }
    // A rule that names nodes does not cover it, one without does.
    let some = rule(Effect::Allow, &[631]).objects(&[(2, 0, 5000)]);
    denied(&ask(std::slice::from_ref(&some), &read(&nodes(33))), Reason::ObjectNotAllowed);
    assert_eq!(ask(&[some], &read(&nodes(32))).reason, Reason::RuleAllow);
    assert_eq!(ask(&[rule(Effect::Allow, &[631])], &read(&nodes(33))).reason, Reason::RuleAllow);
    let names: Vec<Vec<u8>> = (0..32).map(|number| text(2, &format!("{number:0>120}"))).collect();
    let records = plain(&read(&names));
    assert_eq!(records.last().map(|one| (one.space, one.fault)), Some((space::UNLISTED, 0)), "steps run out");
    let values: Vec<Vec<u8>> = nodes(33).iter().map(|node| writing(node, 13, &value(&[1, 1]))).collect();
    assert_eq!(fault(on(PLAIN), &write(&values)), Some(Reason::BeyondInspection));
    assert_eq!(fault(on(PLAIN), &write(&values[..32])), None);
    let values: Vec<Vec<u8>> = names.iter().map(|node| writing(node, 13, &value(&[1, 1]))).collect();
    assert_eq!(fault(on(PLAIN), &write(&values)), Some(Reason::BeyondInspection));
}

#[test]
fn what_changes_a_node_is_bound_to_the_nodes_of_a_rule() {
    let rules = [rule(Effect::Allow, &[673])
        .objects(&[(2, 1000, 1010), (space::STRING + 2, text_number(b"V"), text_number(b"V"))])];
    let writes =
        |nodes: &[Vec<u8>]| write(&nodes.iter().map(|node| writing(node, 13, &value(&[1, 1]))).collect::<Vec<_>>());
    assert_eq!(ask(&rules, &writes(&[numeric(2, 1000), text(2, "V")])).reason, Reason::RuleAllow);
    for other in [numeric(2, 1011), numeric(3, 1000), text(2, "v"), text(3, "V"), named(5, 2, b"V")] {
        denied(&ask(&rules, &writes(&[numeric(2, 1000), other])), Reason::ObjectNotAllowed);
    }
}

#[test]
fn an_attribute_that_is_not_the_value_is_another_function() {
    let records = plain(&write(&[writing(&text(2, "V"), 17, &value(&[3, 255]))]));
    assert_eq!((records[0].function, records[0].access), (0x1_0000 | 673, Access::Program as u8));
    let both = [writing(&text(2, "V"), 13, &value(&[1, 1])), writing(&text(2, "V"), 17, &value(&[3, 255]))];
    assert_eq!(plain(&write(&both)).iter().map(|one| one.function).collect::<Vec<_>>(), [673, 0x1_0000 | 673]);
    denied(&ask(&[rule(Effect::Allow, &[673])], &write(&both)), Reason::FunctionNotAllowed);
}

#[test]
fn a_call_is_of_its_object_and_its_method() {
    let one = calling(&text(2, "Pump1"), &numeric(2, 7001), &[vec![6, 1, 0, 0, 0], vec![12, 1, 0, 0, 0, b'x']]);
    let other = calling(&numeric(0, 2253), &numeric(0, 11492), &[]);
    let records = plain(&call(&[one.clone(), other.clone()]));
    assert_eq!(objects(&records), [string_of(2, "Pump1"), (2, 7001), (0, 2253), (0, 11492)]);
    assert!(records.iter().all(|one| (one.function, one.fault, one.access) == (712, 0, Access::Control as u8)));
    let name = text_number(b"Pump1");
    let rules = [rule(Effect::Allow, &[712]).objects(&[(space::STRING + 2, name, name), (2, 7001, 7001)])];
    assert_eq!(ask(&rules, &call(std::slice::from_ref(&one))).reason, Reason::RuleAllow);
    denied(&ask(&rules, &call(&[one, other])), Reason::ObjectNotAllowed);
    let many = vec![calling(&numeric(2, 1), &numeric(2, 2), &[]); 20];
    assert_eq!(fault(on(PLAIN), &call(&many)), Some(Reason::BeyondInspection));
    assert_eq!(fault(on(PLAIN), &call(&many[..16])), None);
}

#[test]
fn what_is_monitored_is_listed_as_what_is_read() {
    let filter = [numeric(0, 724), vec![1], string(Some("filter of a kind"))].concat();
    let items = [monitoring(&text(2, "V"), &[0, 0, 0]), monitoring(&numeric(0, 2258), &filter)];
    let records = plain(&monitor(&items));
    assert_eq!(objects(&records), [string_of(2, "V"), (0, 2258)]);
    assert!(records.iter().all(|one| (one.function, one.fault) == (751, 0)));
    let many = vec![monitoring(&numeric(2, 1), &[0, 0, 0]); 33];
    assert_eq!(objects(&plain(&monitor(&many))), [(space::UNLISTED, 0)]);
}

#[test]
fn lists_end_where_the_message_does() {
    let messages = [
        read(&[text(2, "V")]),
        write(&[writing(&text(2, "V"), 13, &value(&[1, 1]))]),
        call(&[calling(&text(2, "V"), &numeric(2, 1), &[vec![1, 1]])]),
        monitor(&[monitoring(&text(2, "V"), &[0, 0, 0])]),
    ];
    for bytes in messages {
        assert_eq!(fault(on(PLAIN), &bytes), None);
        for more in [1, 20, 32] {
            let mut longer = bytes.clone();
            longer.extend(vec![0; more]);
            longer[4] += more as u8;
            assert_eq!(fault(on(PLAIN), &longer), Some(Reason::LengthMismatch), "{more}");
        }
        for less in 1..20 {
            let mut shorter = bytes[..bytes.len() - less].to_vec();
            shorter[4] -= less as u8;
            assert!(fault(on(PLAIN), &shorter).is_some(), "{less}");
        }
    }
}

#[test]
fn an_empty_list_asks_for_nothing() {
    for bytes in [read(&[]), write(&[]), call(&[]), monitor(&[])] {
        let records = plain(&bytes);
        assert_eq!((records.len(), records[0].space, records[0].fault), (1, NO_OBJECT, 0));
    }
}
