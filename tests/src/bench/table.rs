//! The findings as a table.

use std::fmt::Write as _;

use super::{Findings, Kind, Row, Spread, aims};

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
    text += &section("One transaction behind the other", found, |row| row.flat_out);
    text += &aims(found);
    text += &section("A hundred transactions in a second", found, |row| row.paced);
    text += "\nFrames of 60 bytes, one way, as many as one thread can send\n\n";
    text += "| line | frames/s | lost |\n|---|---:|---:|\n";
    for row in &found.rows {
        let _ = writeln!(text, "| {} | {:.0} | {:.1} % |", row.kind, row.flood.per_second, row.flood.lost * 100.0);
    }
    text
}

fn section(title: &str, found: &Findings, pick: impl Fn(&Row) -> Spread) -> String {
    let median = |kind| f64::from(found.row(kind).map_or(0, |row| pick(row).p50)) / 1000.0;
    let (cable, bridge) = (median(Kind::Cable), median(Kind::Bridge));
    let count = found.rows.first().map_or(0, |row| pick(row).count);
    let mut text = format!("\n{title}: round trip in µs, {count} of each line\n\n");
    text += "| line | p50 | p90 | p99 | p99.9 | max | p50 : bridge | p50 - cable |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in &found.rows {
        let Spread { p50, p90, p99, p999, most, .. } = pick(row);
        let [p50, p90, p99, p999, most] = [p50, p90, p99, p999, most].map(|time| f64::from(time) / 1000.0);
        let (ratio, added) = (p50 / bridge, p50 - cable);
        let _ = writeln!(
            text,
            "| {} | {p50:.2} | {p90:.2} | {p99:.2} | {p999:.1} | {most:.0} | {ratio:.3} | {added:.2} |",
            row.kind
        );
    }
    text
}
