//! Zones from who talks to whom.
//!
//! Addresses are in one zone when they behave alike: the same peers, the same ports, the same writes on the same
//! objects. Then each station of one zone has done to each station of the other what the conduit will allow; reads are
//! compared by function only. Zones that an operator named stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use enforcer_common::protocol::Protocol;

use super::rules::unused;
use super::traffic::Traffic;
use crate::policy::valid::{Objects, Policy};

/// A zone to be written.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub name: String,
    /// Entries of the zone.
    pub entries: Vec<String>,
    /// Index in the policy in force, when it comes from there.
    pub known: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Places {
    pub list: Vec<Place>,
    of: BTreeMap<IpAddr, usize>,
}

/// What an address is to the others before zones are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Known(usize),
    Multicast,
    Broadcast,
    Host(IpAddr),
}

/// One trait of a behaviour towards one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Reads {
        protocol: Protocol,
        port: u16,
        name: &'static str,
    },
    Does {
        protocol: Protocol,
        port: u16,
        name: &'static str,
        unit: u32,
        objects: Vec<Objects>,
    },
    Opens {
        protocol: Protocol,
        port: u16,
    },
    /// Units do not begin and end where segments do: a conduit that bears it is for those alone who need it.
    Splits {
        protocol: Protocol,
        port: u16,
    },
}

/// Whether it calls or is called, the peer, and what passes between them.
type Behaviour = BTreeSet<(bool, Label, Mark)>;
/// Writes and the like, of which the ranges count as a whole.
type Deeds = BTreeMap<(IpAddr, bool, Label, Protocol, u16, &'static str, u32), Vec<Objects>>;

impl Places {
    pub(super) fn of(traffic: &Traffic, policy: Option<&Policy>) -> Self {
        let label = |address| label(traffic, policy, address);
        let mut behaviours = behaviours(traffic, &label);
        let ends = traffic.services.keys().flat_map(|one| [one.client, one.server]);
        for address in ends {
            behaviours.entry(address).or_default();
        }
        let mut classes: BTreeMap<(Label, bool, Behaviour), Vec<IpAddr>> = BTreeMap::new();
        for (address, behaviour) in behaviours {
            // Stations are told apart by their behaviour, not by their address.
            let key = match label(address) {
                Label::Host(_) => {
                    (Label::Host(Ipv4Addr::UNSPECIFIED.into()), traffic.device.contains(&address), behaviour)
                }
                group @ (Label::Known(_) | Label::Multicast | Label::Broadcast) => (group, false, Behaviour::new()),
            };
            classes.entry(key).or_default().push(address);
        }
        let mut places = Self { list: Vec::new(), of: BTreeMap::new() };
        let mut taken: BTreeSet<String> =
            policy.into_iter().flat_map(|policy| policy.zones.iter().map(|zone| zone.name.clone())).collect();
        taken.insert("any".to_owned());
        for ((label, device, behaviour), addresses) in classes {
            let index = places.list.len();
            places.of.extend(addresses.iter().map(|address| (*address, index)));
            let known = match label {
                Label::Known(zone) => policy.and_then(|policy| policy.zones.get(zone)).map(|known| (zone, known)),
                Label::Multicast | Label::Broadcast | Label::Host(_) => None,
            };
            places.list.push(match known {
                Some((zone, known)) => Place {
                    name: known.name.clone(),
                    entries: known.ranges.iter().map(ToString::to_string).collect(),
                    known: Some(zone),
                },
                None => Place {
                    name: name(&mut taken, label, device, &behaviour),
                    entries: addresses.iter().map(ToString::to_string).collect(),
                    known: None,
                },
            });
        }
        places
    }

    /// The zone of an address that takes part in traffic.
    pub(super) fn zone(&self, address: IpAddr) -> Option<usize> {
        self.of.get(&address).copied()
    }
}

fn behaviours(traffic: &Traffic, label: &impl Fn(IpAddr) -> Label) -> BTreeMap<IpAddr, Behaviour> {
    let mut all: BTreeMap<IpAddr, Behaviour> = BTreeMap::new();
    let mut deeds: Deeds = Deeds::new();
    for seen in &traffic.operations {
        let (protocol, port, name) = (seen.protocol, seen.port, seen.row.name);
        for (own, calls, peer) in [(seen.client, true, seen.server), (seen.server, false, seen.client)] {
            let peer = label(peer);
            if seen.reads() {
                all.entry(own).or_default().insert((calls, peer, Mark::Reads { protocol, port, name }));
            } else {
                let key = (own, calls, peer, protocol, port, name, seen.unit);
                deeds.entry(key).or_default().extend(seen.objects);
            }
        }
    }
    for ((own, calls, peer, protocol, port, name, unit), objects) in deeds {
        let mark = Mark::Does { protocol, port, name, unit, objects: Objects::merged(objects) };
        all.entry(own).or_default().insert((calls, peer, mark));
    }
    for one in traffic.splits.keys() {
        let mark = Mark::Splits { protocol: one.protocol, port: one.port };
        for (own, calls, peer) in [(one.client, true, one.server), (one.server, false, one.client)] {
            all.entry(own).or_default().insert((calls, label(peer), mark.clone()));
        }
    }
    for one in traffic.services.keys() {
        let (protocol, port) = (one.protocol, one.port);
        // Pings, and what goes to everyone, do not make a role.
        if protocol == Protocol::Icmp || !matches!(label(one.server), Label::Host(_) | Label::Known(_)) {
            continue;
        }
        for (own, calls, peer) in [(one.client, true, one.server), (one.server, false, one.client)] {
            all.entry(own).or_default().insert((calls, label(peer), Mark::Opens { protocol, port }));
        }
    }
    all
}

fn label(traffic: &Traffic, policy: Option<&Policy>, address: IpAddr) -> Label {
    let within =
        |policy: &Policy| policy.zones.iter().position(|zone| zone.ranges.iter().any(|range| range.contains(address)));
    if let Some(zone) = policy.and_then(within) {
        return Label::Known(zone);
    }
    // A group that takes operations has a zone of its own, like a station: its writes are not to be widened.
    if traffic.operations.iter().any(|seen| seen.server == address || seen.client == address) {
        return Label::Host(address);
    }
    if address.is_multicast() {
        return Label::Multicast;
    }
    if is_broadcast(traffic, address) { Label::Broadcast } else { Label::Host(address) }
}

/// The prefix is not known: an address that ends in 255 and never speaks is taken as a broadcast.
fn is_broadcast(traffic: &Traffic, address: IpAddr) -> bool {
    let IpAddr::V4(v4) = address else { return false };
    let [.., end] = v4.octets();
    v4.is_broadcast() || end == 255 && !traffic.services.keys().any(|one| one.client == address)
}

fn name(taken: &mut BTreeSet<String>, label: Label, device: bool, behaviour: &Behaviour) -> String {
    let base = match label {
        Label::Multicast => return unused(taken, "multicast"),
        Label::Broadcast => return unused(taken, "broadcast"),
        Label::Host(_) | Label::Known(_) if device => "device",
        Label::Host(_) | Label::Known(_) if behaviour.is_empty() => "host",
        Label::Host(_) | Label::Known(_) if behaviour.iter().all(|(calls, ..)| *calls) => "client",
        Label::Host(_) | Label::Known(_) => "server",
    };
    let mut number = 1u32;
    while !taken.insert(format!("{base}-{number}")) {
        number = number.saturating_add(1);
    }
    format!("{base}-{number}")
}
