//! What people read: status, events and errors as text.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use serde_json::Value;

/// Prints a line; a reader that has seen enough (`| head`) is no error.
pub(super) fn print(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints an error and hands on its code.
pub(super) fn complain(text: impl Display, code: u8) -> u8 {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    code
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("-")
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

/// Numbers by name: `split_unit 3, one_way 1`.
fn counted(value: &Value) -> String {
    let each = value.as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}"));
    each.collect::<Vec<_>>().join(", ")
}

/// The status document as a page.
pub(super) fn status(status: &Value) -> String {
    let mut page = String::new();
    let policy = &status["policy"];
    let _ = writeln!(
        page,
        "mode {}   policy {} revision {}   generation {}",
        text(status, "mode"),
        text(policy, "name"),
        policy["revision"],
        policy["generation"]
    );
    if let Some(name) = policy["candidate"]["name"].as_str() {
        let _ = writeln!(page, "candidate {name} revision {}", policy["candidate"]["revision"]);
    }
    if let Some(what) = status["unconfirmed"]["what"].as_str() {
        let _ = writeln!(
            page,
            "UNCONFIRMED {what}: back to {} in {} s",
            text(&status["unconfirmed"], "back_to"),
            number(&status["unconfirmed"], "seconds_left")
        );
    }
    match status["readiness"]["ready"].as_bool() {
        Some(true) => page.push_str("ready to enforce\n"),
        Some(false) => {
            let missing = status["readiness"]["missing"].as_array().map_or(0, Vec::len);
            let _ = writeln!(page, "not ready to enforce: {missing} measures are missing (`enforcer shadow report`)");
        }
        None => {}
    }
    for side in ["network", "device"] {
        let port = &status["ports"][side];
        let _ = writeln!(
            page,
            "{side:<8} {:<12} link {:<5} {}",
            text(port, "name"),
            text(port, "link"),
            text(port, "attach")
        );
    }
    let _ = writeln!(
        page,
        "\n{:<24} {:<8} {:>10} {:>10} {:>8} {:>8} {:>11}",
        "conduit", "mode", "evaluated", "allow", "log", "deny", "would deny"
    );
    let mut row = |name: &str, mode: &str, counts: &Value| {
        let _ = writeln!(
            page,
            "{name:<24} {mode:<8} {:>10} {:>10} {:>8} {:>8} {:>11}",
            number(counts, "evaluated"),
            number(counts, "allow"),
            number(counts, "log"),
            number(counts, "deny"),
            number(counts, "would_deny")
        );
    };
    for conduit in status["conduits"].as_array().into_iter().flatten() {
        row(text(conduit, "name"), text(conduit, "mode"), conduit);
    }
    row("(no conduit)", "", &status["uncovered"]);
    let reasons = counted(&status["reasons"]);
    if !reasons.is_empty() {
        let _ = writeln!(page, "\ndenied, or would be, for: {reasons}");
    }
    let flows = &status["flows"];
    let _ = writeln!(
        page,
        "\nflows: {} established, {} half open, {} unsynchronised   events: {} read, {} lost",
        number(flows, "established"),
        number(flows, "half_open"),
        number(flows, "unsynchronised"),
        number(&status["events"], "emitted"),
        number(&status["events"], "lost")
    );
    for (address, device) in flows["devices"].as_object().into_iter().flatten() {
        let [locked, pending, not] = ["locked", "pending", "cannot_be_locked"].map(|key| number(device, key));
        let why = counted(&device["why"]);
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        let _ = writeln!(page, "  {address:<22} {locked} locked, {pending} pending, {not} cannot be locked{why}");
    }
    let memory = &flows["memory"];
    let _ = writeln!(
        page,
        "tables: {} conversations of {} bytes, {} for each device; {} half open; {} KiB",
        number(memory, "flows"),
        number(memory, "bytes_per_flow"),
        number(memory, "flows_per_device"),
        number(memory, "half_open"),
        (number(memory, "flow_bytes") + number(memory, "half_open_bytes")) / 1024
    );
    if let left @ 1.. = number(status, "grace_left") {
        let _ = writeln!(page, "grace: for {left} s more conversations are taken up that were open before");
    }
    for sentence in status["attention"].as_array().into_iter().flatten() {
        let _ = writeln!(page, "! {}", sentence.as_str().unwrap_or("-"));
    }
    page.trim_end().to_owned()
}

/// An event on one line.
pub(super) fn event(event: &Value) -> String {
    let mut line = format!("{} {:<10}", text(event, "time"), text(event, "event"));
    if let Some(what) = event["what"].as_str() {
        let _ = write!(line, " {what}");
        return line;
    }
    let _ = write!(line, " {} > {} {}", text(event, "src"), text(event, "dst"), text(event, "protocol"));
    match (&event["name"], &event["function"]) {
        (Value::String(name), _) => {
            let _ = write!(line, " {name}");
        }
        (_, Value::Number(function)) => {
            let _ = write!(line, " function {function}");
        }
        _ => {}
    }
    if let Some(unit) = event["unit"].as_u64() {
        let _ = write!(line, " unit {unit}");
    }
    for object in event["objects"].as_array().into_iter().flatten() {
        let _ = write!(line, " {}:{}-{}", text(object, "space"), object["first"], object["last"]);
    }
    if let Some(values) = event["values"].as_object() {
        let _ = write!(line, " values {}-{}", values["min"], values["max"]);
    }
    if let Some(conduit) = event["conduit"].as_str() {
        let _ = write!(line, "  {conduit}");
    }
    if let Some(rule) = event["rule"].as_str() {
        let _ = write!(line, "/{rule}");
    }
    let _ = write!(line, "  {} -> {}", text(event, "reason"), text(event, "action"));
    line
}

/// What was learned, as a table.
pub(super) fn learned(learned: &Value) -> String {
    let mut page = format!(
        "{} distinct operations, seen {} times: {} clients, {} servers, {} pairs\n",
        number(learned, "distinct"),
        number(learned, "count"),
        number(learned, "clients"),
        number(learned, "servers"),
        number(learned, "pairs")
    );
    if let Some(moment) = learned["last_new"].as_str() {
        let _ = writeln!(page, "the last new one: {moment}");
    }
    let _ = writeln!(page, "\n{:<16} {:<10} {:>10} {:>12}", "protocol", "class", "distinct", "seen");
    for kind in learned["kinds"].as_array().into_iter().flatten() {
        let _ = writeln!(
            page,
            "{:<16} {:<10} {:>10} {:>12}",
            text(kind, "protocol"),
            text(kind, "access"),
            number(kind, "distinct"),
            number(kind, "count")
        );
    }
    let curve = learned["curve"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !curve.is_empty() {
        let _ = writeln!(page, "\nnew operations by hour:");
    }
    // The newest two days.
    for hour in curve.iter().skip(curve.len().saturating_sub(48)) {
        let new = number(hour, "new");
        let bar = "#".repeat(usize::try_from(new.min(50)).unwrap_or(50));
        let _ = writeln!(page, "  {} {new:>6} {bar}", text(hour, "hour").get(..16).unwrap_or("-"));
    }
    if let Some(verdict) = learned["verdict"].as_str() {
        let _ = writeln!(page, "{verdict}");
    }
    if let exceptions @ 1.. = number(learned, "exceptions") {
        let _ = writeln!(
            page,
            "! {exceptions} pairs split their units over segments: their conduits need segmentation = \"stream\""
        );
    }
    if let lost @ 1.. = number(learned, "lost") {
        let _ = writeln!(page, "! {lost} operations found the table full and are not in it");
    }
    page.trim_end().to_owned()
}
