//! The pages in `docs` against the files they quote.

use std::fs;

use enforcer_tests::project_root;

/// A reader copies from the page: what it shows as policy must be lines of an example that other tests judge by.
#[test]
fn every_policy_shown_stands_in_an_example() {
    let root = project_root();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let examples: Vec<String> = ["read-only", "setpoint", "engineering-window", "plant-floor"]
        .iter()
        .map(|name| read(&format!("configs/policies/{name}.toml")))
        .collect();
    let page = read("docs/policy.md");
    let mut shown = 0;
    for block in page.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for part in block.split("\n\n").map(|part| part.trim_end_matches('\n')) {
            assert!(examples.iter().any(|example| example.contains(part)), "in no example policy:\n{part}");
            shown += 1;
        }
    }
    assert!(shown >= 8, "the page shows {shown} pieces of policy");
}
