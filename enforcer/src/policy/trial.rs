//! One operation put before the core's own judge, without a packet: for `policy explain` and for tests.
//!
//! Enters: a compiled image, who talks to whom, and the object ranges of one unit. Leaves: what the core decided. There
//! is no second evaluator: conduit search, rules and verdict are the functions that the kernel runs.

use std::net::IpAddr;

use enforcer_common::digest::Key;
use enforcer_common::environment::{Environment, Limits};
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, Station};
use enforcer_common::operation::{NO_RULE, Operation};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::policy::step::{LastKey, UNKNOWN};
use enforcer_common::policy::{Image, UNCOVERED};
use enforcer_common::port::Side;
use enforcer_common::scratch::{Finding, Scratch};
use enforcer_common::table::Slots;
use enforcer_common::verdict::{Mode, Reason};
use enforcer_common::{decide, judge};

/// What the core says about one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Conduit id, [`UNCOVERED`] when none covers the conversation.
    pub conduit: u16,
    pub reason: Reason,
    /// Rule id, `None` when no rule decided.
    pub rule: Option<u16>,
}

/// An address in the core's form: IPv4 mapped into IPv6.
pub fn core_address(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The conduit of a conversation that `from` opens to `to`; `transport` is an IP protocol number.
pub fn conduit(image: &Image, from: IpAddr, to: IpAddr, transport: u8, port: u16) -> u16 {
    let client = image.place(&core_address(from)).zone;
    let server = image.place(&core_address(to)).zone;
    image.conduit_of(client, server, u32::from(transport) << 16 | u32::from(port)).unwrap_or(UNCOVERED)
}

/// Judges the object ranges of one request on a conduit. Rates are taken as not used up, and no value as written before.
///
/// `None` when there are no ranges, or more than one frame can hold.
pub fn judge(image: &Image, conduit: u16, parts: &[Operation]) -> Option<Outcome> {
    Desk::default().judge(image, conduit, parts)
}

/// The core's surroundings with nothing in them: it only notes what is counted, and remembers findings if it is asked to.
#[derive(Debug, Default)]
pub struct Desk {
    found: Option<(Reason, u16)>,
    budget: u64,
    last: i64,
    memos: Vec<Memo>,
}

impl Desk {
    /// One that remembers, as the kernel does.
    pub fn remembering() -> Desk {
        Desk { memos: vec![Memo::default(); MEMOS], ..Desk::default() }
    }

    /// See [`judge`].
    pub fn judge(&mut self, image: &Image, conduit: u16, parts: &[Operation]) -> Option<Outcome> {
        let mut scratch = Scratch::new();
        scratch.path.conduit = conduit;
        scratch.path.generation = image.header.generation;
        scratch.path.mode = Mode::Enforce as u8;
        scratch.frame.side = Side::Network as u8;
        for (index, part) in parts.iter().enumerate() {
            let mut part = *part;
            if index > 0 {
                part.flags |= Operation::CONTINUES;
            }
            *scratch.add()? = part;
        }
        self.found = None;
        self.last = UNKNOWN;
        judge::begin(&mut scratch);
        decide::judge(image, self, &mut scratch);
        let (reason, rule) = self.found?;
        Some(Outcome { conduit, reason, rule: (rule != NO_RULE).then_some(rule) })
    }
}

impl Environment for Desk {
    type Assembled = [u8];

    fn now(&self) -> u64 {
        0
    }

    fn is_management(&self, _mac: [u8; 6]) -> bool {
        false
    }

    fn mode(&self, _now: u64, _bank: u8, _conduit: u16, asked: Mode) -> Mode {
        asked
    }

    fn find_flow(&mut self, _key: &FlowKey) -> Option<u32> {
        None
    }

    fn slots(&mut self, _device: &[u8; 16], _side: Side) -> Option<Slots> {
        None
    }

    fn lose_flow(&mut self) {}

    fn bind(&mut self, _key: &FlowKey, _slot: u32) -> bool {
        false
    }

    fn unbind(&mut self, _key: &FlowKey) {}

    fn flow(&mut self, _slot: u32) -> Option<&mut Flow> {
        None
    }

    fn half_open(&mut self, _key: &FlowKey) -> Option<&mut HalfOpen> {
        None
    }

    fn set_half_open(&mut self, _key: &FlowKey, _half: HalfOpen) {}

    fn forget_half_open(&mut self, _key: &FlowKey) {}

    fn station(&mut self, _key: &FlowKey) -> Option<&mut Station> {
        None
    }

    fn limits(&self) -> Limits {
        Limits::UNLIMITED
    }

    fn key(&self) -> Option<&Key> {
        None
    }

    fn assemble(&mut self, _scratch: &Scratch) -> Option<&[u8]> {
        None
    }

    fn save_carry(&mut self, _scratch: &Scratch) {}

    fn budget(&mut self, _bank: u8, _rule: u16) -> Option<&mut u64> {
        self.budget = 0;
        Some(&mut self.budget)
    }

    fn memo(&mut self, place: u32) -> Option<&mut Memo> {
        self.memos.get_mut(place as usize)
    }

    fn echoes(&mut self) -> Option<&mut u64> {
        None
    }

    fn last_value(&mut self, _key: &LastKey) -> Option<&mut i64> {
        Some(&mut self.last)
    }

    fn count(&mut self, scratch: &Scratch, index: Option<u32>, _node: u32, reason: Reason, _acted: bool) {
        let operation = index.and_then(|index| scratch.operation(index));
        self.found = operation.map(|operation| (reason, operation.rule));
    }

    fn count_known(&mut self, _bank: u8, _conduit: u16, found: Option<&Finding>, reason: Reason) {
        self.found = found.map(|found| (reason, found.rule));
    }

    fn emit(&mut self, _scratch: &Scratch, _index: Option<u32>) {}

    fn observe(&mut self, _scratch: &Scratch, _index: Option<u32>) {}
}
