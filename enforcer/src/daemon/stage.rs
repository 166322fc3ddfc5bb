//! The candidate: a policy that is tried beside the one in force, on the same frames, and acts on none.

use std::collections::BTreeMap;
use std::time::Duration;

use enforcer_common::abi::{loss, place};
use enforcer_common::observation::Difference;
use enforcer_common::verdict::Reason;
use serde_json::{Value, json};

use super::memory::Applied;
use super::roles::Peer;
use super::{Daemon, InForce, Refusal, heap};
use crate::dataplane::{counters, publish, steps};
use crate::journal::time;
use crate::learn;
use crate::policy;
use crate::rollout;

/// Set in the generation number of candidates, so that nothing remembered of one is taken for the other.
const CANDIDATE: u32 = 1 << 31;

impl Daemon {
    /// Tries a policy beside the one in force.
    pub(super) fn stage(&mut self, name: &str, text: &str) -> Result<Value, Refusal> {
        let loaded = heap::gathered(policy::parse(name, text).map_err(Refusal::usage)?);
        let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        self.stages = self.stages.wrapping_add(1);
        let bank = 1 - self.policy.compiled.image.header.bank;
        let compiled = policy::compile(&loaded.valid, CANDIDATE | self.stages, bank).map_err(Refusal::usage)?;
        self.object.compare().map_err(Refusal::failed)?;
        self.unload_candidate()?;
        steps::try_candidate(&mut self.object.maps).map_err(Refusal::failed)?;
        publish::put(&mut self.object.maps, place::CANDIDATE, &compiled).map_err(Refusal::failed)?;
        counters::clear_differences(&mut self.object.maps).map_err(Refusal::failed)?;
        let (label, revision) = (loaded.valid.name.clone(), loaded.valid.revision);
        self.candidate = Some(InForce { name: name.to_owned(), loaded, compiled });
        self.memory.candidate = Some(Applied { name: name.to_owned(), text: text.to_owned() });
        self.write_settings()?;
        Ok(json!({"name": label, "revision": revision, "warnings": warnings}))
    }

    /// Takes it away again.
    pub(super) fn discard(&mut self) -> Result<Value, Refusal> {
        let Some(candidate) = &self.candidate else {
            return Err(Refusal::failed("there is no candidate"));
        };
        let answer = json!({"discarded": candidate.loaded.valid.name, "revision": candidate.loaded.valid.revision});
        self.unload_candidate()?;
        self.memory.candidate = None;
        Ok(answer)
    }

    fn unload_candidate(&mut self) -> Result<(), Refusal> {
        self.candidate = None;
        self.write_settings()
    }

    /// Puts the candidate in force.
    pub(super) fn promote(&mut self, peer: &Peer, within: Duration, reason: Option<String>) -> Result<Value, Refusal> {
        let Some(applied) = self.memory.candidate.clone() else {
            return Err(Refusal::failed("there is no candidate; `enforcer policy stage FILE` first"));
        };
        let answer = self.change_policy(peer, "policy_promote", &applied, Some(within), reason)?;
        if let Err(error) = steps::promote(&mut self.object.maps) {
            tracing::warn!(%error, "the first write of an object is not held against the one before");
        }
        self.unload_candidate()?;
        self.memory.candidate = None;
        self.remember()?;
        Ok(answer)
    }

    /// What the candidate would do otherwise, from live traffic.
    pub(super) fn difference(&self) -> Result<Value, Refusal> {
        let Some(candidate) = &self.candidate else {
            return Err(Refusal::failed(
                "there is no candidate; `enforcer policy stage FILE` first, or `policy diff FILE`",
            ));
        };
        let maps = &self.object.maps;
        let clock = learn::Clock::new(std::time::SystemTime::now(), crate::dataplane::flows::now());
        let mut rows = Vec::new();
        for entry in maps.different.iter() {
            let (key, seen) = entry.map_err(Refusal::failed)?;
            let Difference { key, candidate, .. } = key.0;
            let was = key.reason().map_or("unknown", Reason::as_str);
            let now = Reason::from_code(candidate).map_or("unknown", Reason::as_str);
            let verdict = |reason: Option<Reason>| reason.map_or("deny", |reason| reason.verdict().as_str());
            let mut row = rollout::described(&key);
            if let Value::Object(fields) = &mut row {
                fields.insert("active".into(), json!({"verdict": verdict(key.reason()), "reason": was}));
                let code = Reason::from_code(candidate);
                fields.insert("candidate".into(), json!({"verdict": verdict(code), "reason": now}));
                fields.insert("count".into(), seen.0.count.into());
                fields.insert("first".into(), clock.text(seen.0.first_seen).into());
                fields.insert("last".into(), clock.text(seen.0.last_seen).into());
            }
            rows.push((std::cmp::Reverse(seen.0.count), row));
        }
        rows.sort_by(|(one, row), (other, with)| one.cmp(other).then_with(|| row.to_string().cmp(&with.to_string())));
        let compared: u64 = maps.compared.get(&0, 0).map_err(Refusal::failed)?.iter().sum();
        let not = counters::lost(maps, loss::COMPARISONS).map_err(Refusal::failed)?;
        let valid = &candidate.loaded.valid;
        Ok(json!({
            "schema": 1,
            "active": {"name": self.policy.loaded.valid.name, "revision": self.policy.loaded.valid.revision},
            "candidate": {"name": valid.name, "revision": valid.revision},
            "compared": compared,
            "not_compared": not.saturating_sub(self.not_compared_before),
            "flips": rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(),
        }))
    }

    /// What a policy would say of what the journal has, against what the one in force says of it now: what earlier ones said is
    /// no difference between the two. Touches no traffic.
    pub(super) fn look_back(&self, name: &str, text: &str, since: i64) -> Result<Value, Refusal> {
        let loaded = policy::parse(name, text).map_err(Refusal::usage)?;
        let compiled = policy::compile(&loaded.valid, 1, 0).map_err(Refusal::usage)?;
        let reader = self.journal.reader().map_err(Refusal::failed)?;
        let evidence = reader.evidence(crate::journal::Window::since(since), false).map_err(Refusal::failed)?;
        let mut flips: BTreeMap<String, Flip> = BTreeMap::new();
        let mut judged = 0_u64;
        for one in &evidence {
            let outcome = rollout::judge_again(&compiled.image, &one.key, one.values);
            judged = judged.saturating_add(one.count);
            let was = rollout::judge_again(&self.policy.compiled.image, &one.key, one.values);
            if was.verdict() == outcome.verdict() {
                continue;
            }
            let mut row = rollout::described(&one.key);
            if let Value::Object(fields) = &mut row {
                let words = |reason: Reason| json!({"verdict": reason.verdict().as_str(), "reason": reason.as_str()});
                fields.insert("active".into(), words(was));
                fields.insert("candidate".into(), words(outcome));
            }
            // The journal has an operation once for each thing that policies said of it.
            let flip = flips.entry(row.to_string()).or_insert(Flip { row, count: 0, first: one.first, last: one.last });
            flip.count = flip.count.saturating_add(one.count);
            flip.first = flip.first.min(one.first);
            flip.last = flip.last.max(one.last);
        }
        let mut flips: Vec<Flip> = flips.into_values().collect();
        flips.sort_by_key(|flip| std::cmp::Reverse(flip.count));
        Ok(json!({
            "schema": 1,
            "active": {"name": self.policy.loaded.valid.name, "revision": self.policy.loaded.valid.revision},
            "candidate": {"name": loaded.valid.name, "revision": loaded.valid.revision},
            "since": time::text(since),
            "compared": judged,
            "not_compared": 0,
            "flips": flips.into_iter().map(Flip::row).collect::<Vec<_>>(),
        }))
    }
}

/// An operation of the journal that two policies decide differently.
struct Flip {
    row: Value,
    count: u64,
    /// Nanoseconds since 1970.
    first: i64,
    last: i64,
}

impl Flip {
    fn row(mut self) -> Value {
        if let Value::Object(fields) = &mut self.row {
            fields.insert("count".into(), self.count.into());
            fields.insert("first".into(), time::text(self.first).into());
            fields.insert("last".into(), time::text(self.last).into());
        }
        self.row
    }
}
