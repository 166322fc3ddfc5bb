//! Conduits with their rates and verdicts.

use ratatui::style::Color;
use ratatui::text::Line;
use serde_json::Value;

use super::pen::{Pen, number, word};
use super::state::{Rates, State};

/// The table of conduits in at most `room` lines, its head included; those that deny come first when not all have room.
pub(super) fn conduits(pen: &Pen, lines: &mut Vec<Line<'static>>, state: &State, status: &Value, room: usize) {
    lines.push(pen.rule(&format!(
        "{:<15}{:>8}{:>8}{:>7}{:>8}{:>10}{:>6}{:>6}{:>7}",
        "conduit", "mode", "eval/s", "deny/s", "would/s", "allow", "log", "deny", "would"
    )));
    let mut rows: Vec<(&str, &Value)> =
        status["conduits"].as_array().into_iter().flatten().map(|one| (word(one, "name"), one)).collect();
    rows.push(("", &status["uncovered"]));
    let fit = room.saturating_sub(1);
    let rest = rows.len().saturating_sub(fit);
    if rest > 0 {
        let denies = |name: &str| state.rates(name).map_or(0.0, |[_, deny, would]| deny + would);
        rows.sort_by(|one, other| denies(other.0).total_cmp(&denies(one.0)));
        rows.truncate(fit.saturating_sub(1));
    }
    for (name, one) in rows {
        lines.push(conduit(pen, name, one, state.rates(name)));
    }
    if rest > 0 {
        lines.push(
            pen.plain(&format!("   ... and {} more, which deny less: `enforcer status`", rest.saturating_add(1))),
        );
    }
}

fn conduit(pen: &Pen, name: &str, one: &Value, rates: Option<Rates>) -> Line<'static> {
    let shown = Pen { width: 18, ..*pen }.cut(if name.is_empty() { "(no conduit)" } else { name });
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
    let [evaluated, deny, would] = match rates {
        Some(rates) => rates.map(Some),
        None => [None; 3],
    };
    let mode = one["mode"].as_str().unwrap_or("");
    let text = format!(
        "{shown:<18}{mode:>8}{:>8}{:>7}{:>8}{:>10}{:>6}{:>6}{:>7}",
        rate(evaluated),
        rate(deny),
        rate(would),
        short(number(one, "allow")),
        short(number(one, "log")),
        short(number(one, "deny")),
        short(number(one, "would_deny"))
    );
    let acts = [deny, would].map(|rate| rate.is_some_and(|rate| rate > 0.0));
    match acts {
        [true, _] => pen.styled(&text, Color::Red, true),
        [false, true] => pen.styled(&text, Color::Yellow, true),
        [false, false] => pen.plain(&text),
    }
}

/// At most five characters: `99999`, `1234k`, `56M`.
pub(super) fn short(count: u64) -> String {
    match count {
        0..=99_999 => count.to_string(),
        100_000..=9_999_999 => format!("{}k", count / 1_000),
        10_000_000..=9_999_999_999 => format!("{}M", count / 1_000_000),
        _ => format!("{}G", count / 1_000_000_000),
    }
}
