//! Readiness of conduits and of the box, from the journal and the kernel's counters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use enforcer_common::abi::loss;
use enforcer_common::verdict::{Mode, Verdict};
use serde_json::{Value, json};

use super::{Daemon, Refusal};
use crate::dataplane::{counters, flows};
use crate::journal::{Window, time};
use crate::learn;
use crate::policy::valid::Segmentation;
use crate::rollout::readiness::{Hour, Observed, Readiness, measure};

/// The box's readiness as a document, and that of each conduit.
pub(super) type Document = (Value, BTreeMap<String, Readiness>);

/// A measurement is good enough for `status` for a second, or for so many times what it took: a large journal is not read all
/// the time.
const GOOD_FOR: Duration = Duration::from_secs(1);
const TIMES: u32 = 20;

impl Daemon {
    /// Readiness as it was a moment ago.
    pub(super) fn recent_readiness(&mut self) -> Result<Document, Refusal> {
        if let Some((at, took, document)) = &self.ready
            && at.elapsed() < GOOD_FOR.max(*took * TIMES)
        {
            return Ok(document.clone());
        }
        self.readiness_document()
    }

    /// What keeps a conduit, or all that the box's mode would let enforce, from it. Sentences.
    pub(super) fn missing(&mut self, conduit: Option<&str>) -> Result<Vec<String>, Refusal> {
        let all = self.readiness()?;
        let wants = |name: &str| match conduit {
            Some(one) => one == name,
            None => self.wants_enforce(name),
        };
        let names: Vec<&String> = all.keys().filter(|name| wants(name)).collect();
        Ok(names.into_iter().filter_map(|name| all.get(name)).flat_map(|one| one.missing.clone()).collect())
    }

    /// True for a conduit that enforces as soon as the box does.
    fn wants_enforce(&self, name: &str) -> bool {
        let switched = self.memory.conduits.get(name).map(String::as_str);
        let policy = self.policy.loaded.valid.conduits.iter().find(|entry| entry.name == name);
        match switched {
            Some(word) => word == "enforce",
            None => policy.is_some_and(|entry| entry.mode == Mode::Enforce),
        }
    }

    fn asks_for_whole_units(&self, name: &str) -> bool {
        let conduit = self.policy.loaded.valid.conduits.iter().find(|entry| entry.name == name);
        conduit.is_some_and(|entry| entry.segmentation == Segmentation::Whole)
    }

    /// Readiness of every conduit.
    pub(super) fn readiness(&mut self) -> Result<BTreeMap<String, Readiness>, Refusal> {
        self.fold()?;
        let _ = self.journal.flush(Duration::from_secs(2));
        let reader = self.journal.reader().map_err(Refusal::failed)?;
        let now = time::now();
        let hour_now = time::hour(now);
        let mut observed: BTreeMap<String, Observed> = BTreeMap::new();
        for (_, name) in self.policy.compiled.names.conduits() {
            observed.insert(name.to_owned(), Observed::default());
        }
        for tally in reader.tallies(Window::ALL).map_err(Refusal::failed)? {
            let Some(one) = observed.get_mut(&tally.conduit) else { continue };
            one.shadow = one.shadow.saturating_add(tally.shadow);
            one.evaluated = one.evaluated.saturating_add(tally.evaluated);
            one.hours.push(Hour {
                hour: tally.hour,
                shadow: tally.shadow,
                evaluated: tally.evaluated,
                would_deny: tally.would_deny,
                new: 0,
            });
        }
        let seconds_since = |nanoseconds: i64| u64::try_from((now - nanoseconds) / 1_000_000_000).unwrap_or(0);
        for evidence in reader.evidence(Window::ALL, false).map_err(Refusal::failed)? {
            let image = &self.policy.compiled.image;
            let conduit = crate::rollout::conduit_of(image, &evidence.key);
            let Some(name) = self.policy.compiled.names.conduit(conduit) else { continue };
            let Some(one) = observed.get_mut(name) else { continue };
            if learn::splits(&evidence.key) {
                // Where the policy in force takes units in pieces they are no obstacle.
                let recent = seconds_since(evidence.last) < self.config.rollout.quiet.as_secs();
                one.splits = one.splits.saturating_add(u64::from(recent && self.asks_for_whole_units(name)));
            }
            // What the policy in force says now: an operation that it allows since was no reason to wait.
            let reason = crate::rollout::judge_again(image, &evidence.key, evidence.values);
            if reason.verdict() == Verdict::Deny && !evidence.key.is_stopped() {
                let quiet = seconds_since(evidence.last);
                one.quiet = Some(one.quiet.map_or(quiet, |known| known.min(quiet)));
            }
            let settled = seconds_since(evidence.first);
            one.settled = Some(one.settled.map_or(settled, |known| known.min(settled)));
            let hour = time::hour(evidence.first);
            match one.hours.iter_mut().find(|entry| entry.hour == hour) {
                Some(entry) => entry.new = entry.new.saturating_add(1),
                None => one.hours.push(Hour { hour: hour.min(hour_now), new: 1, ..Hour::default() }),
            }
        }
        let maps = &self.object.maps;
        let lost = |what| counters::lost(maps, what).map_err(Refusal::failed);
        let losses = lost(loss::OBSERVATIONS)?.saturating_add(lost(loss::EVENTS)?);
        let census = flows::census(maps, flows::now()).map_err(Refusal::failed)?;
        let rollout = &self.config.rollout;
        let measured = observed.into_iter().map(|(name, mut one)| {
            one.hours.sort_by_key(|hour| hour.hour);
            one.lost = losses;
            one.unsynchronised = census.devices.values().map(|device| device.cannot_be_locked).sum();
            let whose = format!("conduit {name}");
            let readiness = measure(&whose, &one, rollout);
            (name, readiness)
        });
        Ok(measured.collect())
    }

    /// The same as a document for the box: ready when all conduits are that it would let enforce.
    pub(super) fn readiness_document(&mut self) -> Result<Document, Refusal> {
        let begun = Instant::now();
        let all = self.readiness()?;
        let wanted: Vec<(&String, &Readiness)> = all.iter().filter(|(name, _)| self.wants_enforce(name)).collect();
        let missing: Vec<&String> = wanted.iter().flat_map(|(_, one)| &one.missing).collect();
        let measures: Vec<Value> = wanted
            .iter()
            .map(|(name, one)| {
                let met = one.measures.iter().filter(|measure| measure.ok).count();
                json!({
                    "name": format!("conduit {name}"), "value": format!("{met} of {}", one.measures.len()),
                    "threshold": "all measures", "ok": one.ready,
                })
            })
            .collect();
        let ready = missing.is_empty() && !wanted.is_empty();
        let document = (json!({"ready": ready, "missing": missing, "measures": measures}), all.clone());
        self.ready = Some((Instant::now(), begun.elapsed(), document.clone()));
        Ok(document)
    }
}
