//! Typed handles on the maps of the object, and the directory they are pinned in.

use std::path::{Path, PathBuf};

use aya::Ebpf;
use aya::maps::xdp::DevMap;
use aya::maps::{Array, ArrayOfMaps, HashMap, MapData, PerCpuArray, PerCpuHashMap, ProgramArray, RingBuf};
use enforcer_common::abi::{self, FlowKeyV4, FunctionReason, LAYOUT, Settings, cell};
use enforcer_common::digest::Key;
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, Station};
use enforcer_common::health::Counts;
use enforcer_common::observation::{Difference, Observation, ObservationKey};
use enforcer_common::policy::Image;
use enforcer_common::policy::grant::{Grant, GrantKey};
use enforcer_common::policy::step::LastKey;
use enforcer_common::processing::Processing;
use enforcer_common::scratch::Scratch;

use super::object::ObjectError;
use super::plain::Plain;

/// Every map of the object. All are pinned: what one of them holds must not end with the controller.
pub const MAPS: [&str; 30] = [
    "SLOTS",
    "ACROSS",
    "SCRATCH",
    "ASSEMBLED",
    "POLICY",
    "SETTINGS",
    "CONDUIT_MODES",
    "FLOWS_V4",
    "FLOWS_V6",
    "FLOW_TABLE",
    "DEVICES",
    "DEVICE_COUNT",
    "HALF_OPEN_FLOWS",
    "STATION_TABLE",
    "HASH_KEY",
    "CONDUIT_COUNTERS",
    "FUNCTION_COUNTERS",
    "RULE_COUNTERS",
    "OTHER_FUNCTIONS",
    "BUDGETS",
    "LOST",
    "EVENTS",
    "OBSERVED",
    "SIGHTING",
    "DIFFERENT",
    "COMPARED",
    "HEALTH",
    "PROCESSING",
    "GRANTED",
    "LAST_VALUE",
];

/// The directory for the maps of one pair of ports: the layout is part of its name, so that a controller never adopts
/// maps that it would misread.
#[must_use]
pub fn pin_directory(root: &Path, network: &str, device: &str) -> PathBuf {
    root.join(format!("{network}-{device}")).join(format!("{LAYOUT:016x}"))
}

/// How many entries the tables of conversations have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Conversations.
    pub flows: u32,
    /// SYN that can wait for an answer.
    pub half_open: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        let whole = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        Self { flows: whole(abi::FLOWS), half_open: whole(abi::HALF_OPEN) }
    }
}

/// The maps.
pub struct Maps {
    /// What the tables have room for: of maps that were in use before, as they are.
    pub sizes: Sizes,
    /// Stages.
    pub slots: ProgramArray<MapData>,
    /// Where frames from each side go straight to.
    pub across: DevMap<MapData>,
    /// The port that is tried.
    pub trial: DevMap<MapData>,
    /// The record of the frame at hand, for tests.
    pub scratch: PerCpuArray<MapData, Plain<Scratch>>,
    /// Policy images.
    pub policy: ArrayOfMaps<MapData, Array<MapData, Plain<Image>>>,
    /// Mode and bypass.
    pub settings: Array<MapData, Plain<Settings>>,
    /// Modes of conduits.
    pub conduit_modes: Array<MapData, u32>,
    /// IPv4 conversations.
    pub flows_v4: HashMap<MapData, Plain<FlowKeyV4>, u32>,
    /// IPv6 conversations.
    pub flows_v6: HashMap<MapData, Plain<FlowKey>, u32>,
    /// Conversations by slot.
    pub flow_table: Array<MapData, Plain<Flow>>,
    /// Which run of slots a device has.
    pub devices: HashMap<MapData, [u8; 16], u32>,
    /// How many runs are given out.
    pub device_count: Array<MapData, u32>,
    /// What waits for an answer.
    pub half_open: HashMap<MapData, Plain<FlowKey>, Plain<HalfOpen>>,
    /// Stations that open connections.
    pub stations: HashMap<MapData, Plain<FlowKey>, Plain<Station>>,
    /// Key of the hash over what is forwarded.
    pub hash_key: Array<MapData, Plain<Key>>,
    /// Counters per conduit.
    pub conduit_counters: PerCpuArray<MapData, Plain<[u64; cell::PER_CONDUIT]>>,
    /// Counters per function node.
    pub function_counters: PerCpuArray<MapData, Plain<[u64; cell::PER_FUNCTION]>>,
    /// Counters per rule.
    pub rule_counters: PerCpuArray<MapData, u64>,
    /// Counters of other functions.
    pub other_functions: PerCpuHashMap<MapData, Plain<FunctionReason>, u64>,
    /// State of rates.
    pub budgets: Array<MapData, u64>,
    /// Losses.
    pub lost: PerCpuArray<MapData, u64>,
    /// Reported operations; taken by the task that reads it.
    pub events: Option<RingBuf<MapData>>,
    /// What was seen.
    pub observed: HashMap<MapData, Plain<ObservationKey>, Plain<Observation>>,
    /// About what the candidate policy says something else.
    pub different: HashMap<MapData, Plain<Difference>, Plain<Observation>>,
    /// Comparisons made with it.
    pub compared: PerCpuArray<MapData, u64>,
    /// How devices do, by their address.
    pub health: PerCpuHashMap<MapData, [u8; 16], Plain<Counts>>,
    /// How long frames took, by port.
    pub processing: PerCpuArray<MapData, Plain<Processing>>,
    /// What is granted for a while.
    pub granted: HashMap<MapData, Plain<GrantKey>, Plain<Grant>>,
    /// The last value of each object that a step was asked about.
    pub last_value: HashMap<MapData, Plain<LastKey>, i64>,
}

impl Maps {
    /// Takes the maps out of a loaded object.
    ///
    /// # Errors
    /// [`ObjectError::Map`] for a map that is missing or of another shape.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, ObjectError> {
        let entries = |name: &'static str| size(ebpf, name);
        let sizes = Sizes { flows: entries("FLOW_TABLE")?, half_open: entries("HALF_OPEN_FLOWS")? };
        Ok(Self {
            sizes,
            slots: take(ebpf, "SLOTS")?,
            across: take(ebpf, "ACROSS")?,
            trial: take(ebpf, "TRIAL")?,
            scratch: take(ebpf, "SCRATCH")?,
            policy: take(ebpf, "POLICY")?,
            settings: take(ebpf, "SETTINGS")?,
            conduit_modes: take(ebpf, "CONDUIT_MODES")?,
            flows_v4: take(ebpf, "FLOWS_V4")?,
            flows_v6: take(ebpf, "FLOWS_V6")?,
            flow_table: take(ebpf, "FLOW_TABLE")?,
            devices: take(ebpf, "DEVICES")?,
            device_count: take(ebpf, "DEVICE_COUNT")?,
            half_open: take(ebpf, "HALF_OPEN_FLOWS")?,
            stations: take(ebpf, "STATION_TABLE")?,
            hash_key: take(ebpf, "HASH_KEY")?,
            conduit_counters: take(ebpf, "CONDUIT_COUNTERS")?,
            function_counters: take(ebpf, "FUNCTION_COUNTERS")?,
            rule_counters: take(ebpf, "RULE_COUNTERS")?,
            other_functions: take(ebpf, "OTHER_FUNCTIONS")?,
            budgets: take(ebpf, "BUDGETS")?,
            lost: take(ebpf, "LOST")?,
            events: Some(take(ebpf, "EVENTS")?),
            observed: take(ebpf, "OBSERVED")?,
            different: take(ebpf, "DIFFERENT")?,
            compared: take(ebpf, "COMPARED")?,
            health: take(ebpf, "HEALTH")?,
            processing: take(ebpf, "PROCESSING")?,
            granted: take(ebpf, "GRANTED")?,
            last_value: take(ebpf, "LAST_VALUE")?,
        })
    }
}

/// How many entries a map has.
fn size(ebpf: &Ebpf, name: &'static str) -> Result<u32, ObjectError> {
    use aya::maps::Map;
    let bad = |cause: String| ObjectError::Map { map: name, cause };
    match ebpf.map(name) {
        Some(Map::Array(map) | Map::LruHashMap(map)) => {
            map.info().map(|info| info.max_entries()).map_err(|error| bad(error.to_string()))
        }
        Some(_) => Err(bad("it is of another kind".into())),
        None => Err(bad("it is not in the object".into())),
    }
}

fn take<T>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, ObjectError>
where
    T: TryFrom<aya::maps::Map>,
    T::Error: std::fmt::Display,
{
    let map =
        ebpf.take_map(name).ok_or_else(|| ObjectError::Map { map: name, cause: "it is not in the object".into() })?;
    T::try_from(map).map_err(|error| ObjectError::Map { map: name, cause: error.to_string() })
}
