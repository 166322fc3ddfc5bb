//! The core's outside world on the host: flows, budgets and counters in memory, the capture's clock.
//!
//! Enters: what the core asks for while it judges one frame. Leaves: counters, and the events of the frame that was
//! judged last. Used by replay, by the fuzzers and by the tests that hold the kernel against the host. Nothing here
//! decides anything; a table that is full says so, as the kernel's does.

use std::collections::{BTreeMap, HashMap};

use enforcer_common::digest::Key;
use enforcer_common::environment::{Environment, Limits};
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, State, Station};
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::NO_RULE;
use enforcer_common::policy::step::{LastKey, UNKNOWN};
use enforcer_common::port::Side;
use enforcer_common::scratch::{Finding, Scratch};
use enforcer_common::table::Slots;
use enforcer_common::verdict::{Mode, Reason};

/// Conversations held at a time.
const FLOWS: usize = 1 << 18;

/// Slots that a device gets at a time: a capture may hold more conversations than a box would follow.
const SLOTS: u32 = 64;

/// How often something was judged, and how often the denial was carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub judged: u64,
    pub acted: u64,
}

/// What the core counts, kept exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Per conduit id and reason code.
    pub outcomes: BTreeMap<(u16, u8), Tally>,
    /// Per function node and reason code.
    pub functions: BTreeMap<(u32, u8), u64>,
    /// Per rule id.
    pub rules: BTreeMap<u16, u64>,
    /// What learning would have recorded.
    pub observations: u64,
    /// What would have been reported.
    pub events: u64,
    /// Conversations that found no slot.
    pub lost_flows: u64,
}

/// The environment of `enforcer replay`.
pub struct HostEnvironment {
    clock: u64,
    mode: Option<Mode>,
    frame: Vec<u8>,
    assembled: Vec<u8>,
    flows: Vec<Flow>,
    slots: HashMap<FlowKey, u32>,
    /// First of the newest slots of each device.
    devices: HashMap<[u8; 16], u32>,
    half_open: HashMap<FlowKey, HalfOpen>,
    stations: HashMap<FlowKey, Station>,
    limits: Limits,
    key: Box<Key>,
    /// Per rule with a rate, see `enforcer_common::policy::rate`. One generation, so the bank says nothing.
    budgets: HashMap<u16, u64>,
    echoes: u64,
    counters: Counters,
    events: Vec<Option<u32>>,
    observed: HashMap<ObservationKey, Observation>,
    last_values: HashMap<LastKey, i64>,
}

impl HostEnvironment {
    /// An environment in which nothing has been seen. `mode` replaces the mode of every conduit.
    pub fn new(mode: Option<Mode>) -> Self {
        Self {
            clock: 0,
            mode,
            frame: Vec::new(),
            assembled: Vec::new(),
            flows: Vec::new(),
            slots: HashMap::new(),
            devices: HashMap::new(),
            half_open: HashMap::new(),
            stations: HashMap::new(),
            limits: Limits::UNLIMITED,
            key: Box::new(Key::new(key_word)),
            budgets: HashMap::new(),
            echoes: 0,
            counters: Counters::default(),
            events: Vec::new(),
            observed: HashMap::new(),
            last_values: HashMap::new(),
        }
    }

    /// Takes up the next frame: its bytes, and its time where the capture has one. The clock never runs backwards.
    pub fn begin(&mut self, bytes: &[u8], nanos: Option<u64>) {
        self.frame.clear();
        self.frame.extend_from_slice(bytes);
        self.events.clear();
        self.clock = nanos.unwrap_or(0).max(self.clock);
    }

    /// Everything counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the core reported about the last frame: indexes of operations, `None` for the whole frame.
    pub fn events(&self) -> &[Option<u32>] {
        &self.events
    }

    /// What learning has kept, in no order.
    pub fn observations(&self) -> Vec<(ObservationKey, Observation)> {
        self.observed.iter().map(|(key, seen)| (*key, *seen)).collect()
    }

    /// Conversations being followed.
    pub fn flow_count(&self) -> usize {
        self.slots.len()
    }

    /// Looks at a conversation.
    pub fn conversation(&self, key: &FlowKey) -> Option<&Flow> {
        self.flows.get(*self.slots.get(key)? as usize)
    }

    /// Forgets every conversation.
    pub fn forget_flows(&mut self) {
        self.flows.clear();
        self.slots.clear();
        self.devices.clear();
        self.half_open.clear();
        self.stations.clear();
    }

    fn has_free_slot(&self, first: u32, count: u32) -> bool {
        let slots = self.flows.get(first as usize..(first + count) as usize);
        slots.is_some_and(|flows| flows.iter().any(|flow| flow.state() == State::Free as u8))
    }

    /// Changes what holds for conversations; a capture has no limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The key of the hash over what is forwarded.
    pub fn hash_key(&self) -> &Key {
        &self.key
    }
}

/// A key that everybody knows: nobody who wrote a capture can choose its frames by what was made of them before.
fn key_word(index: usize) -> u64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

impl Environment for HostEnvironment {
    type Assembled = [u8];

    fn now(&self) -> u64 {
        self.clock
    }

    fn is_management(&self, _mac: [u8; 6]) -> bool {
        false
    }

    fn mode(&self, _now: u64, _bank: u8, _conduit: u16, asked: Mode) -> Mode {
        self.mode.unwrap_or(asked)
    }

    fn find_flow(&mut self, key: &FlowKey) -> Option<u32> {
        self.slots.get(key).copied()
    }

    fn slots(&mut self, device: &[u8; 16], side: Side) -> Option<Slots> {
        let _ = side;
        let count = SLOTS;
        let known = self.devices.get(device).copied().filter(|first| self.has_free_slot(*first, count));
        if let Some(first) = known {
            return Some(Slots { first, count });
        }
        let first = u32::try_from(self.flows.len()).ok()?;
        if self.flows.len() >= FLOWS {
            return None;
        }
        self.flows.resize(self.flows.len() + count as usize, Flow::EMPTY);
        self.devices.insert(*device, first);
        Some(Slots { first, count })
    }

    fn lose_flow(&mut self) {
        self.counters.lost_flows += 1;
    }

    fn bind(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.slots.insert(*key, slot);
        true
    }

    fn unbind(&mut self, key: &FlowKey) {
        self.slots.remove(key);
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
        let flow = self.flows.get_mut(scratch.path.slot as usize)?;
        let carried = flow.directions(side).0.carry_length as usize;
        let mut assembled = flow.carry(side).get(..carried)?.to_vec();
        let fresh = self.frame.get(scratch.stream.start as usize..scratch.stream.end as usize)?;
        assembled.extend_from_slice(fresh);
        self.assembled = assembled;
        Some(&self.assembled)
    }

    fn save_carry(&mut self, scratch: &Scratch) {
        let stream = &scratch.stream;
        let (start, length) = (stream.save_start as usize, stream.save_length as usize);
        let source = if stream.assembled == 0 { &self.frame } else { &self.assembled };
        let Some(saved) = start.checked_add(length).and_then(|end| source.get(start..end)).map(<[u8]>::to_vec) else {
            return;
        };
        let side = Side::from_code(scratch.frame.side);
        let flow = self.flows.get_mut(scratch.path.slot as usize);
        if let Some(carry) = flow.and_then(|flow| flow.carry(side).get_mut(..length)) {
            carry.copy_from_slice(&saved);
        }
    }

    fn budget(&mut self, _bank: u8, rule: u16) -> Option<&mut u64> {
        Some(self.budgets.entry(rule).or_default())
    }

    fn echoes(&mut self) -> Option<&mut u64> {
        Some(&mut self.echoes)
    }

    fn last_value(&mut self, key: &LastKey) -> Option<&mut i64> {
        Some(self.last_values.entry(*key).or_insert(UNKNOWN))
    }

    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool) {
        let tally = self.counters.outcomes.entry((scratch.path.conduit, reason as u8)).or_default();
        tally.judged += 1;
        tally.acted += u64::from(acted);
        if node != u32::MAX {
            *self.counters.functions.entry((node, reason as u8)).or_default() += 1;
        }
        if let Some(operation) = index.and_then(|index| scratch.operation(index))
            && operation.rule != NO_RULE
        {
            *self.counters.rules.entry(operation.rule).or_default() += 1;
        }
    }

    fn count_known(&mut self, _bank: u8, conduit: u16, found: Option<&Finding>, reason: Reason) {
        self.counters.outcomes.entry((conduit, reason as u8)).or_default().judged += 1;
        if let Some(found) = found {
            *self.counters.functions.entry((found.node, reason as u8)).or_default() += 1;
            *self.counters.rules.entry(found.rule).or_default() += 1;
        }
    }

    fn emit(&mut self, _scratch: &Scratch, index: Option<u32>) {
        self.counters.events += 1;
        self.events.push(index);
    }

    fn observe(&mut self, scratch: &Scratch, index: Option<u32>) {
        self.counters.observations += 1;
        let mut key = ObservationKey::EMPTY;
        if !key.fill(scratch, index) {
            return;
        }
        let (now, operation) = (self.now(), index.and_then(|index| scratch.operation(index)));
        let known = self.observed.entry(key).and_modify(|known| known.again(now, operation));
        known.or_insert_with(|| Observation::first(now, operation));
    }
}
