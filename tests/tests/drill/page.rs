//! The failure matrix against its page and its tests.

use std::fs;

use enforcer_tests::{drill, project_root};

/// `ENFORCER_WRITE=1` in the environment writes the page anew.
#[test]
fn the_page_is_the_table() {
    let path = project_root().join("docs/failure-matrix.md");
    if std::env::var_os("ENFORCER_WRITE").is_some() {
        fs::write(&path, drill::page()).expect("write the page");
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == drill::page(),
        "docs/failure-matrix.md is not what tests/src/drill.rs says; ENFORCER_WRITE=1 writes it"
    );
}

#[test]
fn every_row_has_a_test_that_is_there() {
    let root = project_root().join("tests/tests");
    for test in drill::tests() {
        let (binary, name) = test.split_once(' ').expect("binary and name");
        let (module, function) = name.rsplit_once("::").unwrap_or(("", name));
        let file = if module.is_empty() {
            root.join(format!("{binary}.rs"))
        } else {
            root.join(binary).join(format!("{module}.rs"))
        };
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{test}: {}: {error}", file.display()));
        assert!(text.contains(&format!("#[test]\nfn {function}()")), "{test} is not in {}", file.display());
    }
}

/// A drill that no row names would be run and not be told.
#[test]
fn every_drill_is_in_a_row() {
    let folder = project_root().join("tests/tests/drill");
    let named: Vec<&str> = drill::tests().collect();
    for entry in fs::read_dir(folder).expect("the folder").flatten() {
        let file = entry.file_name().to_string_lossy().replace(".rs", "");
        let text = fs::read_to_string(entry.path()).expect("a source file");
        for part in text.split("#[test]\nfn ").skip(1).filter(|_| file != "page") {
            let name = format!("drill {file}::{}", part.split('(').next().unwrap_or_default());
            let told = named.contains(&name.as_str());
            assert!(told || ALSO.contains(&name.as_str()), "{name} is in no row of tests/src/drill.rs");
        }
    }
}

/// What is no failure.
const ALSO: [&str; 2] = [
    "drill restart::counters_of_earlier_policies_go_on_over_a_crash",
    "drill service::the_unit_is_exposed_less_than_three",
];
