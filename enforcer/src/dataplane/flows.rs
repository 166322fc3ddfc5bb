//! The flow table seen from the controller: what it is made with, and how many conversations there are. The programs give
//! out and take back its slots themselves.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv6Addr};

use aya::maps::MapError;
use enforcer_common::abi::FlowKeyV4;
use enforcer_common::digest::Key;
use enforcer_common::flow::{Direction, Flow, FlowKey, HalfOpen, State};
use enforcer_common::stream::handshake;
use enforcer_common::table;
use enforcer_common::verdict::Reason;
use serde::Serialize;

use super::maps::Maps;
use super::plain::Plain;

/// A conversation whose units are not known to begin where they do is given this long, nanoseconds; then it is one that
/// can't be locked.
const PATIENCE: u64 = 60_000_000_000;

/// How many conversations there are, by what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Followed from their beginning, or proved since.
    pub established: u64,
    /// SYN without answer yet.
    pub half_open: u64,
    /// Taken up in the middle, and not proved.
    pub unsynchronised: u64,
    /// The same by device.
    pub devices: BTreeMap<IpAddr, Device>,
    /// What the tables hold and take.
    pub memory: Memory,
}

/// The conversations of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Every byte toward the device is known to be in its place.
    pub locked: u64,
    /// Taken up in the middle; exchanges are being counted.
    pub pending: u64,
    /// Taken up in the middle more than a minute ago, and still not proved.
    pub cannot_be_locked: u64,
    /// Why not, and how many.
    pub why: BTreeMap<&'static str, u64>,
}

/// What the tables hold and take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Conversations that the table can hold.
    pub flows: u64,
    /// Conversations that one device can have.
    pub flows_per_device: u64,
    /// Bytes that one of them takes, its place in the index included.
    pub bytes_per_flow: u64,
    /// Bytes of the table and its index.
    pub flow_bytes: u64,
    /// SYN that can wait.
    pub half_open: u64,
    /// Bytes of the table they wait in.
    pub half_open_bytes: u64,
}

/// Draws the key of the hash, unless the maps are in use and have one: a new one would fit nothing that was forwarded.
///
/// # Errors
/// When the map cannot be written or the kernel gives no random bytes.
pub fn draw_key(maps: &mut Maps) -> Result<(), MapError> {
    let Plain(key) = maps.hash_key.get(&0, 0)?;
    if !key.is_absent() {
        return Ok(());
    }
    let mut bytes = [0_u8; size_of::<Key>()];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).map_err(MapError::IoError)?;
    let mut words = bytes.chunks_exact(8).map(|bytes| u64::from_ne_bytes(bytes.try_into().unwrap_or_default()));
    let key = Key::new(|_| words.next().unwrap_or_default());
    maps.hash_key.set(0, Plain(key), 0)
}

/// Counts conversations: looks at the slots of the devices that have some, and at no others. `now` is the programs' clock.
///
/// # Errors
/// When a map cannot be read.
pub fn census(maps: &Maps, now: u64) -> Result<Census, MapError> {
    let mut census = Census { memory: memory(maps)?, ..Census::default() };
    let Plain(settings) = maps.settings.get(&0, 0)?;
    let count = settings.flows_per_device;
    for entry in maps.devices.iter() {
        let (device, index) = entry?;
        let device = census.devices.entry(address(device)).or_default();
        let first = index.saturating_mul(count);
        for slot in first..first.saturating_add(count) {
            let Plain(flow) = maps.flow_table.get(&slot, 0)?;
            device.count(&flow, now);
        }
    }
    census.established = census.devices.values().map(|device| device.locked).sum();
    census.unsynchronised = census.devices.values().map(|device| device.pending + device.cannot_be_locked).sum();
    // Under a flood entries come and go while they are read: no more of them than the table holds.
    for entry in maps.half_open.iter().take(usize::try_from(maps.sizes.half_open).unwrap_or(usize::MAX)) {
        let (_, Plain(half)) = entry?;
        let waits = half.flags & HalfOpen::MIDSTREAM == 0 && now.saturating_sub(half.since) < handshake::PATIENCE;
        census.half_open += u64::from(waits);
    }
    Ok(census)
}

impl Device {
    /// Counts what is in a slot, if it is a conversation that goes on.
    fn count(&mut self, flow: &Flow, now: u64) {
        if flow.state() != State::Live as u8 || table::has_ended(flow, table::silence(flow, now)) {
            return;
        }
        if !flow.network.has(Direction::ADOPTED) {
            self.locked += 1;
        } else if now.saturating_sub(flow.adopted_at) < PATIENCE {
            self.pending += 1;
        } else {
            self.cannot_be_locked += 1;
            *self.why.entry(hindrance(flow)).or_default() += 1;
        }
    }

    /// How many conversations there are.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.locked + self.pending + self.cannot_be_locked
    }
}

/// Why no exchange has proved where a conversation's units begin.
fn hindrance(flow: &Flow) -> &'static str {
    match Reason::from_code(flow.network.hindrance) {
        Some(reason) => reason.as_str(),
        None if flow.network.asked == 0 => "one_way",
        None => "no_echo",
    }
}

/// Bytes that an entry of a hash table takes in the kernel: its own part, its share of the buckets, key and value in whole
/// words.
const fn entry<K, V>() -> u64 {
    48 + 16 + size_of::<K>().next_multiple_of(8) as u64 + size_of::<V>().next_multiple_of(8) as u64
}

/// A conversation's slot, and its places in both indices, which have as many entries as there are slots.
const BYTES_PER_FLOW: u64 = size_of::<Flow>() as u64 + entry::<FlowKeyV4, u32>() + entry::<FlowKey, u32>();
const BYTES_PER_HALF_OPEN: u64 = entry::<FlowKey, HalfOpen>();

const _: () = assert!(BYTES_PER_FLOW < 1024);

fn memory(maps: &Maps) -> Result<Memory, MapError> {
    let table = maps.sizes;
    let Plain(settings) = maps.settings.get(&0, 0)?;
    Ok(Memory {
        flows: table.flows.into(),
        flows_per_device: settings.flows_per_device.into(),
        bytes_per_flow: BYTES_PER_FLOW,
        flow_bytes: BYTES_PER_FLOW * u64::from(table.flows),
        half_open: table.half_open.into(),
        half_open_bytes: BYTES_PER_HALF_OPEN * u64::from(table.half_open),
    })
}

/// The address that keys of the maps hold.
#[must_use]
pub fn address(bytes: [u8; 16]) -> IpAddr {
    let address = Ipv6Addr::from(bytes);
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// The clock that programs stamp flows and events with, nanoseconds.
#[must_use]
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable and outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use enforcer_common::flow::{Direction, Flow, State};
    use enforcer_common::verdict::Reason;

    use super::{Device, PATIENCE};

    fn flow(flags: u32) -> Flow {
        let mut flow = Flow { life: State::Live as u32, ..Flow::EMPTY };
        flow.network.flags = Direction::SPOKEN | flags;
        flow
    }

    #[test]
    fn conversations_are_counted_by_what_is_known_of_them_and_ended_ones_are_not() {
        let mut device = Device::default();
        let count = |device: &mut Device, flow: &Flow, now| device.count(flow, now);
        count(&mut device, &flow(0), 1);
        count(&mut device, &flow(Direction::ADOPTED), 1);
        count(&mut device, &flow(Direction::ADOPTED), PATIENCE);
        let mut splitting = flow(Direction::ADOPTED);
        splitting.network.hindrance = Reason::SplitUnit as u8;
        count(&mut device, &splitting, PATIENCE);
        count(&mut device, &Flow { killed: 1, ..flow(0) }, 1);
        count(&mut device, &flow(Direction::RESET), 1);
        count(&mut device, &Flow { life: State::Retired as u32, ..flow(0) }, 1);
        count(&mut device, &Flow::EMPTY, 1);
        assert_eq!((device.locked, device.pending, device.cannot_be_locked, device.all()), (1, 1, 2, 4));
        assert_eq!(Vec::from_iter(device.why), [("one_way", 1), ("split_unit", 1)]);
    }
}
