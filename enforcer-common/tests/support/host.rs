//! The environment of the tests: everything in vectors, everything recorded.

use std::collections::{BTreeMap, HashMap};

use enforcer_common::environment::Environment;
use enforcer_common::event::Event;
use enforcer_common::flow::{Direction, Flow, FlowKey};
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
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

pub(crate) struct Host {
    pub(crate) now: u64,
    pub(crate) mode: Mode,
    pub(crate) management: [u8; 6],
    pub(crate) capacity: usize,
    pub(crate) keys: HashMap<FlowKey, u32>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) frame: Vec<u8>,
    assembled: Vec<u8>,
    budgets: BTreeMap<(u8, u16), u64>,
    echoes: u64,
    pub(crate) counted: Vec<Counted>,
    pub(crate) events: Vec<Event>,
    pub(crate) observations: HashMap<ObservationKey, Observation>,
}

impl Host {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            now: 1_000_000_000,
            mode,
            management: [0x02, 0, 0, 0, 0, 0xbb],
            capacity: 1024,
            keys: HashMap::new(),
            flows: Vec::new(),
            frame: Vec::new(),
            assembled: Vec::new(),
            budgets: BTreeMap::new(),
            echoes: 0,
            counted: Vec::new(),
            events: Vec::new(),
            observations: HashMap::new(),
        }
    }

    fn direction(&mut self, scratch: &Scratch) -> Option<&mut Direction> {
        let flow = self.flows.get_mut(scratch.path.slot as usize)?;
        Some(match Side::from_code(scratch.frame.side) {
            Side::Network => &mut flow.network,
            Side::Device => &mut flow.device,
        })
    }
}

impl Environment for Host {
    type Assembled = [u8];

    fn now(&self) -> u64 {
        self.now
    }

    fn is_management(&self, mac: [u8; 6]) -> bool {
        mac == self.management
    }

    fn mode(&self, _bank: u8, _conduit: u16, asked: Mode) -> Mode {
        asked.min(self.mode)
    }

    fn find_flow(&mut self, key: &FlowKey) -> Option<u32> {
        self.keys.get(key).copied()
    }

    fn create_flow(&mut self, key: &FlowKey) -> Option<u32> {
        if self.flows.len() >= self.capacity {
            return None;
        }
        self.flows.push(Flow::EMPTY);
        let slot = self.flows.len() as u32 - 1;
        self.keys.insert(*key, slot);
        Some(slot)
    }

    fn flow(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot as usize)
    }

    fn assemble(&mut self, scratch: &Scratch) -> Option<&[u8]> {
        let direction = self.direction(scratch)?;
        let mut bytes = direction.carry[..direction.carry_length as usize].to_vec();
        bytes.extend_from_slice(&self.frame[scratch.stream.start as usize..scratch.stream.end as usize]);
        self.assembled = bytes;
        Some(&self.assembled)
    }

    fn save_carry(&mut self, scratch: &Scratch) {
        let (start, length) = (scratch.stream.save_start as usize, scratch.stream.save_length as usize);
        let from = if scratch.stream.assembled == 0 { &self.frame } else { &self.assembled };
        let bytes = from[start..start + length].to_vec();
        self.direction(scratch).expect("a flow").carry[..length].copy_from_slice(&bytes);
    }

    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64> {
        Some(self.budgets.entry((bank, rule)).or_insert(0))
    }

    fn echoes(&mut self) -> Option<&mut u64> {
        Some(&mut self.echoes)
    }

    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool) {
        self.counted.push(Counted { conduit: scratch.path.conduit, index, node, reason, acted });
    }

    fn emit(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut event = Event::EMPTY;
        event.fill(scratch, index, self.now);
        self.events.push(event);
    }

    fn observe(&mut self, scratch: &Scratch, index: Option<u32>) {
        let mut key = ObservationKey::EMPTY;
        if !key.fill(scratch, index) {
            return;
        }
        let operation = index.and_then(|index| scratch.operation(index));
        let (now, first) = (self.now, Observation::first(self.now, operation));
        self.observations.entry(key).and_modify(|known| known.again(now, operation)).or_insert(first);
    }
}
