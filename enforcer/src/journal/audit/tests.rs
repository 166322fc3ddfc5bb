//! Damages the trail in every way and asks whether it is found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::verify::attempt;
use super::{Audit, CHAIN, Entry, HEAD, Head, TORN, Who, read, verify};

/// A directory of the test's own, gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("enforcer-audit-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn with_records(name: &str, records: usize) -> Self {
        let place = Self::new(name);
        let mut audit = Audit::new(&place.0);
        for number in 0..records {
            audit.append(entry(number)).unwrap();
        }
        place
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(number: usize) -> Entry {
    let who = Who { uid: 1000, user: Some("anna".into()), pid: 4711, role: "engineer".into() };
    let why = number.is_multiple_of(2).then(|| format!("ticket {number}\nsecond line \u{2028} \"quoted\""));
    Entry { who, what: "mode".into(), detail: json!({"to": "shadow", "number": number}), why }
}

/// Whether damage is told: as broken, or as bytes that no record left.
fn found(directory: &Path) -> bool {
    attempt(directory, None).map_or(true, |verified| verified.unfinished > 0)
}

#[test]
fn a_trail_that_nobody_touched_holds() {
    let place = Place::with_records("whole", 5);
    let verified = verify(&place.0, None).unwrap();
    // The first record says that the trail began.
    assert_eq!((verified.records, verified.head.seq, verified.unfinished), (6, 6, 0));
    let records = read(&place.0, 100).unwrap();
    assert_eq!(records[0].what, "audit_begin");
    assert_eq!(records[1].why.as_deref(), Some("ticket 0\nsecond line \u{2028} \"quoted\""));
    assert_eq!(records[5].head(), verified.head);
    assert_eq!((verified.first.as_str(), verified.last.as_str()), (records[0].time.as_str(), records[5].time.as_str()));
    assert_eq!(read(&place.0, 2).unwrap(), records[4..]);
    for record in &records {
        assert_eq!(verify(&place.0, Some(&record.head())).unwrap(), verified);
    }
}

#[test]
fn the_hash_can_be_checked_by_hand() {
    let place = Place::with_records("hand", 2);
    let command = format!(
        r#"sed -n 3p {} | sed 's/,"hash":"[0-9a-f]*"}}$/}}/' | tr -d '\n' | sha256sum"#,
        place.0.join(CHAIN).display()
    );
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.split_whitespace().next(), Some(read(&place.0, 1).unwrap()[0].hash.as_str()));
}

#[test]
fn every_changed_byte_is_found() {
    let place = Place::with_records("bytes", 3);
    for file in [CHAIN, HEAD] {
        let whole = place.bytes(file);
        for at in 0..whole.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                place.put(file, &bytes);
                attempt(&place.0, None).expect_err("an edited byte");
            }
            let removed = [&whole[..at], &whole[at + 1..]].concat();
            place.put(file, &removed);
            attempt(&place.0, None).expect_err("a removed byte");
        }
        for at in 0..=whole.len() {
            let inserted = [&whole[..at], b"0", &whole[at..]].concat();
            place.put(file, &inserted);
            assert!(found(&place.0), "a byte inserted at {at} of {file}");
        }
        place.put(file, &whole);
    }
    attempt(&place.0, None).unwrap();
}

#[test]
fn every_cut_is_found() {
    let place = Place::with_records("cut", 3);
    let whole = place.bytes(CHAIN);
    for length in 0..whole.len() {
        place.put(CHAIN, &whole[..length]);
        attempt(&place.0, None).expect_err("a chain that was cut off");
    }
    fs::remove_file(place.0.join(CHAIN)).unwrap();
    assert!(attempt(&place.0, None).unwrap_err().cause.contains("gone"));
    place.put(CHAIN, &whole);
    fs::remove_file(place.0.join(HEAD)).unwrap();
    assert!(attempt(&place.0, None).unwrap_err().cause.contains("missing"));
    fs::remove_file(place.0.join(CHAIN)).unwrap();
    attempt(&place.0, None).expect_err("no trail at all");
}

#[test]
fn lines_removed_repeated_moved_and_put_in_are_found() {
    let place = Place::with_records("lines", 4);
    let whole = place.bytes(CHAIN);
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let other = Place::with_records("other", 4);
    let foreign = other.bytes(CHAIN);
    let foreign: Vec<&[u8]> = foreign.split_inclusive(|byte| *byte == b'\n').collect();
    let mut variants = Vec::new();
    for (at, foreign) in foreign.iter().enumerate() {
        let (before, after) = lines.split_at(at);
        variants.push([before, &after[1..]].concat());
        variants.push([before, &[after[0]], after].concat());
        variants.push([before, &[*foreign], &after[1..]].concat());
        variants.push([before, &[*foreign], after].concat());
        for to in 0..at {
            let mut moved = lines.clone();
            moved.swap(at, to);
            variants.push(moved);
        }
    }
    variants.push([lines.as_slice(), &[foreign[4]]].concat());
    for variant in variants {
        place.put(CHAIN, &variant.concat());
        attempt(&place.0, None).expect_err("lines that are not those written");
    }
}

#[test]
fn a_new_chain_is_told_by_what_was_written_down() {
    let place = Place::with_records("written", 3);
    let head = verify(&place.0, None).unwrap().head;
    let written: Head = head.to_string().parse().unwrap();
    for file in [CHAIN, HEAD] {
        fs::remove_file(place.0.join(file)).unwrap();
    }
    let mut audit = Audit::new(&place.0);
    audit.append(entry(9)).unwrap();
    verify(&place.0, None).unwrap();
    assert!(verify(&place.0, Some(&written)).unwrap_err().cause.contains("ends before it"));
    for _ in 0..5 {
        audit.append(entry(9)).unwrap();
    }
    assert_eq!(verify(&place.0, Some(&written)).unwrap_err().line, 4);
    let upper = format!("7:{}A", &head.hash[1..]);
    for wrong in ["", "7", "7:", "x:00", &format!("07:{}", head.hash), &format!("+7:{}", head.hash), &upper] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}

/// Between the chain and the head file a crash leaves the head one behind, or part of a line. Both go on cleanly.
#[test]
fn every_crash_window_is_mended() {
    let place = Place::with_records("windows", 2);
    let (chain, head) = (place.bytes(CHAIN), place.bytes(HEAD));
    Audit::new(&place.0).append(entry(2)).unwrap();
    let longer = place.bytes(CHAIN);
    for length in (chain.len()..longer.len()).step_by(9).chain([longer.len() - 1, longer.len()]) {
        place.put(CHAIN, &longer[..length]);
        place.put(HEAD, &head);
        let torn = length != chain.len() && length != longer.len();
        let left = attempt(&place.0, None).unwrap().unfinished;
        assert_eq!(left, if torn { (length - chain.len()) as u64 } else { 0 });
        let mut audit = Audit::new(&place.0);
        audit.append(entry(3)).unwrap();
        assert_eq!(audit.troubles().count(), 0);
        let whats: Vec<String> = read(&place.0, 2).unwrap().into_iter().map(|record| record.what).collect();
        assert_eq!(whats[0] == "audit_torn", torn);
        let verified = verify(&place.0, None).unwrap();
        let more = 1 + u64::from(torn) + u64::from(length == longer.len());
        assert_eq!((verified.records, verified.unfinished), (3 + more, 0));
    }
    let torn = place.bytes(TORN);
    assert!(torn.split(|byte| *byte == b'\n').any(|piece| piece == &longer[chain.len()..longer.len() - 1]));
    // A line whose second page never reached the disk.
    let zeroes = [&chain[..], &longer[chain.len()..chain.len() + 40], &[0; 200], b"\n"].concat();
    place.put(CHAIN, &zeroes);
    place.put(HEAD, &head);
    assert_eq!(attempt(&place.0, None).unwrap().unfinished, 241);
    Audit::new(&place.0).prepare().unwrap();
    assert_eq!(verify(&place.0, None).unwrap().unfinished, 0);
}

#[test]
fn a_crash_in_the_very_first_record_is_mended() {
    let place = Place::with_records("first", 0);
    Audit::new(&place.0).prepare().unwrap();
    let whole = place.bytes(CHAIN);
    for length in (0..whole.len()).step_by(9).chain([whole.len() - 1, whole.len()]) {
        let _ = fs::remove_file(place.0.join(HEAD));
        place.put(CHAIN, &whole[..length]);
        let mut audit = Audit::new(&place.0);
        audit.append(entry(1)).unwrap();
        assert_eq!(audit.troubles().count(), 0, "{length}");
        assert_eq!(verify(&place.0, None).unwrap().records, 2);
    }
}

#[test]
fn a_broken_trail_goes_on_and_stays_broken() {
    let place = Place::with_records("broken", 4);
    let whole = place.bytes(CHAIN);
    let mut edited = whole.clone();
    edited[whole.len() / 2] ^= 1;
    let cut = whole.len() - 10;
    for damaged in [edited.as_slice(), &whole[..cut], &whole[..whole.len() / 2], b""] {
        place.put(CHAIN, damaged);
        let mut audit = Audit::new(&place.0);
        audit.append(entry(7)).unwrap();
        let trouble: Vec<String> = audit.troubles().collect();
        assert!(trouble[0].contains("does not hold"), "{trouble:?}");
        assert!(place.bytes(CHAIN).starts_with(damaged), "what is left stays");
        let records = read(&place.0, 2).unwrap();
        assert_eq!((records[0].what.as_str(), records[1].what.as_str()), ("audit_broken", "mode"));
        verify(&place.0, None).expect_err("damage does not heal");
    }
}

#[test]
fn two_writers_never_share_a_chain() {
    let place = Place::with_records("two", 1);
    let mut one = Audit::new(&place.0);
    one.append(entry(1)).unwrap();
    let mut other = Audit::new(&place.0);
    let error = other.append(entry(2)).unwrap_err().to_string();
    assert!(error.contains("another process writes it"), "{error}");
    assert!(other.troubles().next().unwrap().contains(CHAIN));
    drop(one);
    other.append(entry(2)).unwrap();
    assert_eq!(other.troubles().count(), 0);
    assert_eq!(verify(&place.0, None).unwrap().records, 4);
}

#[test]
fn a_missing_directory_is_an_error_that_heals() {
    let place = Place::new("missing");
    let inner = place.0.join("inner");
    let mut audit = Audit::new(&inner);
    assert!(audit.append(entry(0)).unwrap_err().to_string().contains("inner/audit.jsonl: cannot open the chain"));
    fs::create_dir(&inner).unwrap();
    audit.append(entry(0)).unwrap();
    assert_eq!(audit.troubles().count(), 0);
}
