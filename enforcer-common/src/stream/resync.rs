//! Conversations that were open before the box came, or that went on while it did not look.
//!
//! Where their units begin is not seen but proved: bytes that are exactly whole units are a question, and the device
//! answers with the same transaction, unit and function, having acknowledged all of them. After [`ECHOES`] such exchanges
//! in a row the conversation is as good as one that was followed from its beginning.

use crate::action::OnDeny;
use crate::environment::{Limits, Trust};
use crate::flow::{Direction, ECHOES, Flow, distance};
use crate::operation::{Access, Operation, Role};
use crate::policy::{Image, OnUnsynchronised};
use crate::port::Side;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Begins anew at a sequence number toward the device; what was forwarded stays known, so that it can't be contradicted.
/// `hindrance` is the reason that `status` gives.
#[inline(always)]
pub fn restart(flow: &mut Flow, next: u32, hindrance: u8) {
    if !flow.network.has(Direction::ADOPTED) {
        flow.adopted_at = flow.network.seen;
    }
    let kept = flow.network.flags & (Direction::SPOKEN | Direction::CONFIRMED | Direction::PENDING);
    flow.network.start(next, Direction::ADOPTED | kept);
    flow.network.hindrance = hindrance;
}

/// Draws the conclusions from what the device said since the last segment toward it.
#[inline(always)]
pub(super) fn settle(flow: &mut Flow, limits: &Limits, now: u64) {
    let trusted = limits.trust_at(now) as u8 == Trust::Whole as u8;
    if !trusted && flow.device.has(Direction::UNSEEN) && distance(flow.device.unseen, flow.network.next) > 0 {
        // The device has bytes that did not pass here.
        let unseen = flow.device.unseen;
        restart(flow, unseen, Reason::Unsynchronised as u8);
    }
    if flow.network.has(Direction::ADOPTED) && (trusted || is_proved(flow)) {
        flow.network.flags &= !Direction::ADOPTED;
    }
}

/// True when enough exchanges were answered.
#[must_use]
#[inline(always)]
pub const fn is_proved(flow: &Flow) -> bool {
    if flow.client == Side::Network as u8 {
        flow.device.run == flow.network.run && flow.device.echoes >= ECHOES
    } else {
        flow.network.echoes >= ECHOES
    }
}

/// True when the policy, or the time since the box came, gives such conversations no chance; the path then says what
/// becomes of them.
#[inline(always)]
pub(super) fn refuse(policy: &Image, trust: Trust, scratch: &mut Scratch) -> bool {
    let on = policy.header.on_unsynchronised;
    let given = trust as u8 != Trust::Nothing as u8;
    if on == OnUnsynchronised::Resync as u8 && given {
        return false;
    }
    let drop = on == OnUnsynchronised::Deny as u8;
    scratch.path.on_deny = if drop { OnDeny::Drop } else { OnDeny::Reset } as u8;
    true
}

/// What may pass before anything is proved: what changes nothing in the device.
#[must_use]
#[inline(always)]
pub const fn is_harmless(access: u8) -> bool {
    match Access::from_code(access) {
        Access::Read | Access::Diagnose | Access::Discover | Access::Session => true,
        Access::Write | Access::Control | Access::Program | Access::Firmware | Access::Unknown => false,
    }
}

/// What an operation and its answer have in common; never 0.
#[inline(always)]
const fn identity(operation: &Operation) -> u64 {
    let function = if operation.has(Operation::OTHER_FUNCTION) { 0 } else { operation.function & 0x7fff };
    let unit = if operation.has(Operation::OTHER_UNIT) { 0 } else { operation.unit & 0xffff };
    (operation.transaction as u64) << 32 | (function as u64) << 17 | Direction::IDENTITY | unit as u64
}

/// Whole units without an operation: acknowledgements of the protocol's own.
#[inline(always)]
const fn asks_nothing(scratch: &Scratch) -> bool {
    let stream = &scratch.stream;
    stream.units != 0 && scratch.count == 0 && stream.save_length == 0 && stream.skip == 0 && stream.faulty == 0
}

/// The last unit of a segment that is whole units and nothing else.
#[inline(always)]
fn last(scratch: &Scratch) -> u64 {
    if scratch.stream.save_length != 0 || scratch.stream.skip != 0 || scratch.stream.faulty != 0 || scratch.count == 0 {
        return 0;
    }
    match scratch.operation(scratch.count.wrapping_sub(1)) {
        Some(operation) => identity(operation),
        None => 0,
    }
}

/// A segment toward the device asks, or answers what the device asked.
#[inline(always)]
pub(super) fn learn_inward(flow: &mut Flow, scratch: &Scratch) {
    if !flow.network.has(Direction::ADOPTED) {
        return;
    }
    if asks_nothing(scratch) {
        return;
    }
    let found = last(scratch);
    let mine = &mut flow.network;
    if found == 0 {
        mine.run = mine.run.wrapping_add(1);
        mine.echoes = 0;
        mine.asked = 0;
        mine.hindrance = Reason::SplitUnit as u8;
    } else if scratch.path.role == Role::Response as u8 {
        hear(mine, &flow.device, found, scratch.frame.acknowledgement);
    } else {
        mine.asked = found;
        mine.asked_end = scratch.stream.fresh.wrapping_add(scratch.stream.fresh_length);
    }
}

/// The same from the device.
#[inline(always)]
pub(super) fn learn_outward(flow: &mut Flow, scratch: &Scratch) {
    if !flow.network.has(Direction::ADOPTED) {
        return;
    }
    let found = last(scratch);
    let mine = &mut flow.device;
    if found == 0 {
        return;
    }
    if scratch.path.role == Role::Response as u8 {
        if mine.run != flow.network.run {
            mine.run = flow.network.run;
            mine.echoes = 0;
        }
        hear(mine, &flow.network, found, scratch.frame.acknowledgement);
    } else {
        mine.asked = found;
        mine.asked_end = scratch.stream.fresh.wrapping_add(scratch.stream.fresh_length);
    }
}

/// Counts an exchange when it is answered, and its question acknowledged to the last byte.
#[inline(always)]
fn hear(mine: &mut Direction, theirs: &Direction, found: u64, acknowledged: u32) {
    let new = mine.echoes == 0 || mine.heard != theirs.asked_end;
    if theirs.asked == found && theirs.asked_end == acknowledged && new && mine.echoes < ECHOES {
        mine.echoes = mine.echoes.wrapping_add(1);
        mine.heard = theirs.asked_end;
    }
}
