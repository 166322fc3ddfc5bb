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
mod lists;
mod model;
mod page;
mod reasons;
mod sample;
mod text;
mod verdict;
pub(super) mod words;

pub use html::html;
pub use input::{ConduitCounts, Evidence, Frames, Hour, Input, State};
pub use model::Report;
pub use text::text;

use enforcer_common::policy::Image;
use enforcer_common::verdict::{Reason, Verdict};

use self::heap::Heap;
use self::model::{Closest, Counts, Group, Values};
use crate::policy::valid::Policy;

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
        frames: lists::frames(input, &broken),
        rules: lists::rules(input, policy),
        hours: lists::hours(input),
        discovery: input.discovery.iter().map(lists::discovery).collect(),
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

#[cfg(test)]
mod tests;
