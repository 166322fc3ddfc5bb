//! The lists of the report that need no judging: frames, rules, and numbers over time.

use std::collections::BTreeMap;

use super::input::{Evidence, Frames, Hour, Input};
use super::model::{self, Counts};
use super::{heap, reasons, words};
use crate::dataplane::counters::Tally;
use crate::policy::valid::Policy;
use crate::replay::time::Timestamp;

/// What no rule decides: the frames as they were handed in, and evidence of such reasons, most frequent first.
pub(super) fn frames(input: &Input<'_>, broken: &[Evidence]) -> Vec<model::Frames> {
    let of_evidence = broken.iter().map(|one| {
        let (from, to) = words::ends(&input.policy.valid, &one.key);
        let conduit = input.compiled.names.conduit(heap::conduit(&input.compiled.image, &one.key));
        Frames {
            reason: one.reason,
            conduit: conduit.map(str::to_owned),
            src: from.address,
            dst: to.address,
            count: one.count,
            first: one.first,
            last: one.last,
            sample: None,
        }
    });
    let mut list: Vec<Frames> = input.frames.iter().cloned().chain(of_evidence).collect();
    list.sort_by(|one, other| (other.count, one.reason, &one.src).cmp(&(one.count, other.reason, &other.src)));
    let each = |one: &Frames| model::Frames {
        reason: one.reason.as_str(),
        meaning: reasons::meaning(one.reason),
        advice: reasons::advice(one.reason),
        conduit: one.conduit.clone(),
        from: one.src.clone(),
        to: one.dst.clone(),
        count: one.count,
        first: words::stamp(one.first),
        last: words::stamp(one.last),
        sample: one.sample.clone(),
    };
    list.iter().map(each).collect()
}

/// Every rule of the policy, also those that nothing ever hit.
pub(super) fn rules(input: &Input<'_>, policy: &Policy) -> Vec<model::Rule> {
    let counted = input
        .conduits
        .iter()
        .flat_map(|one| one.rules.iter().map(move |(rule, hits)| ((one.name.as_str(), rule.as_str()), *hits)));
    let hits: BTreeMap<(&str, &str), u64> = counted.collect();
    let each = |conduit: &crate::policy::valid::Conduit| {
        let of = |rule: &crate::policy::valid::Rule| model::Rule {
            conduit: conduit.name.clone(),
            name: rule.name.clone(),
            line: rule.line,
            action: rule.action.as_str(),
            covers: words::rule(conduit.protocol, rule),
            hits: hits.get(&(conduit.name.as_str(), rule.name.as_str())).copied().unwrap_or_default(),
        };
        conduit.rules.iter().map(of).collect::<Vec<_>>()
    };
    policy.conduits.iter().flat_map(each).collect()
}

pub(super) fn hours(input: &Input<'_>) -> Vec<model::Hours> {
    let series = |conduit: Option<&str>, hours: &[Hour]| model::Hours {
        conduit: conduit.map(str::to_owned),
        hours: hours
            .iter()
            .map(|hour| model::Hour {
                start: words::stamp(hour.start),
                at: number(hour.start),
                evaluated: hour.evaluated,
                would_deny: hour.would_denied,
            })
            .collect(),
    };
    let conduits = input.conduits.iter().map(|one| series(Some(&one.name), &one.hours));
    conduits.chain(std::iter::once(series(None, &input.uncovered_hours))).filter(|one| !one.hours.is_empty()).collect()
}

pub(super) fn discovery((hour, new): &(Timestamp, u64)) -> model::Discovery {
    model::Discovery { hour: words::stamp(*hour), at: number(*hour), new: *new }
}

/// Hours since 1970.
fn number(time: Timestamp) -> u64 {
    time.as_nanos() / 3_600_000_000_000
}

impl Counts {
    /// The sum.
    pub(super) fn and(self, tally: Tally) -> Self {
        Self {
            evaluated: self.evaluated.saturating_add(tally.evaluated),
            allow: self.allow.saturating_add(tally.allow),
            log: self.log.saturating_add(tally.log),
            deny: self.deny.saturating_add(tally.deny),
            would_deny: self.would_deny.saturating_add(tally.would_deny),
        }
    }
}
