//! The decision core's environment on kernel maps.

use core::ptr::NonNull;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::helpers::generated::{bpf_jiffies64, bpf_ktime_get_coarse_ns, bpf_ktime_get_ns, bpf_xdp_load_bytes};
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{FlowKeyV4, FunctionReason, MODE_AS_POLICY, Settings, cell, conduit_cell, loss};
use enforcer_common::digest::Key;
use enforcer_common::environment::{Environment, Limits, Trust};
use enforcer_common::event::Event;
use enforcer_common::flow::{BEHIND_CARRY, CARRY, DEVICE_CARRY, Flow, FlowKey, HalfOpen, Station};
use enforcer_common::found::{self, Found, PLACES, Words};
use enforcer_common::health::Counts;
use enforcer_common::known::Known;
use enforcer_common::observation::Observation;
use enforcer_common::operation::{NO_FUNCTION, NO_RULE};
use enforcer_common::policy::grant::GrantKey;
use enforcer_common::policy::memo::Memo;
use enforcer_common::policy::step::{LastKey, UNKNOWN};
use enforcer_common::policy::{capacity, mac_number};
use enforcer_common::port::Side;
use enforcer_common::scratch::{Finding, Scratch};
use enforcer_common::table::{MOST_PER_DEVICE, Slots};
use enforcer_common::verdict::{Mode, Reason};

use crate::maps;
use crate::window::{ASSEMBLED_MASK, Assembled, Whole, opaque};

/// The cell of a conduit that nobody has switched.
const AS_POLICY: u32 = conduit_cell(MODE_AS_POLICY, MODE_AS_POLICY);

const _: () = assert!(BEHIND_CARRY as usize + CARRY <= ASSEMBLED_MASK);

/// Kernel maps, seen from one frame.
pub(crate) struct Maps<'a> {
    context: &'a XdpContext,
    assembled: Assembled,
    /// Where the stage has looked them up: several of its questions are about them.
    settings: Option<&'a Settings>,
    /// The conversation that was asked for last: the verifier would have it searched for each time.
    flow: Option<NonNull<Flow>>,
}

impl<'a> Maps<'a> {
    /// The environment for the frame at hand.
    #[inline(always)]
    pub(crate) const fn new(context: &'a XdpContext) -> Self {
        Self { context, assembled: Assembled::new(core::ptr::null(), 0), settings: None, flow: None }
    }

    /// The same with the settings at hand.
    #[inline(always)]
    pub(crate) const fn with_settings(context: &'a XdpContext, settings: &'a Settings) -> Self {
        Self { settings: Some(settings), ..Self::new(context) }
    }

    #[inline(always)]
    fn settings(&self) -> Option<&'a Settings> {
        match self.settings {
            Some(settings) => Some(settings),
            None => maps::SETTINGS.get(0),
        }
    }

    /// Keeps the bytes that `scratch.stream` marks in a carry of `N` bytes.
    ///
    /// # Safety
    /// `carry` points to `N` bytes of a map value that nobody else writes.
    #[inline(always)]
    unsafe fn keep<const N: usize>(&self, scratch: &Scratch, carry: *mut u8) {
        if scratch.stream.assembled != 0 {
            if let Some(buffer) = maps::ASSEMBLED.get_ptr_mut(0) {
                // SAFETY: the mask plus the carry's size is inside the buffer.
                let from = unsafe { buffer.cast::<u8>().add(scratch.stream.save_start as usize & ASSEMBLED_MASK) };
                copy_carry::<N>(from, carry);
            }
            return;
        }
        let length = scratch.stream.save_length;
        if length == 0 || length > N as u32 {
            return;
        }
        let length = at_least_one(length).min(N as u32);
        // SAFETY: `length` is at most the carry's size.
        let _ = unsafe {
            bpf_xdp_load_bytes(self.context.as_ptr().cast(), scratch.stream.save_start, carry.cast(), length)
        };
    }
}

/// Number of the kernel's tick. The coarse clock moves with it; reading it is no call.
#[inline(always)]
pub(crate) fn tick() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_jiffies64() }
}

/// Boot time in nanoseconds, coarse.
#[inline(always)]
pub(crate) fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_coarse_ns() }
}

/// Adds one to a cell of this CPU's copy: no other CPU writes it, and a program is not interrupted by itself.
#[inline(always)]
fn increment(cell: Option<*mut u64>) {
    if let Some(cell) = cell {
        // SAFETY: the pointer is a live map value.
        unsafe { *cell += 1 };
    }
}

#[inline(always)]
fn count_conduit(bank: u8, conduit: u16, reason: Reason, acted: bool) {
    let cells = maps::CONDUIT_COUNTERS.get_ptr_mut(bank as u32 * capacity::CONDUITS as u32 + conduit as u32);
    if let Some(cells) = cells {
        // SAFETY: a live map value; `of_conduit` is masked with its size.
        increment(Some(unsafe {
            cells.cast::<u64>().add(opaque(cell::of_conduit(reason, acted)) & (cell::PER_CONDUIT - 1))
        }));
    }
}

#[inline(always)]
fn count_rule(bank: u8, rule: u16) {
    if rule != NO_RULE {
        increment(maps::RULE_COUNTERS.get_ptr_mut(bank as u32 * capacity::RULES as u32 + rule as u32));
    }
}

/// False where no node counts what is counted.
#[inline(always)]
fn count_node(bank: u8, node: u32, reason: Reason, acted: bool) -> bool {
    if node == u32::MAX {
        return false;
    }
    let Some(place) = cell::of_function(reason, acted) else {
        return false;
    };
    if let Some(cells) = maps::FUNCTION_COUNTERS.get_ptr_mut(bank as u32 * capacity::FUNCTIONS as u32 + node) {
        // SAFETY: a live map value; `of_function` is masked with its size.
        increment(Some(unsafe { cells.cast::<u64>().add(opaque(place) & (cell::PER_FUNCTION - 1)) }));
    }
    true
}

/// Counts a loss, see [`loss`].
#[inline(always)]
pub(crate) fn lose(what: u32) {
    increment(maps::LOST.get_ptr_mut(what));
}

#[inline(always)]
fn is_v4(key: &FlowKey) -> bool {
    // ::ffff:0:0/96
    let [high, low] = halves(&key.device);
    high == 0 && low as u32 == u32::from_ne_bytes([0, 0, 0xff, 0xff])
}

/// The two halves of an address, as they lie in memory.
#[inline(always)]
fn halves(address: &[u8; 16]) -> [u64; 2] {
    // SAFETY: as many bytes, read without alignment.
    unsafe { address.as_ptr().cast::<[u64; 2]>().read_unaligned() }
}

/// The key of an IPv4 conversation. In whole words: the hash of a key that was stored byte by byte waits for each of them.
#[inline(always)]
fn words(key: &FlowKey) -> Words {
    let [_, network] = halves(&key.network);
    let [_, device] = halves(&key.device);
    let [[a, b], [c, d]] = [key.network_port, key.device_port].map(|port| (port as u16).to_ne_bytes());
    [(network >> 32) as u32, (device >> 32) as u32, u32::from_ne_bytes([a, b, c, d])]
}

/// The same as the table has it.
#[inline(always)]
fn v4(key: &FlowKey) -> FlowKeyV4 {
    from_words(words(key))
}

#[inline(always)]
fn from_words(words: Words) -> FlowKeyV4 {
    // SAFETY: three words are the key's four fields without padding, see its layout; any bytes are a key.
    unsafe { core::mem::transmute::<Words, FlowKeyV4>(words) }
}

/// The slot of an IPv4 conversation: where this CPU found it before, or where the table says.
#[inline(always)]
fn find(key: Words) -> Option<u32> {
    let found = entry(found::place_of(&key))?;
    if found.is_of(&key) && life(found.slot) == Some(found.life) {
        return Some(found.slot);
    }
    // SAFETY: the value is copied at once; a slot number is a plain word.
    let slot = unsafe { maps::FLOWS_V4.get(from_words(key)).copied()? };
    if let Some(life) = life(slot) {
        found.note(&key, slot, life);
    }
    Some(slot)
}

/// Where this CPU writes down where it found a conversation.
#[inline(always)]
fn entry<'a>(place: usize) -> Option<&'a mut Found> {
    // SAFETY: this CPU's own record, masked with its size.
    maps::FOUND.get_ptr_mut(0).map(|all| unsafe { &mut *all.cast::<Found>().add(opaque(place) & (PLACES - 1)) })
}

#[inline(always)]
fn life(slot: u32) -> Option<u32> {
    // SAFETY: a plain word of a live map value.
    maps::FLOW_TABLE.get_ptr(slot).map(|flow| unsafe { (*flow).life })
}

impl Environment for Maps<'_> {
    type Assembled = Assembled;

    #[inline(always)]
    fn now(&self) -> u64 {
        now()
    }

    #[inline(always)]
    fn tick(&self) -> u64 {
        tick()
    }

    #[inline(always)]
    fn clock(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    #[inline(always)]
    fn is_management(&self, mac: [u8; 6]) -> bool {
        match self.settings() {
            Some(settings) => {
                let own = mac_number(settings.management_mac);
                own == mac_number(mac) && own != 0
            }
            None => false,
        }
    }

    #[inline(always)]
    fn mode(&self, now: u64, bank: u8, conduit: u16, asked: Mode) -> Mode {
        let Some(settings) = self.settings() else {
            return Mode::Learn;
        };
        let index = bank as u32 * capacity::CONDUITS as u32 + conduit as u32;
        let cell = match settings.as_policy {
            0 => maps::CONDUIT_MODES.get(index).copied().unwrap_or(AS_POLICY),
            _ => AS_POLICY,
        };
        settings.conduit_mode_at(now, cell, asked)
    }

    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.settings().is_some_and(|settings| settings.plain != 0)
    }

    #[inline(always)]
    fn goes_across(&self) -> bool {
        self.settings().is_some_and(|settings| settings.across != 0)
    }

    #[inline(always)]
    fn find_flow(&mut self, key: &FlowKey) -> Option<u32> {
        if is_v4(key) {
            return find(words(key));
        }
        // SAFETY: the value is copied at once; a slot number is a plain word.
        unsafe { maps::FLOWS_V6.get(key).copied() }
    }

    #[inline(always)]
    fn slots(&mut self, device: &[u8; 16], side: Side) -> Option<Slots> {
        let count = self.settings()?.flows_per_device;
        if count == 0 || count > MOST_PER_DEVICE {
            return None;
        }
        // SAFETY: the value is copied at once; an index is a plain word.
        if let Some(index) = unsafe { maps::DEVICES.get(device).copied() } {
            return Some(Slots { first: index.wrapping_mul(count), count }.of(side));
        }
        if side as u8 == Side::Network as u8 {
            return None;
        }
        let given = maps::DEVICE_COUNT.get_ptr_mut(0)?;
        // SAFETY: a live map value, which this port's program alone writes.
        let index = unsafe { *given };
        let first = index.wrapping_mul(count);
        // Behind the table's end there are no slots.
        maps::FLOW_TABLE.get_ptr(first.wrapping_add(count - 1))?;
        maps::DEVICES.insert(device, index, BPF_NOEXIST as u64).ok()?;
        // SAFETY: as above.
        unsafe { *given = index + 1 };
        Some(Slots { first, count }.of(side))
    }

    #[inline(always)]
    fn lose_flow(&mut self) {
        lose(loss::FLOWS);
    }

    #[inline(always)]
    fn bind(&mut self, key: &FlowKey, slot: u32) -> bool {
        if is_v4(key) {
            maps::FLOWS_V4.insert(v4(key), slot, 0).is_ok()
        } else {
            maps::FLOWS_V6.insert(key, slot, 0).is_ok()
        }
    }

    #[inline(always)]
    fn unbind(&mut self, key: &FlowKey) {
        // It may be gone already.
        let _ = if is_v4(key) { maps::FLOWS_V4.remove(v4(key)) } else { maps::FLOWS_V6.remove(key) };
    }

    #[inline(always)]
    fn flow(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flow = NonNull::new(maps::FLOW_TABLE.get_ptr_mut(slot)?);
        self.same_flow(slot)
    }

    #[inline(always)]
    fn same_flow(&mut self, _slot: u32) -> Option<&mut Flow> {
        // SAFETY: a live map value. Every field has one writer, the program of one port, and a port has one queue.
        self.flow.map(|flow| unsafe { &mut *flow.as_ptr() })
    }

    #[inline(always)]
    fn half_open(&mut self, key: &FlowKey) -> Option<&mut HalfOpen> {
        // SAFETY: a live map value; the handshake's two sides speak in turn.
        maps::HALF_OPEN_FLOWS.get_ptr_mut(key).map(|half| unsafe { &mut *half })
    }

    #[inline(always)]
    fn set_half_open(&mut self, key: &FlowKey, half: HalfOpen) {
        if maps::HALF_OPEN_FLOWS.insert(key, half, 0).is_err() {
            lose(loss::HALF_OPEN);
        }
    }

    #[inline(always)]
    fn forget_half_open(&mut self, key: &FlowKey) {
        // It may be gone already.
        let _ = maps::HALF_OPEN_FLOWS.remove(key);
    }

    #[inline(always)]
    fn station(&mut self, key: &FlowKey) -> Option<&mut Station> {
        if maps::STATION_TABLE.get_ptr(key).is_none() {
            let _ = maps::STATION_TABLE.insert(key, Station::default(), BPF_NOEXIST as u64);
        }
        // SAFETY: a live map value, written by the network port's program.
        maps::STATION_TABLE.get_ptr_mut(key).map(|station| unsafe { &mut *station })
    }

    #[inline(always)]
    fn limits(&self) -> Limits {
        match self.settings() {
            Some(settings) => Limits {
                trust: Trust::Reading,
                grace_until: settings.grace_until,
                sync: settings.sync,
                connection_interval: settings.connection_interval,
                connection_burst: settings.connection_burst,
                resets: settings.resets,
                forgive_before: settings.forgive_before(),
                checksums: true,
            },
            None => Limits {
                trust: Trust::Nothing,
                grace_until: 0,
                sync: 0,
                connection_interval: 0,
                connection_burst: 0,
                resets: 0,
                forgive_before: 0,
                checksums: true,
            },
        }
    }

    #[inline(always)]
    fn key(&self) -> Option<&Key> {
        maps::HASH_KEY.get(0)
    }

    #[inline(always)]
    fn assemble(&mut self, scratch: &Scratch) -> Option<&Assembled> {
        let flow = maps::FLOW_TABLE.get_ptr_mut(scratch.path.slot)?;
        let buffer = maps::ASSEMBLED.get_ptr_mut(0)?.cast::<u8>();
        let length = scratch.stream.end.wrapping_sub(scratch.stream.start);
        // SAFETY: both pointers are live map values; see `flow` for who writes them.
        let carried = unsafe {
            match Side::from_code(scratch.frame.side) {
                Side::Network => {
                    copy_carry::<CARRY>((*flow).network_carry.as_ptr(), buffer);
                    (*flow).network.carry_length
                }
                Side::Device => {
                    copy_carry::<DEVICE_CARRY>((*flow).device_carry.as_ptr(), buffer);
                    (*flow).device.carry_length
                }
            }
        };
        if carried > CARRY as u32 || length == 0 || length > BEHIND_CARRY {
            return None;
        }
        let carried = (opaque(carried as usize) & 0x1ff) as u32;
        let length = at_least_one(length);
        // SAFETY: carry and payload together are shorter than the buffer.
        let loaded = unsafe {
            let target = buffer.add(carried as usize);
            bpf_xdp_load_bytes(self.context.as_ptr().cast(), scratch.stream.start, target.cast(), length)
        };
        if loaded != 0 {
            return None;
        }
        self.assembled = Assembled::new(buffer, carried + length);
        Some(&self.assembled)
    }

    #[inline(always)]
    fn save_carry(&mut self, scratch: &Scratch) {
        let Some(flow) = maps::FLOW_TABLE.get_ptr_mut(scratch.path.slot) else {
            return;
        };
        // SAFETY: a live map value; this port is the carry's only writer.
        unsafe {
            match Side::from_code(scratch.frame.side) {
                Side::Network => self.keep::<CARRY>(scratch, (*flow).network_carry.as_mut_ptr()),
                Side::Device => self.keep::<DEVICE_CARRY>(scratch, (*flow).device_carry.as_mut_ptr()),
            }
        }
    }

    #[inline(always)]
    fn memo(&mut self, place: u32) -> Option<&mut Memo> {
        // SAFETY: this CPU's own record; a program is not interrupted by another one on the same CPU.
        maps::MEMO_TABLE.get_ptr_mut(place).map(|memo| unsafe { &mut *memo })
    }

    #[inline(always)]
    fn known(&mut self, place: u32) -> Option<&mut Known> {
        // SAFETY: as above.
        maps::KNOWN_REQUESTS.get_ptr_mut(place).map(|known| unsafe { &mut *known })
    }

    #[inline(always)]
    fn known_in(&mut self, place: u32, _slot: u32) -> Option<(&mut Known, &Flow)> {
        // SAFETY: as above, and see `flow`.
        let (known, flow) = (maps::KNOWN_REQUESTS.get_ptr_mut(place)?, self.flow?);
        Some(unsafe { (&mut *known, flow.as_ref()) })
    }

    #[inline(always)]
    fn found(&mut self, place: usize) -> Option<&mut Found> {
        entry(place)
    }

    #[inline(always)]
    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64> {
        let index = bank as u32 * capacity::RULES as u32 + rule as u32;
        // SAFETY: a live map value; requests of one rule come by one port.
        maps::BUDGETS.get_ptr_mut(index).map(|state| unsafe { &mut *state })
    }

    #[inline(always)]
    fn echoes(&mut self) -> Option<&mut u64> {
        // SAFETY: a live map value; echo requests from the network come by one port.
        maps::BUDGETS.get_ptr_mut(cell::BUDGETS as u32 - 1).map(|state| unsafe { &mut *state })
    }

    #[inline(always)]
    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool) {
        let path = &scratch.path;
        count_conduit(path.bank, path.conduit, reason, acted);
        let Some(operation) = index.and_then(|index| scratch.operation(index)) else {
            return;
        };
        count_rule(path.bank, operation.rule);
        if count_node(path.bank, node, reason, acted) {
            return;
        }
        if matches!(reason, Reason::Response) || operation.function == NO_FUNCTION {
            return;
        }
        let key = FunctionReason {
            function: operation.function,
            conduit: path.conduit,
            reason: reason as u8,
            flags: path.bank << 1 | acted as u8,
        };
        match maps::OTHER_FUNCTIONS.get_ptr_mut(key) {
            Some(counter) => increment(Some(counter)),
            None => {
                if maps::OTHER_FUNCTIONS.insert(key, 1, 0).is_err() {
                    lose(loss::FUNCTIONS);
                }
            }
        }
    }

    #[inline(always)]
    fn count_known(&mut self, bank: u8, conduit: u16, found: Option<&Finding>, reason: Reason) {
        count_conduit(bank, conduit, reason, false);
        if let Some(found) = found {
            count_rule(bank, found.rule);
            count_node(bank, found.node, reason, false);
        }
    }

    #[inline(always)]
    fn emit(&mut self, scratch: &Scratch, index: Option<u32>) {
        let Some(mut entry) = maps::EVENTS.reserve(0) else {
            lose(loss::EVENTS);
            return;
        };
        // SAFETY: plain old data; every field is written before the record is submitted.
        let event: &mut Event = unsafe { &mut *entry.as_mut_ptr() };
        event.fill(scratch, index);
        entry.submit(0);
    }

    #[inline(always)]
    fn observe(&mut self, scratch: &Scratch, index: Option<u32>) {
        let Some(sighting) = maps::SIGHTING.get_ptr_mut(0) else {
            return;
        };
        // SAFETY: this CPU's own record.
        let (key, value) = unsafe { (&mut (*sighting).key.key, &mut (*sighting).value) };
        if !key.fill(scratch, index) {
            return;
        }
        let operation = index.and_then(|index| scratch.operation(index));
        // Not the frame's time: with it in a register the verifier takes five times as long.
        let now = self.now();
        if let Some(known) = maps::OBSERVED.get_ptr_mut(&*key) {
            // SAFETY: a live map value. Two CPUs may meet here for a conversation seen from both ports; a count may then
            // be short by one, which evidence for a person can bear.
            unsafe {
                (*known).again(now, operation);
                (*known).count += u64::from(scratch.wanted.pending);
            }
            return;
        }
        *value = Observation::first(now, operation);
        value.count += u64::from(scratch.wanted.pending);
        if maps::OBSERVED.insert(&*key, &*value, BPF_NOEXIST as u64).is_err() {
            lose(loss::OBSERVATIONS);
        }
    }

    #[inline(always)]
    fn granted(&mut self, key: &GrantKey, now: u64, used: bool) -> bool {
        let Some(grant) = maps::GRANTED.get_ptr_mut(key) else {
            return false;
        };
        // SAFETY: a live map value; the controller replaces entries whole, and a count that is short by one it can bear.
        let grant = unsafe { &mut *grant };
        let holds = grant.holds(now);
        if holds && used {
            grant.count += 1;
        }
        holds
    }

    #[inline(always)]
    fn health(&mut self, device: &[u8; 16], new: bool) -> Option<&mut Counts> {
        let mut counts = maps::HEALTH.get_ptr_mut(device);
        if counts.is_none() && new {
            // Without room nothing is counted of this device.
            let _ = maps::HEALTH.insert(device, Counts::EMPTY, BPF_NOEXIST as u64);
            counts = maps::HEALTH.get_ptr_mut(device);
        }
        // SAFETY: this CPU's own copy of a live map value.
        counts.map(|counts| unsafe { &mut *counts })
    }

    #[inline(always)]
    fn has_candidate(&self) -> bool {
        match self.settings() {
            Some(settings) => settings.candidate != 0,
            None => false,
        }
    }

    #[inline(always)]
    fn has_grants(&self) -> bool {
        match self.settings() {
            Some(settings) => settings.grants != 0,
            None => false,
        }
    }

    #[inline(always)]
    fn last_value(&mut self, key: &LastKey) -> Option<&mut i64> {
        if maps::LAST_VALUE.get_ptr(key).is_none() {
            // Two ports may meet here: what counts is that it is there.
            let _ = maps::LAST_VALUE.insert(key, UNKNOWN, BPF_NOEXIST as u64);
        }
        // SAFETY: a live map value, a plain number.
        maps::LAST_VALUE.get_ptr_mut(key).map(|last| unsafe { &mut *last })
    }

    #[inline(always)]
    fn differ(&mut self, scratch: &Scratch, index: Option<u32>, candidate: u8) {
        let Some(sighting) = maps::SIGHTING.get_ptr_mut(0) else {
            return;
        };
        // SAFETY: this CPU's own record.
        let (key, value) = unsafe { (&mut (*sighting).key, &mut (*sighting).value) };
        if !key.key.fill(scratch, index) {
            return;
        }
        key.candidate = candidate;
        key.padding = [0; 3];
        // Each is counted as it comes, not as it is written down.
        if let Some(known) = maps::DIFFERENT.get_ptr_mut(&*key) {
            // SAFETY: a live map value, see `observe`.
            unsafe { (*known).again(scratch.now, None) };
            return;
        }
        *value = Observation::first(scratch.now, None);
        if maps::DIFFERENT.insert(&*key, &*value, BPF_NOEXIST as u64).is_err() {
            lose(loss::COMPARISONS);
        }
    }

    #[inline(always)]
    fn compared(&mut self, count: u32) {
        if let Some(cell) = maps::COMPARED.get_ptr_mut(0) {
            // SAFETY: this CPU's own cell.
            unsafe { *cell += count as u64 };
        }
    }

    #[inline(always)]
    fn not_compared(&mut self) {
        lose(loss::COMPARISONS);
    }
}

/// What an earlier stage assembled for the frame at hand, of which `length` bytes count: behind them lies what earlier
/// frames left.
#[inline(always)]
pub(crate) fn assembled(length: u32) -> Option<Assembled> {
    let buffer = maps::ASSEMBLED.get_ptr_mut(0)?.cast::<u8>().cast_const();
    Some(Assembled::new(buffer, length))
}

/// The same for values of units that were found whole.
#[inline(always)]
pub(crate) fn whole() -> Option<Whole> {
    Some(Whole::new(maps::ASSEMBLED.get_ptr_mut(0)?.cast::<u8>().cast_const()))
}

/// A length from 1 to 2048, in a form that the verifier can bound.
#[inline(always)]
fn at_least_one(length: u32) -> u32 {
    (opaque(length as usize - 1) & ASSEMBLED_MASK) as u32 + 1
}

/// Copies a whole carry, eight bytes at a time. What lies behind its length is never read.
#[inline(always)]
fn copy_carry<const N: usize>(from: *const u8, to: *mut u8) {
    for word in 0..N / 8 {
        // SAFETY: callers pass map values with at least a carry's size behind the pointer.
        unsafe {
            let bytes = from.add(word * 8).cast::<u64>().read_unaligned();
            to.add(word * 8).cast::<u64>().write_unaligned(bytes);
        }
    }
}
