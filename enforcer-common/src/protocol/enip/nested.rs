//! Services inside services: the Multiple Service Packet (V1 5-3.5) and Unconnected_Send (V1 3-5.5.3). A list inside a
//! message that is sent on is as deep as it goes.

use super::path::seen;
use super::{byte, eight, fault, go_on, here, is_answer, limits, state, taken, word};
use crate::bytes::Bytes;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Takes up the list of `count` services at `at`: the count, as many offsets from the count on, then the services.
#[inline(always)]
pub(super) fn list(at: u32, count: u32, scratch: &mut Scratch) {
    let (end, present) = (scratch.nesting.end, here(scratch));
    // A count that is not here is 0.
    let first = count.wrapping_mul(2).wrapping_add(2);
    if count == 0 || at.wrapping_add(first) > end {
        return refuse(scratch, Reason::LengthMismatch);
    }
    if count > limits::SERVICES || at.wrapping_add(first) > present {
        return refuse(scratch, Reason::BeyondInspection);
    }
    scratch.nesting.list = at;
    scratch.nesting.list_end = end;
    scratch.nesting.count = count;
    scratch.nesting.index = 0;
    scratch.nesting.state |= state::LIST;
    go_on(scratch, state::ITEM);
}

/// Takes up the next service of the list: the bytes from its offset to the next one's, or to the end. The first offset
/// is the one behind the offsets, and each is larger than the one before: no byte belongs to two services or to none.
#[inline(always)]
pub(super) fn next<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (list, index, count) = (scratch.nesting.list, scratch.nesting.index, scratch.nesting.count);
    let size = scratch.nesting.list_end.wrapping_sub(list);
    let place = list.wrapping_add(2).wrapping_add(index.wrapping_mul(2));
    let last = index.wrapping_add(1) >= count;
    let offsets = eight(bytes, place, scratch.stream.end);
    let from = word(offsets, 0);
    let to = if last { size } else { word(offsets, 2) };
    scratch.nesting.index = index.wrapping_add(1);
    if last {
        scratch.nesting.state &= !state::LIST;
    }
    let expected = index != 0 || from == count.wrapping_mul(2).wrapping_add(2);
    if !expected || to > size || from.wrapping_add(2) > to {
        scratch.nesting.state = state::FRAME;
        return refuse(scratch, Reason::LengthMismatch);
    }
    scratch.nesting.at = list.wrapping_add(from);
    scratch.nesting.end = list.wrapping_add(to);
    if scratch.nesting.at.wrapping_add(2) > scratch.stream.end {
        scratch.nesting.state = state::FRAME;
        return refuse(scratch, Reason::BeyondInspection);
    }
    scratch.nesting.state |= state::IN_LIST;
    go_on(scratch, state::SERVICE);
}

/// Takes up the message of an Unconnected_Send whose data begins at `at`: priority and time, ticks, length of the message,
/// the message, a byte to make it even, words of the route, a byte of 0, the route.
#[inline(always)]
pub(super) fn sent_on<B: Bytes + ?Sized>(bytes: &B, at: u32, scratch: &mut Scratch) {
    let (end, present) = (scratch.nesting.end, here(scratch));
    if scratch.nesting.state & (state::SENT_ON | state::IN_LIST) != 0 {
        return refuse(scratch, Reason::BeyondInspection);
    }
    if at.wrapping_add(4) > present {
        return refuse(scratch, Reason::LengthMismatch);
    }
    let length = word(taken(&scratch.nesting.window, 0), 2);
    let message = at.wrapping_add(4);
    let route = message.wrapping_add(length).wrapping_add(length & 1);
    if length < 2 || route.wrapping_add(2) > end {
        return refuse(scratch, Reason::LengthMismatch);
    }
    if end > present {
        return refuse(scratch, Reason::BeyondInspection);
    }
    let way = eight(bytes, route, present);
    let words = byte(way, 0);
    if route.wrapping_add(2).wrapping_add(words.wrapping_mul(2)) != end {
        return refuse(scratch, Reason::LengthMismatch);
    }
    // The message waits where a list would be: none is read yet.
    scratch.nesting.list = message;
    scratch.nesting.list_end = message.wrapping_add(length);
    scratch.nesting.state |= state::SENT_ON;
    if words == 0 {
        return arrive(scratch);
    }
    let (port, link) = (byte(way, 2), byte(way, 3));
    // One hop with a link address of one byte, which is what most ways are: as the path's own reader has it.
    if words == 1 && port != 0 && port < 15 && scratch.nesting.unit == 0 {
        scratch.nesting.unit = port << 8 | link;
        if let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
            operation.unit = port << 8 | link;
        }
        return arrive(scratch);
    }
    scratch.nesting.at = route.wrapping_add(2);
    scratch.nesting.path_end = end;
    scratch.nesting.seen = seen::ROUTE;
    go_on(scratch, state::SEGMENT);
}

/// Behind the route: the message, whose unit it is.
#[inline(always)]
pub(super) fn arrive(scratch: &mut Scratch) {
    scratch.nesting.at = scratch.nesting.list;
    scratch.nesting.end = scratch.nesting.list_end;
    go_on(scratch, state::SERVICE);
}

/// Marks the record of the wrapper, and reads nothing inside. An answer without it harms nobody.
#[inline(always)]
fn refuse(scratch: &mut Scratch, reason: Reason) {
    if !is_answer(scratch) {
        fault(scratch, reason);
    }
}
