//! `[[ethernet]]`: what is done with frames that are not IP.

use enforcer_common::verdict::Verdict;

use super::super::ethertypes::{ethertype, ethertype_name};
use super::super::raw::RawEthernet;
use super::super::valid::Ethernet;
use super::Check;
use crate::document::Piece;

impl<'s> Check<'s> {
    pub(super) fn ethernet(&mut self, root: &mut Piece<'s>) -> Vec<Ethernet> {
        let mut list: Vec<Ethernet> = Vec::new();
        for piece in self.reader.tables(root, "ethernet", |position, _| format!("ethernet entry {position}")) {
            let (label, span) = (piece.label.clone(), piece.span.clone());
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
            list.push(Ethernet { types, action, line });
        }
        list
    }
}
