//! Why a group is denied: the rule that came closest, and what it lacks.

use enforcer_common::operation::NO_FUNCTION;
use enforcer_common::policy::UNCOVERED;
use enforcer_common::verdict::{Reason, Verdict};

use super::heap::{Heap, address, conduit, is_ethernet, protocol};
use super::words;
use crate::policy::explain::{nearest, place_words};
use crate::policy::valid::{Conduit, Policy, Rule};
use crate::policy::{Compiled, ethertype_name, object_words, trial};

/// Ranges of a group that are compared with every rule: each takes a compilation per rule, and ranges near each other
/// miss the same one.
const COMPARED: usize = 8;

/// What stands between a group and its passing.
#[derive(Clone, Debug)]
pub(super) struct Obstacle<'p> {
    pub conduit: Option<&'p Conduit>,
    /// The allow or log rule that came closest.
    pub closest: Option<(&'p Rule, Reason)>,
    /// The deny rule that touches it.
    pub forbids: Option<&'p Rule>,
    /// In a sentence.
    pub why: String,
}

/// Finds it with the core's own judge.
pub(super) fn obstacle<'p>(policy: &'p Policy, compiled: &Compiled, heap: &Heap) -> Obstacle<'p> {
    let id = conduit(&compiled.image, &heap.key);
    let conduit = id
        .checked_sub(UNCOVERED)
        .and_then(|id| id.checked_sub(1))
        .and_then(|index| policy.conduits.get(usize::from(index)));
    let Some(conduit) = conduit.filter(|_| !heap.parts.is_empty()) else {
        return Obstacle { conduit, closest: None, forbids: None, why: uncovered(policy, heap) };
    };
    let mut forbids = None;
    let mut closest: Option<(&Rule, Reason)> = None;
    for (at, part) in heap.parts.iter().enumerate() {
        let parts = std::slice::from_ref(part);
        let outcome = trial::judge(&compiled.image, id, parts);
        if let Some(outcome) = outcome.filter(|outcome| outcome.reason == Reason::RuleDeny) {
            let name = outcome.rule.and_then(|rule| compiled.names.rule(rule));
            forbids = conduit.rules.iter().find(|rule| Some(rule.name.as_str()) == name);
        }
        if at < COMPARED
            && outcome.is_none_or(|outcome| outcome.reason.verdict() == Verdict::Deny)
            && let Some(near) = nearest(policy, conduit, parts)
        {
            // Of several ranges the one that is farthest from passing speaks for all.
            let farther = closest.is_none_or(|(_, miss)| (near.miss as u8) < (miss as u8));
            if farther {
                closest = Some((near.rule, near.miss));
            }
        }
    }
    // For a rate the core is asked as if it were not used up: the rule that covers it is the one that was.
    if heap.reason == Reason::RateExceeded {
        closest = heap
            .parts
            .first()
            .and_then(|part| nearest(policy, conduit, std::slice::from_ref(part)))
            .map(|near| (near.rule, near.miss));
    }
    let why = match (forbids, closest) {
        (Some(rule), _) => format!("rule \"{}\" (line {}) forbids it, whatever other rules say", rule.name, rule.line),
        (None, Some((rule, miss))) => sentence(conduit, rule, miss, heap),
        (None, None) if heap.judge(&compiled.image).verdict() == Verdict::Deny => {
            format!("no rule of conduit \"{}\" names {}", conduit.name, words::function_words(&heap.key))
        }
        (None, None) => "each of its parts is allowed alone, by the policy as it is now".to_owned(),
    };
    Obstacle { conduit: Some(conduit), closest, forbids, why }
}

fn sentence(conduit: &Conduit, rule: &Rule, miss: Reason, heap: &Heap) -> String {
    let start = format!("rule \"{}\" (line {})", rule.name, rule.line);
    let function = words::function_words(&heap.key);
    if miss == Reason::UnitNotAllowed {
        let units: Vec<String> = rule.units.iter().flatten().map(|(first, last)| words::span(first, last)).collect();
        return format!("{start} allows {function} on unit {}; this is unit {}", words::some(&units), heap.key.unit);
    }
    if miss == Reason::ObjectNotAllowed {
        let objects: Vec<String> =
            rule.objects.iter().flatten().flat_map(|one| object_words(conduit.protocol, *one)).collect();
        let asked = words::objects(&heap.key, &heap.objects);
        let asked =
            if asked.is_empty() { "it names no object".to_owned() } else { format!("this is {}", words::some(&asked)) };
        if objects.is_empty() {
            return format!("{start} allows {function}, but not on all these objects; {asked}");
        }
        return format!("{start} allows {function} on {}; {asked}", words::some(&objects));
    }
    if miss == Reason::ValueNotAllowed {
        let values: Vec<String> = rule.values.iter().flatten().map(|(first, last)| words::span(first, last)).collect();
        let asked = match heap.values {
            Some((min, max)) if min == max => format!("this wrote {min}"),
            Some((min, max)) => format!("this wrote {min} to {max}"),
            None => "the values of this could not be read".to_owned(),
        };
        return format!("{start} allows {function} with values {}; {asked}", words::some(&values));
    }
    if heap.reason == Reason::RateExceeded {
        let rate =
            rule.rate.map_or_else(|| "without a rate by now".to_owned(), |rate| format!("at most {}", rate.text()));
        return format!("{start} allows it {rate}; it came more often");
    }
    format!("{start} allows each part of it alone")
}

fn uncovered(policy: &Policy, heap: &Heap) -> String {
    let key = &heap.key;
    if is_ethernet(key) {
        let name = ethertype_name(key.port);
        return match policy.ethernet.iter().find(|entry| entry.types.contains(&key.port)) {
            Some(entry) if entry.action == Verdict::Deny => {
                format!("the [[ethernet]] entry of line {} denies frames of type {name}", entry.line)
            }
            Some(entry) => format!("the [[ethernet]] entry of line {} lets frames of type {name} pass", entry.line),
            None => {
                format!(
                    "no [[ethernet]] entry names type {name}, and the policy's default is {}",
                    policy.default.as_str()
                )
            }
        };
    }
    let (from, to) = (place_words(policy, address(key.client)), place_words(policy, address(key.server)));
    let transport = words::transport(key).unwrap_or_default();
    let service = words::port(key).map_or_else(|| transport.clone(), |port| format!("{transport} port {port}"));
    let what = match protocol(key).filter(|_| key.function != NO_FUNCTION) {
        Some(protocol) => format!("{} ({service})", protocol.as_str()),
        None => service,
    };
    format!("no conduit covers {what} from {from} to {to}")
}
