//! Kills a process that writes, at random moments, and asks whether all that it was told is safe is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use enforcer::journal::audit::{read, verify};
use enforcer::journal::{Journal, Reading, Window, time};

use crate::place::{Place, entry, event, evidence, key, quick, seen, written};

/// Names the directory to the child.
const DIRECTORY: &str = "ENFORCER_JOURNAL_KILL_DIRECTORY";
const ROUNDS: u32 = 50;
const KEYS: u32 = 40;

/// The kernel's table at a moment: it outlives the process, as the real one does, and so is a function of time only.
fn table(began: i64, now: i64) -> Reading {
    let ago = |number: u32| u64::try_from((now - began) / 1000 / i64::from(number + 1)).unwrap() + 1;
    Reading {
        epoch: 77,
        boot: began,
        entries: (0..KEYS).map(|number| (key(number), seen(ago(number), 0, ago(0)))).collect(),
    }
}

fn began(directory: &Path) -> i64 {
    std::fs::read_to_string(directory.join("began")).unwrap().parse().unwrap()
}

/// What the child does: writes for ever, and says what it was told is safe.
#[test]
#[ignore = "is started and killed by the other test"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let began = began(directory);
    let journal = Journal::open(directory, quick());
    let mut out = std::io::stdout();
    writeln!(out).unwrap();
    for number in 0.. {
        journal.observe(table(began, time::now()));
        journal.events((0..20).map(event).collect());
        let head = journal.audit(entry(number)).unwrap();
        writeln!(out, "audit {head}").unwrap();
        if number % 3 == 0 && journal.flush(Duration::from_secs(10)) {
            writeln!(out, "events {}", (number + 1) * 20).unwrap();
        }
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    let place = Place::new("kill");
    let start = time::now();
    std::fs::write(place.0.join("began"), start.to_string()).unwrap();
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    let mut events = 0;
    let mut dice = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    eprintln!("dice {dice}");
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture"])
            .env(DIRECTORY, &place.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((dice >> 33) % 150_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut told = 0;
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // What has no newline was not finished.
        while out.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
            if let Some(head) = line.trim_end().strip_prefix("audit ") {
                let (seq, hash) = head.split_once(':').unwrap();
                acknowledged.insert(seq.parse().unwrap(), hash.to_owned());
            } else if let Some(count) = line.trim_end().strip_prefix("events ") {
                told = count.parse::<u64>().unwrap();
            }
            line.clear();
        }
        events += told;
        // Without any record there may be no trail yet.
        if !acknowledged.is_empty() {
            verify(&place.0, None).unwrap_or_else(|broken| panic!("round {round}: {broken}"));
        }
    }
    let journal = Journal::open(&place.0, quick());
    let now = time::now();
    journal.observe(table(start, now));
    written(&journal);
    assert_eq!(journal.troubles(), [""; 0]);
    let counts: Vec<u64> = evidence(&journal).iter().map(|one| one.count).collect();
    let expected: Vec<u64> = table(start, now).entries.iter().map(|(_, seen)| seen.count).collect();
    assert_eq!(counts, expected);
    let totals = journal.reader().unwrap().groups(Window::ALL).unwrap();
    let kept: u64 = totals.iter().map(|total| total.count).sum();
    assert!(kept >= events && kept.is_multiple_of(20), "{kept} of at least {events}");
    verify(&place.0, None).unwrap();
    let records: BTreeMap<u64, String> =
        read(&place.0, usize::MAX).unwrap().into_iter().map(|record| (record.seq, record.hash)).collect();
    assert!(acknowledged.len() > 20, "only {} records", acknowledged.len());
    for (seq, hash) in &acknowledged {
        assert_eq!(records.get(seq), Some(hash), "record {seq} was acknowledged");
    }
}
