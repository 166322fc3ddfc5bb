//! Random policies as text, and random requests. Small numbers, so that ranges meet often.

use std::net::{IpAddr, Ipv4Addr};

use enforcer::policy::parse;
use enforcer_common::operation::{Access, Operation};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

const FUNCTIONS: &[&str] = &[
    "@any",
    "@read",
    "@write",
    "@control",
    "@diagnose",
    "@discover",
    "3",
    "6",
    "0x10",
    "23",
    "65",
    "diagnostics",
    "force_listen_only_mode",
    "return_query_data",
    "read_device_identification",
    "8",
];
const SPACES: &[&str] = &["coil", "holding", "diagnostic", "mei", "file1"];
const ZONES: &[&str] = &["any", "a", "b", "c"];
/// Zones a and b interleave, so that the table of ranges is not simply one range per zone.
const HEAD: &str = "[policy]\nname = \"p\"\n[zones]\na = [\"10.0.0.0-10.0.0.1\", \"10.0.0.6\"]\nb = [\"10.0.0.3-10.0.0.4\"]\n\
                    c = [\"10.0.0.8/30\"]\n";

/// The keys of a conduit without its name, and its rules without theirs.
pub(crate) type ConduitText = (String, Vec<String>);

fn list(words: Vec<String>) -> String {
    format!("[{}]", words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))
}

/// A range that begins below `end`, often touching or overlapping the next one.
fn range(end: u32) -> impl Strategy<Value = String> {
    (0..end, 0..end / 2).prop_map(|(first, length)| format!("{first}-{}", first + length))
}

fn optional(key: &'static str, words: impl Strategy<Value = Vec<String>>) -> impl Strategy<Value = String> {
    proptest::option::of(words)
        .prop_map(move |words| words.map_or(String::new(), |words| format!("{key} = {}\n", list(words))))
}

fn rule() -> impl Strategy<Value = String> {
    // Sub-functions 3 to 5 lie around the one that has a name, so that a rule's own objects and its function's touch.
    let near = (Just("diagnostic"), (3..6u32).prop_map(|number| number.to_string()));
    let objects = prop_oneof![3 => (select(SPACES), range(12)), 1 => near];
    let objects = objects.prop_map(|(space, range)| format!("{space}:{range}"));
    (
        subsequence(FUNCTIONS, 1..4),
        optional("units", prop::collection::vec(range(4), 1..3)),
        optional("objects", prop::collection::vec(objects, 1..4)),
        optional("values", prop::collection::vec(range(12), 1..3)),
        prop_oneof![3 => Just("allow"), 2 => Just("log"), 1 => Just("deny")],
    )
        .prop_map(|(functions, units, objects, values, action)| {
            let functions = list(functions.into_iter().map(str::to_owned).collect());
            format!("functions = {functions}\n{units}{objects}{values}action = \"{action}\"\n")
        })
}

fn conduit() -> impl Strategy<Value = ConduitText> {
    let zones = || subsequence(ZONES, 1..3).prop_map(|zones| list(zones.into_iter().map(str::to_owned).collect()));
    let ports = subsequence(vec![80u16, 502, 503], 1..3).prop_map(|ports| format!("ports = {ports:?}\n"));
    let protocol = prop_oneof![4 => Just("modbus"), 1 => Just("tcp"), 1 => Just("udp")];
    (zones(), zones(), protocol, proptest::option::of(ports), prop::collection::vec(rule(), 0..6)).prop_map(
        |(from, to, protocol, ports, rules)| {
            let ports = ports.unwrap_or_default();
            let rules = if protocol == "modbus" { rules } else { Vec::new() };
            (format!("from = {from}\nto = {to}\nprotocol = \"{protocol}\"\n{ports}"), rules)
        },
    )
}

/// The policy, with the rules of each conduit in order or in reverse. A rule keeps its name either way.
pub(crate) fn text(conduits: &[ConduitText], reversed: bool) -> String {
    let mut text = HEAD.to_owned();
    for (index, (keys, rules)) in conduits.iter().enumerate() {
        text += &format!("[[conduits]]\nname = \"{index}\"\n{keys}");
        let mut numbered: Vec<(usize, &String)> = rules.iter().enumerate().collect();
        if reversed {
            numbered.reverse();
        }
        for (number, rule) in numbered {
            text += &format!("[[conduits.rules]]\nname = \"{number}\"\n{rule}");
        }
    }
    text
}

/// Conduits of which no two claim the same: one that conflicts with those before it is left out.
pub(crate) fn policies() -> impl Strategy<Value = Vec<ConduitText>> {
    prop::collection::vec(conduit(), 1..5).prop_map(|all| {
        let mut kept: Vec<ConduitText> = Vec::new();
        for conduit in all {
            kept.push(conduit);
            if let Err(errors) = parse("p", &text(&kept, false)) {
                assert!(errors.problems().iter().all(|problem| problem.cause.contains(" claims ")), "{errors}");
                kept.pop();
            }
        }
        kept
    })
}

/// One request: who asks whom, and its object ranges.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) transport: u8,
    pub(crate) port: u16,
    pub(crate) parts: Vec<Operation>,
}

/// Class, objects as (space, first, last), values as (smallest, largest).
type Part = (Access, Option<(u32, u32, u32)>, Option<(i64, i64)>);

fn part() -> impl Strategy<Value = Part> {
    let access = select(vec![Access::Unknown, Access::Read, Access::Write, Access::Control, Access::Diagnose]);
    let space = select(vec![0u32, 3, 5, 6, 0x1_0001, 0x1_0002]);
    let objects = (space, 0..18u32, 0..4u32).prop_map(|(space, first, more)| (space, first, first + more));
    let values = (-1..18i64, 0..4i64).prop_map(|(min, more)| (min, min + more));
    (access, proptest::option::weighted(0.9, objects), proptest::option::of(values))
}

pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let address = || (0..13u8).prop_map(|last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
    let function = select(vec![1u32, 3, 5, 6, 7, 8, 8, 16, 17, 23, 43, 65, 66]);
    let port = select(vec![80u16, 81, 502, 502, 502, 503]);
    let parts = prop::collection::vec(part(), 1..4);
    (address(), address(), select(vec![TCP, TCP, UDP]), port, function, 0..6u32, parts).prop_map(
        |(from, to, transport, port, function, unit, parts)| {
            let parts = parts.into_iter().map(|(access, objects, value)| {
                let mut part = Operation { function, unit, access: access as u8, ..Operation::EMPTY };
                if let Some((space, first, last)) = objects {
                    // Functions 8 and 43 mostly come with their own kind of object.
                    let space = match (function, space) {
                        (8, 0 | 3) => 5,
                        (43, 0 | 3) => 6,
                        _ => space,
                    };
                    (part.space, part.first, part.last) = (space, first, last);
                }
                if let Some((min, max)) = value {
                    (part.value_min, part.value_max) = (min, max);
                    part.flags |= Operation::HAS_VALUE;
                }
                part
            });
            Request { from, to, transport, port, parts: parts.collect() }
        },
    )
}
