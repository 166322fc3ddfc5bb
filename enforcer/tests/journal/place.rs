//! A directory of the test's own, and things to put into a journal.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use enforcer::journal::audit::{Entry, Who};
use enforcer::journal::{Evidence, Journal, Limits, Reading, Window, time};
use enforcer_common::observation::{Observation, ObservationKey};
use serde_json::{Value, json};

/// A directory that goes with the test.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("enforcer-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    pub(crate) fn open(&self) -> Journal {
        Journal::open(&self.0, quick())
    }

    /// Names of the files that are there.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Limits with a short retry.
pub(crate) fn quick() -> Limits {
    Limits { retry: Duration::from_millis(50), ..Limits::default() }
}

/// What was sent is on the disk.
pub(crate) fn written(journal: &Journal) {
    assert!(journal.flush(Duration::from_secs(30)), "{:?}", journal.troubles());
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn key(number: u32) -> ObservationKey {
    ObservationKey { function: number % 7, first: number, last: number, port: 502, ..ObservationKey::EMPTY }
}

pub(crate) fn seen(count: u64, first: u64, last: u64) -> Observation {
    Observation {
        count,
        first_seen: first,
        last_seen: last,
        value_min: i64::MAX,
        value_max: i64::MIN,
        value_last: i64::MIN,
        step: 0,
    }
}

/// A reading whose clock of the kernel began an hour before `now`.
pub(crate) fn reading(epoch: u64, entries: Vec<(ObservationKey, Observation)>) -> Reading {
    Reading { epoch, boot: time::now() - time::HOUR, entries }
}

pub(crate) fn event(group: u32) -> Value {
    json!({"schema": 1, "event": "would_deny", "time": time::text(time::now()), "src": format!("10.0.0.{}:{}", group % 200, 1024 + group),
           "dst": "10.0.9.9:502", "protocol": "modbus", "function": group, "name": "write_single_register", "conduit": "hmi-press",
           "reason": "function_not_allowed", "verdict": "deny", "count": 1})
}

pub(crate) fn entry(number: u64) -> Entry {
    let who = Who { uid: 0, user: Some("root".into()), pid: 1, role: "engineer".into() };
    Entry { who, what: "mode".into(), detail: json!({"number": number}), why: Some("a test".into()) }
}

/// All that is known, in the order of the keys' objects.
pub(crate) fn evidence(journal: &Journal) -> Vec<Evidence> {
    let mut all = journal.reader().unwrap().evidence(Window::ALL, true).unwrap();
    all.sort_by_key(|one| one.key.first);
    all
}
