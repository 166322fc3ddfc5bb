//! The evasion suite as a test: what `cargo xtask evade` prints must be zeroes, and its page must be true.

use enforcer_tests::evade::{self, CLASSES, Choice, Setting, page, random, table};

#[test]
fn no_vector_gets_past_the_box() {
    let play = |setting| evade::run(&Choice { setting, words: String::new() }, |_| {});
    let mut findings = Vec::new();
    for setting in [Setting::Enforce, Setting::Shadow, Setting::Learn] {
        for tally in play(setting) {
            findings.extend(tally.notes.iter().map(|note| format!("{setting:?} {note}")));
        }
    }
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn random_mutations_do_not_get_past_the_box() {
    let outcome = random::run(random::seed(), random::mutations());
    assert!(outcome.leaks.is_empty() && outcome.broken.is_empty(), "{outcome:#?}");
    assert!(outcome.taken > outcome.mutations / 100, "hardly anything gets through: {outcome:?}");
}

#[test]
fn the_page_names_every_class_and_vector() {
    let written = std::fs::read_to_string(page::path()).expect("docs/evasion.md");
    let results = page::table(&written);
    assert_eq!(written, page::text(&results), "docs/evasion.md is not what `cargo xtask evade --write` makes");
    let rows: Vec<Vec<&str>> = results.lines().skip(2).map(|line| line.split('|').map(str::trim).collect()).collect();
    let expected = CLASSES.iter().map(|class| (class.name.to_owned(), class.vectors.len().to_string()));
    let expected: Vec<_> = expected.chain([("all".to_owned(), table::vectors().to_string())]).collect();
    let listed: Vec<_> = rows.iter().map(|row| (row[1].to_owned(), row[2].to_owned())).collect();
    assert_eq!(listed, expected, "the table in docs/evasion.md is of other vectors");
}
