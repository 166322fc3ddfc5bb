//! `[[conduits]]`: who may talk to whom, in which protocol.

use std::ops::Range;

use enforcer_common::action::OnDeny;
use enforcer_common::policy::capacity;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Mode;
use toml::Spanned;

use super::super::names::{self, inspected};
use super::super::raw::{RawConduit, Texts};
use super::super::valid::{Conduit, Party, Segmentation};
use super::zones::Zones;
use super::{Check, NotYet};
use crate::document::{Piece, Problem};

impl<'s> Check<'s> {
    pub(super) fn conduits(&mut self, root: &mut Piece<'s>, zones: &Zones) -> Vec<Conduit> {
        let mut conduits: Vec<Conduit> = Vec::new();
        let mut names: Vec<(String, usize)> = Vec::new();
        let label = |position: usize, name: Option<&str>| match name {
            Some(name) => format!("conduit \"{name}\""),
            None => format!("conduit {position}"),
        };
        for mut piece in self.reader.tables(root, "conduits", label) {
            let (label, span) = (piece.label.clone(), piece.span.clone());
            let line = self.reader.source.line(&span);
            let rules = self.reader.tables(&mut piece, "rules", |position, name| match name {
                Some(name) => format!("rule \"{name}\" of {label}"),
                None => format!("rule {position} of {label}"),
            });
            if let Some(name) = piece.text("name") {
                match names.iter().find(|(other, _)| other == name) {
                    Some((_, other)) => {
                        let text = format!("{label} is there twice (line {other}); names of conduits must differ");
                        self.reader.report(&span, text);
                    }
                    None => names.push((name.to_owned(), line)),
                }
            }
            if self.leaves_out(&piece, &label, line) {
                continue;
            }
            // A conduit with a key of the wrong shape is not checked further, but its rules still are.
            let written = piece.text("protocol").and_then(|name| names::protocol(name).ok());
            let raw = self.reader.read::<RawConduit>(piece);
            let protocol = match raw.as_ref().map(|raw| &raw.protocol) {
                Some(Some(text)) => self.protocol(text, &label),
                Some(None) | None => written,
            };
            let rules = match protocol {
                Some(protocol) if inspected(protocol) => self.rules(rules, protocol),
                Some(protocol) => {
                    for rule in rules {
                        let text = format!(
                            "{}: a {} conduit has no functions, so it can have no rules; it passes as a whole",
                            rule.label,
                            protocol.as_str()
                        );
                        self.reader.report(&rule.span, text);
                    }
                    Vec::new()
                }
                None => Vec::new(),
            };
            if let Some(raw) = raw
                && let Some(conduit) = self.conduit(raw, protocol, &label, &span, zones)
            {
                conduits.push(Conduit { rules, line, ..conduit });
            }
        }
        conduits
    }

    /// True for a conduit of a protocol that is not in this version, where such conduits are left out.
    fn leaves_out(&mut self, piece: &Piece<'s>, label: &str, line: usize) -> bool {
        let Some(protocol) = piece.text("protocol").filter(|protocol| names::not_yet(protocol)) else { return false };
        if self.not_yet == NotYet::Refuse {
            return false;
        }
        let cause =
            format!("{label}: protocol \"{protocol}\" is not in this version; its traffic is judged as not covered");
        self.left_out.push(Problem { file: self.reader.source.name().to_owned(), line, cause });
        true
    }

    /// The conduit without its rules; `None` when something required is missing or wrong, all of which is reported.
    fn conduit(
        &mut self,
        raw: RawConduit,
        protocol: Option<Protocol>,
        label: &str,
        span: &Range<usize>,
        zones: &Zones,
    ) -> Option<Conduit> {
        if raw.protocol.is_none() {
            self.missing(label, "protocol", span);
        }
        let name = self.name(raw.name, label, span);
        let from = self.parties(raw.from, "from", label, span, zones);
        let to = self.parties(raw.to, "to", label, span, zones);
        let ports = match raw.ports {
            None if protocol == Some(Protocol::Ip) => {
                let text =
                    format!("{label}: the key \"ports\" is missing: an ip conduit lists IP protocol numbers in it");
                self.reader.report(span, text);
                None
            }
            None => Some(protocol.map(|protocol| protocol.ports().to_vec()).unwrap_or_default()),
            Some(list) if protocol == Some(Protocol::Ip) => self.ip_protocols(list, label),
            Some(list) => self.ports(list, protocol, label),
        };
        let words = [("learn", Mode::Learn), ("shadow", Mode::Shadow), ("enforce", Mode::Enforce)];
        let mode = self.word(raw.mode, label, "mode", &words).unwrap_or(Mode::Enforce);
        let words = [("drop", OnDeny::Drop), ("reset", OnDeny::Reset)];
        let on_deny = self.word(raw.on_deny, label, "on_deny", &words).unwrap_or(OnDeny::Reset);
        let words = [("whole", Segmentation::Whole), ("stream", Segmentation::Stream)];
        let streams = protocol.is_some_and(|protocol| protocol.tables().streams);
        let usual = if streams { Segmentation::Stream } else { Segmentation::Whole };
        let segmentation = self.word(raw.segmentation, label, "segmentation", &words).unwrap_or(usual);
        let (from, to) = (from?, to?);
        if from.len().saturating_mul(to.len()) > capacity::PAIRS {
            let text = format!("{label}: \"from\" and \"to\" make more than {} zone pairs", capacity::PAIRS);
            self.reader.report(span, text);
            return None;
        }
        Some(Conduit {
            name: name?,
            from,
            to,
            protocol: protocol?,
            ports: ports?,
            mode,
            on_deny,
            segmentation,
            rules: Vec::new(),
            line: 0,
        })
    }

    fn protocol(&mut self, text: &Spanned<String>, label: &str) -> Option<Protocol> {
        match names::protocol(text.get_ref()) {
            Ok(protocol) => Some(protocol),
            Err(cause) => {
                self.reader.report(&text.span(), format!("{label}: {cause}"));
                None
            }
        }
    }

    fn parties(
        &mut self,
        list: Texts,
        key: &str,
        label: &str,
        place: &Range<usize>,
        zones: &Zones,
    ) -> Option<Vec<Party>> {
        let Some(list) = list else {
            self.missing(label, key, place);
            return None;
        };
        if list.get_ref().is_empty() {
            self.reader.report(&list.span(), format!("{label}: \"{key}\" is empty; write [\"any\"] for every address"));
            return None;
        }
        let mut parties = Vec::new();
        let mut whole = true;
        for zone in list.into_inner() {
            let name = zone.get_ref().as_str();
            match zones.position(name) {
                Some(index) => parties.push(Party::Zone(index)),
                None if name == "any" => parties.push(Party::Any),
                // Written, with a mistake that is reported where it stands.
                None if zones.written.iter().any(|written| written == name) => whole = false,
                None => {
                    let end = match zones.nearest(name) {
                        Some(near) => format!("; did you mean \"{near}\"?"),
                        None => " (see [zones])".to_owned(),
                    };
                    self.reader.report(&zone.span(), format!("{label}: unknown zone \"{name}\" in \"{key}\"{end}"));
                    whole = false;
                }
            }
        }
        parties.sort_unstable();
        parties.dedup();
        whole.then_some(parties)
    }

    /// `ports` of an ip conduit.
    fn ip_protocols(&mut self, list: Spanned<Vec<Spanned<i64>>>, label: &str) -> Option<Vec<u16>> {
        if list.get_ref().is_empty() {
            self.reader.report(&list.span(), format!("{label}: \"ports\" is empty; list IP protocol numbers in it"));
            return None;
        }
        let mut numbers = Vec::new();
        let mut whole = true;
        for number in list.into_inner() {
            match (names::not_to_carry(*number.get_ref()), u16::try_from(*number.get_ref())) {
                (None, Ok(one)) => numbers.push(one),
                (why, _) => {
                    let text = format!("{label}: IP protocol {} {}", number.get_ref(), why.unwrap_or_default());
                    self.reader.report(&number.span(), text);
                    whole = false;
                }
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        whole.then_some(numbers)
    }

    fn ports(&mut self, list: Spanned<Vec<Spanned<i64>>>, protocol: Option<Protocol>, label: &str) -> Option<Vec<u16>> {
        if protocol == Some(Protocol::Icmp) {
            self.reader.report(&list.span(), format!("{label}: icmp has no ports"));
            return None;
        }
        if list.get_ref().is_empty() {
            let text = format!("{label}: \"ports\" is empty; leave it out for the protocol's own");
            self.reader.report(&list.span(), text);
            return None;
        }
        let mut ports = Vec::new();
        let mut whole = true;
        for port in list.into_inner() {
            match u16::try_from(*port.get_ref()) {
                Ok(number) if number > 0 => ports.push(number),
                _ => {
                    let text = format!("{label}: port {} is out of range; possible are 1 to 65535", port.get_ref());
                    self.reader.report(&port.span(), text);
                    whole = false;
                }
            }
        }
        ports.sort_unstable();
        ports.dedup();
        whole.then_some(ports)
    }
}
