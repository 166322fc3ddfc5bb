//! What kernel and controller share has a version. Sizes alone do not tell two layouts apart: two fields that change places
//! keep theirs, and a controller would go on with maps that it misreads.

use std::fs;
use std::path::Path;

use enforcer_common::abi::VERSION;

/// The version, and what the shared records were when it was given out.
const TOLD: (u64, u64) = (12, 0xcca5_e5b4_385f_5849);

/// Names and types of the fields of every record with a fixed layout, in order, without comments.
fn records(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            records(&path, found);
        } else {
            let text = fs::read_to_string(&path).expect("a source file");
            for part in text.split("#[repr(C)]\n").skip(1) {
                let lines = part.lines().map(str::trim).take_while(|line| *line != "}");
                let told = lines.filter(|line| !line.starts_with("//") && !line.starts_with("#["));
                found.push(told.collect::<Vec<_>>().join(" "));
            }
        }
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn a_shared_record_that_changed_has_another_version() {
    let mut found = Vec::new();
    records(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    assert!(found.len() > 20 && found.iter().any(|record| record.starts_with("pub struct Flow {")), "{found:#?}");
    let now = (VERSION, hash(&found.join("\n")));
    assert!(
        now == TOLD,
        "a record that kernel and controller share is not what it was under version {}: raise VERSION in src/abi.rs, \
         unless only a name changed, and write ({}, {:#018x}) here",
        TOLD.0,
        now.0,
        now.1
    );
}
