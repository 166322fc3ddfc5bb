//! The naive evaluator: the sentences of the documentation, as loops over rules, objects and values.

use std::net::IpAddr;

use enforcer::policy::valid::{Conduit, Function, Functions, Objects, Party, Policy, Rule};
use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Reason, Verdict};

use crate::generate::{Request, TCP, UDP};

fn party_covers(policy: &Policy, party: Party, address: IpAddr) -> bool {
    match party {
        Party::Any => true,
        Party::Zone(index) => policy.zones[index].ranges.iter().any(|range| range.contains(address)),
    }
}

/// Index of the conduit: the most specific zone pair, then a listed port before a conduit without ports.
pub(crate) fn conduit(policy: &Policy, request: &Request) -> Option<usize> {
    let mut best: Option<((bool, bool, bool), usize)> = None;
    for (index, conduit) in policy.conduits.iter().enumerate() {
        let plain = [(Protocol::Tcp, TCP), (Protocol::Udp, UDP)].contains(&(conduit.protocol, request.transport));
        let carried = plain || conduit.protocol.tables().transports.contains(&request.transport);
        let port = conduit.ports.is_empty() || conduit.ports.contains(&request.port);
        for from in &conduit.from {
            for to in &conduit.to {
                let ends = party_covers(policy, *from, request.from) && party_covers(policy, *to, request.to);
                let rank = (*from != Party::Any, *to != Party::Any, !conduit.ports.is_empty());
                if carried && port && ends && best.is_none_or(|(before, _)| rank > before) {
                    best = Some((rank, index));
                }
            }
        }
    }
    best.map(|(_, index)| index)
}

/// The entries of a rule that name the function; `None` in the list is `@any`.
fn naming(rule: &Rule, function: u32) -> Vec<Option<Function>> {
    let mut entries = Vec::new();
    for entry in &rule.functions {
        match entry {
            Functions::Any => entries.push(None),
            Functions::These { list, .. } => {
                entries.extend(list.iter().filter(|one| one.code == function).map(|one| Some(*one)));
            }
        }
    }
    entries
}

/// Does some entry cover this single object? `None` is an operation without object.
fn object(rule: &Rule, part: &Operation, number: Option<u32>) -> bool {
    let within = |objects: &Objects| {
        objects.space == part.space && number.is_some_and(|number| (objects.first..=objects.last).contains(&number))
    };
    naming(rule, part.function).iter().any(|entry| match entry.and_then(|function| function.own) {
        Some(own) => within(&own),
        None => rule.objects.as_ref().is_none_or(|list| list.iter().any(within)),
    })
}

fn numbers(part: &Operation) -> Vec<Option<u32>> {
    if part.space == NO_OBJECT { vec![None] } else { (part.first..=part.last).map(Some).collect() }
}

fn unit(rule: &Rule, part: &Operation) -> bool {
    rule.units.as_ref().is_none_or(|list| list.iter().any(|(first, last)| (*first..=*last).contains(&part.unit)))
}

fn objects(rule: &Rule, part: &Operation) -> bool {
    numbers(part).into_iter().all(|number| object(rule, part, number))
}

fn value(list: &[(i64, i64)], value: i64) -> bool {
    list.iter().any(|(first, last)| (*first..=*last).contains(&value))
}

/// Values bind what carries or changes values; what is written but not decoded is not covered.
fn values(rule: &Rule, part: &Operation) -> bool {
    let Some(list) = &rule.values else { return true };
    part.access == Access::Read as u8
        || (part.has(Operation::HAS_VALUE) && (part.value_min..=part.value_max).all(|number| value(list, number)))
}

fn covers(rule: &Rule, part: &Operation) -> bool {
    !naming(rule, part.function).is_empty() && unit(rule, part) && objects(rule, part) && values(rule, part)
}

fn touches(rule: &Rule, part: &Operation) -> bool {
    let some_value = rule.values.as_ref().is_none_or(|list| {
        if part.has(Operation::HAS_VALUE) {
            (part.value_min..=part.value_max).any(|number| value(list, number))
        } else {
            part.access != Access::Read as u8
        }
    });
    unit(rule, part) && numbers(part).into_iter().any(|number| object(rule, part, number)) && some_value
}

/// Reason, and index of the rule in the conduit. The first range of a request that is denied decides.
pub(crate) fn judge(conduit: &Conduit, parts: &[Operation]) -> (Reason, Option<usize>) {
    let mut last = (Reason::FunctionNotAllowed, None);
    for (index, part) in parts.iter().enumerate() {
        last = judge_upto(conduit, &parts[..=index], part);
        if last.0.verdict() == Verdict::Deny {
            break;
        }
    }
    last
}

/// Judges `part`, the last of `parts`: one rule alone must cover all of them.
fn judge_upto(conduit: &Conduit, parts: &[Operation], part: &Operation) -> (Reason, Option<usize>) {
    let rules: Vec<(usize, &Rule)> = conduit.rules.iter().enumerate().collect();
    let named: Vec<_> = rules.into_iter().filter(|(_, rule)| !naming(rule, part.function).is_empty()).collect();
    if named.is_empty() {
        return (Reason::FunctionNotAllowed, None);
    }
    if let Some((rule, _)) = named.iter().find(|(_, rule)| rule.action == Verdict::Deny && touches(rule, part)) {
        return (Reason::RuleDeny, Some(*rule));
    }
    for (action, reason) in [(Verdict::Log, Reason::RuleLog), (Verdict::Allow, Reason::RuleAllow)] {
        let whole = |rule: &Rule| rule.action == action && parts.iter().all(|part| covers(rule, part));
        if let Some((rule, _)) = named.iter().find(|(_, rule)| whole(rule)) {
            return (reason, Some(*rule));
        }
    }
    let passing =
        || named.iter().map(|(_, rule)| *rule).filter(|rule| rule.action != Verdict::Deny && unit(rule, part));
    if passing().next().is_none() {
        (Reason::UnitNotAllowed, None)
    } else if passing().any(|rule| objects(rule, part) && !values(rule, part)) {
        (Reason::ValueNotAllowed, None)
    } else {
        (Reason::ObjectNotAllowed, None)
    }
}
