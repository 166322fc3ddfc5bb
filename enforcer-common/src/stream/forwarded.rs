//! What is remembered of the bytes that were forwarded toward the device: the ring of segments that can be compared, and the
//! stretches that went ahead of the stream. Written by the network port.

use super::inward::later;
use crate::flow::{AHEAD, Direction, Flow, RING, Sent, Stretch, distance};

/// Where the ring has room: behind the newest entry, or where else the device has acknowledged all. An entry that it has
/// not acknowledged is never given up, because a repetition could not be compared without it; but one that lies ahead of the
/// stream, let through by another mode than enforce, must not stop it.
#[inline(always)]
pub(super) fn vacancy(flow: &Flow) -> Option<u32> {
    // A capture of one side alone: nobody can say what the other acknowledged.
    if !flow.device.has(Direction::SPOKEN) && !flow.device.has(Direction::CONFIRMED) {
        return Some(oldest(flow));
    }
    // The oldest entry: nearly always the device has acknowledged it.
    if is_vacant(flow, oldest(flow)) {
        return Some(oldest(flow));
    }
    // Two numbers: the one inside an absent `Option` is undefined, and the kernel's verifier refuses to see it moved.
    let (mut index, mut ahead, mut is_ahead) = (flow.newest as u32, 0, false);
    for _ in 0..RING {
        index = index.wrapping_add(1);
        let Some(entry) = flow.ring.get(index as usize & (RING - 1)) else {
            break;
        };
        if is_vacant(flow, index) {
            return Some(index);
        }
        if !is_ahead && distance(entry.sequence, flow.network.next) > 0 {
            (ahead, is_ahead) = (index, true);
        }
    }
    if is_ahead { Some(ahead) } else { None }
}

/// True where there is nothing to search for: the oldest entry has room.
#[inline(always)]
pub(super) fn has_room(flow: &Flow) -> bool {
    is_vacant(flow, oldest(flow))
}

/// The place behind the newest entry.
#[inline(always)]
const fn oldest(flow: &Flow) -> u32 {
    (flow.newest as u32).wrapping_add(1)
}

/// True for an entry that is free, or of which the device has acknowledged all.
#[inline(always)]
fn is_vacant(flow: &Flow, index: u32) -> bool {
    match flow.ring.get(index as usize & (RING - 1)) {
        Some(entry) => entry.length == 0 || distance(entry.end(), flow.device.acknowledged) <= 0,
        None => false,
    }
}

/// Keeps what a repetition will be compared with.
#[inline(always)]
pub(super) fn remember(flow: &mut Flow, sent: Sent) {
    let index = match vacancy(flow) {
        Some(index) => index,
        None => oldest(flow),
    };
    put(flow, index, sent);
}

/// The same where [`has_room`].
#[inline(always)]
pub(super) fn remember_next(flow: &mut Flow, sent: Sent) {
    put(flow, oldest(flow), sent);
}

#[inline(always)]
fn put(flow: &mut Flow, index: u32, sent: Sent) {
    if let Some(entry) = flow.ring.get_mut(index as usize & (RING - 1)) {
        *entry = sent;
    }
    let [low, _, _, _] = index.to_le_bytes();
    flow.newest = low;
}

/// Bytes from `sequence` up to `end` that went by before, though the stream had not come to them: some of them, or none.
#[inline(always)]
pub(super) fn went_ahead(flow: &Flow, sequence: u32, end: u32) -> Stretch {
    let mut found = Stretch { first: end, end };
    if flow.strays == 0 {
        return found;
    }
    for stretch in &flow.ahead {
        let first = later(stretch.first, sequence);
        if stretch.first != stretch.end && distance(found.first, first) > 0 && distance(stretch.end, first) > 0 {
            let end = if distance(end, stretch.end) < 0 { end } else { stretch.end };
            found = Stretch { first, end };
        }
    }
    found
}

/// Notes a stretch ahead of the stream, with one that it continues or in a place of its own. With no room for it the
/// device's acknowledgement will show what went by.
#[inline(always)]
pub(super) fn note(flow: &mut Flow, first: u32, end: u32) {
    flow.strays = 1;
    for stretch in &mut flow.ahead {
        if stretch.first != stretch.end && stretch.end == first {
            stretch.end = end;
            return;
        }
    }
    for stretch in &mut flow.ahead {
        if stretch.first == stretch.end {
            *stretch = Stretch { first, end };
            return;
        }
    }
}

/// The stream reaches stretches that went ahead: it continues behind them. Twice, for two that came in the wrong order.
#[inline(always)]
pub(super) fn absorb(flow: &mut Flow) {
    if flow.strays == 0 {
        return;
    }
    for _ in 0..2 {
        for index in 0..AHEAD {
            let Some(stretch) = flow.ahead.get_mut(index & (AHEAD - 1)) else {
                break;
            };
            if stretch.first != stretch.end && distance(stretch.first, flow.network.next) <= 0 {
                if distance(stretch.end, flow.network.next) > 0 {
                    flow.network.next = stretch.end;
                    flow.network.carry_length = 0;
                    flow.network.skip = 0;
                }
                stretch.first = stretch.end;
            }
        }
    }
    flow.strays = flow.ahead.iter().any(|stretch| stretch.first != stretch.end) as u8;
}
