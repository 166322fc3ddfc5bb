//! Who did what and why: into the audit trail, which waits for the disk, and into the journal, which does not.

use serde_json::Value;

use super::roles::Peer;
use super::{Daemon, Refusal};
use crate::journal::audit::Entry;
use crate::journal::{Generation, ModeChange, time};

impl Daemon {
    /// Records a change before it is made. What cannot be recorded is not done, unless the caller goes on for safety's sake.
    pub(super) fn record(
        &mut self,
        peer: &Peer,
        what: &str,
        detail: Value,
        why: Option<String>,
    ) -> Result<(), Refusal> {
        let entry = Entry { who: peer.who.clone(), what: what.to_owned(), detail, why };
        match self.journal.audit(entry) {
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal::failed(format!("not done, because it cannot be recorded: {error}"))),
        }
    }

    /// The same for what calms the box or takes rights away: it is done whatever the disk says.
    pub(super) fn record_if_possible(&mut self, peer: &Peer, what: &str, detail: Value, why: Option<String>) {
        if let Err(refusal) = self.record(peer, what, detail, why) {
            self.alarm(&refusal.text.replace("not done, because it cannot be recorded", "done, but not recorded"));
        }
    }

    /// Says something that a person must know, in events and in the log.
    pub(super) fn alarm(&mut self, what: &str) {
        tracing::error!(what, "alarm");
        self.report_change("alarm", what);
    }

    /// Keeps the text of the policy in force.
    pub(super) fn keep_generation(&self, peer: &Peer, why: Option<String>) {
        let valid = &self.policy.loaded.valid;
        let now = time::now();
        self.journal.generation(Generation {
            number: self.memory.generation,
            time: now,
            name: valid.name.clone(),
            revision: valid.revision,
            text: self.policy.loaded.text.clone(),
            origin: self.policy.name.clone(),
            who: peer.name(),
            why,
            confirmed: self.memory.unconfirmed.is_none().then_some(now),
        });
    }

    /// The same at a start: what the journal has of this generation already, who put it in force and why, stays.
    pub(super) fn keep_generation_once(&self, peer: &Peer) {
        let known = self.journal.reader().and_then(|reader| reader.generations()).unwrap_or_default();
        let number = self.memory.generation;
        match known.iter().find(|one| one.number == number && one.text == self.policy.loaded.text) {
            None => self.keep_generation(peer, None),
            Some(one) if one.confirmed.is_none() && self.memory.unconfirmed.is_none() => {
                self.journal.confirmed(number, time::now());
            }
            Some(_) => {}
        }
    }

    /// Keeps a switched mode.
    pub(super) fn keep_mode(&self, peer: &Peer, conduit: Option<&str>, old: &str, new: &str, why: Option<String>) {
        let conduit = conduit.map(str::to_owned);
        let (old, new) = (old.to_owned(), new.to_owned());
        self.journal.mode(ModeChange { time: time::now(), conduit, old, new, who: peer.name(), why });
    }
}
