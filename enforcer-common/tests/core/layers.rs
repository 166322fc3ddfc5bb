//! No stage imports a later one. The order is DESIGN.md section 2; what every stage may use is named here, with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The stages in order, and the files beside them that belong to one.
const STAGES: &[&[&str]] = &[
    &["port"],
    &["link"],
    &["network"],
    &["transport"],
    &["admission", "options", "digest"],
    &["conduit"],
    &["icmp", "neighbour"],
    &["stream", "table", "answer"],
    &["protocol"],
    &["policy"],
    &["judge", "action", "reset"],
    &["known"],
    &["event", "observation", "report", "health", "candidate"],
];

/// Records and words that stages hand each other. They decide nothing.
const SHARED: &[&str] = &[
    "bytes",       // the seam to the frame's bytes
    "head",        // the same of a plain frame's headers
    "buckets",     // times sorted by size
    "environment", // the seam to flows, modes, time, counters and events
    "scratch",     // what the stages know about one frame
    "flow",        // what is kept of a conversation
    "found",       // where a conversation was found before
    "operation",   // the record that protocols fill and policy reads
    "verdict",     // reasons and modes: the words for an outcome
    "settings",    // the switches that the controller writes
];

/// What an early stage may take from a later one, word by word.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("conduit", "policy"),   // it looks itself up in the compiled policy that it is handed
    ("icmp", "policy"),      // the rate's arithmetic
    ("neighbour", "policy"), // the policy says which addresses are devices'
    ("stream", "policy"),    // the policy says what happens to a conversation without beginning
    ("answer", "policy"),    // the number that stands for no conduit
    ("answer", "protocol"),  // the registry: whose answers stand alone
    ("conduit", "protocol"), // the registry: which protocol stands at a port
    ("conduit", "action"),   // OnDeny, a word of the conduit's entry
    ("policy", "action"),    // OnDeny, a word of the conduit's entry
    ("stream", "action"),    // OnDeny, for conversations that the policy resets
];

/// Modules that compose or measure all stages.
const ABOVE: &[&str] = &["lib", "decide", "ordinary", "abi", "processing"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the core's sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn stage(module: &str) -> Option<usize> {
    STAGES.iter().position(|modules| modules.contains(&module))
}

/// The first path segment behind every `crate::`, comments and unit tests left out.
fn imports(source: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String =
        product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for item in list {
            let word = |letter: char| letter.is_alphanumeric() || letter == '_';
            found.insert(item.trim().chars().take_while(|letter| word(*letter)).collect());
        }
    }
    found
}

#[test]
fn no_stage_imports_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "{files:?}");
    let mut used: BTreeSet<&(&str, &str)> = BTreeSet::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("inside");
        let module = inside.iter().next().expect("a name").to_str().expect("UTF-8").trim_end_matches(".rs");
        if SHARED.contains(&module) || ABOVE.contains(&module) {
            continue;
        }
        let mine =
            stage(module).unwrap_or_else(|| panic!("{module} is neither a stage nor shared: give it its place here"));
        for import in imports(&fs::read_to_string(&file).expect("a source")) {
            if SHARED.contains(&import.as_str()) {
                continue;
            }
            assert!(!ABOVE.contains(&import.as_str()) || import == "abi", "{} uses {import}", inside.display());
            let Some(theirs) = stage(&import) else { continue };
            let allowed = EXCEPTIONS.iter().find(|pair| **pair == (module, import.as_str()));
            used.extend(allowed);
            assert!(theirs <= mine || allowed.is_some(), "{} uses {import}, a later stage", inside.display());
        }
    }
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception that nothing needs: {used:?}");
}

#[test]
fn the_search_for_imports_sees_them() {
    let source =
        "use crate::link;\nuse crate::{conduit, stream};\n/// [`crate::event::Event`]\nfn f() -> crate::policy::Image";
    let found: Vec<String> = imports(source).into_iter().collect();
    assert_eq!(found, ["conduit", "link", "policy", "stream"]);
}
