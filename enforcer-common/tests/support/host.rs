//! The environment of the tests: everything in vectors, everything recorded.

use std::collections::{BTreeMap, HashMap};

use enforcer_common::digest::Key;
use enforcer_common::environment::{Environment, Limits, Trust};
use enforcer_common::event::Event;
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, Station};
use enforcer_common::found::{Found, PLACES, Words, place_of, words};
use enforcer_common::health::Counts;
use enforcer_common::known::Known;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::policy::grant::{Grant, GrantKey};
use enforcer_common::policy::memo::Memo;
use enforcer_common::policy::step::{LastKey, UNKNOWN};
use enforcer_common::port::Side;
use enforcer_common::scratch::{Finding, Scratch};
use enforcer_common::table::Slots;
use enforcer_common::verdict::{Mode, Reason};

/// One call of `Environment::count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) conduit: u16,
    pub(crate) index: Option<u32>,
    pub(crate) node: u32,
    pub(crate) reason: Reason,
    pub(crate) acted: bool,
}

/// An operation about which a candidate differs, and the first object that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Different {
    pub(crate) function: u32,
    pub(crate) first: u32,
    pub(crate) was: Reason,
    pub(crate) now: Reason,
}

pub(crate) struct Host {
    pub(crate) now: u64,
    pub(crate) mode: Mode,
    pub(crate) management: [u8; 6],
    /// Devices that have slots, and how many each gets.
    pub(crate) devices: Vec<[u8; 16]>,
    pub(crate) most_devices: usize,
    pub(crate) per_device: u32,
    pub(crate) keys: HashMap<FlowKey, u32>,
    pub(crate) flows: Vec<Flow>,
    /// Where conversations were found before, for [`enforcer_common::ordinary`]; `None`: no frame is ordinary.
    pub(crate) found: Option<Vec<Found>>,
    pub(crate) half_open: HashMap<FlowKey, HalfOpen>,
    pub(crate) stations: HashMap<FlowKey, Station>,
    pub(crate) limits: Limits,
    pub(crate) lost: u32,
    key: Box<Key>,
    pub(crate) frame: Vec<u8>,
    assembled: Vec<u8>,
    budgets: BTreeMap<(u8, u16), u64>,
    echoes: u64,
    pub(crate) counted: Vec<Counted>,
    pub(crate) events: Vec<Event>,
    pub(crate) observations: HashMap<ObservationKey, Observation>,
    pub(crate) memos: Vec<Memo>,
    /// Requests that were judged before; empty: none is kept.
    pub(crate) known: Vec<Known>,
    pub(crate) grants: HashMap<GrantKey, Grant>,
    pub(crate) last_values: HashMap<LastKey, i64>,
    /// Function, what the active policy said, what the candidate says.
    pub(crate) different: Vec<Different>,
    pub(crate) compared: u32,
    pub(crate) health: HashMap<[u8; 16], Counts>,
}

impl Host {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            now: 1_000_000_000,
            mode,
            management: [0x02, 0, 0, 0, 0, 0xbb],
            devices: Vec::new(),
            most_devices: 4,
            per_device: 16,
            keys: HashMap::new(),
            flows: vec![Flow::EMPTY; 64],
            found: Some(vec![Found::default(); PLACES]),
            half_open: HashMap::new(),
            stations: HashMap::new(),
            limits: Limits {
                trust: Trust::Reading,
                grace_until: u64::MAX,
                sync: 0,
                connection_interval: 0,
                connection_burst: 0,
                resets: 0,
                forgive_before: 0,
                checksums: false,
            },
            lost: 0,
            key: Box::new(Key::new(|index| (index as u64 + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15))),
            frame: Vec::new(),
            assembled: Vec::new(),
            budgets: BTreeMap::new(),
            echoes: 0,
            counted: Vec::new(),
            events: Vec::new(),
            observations: HashMap::new(),
            memos: Vec::new(),
            known: Vec::new(),
            grants: HashMap::new(),
            last_values: HashMap::new(),
            different: Vec::new(),
            compared: 0,
            health: HashMap::new(),
        }
    }

    /// The one conversation there is.
    pub(crate) fn only_flow(&mut self) -> &mut Flow {
        assert_eq!(self.keys.len(), 1, "one conversation");
        let slot = *self.keys.values().next().expect("a conversation");
        &mut self.flows[slot as usize]
    }
}

/// The words of an IPv4 conversation.
fn words_of(key: &FlowKey) -> Option<Words> {
    let v4 = |address: [u8; 16]| address.starts_with(&[0; 10]).then(|| address[12..].try_into().expect("four bytes"));
    let [a, b] = [key.network_port, key.device_port].map(|port| (port as u16).to_be_bytes());
    Some(words(Side::Network, v4(key.network)?, v4(key.device)?, [a[0], a[1], b[0], b[1]]))
}

impl Environment for Host {
    type Assembled = [u8];

    fn now(&self) -> u64 {
        self.now
    }

    fn is_management(&self, mac: [u8; 6]) -> bool {
        mac == self.management
    }

    fn mode(&self, _now: u64, _bank: u8, _conduit: u16, asked: Mode) -> Mode {
        asked.min(self.mode)
    }

    fn find_flow(&mut self, key: &FlowKey) -> Option<u32> {
        let slot = self.keys.get(key).copied()?;
        if let (Some(found), Some(key)) = (&mut self.found, words_of(key)) {
            let (life, entry) = (self.flows[slot as usize].life, &mut found[place_of(&key)]);
            if !entry.is_of(&key) || entry.life != life {
                entry.note(&key, slot, life);
            }
        }
        Some(slot)
    }

    fn found(&mut self, place: usize) -> Option<&mut Found> {
        self.found.as_mut()?.get_mut(place)
    }

    fn slots(&mut self, device: &[u8; 16], side: Side) -> Option<Slots> {
        let index = match self.devices.iter().position(|known| known == device) {
            Some(index) => index,
            None if self.devices.len() < self.most_devices => {
                self.devices.push(*device);
                self.devices.len() - 1
            }
            None => return None,
        };
        Some(Slots { first: index as u32 * self.per_device, count: self.per_device }.of(side))
    }

    fn lose_flow(&mut self) {
        self.lost += 1;
    }

    fn bind(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.keys.insert(*key, slot);
        true
    }

    fn unbind(&mut self, key: &FlowKey) {
        self.keys.remove(key);
    }

    fn flow(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot as usize)
    }

    fn half_open(&mut self, key: &FlowKey) -> Option<&mut HalfOpen> {
        self.half_open.get_mut(key)
    }

    fn set_half_open(&mut self, key: &FlowKey, half: HalfOpen) {
        self.half_open.insert(*key, half);
    }

    fn forget_half_open(&mut self, key: &FlowKey) {
        self.half_open.remove(key);
    }

    fn station(&mut self, key: &FlowKey) -> Option<&mut Station> {
        Some(self.stations.entry(*key).or_default())
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn key(&self) -> Option<&Key> {
        Some(&self.key)
    }

    fn assemble(&mut self, scratch: &Scratch) -> Option<&[u8]> {
        let side = Side::from_code(scratch.frame.side);
        let flow = &mut self.flows[scratch.path.slot as usize];
        let carried = flow.directions(side).0.carry_length as usize;
        let mut bytes = flow.carry(side)[..carried].to_vec();
        bytes.extend_from_slice(&self.frame[scratch.stream.start as usize..scratch.stream.end as usize]);
        self.assembled = bytes;
        Some(&self.assembled)
    }

    fn save_carry(&mut self, scratch: &Scratch) {
        let (start, length) = (scratch.stream.save_start as usize, scratch.stream.save_length as usize);
        let from = if scratch.stream.assembled == 0 { &self.frame } else { &self.assembled };
        let bytes = from[start..start + length].to_vec();
        let flow = &mut self.flows[scratch.path.slot as usize];
        flow.carry(Side::from_code(scratch.frame.side))[..length].copy_from_slice(&bytes);
    }

    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64> {
        Some(self.budgets.entry((bank, rule)).or_insert(0))
    }

    fn memo(&mut self, place: u32) -> Option<&mut Memo> {
        self.memos.get_mut(place as usize)
    }

    fn known(&mut self, place: u32) -> Option<&mut Known> {
        self.known.get_mut(place as usize)
    }

    fn known_in(&mut self, place: u32, slot: u32) -> Option<(&mut Known, &Flow)> {
        Some((self.known.get_mut(place as usize)?, self.flows.get(slot as usize)?))
    }

    fn granted(&mut self, key: &GrantKey, now: u64, used: bool) -> bool {
        match self.grants.get_mut(key) {
            Some(grant) if grant.holds(now) => {
                grant.count += u64::from(used);
                true
            }
            _ => false,
        }
    }

    fn has_grants(&self) -> bool {
        !self.grants.is_empty()
    }

    fn last_value(&mut self, key: &LastKey) -> Option<&mut i64> {
        Some(self.last_values.entry(*key).or_insert(UNKNOWN))
    }

    fn differ(&mut self, scratch: &Scratch, index: Option<u32>, candidate: u8) {
        let mut key = ObservationKey::EMPTY;
        if key.fill(scratch, index) {
            let was = key.reason().expect("a reason");
            let now = Reason::from_code(candidate).expect("a reason");
            self.different.push(Different { function: key.function, first: key.first, was, now });
        }
    }

    fn health(&mut self, device: &[u8; 16], new: bool) -> Option<&mut Counts> {
        if new {
            self.health.entry(*device).or_insert(Counts::EMPTY);
        }
        self.health.get_mut(device)
    }

    fn compared(&mut self, count: u32) {
        self.compared += count;
    }

    fn echoes(&mut self) -> Option<&mut u64> {
        Some(&mut self.echoes)
    }

    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool) {
        self.counted.push(Counted { conduit: scratch.path.conduit, index, node, reason, acted });
    }

    fn count_known(&mut self, _bank: u8, conduit: u16, found: Option<&Finding>, reason: Reason) {
        let units = self.counted.iter().filter(|counted| counted.index.is_some()).count();
        let index = found.map(|_| u32::try_from(units).expect("few units"));
        let node = found.map_or(u32::MAX, |found| found.node);
        self.counted.push(Counted { conduit, index, node, reason, acted: false });
    }

    fn emit(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut event = Event::EMPTY;
        event.fill(scratch, index);
        self.events.push(event);
    }

    fn observe(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut key = ObservationKey::EMPTY;
        if !key.fill(scratch, index) {
            return;
        }
        let operation = index.and_then(|index| scratch.operation(index));
        let (now, first) = (self.now, Observation::first(self.now, operation));
        let seen = self.observations.entry(key).and_modify(|known| known.again(now, operation)).or_insert(first);
        seen.count += u64::from(scratch.wanted.pending);
    }
}
