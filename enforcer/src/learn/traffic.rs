//! Observations sorted by what a policy can say about them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT};
use enforcer_common::port::Side;
use enforcer_common::protocol::{Function, Protocol};

use super::Reach;
use super::evidence::Evidence;
use super::proposable::{is_layer_2, is_proposed, objects, of_objects, row};
use crate::policy::object_words;
use crate::policy::valid::Objects;

/// An operation of an inspected protocol that may be proposed.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub client: IpAddr,
    pub server: IpAddr,
    pub protocol: Protocol,
    pub port: u16,
    pub row: &'static Function,
    pub unit: u32,
    /// `None` also for a sub-function: its name says which object it is.
    pub objects: Option<Objects>,
    pub evidence: Evidence,
}

impl Seen {
    pub(super) fn reads(&self) -> bool {
        self.row.access == Access::Read
    }
}

/// Who talks to whom, in which protocol; for traffic without inspection inside that is TCP, UDP or ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service {
    pub client: IpAddr,
    pub server: IpAddr,
    pub protocol: Protocol,
    /// 0 for ICMP; the number of another IP protocol.
    pub port: u16,
}

#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub operations: Vec<Seen>,
    pub services: BTreeMap<Service, Evidence>,
    pub ethernet: BTreeMap<u16, Evidence>,
    /// Whose units do not begin and end where segments do.
    pub splits: BTreeMap<Service, Evidence>,
    /// What is not proposed, in words.
    pub undecided: BTreeMap<String, Option<Evidence>>,
    /// Addresses that spoke on the network side, or were called there.
    pub network: BTreeSet<IpAddr>,
    /// The same for the device side.
    pub device: BTreeSet<IpAddr>,
    pub total: u64,
    /// What was spoken on which port of whom.
    spoken: BTreeSet<([u8; 16], [u8; 16], u16, u8)>,
}

impl Traffic {
    pub(super) fn of(
        observations: &[(ObservationKey, Observation)],
        busiest: &HashMap<ObservationKey, u64>,
        reach: Reach,
    ) -> Self {
        let spoken = observations.iter().map(|(key, _)| (key.client, key.server, key.port, key.protocol)).collect();
        let mut traffic = Self { spoken, ..Self::default() };
        let mut writers: BTreeMap<Object, usize> = BTreeMap::new();
        for object in observations.iter().filter_map(|(key, _)| written(key)) {
            *writers.entry(object).or_default() += 1;
        }
        for (key, seen) in observations {
            let alone = written(key).and_then(|object| writers.get(&object)) == Some(&1);
            let evidence = Evidence::of(key, seen, alone, busiest.get(key).copied());
            if let Some(split) = split(key) {
                traffic.splits.entry(split).and_modify(|known| known.add(evidence)).or_insert(evidence);
                continue;
            }
            traffic.total = traffic.total.saturating_add(seen.count);
            traffic.sort(key, evidence, reach);
        }
        traffic.fold_answers();
        traffic
    }

    pub(super) fn undecided(&mut self, what: String, evidence: Evidence) {
        Evidence::put(self.undecided.entry(what).or_default(), evidence);
    }

    fn sort(&mut self, key: &ObservationKey, evidence: Evidence, reach: Reach) {
        if key.protocol == Protocol::Ethernet as u8 || is_layer_2(key) {
            // Numbers that a policy can't name: VLAN tags, IP, and what is neither an ethertype nor an LLC address.
            let (0x0800 | 0x86dd | 0x8100 | 0x88a8 | 0x9100 | 0 | 0x100..=0x5ff) = key.port else {
                self.ethernet.entry(key.port).and_modify(|known| known.add(evidence)).or_insert(evidence);
                return;
            };
            self.undecided(format!("frames of type 0x{:04x}, which a policy can't name", key.port), evidence);
            return;
        }
        let (client, server) = (address(key.client), address(key.server));
        let inspected = Protocol::from_code(key.protocol).filter(|known| known.is_inspected());
        self.note_sides(key, client, server, inspected.is_some());
        match inspected {
            Some(protocol) if key.function != NO_FUNCTION => {
                self.operation(key, (client, server), protocol, evidence, reach);
            }
            Some(_) | None => self.service(key, client, server, evidence),
        }
    }

    /// A caller is where its frame came in. A called address is across the box only when it is one station's, and asked
    /// in a protocol of devices: a frame for a station that is gone is flooded to both sides.
    fn note_sides(&mut self, key: &ObservationKey, client: IpAddr, server: IpAddr, inspected: bool) {
        let (near, far) = match Side::from_code(key.side) {
            Side::Network => (&mut self.network, &mut self.device),
            Side::Device => (&mut self.device, &mut self.network),
        };
        near.insert(client);
        if inspected {
            far.insert(server);
        }
    }

    /// The protocol that a conduit names for this one: of several that it travels in, the one that is spoken there as well.
    fn outer(&self, key: &ObservationKey, protocol: Protocol) -> Protocol {
        let mut all = Protocol::ALL.iter().filter(|outer| outer.tables().inner.contains(&protocol));
        let spoken = |one: &&Protocol| self.spoken.contains(&(key.client, key.server, key.port, **one as u8));
        all.clone().find(spoken).or_else(|| all.next()).copied().unwrap_or(protocol)
    }

    fn operation(
        &mut self,
        key: &ObservationKey,
        (client, server): (IpAddr, IpAddr),
        protocol: Protocol,
        evidence: Evidence,
        reach: Reach,
    ) {
        let objects = objects(key);
        match row(protocol, key.function, objects) {
            Some(row) if key.port != 0 && (reach.dangerous || is_proposed(row, objects)) => {
                let objects = objects.filter(|_| row.object.is_none() || of_objects(protocol));
                // A conduit names the outer protocol.
                let protocol = self.outer(key, protocol);
                let (port, unit) = (key.port, key.unit);
                self.operations.push(Seen { client, server, protocol, port, row, unit, objects, evidence });
            }
            row => {
                let name = row.map_or("no name", |row| row.name);
                let why = row.map_or("not in the function table", |row| {
                    if row.dangerous { "dangerous" } else { "no port or object that a rule could hold it to" }
                });
                let place = objects.map(|one| format!(" {}", object_words(protocol, one).join(", ")));
                let what = format!(
                    "{client} -> {server} port {}: {} function {} ({name}), unit {}{}: {why}",
                    key.port,
                    protocol.as_str(),
                    Protocol::standard(key.function),
                    key.unit,
                    place.unwrap_or_default()
                );
                self.undecided(what, evidence);
            }
        }
    }

    fn service(&mut self, key: &ObservationKey, client: IpAddr, server: IpAddr, evidence: Evidence) {
        let protocol = match key.transport {
            ip::TCP if key.port != 0 => Protocol::Tcp,
            ip::UDP if key.port != 0 => Protocol::Udp,
            ip::ICMP | ip::ICMPV6 => Protocol::Icmp,
            ip::TCP | ip::UDP => {
                let what = format!("{client} -> {server}: {} port 0, which a policy can't name", key.transport);
                self.undecided(what, evidence);
                return;
            }
            _ => Protocol::Ip,
        };
        let port = if protocol == Protocol::Icmp {
            0
        } else if protocol == Protocol::Ip {
            u16::from(key.transport)
        } else {
            key.port
        };
        let service = Service { client, server, protocol, port };
        self.services.entry(service).and_modify(|known| known.add(evidence)).or_insert(evidence);
    }

    /// Without a conduit the box takes whoever speaks for the caller, so answers are observed as calls to the caller's
    /// own port. They belong to the call: a conduit passes both directions.
    fn fold_answers(&mut self) {
        let mut lowest: BTreeMap<(IpAddr, IpAddr, Protocol), u16> = BTreeMap::new();
        let operations = self.operations.iter().flat_map(|seen| {
            [Protocol::Tcp, Protocol::Udp].map(|protocol| (seen.client, seen.server, protocol, seen.port))
        });
        let services = self.services.keys().map(|one| (one.client, one.server, one.protocol, one.port));
        for (client, server, protocol, port) in operations.chain(services) {
            let known = lowest.entry((client, server, protocol)).or_insert(port);
            *known = port.min(*known);
        }
        let device = &self.device;
        let answer = |one: &Service| {
            let Some(port) = lowest.get(&(one.server, one.client, one.protocol)) else { return false };
            // Of two equal ends the device is the server.
            let second = device.contains(&one.client) && !device.contains(&one.server)
                || device.contains(&one.client) == device.contains(&one.server) && one.client > one.server;
            if one.protocol == Protocol::Ip {
                // Each IP protocol is a conversation of its own.
                return second
                    && self.services.contains_key(&Service { client: one.server, server: one.client, ..*one });
            }
            if one.protocol == Protocol::Icmp {
                return second;
            }
            one.port >= 1024 && (one.port > *port || one.port == *port && second)
        };
        let answers: Vec<Service> = self.services.keys().copied().filter(|one| answer(one)).collect();
        for one in answers {
            let Some(evidence) = self.services.remove(&one) else { continue };
            let back = |call: &Service| {
                (call.client, call.server, call.protocol) == (one.server, one.client, one.protocol)
                    && (one.protocol != Protocol::Ip || call.port == one.port)
            };
            if let Some((_, call)) = self.services.iter_mut().find(|(call, _)| back(call)) {
                call.add(evidence);
            }
        }
    }
}

/// Device, unit, kind of object and object.
type Object = ([u8; 16], u32, u32, u32);

/// The one object that an operation writes.
fn written(key: &ObservationKey) -> Option<Object> {
    let single = key.access == Access::Write as u8 && key.space != NO_OBJECT && key.first == key.last;
    single.then_some((key.server, key.unit, key.space, key.first))
}

/// Who splits units, where the key says that: an inspected protocol, and no function.
pub(super) fn split(key: &ObservationKey) -> Option<Service> {
    let protocol = Protocol::from_code(key.protocol).filter(|known| known.is_inspected())?;
    let service = Service { client: address(key.client), server: address(key.server), protocol, port: key.port };
    (key.function == NO_FUNCTION).then_some(service)
}

/// The address that a key holds.
pub(super) fn address(octets: [u8; 16]) -> IpAddr {
    let address = Ipv6Addr::from(octets);
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// A range as rules write it.
pub(super) fn range<T: PartialEq + std::fmt::Display>(first: T, last: T) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}
