//! Validation: from the text of a policy to a [`Policy`] in which every word means something, or every mistake in it.
//!
//! Each section has a file here. They share one [`Check`], which holds what was found so far; a section that is wrong is
//! left out, so that the checks across sections do not report the same mistake a second time.

mod conduits;
mod conflicts;
mod devices;
mod ethernet;
mod rules;
mod warnings;
mod zones;

use std::ops::Range;

use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::verdict::Verdict;
use toml::Spanned;

use super::raw::{RawPolicy, Text};
use super::valid::Policy;
use crate::document::{Errors, Piece, Problem, Reader, Source, choices};

/// Longest name of a policy, zone, device, conduit or rule, in bytes.
const LONGEST_NAME: usize = 63;

/// A policy that is right, and what its author should look at all the same.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub valid: Policy,
    pub warnings: Vec<Problem>,
    /// The text it was read from.
    pub text: String,
}

/// What becomes of a conduit whose protocol the policy language knows and this version does not inspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotYet {
    /// The policy is refused: nothing may run with rules that are not kept.
    Refuse,
    /// The conduit is left out: what it would have covered is not covered.
    LeaveOut,
}

/// The policy, and what was left out of it.
pub(super) fn validate(source: &Source, not_yet: NotYet) -> Result<(Loaded, Vec<Problem>), Errors> {
    let (reader, mut root) = Reader::open(source)?;
    let mut check = Check { reader, not_yet, left_out: Vec::new() };
    let head = check.head(&mut root);
    let zones = check.zones(&mut root);
    let devices = check.devices(&mut root);
    let mut conduits = Vec::new();
    let ethernet = check.ethernet(&mut root, &mut conduits);
    conduits.extend(check.conduits(&mut root, &zones));
    check.reader.only(&root, &["policy", "zones", "devices", "ethernet", "conduits"]);
    let zones = zones.list;
    let valid = Policy { file: source.name().to_owned(), zones, devices, ethernet, conduits, ..head };
    conflicts::report(&mut check.reader, &valid);

    match Errors::from_problems(check.reader.into_problems()) {
        Some(errors) => Err(errors),
        None => {
            let warnings = warnings::of(&valid);
            Ok((Loaded { valid, warnings, text: source.text().to_owned() }, check.left_out))
        }
    }
}

struct Check<'s> {
    reader: Reader<'s>,
    not_yet: NotYet,
    left_out: Vec<Problem>,
}

impl<'s> Check<'s> {
    /// `[policy]`. The lists of the result are empty; they come from the other sections.
    fn head(&mut self, root: &mut Piece<'s>) -> Policy {
        let mut head = Policy {
            file: String::new(),
            name: String::new(),
            revision: 1,
            default: Verdict::Deny,
            on_unsynchronised: OnUnsynchronised::Resync,
            fragments: Verdict::Deny,
            ip_options: Verdict::Deny,
            zones: Vec::new(),
            devices: Vec::new(),
            ethernet: Vec::new(),
            conduits: Vec::new(),
        };
        let before = self.reader.problems();
        let Some(piece) = self.reader.table(root, "policy") else {
            if self.reader.problems() == before {
                self.reader.report(&(0..0), "the section [policy] is missing");
            }
            return head;
        };
        let span = piece.span.clone();
        let Some(raw) = self.reader.read::<RawPolicy>(piece) else { return head };
        if let Some(name) = self.name(raw.name, "[policy]", &span) {
            head.name = name;
        }
        if let Some(revision) = raw.revision {
            match u32::try_from(*revision.get_ref()) {
                Ok(number) => head.revision = number,
                Err(_) => {
                    let text =
                        format!("[policy]: revision {} is out of range; possible are 0 to {}", revision, u32::MAX);
                    self.reader.report(&revision.span(), text);
                }
            }
        }
        let words = [("allow", Verdict::Allow), ("log", Verdict::Log), ("deny", Verdict::Deny)];
        head.default = self.word(raw.default, "[policy]", "default", &words).unwrap_or(Verdict::Deny);
        let words = [("allow", Verdict::Allow), ("deny", Verdict::Deny)];
        head.fragments = self.word(raw.fragments, "[policy]", "fragments", &words).unwrap_or(Verdict::Deny);
        head.ip_options = self.word(raw.ip_options, "[policy]", "ip_options", &words).unwrap_or(Verdict::Deny);
        let words = [
            ("resync", OnUnsynchronised::Resync),
            ("reset", OnUnsynchronised::Reset),
            ("deny", OnUnsynchronised::Deny),
        ];
        head.on_unsynchronised = self
            .word(raw.on_unsynchronised, "[policy]", "on_unsynchronised", &words)
            .unwrap_or(OnUnsynchronised::Resync);
        head
    }

    /// A required name. `label` are the words for what it names, `place` is where it should stand.
    fn name(&mut self, name: Text, label: &str, place: &Range<usize>) -> Option<String> {
        let Some(name) = name else {
            self.missing(label, "name", place);
            return None;
        };
        match name_fault(name.get_ref()) {
            None => Some(name.into_inner()),
            Some(fault) => {
                self.reader.report(&name.span(), format!("{label}: {fault}"));
                None
            }
        }
    }

    fn missing(&mut self, label: &str, key: &str, place: &Range<usize>) {
        self.reader.report(place, format!("{label}: the key \"{key}\" is missing"));
    }

    /// The value that a word stands for; `None` when it is absent, or wrong and reported.
    fn word<T: Copy>(&mut self, text: Text, label: &str, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text: Spanned<String> = text?;
        let found = words.iter().find(|(word, _)| word == text.get_ref());
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let end = choices(text.get_ref(), &known);
            self.reader.report(&text.span(), format!("{label}: unknown {key} \"{}\"{end}", text.get_ref()));
        }
        found.map(|(_, value)| *value)
    }
}

/// What is wrong with a name: it must fit on a line, in a message and in an event.
fn name_fault(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        Some("a name must not be empty".to_owned())
    } else if name.len() > LONGEST_NAME {
        Some(format!("the name \"{name}\" is longer than {LONGEST_NAME} bytes"))
    } else if name.contains(|c: char| c.is_control() || c == '"') {
        Some(format!("the name {name:?} must not contain quotes or control characters"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
