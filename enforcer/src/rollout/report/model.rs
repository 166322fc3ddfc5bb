//! The report itself. Its JSON form (schema 1) is this, field by field; text and HTML are made from it and know no more.

use serde::Serialize;
use serde_json::Value;

/// The whole report. Times are UTC, RFC 3339; counts are operations or frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub schema: u32,
    #[serde(rename = "box")]
    pub state: State,
    pub verdict: Verdict,
    pub totals: Counts,
    pub conduits: Vec<Conduit>,
    /// Traffic that no conduit covers.
    pub uncovered: Counts,
    /// What the policy denies: conduits in their order, in each the most frequent first.
    pub groups: Vec<Group>,
    /// What is denied for reasons that no rule decides.
    pub frames: Vec<Frames>,
    pub rules: Vec<Rule>,
    pub hours: Vec<Hours>,
    /// How many operations were new in each hour.
    pub discovery: Vec<Discovery>,
    pub losses: Vec<Loss>,
    pub attention: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    pub policy: String,
    pub revision: u32,
    pub generation: u32,
    pub mode: String,
    pub version: String,
    pub since: String,
    pub until: String,
    pub made: String,
}

/// May the policy act?
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// `None` when readiness was not measured.
    pub ready: Option<bool>,
    pub headline: String,
    /// Why, one sentence each.
    pub why: Vec<String>,
    pub measures: Vec<Measure>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// `None` for the box, else the conduit.
    pub conduit: Option<String>,
    pub name: String,
    pub value: Value,
    pub threshold: Value,
    pub ok: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub evaluated: u64,
    pub allow: u64,
    pub log: u64,
    pub deny: u64,
    pub would_deny: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conduit {
    pub name: String,
    pub mode: String,
    #[serde(flatten)]
    pub counts: Counts,
    pub ready: Option<bool>,
    pub missing: Vec<String>,
}

/// Would-denies that an engineer would call one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// From 1, in the order of the report.
    pub id: u32,
    /// `None` where no conduit covers it.
    pub conduit: Option<String>,
    pub reason: &'static str,
    /// The same in a sentence.
    pub meaning: &'static str,
    pub from: End,
    pub to: End,
    pub protocol: String,
    /// tcp, udp, icmp, `IP protocol 47`; absent for frames that are not IP.
    pub transport: Option<String>,
    pub port: Option<u16>,
    pub function: Option<Function>,
    pub unit: Option<u32>,
    /// Every range, merged where they touch, as rules write them.
    pub objects: Vec<String>,
    /// How many different ranges were asked for before merging.
    pub ranges: usize,
    pub values: Option<Values>,
    /// The group in one line.
    pub title: String,
    pub count: u64,
    pub first: String,
    pub last: String,
    /// Segments and answers of the same conversations that carry no operation; they stand and fall with it.
    pub without_operation: u64,
    /// The allow or log rule that came closest.
    pub closest: Option<Closest>,
    /// Why it is denied, in a sentence.
    pub why: String,
    /// The policy in force allows it by now, or allows each part of it alone.
    pub settled: bool,
    /// What to know before allowing it.
    pub warnings: Vec<String>,
    /// Ways to allow it, the smallest first.
    pub changes: Vec<Change>,
    pub sample: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    pub address: String,
    pub zone: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// The standard's number.
    pub number: u32,
    /// The standard's name; absent for a number that is in no table.
    pub name: Option<&'static str>,
    pub access: &'static str,
    pub dangerous: bool,
    /// ATT&CK for ICS.
    pub technique: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Values {
    pub min: i64,
    pub max: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Closest {
    pub rule: String,
    pub line: usize,
    /// The reason that this rule alone would give.
    pub miss: &'static str,
}

/// A change of the policy that would allow a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub kind: &'static str,
    /// True when the changed policy was compiled and the group judged by it: all of it passes.
    pub proven: bool,
    /// What the change is, and what else it allows.
    pub text: String,
    pub pieces: Vec<Piece>,
    /// Other groups that it allows as well, by id.
    pub also_allows: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// Where it goes, in words.
    pub place: String,
    /// The text that goes there.
    pub toml: String,
}

/// Denials that no rule decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frames {
    pub reason: &'static str,
    pub meaning: &'static str,
    /// What can be done about it.
    pub advice: &'static str,
    pub conduit: Option<String>,
    pub from: String,
    pub to: String,
    pub count: u64,
    pub first: String,
    pub last: String,
    pub sample: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub conduit: String,
    pub name: String,
    pub line: usize,
    pub action: &'static str,
    /// What it names, in words.
    pub covers: String,
    pub hits: u64,
}

/// One series over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hours {
    /// `None` for what no conduit covers.
    pub conduit: Option<String>,
    pub hours: Vec<Hour>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hour {
    pub start: String,
    /// `start` in hours since 1970, for charts.
    #[serde(skip)]
    pub at: u64,
    pub evaluated: u64,
    pub would_deny: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discovery {
    pub hour: String,
    /// `hour` in hours since 1970, for charts.
    #[serde(skip)]
    pub at: u64,
    pub new: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    pub what: String,
    pub count: u64,
}
