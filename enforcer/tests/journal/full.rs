//! A full disk and a read-only one: a small file system of the test's own, in a mount namespace that goes with its thread.

use std::ffi::CString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use enforcer::journal::Window;
use enforcer::journal::audit::verify;

use crate::place::{Place, entry, event, evidence, key, reading, seen, until, written};

/// Runs `test` where `place` is a file system of 4 MiB. Threads that it starts are in the same namespace.
fn on_small_disk(name: &'static str, test: impl FnOnce(&Place) + Send + 'static) {
    let body = move || {
        let place = Place::new(name);
        // SAFETY: unshare takes no pointers and concerns this thread only.
        let answer = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        assert_eq!(answer, 0, "no namespace of our own: run these tests as root (cargo xtask test does)");
        mount(Path::new("/"), libc::MS_REC | libc::MS_PRIVATE, "");
        mount(&place.0, 0, "size=4m");
        test(&place);
    };
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

fn mount(path: &Path, flags: libc::c_ulong, options: &str) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    let options = CString::new(options).unwrap();
    // SAFETY: the texts are ended by zeroes and live over the call.
    let answer = unsafe {
        libc::mount(c"tmpfs".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), flags, options.as_ptr().cast::<libc::c_void>())
    };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
}

/// Takes all the room that is left.
fn fill(place: &Place) {
    let mut file = fs::File::create(place.0.join("filler")).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    while file.write_all(&[1]).is_ok() {}
}

#[test]
fn a_disk_that_fills_up_is_told_and_heals() {
    on_small_disk("fills", |place| {
        let journal = place.open();
        journal.observe(reading(1, vec![(key(1), seen(5, 1, 1))]));
        let head = journal.audit(entry(1)).unwrap();
        written(&journal);
        fill(place);
        until("the disk is full", || {
            journal.events((0..500).map(event).collect());
            !journal.flush(Duration::from_secs(10))
        });
        journal.observe(reading(1, (0..2000).map(|number| (key(number), seen(9, 1, 1))).collect()));
        assert!(!journal.flush(Duration::from_secs(10)));
        let error = journal.audit(entry(2)).unwrap_err().to_string();
        assert!(error.contains("audit") && error.contains("No space left"), "{error}");
        let troubles = journal.troubles();
        assert!(troubles[0].contains("journal.db") && troubles[0].contains("full"), "{troubles:?}");
        assert!(troubles[1].contains("No space left"), "{troubles:?}");
        assert!(journal.losses().events >= 500);
        assert_eq!(verify(&place.0, None).unwrap().head, head);
        // What was there can be read.
        assert_eq!(evidence(&journal).len(), 1);
        fs::remove_file(place.0.join("filler")).unwrap();
        until("the journal heals", || !journal.troubles().iter().any(|trouble| trouble.contains("journal.db")));
        journal.audit(entry(3)).unwrap();
        assert_eq!(journal.troubles(), [""; 0]);
        journal.observe(reading(1, vec![(key(1), seen(9, 1, 1))]));
        written(&journal);
        assert_eq!(evidence(&journal).iter().find(|one| one.key == key(1)).unwrap().count, 9);
        assert_eq!(verify(&place.0, Some(&head)).unwrap().records, 3);
    });
}

#[test]
fn a_disk_that_is_full_from_the_start_heals() {
    on_small_disk("full", |place| {
        fill(place);
        let journal = place.open();
        journal.events(vec![event(1)]);
        assert!(!journal.flush(Duration::from_secs(10)));
        journal.audit(entry(1)).unwrap_err();
        assert_eq!(journal.troubles().len(), 2, "{:?}", journal.troubles());
        fs::remove_file(place.0.join("filler")).unwrap();
        journal.audit(entry(2)).unwrap();
        until("the journal heals", || journal.troubles().is_empty());
        journal.events(vec![event(1)]);
        written(&journal);
        assert_eq!(journal.reader().unwrap().groups(Window::ALL).unwrap()[0].count, 1);
        verify(&place.0, None).unwrap();
    });
}

#[test]
fn a_read_only_disk_is_told_and_heals() {
    on_small_disk("readonly", |place| {
        let journal = place.open();
        journal.events(vec![event(1)]);
        let head = journal.audit(entry(1)).unwrap();
        written(&journal);
        drop(journal);
        mount(&place.0, libc::MS_REMOUNT | libc::MS_RDONLY, "size=4m");
        let journal = place.open();
        journal.events(vec![event(1)]);
        assert!(!journal.flush(Duration::from_secs(10)));
        journal.audit(entry(2)).unwrap_err();
        let troubles = journal.troubles();
        assert!(troubles[0].contains("journal.db") && troubles[0].contains("Read-only file system"), "{troubles:?}");
        assert!(troubles[1].contains("audit.jsonl") && troubles[1].contains("Read-only file system"), "{troubles:?}");
        assert_eq!(verify(&place.0, None).unwrap().head, head);
        mount(&place.0, libc::MS_REMOUNT, "size=4m");
        until("the journal heals", || journal.troubles().iter().all(|trouble| trouble.contains("audit")));
        journal.audit(entry(3)).unwrap();
        journal.events(vec![event(1)]);
        written(&journal);
        assert_eq!(journal.reader().unwrap().groups(Window::ALL).unwrap()[0].count, 2);
    });
}
