//! `--summary`: operations by conduit, function and verdict.
//!
//! Enters: the lines of one or more captures. Leaves: a table for people, or one JSON object.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::line::Line;

/// How many lines got each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    pub allow: u64,
    pub log: u64,
    pub deny: u64,
}

impl Verdicts {
    fn add(&mut self, verdict: &str) {
        match verdict {
            "allow" => self.allow += 1,
            "log" => self.log += 1,
            _ => self.deny += 1,
        }
    }
}

/// One row: a function in a conduit, or a reason for frames without operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    conduit: Option<String>,
    protocol: String,
    function: Option<u32>,
    word: Option<&'static str>,
    role: &'static str,
}

/// What replay saw, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    captures: u64,
    frames: u64,
    truncated: u64,
    retransmitted: u64,
    operations: BTreeMap<Key, Verdicts>,
    others: BTreeMap<Key, Verdicts>,
}

/// A row in JSON.
#[derive(Serialize)]
struct Row<'a> {
    conduit: Option<&'a str>,
    protocol: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(flatten)]
    verdicts: Verdicts,
}

impl Summary {
    /// Takes note of a capture.
    pub fn capture(&mut self) {
        self.captures += 1;
    }

    /// Takes note of a frame and its lines.
    pub fn frame(&mut self, truncated: bool, lines: &[Line<'_>]) {
        self.frames += 1;
        self.truncated += u64::from(truncated);
        for line in lines {
            self.retransmitted += u64::from(line.retransmission);
            let mut key = Key {
                conduit: line.conduit.map(str::to_owned),
                protocol: line.protocol.to_string(),
                function: line.function,
                word: line.name,
                role: line.role.unwrap_or_default(),
            };
            let table = match line.function {
                Some(_) => &mut self.operations,
                None => {
                    (key.word, key.role) = (Some(line.reason), "");
                    &mut self.others
                }
            };
            table.entry(key).or_default().add(line.verdict);
        }
    }

    /// The same as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let operations: Vec<Row<'_>> =
            self.operations.iter().map(|(key, verdicts)| row(key, *verdicts, true)).collect();
        let others: Vec<Row<'_>> = self.others.iter().map(|(key, verdicts)| row(key, *verdicts, false)).collect();
        serde_json::json!({
            "captures": self.captures,
            "frames": self.frames,
            "truncated": self.truncated,
            "retransmitted": self.retransmitted,
            "operations": operations,
            "other_frames": others,
        })
    }
}

fn row(key: &Key, verdicts: Verdicts, operation: bool) -> Row<'_> {
    Row {
        conduit: key.conduit.as_deref(),
        protocol: &key.protocol,
        role: operation.then_some(key.role),
        function: key.function,
        name: key.word.filter(|_| operation),
        reason: key.word.filter(|_| !operation),
        verdicts,
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.operations.iter().map(|(key, verdicts)| {
            let number = key.function.map(|code| code.to_string()).unwrap_or_default();
            let what = format!("{} {number} {} {}", key.protocol, key.word.unwrap_or_default(), key.role);
            (key, what.split_whitespace().collect::<Vec<_>>().join(" "), verdicts)
        });
        section(f, "operations", operations.collect())?;
        let others = self
            .others
            .iter()
            .map(|(key, verdicts)| (key, format!("{} {}", key.protocol, key.word.unwrap_or_default()), verdicts));
        section(f, "frames without operation", others.collect())?;
        let plural = if self.captures == 1 { "" } else { "s" };
        write!(f, "{} capture{plural}, {} frames", self.captures, self.frames)?;
        if self.retransmitted != 0 {
            write!(f, ", {} retransmitted", self.retransmitted)?;
        }
        if self.truncated != 0 {
            write!(f, ", {} cut by the snap length", self.truncated)?;
        }
        writeln!(f)
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, rows: Vec<(&Key, String, &Verdicts)>) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let conduit = |key: &Key| key.conduit.clone().unwrap_or_else(|| "(none)".to_owned());
    let first = rows.iter().map(|(key, _, _)| conduit(key).len()).max().unwrap_or(0).max("conduit".len());
    let second = rows.iter().map(|(_, what, _)| what.len()).max().unwrap_or(0).max(title.len());
    writeln!(f, "{:first$}  {title:second$}  {:>9} {:>9} {:>9}", "conduit", "allow", "log", "deny")?;
    for (key, what, verdicts) in rows {
        let Verdicts { allow, log, deny } = verdicts;
        writeln!(f, "{:first$}  {what:second$}  {allow:>9} {log:>9} {deny:>9}", conduit(key))?;
    }
    writeln!(f)
}
