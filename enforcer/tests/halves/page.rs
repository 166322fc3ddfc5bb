//! The figures in print.

use std::collections::{BTreeMap, BTreeSet};

use super::half::Halves;
use super::{ATTACKS, ENOUGH, OTHER_CUTS, ready};

/// The captures of one protocol together.
#[derive(Default)]
pub(crate) struct Row {
    captures: usize,
    operations: usize,
    left: usize,
    denied: usize,
    /// Denied, by the reason.
    reasons: BTreeMap<&'static str, usize>,
    ready_as_measured: usize,
    ready: usize,
    /// Operations, and those denied, where readiness said ready.
    behind: (usize, usize),
}

impl Row {
    pub(crate) fn add(&mut self, one: &Halves) {
        let ready = ready::stretched(one).ready;
        self.captures += 1;
        self.operations += one.second;
        self.left += one.left;
        self.denied += one.denied.len();
        for denied in &one.denied {
            *self.reasons.entry(denied.reason).or_default() += 1;
        }
        self.ready_as_measured += usize::from(ready::as_measured(one).ready);
        self.ready += usize::from(ready);
        if ready {
            self.behind.0 += one.second;
            self.behind.1 += one.denied.len();
        }
    }

    fn reason(&self, words: &[&str]) -> usize {
        words.iter().filter_map(|word| self.reasons.get(word)).sum()
    }

    fn line(&self, name: &str) -> String {
        let stations = self.reason(&["not_covered"]);
        let functions = self.reason(&["function_not_allowed", "unit_not_allowed"]);
        let objects = self.reason(&["object_not_allowed"]);
        let rest = self.denied - stations - functions - objects;
        let behind = if self.ready == 0 { "-".to_owned() } else { format!("{} of {}", self.behind.1, self.behind.0) };
        format!(
            "| {name} | {} | {} | {} | {} | {} | {stations} / {functions} / {objects} / {rest} | {} | {} | {behind} |",
            self.captures,
            self.operations,
            self.left,
            self.denied,
            share(self.denied, self.operations),
            self.ready_as_measured,
            self.ready,
        )
    }
}

fn share(part: usize, whole: usize) -> String {
    match part * 1000 / whole.max(1) {
        0 if part > 0 => "under 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// The whole page. `others` are the cuts beside the half, `scant` the folders without enough operations.
pub(crate) fn page(rows: &BTreeMap<String, Row>, others: &Row, scant: &BTreeSet<String>) -> String {
    let (enough, attacks) = (ENOUGH.to_string(), ATTACKS.len().to_string());
    let mut page = HEAD.replace("{enough}", &enough).replace("{attacks}", &attacks);
    for (name, row) in rows {
        page += &row.line(name);
        page.push('\n');
    }
    let scant: Vec<&str> = scant.iter().map(String::as_str).collect();
    let cuts: Vec<String> = OTHER_CUTS.iter().map(ToString::to_string).collect();
    page += &TAIL
        .replace("{enough}", &enough)
        .replace("{scant}", &scant.join(", "))
        .replace("{cuts}", &cuts.join(", "))
        .replace("{verdicts}", &others.captures.to_string())
        .replace("{ready}", &others.ready.to_string())
        .replace("{denied}", &others.behind.1.to_string())
        .replace("{behind}", &others.behind.0.to_string());
    page
}

const HEAD: &str = "\
# Learning, measured

<!-- Generated from the shared captures. Do not edit; write it anew with
     UPDATE_DOCS=1 cargo test -p enforcer --test halves -->

Does a policy that was learned for a while hold afterwards, and does readiness know when? Each capture is cut at the middle of
its frames. The first half is learned from, and `learn propose` writes a policy, which nobody edits. The second half is judged
by it in shadow.

- **Operations** are those of the second half that a policy has to name and with which nothing is wrong, from captures with at
  least {enough} in each half. Left out are {attacks} captures whose second half consists of attacks.
- **Person** are those that learning never proposes and lists for decision (`Ask` in [protocols.md](protocols.md), functions
  without a name, writes of which no rule could say on what). They are not among the operations.
- **Denied** are the operations that shadow would deny, and why: between stations that no conduit joins, a function or unit that
  no rule names, objects that no rule covers, another reason.
- **Ready, own clock** is readiness at the half by the thresholds of a box that nobody configured. No capture is 72 hours long.
- **Ready, scaled** is the same with two changes. The first half is taken to have lasted 72 hours, so that 24 hours without a new
  operation or a would-deny are the last third of it. And counts are held to a tenth: 100 operations instead of 1000, and a
  bound of 1 % instead of 0.1 % on an operation never seen, since the later half of what was learned from would have to hold
  3000 operations for the latter. All conversations of a capture count as one conduit.
- **Denied behind ready** is the share that the verdict stands for. The test fails at one in a thousand.

| Captures of | captures | operations | person | denied | share | stations / functions / objects / other | ready, own clock | ready, scaled | denied behind ready |
|---|---|---|---|---|---|---|---|---|---|
";

const TAIL: &str = "
What is denied stands in captures that are not ready. They are recordings of seconds: sessions of different days with different
stations one after the other, tools that walk through a device and touch each object once, and collections that hold each function
once. Their second half is not what their first half was, and readiness says so. So few verdicts of ready prove nothing about one
operation in a thousand in a plant; they show that readiness does not speak too early. In sampled values a policy judges the
Ethernet type alone.

No capture has {enough} operations in each half in: {scant}.

The same captures cut at {cuts} tenths of their frames give {verdicts} verdicts. {ready} of them are ready; of the {behind} operations
behind those {denied} are denied.
";
