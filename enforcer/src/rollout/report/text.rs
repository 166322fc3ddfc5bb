//! The report for a terminal: plain ASCII, 80 columns, readable over a serial line. Text to paste keeps its own length.

use super::model::{Change, Counts, Frames, Group, Report};
use super::page::{Page, cut, pasted};
use crate::learn::times;

/// Several lines, each ended.
pub fn text(report: &Report) -> String {
    let mut page = Page::default();
    head(&mut page, report);
    counts(&mut page, report);
    groups(&mut page, report);
    frames(&mut page, &report.frames);
    rules(&mut page, report);
    rest(&mut page, report);
    page.0
}

/// `2026-11-23 06:00:00` of a time in RFC 3339.
pub(super) fn short(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

fn head(page: &mut Page, report: &Report) {
    let state = &report.state;
    page.wrapped(
        "SHADOW REPORT  ",
        &format!(
            "policy {} revision {}, generation {}, box in {}",
            state.policy, state.revision, state.generation, state.mode
        ),
    );
    page.line(&format!("{} to {} UTC", short(&state.since), short(&state.until)));
    page.line(&format!("made {} UTC by enforcer {}", short(&state.made), state.version));
    page.heading(&report.verdict.headline);
    for sentence in &report.verdict.why {
        page.wrapped("  - ", sentence);
    }
    for sentence in &report.attention {
        page.wrapped("  ! ", sentence);
    }
    if !report.verdict.measures.is_empty() {
        page.line("");
        page.line("measure                                           value       wanted");
    }
    for one in &report.verdict.measures {
        let name = one.conduit.as_ref().map_or_else(|| one.name.clone(), |conduit| format!("{conduit}: {}", one.name));
        let mark = match one.ok {
            Some(true) => "ok",
            Some(false) => "NOT MET",
            None => "?",
        };
        let line = format!("{:<44} {:>10} {:>12}  {mark}", cut(&name, 44), word(&one.value), word(&one.threshold));
        page.line(&line);
    }
}

/// A JSON value as people read it.
pub(super) fn word(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        serde_json::Value::Number(_) | serde_json::Value::Array(_) | serde_json::Value::Object(_) => value.to_string(),
    }
}

fn counts(page: &mut Page, report: &Report) {
    page.heading("conduits");
    page.line(&format!(
        "{:<22} {:<8} {:>10} {:>10} {:>7} {:>7} {:>10}",
        "conduit", "mode", "evaluated", "allow", "log", "deny", "would deny"
    ));
    let mut row = |name: &str, mode: &str, one: &Counts| {
        page.line(&format!(
            "{:<22} {mode:<8} {:>10} {:>10} {:>7} {:>7} {:>10}",
            cut(name, 22),
            one.evaluated,
            one.allow,
            one.log,
            one.deny,
            one.would_deny
        ));
    };
    for one in &report.conduits {
        row(&one.name, &one.mode, &one.counts);
    }
    row("(no conduit)", "", &report.uncovered);
}

fn groups(page: &mut Page, report: &Report) {
    page.heading("would have been denied");
    if report.groups.is_empty() {
        page.line("  Nothing that a rule decides.");
    }
    let mut before = None;
    for group in &report.groups {
        if before != Some(&group.conduit) {
            page.line("");
            page.line(&match &group.conduit {
                Some(name) => format!("conduit {name}"),
                None => "no conduit".to_owned(),
            });
        }
        before = Some(&group.conduit);
        one(page, group);
    }
}

fn one(page: &mut Page, group: &Group) {
    page.wrapped(&format!("[{}] ", group.id), &format!("{}: {}", group.title, times(group.count)));
    let end = |end: &super::model::End| match &end.zone {
        Some(zone) => format!("{} ({zone})", end.address),
        None => end.address.clone(),
    };
    page.wrapped("    ", &format!("{} -> {}, {}", end(&group.from), end(&group.to), service(group)));
    page.line(&format!("    first {}   last {}", short(&group.first), short(&group.last)));
    if group.ranges > group.objects.len().max(1) {
        page.wrapped("    ", &format!("{} different ranges, joined: {}", group.ranges, group.objects.join(", ")));
    } else if group.objects.len() > 6 {
        page.wrapped("    ", &format!("all objects: {}", group.objects.join(", ")));
    }
    if group.without_operation > 0 {
        page.wrapped(
            "    ",
            &format!("and {} segments of the same conversations without operation", group.without_operation),
        );
    }
    page.wrapped("    why: ", &format!("{} ({})", group.why, group.reason));
    for warning in &group.warnings {
        page.wrapped("    ! ", warning);
    }
    for (index, change) in group.changes.iter().enumerate() {
        self::change(page, change, index);
    }
}

/// `modbus, tcp port 502`.
pub(super) fn service(group: &Group) -> String {
    let carrier = match (&group.transport, group.port) {
        (Some(transport), Some(port)) => format!("{transport} port {port}"),
        (Some(transport), None) => transport.clone(),
        (None, _) => return group.protocol.clone(),
    };
    // What is not inspected is called as its transport is.
    let same = group.transport.as_ref() == Some(&group.protocol);
    if same { carrier } else { format!("{}, {carrier}", group.protocol) }
}

fn change(page: &mut Page, change: &Change, index: usize) {
    let start = if index == 0 { "    to allow it: " } else { "    or: " };
    let proof = if change.proven { "proven" } else { "not proven" };
    page.wrapped(start, &format!("{} ({proof})", change.text));
    if !change.also_allows.is_empty() {
        page.wrapped("    ", &also(&change.also_allows));
    }
    for piece in &change.pieces {
        page.wrapped("      # ", &format!("{}:", piece.place));
        for line in piece.toml.lines() {
            page.0 += pasted(&format!("      {line}")).trim_end();
            page.0.push('\n');
        }
    }
}

/// Which other groups a change allows.
pub(super) fn also(ids: &[u32]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("[{id}]")).collect();
    format!("It allows {} as well.", ids.join(", "))
}

fn frames(page: &mut Page, frames: &[Frames]) {
    if frames.is_empty() {
        return;
    }
    page.heading("denied for other reasons than the policy's rules");
    for one in frames {
        let conduit = one.conduit.as_ref().map(|name| format!(", conduit {name}")).unwrap_or_default();
        page.wrapped("  ", &format!("{}: {}, {} -> {}{conduit}", one.reason, times(one.count), one.from, one.to));
        page.wrapped("    ", &format!("{}. {}", one.meaning, one.advice));
        page.line(&format!("    first {}   last {}", short(&one.first), short(&one.last)));
    }
}

fn rules(page: &mut Page, report: &Report) {
    page.heading("rules, and how often each decided");
    if report.rules.is_empty() {
        page.line("  The policy has no rules.");
    }
    for rule in &report.rules {
        let hits = if rule.hits == 0 { "never hit".to_owned() } else { rule.hits.to_string() };
        page.line(&format!(
            "  {:<42} {:<6} {hits:>12}",
            cut(&format!("{}/{}", rule.conduit, rule.name), 42),
            rule.action
        ));
    }
    let never = report.rules.iter().filter(|rule| rule.hits == 0 && rule.action != "deny").count();
    if never > 0 {
        page.wrapped(
            "  ",
            &format!("{never} allow and log rules were never hit: wait for their traffic, or take them out."),
        );
    }
}

fn rest(page: &mut Page, report: &Report) {
    let lost: Vec<_> = report.losses.iter().filter(|loss| loss.count > 0).collect();
    if report.losses.is_empty() {
        return;
    }
    page.heading("lost on the way to this report");
    if lost.is_empty() {
        page.line("  Nothing.");
    }
    for loss in lost {
        page.line(&format!("  {:<30} {:>12}", loss.what, loss.count));
    }
}
