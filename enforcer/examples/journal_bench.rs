//! Writes ten million events into a journal of the default size, then times the questions that the reports ask.
//!
//! `cargo run --release -p enforcer --example journal_bench [EVENTS [DIRECTORY]]`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use enforcer::journal::audit::{Entry, Who, verify};
use enforcer::journal::{Journal, Limits, Reading, Tally, Window, time};
use enforcer_common::observation::{Observation, ObservationKey};
use serde_json::{Value, json};

/// Days that the events are spread over.
const DAYS: i64 = 30;
/// Events in one message, messages between two waits.
const MESSAGE: u64 = 1000;
const AHEAD: u64 = 64;
/// Operations in the kernel's table, as many as it holds.
const OPERATIONS: u32 = 32_768;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let given = arguments.next().map(PathBuf::from);
    let directory =
        given.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("journal-bench-{}", std::process::id())));
    std::fs::create_dir_all(&directory)?;
    let limits = Limits::default();
    let journal = Journal::open(&directory, limits.clone());
    write(&journal, events)?;
    ask(&journal, &directory)?;
    let sizes = journal.sizes();
    println!("database {} MiB, log {} MiB, bound {} MiB", sizes.database >> 20, sizes.log >> 20, limits.size >> 20);
    println!("lost {:?}, troubles {:?}", journal.losses(), journal.troubles());
    drop(journal);
    let began = Instant::now();
    let journal = Journal::open(&directory, limits);
    anyhow::ensure!(journal.flush(Duration::from_secs(600)), "the journal does not open again");
    println!("opening again with its check {:?}", began.elapsed());
    drop(journal);
    if given.is_none() {
        std::fs::remove_dir_all(&directory)?;
    }
    Ok(())
}

fn write(journal: &Journal, events: u64) -> anyhow::Result<()> {
    let now = time::now();
    let start = now - DAYS * 24 * time::HOUR;
    let step = DAYS * 24 * time::HOUR / i64::try_from(events.max(1))?;
    let began = Instant::now();
    let (mut largest, mut hour) = (0, 0);
    for message in 0..events.div_ceil(MESSAGE) {
        let first = message * MESSAGE;
        let moment = start + step * i64::try_from(first)?;
        journal.events((first..(first + MESSAGE).min(events)).map(|number| event(number, start, step)).collect());
        if time::hour(moment) != hour {
            hour = time::hour(moment);
            journal.observe(table(start, moment));
            (0..20).for_each(|conduit| journal.tally(tally(hour, conduit)));
        }
        if message % AHEAD == AHEAD - 1 {
            anyhow::ensure!(journal.flush(Duration::from_secs(600)), "{:?}", journal.troubles());
            let sizes = journal.sizes();
            largest = largest.max(sizes.database + sizes.log);
        }
    }
    anyhow::ensure!(journal.flush(Duration::from_secs(600)), "{:?}", journal.troubles());
    let took = began.elapsed();
    println!(
        "{events} events in {took:.1?}, {:.0} a second; largest {} MiB",
        events as f64 / took.as_secs_f64(),
        largest >> 20
    );
    let began = Instant::now();
    for number in 0..100 {
        journal.audit(Entry {
            who: Who::daemon(),
            what: "bench".into(),
            detail: json!({"number": number}),
            why: None,
        })?;
    }
    println!("an audit record {:?}", began.elapsed() / 100);
    Ok(())
}

fn ask(journal: &Journal, directory: &std::path::Path) -> anyhow::Result<()> {
    let whole = Instant::now();
    let reader = journal.reader()?;
    let week = Window::since(time::now() - 7 * 24 * time::HOUR);
    let timed = |what: &str, question: &dyn Fn() -> anyhow::Result<usize>| -> anyhow::Result<()> {
        let began = Instant::now();
        let rows = question()?;
        println!("{what:<28} {rows:>8} rows {:?}", began.elapsed());
        Ok(())
    };
    timed("groups, all", &|| Ok(reader.groups(Window::ALL)?.len()))?;
    timed("groups, last week", &|| Ok(reader.groups(week)?.len()))?;
    timed("evidence, all", &|| Ok(reader.evidence(Window::ALL, false)?.len()))?;
    timed("evidence by hour, last week", &|| Ok(reader.evidence(week, true)?.len()))?;
    timed("curve", &|| Ok(reader.curve(Window::ALL)?.len()))?;
    timed("tallies", &|| Ok(reader.tallies(Window::ALL)?.len()))?;
    timed("newest 10,000 events", &|| Ok(reader.events(0, 10_000)?.len()))?;
    println!("shadow report's questions    {:?}", whole.elapsed());
    timed("all kept events", &|| Ok(reader.events(0, 10_000_000)?.len()))?;
    timed("audit verify", &|| Ok(usize::try_from(verify(directory, None)?.records)?))?;
    let total: u64 = reader.groups(Window::ALL)?.iter().map(|total| total.count).sum();
    println!("events counted {total}");
    Ok(())
}

fn event(number: u64, start: i64, step: i64) -> Value {
    // 4,000 groups, some of them far more frequent.
    let group = if number.is_multiple_of(3) { number % 40 } else { number.wrapping_mul(2_654_435_761) % 4000 };
    json!({
        "schema": 1, "event": "would_deny", "time": time::text(start + step * i64::try_from(number).unwrap_or_default()),
        "src": format!("10.10.{}.{}:{}", group / 200, group % 200, 1024 + number % 60_000),
        "dst": format!("10.10.200.{}:502", group % 20), "protocol": "modbus", "role": "request", "function": group % 10,
        "name": "write_multiple_registers", "access": "write", "unit": 1,
        "objects": [{"space": "holding", "first": number % 1000, "last": number % 1000 + 9}],
        "values": {"min": 0, "max": number % 65_536}, "exception": null, "conduit": format!("conduit-{}", group % 20),
        "rule": null, "verdict": "deny", "reason": "function_not_allowed", "action": "forward", "technique": "T0836",
        "generation": 12, "candidate": null, "mode": "shadow", "count": 1, "side": "network",
    })
}

/// The kernel's table at a moment; a tenth of it moves in an hour.
fn table(start: i64, moment: i64) -> Reading {
    let hours = u64::try_from((moment - start) / time::HOUR).unwrap_or_default();
    let entry = |number: u32| {
        let active = (hours + u64::from(number)) / 10 + 1;
        let last = u64::try_from(moment - start).unwrap_or_default();
        let key =
            ObservationKey { first: number, last: number, port: 502, function: number % 10, ..ObservationKey::EMPTY };
        (
            key,
            Observation {
                count: active,
                first_seen: 1,
                last_seen: last,
                value_min: 0,
                value_max: 10,
                value_last: i64::MIN,
                step: 0,
            },
        )
    };
    Reading { epoch: 1, boot: start, entries: (0..OPERATIONS).map(entry).collect() }
}

fn tally(hour: i64, conduit: u32) -> Tally {
    Tally {
        hour,
        conduit: format!("conduit-{conduit}"),
        shadow: 3600,
        evaluated: 10_000,
        allow: 9990,
        would_deny: 10,
        ..Tally::default()
    }
}
