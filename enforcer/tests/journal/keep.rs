//! What is kept, and what becomes of it over its bounds.

use std::time::Duration;

use enforcer::journal::{ANY, EventRow, Generation, Grant, Health, Journal, Limits, ModeChange, Tally, Window, time};
use enforcer_common::observation::{Observation, ObservationKey};

use crate::place::{Place, event, evidence, key, quick, reading, seen, written};

const MINUTE: u64 = 60_000_000_000;

#[test]
fn folding_counts_nothing_twice_and_loses_nothing() {
    let place = Place::new("fold");
    let journal = place.open();
    let counts = |journal: &Journal| evidence(journal).iter().map(|one| one.count).collect::<Vec<_>>();
    journal.observe(reading(1, vec![(key(0), seen(5, MINUTE, 2 * MINUTE)), (key(1), seen(1, 1, 1))]));
    journal.observe(reading(1, vec![(key(0), seen(5, MINUTE, 2 * MINUTE)), (key(1), seen(1, 1, 1))]));
    written(&journal);
    assert_eq!(counts(&journal), [5, 1]);
    journal.observe(reading(1, vec![(key(0), seen(7, MINUTE, 59 * MINUTE))]));
    written(&journal);
    assert_eq!(counts(&journal), [7, 1]);
    drop(journal);
    let journal = place.open();
    // A new map counts from the beginning; an entry that was evicted and came back does so too.
    journal.observe(reading(1, vec![(key(1), seen(1, 1, 1)), (key(0), seen(3, MINUTE, 59 * MINUTE))]));
    journal.observe(reading(2, vec![(key(1), seen(1, 2, 3))]));
    journal.observe(reading(2, vec![(key(1), seen(1, 2, 3))]));
    written(&journal);
    assert_eq!(counts(&journal), [10, 2]);
    let first = evidence(&journal).remove(0);
    assert_eq!(first.hours.iter().map(|hour| hour.count).sum::<u64>(), 10);
    assert_eq!(first.values, None);
    let ago = time::now() - first.first;
    assert!((58 * time::MINUTE..61 * time::MINUTE).contains(&ago), "{ago}");
    assert!(first.last > first.first + 57 * time::MINUTE);
    assert_eq!(journal.troubles(), [""; 0]);
}

#[test]
fn keys_values_windows_and_the_curve_come_back() {
    let place = Place::new("windows");
    let journal = place.open();
    let whole = ObservationKey {
        client: [7; 16],
        server: [255; 16],
        function: u32::MAX,
        unit: 1,
        space: u32::MAX,
        first: 2,
        last: 3,
        port: 65535,
        protocol: 4,
        role: 2,
        access: 5,
        side: 1,
        transport: 6,
        ..ObservationKey::EMPTY
    };
    let hour = |hours: u64| hours * 60 * MINUTE;
    let values = Observation { value_min: -5, value_max: i64::MAX, step: 9, ..seen(4, hour(1), hour(1)) };
    let mut reading = reading(u64::MAX, vec![(whole, values), (key(9), seen(1, hour(3), hour(3)))]);
    reading.boot = 1000 * time::HOUR;
    journal.observe(reading.clone());
    reading.entries = vec![(whole, Observation { count: 10, last_seen: hour(5), step: 12, ..values })];
    journal.observe(reading);
    written(&journal);
    let reader = journal.reader().unwrap();
    let all = evidence(&journal);
    assert_eq!((all[0].key, all[0].count, all[0].values), (whole, 10, Some((-5, i64::MAX))));
    assert_eq!(all[0].step, Some(12));
    assert_eq!((all[0].first, all[0].last), (1001 * time::HOUR, 1005 * time::HOUR));
    let part = reader.evidence(Window { since: 1004 * time::HOUR, until: 1006 * time::HOUR }, false).unwrap();
    assert_eq!((part.len(), part[0].count, part[0].first), (1, 6, 1005 * time::HOUR));
    let curve = reader.curve(Window::ALL).unwrap();
    assert_eq!(curve.iter().map(|new| (new.hour, new.operations)).collect::<Vec<_>>(), [(1001, 1), (1003, 1)]);
    // At the next start these hours are older than what is told apart: they become one, and the counts stay.
    drop(journal);
    let journal = place.open();
    written(&journal);
    let merged = evidence(&journal);
    assert_eq!((merged[0].count, merged[0].hours.len(), merged[0].hours[0].hour), (10, 1, 0));
    assert_eq!(merged[0].step, Some(12));
    assert_eq!((merged[0].first, merged[0].last), (1001 * time::HOUR, 1005 * time::HOUR));
}

#[test]
fn operations_over_the_bound_are_counted() {
    let place = Place::new("bound");
    let journal = Journal::open(&place.0, Limits { operations: 10, ..quick() });
    let table: Vec<_> = (0..25).map(|number| (key(number), seen(2, 1, 1))).collect();
    journal.observe(reading(1, table.clone()));
    journal.observe(reading(1, table));
    written(&journal);
    let reader = journal.reader().unwrap();
    assert_eq!((reader.operations().unwrap(), reader.unrecorded().unwrap()), (10, 15));
    assert_eq!(evidence(&journal).iter().map(|one| one.count).sum::<u64>(), 20);
}

#[test]
fn totals_stay_exact_when_events_are_thinned() {
    let place = Place::new("thin");
    let journal = Journal::open(&place.0, Limits { events: 2000, queue: 100_000, ..quick() });
    for number in 0..20_000 {
        // Groups of very different size.
        journal.events(vec![event(number % 2 + if number % 50 == 0 { 5 } else { 0 })]);
    }
    written(&journal);
    let reader = journal.reader().unwrap();
    let totals: Vec<u64> = reader.groups(Window::ALL).unwrap().iter().map(|total| total.count).collect();
    assert_eq!(totals, [10_000, 9600, 400]);
    let in_window: u64 =
        reader.groups(Window::since(time::now() - 2 * time::HOUR)).unwrap().iter().map(|total| total.count).sum();
    assert_eq!(in_window, 20_000);
    assert!(reader.groups(Window { since: 0, until: time::now() - 3 * time::HOUR }).unwrap().is_empty());
    let kept = reader.events(0, u64::from(u32::MAX)).unwrap();
    assert!((1000..=2000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.iter().map(|event| event.record["count"].as_u64().unwrap()).sum::<u64>(), 20_000);
    assert!(kept.is_sorted_by_key(|event| event.id));
    // The newest are all there.
    assert!(kept[kept.len() - 900..].iter().all(|event| event.record["count"] == 1));
    let newest = reader.events(0, 3).unwrap();
    assert_eq!(newest, kept[kept.len() - 3..]);
    let mut pages = Vec::new();
    loop {
        let page = reader.events_behind(0, pages.last().map_or(0, |last: &EventRow| last.id), 300).unwrap();
        let last = page.len() < 300;
        pages.extend(page);
        if last {
            break;
        }
    }
    assert!(pages == kept, "page by page: {} of {}", pages.len(), kept.len());
    assert!(reader.events_behind(time::now() + time::HOUR, 0, 300).unwrap().is_empty());
    assert_eq!(journal.losses(), Default::default());
}

#[test]
fn too_many_groups_fall_together_and_too_many_single_ones_go() {
    let place = Place::new("groups");
    let journal = Journal::open(&place.0, Limits { groups: 100, events: 500, ..quick() });
    journal.events((0..3000).map(event).collect());
    written(&journal);
    let reader = journal.reader().unwrap();
    let totals = reader.groups(Window::ALL).unwrap();
    assert_eq!((totals.len(), totals.iter().map(|total| total.count).sum::<u64>()), (101, 3000));
    assert_eq!((totals[0].count, totals[0].group.src.as_str(), totals[0].group.function), (2900, ANY, -1));
    assert!(reader.events(0, 10_000).unwrap().len() <= 500);
    // None of them twice: nothing to halve.
    let place = Place::new("singles");
    let journal = Journal::open(&place.0, Limits { events: 500, ..quick() });
    journal.events((0..3000).map(event).collect());
    written(&journal);
    let reader = journal.reader().unwrap();
    assert_eq!(reader.groups(Window::ALL).unwrap().len(), 3000);
    let kept = reader.events(0, 10_000).unwrap();
    assert!((200..=500).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().unwrap().record["function"], 2999);
}

#[test]
fn the_file_stays_within_its_size() {
    let place = Place::new("size");
    let limits = Limits { size: 4 << 20, ..quick() };
    let journal = Journal::open(&place.0, limits.clone());
    for round in 0..60_u32 {
        journal.events((0..1000).map(|number| event(number % 300)).collect());
        let mut table = reading(1, (0..2000).map(|number| (key(number), seen(u64::from(round) + 1, 1, 1))).collect());
        table.boot = time::now() - time::HOUR * i64::from(60 - round);
        journal.observe(table);
        written(&journal);
        assert!(journal.sizes().database <= limits.size, "{:?}", journal.sizes());
    }
    let reader = journal.reader().unwrap();
    assert_eq!(reader.groups(Window::ALL).unwrap().iter().map(|total| total.count).sum::<u64>(), 60_000);
    let all = evidence(&journal);
    assert!(all.len() == 2000 && all.iter().all(|one| one.count == 60), "{}", all.len());
    assert_eq!((journal.losses(), journal.troubles()), (Default::default(), Vec::new()));
    drop((reader, journal));
    // A smaller size holds from the next start on.
    let journal = Journal::open(&place.0, Limits { size: 3 << 20, ..quick() });
    written(&journal);
    journal.events((0..1000).map(event).collect());
    written(&journal);
    assert_eq!(journal.troubles(), [""; 0]);
    assert_eq!(evidence(&journal).len(), 2000);
}

#[test]
fn changes_tallies_and_health_come_back() {
    let place = Place::new("changes");
    let journal = Journal::open(&place.0, Limits { generations: 2, ..quick() });
    let generation = |number| Generation {
        number,
        time: 1,
        name: "press".into(),
        revision: 7,
        text: "[policy]".into(),
        origin: "policy.toml".into(),
        who: "root".into(),
        why: None,
        confirmed: None,
    };
    (1..=5).for_each(|number| journal.generation(generation(number)));
    journal.confirmed(2, 99);
    let mode = ModeChange {
        time: 5,
        conduit: None,
        old: "learn".into(),
        new: "shadow".into(),
        who: "root".into(),
        why: Some("ready".into()),
    };
    journal.mode(mode.clone());
    let grant = Grant {
        id: "g1".into(),
        time: 1,
        from: "eng".into(),
        to: "press".into(),
        functions: "@write".into(),
        until: 9,
        reason: "service".into(),
        who: "root".into(),
        state: "active".into(),
    };
    journal.grant(grant.clone());
    let revoked = Grant { state: "revoked".into(), ..grant };
    journal.grant(revoked.clone());
    let hour = time::hour(time::now());
    let tally = Tally { hour, conduit: "hmi".into(), shadow: 60, evaluated: 10, would_deny: 1, ..Tally::default() };
    journal.tally(tally.clone());
    journal.tally(Tally { shadow: 30, evaluated: 0, would_deny: 0, ..tally.clone() });
    let now = time::now() / time::MINUTE * time::MINUTE;
    let sample = |time, answered, p50, p99| Health {
        time,
        device: "press".into(),
        trial: false,
        seconds: 10,
        polls: answered,
        answered,
        exceptions: 1,
        resets: 0,
        retransmissions: 2,
        p50,
        p99,
    };
    let old = (time::hour(now) - 100) * time::HOUR;
    for sample in [
        sample(now, 10, 100, 500),
        sample(now + 1, 30, 200, 400),
        sample(old, 1, 10, 20),
        sample(old + time::MINUTE, 3, 50, 10),
        Health { trial: true, ..sample(now, 7, 900, 900) },
    ] {
        journal.health(sample);
    }
    journal.note("shift", "early");
    written(&journal);
    drop(journal);
    let journal = Journal::open(&place.0, Limits { generations: 2, ..quick() });
    written(&journal);
    let reader = journal.reader().unwrap();
    // The newest two, and the newest that was confirmed.
    let kept: Vec<(u32, Option<i64>)> =
        reader.generations().unwrap().iter().map(|kept| (kept.number, kept.confirmed)).collect();
    assert_eq!(kept, [(2, Some(99)), (4, None), (5, None)]);
    assert_eq!(reader.modes(0).unwrap(), [mode]);
    assert_eq!(reader.grants().unwrap(), [revoked]);
    assert_eq!(reader.tallies(Window::ALL).unwrap(), [Tally { shadow: 90, ..tally }]);
    let health = reader.health(0).unwrap();
    assert_eq!(health.len(), 3);
    assert_eq!((health[2].trial, health[2].polls, health[2].p50), (true, 7, 900));
    assert_eq!((health[0].time, health[0].answered, health[0].p50, health[0].p99), (old, 4, 40, 20));
    assert_eq!((health[1].polls, health[1].exceptions, health[1].p50, health[1].p99), (40, 2, 175, 500));
    assert_eq!((health[0].seconds, health[1].seconds, health[1].trial), (20, 20, false));
    assert_eq!(reader.note("shift").unwrap().as_deref(), Some("early"));
    assert_eq!(reader.note("never").unwrap(), None);
}

#[test]
fn a_full_queue_is_counted_and_nobody_waits() {
    let place = Place::new("queue");
    let journal = Journal::open(&place.0, Limits { queue: 4, ..quick() });
    let began = std::time::Instant::now();
    let batch: Vec<_> = (0..1000).map(event).collect();
    for _ in 0..200 {
        journal.events(batch.clone());
    }
    assert!(began.elapsed() < Duration::from_secs(10));
    written(&journal);
    journal.note("the", "last");
    written(&journal);
    let reader = journal.reader().unwrap();
    let kept: u64 = reader.groups(Window::ALL).unwrap().iter().map(|total| total.count).sum();
    let lost = journal.losses();
    assert!(lost.events > 0);
    assert_eq!(kept + lost.events, 200_000);
    assert_eq!(reader.losses().unwrap(), lost);
}
