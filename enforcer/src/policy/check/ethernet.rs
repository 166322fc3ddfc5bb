//! `[[ethernet]]`: what is done with frames that are not IP.

use enforcer_common::action::OnDeny;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Verdict};

use super::super::ethertypes::{ethertype, ethertype_name};
use super::super::raw::RawEthernet;
use super::super::valid::{Conduit, Ethernet, Segmentation};
use super::Check;
use crate::document::Piece;

impl<'s> Check<'s> {
    pub(super) fn ethernet(&mut self, root: &mut Piece<'s>, conduits: &mut Vec<Conduit>) -> Vec<Ethernet> {
        let mut list: Vec<Ethernet> = Vec::new();
        for mut piece in self.reader.tables(root, "ethernet", |position, _| format!("ethernet entry {position}")) {
            let (label, span) = (piece.label.clone(), piece.span.clone());
            let rules = self.reader.tables(&mut piece, "rules", |position, name| match name {
                Some(name) => format!("rule \"{name}\" of {label}"),
                None => format!("rule {position} of {label}"),
            });
            let Some(raw) = self.reader.read::<RawEthernet>(piece) else { continue };
            let line = self.reader.source.line(&span);
            let mut types: Vec<u16> = Vec::new();
            match raw.types {
                None => self.missing(&label, "types", &span),
                Some(words) if words.get_ref().is_empty() => {
                    self.reader.report(&words.span(), format!("{label}: \"types\" is empty"));
                }
                Some(words) => {
                    for word in words.into_inner() {
                        match ethertype(&word.get_ref().0) {
                            Err(cause) => self.reader.report(&word.span(), format!("{label}: {cause}")),
                            Ok(number) => {
                                let other =
                                    list.iter().find(|entry| entry.types.contains(&number)).map(|entry| entry.line);
                                if let Some(other) = other.or_else(|| types.contains(&number).then_some(line)) {
                                    let name = ethertype_name(number);
                                    let text = format!("{label}: type \"{name}\" is decided already (line {other})");
                                    self.reader.report(&word.span(), text);
                                } else {
                                    types.push(number);
                                }
                            }
                        }
                    }
                }
            }
            if raw.action.is_none() {
                self.missing(&label, "action", &span);
            }
            let words = [("allow", Verdict::Allow), ("log", Verdict::Log), ("deny", Verdict::Deny)];
            let action = self.word(raw.action, &label, "action", &words).unwrap_or(Verdict::Deny);
            let conduit = if rules.is_empty() {
                None
            } else {
                let before = conduits.len();
                conduits.extend(self.inside(rules, &types, action, &label, line));
                (conduits.len() > before).then_some(before)
            };
            list.push(Ethernet { types, action, conduit, line });
        }
        list
    }

    /// The rules of an entry, as a conduit between nobody: its type is all that leads to it.
    fn inside(
        &mut self,
        rules: Vec<Piece<'s>>,
        types: &[u16],
        action: Verdict,
        label: &str,
        line: usize,
    ) -> Option<Conduit> {
        let span = rules.first().map(|rule| rule.span.clone()).unwrap_or_default();
        let protocol = match types {
            [one] => Protocol::by_ethertype(*one),
            _ => None,
        };
        let Some(protocol) = protocol else {
            let known = Protocol::ALL.iter().filter_map(|one| one.tables().ethertype).map(ethertype_name);
            let text = format!(
                "{label}: rules need exactly one type, and one that is inspected: {}",
                known.collect::<Vec<_>>().join(", ")
            );
            self.reader.report(&span, text);
            return None;
        };
        if action == Verdict::Deny {
            self.reader.report(&span, format!("{label}: action \"deny\" leaves nothing to the rules"));
        }
        let name = format!("ethernet-{}", types.first().copied().map(ethertype_name).unwrap_or_default());
        Some(Conduit {
            name,
            from: Vec::new(),
            to: Vec::new(),
            protocol,
            ports: Vec::new(),
            mode: Mode::Enforce,
            on_deny: OnDeny::Drop,
            segmentation: Segmentation::Whole,
            rules: self.rules(rules, protocol),
            line,
        })
    }
}
