//! An event on one line: when, what became of it, how often, why, what, who.

use serde_json::Value;

/// What is shown of an event. Events that differ in nothing of it are one row with a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Time of day of the newest, UTC.
    pub time: String,
    /// deny, would, or the kind of the event.
    pub kind: String,
    pub count: u64,
    pub what: String,
}

/// The row for a denial, or for something that changed; nothing for what passes.
pub(super) fn of(event: &Value) -> Option<Row> {
    let kind = event["event"].as_str().unwrap_or("-");
    if matches!(kind, "allow" | "log" | "asset") {
        return None;
    }
    let time = event["time"].as_str().and_then(|time| time.get(11..19)).unwrap_or("--:--:--");
    let kind = if kind == "would_deny" { "would" } else { kind };
    let count = event["count"].as_u64().unwrap_or(1);
    Some(Row { time: plain(time), kind: plain(kind), count, what: plain(&what(event)) })
}

impl Row {
    /// True when both are the same but for time and count.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.kind, &self.what) == (&other.kind, &other.what)
    }
}

fn what(event: &Value) -> String {
    if let Some(what) = event["what"].as_str() {
        return what.to_owned();
    }
    let reason = event["reason"].as_str().unwrap_or("-");
    // What was not allowed stands first: it must be readable in 80 columns.
    let reason = reason.strip_suffix("_not_allowed").unwrap_or(reason);
    let mut words = vec![format!("{reason:<11}")];
    match (&event["name"], &event["function"]) {
        (Value::String(name), _) => words.push(name.clone()),
        (_, Value::Number(function)) => words.push(format!("function {function}")),
        _ => words.extend(event["protocol"].as_str().map(str::to_owned)),
    }
    for object in event["objects"].as_array().into_iter().flatten() {
        let (first, last) = (&object["first"], &object["last"]);
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        words.push(format!("{}:{range}", object["space"].as_str().unwrap_or("-")));
    }
    if event["src"].is_string() {
        words.push(format!("{} > {}", end(&event["src"]), end(&event["dst"])));
    }
    if let Some(unit) = event["unit"].as_u64() {
        words.push(format!("unit {unit}"));
    }
    if let Some(values) = event["values"].as_object() {
        let (min, max) = (values.get("min"), values.get("max"));
        let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
        let range = if min == max { text(min) } else { format!("{}-{}", text(min), text(max)) };
        words.push(format!("value {range}"));
    }
    words.extend(event["conduit"].as_str().map(|conduit| format!("({conduit})")));
    words.join(" ")
}

/// An end without its port: a client has another one each time.
fn end(end: &Value) -> &str {
    let end = end.as_str().unwrap_or("-");
    if let Some(rest) = end.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match end.rsplit_once(':') {
        Some((address, _)) if !address.contains(':') => address,
        _ => end,
    }
}

/// Printable ASCII: names come from the wire, and a terminal obeys some characters.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| if matches!(c, ' '..='~') { c.to_string() } else { c.escape_unicode().to_string() };
    text.chars().map(shown).collect()
}
