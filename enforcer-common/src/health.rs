//! How a protected device does, as its conversations show: polls and answers, exceptions, resets, repeated segments, and how
//! long answers take.
//!
//! Runs behind the judge while somebody wants to know; in the kernel it is a program of its own. A poll is a request from
//! the network on an inspected conduit. One that the policy stops is a poll that failed, unless it would have changed
//! something in the device: stopping such a request is what the box is for and says nothing of the device's health, and
//! whoever sends many of them must not be able to have the box calmed.

use crate::action::Action;
use crate::buckets::{BUCKETS, bucket};
use crate::environment::Environment;
use crate::flow::{Direction, NO_FLOW};
use crate::network::protocol;
use crate::operation::{Operation, Role};
use crate::policy::UNCOVERED;
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{MOST, Said, Scratch};
use crate::stream::resync;
use crate::transport::flag;

/// The first bucket of response times ends at two to this power nanoseconds.
pub const FIRST: u32 = 16;

/// Answers that took longer than this are answers to something else, nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Requests of one conversation are timed at least so far apart, nanoseconds. Whoever polls twenty times a second or less
/// often is timed each time; who polls without pause need not wait for the precise clock with every frame.
const APART: u64 = 50_000_000;

/// What is counted of one device. All grow and never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counts {
    /// Requests from the network.
    pub polls: u64,
    /// Of them stopped by the policy.
    pub stopped: u64,
    /// Answers of the device.
    pub answered: u64,
    /// Of them exceptions of the protocol.
    pub exceptions: u64,
    /// Conversations reset by either end.
    pub resets: u64,
    /// Segments sent again, by either end.
    pub retransmissions: u64,
    /// Answers by the time since the request that they are to, see [`FIRST`]. Of requests that follow each other closely, one in
    /// a while is timed.
    pub times: [u64; BUCKETS],
}

impl Counts {
    /// Nothing counted.
    pub const EMPTY: Self =
        Self { polls: 0, stopped: 0, answered: 0, exceptions: 0, resets: 0, retransmissions: 0, times: [0; BUCKETS] };
}

/// Counts what a judged frame says of the device it goes to or comes from.
#[inline(always)]
pub fn note<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    let frame = &scratch.frame;
    let watched =
        frame.version != 0 && scratch.path.protocol >= Protocol::FIRST_INSPECTED && scratch.path.conduit != UNCOVERED;
    if !watched {
        return;
    }
    let inward = frame.side == Side::Network as u8;
    let forwarded = scratch.action == Action::Forward as u8;
    let role = if inward { Role::Request } else { Role::Response };
    listen(scratch, role, inward & !forwarded);
    let scratch = scratch.anew();
    let frame = &scratch.frame;
    let inward = frame.side == Side::Network as u8;
    let forwarded = scratch.action == Action::Forward as u8;
    let (units, exceptions) = (scratch.said.units as u64, scratch.said.exceptions as u64);
    let (polls, answered) = if inward { (units, 0) } else { (0, units) };
    let ended = frame.transport_protocol == protocol::TCP && frame.tcp_flags & flag::RST != 0;
    // A reset that was held back ended nothing.
    let resets = (ended && forwarded && scratch.path.slot != NO_FLOW) as u64;
    let again = (scratch.stream.retransmission != 0) as u64;
    if polls | answered | resets | again == 0 {
        return;
    }
    let time = if !forwarded || scratch.path.slot == NO_FLOW {
        0
    } else if polls != 0 {
        begin(environment, scratch.path.slot, scratch.now);
        0
    } else if answered != 0 {
        end(environment, scratch.path.slot)
    } else {
        0
    };
    let device = if inward { &frame.destination } else { &frame.source };
    // A device is who has answered: the network can't fill the table with others.
    let Some(counts) = environment.health(device, answered != 0) else {
        return;
    };
    counts.polls = counts.polls.wrapping_add(polls);
    counts.stopped = counts.stopped.wrapping_add(if forwarded { 0 } else { polls });
    counts.answered = counts.answered.wrapping_add(answered);
    counts.exceptions = counts.exceptions.wrapping_add(exceptions);
    counts.resets = counts.resets.wrapping_add(resets);
    counts.retransmissions = counts.retransmissions.wrapping_add(again);
    if time != 0
        && let Some(cell) = counts.times.get_mut(core::hint::black_box(bucket::<FIRST>(time)) & (BUCKETS - 1))
    {
        *cell = cell.wrapping_add(1);
    }
}

/// Leaves in the record what the frame's operations say. In bits, without a branch for the kernel's verifier to follow.
#[inline(always)]
fn listen(scratch: &mut Scratch, role: Role, stopped: bool) {
    let mut said = Said::default();
    for index in 0..MOST {
        if index >= scratch.count {
            break;
        }
        let Some(record) = scratch.operation(index) else {
            break;
        };
        // The first record of a unit in which a function could be read.
        let unit = (record.role == role as u8) & (record.fault == 0) & !record.has(Operation::CONTINUES);
        let counts = (unit & (!stopped | changes_nothing(record.access))) as u32;
        said.units = said.units.wrapping_add(counts);
        said.exceptions = said.exceptions.wrapping_add(counts & record.has(Operation::HAS_EXCEPTION) as u32);
    }
    scratch.said = said;
}

/// [`resync::is_harmless`] of a class, by a table of bits.
#[inline(always)]
const fn changes_nothing(access: u8) -> bool {
    const HARMLESS: u16 = {
        let (mut bits, mut access) = (0, 0);
        while access < 16 {
            bits |= (resync::is_harmless(access) as u16) << access;
            access += 1;
        }
        bits
    };
    HARMLESS >> (access & 15) & 1 != 0
}

/// Notes when a request came whose answer is waited for, of those that follow each other closely only one in a while. Only
/// in a conversation whose units are known: until then `asked` is needed otherwise.
#[inline(always)]
fn begin<E: Environment>(environment: &mut E, slot: u32, now: u64) {
    let due = match environment.flow(slot) {
        Some(flow) => !flow.network.has(Direction::ADOPTED) && is_due(flow.network.asked, now),
        None => false,
    };
    if !due {
        return;
    }
    let precise = environment.clock();
    if let Some(flow) = environment.flow(slot) {
        flow.network.asked = Direction::asked_at(precise);
    }
}

/// True where the last request that was noted is long enough ago.
#[inline(always)]
const fn is_due(asked: u64, now: u64) -> bool {
    match Direction::when_asked(asked) {
        Some(then) => now.saturating_sub(then) >= APART,
        None => true,
    }
}

/// The time since a request was noted, nanoseconds, for the first answer to it; 0 where there is none to tell.
#[inline(always)]
fn end<E: Environment>(environment: &mut E, slot: u32) -> u64 {
    let asked = match environment.flow(slot) {
        Some(flow) if !flow.network.has(Direction::ADOPTED) && flow.device.asked != flow.network.asked => {
            flow.network.asked
        }
        Some(_) | None => return 0,
    };
    let Some(then) = Direction::when_asked(asked) else {
        return 0;
    };
    let time = environment.clock().wrapping_sub(then);
    // Each port writes its own direction: this one notes there which request was answered.
    if let Some(flow) = environment.flow(slot) {
        flow.device.asked = asked;
    }
    if time > LONGEST { 0 } else { time }
}
