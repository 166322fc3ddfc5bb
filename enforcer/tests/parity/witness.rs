//! The host's environment, with everything kept that the kernel keeps: full events, counters per cell, observations.

use std::collections::BTreeMap;
use std::collections::HashMap;

use enforcer::replay::environment::HostEnvironment;
use enforcer_common::digest::Key;
use enforcer_common::environment::{Environment, Limits, Trust};
use enforcer_common::event::Event;
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, Station};
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::{NO_FUNCTION, NO_RULE};
use enforcer_common::port::Side;
use enforcer_common::scratch::{Finding, Scratch};
use enforcer_common::table::Slots;
use enforcer_common::verdict::{Mode, Reason};

/// What is counted, in words that both sides can be brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    Conduit { bank: u8, conduit: u16, reason: u8, acted: bool },
    Node { bank: u8, node: u32, reason: u8, acted: bool },
    Function { bank: u8, conduit: u16, function: u32, reason: u8, acted: bool },
    Rule { bank: u8, rule: u16 },
}

/// Reasons that rules give: the ones that nodes count. Written out here, because the kernel's table is what is tested.
const BY_RULES: [Reason; 7] = [
    Reason::RuleAllow,
    Reason::RuleLog,
    Reason::RuleDeny,
    Reason::UnitNotAllowed,
    Reason::ObjectNotAllowed,
    Reason::ValueNotAllowed,
    Reason::RateExceeded,
];

pub(crate) struct Witness {
    host: HostEnvironment,
    budgets: HashMap<(u8, u16), u64>,
    pub(crate) cap: Mode,
    pub(crate) limits: Limits,
    pub(crate) management: [u8; 6],
    pub(crate) counters: BTreeMap<Counter, u64>,
    pub(crate) events: Vec<Event>,
    pub(crate) observed: HashMap<ObservationKey, Observation>,
}

impl Witness {
    pub(crate) fn new(management: [u8; 6]) -> Self {
        Self {
            host: HostEnvironment::new(None),
            budgets: HashMap::new(),
            cap: Mode::Learn,
            limits: Limits { trust: Trust::Reading, checksums: true, ..Limits::UNLIMITED },
            management,
            counters: BTreeMap::new(),
            events: Vec::new(),
            observed: HashMap::new(),
        }
    }

    pub(crate) fn begin(&mut self, bytes: &[u8]) {
        // Any moment will do: the policy's rates are used up or not whatever the time.
        self.host.begin(bytes, Some(1 << 40));
        self.events.clear();
    }

    /// How many conversations are known.
    pub(crate) fn flow_count(&self) -> u32 {
        u32::try_from(self.host.flow_count()).expect("few")
    }

    /// Forgets every conversation; counters go on.
    pub(crate) fn forget_flows(&mut self) {
        self.host.forget_flows();
    }

    /// The conversation that a frame belongs to.
    pub(crate) fn conversation(&self, key: &FlowKey) -> Option<&Flow> {
        self.host.conversation(key)
    }

    fn add(&mut self, counter: Counter) {
        *self.counters.entry(counter).or_default() += 1;
    }
}

impl Environment for Witness {
    type Assembled = [u8];

    fn now(&self) -> u64 {
        self.host.now()
    }

    fn is_management(&self, mac: [u8; 6]) -> bool {
        self.management == mac
    }

    fn mode(&self, _now: u64, _bank: u8, _conduit: u16, asked: Mode) -> Mode {
        asked.min(self.cap)
    }

    fn find_flow(&mut self, key: &FlowKey) -> Option<u32> {
        self.host.find_flow(key)
    }

    fn slots(&mut self, device: &[u8; 16], side: Side) -> Option<Slots> {
        self.host.slots(device, side)
    }

    fn lose_flow(&mut self) {
        self.host.lose_flow();
    }

    fn bind(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.host.bind(key, slot)
    }

    fn unbind(&mut self, key: &FlowKey) {
        self.host.unbind(key);
    }

    fn half_open(&mut self, key: &FlowKey) -> Option<&mut HalfOpen> {
        self.host.half_open(key)
    }

    fn set_half_open(&mut self, key: &FlowKey, half: HalfOpen) {
        self.host.set_half_open(key, half);
    }

    fn forget_half_open(&mut self, key: &FlowKey) {
        self.host.forget_half_open(key);
    }

    fn station(&mut self, key: &FlowKey) -> Option<&mut Station> {
        self.host.station(key)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn key(&self) -> Option<&Key> {
        self.host.key()
    }

    fn flow(&mut self, slot: u32) -> Option<&mut Flow> {
        self.host.flow(slot)
    }

    fn assemble(&mut self, scratch: &Scratch) -> Option<&[u8]> {
        self.host.assemble(scratch)
    }

    fn save_carry(&mut self, scratch: &Scratch) {
        self.host.save_carry(scratch);
    }

    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64> {
        Some(self.budgets.entry((bank, rule)).or_default())
    }

    fn echoes(&mut self) -> Option<&mut u64> {
        self.host.echoes()
    }

    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool) {
        let (bank, conduit, code) = (scratch.path.bank, scratch.path.conduit, reason as u8);
        self.add(Counter::Conduit { bank, conduit, reason: code, acted });
        let Some(operation) = index.and_then(|index| scratch.operation(index)) else {
            return;
        };
        if operation.rule != NO_RULE {
            self.add(Counter::Rule { bank, rule: operation.rule });
        }
        if node != u32::MAX && BY_RULES.contains(&reason) {
            self.add(Counter::Node { bank, node, reason: code, acted });
        } else if reason != Reason::Response && operation.function != NO_FUNCTION {
            self.add(Counter::Function { bank, conduit, function: operation.function, reason: code, acted });
        }
    }

    fn count_known(&mut self, bank: u8, conduit: u16, found: Option<&Finding>, reason: Reason) {
        let code = reason as u8;
        self.add(Counter::Conduit { bank, conduit, reason: code, acted: false });
        if let Some(found) = found {
            self.add(Counter::Rule { bank, rule: found.rule });
            self.add(Counter::Node { bank, node: found.node, reason: code, acted: false });
        }
    }

    fn emit(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut event = Event::EMPTY;
        event.fill(scratch, index);
        event.time = 0;
        self.events.push(event);
    }

    fn observe(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut key = ObservationKey::EMPTY;
        if !key.fill(scratch, index) {
            return;
        }
        let operation = index.and_then(|index| scratch.operation(index));
        let known = self.observed.entry(key).and_modify(|known| known.again(0, operation));
        known.or_insert_with(|| Observation::first(0, operation));
    }
}
