//! Every map, who writes it, who reads it. All are pinned by the controller: nothing here ends with its process.

use aya_ebpf::btf_maps::{
    Array, ArrayOfMaps, DevMap, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, ProgramArray, RingBuf,
};
use aya_ebpf::macros::btf_map;
use enforcer_common::abi::{
    ASSEMBLY, DIFFERENCES, EVENT_RING, FLOWS, FlowKeyV4, FunctionReason, GRANTS, HALF_OPEN, HEALTH as DEVICES_WATCHED,
    LAST_VALUES, OBSERVATIONS, STATIONS, Settings, cell, loss, place, slot,
};
use enforcer_common::digest::Key;
use enforcer_common::event::Event;
use enforcer_common::flow::{CARRY, DEVICE_CARRY, Flow, FlowKey, HalfOpen, Station};
use enforcer_common::found::{Found, PLACES};
use enforcer_common::health::Counts;
use enforcer_common::known::{ENTRIES, Known};
use enforcer_common::observation::{Difference, Observation, ObservationKey};
use enforcer_common::policy::grant::{Grant, GrantKey};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::policy::step::LastKey;
use enforcer_common::policy::{Image, capacity};
use enforcer_common::processing::Processing;
use enforcer_common::scratch::Scratch;

/// The stages. Written by the controller; an empty slot meets [`crate::stages::missing`].
#[btf_map]
pub(crate) static SLOTS: ProgramArray<{ slot::COUNT as usize }> = ProgramArray::new();

/// Where frames from each side go when they go straight to the other port; empty cells send them by the bridge. Written by
/// the controller.
#[btf_map]
pub(crate) static ACROSS: DevMap<2> = DevMap::new();

/// The port that marked frames are sent out of, to find out whether its driver takes them. Not pinned.
#[btf_map]
pub(crate) static TRIAL: DevMap<1> = DevMap::new();

/// What the stages tell each other about the frame at hand.
#[btf_map]
pub(crate) static SCRATCH: PerCpuArray<Scratch, 1> = PerCpuArray::new();

/// Carry + payload of the segment at hand.
#[btf_map]
pub(crate) static ASSEMBLED: PerCpuArray<[u8; ASSEMBLY], 1> = PerCpuArray::new();

/// Policy images, see [`place`]. Written by the controller with one update per generation.
#[btf_map]
pub(crate) static POLICY: ArrayOfMaps<Array<Image, 1>, { place::COUNT }> = ArrayOfMaps::new();

/// Mode, bypass, management address. Written by the controller, one cell.
#[btf_map]
pub(crate) static SETTINGS: Array<Settings, 1> = Array::new();

/// Modes of conduits as switched since their policy was published, per bank.
#[btf_map]
pub(crate) static CONDUIT_MODES: Array<u32, { capacity::CONDUITS * 2 }> = Array::new();

/// Slots of IPv4 conversations. Written by the device port's program.
#[btf_map]
pub(crate) static FLOWS_V4: HashMap<FlowKeyV4, u32, FLOWS> = HashMap::new();

/// Slots of IPv6 conversations. Written by the device port's program.
#[btf_map]
pub(crate) static FLOWS_V6: HashMap<FlowKey, u32, FLOWS> = HashMap::new();

/// Where this CPU found IPv4 conversations before. Not pinned: a table of another size begins empty.
#[btf_map]
pub(crate) static FOUND: PerCpuArray<[Found; PLACES], 1> = PerCpuArray::new();

/// The conversations. Each field has one writer, see [`enforcer_common::flow`].
#[btf_map]
pub(crate) static FLOW_TABLE: Array<Flow, FLOWS> = Array::new();

/// Which of the table's runs of slots a device has. Written by the device port's program.
#[btf_map]
pub(crate) static DEVICES: HashMap<[u8; 16], u32, FLOWS> = HashMap::new();

/// How many runs are given out. Written by the device port's program.
#[btf_map]
pub(crate) static DEVICE_COUNT: Array<u32, 1> = Array::new();

/// What waits for an answer. Written by the programs, on SYN alone and for bytes of unknown conversations.
#[btf_map]
pub(crate) static HALF_OPEN_FLOWS: LruHashMap<FlowKey, HalfOpen, HALF_OPEN> = LruHashMap::new();

/// Stations that open connections. Written by the programs, on SYN and when a connection is reset.
#[btf_map]
pub(crate) static STATION_TABLE: LruHashMap<FlowKey, Station, STATIONS> = LruHashMap::new();

/// Key of the hash over what is forwarded. Written once, by the controller that made the maps.
#[btf_map]
pub(crate) static HASH_KEY: Array<Key, 1> = Array::new();

/// Counters per bank and conduit.
#[btf_map]
pub(crate) static CONDUIT_COUNTERS: PerCpuArray<[u64; cell::PER_CONDUIT], { capacity::CONDUITS * 2 }> =
    PerCpuArray::new();

/// Counters per bank and function node.
#[btf_map]
pub(crate) static FUNCTION_COUNTERS: PerCpuArray<[u64; cell::PER_FUNCTION], { capacity::FUNCTIONS * 2 }> =
    PerCpuArray::new();

/// Counters per bank and rule.
#[btf_map]
pub(crate) static RULE_COUNTERS: PerCpuArray<u64, { capacity::RULES * 2 }> = PerCpuArray::new();

/// Counters of functions that no node counts.
#[btf_map]
pub(crate) static OTHER_FUNCTIONS: PerCpuHashMap<FunctionReason, u64, 8192> = PerCpuHashMap::new();

/// State of the rules' rates, per bank, and behind them that of echo requests.
#[btf_map]
pub(crate) static BUDGETS: Array<u64, { cell::BUDGETS }> = Array::new();

/// What was found about operations before, per CPU. Not pinned: a new controller may count generations anew.
#[btf_map]
pub(crate) static MEMO_TABLE: PerCpuArray<Memo, MEMOS> = PerCpuArray::new();

/// Requests that were judged before, per CPU. Not pinned, as above.
#[btf_map]
pub(crate) static KNOWN_REQUESTS: PerCpuArray<Known, ENTRIES> = PerCpuArray::new();

/// Losses, see [`loss`].
#[btf_map]
pub(crate) static LOST: PerCpuArray<u64, { loss::COUNT }> = PerCpuArray::new();

/// Reported operations and frames.
#[btf_map]
pub(crate) static EVENTS: RingBuf<Event, EVENT_RING> = RingBuf::new();

/// What was seen.
#[btf_map]
pub(crate) static OBSERVED: HashMap<ObservationKey, Observation, OBSERVATIONS> = HashMap::new();

/// About what the candidate policy says something else than the active one.
#[btf_map]
pub(crate) static DIFFERENT: HashMap<Difference, Observation, DIFFERENCES> = HashMap::new();

/// How many comparisons with the candidate were made.
#[btf_map]
pub(crate) static COMPARED: PerCpuArray<u64, 1> = PerCpuArray::new();

/// How devices do, by their address. Device port's programs make the entries.
#[btf_map]
pub(crate) static HEALTH: PerCpuHashMap<[u8; 16], Counts, DEVICES_WATCHED> = PerCpuHashMap::new();

/// How long frames took, of each port. Written here, read by the controller.
#[btf_map]
pub(crate) static PROCESSING: PerCpuArray<Processing, 2> = PerCpuArray::new();

/// What is granted for a while. Written by the controller; the programs count.
#[btf_map]
pub(crate) static GRANTED: HashMap<GrantKey, Grant, GRANTS> = HashMap::new();

/// The last values written to objects, for rules that look at steps.
#[btf_map]
pub(crate) static LAST_VALUE: HashMap<LastKey, i64, LAST_VALUES> = HashMap::new();

const _: () = assert!(CARRY.is_multiple_of(8) && DEVICE_CARRY.is_multiple_of(8));

/// An observation in the making: too large for the stack.
#[repr(C)]
pub(crate) struct Sighting {
    /// What was seen; the candidate's part matters to differences only.
    pub(crate) key: Difference,
    /// What is known about it.
    pub(crate) value: Observation,
}

/// The observation in the making on this CPU.
#[btf_map]
pub(crate) static SIGHTING: PerCpuArray<Sighting, 1> = PerCpuArray::new();
