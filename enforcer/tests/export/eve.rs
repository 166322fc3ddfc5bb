//! JSON lines: rotation under load, a file moved away, a disk that is full.

use std::fs;
use std::path::Path;

use enforcer::config::{self, Eve, EveTarget};
use enforcer::export::Exports;
use serde_json::Value;

use super::{event, folder, state, until};

fn exports(file: &Path, rotate: Option<u64>, queue: usize) -> Exports {
    let eve = Eve { target: EveTarget::File(file.to_owned()), rotate, keep: 100, queue };
    Exports::start(&config::Exports { eve: Some(eve), syslog: None })
}

fn units(file: &Path) -> Vec<usize> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let unit = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        usize::try_from(value["unit"].as_u64().expect("unit")).expect("small")
    };
    text.lines().map(unit).collect()
}

#[test]
fn every_event_is_whole_in_one_file_over_many_rotations() {
    let folder = folder("rotations");
    let file = folder.join("eve.json");
    let mut exports = exports(&file, Some(4096), 4096);
    for number in 0..500 {
        exports.offer(&event(number));
        if number % 10 == 0 {
            until(&exports, "written", |state| state.queued == 0);
        }
    }
    exports.finish();
    assert_eq!((state(&exports).sent, state(&exports).lost), (500, 0), "{:?}", state(&exports));
    let mut names: Vec<_> = fs::read_dir(&folder).expect("list").flatten().map(|entry| entry.path()).collect();
    assert!(names.len() > 20, "{names:?}");
    assert!(names.iter().all(|name| fs::metadata(name).expect("size").len() <= 4096), "{names:?}");
    let age = |path: &std::path::PathBuf| {
        path.extension().and_then(|end| end.to_str()).and_then(|end| end.parse().ok()).unwrap_or(0_u32)
    };
    names.sort_by_key(|path| std::cmp::Reverse(age(path)));
    let read: Vec<usize> = names.iter().flat_map(|name| units(name)).collect();
    assert_eq!(read, (0..500).collect::<Vec<_>>());
    fs::remove_dir_all(&folder).expect("remove");
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew_when_told() {
    let folder = folder("moved");
    let (file, moved) = (folder.join("eve.json"), folder.join("eve.json-20261123"));
    let mut exports = exports(&file, None, 4096);
    exports.offer(&event(1));
    until(&exports, "the first", |state| state.sent == 1);
    fs::rename(&file, &moved).expect("rename");
    exports.offer(&event(2));
    until(&exports, "the second", |state| state.sent == 2);
    exports.reopen();
    exports.offer(&event(3));
    exports.finish();
    assert_eq!((units(&moved), units(&file)), (vec![1, 2], vec![3]), "{:?}", state(&exports));
    fs::remove_dir_all(&folder).expect("remove");
}

#[test]
fn a_full_disk_loses_what_finds_no_room_and_counts_it() {
    let mut exports = exports(Path::new("/dev/full"), None, 16);
    exports.offer(&event(0));
    until(&exports, "it fails", |state| state.last_error.is_some());
    for number in 1..1000 {
        exports.offer(&event(number));
    }
    let failing = state(&exports);
    assert!(!failing.connected && failing.sent == 0, "{failing:?}");
    assert_eq!(failing.lost + failing.queued, 1000, "{failing:?}");
    let attention = exports.attention();
    assert!(attention[0].starts_with("export eve: /dev/full: No space left on device"), "{attention:?}");
    exports.finish();
    let end = state(&exports);
    assert_eq!((end.sent, end.lost, end.queued), (0, 1000, 0), "{end:?}");
}
