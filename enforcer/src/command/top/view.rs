//! The page: head, conduits, health, attention, and the newest denials in what room is left.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use serde_json::Value;

use super::pen::{Pen, number, word};
use super::row::{Row, plain};
use super::state::State;
use super::table::{conduits, short};

/// Rows left to the denials at least.
const DENIALS: usize = 6;

const HELP: &[&str] = &[
    "enforcer top",
    "",
    "q, Esc, Ctrl-C   quit",
    "p                hold the page; again: go on",
    "up, down         scroll the denials, PgUp and PgDn by ten, Home to the newest",
    "left, right      move the denials sideways, where lines are longer than the screen",
    "?                this page; again: back",
    "",
    "eval/s, deny/s, would/s: per second over the last 5 seconds.",
    "deny:  denied and stopped.  would: denied by the policy, and let through because",
    "       the mode is not enforce.  log: allowed and reported.",
    "",
    "A row of the denials stands for as many events in a row as its number says;",
    "its time is that of the newest (UTC). The word behind it is the reason:",
    "function, unit, object, value: no rule allows this one; not_covered: no conduit.",
    "",
    "health: polls of the device per second, the part of them that it answered,",
    "        median and 99th percentile of its response time, exceptions, resets.",
];

/// Draws the whole page for the time `now` since the start.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, now: Duration) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let (shown, now, paused) = state.shown(now);
    let pen = Pen { width, colours: state.colours };
    let lines = if state.help {
        HELP.iter().map(|line| pen.plain(line)).collect()
    } else {
        page(&pen, shown, now, paused, height)
    };
    frame.render_widget(Paragraph::new(lines), Rect { ..area });
}

fn page(pen: &Pen, state: &State, now: Duration, paused: bool, height: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let nothing = Value::Null;
    let (came, status) = state.status.as_ref().map_or((now, &nothing), |(came, status)| (*came, status));
    head(pen, &mut lines, state, status, now, paused);
    if state.status.is_none() {
        return lines;
    }
    unconfirmed(pen, &mut lines, status, now.saturating_sub(came));
    let health = health(pen, status);
    let attention = attention(pen, status);
    // The denials get a part of the page whatever else there is.
    let room = height.saturating_sub(lines.len() + health.len() + attention.len() + DENIALS + 1).max(3);
    conduits(pen, &mut lines, state, status, room);
    lines.extend(health);
    lines.extend(attention);
    denials(pen, &mut lines, state, height);
    lines
}

fn head(pen: &Pen, lines: &mut Vec<Line<'static>>, state: &State, status: &Value, now: Duration, paused: bool) {
    let keys = if paused { "PAUSED  p go on" } else { "q quit  p pause  ? help" };
    let mode = word(status, "mode").to_uppercase();
    let policy = &status["policy"];
    let left = if state.status.is_some() {
        format!(
            "{} rev {} gen {}",
            plain(word(policy, "name")),
            number(policy, "revision"),
            number(policy, "generation")
        )
    } else {
        "waiting for the daemon".to_owned()
    };
    let staged = !policy["candidate"].is_null() || !status["candidate"].is_null();
    let candidate = if staged { " +candidate" } else { "" };
    let start = format!("enforcer  {mode:<8} ");
    let room = pen.width.saturating_sub(start.len() + keys.len() + 1);
    let middle = Pen { width: room, ..*pen }.cut(&format!("{left}{candidate}"));
    let colour = match mode.as_str() {
        "ENFORCE" => Color::Green,
        "BYPASS" => Color::Red,
        _ => Color::Yellow,
    };
    lines.push(Line::from(vec![
        pen.span("enforcer  ", Color::Reset, false),
        pen.span(&format!("{mode:<8} "), colour, true),
        pen.span(&format!("{middle:<room$} "), Color::Reset, false),
        pen.span(keys, Color::Reset, paused),
    ]));
    if let Some((since, why)) = &state.lost {
        let gone = now.saturating_sub(*since).as_secs();
        lines.push(pen.styled(&format!("! no answer for {gone} s, what follows is old: {why}"), Color::Red, true));
    }
    if state.status.is_none() {
        return;
    }
    let port = |side: &str| {
        let port = &status["ports"][side];
        format!("{side} {} {} {}", word(port, "name"), word(port, "link"), word(port, "attach"))
    };
    let flows = &status["flows"];
    lines.push(pen.plain(&format!(
        "{}   {}   flows {}, {} unsynced   lost {}",
        port("network"),
        port("device"),
        number(flows, "established"),
        number(flows, "unsynchronised"),
        number(&status["events"], "lost")
    )));
}

/// A change that waits for its confirmation, and readiness.
fn unconfirmed(pen: &Pen, lines: &mut Vec<Line<'static>>, status: &Value, age: Duration) {
    let change = &status["unconfirmed"];
    if change.is_object() {
        let left = number(change, "seconds_left").saturating_sub(age.as_secs());
        let text = format!(
            "! {} is unconfirmed: back to {} in {}:{:02} (enforcer confirm)",
            word(change, "what"),
            word(change, "back_to"),
            left / 60,
            left % 60
        );
        lines.push(pen.styled(&text, Color::Red, true));
    }
    let readiness = &status["readiness"];
    if let Some(ready) = readiness["ready"].as_bool() {
        let missing: Vec<&str> =
            readiness["missing"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if ready {
            lines.push(pen.styled("ready to enforce", Color::Green, false));
        } else {
            lines.push(pen.plain(&format!("not ready to enforce: {}", missing.join("; "))));
        }
    }
    for grant in status["grants"].as_array().into_iter().flatten() {
        let [from, to, protocol] = ["from", "to", "protocol"].map(|key| grant[key].as_str().unwrap_or("-"));
        let left = grant["seconds_left"].as_u64().map(|left| format!(", {} min left", left.div_ceil(60)));
        lines.push(pen.plain(&format!("grant in force: {from} > {to} {protocol}{}", left.unwrap_or_default())));
    }
}

fn health(pen: &Pen, status: &Value) -> Vec<Line<'static>> {
    let health = &status["health"];
    if !health.is_object() {
        return Vec::new();
    }
    let state = word(health, "state");
    let mut lines = vec![pen.rule(&format!("health: {state}"))];
    for device in health["devices"].as_array().into_iter().flatten().take(3) {
        let part = |key: &str| device[key].as_f64();
        let text = format!(
            "{:<17}{:>6} polls/s {:>6} ok  p50 {} p99 {}  exc {} rst {}",
            word(device, "device"),
            part("polls_per_s").map_or("-".to_owned(), |rate| format!("{rate:.1}")),
            part("answered").map_or("-".to_owned(), |part| format!("{:.1}%", part * 100.0)),
            milliseconds(&device["response_us_p50"]),
            milliseconds(&device["response_us_p99"]),
            number(device, "exceptions"),
            number(device, "resets")
        );
        lines.push(if state == "worse" { pen.styled(&text, Color::Red, true) } else { pen.plain(&text) });
    }
    lines
}

fn milliseconds(micros: &Value) -> String {
    micros.as_f64().map_or_else(|| "-".to_owned(), |micros| format!("{:.1}ms", micros / 1000.0))
}

fn attention(pen: &Pen, status: &Value) -> Vec<Line<'static>> {
    let sentences: Vec<&str> = status["attention"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if sentences.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![pen.rule(&format!("needs attention: {}", sentences.len()))];
    lines.extend(sentences.iter().take(3).map(|sentence| pen.styled(&format!("! {sentence}"), Color::Red, false)));
    if sentences.len() > 3 {
        lines.push(pen.plain(&format!("   ... and {} more: `enforcer status`", sentences.len() - 3)));
    }
    lines
}

fn denials(pen: &Pen, lines: &mut Vec<Line<'static>>, state: &State, height: usize) {
    let place = if state.down == 0 { "newest first".to_owned() } else { format!("from row {}", state.down + 1) };
    lines.push(pen.rule(&format!("denials and changes, UTC, {place}")));
    if state.rows.is_empty() {
        lines.push(pen.plain("   none in the last hour"));
    }
    let room = height.saturating_sub(lines.len());
    for row in state.rows.iter().skip(state.down).take(room) {
        lines.push(denial(pen, row, state.right));
    }
}

fn denial(pen: &Pen, row: &Row, right: usize) -> Line<'static> {
    let count = if row.count > 1 { format!("x{}", short(row.count)) } else { String::new() };
    let start = format!("{} {:<6}{count:>5} ", row.time, Pen { width: 6, ..*pen }.cut(&row.kind));
    let text = format!("{start}{}", row.what.get(right..).unwrap_or_default());
    match row.kind.as_str() {
        "deny" => pen.styled(&text, Color::Red, false),
        "would" => pen.styled(&text, Color::Yellow, false),
        _ => pen.plain(&text),
    }
}
