//! Modes: the box's and those of conduits. Enforcing asks for readiness and waits to be confirmed; everything calmer is
//! one command away at any time.

use std::time::Duration;

use serde_json::{Value, json};

use super::roles::Peer;
use super::{Daemon, Refusal, mode, status};
use crate::dataplane::flows;
use crate::policy;

/// What a person asks for.
pub(super) struct Asked {
    pub(super) word: String,
    pub(super) within: Option<Duration>,
    pub(super) reason: Option<String>,
    pub(super) force: bool,
}

impl Daemon {
    pub(super) fn shown_mode(&self, conduit: Option<&str>) -> Result<Value, Refusal> {
        let Some(name) = conduit else {
            return Ok(json!({"mode": self.memory.mode, "unconfirmed_for": self.seconds_left()}));
        };
        self.known_conduit(name)?;
        Ok(json!({"conduit": name, "mode": status::mode_of(self, name)}))
    }

    fn known_conduit(&self, name: &str) -> Result<u16, Refusal> {
        let names = &self.policy.compiled.names;
        names.conduit_id(name).ok_or_else(|| {
            let known: Vec<&str> = names.conduits().map(|(_, name)| name).collect();
            Refusal::usage(format!("there is no conduit {name:?}; the policy has {}", known.join(", ")))
        })
    }

    /// Refuses to enforce where that is not possible or not ready. What was overridden comes back.
    fn may_enforce(&mut self, conduit: Option<&str>, asked: &Asked) -> Result<Vec<String>, Refusal> {
        if !self.blockers.is_empty() {
            let text = format!("enforce is not possible on these ports: {}", self.blockers.join("; "));
            return Err(Refusal::failed(text));
        }
        self.nothing_waits()?;
        let missing = self.missing(conduit)?;
        if missing.is_empty() {
            return Ok(missing);
        }
        if !asked.force {
            return Err(Refusal::failed(format!(
                "not ready to enforce:\n{}\n(`--force --reason TEXT` enforces all the same, and is recorded)",
                missing.join("\n")
            )));
        }
        if asked.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Refusal::usage("--force needs a reason: --reason TEXT"));
        }
        Ok(missing)
    }

    pub(super) fn switch_box(&mut self, peer: &Peer, asked: Asked) -> Result<Value, Refusal> {
        let word = asked.word.clone();
        if word != "bypass" && mode(&word).is_none() {
            return Err(Refusal::usage(format!("unknown mode {word:?}; possible are learn, shadow, enforce, bypass")));
        }
        let enforcing = word == "enforce" && self.memory.mode != "enforce";
        let overridden = if enforcing { self.may_enforce(None, &asked)? } else { Vec::new() };
        let within = asked.within.unwrap_or(self.config.rollout.confirm_within);
        let waits = enforcing && !within.is_zero();
        let detail = json!({
            "mode": word, "before": self.memory.mode, "forced_over": overridden,
            "unconfirmed_for": waits.then_some(within.as_secs()),
        });
        if enforcing || word == "bypass" {
            self.record(peer, "mode", detail, asked.reason.clone())?;
        } else {
            self.record_if_possible(peer, "mode", detail, asked.reason.clone());
        }
        let before = self.memory.clone();
        if waits {
            self.memory.unconfirmed = Some(self.waiting("mode enforce".into(), within, false));
        } else if word != "enforce" && self.memory.unconfirmed.as_ref().is_some_and(|one| one.policy.is_none()) {
            // The person went back first.
            self.memory.unconfirmed = None;
        }
        if word == "bypass" && self.memory.mode != "bypass" {
            self.memory.mode_before_bypass = Some(self.memory.mode.clone());
        }
        word.clone_into(&mut self.memory.mode);
        self.memory.emergency = None;
        self.memory.note(format!("mode {word}"), asked.reason.clone());
        if let Err(refusal) = self.write_settings() {
            self.memory = before;
            return Err(refusal);
        }
        self.keep_mode(peer, None, &before.mode, &word, asked.reason);
        self.report_change("mode", &word);
        self.remember()?;
        // One that waits already is not confirmed by being asked for again.
        let unconfirmed_for = if waits { Some(within.as_secs()) } else { self.seconds_left() };
        Ok(json!({"mode": word, "before": before.mode, "unconfirmed_for": unconfirmed_for, "forced_over": overridden}))
    }

    pub(super) fn switch_conduit(&mut self, peer: &Peer, name: &str, asked: Asked) -> Result<Value, Refusal> {
        self.known_conduit(name)?;
        let word = asked.word.clone();
        if mode(&word).is_none() {
            return Err(Refusal::usage(format!("a conduit's mode is learn, shadow or enforce, not {word:?}")));
        }
        let old = self.own_mode(name);
        // What the box's mode does not let through yet is a plan, not a flip.
        let enforcing = word == "enforce" && old != "enforce" && self.memory.mode == "enforce";
        let overridden = if enforcing { self.may_enforce(Some(name), &asked)? } else { Vec::new() };
        let within = asked.within.unwrap_or(self.config.rollout.confirm_within);
        let waits = enforcing && !within.is_zero();
        let detail = json!({
            "conduit": name, "mode": word, "before": old, "forced_over": overridden,
            "unconfirmed_for": waits.then_some(within.as_secs()),
        });
        if word == "enforce" {
            self.record(peer, "mode", detail, asked.reason.clone())?;
        } else {
            self.record_if_possible(peer, "mode", detail, asked.reason.clone());
        }
        let before = self.memory.clone();
        if waits {
            self.memory.unconfirmed = Some(self.waiting(format!("mode enforce of conduit {name}"), within, false));
        } else if let Some(waiting) = &mut self.memory.unconfirmed
            && word != "enforce"
        {
            // What a person calms stays calm when the rest goes back.
            waiting.conduits.insert(name.to_owned(), word.clone());
        }
        self.memory.conduits.insert(name.to_owned(), word.clone());
        self.memory.note(format!("mode {word} of conduit {name}"), asked.reason.clone());
        // The deadline is in the kernel before the mode is.
        if let Err(refusal) = self.write_settings().and_then(|()| self.write_conduit_modes()) {
            self.memory = before;
            return Err(refusal);
        }
        self.keep_mode(peer, Some(name), &old, &word, asked.reason);
        self.report_change("mode", &format!("{name}: {word}"));
        self.remember()?;
        let unconfirmed_for = waits.then_some(within.as_secs());
        Ok(json!({
            "conduit": name, "mode": word, "effective": status::mode_of(self, name),
            "unconfirmed_for": unconfirmed_for, "forced_over": overridden,
        }))
    }

    /// A conduit's own mode, whatever the box's says.
    fn own_mode(&self, name: &str) -> String {
        let policy = self.policy.loaded.valid.conduits.iter().find(|entry| entry.name == name);
        let switched = self.memory.conduits.get(name).cloned();
        switched.unwrap_or_else(|| policy.map_or("enforce", |entry| entry.mode.as_str()).to_owned())
    }

    /// The policy of an earlier generation, or the one before; an unconfirmed change first.
    pub(super) fn rollback(&mut self, peer: &Peer, to: Option<u32>, reason: Option<String>) -> Result<Value, Refusal> {
        if to.is_none()
            && let Some(waiting) = self.memory.unconfirmed.clone()
        {
            self.take_back(peer, reason.as_deref().unwrap_or("rolled back"))?;
            return Ok(
                json!({"rolled_back": waiting.what, "mode": self.memory.mode, "generation": self.memory.generation}),
            );
        }
        if to.is_some() {
            self.nothing_waits()?;
        }
        let generations = self.journal.reader().and_then(|reader| reader.generations()).map_err(Refusal::failed)?;
        let now = &self.policy.loaded.text;
        let found = match to {
            Some(number) => generations.iter().find(|one| one.number == number),
            // What was taken back was a mistake, and is not the policy before.
            None => generations
                .iter()
                .rev()
                .find(|one| one.number < self.memory.generation && one.confirmed.is_some() && one.text != *now),
        };
        let Some(kept) = found else {
            return Err(Refusal::failed(match to {
                Some(number) => format!("the journal has no generation {number}; see `enforcer policy history`"),
                None => "there is no earlier policy to go back to".to_owned(),
            }));
        };
        policy::parse(&kept.origin, &kept.text).map_err(Refusal::failed)?;
        let applied = super::memory::Applied { name: kept.origin.clone(), text: kept.text.clone() };
        let number = kept.number;
        let answer = self.change_policy(peer, "rollback", &applied, None, reason)?;
        self.settings.forgiven = flows::now();
        self.write_settings()?;
        Ok(json!({
            "rolled_back": format!("to generation {number}"), "policy": answer["name"],
            "mode": self.memory.mode, "generation": self.memory.generation,
        }))
    }
}
