//! Whether a frame's cost grows with what the box holds: rules, conduits, conversations, a candidate beside the policy,
//! events. Each line of a table is measured in turns with the others, in the same rounds.

use std::fmt::Write as _;

use enforcer::dataplane::maps::Sizes;
use enforcer_common::abi::{FlowKeyV4, place, slot};
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use super::classes::request;
use super::stand::{Stand, plain_key};
use super::{establish, nanos, spread};

const ROUNDS: usize = 9;

/// How the questions of a line are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The whole request is known.
    Known,
    /// Read, and what the rules say remembered.
    Remembered,
    /// A write of a value, remembered with the bounds of its rule.
    Bounded,
    /// The same beside the values of a deny rule.
    Beside,
    /// A write whose rule has a rate: searched for each time by the active policy.
    Rated,
    /// Of a write of a value an event is written each time.
    Logged,
}

impl Found {
    /// True for reads; the others are writes of a value.
    fn is_read(self) -> bool {
        matches!(self, Self::Known | Self::Remembered)
    }
}

/// What a line's box holds.
struct Holds {
    rules: u32,
    conduits: u32,
    flows: u32,
    candidate: bool,
    /// One frame in so many is timed; 0: none.
    measured: u32,
    found: Found,
}

const ONE: Holds = Holds { rules: 1, conduits: 1, flows: 1, candidate: false, measured: 0, found: Found::Remembered };

/// All tables of growth.
pub(crate) fn measure() {
    let remembered = |rules| Holds { rules, ..ONE };
    let bounded = |rules| Holds { rules, found: Found::Bounded, ..ONE };
    let rated = |rules| Holds { rules, found: Found::Rated, ..ONE };
    let known = |rules, flows| Holds { rules, flows, found: Found::Known, ..ONE };
    table("rules, request known", [1, 10, 100, 1000, 5000].map(|rules| (rules, known(rules, 1))));
    table("conversations, request known", [10, 1000, 10_000, 50_000].map(|flows| (flows, known(1, flows))));
    table("rules, finding remembered", [1, 10, 100, 1000, 5000].map(|rules| (rules, remembered(rules))));
    table("rules, write within bounds", [1, 10, 100, 1000, 5000].map(|rules| (rules, bounded(rules))));
    table("rules, under a rate", [1, 10, 100, 1000, 5000].map(|rules| (rules, rated(rules))));
    table("conduits", [1, 10, 100, 1000].map(|conduits| (conduits, Holds { conduits, ..ONE })));
    table("conversations", [10, 1000, 10_000, 50_000].map(|flows| (flows, Holds { flows, ..ONE })));
    table("candidate, finding remembered", [false, true].map(|on| (u32::from(on), Holds { candidate: on, ..ONE })));
    for (title, found) in [
        ("candidate, write within bounds", Found::Bounded),
        ("candidate, beside a deny rule", Found::Beside),
        ("candidate, under a rate", Found::Rated),
    ] {
        let holds = |candidate| Holds { candidate, rules: 100, found, ..ONE };
        table(title, [false, true].map(|on| (u32::from(on), holds(on))));
    }
    table("one frame in so many timed", [0, 1024, 16, 1].map(|measured| (measured, Holds { measured, ..ONE })));
    table(
        "event for each request",
        [Found::Bounded, Found::Logged].map(|found| (u32::from(found == Found::Logged), Holds { found, ..ONE })),
    );
}

/// One table: how many there are, what a request costs, and how that compares to the first line.
fn table<const N: usize>(title: &str, lines: [(u32, Holds); N]) {
    let counts = lines.each_ref().map(|(count, _)| *count);
    let mut stands = lines.map(|(_, holds)| (stand(&holds), holds));
    let mut rounds: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=ROUNDS {
        for ((stand, holds), costs) in stands.iter_mut().zip(&mut rounds) {
            let cost = cost(stand, holds);
            if round != 0 {
                costs.push(cost);
            }
        }
    }
    println!("\n{title:<30} {:>8} {:>8} {:>8} {:>8}", "median", "min", "p90", "x first");
    let first = spread(&mut rounds[0])[0];
    for (count, costs) in counts.into_iter().zip(&mut rounds) {
        let [median, least, most] = spread(costs);
        println!("{count:>30} {median:>8.1} {least:>8.1} {most:>8.1} {:>8.2}", median / first);
    }
}

/// Nanoseconds of one request, without what the test run and `rewind` cost.
fn cost(stand: &mut Stand, holds: &Holds) -> f64 {
    let function = if holds.found.is_read() { 3 } else { 6 };
    let frame = request(502, &[0, 7, 0, 0, 0, 6, 1, function, 0, 100, 0, 10]);
    stand.put("empty", slot::BENCH);
    let around = nanos(stand, "rewind", &frame);
    stand.put(super::ROOTS[Side::Network as usize], slot::BENCH);
    stand.events();
    let whole = nanos(stand, "rewind", &frame);
    let found = Reason::from_code(stand.scratch().outcome);
    let expected = if holds.found == Found::Logged { Reason::RuleLog } else { Reason::RuleAllow };
    assert_eq!(found, Some(expected), "the path that is to be measured");
    whole - around
}

fn stand(holds: &Holds) -> Stand {
    let sizes = Sizes { flows: holds.flows.max(64) + 64, ..Sizes::default() };
    let mut stand = Stand::sized(sizes);
    let image = |generation, bank| {
        enforcer::policy::parse("growth.toml", &policy(holds))
            .and_then(|loaded| enforcer::policy::compile(&loaded.valid, generation, bank))
            .unwrap_or_else(|errors| panic!("{errors}"))
    };
    stand.publish(&image(1, 0).image);
    stand.mode(Mode::Enforce);
    stand.object.program("rewind").expect("the program").load().unwrap_or_else(|error| panic!("{error}"));
    establish(&mut stand, 502, 0);
    stand.put(if holds.found == Found::Known { "keep" } else { "empty" }, slot::KEEP);
    for number in 1..holds.flows {
        // Other conversations of other stations with the same device.
        let [_, a, b, c] = number.to_be_bytes();
        let key = FlowKeyV4 { network: [11, a, b, c], device: [10, 10, 2, 5], network_port: 40_000, device_port: 502 };
        stand.object.maps.flows_v4.insert(plain_key(key), number, 0).expect("a conversation");
    }
    let mut settings = stand.settings;
    if holds.candidate {
        stand.put_image(place::CANDIDATE, &image(2, 1).image);
        settings.candidate = 2;
    }
    settings.measured = holds.measured;
    stand.set(settings);
    stand
}

/// The policy: the request falls under its last rule, in its last conduit.
fn policy(holds: &Holds) -> String {
    let mut text = "[policy]\nname = \"growth\"\nrevision = 1\ndefault = \"deny\"\n\n[zones]\nhmi = [\"10.10.1.20\"]\n\
                    press = [\"10.10.2.5\"]\n"
        .to_owned();
    for zone in 1..holds.conduits {
        let _ = writeln!(text, "z{zone} = [\"10.{}.{}.1\"]", 20 + zone / 200, zone % 200);
    }
    for zone in 1..holds.conduits {
        let _ = write!(
            text,
            "\n[[conduits]]\nname = \"c{zone}\"\nfrom = [\"z{zone}\"]\nto = [\"press\"]\nprotocol = \"modbus\"\n\
             [[conduits.rules]]\nname = \"poll\"\nfunctions = [\"read_holding_registers\"]\naction = \"allow\"\n"
        );
    }
    text += "\n[[conduits]]\nname = \"hmi-press\"\nfrom = [\"hmi\"]\nto = [\"press\"]\nprotocol = \"modbus\"\n";
    let read = holds.found.is_read();
    let function = if read { "read_holding_registers" } else { "write_single_register" };
    let values = if read { "" } else { "values = [\"0-1000\"]\n" };
    let rate = if holds.found == Found::Rated { "rate = \"1000000/s\"\n" } else { "" };
    let action = if holds.found == Found::Logged { "log" } else { "allow" };
    let mut rule = |number: u32, first: u32, last: u32| {
        let _ = write!(
            text,
            "[[conduits.rules]]\nname = \"r{number}\"\nfunctions = [\"{function}\"]\n\
             objects = [\"holding:{first}-{last}\"]\n{values}{rate}action = \"{action}\"\n"
        );
    };
    for number in 1..holds.rules {
        rule(number, 1000 + number * 4, 1001 + number * 4);
    }
    rule(0, 0, 199);
    if holds.found == Found::Beside {
        text += "[[conduits.rules]]\nname = \"never\"\nfunctions = [\"write_single_register\"]\nobjects = [\"holding:0-199\"]\n\
                 values = [\"60000-65535\"]\naction = \"deny\"\n";
    }
    text
}
