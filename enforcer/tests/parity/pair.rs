//! One box in two bodies: a frame goes into both, and everything that either knows afterwards is compared.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::Ipv6Addr;

use enforcer::dataplane::plain::Plain;
use enforcer_common::abi::{FlowKeyV4, cell, loss};
use enforcer_common::action::Action;
use enforcer_common::decide;
use enforcer_common::environment::Trust;
use enforcer_common::event::Event;
use enforcer_common::flow::{Flow, FlowKey, NO_FLOW, State};
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::Operation;
use enforcer_common::policy::{Image, capacity};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::reset;
use enforcer_common::scratch::{Frame, LATER, Scratch, Stream};
use enforcer_common::verdict::{Mode, Reason, Verdict};

use super::stand::{FLOWS_PER_DEVICE, MANAGEMENT, Stand};
use super::witness::{Counter, Witness};

/// The kernel's test run lays more than this into further buffers: a page without headroom and the place for their list.
const LINEAR: usize = 4096 - 256 - 320;

/// What a test run takes: an Ethernet header at least, and no more buffers than a packet can have.
const POSSIBLE: std::ops::Range<usize> = 14..65_536;

/// Conduits, nodes and rules whose counters are read: more than the policies of these tests have.
const CONDUITS: u16 = 16;
const NODES: u32 = 512;
const RULES: u16 = 64;

pub(crate) struct Pair<'p> {
    stand: Stand,
    witness: Witness,
    policy: &'p Image,
    scratch: Box<Scratch>,
    pub(crate) frames: u64,
    pub(crate) skipped: u64,
    pub(crate) multi_buffer: u64,
    pub(crate) operations: u64,
    /// Requests that the kernel knew, and the host read.
    pub(crate) known: u64,
    /// Frames that the kernel found to be ordinary; the host goes through all stages.
    pub(crate) ordinary: u64,
    /// Of these frames that passed without a record.
    pub(crate) passed: u64,
    pub(crate) outcomes: BTreeMap<u8, u64>,
}

impl<'p> Pair<'p> {
    pub(crate) fn new(policy: &'p Image) -> Self {
        let mut stand = Stand::new();
        stand.publish(policy);
        Self {
            stand,
            witness: Witness::new(MANAGEMENT),
            policy,
            scratch: Box::default(),
            frames: 0,
            skipped: 0,
            multi_buffer: 0,
            operations: 0,
            known: 0,
            ordinary: 0,
            passed: 0,
            outcomes: BTreeMap::new(),
        }
    }

    pub(crate) fn policy(&self) -> &'p Image {
        self.policy
    }

    /// Publishes another policy; conversations stay.
    pub(crate) fn publish(&mut self, policy: &'p Image) {
        self.policy = policy;
        self.stand.publish(policy);
    }

    /// Whether conversations that were open before the box came may be taken up. Counts with the next mode.
    pub(crate) fn grace(&mut self, given: bool) {
        self.stand.grace_until = if given { u64::MAX } else { 0 };
        self.witness.limits.trust = if given { Trust::Reading } else { Trust::Nothing };
    }

    pub(crate) fn mode(&mut self, mode: Mode) {
        self.stand.mode(mode);
        self.witness.cap = mode;
    }

    /// Forgets every conversation in both bodies.
    pub(crate) fn forget_flows(&mut self) {
        let maps = &mut self.stand.object.maps;
        let four: Vec<_> = maps.flows_v4.keys().map(|key| key.expect("a key")).collect();
        four.iter().for_each(|key| maps.flows_v4.remove(key).expect("a known key"));
        let six: Vec<_> = maps.flows_v6.keys().map(|key| key.expect("a key")).collect();
        six.iter().for_each(|key| maps.flows_v6.remove(key).expect("a known key"));
        assert_eq!(
            four.len() + six.len(),
            self.witness.flow_count() as usize,
            "conversations known to kernel and host"
        );
        let given = maps.device_count.get(&0, 0).expect("the count");
        for slot in 0..given * FLOWS_PER_DEVICE {
            // Slots count on: what a CPU has found before does not hold any more.
            let mut flow = Flow { life: maps.flow_table.get(&slot, 0).expect("a flow").0.life, ..Flow::EMPTY };
            flow.enter(State::Free);
            maps.flow_table.set(slot, super::stand::plain_flow(flow), 0).expect("a flow");
        }
        maps.device_count.set(0, 0, 0).expect("the count");
        let devices: Vec<_> = maps.devices.keys().map(|key| key.expect("a key")).collect();
        devices.iter().for_each(|key| maps.devices.remove(key).expect("a known key"));
        let half: Vec<_> = maps.half_open.keys().map(|key| key.expect("a key")).collect();
        half.iter().for_each(|key| maps.half_open.remove(key).expect("a known key"));
        // The clocks differ: what a burst holds is never used up between two calls.
        let echoes = u32::try_from(cell::BUDGETS - 1).expect("small");
        maps.budgets.set(echoes, 0, 0).expect("a cell");
        self.witness.forget_flows();
    }

    /// Puts a frame through both bodies and compares. `what` leads to the frame when they differ.
    pub(crate) fn frame(&mut self, side: Side, bytes: &[u8], what: &dyn Fn() -> String) {
        if !POSSIBLE.contains(&bytes.len()) {
            self.skipped += 1;
            return;
        }
        self.frames += 1;
        let linear = bytes.get(..LINEAR).unwrap_or(bytes);
        self.multi_buffer += u64::from(linear.len() < bytes.len());
        let ran = self.stand.run(side, bytes);
        let mut kernel = Box::new(self.stand.scratch());
        let mut kernel_events = self.stand.events();

        let length = u32::try_from(bytes.len()).expect("below the limit");
        self.witness.begin(bytes);
        let action = decide::decide_part(linear, length, side, self.policy, &mut self.witness, &mut self.scratch);
        let mut host = self.scratch.clone();
        self.ordinary += u64::from(kernel.ordinary != 0);
        self.passed += u64::from(kernel.ordinary == Scratch::PASSED);
        self.operations += u64::from(host.count);
        *self.outcomes.entry(host.outcome).or_default() += 1;
        let mut host_events = self.witness.events.clone();
        // Slots are given out in another order: only whether there is one can be compared.
        for slot in [&mut host.path.slot, &mut kernel.path.slot] {
            *slot = if *slot == NO_FLOW { NO_FLOW } else { 0 };
        }
        for event in host_events.iter_mut().chain(&mut kernel_events) {
            event.path.slot = if event.path.slot == NO_FLOW { NO_FLOW } else { 0 };
        }
        kernel_events.iter_mut().for_each(|event| event.time = 0);
        level(&mut kernel);
        level(&mut host);

        let mut differences = Differences::default();
        let expected = match action {
            Action::Forward => 2,
            Action::Drop => 1,
            Action::Reset => 3,
        };
        differences.see("XDP action", &ran.action, &expected);
        let expected = if action == Action::Reset { rewritten(bytes, &host.frame) } else { bytes.to_vec() };
        differences.see("the frame afterwards", &ran.bytes, &expected);
        if kernel.ordinary == Scratch::PASSED {
            self.known += u64::from(is_known(&kernel));
            differences.see("outcome", &kernel.outcome, &host.outcome);
            nothing_to_say(&mut differences, &host);
        } else if is_known(&kernel) {
            self.known += 1;
            known(&mut differences, &kernel, &host);
        } else {
            scratches(&mut differences, &kernel, &host);
        }
        events(&mut differences, &kernel_events, &host_events);
        let key = FlowKey::of(&host.frame);
        let flow = self.kernel_flow(&key);
        differences.see("the flow", &flow.map(|flow| settled(&flow)), &self.witness.conversation(&key).map(settled));
        differences.report(|| format!("{}\nside {}, {} bytes: {}", what(), side.as_str(), bytes.len(), hex(bytes)));
    }

    /// True when the frame that was judged last went on.
    pub(crate) fn has_passed(&self) -> bool {
        self.scratch.action == Action::Forward as u8
    }

    /// The payload of the frame that was judged last, where it is inspected.
    pub(crate) fn inspected<'b>(&self, bytes: &'b [u8]) -> Option<(Protocol, &'b [u8])> {
        let Scratch { frame, path, .. } = &*self.scratch;
        let protocol = Protocol::from_code(path.protocol).filter(|protocol| protocol.is_inspected())?;
        Some((protocol, bytes.get(frame.payload as usize..frame.payload_end as usize)?))
    }

    /// The kernel's flow of a conversation.
    fn kernel_flow(&self, key: &FlowKey) -> Option<Flow> {
        let maps = &self.stand.object.maps;
        let four = |address: [u8; 16]| Ipv6Addr::from(address).to_ipv4_mapped().map(|address| address.octets());
        let slot = match (four(key.network), four(key.device)) {
            (Some(network), Some(device)) => {
                let port = |port: u32| u16::try_from(port).expect("a port");
                let (network_port, device_port) = (port(key.network_port), port(key.device_port));
                maps.flows_v4.get(&Plain(FlowKeyV4 { network, device, network_port, device_port }), 0)
            }
            _ => maps.flows_v6.get(&Plain(*key), 0),
        };
        Some(self.stand.flow(slot.ok()?))
    }

    /// Compares everything counted since the beginning, and everything observed since the last comparison.
    pub(crate) fn tables(&mut self, what: &str) {
        let mut differences = Differences::default();
        let (kernel, host) = (self.kernel_counters(), &self.witness.counters);
        for counter in kernel.keys().chain(host.keys()).collect::<std::collections::BTreeSet<_>>() {
            let value = |counters: &BTreeMap<Counter, u64>| counters.get(counter).copied().unwrap_or(0);
            differences.see(&format!("{counter:?}"), &value(&kernel), &value(host));
        }
        let kernel = self.kernel_observations();
        // What is allowed in enforce the kernel writes down once a minute, the host always.
        let always = |key: &&ObservationKey| {
            self.witness.cap != Mode::Enforce || key.reason().is_none_or(|reason| reason.verdict() != Verdict::Allow)
        };
        for key in kernel.keys().chain(self.witness.observed.keys()).filter(always) {
            differences.see(&format!("{key:?}"), &kernel.get(key), &self.witness.observed.get(key));
        }
        for lost in 0..u32::try_from(loss::COUNT).expect("small") {
            let cells = self.stand.object.maps.lost.get(&lost, 0).expect("a cell");
            differences.see(&format!("losses of kind {lost}"), &self.stand.here(cells.iter().copied()), &0);
        }
        differences.report(|| what.to_owned());
        // The kernel's table has an end, which is not what is compared here.
        for key in kernel.into_keys() {
            self.stand.object.maps.observed.remove(&Plain(key)).expect("a known key");
        }
        self.witness.observed.clear();
    }

    fn kernel_counters(&self) -> BTreeMap<Counter, u64> {
        let maps = &self.stand.object.maps;
        let index = |bank: u8, size: usize, number: u32| u32::from(bank) * u32::try_from(size).expect("small") + number;
        let mut found = BTreeMap::new();
        for bank in [0, 1] {
            for conduit in 0..CONDUITS {
                let cells =
                    maps.conduit_counters.get(&index(bank, capacity::CONDUITS, conduit.into()), 0).expect("cells");
                let cells = self.stand.here(cells.iter().copied()).0;
                for (reason, acted) in reasons() {
                    let counter = Counter::Conduit { bank, conduit, reason: reason as u8, acted };
                    found.insert(counter, cells[cell::of_conduit(reason, acted)]);
                }
            }
            for node in 0..NODES {
                let cells = maps.function_counters.get(&index(bank, capacity::FUNCTIONS, node), 0).expect("cells");
                let cells = self.stand.here(cells.iter().copied()).0;
                for (reason, acted) in reasons() {
                    if let Some(place) = cell::of_function(reason, acted) {
                        found.insert(Counter::Node { bank, node, reason: reason as u8, acted }, cells[place]);
                    }
                }
            }
            for rule in 0..RULES {
                let cells = maps.rule_counters.get(&index(bank, capacity::RULES, rule.into()), 0).expect("cells");
                found.insert(Counter::Rule { bank, rule }, self.stand.here(cells.iter().copied()));
            }
        }
        for entry in maps.other_functions.iter() {
            let (key, cells) = entry.expect("an entry");
            let key = key.0;
            let counter = Counter::Function {
                bank: key.flags >> 1,
                conduit: key.conduit,
                function: key.function,
                reason: key.reason,
                acted: key.flags & 1 != 0,
            };
            found.insert(counter, self.stand.here(cells.iter().copied()));
        }
        found.retain(|_, value| *value != 0);
        found
    }

    fn kernel_observations(&self) -> HashMap<ObservationKey, Observation> {
        let entries = self.stand.object.maps.observed.iter().map(|entry| entry.expect("an entry"));
        entries.map(|(key, value)| (key.0, Observation { first_seen: 0, last_seen: 0, ..value.0 })).collect()
    }
}

fn reasons() -> impl Iterator<Item = (Reason, bool)> {
    Reason::ALL.iter().flat_map(|reason| [(*reason, false), (*reason, true)])
}

/// Leaves out what no stage reads after the frame: records behind the last one, and the judge's own notes. And how many
/// sightings a record stands for in enforce: that hangs on what a CPU remembers, and the host remembers nothing.
fn level(scratch: &mut Scratch) {
    let count = scratch.count as usize;
    scratch.operations.iter_mut().skip(count).for_each(|operation| *operation = Operation::EMPTY);
    scratch.operations.iter_mut().for_each(|operation| operation.repeats = 0);
    if scratch.path.mode == Mode::Enforce as u8 {
        let denied = Reason::from_code(scratch.outcome).is_some_and(|reason| reason.verdict() != Verdict::Allow);
        scratch.report = u8::from(denied);
    }
    scratch.now = 0;
    scratch.judging = enforcer_common::scratch::Judging::default();
    scratch.wanted = enforcer_common::scratch::Wanted::EMPTY;
}

/// True for a request whose bytes the kernel has judged before: it reads no operation in them.
fn is_known(kernel: &Scratch) -> bool {
    kernel.count == 0 && kernel.outcome == Reason::RuleAllow as u8
}

/// What the kernel makes of a request that it knows is what the host makes of it by reading it.
fn known(differences: &mut Differences, kernel: &Scratch, host: &Scratch) {
    differences.see("frame", &kernel.frame, &host.frame);
    differences.see("path", &kernel.path, &host.path);
    // How the dissector went through the bytes says nothing of what becomes of them.
    let level = |stream: &Stream| Stream { start: 0, end: 0, units: 0, later: [0; LATER], later_count: 0, ..*stream };
    differences.see("stream", &level(&kernel.stream), &level(&host.stream));
    differences.see("outcome", &kernel.outcome, &host.outcome);
    differences.see("action", &kernel.action, &host.action);
    nothing_to_say(differences, host);
    differences.see("nothing to read", &false, &(host.count == 0));
}

/// What passes unread has nothing in it that is denied.
fn nothing_to_say(differences: &mut Differences, host: &Scratch) {
    for operation in host.operations.iter().take(host.count as usize) {
        differences.see("a fault", &0, &operation.fault);
        let decided = operation.has(Operation::DECIDED);
        differences.see("a denial", &false, &(decided && operation.reason != Reason::RuleAllow as u8));
    }
}

/// A conversation without the times of its segments and without what lies behind its carries and in front of it.
fn settled(flow: &Flow) -> Flow {
    let mut flow = *flow;
    for side in [Side::Network, Side::Device] {
        let (direction, _) = flow.directions(side);
        direction.seen = 0;
        (direction.carried_at, direction.handshake) = (0, 0);
        let length = direction.carry_length as usize;
        flow.carry(side).iter_mut().skip(length).for_each(|byte| *byte = 0);
    }
    flow.adopted_at = 0;
    // How many conversations its slot has held before is no part of it.
    flow.life = u32::from(flow.state());
    flow
}

/// The reset that a denied segment becomes.
fn rewritten(bytes: &[u8], frame: &Frame) -> Vec<u8> {
    let mut reset = [&frame.source_mac[..], &frame.destination_mac[..], &bytes[12..frame.network as usize]].concat();
    if frame.version == 4 {
        reset.extend(reset::ipv4(frame));
    } else {
        reset.extend(reset::ipv6());
        reset.extend(frame.destination);
        reset.extend(frame.source);
    }
    reset.extend(reset::tcp(frame));
    reset
}

fn scratches(differences: &mut Differences, kernel: &Scratch, host: &Scratch) {
    if kernel == host {
        return;
    }
    differences.see("frame", &kernel.frame, &host.frame);
    differences.see("path", &kernel.path, &host.path);
    differences.see("stream", &kernel.stream, &host.stream);
    differences.see("count", &kernel.count, &host.count);
    differences.see("outcome", &Reason::from_code(kernel.outcome), &Reason::from_code(host.outcome));
    differences.see("action", &kernel.action, &host.action);
    differences.see("report", &kernel.report, &host.report);
    for (index, (ours, theirs)) in kernel.operations.iter().zip(&host.operations).enumerate() {
        differences.see(&format!("operation {index}"), ours, theirs);
    }
}

fn events(differences: &mut Differences, kernel: &[Event], host: &[Event]) {
    differences.see("events", &kernel.len(), &host.len());
    let level = |event: &Event| Event { operation: Operation { repeats: 0, ..event.operation }, ..*event };
    for (index, (ours, theirs)) in kernel.iter().zip(host).enumerate() {
        differences.see(&format!("event {index}"), &level(ours), &level(theirs));
    }
}

/// What differs, in words.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn see<T: PartialEq + Debug>(&mut self, what: &str, kernel: &T, host: &T) {
        if kernel != host {
            self.0.push(format!("{what}:\n  kernel {kernel:?}\n  host   {host:?}"));
        }
    }

    fn report(self, what: impl Fn() -> String) {
        assert!(self.0.is_empty(), "kernel and host differ: {}\n{}", what(), self.0.join("\n"));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
