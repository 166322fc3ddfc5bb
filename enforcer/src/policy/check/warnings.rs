//! What is right and still unlikely to be meant.

use std::collections::BTreeMap;

use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;

use super::super::names::{inspected, operation_code, rows};
use super::super::valid::{Conduit, Function, Functions, Objects, Party, Policy, Rule};
use crate::document::Problem;

const ARP: u16 = 0x0806;

/// In the order of the lines they speak of.
pub(super) fn of(policy: &Policy) -> Vec<Problem> {
    let mut list = Vec::new();
    let mut warn = |line: usize, cause: String| list.push(Problem { file: policy.file.clone(), line, cause });

    if policy.default == Verdict::Deny && !policy.ethernet.iter().any(allows_arp) {
        warn(
            0,
            "no [[ethernet]] entry allows \"arp\" and the default is deny: in enforce, IPv4 hosts will not find each \
             other across the box"
                .to_owned(),
        );
    }
    for (index, zone) in policy.zones.iter().enumerate() {
        let used = |parties: &[Party]| parties.contains(&Party::Zone(index));
        if !policy.conduits.iter().any(|conduit| used(&conduit.from) || used(&conduit.to)) {
            warn(zone.line, format!("zone \"{}\" is in no conduit", zone.name));
        }
    }
    for conduit in &policy.conduits {
        if inspected(conduit.protocol) && !conduit.rules.iter().any(|rule| rule.action != Verdict::Deny) {
            let what = if conduit.rules.is_empty() { "no rules" } else { "deny rules only" };
            warn(conduit.line, format!("conduit \"{}\" has {what}: it denies every operation", conduit.name));
        }
        for (line, cause) in of_rules(conduit) {
            warn(line, cause);
        }
    }
    list.sort_by_key(|warning| warning.line);
    list
}

fn allows_arp(entry: &super::super::valid::Ethernet) -> bool {
    entry.action != Verdict::Deny && entry.types.contains(&ARP)
}

fn of_rules(conduit: &Conduit) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    let mut seen: BTreeMap<Operations<'_>, &Rule> = BTreeMap::new();
    for rule in &conduit.rules {
        if let Some(other) = seen.insert(operations(rule), rule) {
            let (idle, winner) = rank(other, rule);
            list.push((
                idle.line,
                format!(
                    "rule \"{}\" of conduit \"{}\" never decides: rule \"{}\" (line {}) covers the same operations",
                    idle.name, conduit.name, winner.name, winner.line
                ),
            ));
            // What loses to the winner is compared with the winner.
            seen.insert(operations(winner), winner);
        }
        if rule.values.is_some() && rule.functions.iter().all(|entry| reads_only(conduit.protocol, entry)) {
            let label = format!("rule \"{}\" of conduit \"{}\"", rule.name, conduit.name);
            list.push((rule.line, format!("{label} has \"values\", but its functions only read: they never matter")));
        }
    }
    list
}

/// What a rule matches, whatever it does with it.
type Operations<'r> =
    (Vec<Option<Function>>, &'r Option<Vec<(u32, u32)>>, &'r Option<Vec<Objects>>, &'r Option<Vec<(i64, i64)>>);

fn operations(rule: &Rule) -> Operations<'_> {
    (rule.single_functions(), &rule.units, &rule.objects, &rule.values)
}

/// Of two rules for the same operations the one that loses, then the one that wins: deny beats log, log beats allow, then
/// the file's order.
fn rank<'r>(earlier: &'r Rule, later: &'r Rule) -> (&'r Rule, &'r Rule) {
    if later.action > earlier.action { (earlier, later) } else { (later, earlier) }
}

fn reads_only(protocol: Protocol, entry: &Functions) -> bool {
    let Functions::These { list, .. } = entry else { return false };
    list.iter().all(|function| {
        let mut of_code = rows(protocol).filter(|(of, row)| operation_code(*of, row.code) == function.code).peekable();
        of_code.peek().is_some() && of_code.all(|(_, row)| row.access == Access::Read)
    })
}
