//! Changes that must be confirmed: they go back by themselves.
//!
//! The deadline and what comes back stand in the kernel before the change does, so that nothing here need be alive for it. What
//! is done here afterwards is bookkeeping: the memory, the settings and the generation say again what the kernel already does.

use std::time::Duration;

use serde_json::json;

use super::memory::{Applied, Unconfirmed};
use super::roles::Peer;
use super::{Daemon, Refusal, heap, nanoseconds};
use crate::dataplane::{flows, publish};
use crate::policy;

/// The running kernel's own name for this boot.
pub(super) fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

impl Daemon {
    /// Refuses a second change while one waits.
    pub(super) fn nothing_waits(&self) -> Result<(), Refusal> {
        match &self.memory.unconfirmed {
            Some(waiting) => Err(Refusal::failed(format!(
                "{} waits to be confirmed: `enforcer confirm` or `enforcer rollback` first",
                waiting.what
            ))),
            None => Ok(()),
        }
    }

    /// What goes back unless it is confirmed; taken down before the change.
    pub(super) fn waiting(&mut self, what: String, within: Duration, policy_changes: bool) -> Unconfirmed {
        self.begin_trial();
        self.memory.gone_back = None;
        let text = self.policy.loaded.text.clone();
        Unconfirmed {
            what,
            boot: boot(),
            until: flows::now().saturating_add(nanoseconds(within)),
            mode: self.memory.mode.clone(),
            conduits: self.memory.conduits.clone(),
            policy: policy_changes.then(|| Applied { name: self.policy.name.clone(), text }),
        }
    }

    /// Seconds until the unconfirmed change goes back.
    pub(super) fn seconds_left(&self) -> Option<u64> {
        let waiting = self.memory.unconfirmed.as_ref()?;
        Some(waiting.until.saturating_sub(flows::now()).div_ceil(1_000_000_000))
    }

    /// The change stays.
    pub(super) fn confirm(&mut self, peer: &Peer, reason: Option<String>) -> Result<serde_json::Value, Refusal> {
        let Some(waiting) = self.memory.unconfirmed.clone() else {
            return Err(Refusal::failed("nothing waits to be confirmed"));
        };
        self.record(peer, "confirm", json!({"change": waiting.what}), reason)?;
        if flows::now() >= waiting.until {
            return Err(Refusal::failed(format!("too late: {} was not confirmed in time and went back", waiting.what)));
        }
        let before = self.memory.clone();
        self.memory.unconfirmed = None;
        self.memory.note(format!("confirmed: {}", waiting.what), None);
        // On the disk first: a restart in between must not take back what was confirmed.
        self.remember()?;
        if let Err(refusal) = self.write_settings() {
            self.memory = before;
            return Err(refusal);
        }
        self.journal.confirmed(self.memory.generation, crate::journal::time::now());
        self.report_change("mode", &format!("confirmed: {}", waiting.what));
        Ok(json!({"confirmed": waiting.what}))
    }

    /// The change goes back: at once, or as the kernel has done it already.
    pub(super) fn take_back(&mut self, peer: &Peer, why: &str) -> Result<(), Refusal> {
        let Some(waiting) = self.memory.unconfirmed.clone() else {
            return Ok(());
        };
        tracing::warn!(change = waiting.what, why, "taken back");
        let detail = json!({"change": waiting.what, "back_to": waiting.mode, "why": why});
        let verb = if peer.who.role == "daemon" { "auto_return" } else { "rollback" };
        if let Err(refusal) = self.record(peer, verb, detail, None) {
            // Going back is never held up by a disk.
            self.alarm(&refusal.text);
        }
        if let Some(applied) = &waiting.policy {
            let loaded = heap::gathered(policy::parse(&applied.name, &applied.text).map_err(Refusal::failed)?);
            self.memory.conduits.clone_from(&waiting.conduits);
            self.apply(&applied.name, loaded)?;
            self.memory.policy = Some(applied.clone());
        }
        self.memory.mode.clone_from(&waiting.mode);
        self.memory.conduits.clone_from(&waiting.conduits);
        self.memory.unconfirmed = None;
        if waiting.policy.is_some() {
            // What came back was confirmed before, and is.
            self.keep_generation(peer, Some(format!("back from: {}", waiting.what)));
        }
        self.settings.forgiven = flows::now();
        self.write_settings()?;
        self.write_conduit_modes()?;
        let gone_back = format!("{} ({why})", waiting.what);
        self.memory.note(format!("taken back: {gone_back}"), None);
        if verb == "auto_return" {
            self.memory.gone_back = Some(gone_back);
        }
        self.report_change("mode", &format!("taken back: {} ({why})", waiting.what));
        self.remember()
    }

    /// Writes the modes of all conduits, with what they fall back to.
    pub(super) fn write_conduit_modes(&mut self) -> Result<(), Refusal> {
        let bank = self.policy.compiled.image.header.bank;
        let ids: Vec<(u16, String)> =
            self.policy.compiled.names.conduits().map(|(id, name)| (id, name.to_owned())).collect();
        for (id, name) in ids {
            let cell = super::conduit_cell_of(&self.memory, &name);
            publish::set_conduit_mode(&mut self.object.maps, bank, id, cell).map_err(Refusal::failed)?;
        }
        Ok(())
    }
}

/// What a start makes of a change that waits: one whose time is over, or that another boot has seen, goes back before
/// anything is attached. Leaves what was taken back, in words.
pub(super) fn settle(memory: &mut super::Memory) -> Option<String> {
    let waiting = memory.unconfirmed.clone()?;
    let same = waiting.boot == boot();
    if same && flows::now() < waiting.until {
        return None;
    }
    memory.mode.clone_from(&waiting.mode);
    memory.conduits.clone_from(&waiting.conduits);
    if waiting.policy.is_some() {
        memory.policy.clone_from(&waiting.policy);
    }
    memory.unconfirmed = None;
    let why = if same { "it was not confirmed in time" } else { "the machine was restarted before it was confirmed" };
    let gone_back = format!("{} ({why})", waiting.what);
    memory.note(format!("taken back: {gone_back}"), None);
    memory.gone_back = Some(gone_back.clone());
    Some(gone_back)
}

impl Daemon {
    /// The last steps of coming up: what the memory has of candidates, grants and changes that were taken back meanwhile.
    pub(super) fn resume(&mut self, gone_back: Option<String>) -> anyhow::Result<()> {
        let failed = |refusal: Refusal| anyhow::anyhow!("{}", refusal.text);
        self.begin_tallies().map_err(failed)?;
        self.begin_health();
        self.renew_grants().map_err(failed)?;
        let daemon = Peer::daemon();
        self.record_if_possible(
            &daemon,
            "start",
            json!({"mode": self.memory.mode, "generation": self.memory.generation}),
            None,
        );
        if let Some(what) = gone_back {
            self.record_if_possible(&daemon, "auto_return", json!({"change": what}), None);
            self.report_change("mode", &format!("taken back: {what}"));
        }
        self.keep_generation_once(&daemon);
        if let Some(candidate) = self.memory.candidate.clone()
            && let Err(refusal) = self.stage(&candidate.name, &candidate.text)
        {
            self.memory.candidate = None;
            self.attention.push(format!("the candidate policy is gone: {}", refusal.text));
        }
        if let Some(why) = self.memory.emergency.clone() {
            self.alarm(&why);
        }
        for trouble in &self.attention {
            tracing::warn!(trouble, "attention");
        }
        // A disk that takes nothing is no reason not to protect the line.
        if let Err(refusal) = self.remember() {
            self.alarm(&refusal.text);
        }
        Ok(())
    }

    /// In which state the line is, in one sentence; at the end, in which it is left.
    pub(super) fn line(&self) -> String {
        let (network, device) = (&self.config.ports.network, &self.config.ports.device);
        if self.detached {
            return format!("the programs are off {network} and {device}: nothing is judged");
        }
        if self.memory.mode == "bypass" {
            return format!(
                "{network} and {device} are joined, in bypass: everything is forwarded and nothing is judged"
            );
        }
        format!(
            "{network} and {device} are joined, the programs on them hold policy {} generation {} in mode {}",
            self.policy.loaded.valid.name, self.memory.generation, self.memory.mode
        )
    }

    /// The end of an orderly stop: nobody is missed that went away on purpose.
    pub(super) fn rest(&mut self) {
        self.keep_health();
        if let Err(refusal) = self.fold() {
            tracing::warn!(refusal.text, "not kept");
        }
        self.settings.alive_until = 0;
        if let Err(refusal) = self.write_settings() {
            tracing::warn!(refusal.text, "the settings stay as they are");
        }
    }
}
