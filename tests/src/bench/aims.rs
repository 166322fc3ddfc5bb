//! How the lines compare that are to be compared.

use std::fmt::Write as _;

use super::{Findings, Kind, Row};

const FAST: Kind = Kind::Enforcer { fast: true, enforce: true };
const BRIDGE: Kind = Kind::Enforcer { fast: false, enforce: true };

/// A line, the one it is held against, and how many times that one's median its own may be.
const AIMS: [(Kind, Kind, f64); 7] = [
    (FAST, Kind::EmptyRedirect, 1.08),
    (FAST, Kind::Bridge, 1.05),
    (BRIDGE, Kind::EmptyPass, 1.05),
    (FAST, Kind::Nftables(10), 1.0),
    (BRIDGE, Kind::Nftables(10), 1.0),
    (BRIDGE, Kind::Suricata { beside: true }, 0.2),
    (BRIDGE, Kind::Suricata { beside: false }, 0.2),
];

/// The medians of one transaction behind the other, as Markdown.
#[must_use]
pub fn aims(found: &Findings) -> String {
    let mut text = String::from(
        "\nMedians against each other, of all stands and of each\n\n\
         | line | against | p50 : p50 | each stand | aim |\n|---|---|---:|---:|---:|\n",
    );
    for (line, against, aim) in AIMS {
        if let (Some(mine), Some(theirs)) = (found.row(line), found.row(against)) {
            let all = ratio(mine.flat_out.p50, theirs.flat_out.p50);
            let _ = writeln!(text, "| {line} | {against} | {all:.3} | {} | {aim:.2} |", each(mine, theirs));
        }
    }
    text
}

fn each(mine: &Row, theirs: &Row) -> String {
    let ratios = mine.medians.iter().zip(&theirs.medians);
    ratios.map(|(mine, theirs)| format!("{:.3}", ratio(*mine, *theirs))).collect::<Vec<_>>().join(", ")
}

fn ratio(mine: u32, theirs: u32) -> f64 {
    f64::from(mine) / f64::from(theirs.max(1))
}
