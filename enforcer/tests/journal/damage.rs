//! Files that are damaged, of another version, or not there.

use std::fs;

use enforcer::journal::audit::verify;
use enforcer::journal::{Journal, Reader, Window};

use crate::place::{Place, entry, event, evidence, key, quick, reading, seen, until, written};

/// A journal with something in it, closed.
fn filled(name: &str) -> Place {
    let place = Place::new(name);
    let journal = place.open();
    journal.observe(reading(1, (0..300).map(|number| (key(number), seen(3, 1, 1))).collect()));
    journal.events((0..500).map(event).collect());
    journal.audit(entry(1)).unwrap();
    written(&journal);
    place
}

fn aside(place: &Place) -> usize {
    place.files().iter().filter(|name| name.starts_with("journal.corrupt-")).count()
}

#[test]
fn a_file_of_garbage_is_set_aside() {
    let place = Place::new("garbage");
    fs::write(place.database(), b"this is no database at all".repeat(1000)).unwrap();
    let journal = place.open();
    journal.events(vec![event(1)]);
    written(&journal);
    let troubles = journal.troubles();
    assert!(
        troubles[0].contains("journal.db: the file is damaged")
            && troubles[0].contains("set aside as journal.corrupt-"),
        "{troubles:?}"
    );
    assert_eq!(aside(&place), 1);
    assert_eq!(journal.reader().unwrap().groups(Window::ALL).unwrap().len(), 1);
    assert_eq!(journal.losses(), Default::default());
    drop(journal);
    assert_eq!(place.open().reader().unwrap().events(0, 10).unwrap().len(), 1);
}

#[test]
fn a_database_cut_anywhere_or_overwritten_never_stops_the_journal() {
    let place = filled("cut");
    let whole = fs::read(place.database()).unwrap();
    let mut dice = 12_345_u64;
    for round in 0..40 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (dice >> 33) as usize % whole.len();
        let mut bytes = whole.clone();
        if round % 2 == 0 {
            bytes.truncate(at);
        } else {
            let end = (at + 5000).min(whole.len());
            bytes[at..end].fill((dice >> 20) as u8);
        }
        for name in ["journal.db-wal", "journal.db-shm"] {
            let _ = fs::remove_file(place.0.join(name));
        }
        fs::write(place.database(), &bytes).unwrap();
        let journal = place.open();
        journal.observe(reading(2, vec![(key(1), seen(1, 1, 1))]));
        journal.events((0..50).map(event).collect());
        written(&journal);
        let reader = journal.reader().unwrap();
        assert!(!reader.evidence(Window::ALL, false).unwrap().is_empty());
        if round % 2 == 0 {
            assert!(!journal.troubles().is_empty(), "cut to {at} of {}", whole.len());
        }
    }
    assert!((1..=6).contains(&aside(&place)), "{:?}", place.files());
    verify(&place.0, None).unwrap();
}

#[test]
fn damage_found_while_running_is_set_aside() {
    let place = filled("running");
    let journal = place.open();
    written(&journal);
    let other = rusqlite::Connection::open(place.database()).unwrap();
    other.query_row("SELECT count(*) FROM meta", [], |_| Ok(())).unwrap();
    // Overwrites all but the first page under the open connections.
    let length = fs::metadata(place.database()).unwrap().len() as usize;
    let mut bytes = fs::read(place.database()).unwrap();
    bytes[4096..length].fill(0xA5);
    fs::write(place.database(), &bytes).unwrap();
    // What the writer has in memory is out of date now, so that it reads what is on the disk.
    other.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(other);
    until("the damage is found", || {
        journal.observe(reading(3, (300..600).map(|number| (key(number), seen(1, 1, 1))).collect()));
        let _ = journal.flush(std::time::Duration::from_secs(5));
        journal.troubles().iter().any(|trouble| trouble.contains("set aside"))
    });
    written(&journal);
    assert_eq!(evidence(&journal).iter().filter(|one| one.key.first >= 300).count(), 300);
}

/// A file that is being made is not in WAL mode yet: what a kill leaves of that has to be taken back first.
#[test]
fn a_transaction_that_a_kill_left_is_taken_back() {
    let (making, place) = (Place::new("making"), Place::new("left"));
    let connection = rusqlite::Connection::open(making.database()).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE gone (a); DROP TABLE gone; PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (a);
             WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 200)
             INSERT INTO half SELECT randomblob(3000) FROM many;",
        )
        .unwrap();
    enforcer::journal::Audit::new(&place.0).prepare().unwrap();
    for name in ["journal.db", "journal.db-journal"] {
        fs::copy(making.0.join(name), place.0.join(name)).unwrap();
    }
    let journal = place.open();
    journal.events(vec![event(1)]);
    written(&journal);
    assert_eq!((journal.troubles(), aside(&place)), (Vec::new(), 0));
    assert!(!place.files().contains(&"journal.db-journal".to_owned()));
}

#[test]
fn a_newer_database_is_not_touched() {
    let place = filled("newer");
    let sqlite = |text: &str| {
        let connection = rusqlite::Connection::open(place.database()).unwrap();
        connection.execute_batch(text).unwrap();
    };
    sqlite("PRAGMA user_version = 99");
    let before = fs::read(place.database()).unwrap();
    let journal = place.open();
    journal.events(vec![event(1), event(2)]);
    assert!(!journal.flush(std::time::Duration::from_secs(10)));
    let troubles = journal.troubles();
    assert!(
        troubles[0].contains("journal.db") && troubles[0].contains("newer version") && troubles[0].contains("99"),
        "{troubles:?}"
    );
    assert_eq!(journal.losses().events, 2);
    // The audit trail goes on.
    journal.audit(entry(2)).unwrap();
    drop(journal);
    assert_eq!(fs::read(place.database()).unwrap(), before);
    assert_eq!(aside(&place), 0);
}

#[test]
fn a_missing_directory_is_told_and_heals() {
    let place = Place::new("missing");
    let directory = place.0.join("state");
    let journal = Journal::open(&directory, quick());
    journal.events(vec![event(1)]);
    assert!(!journal.flush(std::time::Duration::from_secs(10)));
    let troubles = journal.troubles();
    assert!(
        troubles[0].contains("state/journal.db") && troubles[0].contains("No such file or directory"),
        "{troubles:?}"
    );
    assert!(troubles[1].contains("audit.jsonl"), "{troubles:?}");
    assert!(journal.reader().is_err() && Reader::open(&directory).is_err());
    journal.audit(entry(1)).unwrap_err();
    fs::create_dir(&directory).unwrap();
    journal.audit(entry(1)).unwrap();
    until("the journal heals", || journal.troubles().is_empty());
    journal.events(vec![event(1)]);
    written(&journal);
    assert_eq!((journal.losses().events, journal.reader().unwrap().losses().unwrap().events), (1, 1));
}
