//! `enforcer doctor`: what this machine and its two ports can do, what they cannot, and what to do about it.
//!
//! In: nothing, or the names of the two ports. Out: a [`Report`], as a table or as JSON. Changes nothing; the one trace it
//! may leave is a kernel that loaded its bridge module because it was asked about bridges.

mod delays;
mod machine;
mod ports;

use std::fmt;

use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, with the restriction that `found` names.
    Warn,
    /// The enforcer will not start, or refuses to enforce.
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        })
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at; checks of a port begin with its name.
    pub name: String,
    /// How it came out.
    pub result: Level,
    /// What is there.
    pub found: String,
    /// What to do; empty when there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Warn, found: found.into(), advice: advice.into() }
    }

    fn fail(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), result: Level::Fail, found: found.into(), advice: advice.into() }
    }
}

/// What the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub schema: u32,
    /// The worst result of all.
    pub result: Level,
    /// All checks, the machine first.
    pub checks: Vec<Check>,
}

impl Report {
    fn new(checks: Vec<Check>) -> Self {
        let result = checks.iter().map(|check| check.result).max().unwrap_or(Level::Ok);
        Self { schema: 1, result, checks }
    }

    /// What the command exits with: 0 when nothing failed, 1 otherwise. Warnings do not count.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.result == Level::Fail)
    }
}

/// A table for people: one line per check, the advice on a line of its own below it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for Check { name, result, found, advice } in &self.checks {
            writeln!(f, "{result:<4}  {name:<width$}  {found}")?;
            if !advice.is_empty() {
                writeln!(f, "      {:width$}  -> {advice}", "")?;
            }
        }
        let count = |level| self.checks.iter().filter(|check| check.result == level).count();
        match (count(Level::Fail), count(Level::Warn)) {
            (0, 0) => writeln!(f, "\nEverything is as it should be."),
            (0, warn) => writeln!(f, "\nIt will work; {warn} to look at."),
            (fail, warn) => writeln!(f, "\nIt will not work yet: {fail} failed, {warn} to look at."),
        }
    }
}

/// Looks at the machine and, when they are named, at the two ports (network, device). `own_programs` are the numbers of
/// the XDP programs that a running enforcer has on them; empty when none runs. Must be called inside a tokio runtime.
pub async fn run(named: Option<(&str, &str)>, own_programs: &[u32]) -> Report {
    let mut checks = machine::checks();
    if let Some((network, device)) = named {
        checks.extend(ports::checks(network, device, own_programs).await);
    }
    Report::new(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_makes_the_command_fail() {
        assert_eq!(Report::new(Vec::new()).exit_code(), 0);
        assert_eq!(Report::new(vec![Check::ok("a", "b"), Check::warn("a", "b", "c")]).exit_code(), 0);
        assert_eq!(Report::new(vec![Check::fail("a", "b", "c"), Check::ok("a", "b")]).exit_code(), 1);
    }

    #[test]
    fn the_table_lines_up_and_tells_what_to_do() {
        let report = Report::new(vec![Check::ok("kernel", "6.12"), Check::fail("eth0 link", "down", "plug it in")]);
        let expected = "ok    kernel     6.12\nFAIL  eth0 link  down\n                 -> plug it in\n\n\
                        It will not work yet: 1 failed, 0 to look at.\n";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn the_json_has_the_words_of_the_table() {
        let json = serde_json::to_string(&Report::new(vec![Check::warn("a", "b", "c"), Check::ok("d", "e")]));
        let expected = r#"{"schema":1,"result":"warn","checks":[{"name":"a","result":"warn","found":"b","advice":"c"},{"name":"d","result":"ok","found":"e"}]}"#;
        assert_eq!(json.expect("plain data"), expected);
    }
}
