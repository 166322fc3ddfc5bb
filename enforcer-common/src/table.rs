//! Where conversations are kept: so many slots for each device.
//!
//! A conversation that a station opens gets its slot when the handshake is complete: the device has answered, and the
//! station has shown that it heard the answer. Those slots are given out by the network port's program; the others, for
//! conversations that the device opens and those taken up in the middle, by the device port's. So each slot has one giver,
//! and needs no lock and no controller. A device has few sockets; it gets as many slots as the box's
//! configuration says, and one device's connections never take another's. A conversation that lives is never pushed out.

use crate::environment::Environment;
use crate::flow::{Direction, Flow, FlowKey, HalfOpen, State};
use crate::port::Side;

/// Most slots a device can have.
pub const MOST_PER_DEVICE: u32 = 256;

/// A slot whose conversation can't be found any more is left alone this long, for programs that found it just before.
const GRACE: u64 = 100_000_000;
/// A connection that its opener never completed makes room after this.
const UNSPOKEN: u64 = 1_000_000_000;
/// A conversation of which one end said FIN, and the other nothing more.
const HALF_CLOSED: u64 = 120_000_000_000;
/// A silent conversation ends after this: polls of a day apart still find it. RFC 9293 knows no end at all.
const SILENT: u64 = 25 * 3_600_000_000_000;
/// Slots kept free, so that one is ready when it is needed.
const SPARE: u32 = 4;

/// The slots of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Slots {
    /// Of all slots of a device those that one port's program gives out: three quarters are the network port's.
    #[must_use]
    #[inline(always)]
    pub const fn of(self, side: Side) -> Self {
        let others = self.count >> 2;
        let network = self.count.wrapping_sub(others);
        match side {
            Side::Network => Self { first: self.first, count: network },
            Side::Device => Self { first: self.first.wrapping_add(network), count: others },
        }
    }
}

/// How far the search for a slot has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Claim {
    /// Silence of the conversation in `ended`, nanoseconds.
    pub longest: u64,
    /// The device's first slot, and how many it has.
    pub first: u32,
    /// See `first`.
    pub count: u32,
    /// The next slot to look at, counted from the first.
    pub next: u32,
    /// A slot that is free; `u32::MAX` while none was found.
    pub free: u32,
    /// How many are free.
    pub spare: u32,
    /// The slot whose conversation ended longest ago; `u32::MAX` while none was found.
    pub ended: u32,
}

/// Slots looked at in one step.
const STEP: u32 = 64;

/// Begins a search among the slots of a device. False when the device has none, and there are none left to give it.
#[must_use]
#[inline(always)]
pub fn begin<E: Environment>(environment: &mut E, claim: &mut Claim, device: &[u8; 16], side: Side) -> bool {
    let Some(slots) = environment.slots(device, side) else {
        return false;
    };
    *claim = Claim {
        longest: 0,
        first: slots.first,
        count: slots.count,
        next: 0,
        free: u32::MAX,
        spare: 0,
        ended: u32::MAX,
    };
    true
}

/// Looks at the next slots. True when there are more: the caller comes again. In steps, because the kernel verifies a
/// program's whole loop. `now` is the boot time in nanoseconds.
#[must_use]
#[inline(always)]
pub fn search<E: Environment>(environment: &mut E, claim: &mut Claim, now: u64) -> bool {
    for _ in 0..STEP {
        if claim.next >= claim.count {
            return false;
        }
        let slot = claim.first.wrapping_add(claim.next);
        claim.next = claim.next.wrapping_add(1);
        let Some(flow) = environment.flow(slot) else {
            return false;
        };
        let silent = silence(flow, now);
        if is_free(flow, silent) {
            claim.spare = claim.spare.wrapping_add(1);
            if claim.free == u32::MAX {
                claim.free = slot;
            }
        } else if flow.state() == State::Live as u8 && has_ended(flow, silent) && silent >= claim.longest {
            claim.longest = silent;
            claim.ended = slot;
        }
    }
    claim.next < claim.count
}

/// Gives the slot that was found to a conversation: `None` when all of its device's are taken by conversations that live.
#[inline(always)]
pub fn take<E: Environment>(environment: &mut E, claim: &Claim, key: &FlowKey, now: u64) -> Option<u32> {
    if claim.spare <= SPARE && claim.ended != u32::MAX {
        retire(environment, claim.ended, now);
    }
    if claim.free == u32::MAX {
        return None;
    }
    let flow = environment.flow(claim.free)?.renew();
    flow.network = Direction::EMPTY;
    flow.device = Direction::EMPTY;
    flow.forget();
    flow.killed = 0;
    flow.key = *key;
    flow.network.seen = now;
    flow.device.seen = now;
    flow.adopted_at = now;
    flow.enter(State::Live);
    Some(claim.free)
}

/// Gives up a conversation. What is on the way to its device stays known for a while: a SYN that it has not answered; and
/// that there are bytes which it has not acknowledged, as it is known of bytes that went by before a device spoke. Which
/// bytes does not, so that none pass for them. A device that has reset the conversation waits for none.
#[inline(always)]
fn retire<E: Environment>(environment: &mut E, slot: u32, now: u64) {
    let Some(flow) = environment.flow(slot) else {
        return;
    };
    flow.enter(State::Retired);
    flow.device.seen = now;
    let key = flow.key;
    let side = Side::Network as u32;
    let offer = flow.network.offer();
    let half = if flow.device.has(Direction::RESET) {
        let flags = if flow.client == Side::Network as u8 { 0 } else { HalfOpen::SERVES };
        HalfOpen { since: now, first: offer.first, offer, side, flags, ..HalfOpen::EMPTY }
    } else {
        let (first, answer) = (flow.device.acknowledged, flow.furthest());
        HalfOpen { since: now, hash: u64::MAX, first, answer, offer, side, flags: HalfOpen::MIDSTREAM }
    };
    environment.unbind(&key);
    if half.flags & HalfOpen::MIDSTREAM != 0 || offer.at != 0 {
        environment.set_half_open(&key, half);
    }
}

#[inline(always)]
const fn is_free(flow: &Flow, silent: u64) -> bool {
    flow.state() == State::Free as u8 || (flow.state() == State::Retired as u8 && silent >= GRACE)
}

/// Nanoseconds since the last segment of either side.
#[must_use]
#[inline(always)]
pub const fn silence(flow: &Flow, now: u64) -> u64 {
    let last = if flow.state() == State::Live as u8 && flow.network.seen > flow.device.seen {
        flow.network.seen
    } else {
        flow.device.seen
    };
    now.saturating_sub(last)
}

/// True for a conversation that may make room for another: closed, reset, killed, never completed, or silent for a day.
/// `silent` is how long it has been, in nanoseconds.
#[must_use]
#[inline(always)]
pub const fn has_ended(flow: &Flow, silent: u64) -> bool {
    let (network, device) = (&flow.network, &flow.device);
    let closed = flow.killed != 0
        || network.has(Direction::RESET)
        || device.has(Direction::RESET)
        || (network.has(Direction::CLOSED) && device.has(Direction::CLOSED));
    let half_closed = network.has(Direction::CLOSED) || device.has(Direction::CLOSED);
    let spoken = network.has(Direction::SPOKEN) || device.has(Direction::ADOPTED) || network.has(Direction::ADOPTED);
    closed || (!spoken && silent > UNSPOKEN) || (half_closed && silent > HALF_CLOSED) || silent > SILENT
}
