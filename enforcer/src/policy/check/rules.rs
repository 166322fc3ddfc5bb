//! `[[conduits.rules]]`: which operations of an inspected protocol pass.

use std::ops::Range;

use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;
use toml::Spanned;

use super::super::raw::{RawRule, Texts, Words};
use super::super::valid::{Functions, Objects, Rate, Rule};
use super::super::{names, objects, range, rate};
use super::Check;
use crate::document::Piece;

impl<'s> Check<'s> {
    /// The rules that are right, in the order of the file.
    pub(super) fn rules(&mut self, pieces: Vec<Piece<'s>>, protocol: Protocol) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut names: Vec<(String, usize)> = Vec::new();
        for piece in pieces {
            let (label, span) = (piece.label.clone(), piece.span.clone());
            let line = self.reader.source.line(&span);
            if let Some(name) = piece.text("name") {
                match names.iter().find(|(other, _)| other == name) {
                    Some((_, other)) => {
                        let text =
                            format!("{label} is there twice (line {other}); names of rules in one conduit must differ");
                        self.reader.report(&span, text);
                    }
                    None => names.push((name.to_owned(), line)),
                }
            }
            let Some(raw) = self.reader.read::<RawRule>(piece) else { continue };
            if let Some(rule) = self.rule(raw, protocol, &label, &span) {
                rules.push(rule);
            }
        }
        rules
    }

    fn rule(&mut self, raw: RawRule, protocol: Protocol, label: &str, span: &Range<usize>) -> Option<Rule> {
        let name = self.name(raw.name, label, span);
        let functions = self.functions(raw.functions, protocol, label, span);
        let units = self.ranges(raw.units, "units", 0, i64::from(protocol.tables().last_unit), label);
        let objects = self.objects(raw.objects, protocol, label);
        let values = self.ranges(raw.values, "values", i64::MIN, i64::MAX, label);
        if raw.action.is_none() {
            self.missing(label, "action", span);
        }
        let words = [("allow", Verdict::Allow), ("log", Verdict::Log), ("deny", Verdict::Deny)];
        let action = self.word(raw.action, label, "action", &words);
        let rate = self.rate(raw.rate, action, label);
        let max_step = self.max_step(raw.max_step, protocol, action, label);
        let unit = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Rule {
            name: name?,
            action: action?,
            functions: functions?,
            units: units?.map(|list| list.into_iter().map(|(first, last)| (unit(first), unit(last))).collect()),
            objects: objects?,
            values: values?,
            rate: rate?,
            max_step: max_step?,
            line: self.reader.source.line(span),
        })
    }

    fn functions(
        &mut self,
        words: Words,
        protocol: Protocol,
        label: &str,
        span: &Range<usize>,
    ) -> Option<Vec<Functions>> {
        let Some(words) = words else {
            self.missing(label, "functions", span);
            return None;
        };
        if words.get_ref().is_empty() {
            let text = format!(
                "{label}: \"functions\" is empty, so the rule covers nothing; write [\"@any\"] for every function"
            );
            self.reader.report(&words.span(), text);
            return None;
        }
        let mut list = Vec::new();
        let mut whole = true;
        for word in words.into_inner() {
            match names::functions(protocol, &word.get_ref().0) {
                Ok(functions) => list.push(functions),
                Err(cause) => {
                    self.reader.report(&word.span(), format!("{label}: {cause}"));
                    whole = false;
                }
            }
        }
        whole.then_some(list)
    }

    /// A list of number ranges, merged. The outer `None` is a mistake, the inner one an absent list.
    fn ranges(&mut self, words: Words, key: &str, low: i64, high: i64, label: &str) -> Option<Option<Vec<(i64, i64)>>> {
        let Some(words) = words else { return Some(None) };
        if words.get_ref().is_empty() {
            self.empty(&words, key, label);
            return None;
        }
        let mut list = Vec::new();
        let mut whole = true;
        for word in words.into_inner() {
            match range::parse(&word.get_ref().0, low, high) {
                Ok(range) => list.push(range),
                Err(cause) => {
                    self.reader.report(&word.span(), format!("{label}: in \"{key}\", {cause}"));
                    whole = false;
                }
            }
        }
        whole.then(|| Some(range::merge(list, |end| end.checked_add(1))))
    }

    fn objects(&mut self, texts: Texts, protocol: Protocol, label: &str) -> Option<Option<Vec<Objects>>> {
        let Some(texts) = texts else { return Some(None) };
        if texts.get_ref().is_empty() {
            self.empty(&texts, "objects", label);
            return None;
        }
        let mut list = Vec::new();
        let mut whole = true;
        for text in texts.into_inner() {
            match objects::parse(protocol, text.get_ref()) {
                Ok(objects) => list.extend(objects),
                Err(cause) => {
                    self.reader.report(&text.span(), format!("{label}: {cause}"));
                    whole = false;
                }
            }
        }
        whole.then(|| Some(Objects::merged(list)))
    }

    fn empty<T>(&mut self, list: &Spanned<T>, key: &str, label: &str) {
        let text = format!("{label}: \"{key}\" is empty, so the rule covers nothing; leave it out for any");
        self.reader.report(&list.span(), text);
    }

    /// A distance of values. The outer `None` is a mistake, the inner one an absent key.
    fn max_step(
        &mut self,
        step: Option<Spanned<i64>>,
        protocol: Protocol,
        action: Option<Verdict>,
        label: &str,
    ) -> Option<Option<u32>> {
        let Some(step) = step else { return Some(None) };
        let cause = if protocol != Protocol::Modbus {
            "\"max_step\" is for modbus; other protocols have no numbers to measure a step by".to_owned()
        } else if action == Some(Verdict::Deny) {
            "a deny rule has no \"max_step\"; it denies every time".to_owned()
        } else {
            match u32::try_from(*step.get_ref()) {
                Ok(distance @ 0..=65_535) => return Some(Some(distance)),
                Ok(_) | Err(_) => format!("\"max_step\" is {}; possible are 0 to 65535", step.get_ref()),
            }
        };
        self.reader.report(&step.span(), format!("{label}: {cause}"));
        None
    }

    fn rate(&mut self, text: Option<Spanned<String>>, action: Option<Verdict>, label: &str) -> Option<Option<Rate>> {
        let Some(text) = text else { return Some(None) };
        if action == Some(Verdict::Deny) {
            self.reader.report(&text.span(), format!("{label}: a deny rule has no rate; it denies every time"));
            return None;
        }
        match rate::parse(text.get_ref()) {
            Ok(rate) => Some(Some(rate)),
            Err(cause) => {
                self.reader.report(&text.span(), format!("{label}: {cause}"));
                None
            }
        }
    }
}
