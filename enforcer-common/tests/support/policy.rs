//! Small policies built by hand: three zones, one Modbus conduit with rules, two conduits without inspection.
//!
//! Zones: 1 HMI, 2 the PLC (a device), 3 engineering. Conduits: 1 HMI -> PLC Modbus (TCP and UDP 502), 2 anyone -> PLC TCP
//! port 80 without inspection, 3 engineering -> PLC Modbus without any rule, 4 HMI -> PLC ICMP, 5 HMI -> PLC IP protocol 47,
//! 6 PLC -> HMI Modbus on port 40000, without any rule.

use std::collections::BTreeSet;

use enforcer_common::abi;
use enforcer_common::action::OnDeny;
use enforcer_common::network::mapped;
use enforcer_common::policy::*;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use super::frames::{DEVICE_MAC, PLC, v6};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Log,
    Deny,
}

/// A rule as the policy's text has it; what is empty does not narrow.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) effect: Effect,
    pub(crate) functions: Vec<u32>,
    pub(crate) units: Option<(u32, u32)>,
    pub(crate) objects: Vec<(u32, u32, u32)>,
    pub(crate) values: Vec<(i64, i64)>,
    /// Interval in nanoseconds and burst.
    pub(crate) rate: Option<(u64, u32)>,
    pub(crate) max_step: Option<u32>,
}

pub(crate) fn rule(effect: Effect, functions: &[u32]) -> Rule {
    Rule {
        effect,
        functions: functions.to_vec(),
        units: None,
        objects: vec![],
        values: vec![],
        rate: None,
        max_step: None,
    }
}

impl Rule {
    pub(crate) fn units(mut self, first: u32, last: u32) -> Self {
        self.units = Some((first, last));
        self
    }
    pub(crate) fn objects(mut self, objects: &[(u32, u32, u32)]) -> Self {
        self.objects = objects.to_vec();
        self
    }
    pub(crate) fn values(mut self, values: &[(i64, i64)]) -> Self {
        self.values = values.to_vec();
        self
    }
    pub(crate) fn rate(mut self, interval: u64, burst: u32) -> Self {
        self.rate = Some((interval, burst));
        self
    }
    pub(crate) fn max_step(mut self, step: u32) -> Self {
        self.max_step = Some(step);
        self
    }
    fn has_unit(&self, unit: u32) -> bool {
        self.units.is_none_or(|(first, last)| first <= unit && unit <= last)
    }
}

pub(crate) struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) mode: Mode,
    pub(crate) on_deny: OnDeny,
    pub(crate) uncovered: Reason,
    pub(crate) fragments: Reason,
    pub(crate) ip_options: bool,
    pub(crate) on_unsynchronised: OnUnsynchronised,
    pub(crate) generation: u32,
    /// What conduit 1 is inspected with.
    pub(crate) protocol: Protocol,
    /// Units may begin and end anywhere in a segment.
    pub(crate) stream: bool,
    /// The PLC may be a client: conduit 6.
    pub(crate) device_asks: bool,
    /// Ethertypes that pass and are looked into, each with the conduit whose rules judge.
    pub(crate) inspected_ethertypes: Vec<(u16, u16)>,
}

impl Policy {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        Self {
            rules: rules.to_vec(),
            mode: Mode::Enforce,
            on_deny: OnDeny::Drop,
            uncovered: Reason::UncoveredDeny,
            fragments: Reason::Fragment,
            ip_options: false,
            on_unsynchronised: OnUnsynchronised::Resync,
            generation: 1,
            protocol: Protocol::Modbus,
            stream: false,
            device_asks: false,
            inspected_ethertypes: vec![],
        }
    }

    /// Reads everything, writes nothing.
    pub(crate) fn reads() -> Self {
        Self::new(&[rule(Effect::Allow, &[1, 2, 3, 4])])
    }

    pub(crate) fn build(&self) -> Box<Image> {
        // SAFETY: every field of an image is an integer or an array of structures of integers.
        let mut image = unsafe { Box::<Image>::new_zeroed().assume_init() };
        image.header.layout = abi::LAYOUT;
        image.header.generation = self.generation;
        image.header.bank = (self.generation & 1) as u8;
        image.header.uncovered = self.uncovered as u8;
        image.header.fragments = self.fragments as u8;
        image.header.ip_options = self.ip_options.into();
        image.header.on_unsynchronised = self.on_unsynchronised as u8;
        places(&mut image);
        self.ethertypes(&mut image);
        self.conduits(&mut image);
        self.rules(&mut image);
        image
    }

    fn ethertypes(&self, image: &mut Image) {
        let known = image.header.ethertypes.count as usize;
        let mut all: Vec<Ethertype> = image.ethertypes[..known].to_vec();
        for (ethertype, conduit) in &self.inspected_ethertypes {
            all.retain(|entry| entry.ethertype != *ethertype);
            let reason = Reason::EthernetAllow as u8;
            all.push(Ethertype { ethertype: *ethertype, reason, padding: 0, conduit: *conduit });
        }
        all.sort_by_key(|entry| entry.ethertype);
        image.header.ethertypes.count = all.len() as u32;
        image.ethertypes[..all.len()].copy_from_slice(&all);
    }

    fn conduits(&self, image: &mut Image) {
        let entry = |protocol: Protocol| Conduit {
            functions: Run::default(),
            protocol: protocol as u8,
            mode: self.mode as u8,
            on_deny: self.on_deny as u8,
            stream: self.stream.into(),
            valued: if self.rules.iter().any(|rule| !rule.values.is_empty()) { ALL_VALUES } else { NO_VALUES },
        };
        image.conduits[1] = entry(self.protocol);
        image.conduits[2] = entry(Protocol::Tcp);
        image.conduits[3] = entry(Protocol::Modbus);
        image.conduits[4] = entry(Protocol::Icmp);
        image.conduits[5] = entry(Protocol::Ip);
        image.conduits[6] = entry(Protocol::Modbus);
        let service = |transport: u32, port: u32, conduit| Service {
            first: transport << 16 | port,
            last: transport << 16 | port,
            conduit,
            padding: 0,
        };
        let tunnel = Service { first: 47 << 16, last: 47 << 16 | 0xffff, conduit: 5, padding: 0 };
        let icmp = Service { first: 1 << 16, last: 1 << 16 | 0xffff, conduit: 4, padding: 0 };
        let all = [
            service(6, 80, 2),
            icmp,
            service(6, 80, 2),
            service(6, 502, 1),
            service(17, 502, 1),
            tunnel,
            service(6, 80, 2),
            service(6, 502, 3),
            service(6, 40000, 6),
        ];
        image.services[..all.len()].copy_from_slice(&all);
        let pair = |client: u32, first, count| Pair { key: client << 16 | 2, services: Run { first, count } };
        let back = Pair { key: 2 << 16 | 1, services: Run { first: 8, count: 1 } };
        let mut all = vec![pair(0, 0, 1), pair(1, 1, 5), back, pair(3, 6, 2)];
        all.retain(|pair| self.device_asks || *pair != back);
        image.pairs[..all.len()].copy_from_slice(&all);
        image.header.pairs = Run { first: 0, count: all.len() as u32 };
    }

    fn rules(&self, image: &mut Image) {
        let mut tables = Tables::default();
        let mut functions: BTreeSet<u32> = self.rules.iter().flat_map(|rule| rule.functions.clone()).collect();
        if self.rules.iter().any(|rule| rule.functions.is_empty()) {
            functions.insert(ANY_FUNCTION);
        }
        for function in functions {
            let rules: Vec<(u16, &Rule)> = (0..)
                .zip(&self.rules)
                .filter(|(_, rule)| rule.functions.is_empty() || rule.functions.contains(&function))
                .collect();
            let mut starts = BTreeSet::from([0]);
            starts.extend(rules.iter().filter_map(|(_, rule)| rule.units).flat_map(|(first, last)| [first, last + 1]));
            let units: Vec<Unit> = starts.iter().map(|first| tables.unit(*first, &rules)).collect();
            let run = append(&mut tables.units, units);
            tables.functions.push(Function { function, units: run });
        }
        image.conduits[1].functions = Run { first: 0, count: tables.functions.len() as u32 };
        image.functions[..tables.functions.len()].copy_from_slice(&tables.functions);
        image.units[..tables.units.len()].copy_from_slice(&tables.units);
        image.segments[..tables.segments.len()].copy_from_slice(&tables.segments);
        image.candidates[..tables.candidates.len()].copy_from_slice(&tables.candidates);
        image.denials[..tables.denials.len()].copy_from_slice(&tables.denials);
        for (index, rule) in self.rules.iter().enumerate() {
            let (interval, burst) = rule.rate.unwrap_or_default();
            image.rules[index] = enforcer_common::policy::image::Rule {
                interval,
                burst,
                conduit: 1,
                max_step: rule.max_step.map_or(0, |step| step + 1),
                ..Default::default()
            };
        }
    }
}

fn places(image: &mut Image) {
    let v4 = |first: [u8; 4], last: [u8; 4], zone, device| AddressesV4 {
        first: u32::from_be_bytes(first),
        last: u32::from_be_bytes(last),
        zone,
        device,
    };
    let ranges =
        [v4([10, 0, 0, 0], [10, 0, 0, 255], 1, 0), v4(PLC, PLC, 2, 1), v4([10, 0, 3, 0], [10, 0, 3, 255], 3, 0)];
    image.addresses_v4[..3].copy_from_slice(&ranges);
    image.header.addresses_v4.count = 3;
    let halves = |address: [u8; 16]| {
        let number = u128::from_be_bytes(address);
        [(number >> 64) as u64, number as u64]
    };
    let range = |first, last, zone, device| AddressesV6 {
        first: halves(first),
        last: halves(last),
        zone,
        device,
        padding: [0; 4],
    };
    image.addresses_v6[0] = range(v6(1, 0), v6(1, 255), 1, 0);
    image.addresses_v6[1] = range(v6(2, 10), v6(2, 10), 2, 1);
    image.header.addresses_v6.count = 2;
    image.macs[0] = enforcer_common::policy::mac_number(DEVICE_MAC);
    image.header.macs.count = 1;
    let types = [
        (0x42, Reason::EthernetAllow),
        (0x0806, Reason::EthernetAllow),
        (0x8892, Reason::EthernetDeny),
        (0x88cc, Reason::EthernetLog),
    ];
    for (index, (ethertype, reason)) in types.into_iter().enumerate() {
        image.ethertypes[index] = Ethertype { ethertype, reason: reason as u8, padding: 0, conduit: UNCOVERED };
    }
    image.header.ethertypes.count = types.len() as u32;
    assert_eq!(image.place(&mapped(PLC)).zone, 2);
}

#[derive(Default)]
struct Tables {
    functions: Vec<Function>,
    units: Vec<Unit>,
    segments: Vec<Segment>,
    candidates: Vec<Candidate>,
    denials: Vec<Denial>,
}

fn append<T>(table: &mut Vec<T>, entries: Vec<T>) -> Run {
    let run = Run { first: table.len() as u32, count: entries.len() as u32 };
    table.extend(entries);
    run
}

impl Tables {
    fn unit(&mut self, first: u32, rules: &[(u16, &Rule)]) -> Unit {
        let here: Vec<(u16, &Rule)> = rules.iter().filter(|(_, rule)| rule.has_unit(first)).copied().collect();
        let (deny, pass): (Vec<_>, Vec<_>) = here.into_iter().partition(|(_, rule)| rule.effect == Effect::Deny);
        let spaces: BTreeSet<u32> = pass.iter().flat_map(|(_, rule)| &rule.objects).map(|(space, ..)| *space).collect();
        let mut segments = Vec::new();
        for space in spaces {
            let mine = || pass.iter().flat_map(|(_, rule)| &rule.objects).filter(|object| object.0 == space);
            let mut starts = BTreeSet::from([0]);
            starts.extend(mine().flat_map(|(_, first, last)| [*first, last + 1]));
            for first in starts {
                let candidates = self.candidates(&pass, Some((space, first)));
                segments.push(Segment { space, first, candidates });
            }
        }
        let candidates = self.candidates(&pass, None);
        let mut denials = Vec::new();
        for (id, rule) in deny {
            let objects = if rule.objects.is_empty() { vec![(ANY_SPACE, 0, u32::MAX)] } else { rule.objects.clone() };
            for (space, first, last) in objects {
                for (value_min, value_max) in values(rule) {
                    let has_values = (!rule.values.is_empty()).into();
                    denials.push(Denial { value_min, value_max, space, first, last, rule: id, has_values, padding: 0 });
                }
            }
        }
        Unit {
            first,
            segments: append(&mut self.segments, segments),
            candidates,
            denials: append(&mut self.denials, denials),
        }
    }

    fn candidates(&mut self, rules: &[(u16, &Rule)], object: Option<(u32, u32)>) -> Run {
        let mut found = Vec::new();
        for (id, rule) in rules {
            let covers = |range: &&(u32, u32, u32)| {
                object.is_some_and(|(space, first)| range.0 == space && range.1 <= first && first <= range.2)
            };
            let last = match rule.objects.iter().find(covers) {
                Some((.., last)) => *last,
                None if rule.objects.is_empty() => u32::MAX,
                None => continue,
            };
            for (value_min, value_max) in values(rule) {
                let (log, has_values) = ((rule.effect == Effect::Log).into(), (!rule.values.is_empty()).into());
                found.push(Candidate { value_min, value_max, last, rule: *id, log, has_values });
            }
        }
        found.sort_by_key(|candidate| (candidate.log == 0, candidate.rule));
        append(&mut self.candidates, found)
    }
}

fn values(rule: &Rule) -> Vec<(i64, i64)> {
    if rule.values.is_empty() { vec![(0, 0)] } else { rule.values.clone() }
}
