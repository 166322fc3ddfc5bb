//! `cargo xtask bench`: what a frame costs in the loaded programs, and what the verifier had to follow to load them.
//!
//! Frames run by BPF_PROG_TEST_RUN in enforce, on an established conversation. A test run repeats one frame; a small
//! program in front (`rewind`) sets the conversation back each time, and what it costs itself is measured in the same
//! round and subtracted. Rounds are interleaved, so that a disturbance of the machine meets every line of the table. And
//! the programs are loaded several times: where the kernel puts them makes a tenth of what a frame costs.

#[path = "../../tests/captured/mod.rs"]
mod captured;
mod classes;
mod cold;
mod growth;
mod protocols;
#[path = "../../tests/stand/mod.rs"]
mod stand;

use std::time::Duration;

use enforcer::dataplane::object::{self, ROOTS};
use enforcer_common::abi::{Settings, slot};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason};

use self::classes::{Class, FIRST, classes, handshake};
use self::stand::Stand;

const ROUNDS: usize = 21;
/// How often the programs are loaded, and the rounds of each load.
const LOADS: usize = 5;
const ROUNDS_PER_LOAD: usize = 4;
const REPEAT: u32 = 50_000;

fn main() {
    // Words are protocols: only they are measured then.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["growth"] {
        stand::undisturbed();
        return growth::measure();
    }
    if words == ["cold"] {
        stand::undisturbed();
        return cold::measure(&classes(), include_str!("policy.toml"));
    }
    if !words.is_empty() {
        return others(&words);
    }
    let classes = classes();
    let mut empty = Vec::new();
    let mut costs: Vec<Vec<f64>> = classes.iter().map(|_| Vec::new()).collect();
    let mut stand = fresh(include_str!("policy.toml"));
    // Of the first load: later ones have one CPU, the measured one.
    let loading = stand.loading;
    if !stand::undisturbed() {
        println!("note: no real-time priority here, other processes disturb the numbers");
    }
    for load in 0..LOADS {
        if load != 0 {
            stand = fresh(include_str!("policy.toml"));
        }
        establish(&mut stand, 502, 0);
        for round in 0..=ROUNDS_PER_LOAD {
            let nothing = nothing(&mut stand, &classes[0].frame);
            for (class, costs) in classes.iter().zip(&mut costs) {
                stand.put("empty", slot::BENCH);
                let around = nanos(&mut stand, "rewind", &class.frame) - nothing;
                lead(&mut stand, class);
                let whole = nanos(&mut stand, "rewind", &class.frame);
                check(&stand, class);
                // The first round warms up.
                if round != 0 {
                    costs.push(whole - around);
                }
            }
            if round != 0 {
                empty.push(nothing);
            }
        }
    }
    table(&classes, &mut empty, &mut costs);
    cold::measure(&classes, include_str!("policy.toml"));
    others(&words);
    let long = classes.iter().find(|class| !class.known).expect("a request that is read among the classes");
    stages(&mut stand, long);
    health(&mut stand, &classes);
    growth::measure();
    budgets(&mut stand, loading);
}

/// A typical request of each other protocol, in a policy of its own, beside the empty program: one that was judged before,
/// and one that was not; and where the time of that goes: up to the dissector, in it, and behind it. What judges at once where
/// it reads has no third part.
fn others(words: &[String]) {
    println!(
        "\n{:<14} {:>6} {:>8} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "protocol", "bytes", "empty", "median", "p90", "x empty", "new", "walk", "read", "judge", "x empty"
    );
    for typical in protocols::typical() {
        let (name, bytes) = (typical.protocol.as_str(), typical.frame.len());
        if !words.is_empty() && words.iter().all(|word| word != name) {
            continue;
        }
        let cuts = [(name, slot::dissector(typical.protocol)), ("judge", slot::JUDGE)];
        let mut rounds: [Vec<f64>; 5] = Default::default();
        for _ in 0..LOADS {
            let mut stand = fresh(&protocols::policy(typical.protocol));
            if typical.tcp {
                establish(&mut stand, typical.port, typical.context);
            }
            let whole = |stand: &mut Stand, around: f64| {
                let whole = nanos(stand, "rewind", &typical.frame) - around;
                let scratch = stand.scratch();
                let reason = Reason::from_code(scratch.outcome);
                assert_eq!(reason, Some(Reason::RuleAllow), "{name}");
                // Of a request that is known no operation is read.
                (whole, scratch.count == 0)
            };
            // First what is not known, and is not kept.
            stand.put("empty", slot::KEEP);
            let mut rounds_of_load = Vec::new();
            for round in 0..=ROUNDS_PER_LOAD {
                let nothing = nothing(&mut stand, &typical.frame);
                stand.put("empty", slot::BENCH);
                let around = nanos(&mut stand, "rewind", &typical.frame) - nothing;
                stand.put(ROOTS[Side::Network as usize], slot::BENCH);
                let (new, known) = whole(&mut stand, around);
                assert!(!known, "{name} is not to be kept here");
                let [walked, read] = cuts.map(|(program, slot)| {
                    stand.put("empty", slot);
                    let until = nanos(&mut stand, "rewind", &typical.frame) - around;
                    stand.put(program, slot);
                    until
                });
                if round != 0 {
                    rounds_of_load.push([nothing, new, walked, read, 0.0]);
                }
            }
            stand.put("keep", slot::KEEP);
            for round in 0..=ROUNDS_PER_LOAD {
                let nothing = nothing(&mut stand, &typical.frame);
                stand.put("empty", slot::BENCH);
                let around = nanos(&mut stand, "rewind", &typical.frame) - nothing;
                stand.put(ROOTS[Side::Network as usize], slot::BENCH);
                let (cost, is_known) = whole(&mut stand, around);
                assert_eq!(is_known, typical.keeps, "{name}");
                if round != 0 {
                    rounds_of_load[round - 1][4] = cost;
                }
            }
            for costs_of_round in rounds_of_load {
                for (costs, cost) in rounds.iter_mut().zip(costs_of_round) {
                    costs.push(cost);
                }
            }
        }
        let [[base, ..], [new, ..], [walk, ..], [read, ..], [median, _, most]] =
            rounds.each_mut().map(|costs| spread(costs));
        let (reading, judging) = (read - walk, new - read);
        println!(
            "{name:<14} {bytes:>6} {base:>8.2} {median:>8.1} {most:>8.1} {:>9.1} {new:>8.1} {walk:>8.1} {reading:>8.1} {judging:>8.1} {:>9.1}",
            median / base,
            new / base
        );
    }
}

/// The programs, loaded anew, with a policy in enforce.
fn fresh(policy: &str) -> Stand {
    let mut stand = Stand::new();
    let compiled = enforcer::policy::parse("bench.toml", policy)
        .and_then(|loaded| enforcer::policy::compile(&loaded.valid, 1, 0))
        .unwrap_or_else(|errors| panic!("{errors}"));
    stand.publish(&compiled.image);
    stand.mode(Mode::Enforce);
    stand.object.program("rewind").expect("the benchmark's program").load().unwrap_or_else(|error| panic!("{error}"));
    stand
}

/// Opens the conversation, with what its dissector has to know of the units before, and notes for `rewind` where its data
/// begins.
fn establish(stand: &mut Stand, port: u16, context: u32) {
    for (side, frame) in handshake(port) {
        assert_eq!(stand.run(side, &frame).action, 2, "the handshake passes");
    }
    let mut flow = stand.flow(0);
    [flow.network.pending, flow.device.pending] = FIRST;
    flow.network.context = context;
    stand.object.maps.flow_table.set(0, stand::plain_flow(flow), 0).expect("the conversation");
}

/// Nanoseconds per run. The kernel gives whole ones, rounded down; our own clock would also count the milliseconds in which
/// the kernel prepares a test run.
fn nanos(stand: &mut Stand, program: &'static str, frame: &[u8]) -> f64 {
    let (spent, action) = stand.time(program, frame, REPEAT);
    assert_eq!(action, 2, "{program} passes the frame");
    spent.as_secs_f64() * 1e9
}

/// Nanoseconds of the empty program, by which all else is divided: of so few a whole one is a seventh. By the time that this
/// thread had a CPU, for many runs less a few: what the kernel does before and after them falls out.
fn nothing(stand: &mut Stand, frame: &[u8]) -> f64 {
    const FEW: u32 = 100_000;
    const MANY: u32 = 4_000_000;
    let mut took = |repeat| {
        let start = stand::busy();
        let (_, action) = stand.time("empty", frame, repeat);
        assert_eq!(action, 2, "it passes the frame");
        (stand::busy() - start).as_secs_f64()
    };
    let few = took(FEW);
    (took(MANY) - few) * 1e9 / f64::from(MANY - FEW)
}

/// Sets the way of a class: what it is not to know, it does not keep.
fn lead(stand: &mut Stand, class: &Class) {
    stand.put(if class.known { "keep" } else { "empty" }, slot::KEEP);
    stand.put(ROOTS[class.side as usize], slot::BENCH);
}

/// The last run did what the line says.
fn check(stand: &Stand, class: &Class) {
    let scratch = stand.scratch();
    let (reason, count) = class.expected;
    // What passes without a record says the reason alone.
    let side = if scratch.ordinary == Scratch::PASSED { class.side } else { Side::from_code(scratch.frame.side) };
    let found = (Reason::from_code(scratch.outcome), scratch.count, side);
    assert_eq!(found, (Some(reason), count, class.side), "{}", class.name);
}

fn table(classes: &[Class], empty: &mut [f64], costs: &mut [Vec<f64>]) {
    let [base, least, most] = spread(empty);
    println!("ns per frame, {LOADS} loads of the programs with {ROUNDS_PER_LOAD} rounds of {REPEAT} runs each\n");
    println!("{:<30} {:>6} {:>8} {:>8} {:>8} {:>9}", "class", "bytes", "median", "min", "p90", "x empty");
    println!("{:<30} {:>6} {base:>8.2} {least:>8.2} {most:>8.2} {:>9.1}", "empty program", classes[0].frame.len(), 1.0);
    for (class, costs) in classes.iter().zip(costs) {
        let [median, least, most] = spread(costs);
        let (name, bytes) = (class.name, class.frame.len());
        println!("{name:<30} {bytes:>6} {median:>8.1} {least:>8.1} {most:>8.1} {:>9.1}", median / base);
    }
}

/// Where the time of one class goes: the way of a frame, cut short by the empty program one program later each time. The
/// first unit is judged by the program that reads it.
fn stages(stand: &mut Stand, class: &Class) {
    const WAY: [(&str, u32); 2] = [("walk_network", slot::WALK_NETWORK), ("modbus", slot::dissector(Protocol::Modbus))];
    lead(stand, class);
    let mut rounds: [Vec<f64>; WAY.len() + 1] = Default::default();
    for _ in 0..ROUNDS {
        for (place, (name, slot)) in WAY.into_iter().enumerate() {
            stand.put("empty", slot);
            rounds[place].push(nanos(stand, "rewind", &class.frame));
            stand.put(name, slot);
        }
        rounds[WAY.len()].push(nanos(stand, "rewind", &class.frame));
    }
    let medians = rounds.map(|mut rounds| spread(&mut rounds)[0]);
    println!("\n{:<30} {:>6} {:>8}", class.name, "", "median");
    println!("{:<30} {:>6} {:>8.1}", "  test run, rewind and root", "", medians[0]);
    for ((name, _), pair) in WAY.iter().zip(medians.windows(2)) {
        println!("  {name:<28} {:>6} {:>8.1}", "", pair[1] - pair[0]);
    }
}

/// What counting the device's health costs: frames of each class without it and with it.
fn health(stand: &mut Stand, classes: &[Class]) {
    println!("\n{:<30} {:>6} {:>8} {:>8}", "health", "", "off", "on");
    // The kernel makes the device's entry at its first answer.
    let answer = classes.iter().find(|class| class.side == Side::Device).expect("an answer among the classes");
    let mut rounds: Vec<[Vec<f64>; 2]> = classes.iter().map(|_| Default::default()).collect();
    for _ in 0..ROUNDS {
        for on in [0, 1] {
            stand.set(Settings { health: on, ..stand.settings });
            stand.put(ROOTS[answer.side as usize], slot::BENCH);
            nanos(stand, "rewind", &answer.frame);
            for (class, rounds) in classes.iter().zip(&mut rounds) {
                lead(stand, class);
                rounds[usize::from(on)].push(nanos(stand, "rewind", &class.frame));
            }
        }
    }
    for (class, rounds) in classes.iter().zip(&mut rounds) {
        let [off, on] = rounds.each_mut().map(|costs| spread(costs)[0]);
        println!("  {:<28} {:>6} {off:>8.1} {on:>8.1}", class.name, "");
    }
}

/// Median, smallest, and the one that nine of ten stay below.
fn spread(numbers: &mut [f64]) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    [numbers[numbers.len() / 2], numbers[0], numbers[numbers.len() * 9 / 10]]
}

fn budgets(stand: &mut Stand, loading: Duration) {
    println!("\n{:<30} {:>12} {:>12}", "program", "verified", "bytes");
    let mut sum = 0;
    for name in ROOTS.into_iter().chain(object::stages().map(|(name, _)| name)) {
        let (verified, bytes) = stand.size(name);
        sum += verified;
        println!("{name:<30} {verified:>12} {bytes:>12}");
    }
    println!("{:<30} {sum:>12}", "together");
    println!("{:<30} {:>9} ms", "time to load the object", loading.as_millis());
}
