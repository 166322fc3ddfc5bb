//! The shadow report: what enforcing would have denied, why, and what would have to change.
//!
//! Enters: counters, evidence, and the policy they belong to ([`Input`]). Leaves: a [`Report`], which is its own JSON
//! form, and is written as text for a terminal ([`text()`]) and as one HTML file ([`html()`]). Nothing here decides about an
//! operation: what passes is asked of the core.

mod change;
mod closest;
mod heap;
mod html;
mod input;
mod model;
mod reasons;
mod sample;
mod text;
mod verdict;
pub(super) mod words;

pub use html::html;
pub use input::{ConduitCounts, Evidence, Frames, Hour, Input, State};
pub use model::Report;
pub use text::text;

use std::collections::BTreeMap;

use enforcer_common::policy::Image;
use enforcer_common::verdict::{Reason, Verdict};

use self::heap::Heap;
use self::model::{Closest, Counts, Group, Values};
use crate::dataplane::counters::Tally;
use crate::policy::valid::Policy;
use crate::replay::time::Timestamp;

/// Groups for which changes are worked out: each takes a few compilations of the policy. More than an engineer decides in
/// one sitting; the rest is listed with its reasons.
const WORKED_OUT: usize = 200;

pub(super) use heap::conduit as conduit_of;
pub use reasons::is_policy;

/// What the policy in `image` says about one entry of evidence.
pub(super) fn judge(image: &Image, one: &Evidence) -> Reason {
    heap::heaps(image, std::slice::from_ref(one)).first().map_or(Reason::BeyondInspection, |heap| heap.judge(image))
}

/// Makes the report.
pub fn build(input: &Input<'_>) -> Report {
    let policy = &input.policy.valid;
    let (evidence, broken): (Vec<_>, Vec<_>) =
        input.evidence.iter().cloned().partition(|one| reasons::is_policy(one.reason));
    let mut heaps = heap::heaps(&input.compiled.image, &evidence);
    // Conduits in the order of the file, what none covers last; in each the most frequent first.
    let order = |heap: &Heap| if heap.conduit == 0 { u16::MAX } else { heap.conduit };
    heaps.sort_by(|one, other| {
        (order(one), other.count, one.reason, one.key.client, one.key.function, one.key.unit, one.key.first).cmp(&(
            order(other),
            one.count,
            other.reason,
            other.key.client,
            other.key.function,
            other.key.unit,
            other.key.first,
        ))
    });
    let groups: Vec<Group> = (0..heaps.len()).filter_map(|index| group(input, &heaps, index)).collect();
    let mut totals = input.conduits.iter().fold(Counts::default(), |sum, one| sum.and(one.tally));
    totals = totals.and(input.uncovered);
    let verdict = verdict::of(input, totals, &groups);
    Report {
        schema: 1,
        state: state(input, policy),
        verdict,
        totals,
        conduits: input.conduits.iter().map(conduit).collect(),
        uncovered: Counts::default().and(input.uncovered),
        groups,
        frames: frames(input, &broken),
        rules: rules(input, policy),
        hours: hours(input),
        discovery: input.discovery.iter().map(discovery).collect(),
        losses: input.losses.iter().map(|(what, count)| model::Loss { what: what.clone(), count: *count }).collect(),
        attention: input.attention.clone(),
    }
}

fn group(input: &Input<'_>, heaps: &[Heap], index: usize) -> Option<Group> {
    let heap = heaps.get(index)?;
    let (policy, compiled) = (&input.policy.valid, input.compiled);
    let obstacle = closest::obstacle(policy, compiled, heap);
    let settled = heap.judge(&compiled.image).verdict() != Verdict::Deny
        && heap.reason != enforcer_common::verdict::Reason::RateExceeded;
    let function = words::function(&heap.key);
    let mut warnings = Vec::new();
    if let Some(function) = function.as_ref().filter(|function| function.dangerous) {
        warnings.push(format!(
            "{} can stop, change or take over the device (class {}). Allow it only for a known task, and rather for a limited time.",
            function.name.unwrap_or("This function"),
            function.access
        ));
    }
    if function.as_ref().is_some_and(|function| function.name.is_none()) {
        warnings.push(
            "This function code is in no table of the protocol. Ask the maker of the device what it does.".to_owned(),
        );
    }
    let changes = if settled || index >= WORKED_OUT {
        Vec::new()
    } else {
        change::changes(input.policy, &compiled.image, heaps, index, &obstacle)
    };
    if index >= WORKED_OUT && !settled {
        warnings.push(format!("Changes are worked out for the first {WORKED_OUT} groups only."));
    } else if let Some(rule) = obstacle.forbids.filter(|_| changes.is_empty()) {
        warnings.push(format!("Rule \"{}\" forbids this in so many words: no text is proposed against it.", rule.name));
    } else if changes.is_empty() && !settled {
        warnings.push("No change of one place allows exactly this; it is for you to write.".to_owned());
    }
    let (from, to) = words::ends(policy, &heap.key);
    let title = words::title(heap);
    Some(Group {
        id: u32::try_from(index.saturating_add(1)).unwrap_or(u32::MAX),
        conduit: compiled.names.conduit(heap.conduit).map(str::to_owned),
        reason: heap.reason.as_str(),
        meaning: reasons::meaning(heap.reason),
        sample: sample::of(&input.events, heap, &from, &to),
        from,
        to,
        protocol: words::protocol_name(&heap.key),
        transport: words::transport(&heap.key),
        port: words::port(&heap.key),
        unit: words::has_units(&heap.key).then_some(heap.key.unit),
        function,
        objects: words::objects(&heap.key, &heap.objects),
        ranges: heap.ranges,
        values: heap.values.map(|(min, max)| Values { min, max }),
        title,
        count: heap.count,
        first: words::stamp(heap.first),
        last: words::stamp(heap.last),
        without_operation: heap.without_operation,
        closest: obstacle.closest.map(|(rule, miss)| Closest {
            rule: rule.name.clone(),
            line: rule.line,
            miss: miss.as_str(),
        }),
        why: obstacle.why,
        settled,
        warnings,
        changes,
    })
}

fn state(input: &Input<'_>, policy: &Policy) -> model::State {
    model::State {
        policy: policy.name.clone(),
        revision: policy.revision,
        generation: input.state.generation,
        mode: input.state.mode.clone(),
        version: input.state.version.clone(),
        since: words::stamp(input.state.since),
        until: words::stamp(input.state.until),
        made: words::stamp(input.state.made),
    }
}

fn conduit(one: &ConduitCounts) -> model::Conduit {
    model::Conduit {
        name: one.name.clone(),
        mode: one.mode.clone(),
        counts: Counts::default().and(one.tally),
        ready: verdict::ready(one.readiness.as_ref()),
        missing: verdict::missing(one.readiness.as_ref()),
    }
}

/// What no rule decides: the frames as they were handed in, and evidence of such reasons, most frequent first.
fn frames(input: &Input<'_>, broken: &[Evidence]) -> Vec<model::Frames> {
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
fn rules(input: &Input<'_>, policy: &Policy) -> Vec<model::Rule> {
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

fn hours(input: &Input<'_>) -> Vec<model::Hours> {
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

fn discovery((hour, new): &(Timestamp, u64)) -> model::Discovery {
    model::Discovery { hour: words::stamp(*hour), at: number(*hour), new: *new }
}

/// Hours since 1970.
fn number(time: Timestamp) -> u64 {
    time.as_nanos() / 3_600_000_000_000
}

impl Counts {
    fn and(self, tally: Tally) -> Self {
        Self {
            evaluated: self.evaluated.saturating_add(tally.evaluated),
            allow: self.allow.saturating_add(tally.allow),
            log: self.log.saturating_add(tally.log),
            deny: self.deny.saturating_add(tally.deny),
            would_deny: self.would_deny.saturating_add(tally.would_deny),
        }
    }
}

#[cfg(test)]
mod tests;
