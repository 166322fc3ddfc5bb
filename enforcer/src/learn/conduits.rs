//! Conduits: one for each pair of zones and protocol, with the rules of what passed between them.

use std::collections::{BTreeMap, BTreeSet};

use enforcer_common::network::protocol as ip;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;

use super::evidence::Evidence;
use super::places::Places;
use super::rules::{self, unused};
use super::traffic::{Seen, Service, Traffic};
use crate::policy::valid::{Conduit, Party, Policy};

/// A conduit to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft<'p> {
    pub name: String,
    /// Indices of zones.
    pub from: usize,
    pub to: usize,
    pub protocol: Protocol,
    pub ports: BTreeSet<u16>,
    pub rules: Vec<rules::Draft>,
    /// Who splits units in it.
    pub splits: Vec<(Service, Evidence)>,
    /// The conduit of the policy in force that stands for it.
    pub known: Option<&'p Conduit>,
    pub evidence: Evidence,
}

type Pair = (usize, usize, Protocol);

pub(super) fn drafts<'p>(traffic: &mut Traffic, places: &Places, policy: Option<&'p Policy>) -> Vec<Draft<'p>> {
    let mut inspected: BTreeMap<Pair, Vec<&Seen>> = BTreeMap::new();
    for seen in &traffic.operations {
        let (Some(from), Some(to)) = (places.zone(seen.client), places.zone(seen.server)) else { continue };
        inspected.entry((from, to, seen.protocol)).or_default().push(seen);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut drafts: Vec<Draft<'p>> = Vec::new();
    for ((from, to, protocol), seen) in inspected {
        let known = known(places, policy, (from, to, protocol));
        let denials = known.into_iter().flat_map(|known| &known.rules).filter(|rule| rule.action == Verdict::Deny);
        let rules = rules::fold(protocol, &seen, denials.map(|rule| rule.name.clone()).collect());
        let mut evidence = None;
        seen.iter().for_each(|one| Evidence::put(&mut evidence, one.evidence));
        let Some(evidence) = evidence else { continue };
        let name = name(&mut taken, places, policy, known, (from, to, protocol));
        let ports: BTreeSet<u16> = seen.iter().map(|one| one.port).collect();
        let inside = |one: &Service| {
            one.protocol == protocol
                && ports.contains(&one.port)
                && (places.zone(one.client), places.zone(one.server)) == (Some(from), Some(to))
        };
        let splits = traffic.splits.iter().filter(|(one, _)| inside(one)).map(|(one, seen)| (*one, *seen)).collect();
        drafts.push(Draft { name, from, to, protocol, ports, rules, splits, known, evidence });
    }

    let mut plain: BTreeMap<Pair, (BTreeSet<u16>, Option<Evidence>)> = BTreeMap::new();
    let mut closed: Vec<(Service, Evidence)> = Vec::new();
    for (one, evidence) in &traffic.services {
        let (Some(from), Some(to)) = (places.zone(one.client), places.zone(one.server)) else { continue };
        // What an inspected conduit claims is judged there.
        if one.port != 0
            && one.protocol != Protocol::Ip
            && drafts.iter().any(|known| (known.from, known.to) == (from, to) && known.ports.contains(&one.port))
        {
            continue;
        }
        if inside(one.protocol, one.port).is_some() {
            closed.push((*one, *evidence));
            continue;
        }
        let entry = plain.entry((from, to, one.protocol)).or_default();
        entry.0.extend((one.port != 0).then_some(one.port));
        Evidence::put(&mut entry.1, *evidence);
    }
    for ((from, to, protocol), (ports, evidence)) in plain {
        let Some(evidence) = evidence else { continue };
        let known = known(places, policy, (from, to, protocol));
        let name = name(&mut taken, places, policy, known, (from, to, protocol));
        let (rules, splits) = (Vec::new(), Vec::new());
        drafts.push(Draft { name, from, to, protocol, ports, rules, splits, known, evidence });
    }
    for (one, evidence) in closed {
        let (protocol, port) = (one.protocol.as_str(), one.port);
        let inside = inside(one.protocol, port).map_or("", Protocol::as_str);
        let what = format!(
            "{} -> {} {protocol} port {port}: no {inside} operation may be proposed, and without inspection it would be open",
            one.client, one.server
        );
        traffic.undecided(what, evidence);
    }
    drafts
}

/// The protocol that a port of TCP or UDP stands for.
fn inside(transport: Protocol, port: u16) -> Option<Protocol> {
    let carriers = [(Protocol::Tcp, ip::TCP), (Protocol::Udp, ip::UDP)];
    let (_, number) = carriers.into_iter().find(|(carrier, _)| *carrier == transport)?;
    Protocol::by_port(number, port)
}

/// The conduit of the policy in force between two zones, the one that names them before one for any.
fn known<'p>(places: &Places, policy: Option<&'p Policy>, (from, to, protocol): Pair) -> Option<&'p Conduit> {
    let zone = |index: usize| places.list.get(index).and_then(|place| place.known).map(Party::Zone);
    let has = |parties: &[Party], zone: Option<Party>| {
        zone.is_some_and(|zone| parties.contains(&zone)) || parties.contains(&Party::Any)
    };
    let mut fitting: Vec<&Conduit> = policy?
        .conduits
        .iter()
        .filter(|one| one.protocol == protocol && has(&one.from, zone(from)) && has(&one.to, zone(to)))
        .collect();
    fitting.sort_by_key(|one| one.from.contains(&Party::Any) || one.to.contains(&Party::Any));
    fitting.first().copied()
}

fn name(
    taken: &mut BTreeSet<String>,
    places: &Places,
    policy: Option<&Policy>,
    known: Option<&Conduit>,
    (from, to, protocol): Pair,
) -> String {
    if let Some(known) = known {
        return unused(taken, &known.name);
    }
    let zone = |index: usize| places.list.get(index).map_or("any", |place| place.name.as_str());
    // Names have a longest length; that of two long zones would be over it.
    let short = |name: &str| name.chars().take(20).filter(char::is_ascii).collect::<String>();
    let base = format!("{}-{}", short(zone(from)), short(zone(to)));
    let base = if protocol as u8 >= Protocol::FIRST_INSPECTED { base } else { format!("{base}-{}", protocol.as_str()) };
    let mut others: BTreeSet<String> =
        policy.into_iter().flat_map(|policy| policy.conduits.iter().map(|one| one.name.clone())).collect();
    others.extend(taken.iter().cloned());
    let name = unused(&mut others, &base);
    taken.insert(name.clone());
    name
}
