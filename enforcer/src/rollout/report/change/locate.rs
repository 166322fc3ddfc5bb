//! Where the parts of a policy stand in its text, in bytes.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::document::Word;
use crate::policy::valid::{Conduit, Policy};

/// A list of the policy with the places of its entries.
pub(super) type List = Spanned<Vec<Spanned<Word>>>;

/// The parts that a change can be about. The text was checked before; what is not needed here is passed over.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Places {
    #[serde(default)]
    conduits: Vec<Holder>,
    #[serde(default)]
    ethernet: Vec<Holder>,
}

#[derive(Debug, Deserialize)]
struct Holder {
    name: Option<String>,
    types: Option<List>,
    action: Option<Spanned<String>>,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// A rule's lists as they are written.
#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    name: Option<String>,
    pub units: Option<List>,
    pub objects: Option<List>,
    pub values: Option<List>,
    pub rate: Option<Spanned<String>>,
}

impl Places {
    pub(super) fn of(text: &str) -> Option<Self> {
        toml::from_str(text).ok()
    }

    /// A rule of a conduit, or of the `[[ethernet]]` entry that the conduit stands for.
    pub(super) fn rule(&self, policy: &Policy, conduit: &Conduit, rule: &str) -> Option<&Rule> {
        let holder = match entry(policy, conduit) {
            Some(index) => self.ethernet.get(index),
            None => self.conduits.iter().find(|one| one.name.as_deref() == Some(conduit.name.as_str())),
        };
        holder?.rules.iter().find(|one| one.name.as_deref() == Some(rule))
    }

    /// The `action` of an `[[ethernet]]` entry that has one type only.
    pub(super) fn action(&self, entry: usize) -> Option<Range<usize>> {
        let entry = self.ethernet.get(entry)?;
        let alone = entry.types.as_ref()?.get_ref().len() == 1;
        entry.action.as_ref().filter(|_| alone).map(Spanned::span)
    }
}

/// The `[[ethernet]]` entry whose rules this conduit is.
pub(super) fn entry(policy: &Policy, conduit: &Conduit) -> Option<usize> {
    let of = |index: usize| policy.conduits.get(index).is_some_and(|one| std::ptr::eq(one, conduit) || one == conduit);
    policy.ethernet.iter().position(|entry| entry.conduit.is_some_and(of))
}

/// Where a rule of the conduit can be added: before the next table that is not one of its own. `line` counts from 1.
pub(super) fn end_of(text: &str, line: usize) -> usize {
    let mut at = 0;
    let mut end = 0;
    for (index, one) in text.split_inclusive('\n').enumerate() {
        let trimmed = one.trim();
        let header = trimmed.starts_with('[')
            && !trimmed.starts_with("[[conduits.rules]]")
            && !trimmed.starts_with("[[ethernet.rules]]");
        if index >= line && header {
            break;
        }
        at += one.len();
        // Comments and empty lines before the next table belong to that one.
        if index < line || !(trimmed.is_empty() || trimmed.starts_with('#')) {
            end = at;
        }
    }
    end
}

/// Behind the line `[zones]`, when there is one.
pub(super) fn zones(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let head = line.split('#').next().unwrap_or_default();
        if head.split_whitespace().collect::<String>() == "[zones]" {
            return Some(at);
        }
    }
    None
}
