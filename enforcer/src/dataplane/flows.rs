//! The flow table seen from the controller: gives out free slots, looks at conversations, takes back those that ended.

use std::time::Duration;

use aya::maps::MapError;
use enforcer_common::abi::{FLOWS, FlowKeyV4};
use enforcer_common::flow::{Direction, Flow, FlowKey};
use serde::Serialize;

use super::maps::Maps;
use super::plain::Plain;

/// A conversation that both ends closed is kept this long, for what is still under way.
const CLOSED: Duration = Duration::from_secs(10);
/// A conversation that never opened.
const HALF_OPEN: Duration = Duration::from_secs(60);
/// A silent conversation: polls of a day apart still find it.
const SILENT: Duration = Duration::from_secs(25 * 3600);

/// How many conversations there are, by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Both directions are followed from their beginning.
    pub established: u64,
    /// No answer of the other side yet.
    pub half_open: u64,
    /// Taken up in the middle.
    pub unsynchronised: u64,
}

/// A conversation's key in either table.
#[derive(Clone, Copy, Debug)]
enum Key {
    V4(FlowKeyV4),
    V6(FlowKey),
}

/// Fills the table of free slots of a new set of maps. Maps in use are known by a slot that is free or taken; a controller
/// that ended before it filled them left neither.
///
/// # Errors
/// When a map cannot be read or written.
pub fn fill(maps: &mut Maps) -> Result<(), MapError> {
    if let Ok(slot) = maps.free_flows.pop(0) {
        return maps.free_flows.push(slot, 0);
    }
    if !conversations(maps)?.is_empty() {
        return Ok(());
    }
    for slot in 0..u32::try_from(FLOWS).unwrap_or(u32::MAX) {
        maps.free_flows.push(slot, 0)?;
    }
    Ok(())
}

/// Counts conversations.
///
/// # Errors
/// When a map cannot be read.
pub fn census(maps: &Maps) -> Result<Census, MapError> {
    let mut census = Census::default();
    for (_, slot) in conversations(maps)? {
        let Plain(flow) = maps.flow_table.get(&slot, 0)?;
        let known = |direction: &Direction| direction.flags & Direction::SYNCHRONISED != 0;
        if adopted(&flow.network) || adopted(&flow.device) {
            census.unsynchronised += 1;
        } else if known(&flow.network) && known(&flow.device) || known(&flow.device) && pending(&flow.network) {
            census.established += 1;
        } else {
            census.half_open += 1;
        }
    }
    Ok(census)
}

fn adopted(direction: &Direction) -> bool {
    direction.flags & Direction::ADOPTED != 0
}

fn pending(direction: &Direction) -> bool {
    direction.flags & Direction::PENDING != 0
}

fn conversations(maps: &Maps) -> Result<Vec<(Key, u32)>, MapError> {
    let mut found = Vec::new();
    for entry in maps.flows_v4.iter() {
        let (Plain(key), slot) = entry?;
        found.push((Key::V4(key), slot));
    }
    for entry in maps.flows_v6.iter() {
        let (Plain(key), slot) = entry?;
        found.push((Key::V6(key), slot));
    }
    Ok(found)
}

/// Takes conversations that ended out of the tables, and returns their slots. No program finds them any more; those that
/// run now may still hold a slot, so the caller waits before [`give_back`].
///
/// # Errors
/// When a map cannot be read or written.
pub fn collect(maps: &mut Maps, now: u64) -> Result<Vec<u32>, MapError> {
    let mut slots = Vec::new();
    for (key, slot) in conversations(maps)? {
        let Plain(flow) = maps.flow_table.get(&slot, 0)?;
        if !ended(&flow, now) {
            continue;
        }
        match key {
            Key::V4(key) => maps.flows_v4.remove(&Plain(key))?,
            Key::V6(key) => maps.flows_v6.remove(&Plain(key))?,
        }
        slots.push(slot);
    }
    Ok(slots)
}

/// Makes collected slots free again.
///
/// # Errors
/// When a map cannot be written.
pub fn give_back(maps: &mut Maps, slots: &[u32]) -> Result<(), MapError> {
    for slot in slots {
        maps.flow_table.set(*slot, Plain(Flow::EMPTY), 0)?;
        maps.free_flows.push(*slot, 0)?;
    }
    Ok(())
}

fn ended(flow: &Flow, now: u64) -> bool {
    let directions = [&flow.network, &flow.device];
    let last = flow.network.seen.max(flow.device.seen);
    let silent = Duration::from_nanos(now.saturating_sub(last));
    let closed = directions.iter().any(|direction| direction.flags & Direction::RESET != 0)
        || directions.iter().all(|direction| direction.flags & Direction::CLOSED != 0);
    let open = directions.iter().all(|direction| direction.flags & Direction::SYNCHRONISED != 0)
        || directions.iter().any(|direction| adopted(direction))
        || flow.device.flags & Direction::SYNCHRONISED != 0 && pending(&flow.network);
    silent
        > if closed {
            CLOSED
        } else if open {
            SILENT
        } else {
            HALF_OPEN
        }
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
    use enforcer_common::flow::{Direction, Flow};

    use super::ended;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn a_silent_day_does_not_end_a_conversation_and_a_reset_does() {
        let mut flow = Flow::EMPTY;
        flow.network.flags = Direction::SYNCHRONISED;
        flow.device.flags = Direction::SYNCHRONISED;
        assert!(!ended(&flow, 24 * HOUR));
        assert!(ended(&flow, 26 * HOUR));
        flow.device.flags |= Direction::RESET;
        assert!(ended(&flow, HOUR));
        let mut asked = Flow::EMPTY;
        asked.network.flags = Direction::PENDING;
        assert!(ended(&asked, HOUR));
    }
}
