//! Learn from the first half of every shared capture, propose, and judge the second half by the proposal.
//!
//! What readiness says at the half is held against what comes after it: where it says ready, less than one operation in a
//! thousand may be denied. `UPDATE_DOCS=1 cargo test -p enforcer --test halves` writes the figures into `docs/learning.md`.

#[path = "../captured/mod.rs"]
mod captured;
#[path = "../../../enforcer-common/tests/support/checksum.rs"]
#[allow(clippy::cast_possible_truncation)]
mod checksum;
mod half;
mod page;
mod ready;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use half::Halves;

/// Operations that each half has to hold: fewer are no traffic to learn from.
pub(crate) const ENOUGH: usize = 10;

/// Captures whose second half holds attacks: to deny those is what the policy is for.
const ATTACKS: &[(&str, &str)] = &[
    (
        "malware-research__Industroyer2_Sample1.pcap",
        "malware that switches one breaker after the other, in both halves",
    ),
    (
        "Quickdraw-Snort__dnp3_test_data_part1.pcap",
        "the requests that signatures of an IDS were made for, each an attack of its own",
    ),
    ("zeek__dnp3.pcap", "the same capture, continued"),
];

/// Where a capture is cut, beside its half, in tenths of its frames.
const OTHER_CUTS: &[usize] = &[3, 4, 6, 7];

#[test]
fn what_is_ready_at_the_half_denies_nothing_in_the_second() {
    let Some(files) = captured::files() else { return };
    let mut rows: BTreeMap<String, page::Row> = BTreeMap::new();
    let mut others = page::Row::default();
    let mut scant: BTreeSet<String> = BTreeSet::new();
    let mut findings = Vec::new();
    for file in files {
        if ATTACKS.iter().any(|(name, _)| file.ends_with(name)) {
            continue;
        }
        let frames = half::frames(&file);
        let learn = |at: usize| half::halves(&file, &frames, at).unwrap_or_else(|error| panic!("{error}"));
        let middle = learn(frames.len() / 2);
        let folder = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        if middle.second < ENOUGH || middle.first.len() < ENOUGH {
            if middle.second + middle.first.len() > 0 {
                scant.insert(folder);
            }
            continue;
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        findings.extend(wrongly_ready(&name, &middle));
        rows.entry(folder).or_default().add(&middle);
        for tenths in OTHER_CUTS {
            let one = learn(frames.len() * tenths / 10);
            findings.extend(wrongly_ready(&name, &one));
            others.add(&one);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    scant.retain(|folder| !rows.contains_key(folder));
    let page = page::page(&rows, &others, &scant);
    println!("{page}");
    check(&page);
}

/// What is wrong where readiness said ready and the rest of the capture does not bear it out.
fn wrongly_ready(name: &str, one: &Halves) -> Vec<String> {
    let ready = ready::as_measured(one).ready || ready::stretched(one).ready;
    let bad = ready && one.denied.len() * 1000 >= one.second;
    println!("{name}: {} of {} denied, {ready}", one.denied.len(), one.second);
    let shown = if bad || std::env::var_os("SHOW").is_some() { 10 } else { 0 };
    one.denied.iter().take(shown).for_each(|denied| println!("    {} {}", denied.reason, denied.words));
    let words = || format!("{name}: ready, and {} of {} operations are denied behind it", one.denied.len(), one.second);
    bad.then(words).into_iter().collect()
}

fn check(page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/learning.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, page).expect("docs/learning.md can be written");
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == page,
        "docs/learning.md is out of date; write it anew with: UPDATE_DOCS=1 cargo test -p enforcer --test halves"
    );
}
