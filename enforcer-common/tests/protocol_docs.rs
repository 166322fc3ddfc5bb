//! `docs/protocols.md` is the function tables in print: generated, and compared with the file.
//!
//! `UPDATE_DOCS=1 cargo test -p enforcer-common --test protocol_docs` writes the file anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use enforcer_common::protocol::{Form, Function, Member, Protocol, Space, Tables};

const HEAD: &str = "\
# Protocols

<!-- Generated from the function tables in enforcer-common/src/protocol. Do not edit; write it anew with
     UPDATE_DOCS=1 cargo test -p enforcer-common --test protocol_docs -->

The protocols that are inspected, and the words that a policy has for them. The same tables name functions in events and in
`enforcer replay`.

- **Function** is the name for a rule's `functions`; the code does as well. A row with an object is a sub-function: the name
  stands for the code with exactly this object, and the row of the whole code stands for all of its sub-functions.
- **Class** is the word behind `@`: `\"@read\"` is every function of class read. A code that is divided into sub-functions
  belongs to the classes of those, not to the class of its own row. `unknown` cannot be named as a class.
- **ATT&CK** is the technique of MITRE ATT&CK for ICS that the function is an instance of.
- **Ask** marks functions that learning must not propose to allow: an engineer decides.

A code that is not in the table can be named by its number; it belongs to no class.
";

#[test]
fn the_page_holds_what_the_tables_hold() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocols.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).expect("docs/protocols.md can be written");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/protocols.md is out of date; write it anew with: UPDATE_DOCS=1 cargo test -p enforcer-common --test protocol_docs"
    );
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for protocol in Protocol::ALL.iter().copied().filter(|protocol| *protocol as u8 >= Protocol::FIRST_INSPECTED) {
        section(&mut page, protocol).expect("a String takes everything");
    }
    page
}

fn section(page: &mut String, protocol: Protocol) -> std::fmt::Result {
    writeln!(page, "\n## {}\n", protocol.as_str())?;
    let tables = protocol.tables();
    let functions = format!("Functions 0 to {}, units 0 to {}.", tables.last_function, tables.last_unit);
    match protocol.outer() {
        Some(outer) => {
            let (name, outer) = (protocol.as_str(), outer.as_str());
            let named = format!("A conduit of `{outer}` names its functions, by name or as `{name}:NUMBER`.");
            writeln!(page, "Inspected within `{outer}`. {named} {functions}")?;
        }
        None => {
            let ports: Vec<String> = protocol.ports().iter().map(u16::to_string).collect();
            let ports = if ports.is_empty() { "none; a conduit must list them".to_owned() } else { ports.join(", ") };
            writeln!(page, "Own ports: {ports}. {functions}")?;
        }
    }
    if tables.streams {
        writeln!(page, "\nUnits may be split over segments, unless the conduit says `segmentation = \"whole\"`.")?;
    }
    writeln!(page, "\n| Code | Function | Object | Class | ATT&CK | Ask |\n|---:|---|---|---|---|---|")?;
    for (index, row) in tables.functions.iter().enumerate() {
        // Inside another function it is the same one.
        if tables.functions.iter().take(index).any(|other| other.name == row.name) {
            continue;
        }
        let Function { code, object: _, name, access, technique, dangerous } = row;
        let (object, ask) = (object(protocol, row), if *dangerous { "yes" } else { "" });
        let cells = format!("| {code} | `{name}` | {object} | {} | {technique} | {ask} |", access.as_str());
        writeln!(page, "{}", cells.replace("|  |", "| |").replace("|  |", "| |"))?;
    }
    let carriers: Vec<String> = carriers(tables).iter().map(u32::to_string).collect();
    if !carriers.is_empty() {
        let named = "A rule that names a function means it there as well; its number alone does not.";
        writeln!(page, "\nFunctions {} carry others, each of them an object of theirs. {named}", carriers.join(", "))?;
    }
    if tables.spaces.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n| Objects | Numbers |\n|---|---|")?;
    for space in tables.spaces {
        let Space { name, last, .. } = space;
        let word = match space.form {
            Form::Numbered { last } => format!("`{name}0:` to `{name}{last}:`"),
            Form::NumberedFrom { first, last } => format!("`{name}{first}:` to `{name}{last}:`"),
            Form::Plain => format!("`{name}:`"),
            Form::Named { .. } => format!("`{name}:NAME`, `{name}:`"),
            Form::Identified { last } => {
                format!("`{name}0:TEXT`, `{name}0:#` to `{name}{last}:TEXT`, `{name}{last}:#`")
            }
            Form::Variation => format!("`{name}0v0:` to `{name}255v255:`"),
            Form::Number { last } => format!("`0x00/` to `0x{last:02X}/` ({name})"),
        };
        let member = match space.member {
            Some(Member { name, bits }) => format!(", then `/` and {name} 0 to {}", (1u32 << bits) - 1),
            None => String::new(),
        };
        writeln!(page, "| {word} | 0 to {last}{member} |")?;
    }
    Ok(())
}

/// Functions inside which others stand under their own names.
fn carriers(tables: &Tables) -> BTreeSet<u32> {
    let inside = |(index, row): (usize, &Function)| {
        tables.functions.iter().take(index).any(|other| other.name == row.name).then_some(row.code)
    };
    tables.functions.iter().enumerate().filter_map(inside).collect()
}

/// The object that stands for a sub-function, as a rule would write it.
fn object(protocol: Protocol, row: &Function) -> String {
    let Some(object) = row.object else { return String::new() };
    let named = |space: &&Space| {
        let (first, last) = space.numbers();
        (first..=last).contains(&object.space)
    };
    let space = protocol.tables().spaces.iter().find(named);
    let word = match space {
        Some(Space { name, form: Form::Numbered { .. }, space, .. }) => format!("{name}{}", object.space - space),
        Some(space) => space.name.to_owned(),
        None => object.space.to_string(),
    };
    let bits = space.map_or(0, Space::member_bits);
    let (first, last) = (object.first >> bits, object.last >> bits);
    if first == last { format!("`{word}:{first}`") } else { format!("`{word}:{first}-{last}`") }
}
