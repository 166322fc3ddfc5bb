//! The first thing that a reader wants to know: may the policy act, and why or why not.

use serde_json::Value;

use super::input::Input;
use super::model::{Counts, Group, Measure, Verdict};
use super::words::thousands;

/// The verdict from what was measured, and from what the report itself found.
pub(super) fn of(input: &Input<'_>, totals: Counts, groups: &[Group]) -> Verdict {
    let measured = ready(input.readiness.as_ref());
    let mut why = missing(input.readiness.as_ref());
    for one in &input.conduits {
        let whose = format!("conduit {}: ", one.name);
        for sentence in missing(one.readiness.as_ref()) {
            let sentence = if sentence.starts_with(&whose) { sentence } else { format!("{whose}{sentence}") };
            // The box waits for the conduits that would enforce with it, and says so in the same words.
            if !why.contains(&sentence) {
                why.push(sentence);
            }
        }
    }
    let open = groups.iter().filter(|group| !group.settled);
    let (count, left) = open.fold((0_u64, 0_usize), |(count, left), group| {
        (count.saturating_add(group.count).saturating_add(group.without_operation), left.saturating_add(1))
    });
    if left > 0 {
        let groups = if left == 1 { "1 group".to_owned() } else { format!("{left} groups") };
        why.push(format!("{} would have been denied, in {groups}", times(count)));
    }
    // A policy that judged nothing proves nothing, whatever was measured.
    let idle = totals.evaluated == 0;
    if idle {
        why.insert(0, "nothing was evaluated: no traffic met this policy, so nothing is known about it".to_owned());
    }
    let ready = if idle { Some(false) } else { measured };
    let headline = match (ready, idle) {
        (_, true) => "Not ready to enforce: nothing was evaluated",
        (Some(true), _) => "Ready to enforce",
        (Some(false), _) => "Not ready to enforce",
        (None, _) if left > 0 => "Readiness was not measured; some operations would have been denied",
        (None, _) => "Readiness was not measured; nothing would have been denied",
    };
    if ready == Some(true) && why.is_empty() {
        why.push("every measure is met, and nothing would have been denied".to_owned());
    }
    let of_conduits = input.conduits.iter().flat_map(|one| measures(Some(&one.name), one.readiness.as_ref()));
    let measures = measures(None, input.readiness.as_ref()).into_iter().chain(of_conduits).collect();
    Verdict { ready, headline: headline.to_owned(), why, measures }
}

/// `1 operation or frame`, `7 operations and frames`.
fn times(count: u64) -> String {
    if count == 1 { "1 operation or frame".to_owned() } else { format!("{} operations and frames", thousands(count)) }
}

pub(super) fn ready(block: Option<&Value>) -> Option<bool> {
    block?["ready"].as_bool()
}

pub(super) fn missing(block: Option<&Value>) -> Vec<String> {
    let list = block.and_then(|block| block["missing"].as_array());
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn measures(conduit: Option<&str>, block: Option<&Value>) -> Vec<Measure> {
    let list = block.and_then(|block| block["measures"].as_array());
    let measure = |one: &Value| Measure {
        conduit: conduit.map(str::to_owned),
        name: one["name"].as_str().unwrap_or("-").to_owned(),
        value: one["value"].clone(),
        threshold: one["threshold"].clone(),
        ok: one["ok"].as_bool(),
    };
    list.into_iter().flatten().map(measure).collect()
}
