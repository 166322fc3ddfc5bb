//! Gathers what the shadow report is made from.

use std::collections::BTreeMap;

use enforcer_common::abi::loss;
use enforcer_common::verdict::{Reason, Verdict};
use serde_json::{Value, json};

use super::{Daemon, Refusal, status};
use crate::dataplane::counters::{self, Tally};
use crate::journal::{Window, time};
use crate::replay::time::Timestamp;
use crate::rollout::report::{self, ConduitCounts, Evidence, Frames, Hour, Input, State};

/// Events that samples are taken from.
const SAMPLES: u64 = 5000;

fn stamp(nanoseconds: i64) -> Timestamp {
    let part = u64::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0);
    Timestamp::new(nanoseconds.div_euclid(1_000_000_000), part)
}

impl Daemon {
    /// The report since a moment, nanoseconds since 1970; as text for a terminal and as JSON, and as a page if asked for.
    pub(super) fn shadow_report(&mut self, since: Option<i64>, html: bool) -> Result<Value, Refusal> {
        let (box_readiness, readiness) = self.readiness_document()?;
        let reader = self.journal.reader().map_err(Refusal::failed)?;
        let window = since.map_or(Window::ALL, Window::since);
        let ask = |error: crate::journal::JournalError| Refusal::failed(error);
        let totals = self.totals()?;
        let mut hours: BTreeMap<String, (Tally, Vec<Hour>)> = BTreeMap::new();
        for one in reader.tallies(window).map_err(ask)? {
            let (sum, list) = hours.entry(one.conduit.clone()).or_default();
            sum.evaluated += one.evaluated;
            sum.allow += one.allow;
            sum.log += one.log;
            sum.deny += one.deny;
            sum.would_deny += one.would_deny;
            let start = Timestamp::new(one.hour.saturating_mul(3600), 0);
            list.push(Hour { start, evaluated: one.evaluated, would_denied: one.would_deny });
        }
        let conduits = self
            .policy
            .compiled
            .names
            .conduits()
            .map(|(_, name)| {
                let (tally, hours) = hours.remove(name).unwrap_or_default();
                let rules = totals.rules.iter().filter(|((conduit, _), _)| conduit == name);
                ConduitCounts {
                    name: name.to_owned(),
                    mode: status::mode_of(self, name).to_owned(),
                    tally,
                    rules: rules.map(|((_, rule), count)| (rule.clone(), *count)).collect(),
                    hours,
                    readiness: readiness.get(name).and_then(|one| serde_json::to_value(one).ok()),
                }
            })
            .collect();
        let (uncovered, uncovered_hours) = hours.remove("").unwrap_or_default();
        let image = &self.policy.compiled.image;
        let seen = reader.evidence(window, false).map_err(ask)?;
        let first = seen.iter().map(|one| one.first).min().unwrap_or_else(time::now);
        let evidence = seen
            .iter()
            .filter_map(|one| {
                // Judged by the policy in force: what it allows since is no group any more.
                let reason = crate::rollout::judge_again(image, &one.key, one.values);
                let (value_min, value_max) = one.values.unwrap_or((i64::MAX, i64::MIN));
                (reason.verdict() == Verdict::Deny).then_some(Evidence {
                    key: one.key,
                    reason,
                    count: one.count,
                    first: stamp(one.first),
                    last: stamp(one.last),
                    value_min,
                    value_max,
                })
            })
            .collect();
        let by_word = |word: &str| {
            Reason::ALL.iter().copied().find(|reason| reason.as_str() == word && reason.verdict() == Verdict::Deny)
        };
        let mut frames = Vec::new();
        for one in reader.groups(window).map_err(ask)? {
            let Some(reason) = by_word(&one.group.reason) else { continue };
            if report::is_policy(reason) {
                continue;
            }
            frames.push(Frames {
                reason,
                conduit: Some(one.group.conduit.clone()).filter(|name| !name.is_empty()),
                src: one.group.src.clone(),
                dst: one.group.dst.clone(),
                count: one.count,
                first: stamp(one.first),
                last: stamp(one.last),
                sample: None,
            });
        }
        let events = reader.events(since.unwrap_or(i64::MIN), SAMPLES).map_err(ask)?;
        let curve = reader.curve(window).map_err(ask)?;
        let maps = &self.object.maps;
        let lost = |what| counters::lost(maps, what).map_err(Refusal::failed);
        let losses = self.journal.losses();
        let input = Input {
            state: State {
                generation: self.memory.generation,
                mode: self.memory.mode.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                since: stamp(since.unwrap_or(first)),
                until: stamp(time::now()),
                made: stamp(time::now()),
            },
            policy: &self.policy.loaded,
            compiled: &self.policy.compiled,
            conduits,
            uncovered,
            uncovered_hours,
            evidence,
            frames,
            events: events.into_iter().map(|row| row.record).collect(),
            discovery: curve
                .into_iter()
                .map(|one| (Timestamp::new(one.hour.saturating_mul(3600), 0), one.operations))
                .collect(),
            readiness: Some(box_readiness),
            losses: vec![
                ("events".into(), lost(loss::EVENTS)?.saturating_add(losses.events)),
                ("observations".into(), lost(loss::OBSERVATIONS)?.saturating_add(losses.readings)),
                ("conversations".into(), lost(loss::FLOWS)?),
            ],
            attention: self.journal.troubles(),
        };
        let made = report::build(&input);
        let page = html.then(|| report::html(&made));
        Ok(json!({"report": made, "text": report::text(&made), "html": page}))
    }
}
