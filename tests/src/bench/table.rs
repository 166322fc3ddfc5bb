//! The findings as a table.

use std::fmt::Write as _;

use super::{Findings, Kind, Row, Spread};

/// The table as Markdown: times of one transaction in microseconds, and beside each median how it compares.
#[must_use]
pub fn table(found: &Findings) -> String {
    let mut text = String::new();
    if !found.undisturbed {
        text += "note: no real-time priority here, other processes disturb the numbers\n\n";
    }
    if let Err(why) = &found.suricata {
        let _ = writeln!(text, "\nSuricata is left out: {why}.");
    }
    let bridge = found.row(Kind::Bridge).map_or(0, |row| row.flat_out.p50);
    text += &section("One transaction behind the other", found, |row| row.flat_out, bridge);
    let bridge = found.row(Kind::Bridge).map_or(0, |row| row.paced.p50);
    text += &section("A hundred transactions in a second", found, |row| row.paced, bridge);
    text += "\nFrames of 60 bytes, one way, as many as one thread can send\n\n";
    text += "| line | frames/s | lost |\n|---|---:|---:|\n";
    for row in &found.rows {
        let _ = writeln!(text, "| {} | {:.0} | {:.1} % |", row.kind, row.flood.per_second, row.flood.lost * 100.0);
    }
    text
}

fn section(title: &str, found: &Findings, pick: impl Fn(&Row) -> Spread, bridge: u32) -> String {
    let count = found.rows.first().map_or(0, |row| pick(row).count);
    let mut text = format!("\n{title}: round trip in µs, {count} of each line\n\n");
    text += "| line | p50 | p90 | p99 | p99.9 | max | p50 : bridge |\n|---|---:|---:|---:|---:|---:|---:|\n";
    for row in &found.rows {
        let spread = pick(row);
        let Spread { p50, p90, p99, p999, most, .. } = spread;
        let [p50, p90, p99, p999, most] = [p50, p90, p99, p999, most].map(|time| f64::from(time) / 1000.0);
        let ratio = f64::from(spread.p50) / f64::from(bridge.max(1));
        let _ =
            writeln!(text, "| {} | {p50:.2} | {p90:.2} | {p99:.2} | {p999:.1} | {most:.0} | {ratio:.3} |", row.kind);
    }
    text
}
