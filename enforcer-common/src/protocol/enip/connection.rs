//! Opening and closing connections, V1 3-5.5.
//!
//! The object of an opening is the connection manager's instance, and as its attribute the class that the connection is
//! to: `0x06/1/2` opens the message router, `0x06/1/4` takes an assembly, a controller's inputs or outputs. A target by
//! name counts as the symbol object.

use super::path::seen;
use super::request::{Data, exact};
use super::services::{LARGEST, class, service};
use super::{LARGE, byte, done, eight, fault, go_on, state, taken};
use crate::bytes::Bytes;
use crate::operation::NO_OBJECT;
use crate::protocol::tables::NAME_START;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Priority, ticks, both connection ids, serial numbers, multiplier, and both intervals with their parameters of two bytes,
/// transport, words of the path.
const OPEN: u32 = 36;
/// The same with parameters of four bytes.
const OPEN_LARGE: u32 = 40;
/// Priority, ticks, serial numbers, words of the path, a byte of 0.
const CLOSE: u32 = 12;

/// Forward_Open and Large_Forward_Open: lengths, the way, and what the connection is to.
#[inline(always)]
pub(super) fn open<B: Bytes + ?Sized>(bytes: &B, data: &Data, code: u8, scratch: &mut Scratch) {
    let large = code == service::LARGE_FORWARD_OPEN;
    let head = if large { OPEN_LARGE } else { OPEN };
    if data.length < head {
        return fault(scratch, Reason::LengthMismatch);
    }
    if data.present < data.length {
        return fault(scratch, Reason::BeyondInspection);
    }
    let at = data.at.wrapping_add(head);
    let words = byte(eight(bytes, at.wrapping_sub(1), data.at.wrapping_add(data.present)), 0);
    let end = at.wrapping_add(words.wrapping_mul(2));
    let behind = data.at.wrapping_add(data.length);
    if end != behind {
        return fault(scratch, Reason::LengthMismatch);
    }
    if large {
        scratch.stream.context |= LARGE;
    }
    scratch.nesting.at = at;
    scratch.nesting.path_end = end;
    scratch.nesting.seen = seen::CONNECTION;
    scratch.nesting.name = NAME_START;
    scratch.nesting.unit = 0;
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    // The instance waits where no object needs it, while the target takes its place.
    operation.value_min = (operation.first & !LARGEST) as i64;
    operation.space = NO_OBJECT;
    if words == 0 { arrive(scratch) } else { go_on(scratch, state::SEGMENT) }
}

/// Behind the path: puts the class of the connection's target in the attribute's place.
#[inline(always)]
pub(super) fn arrive(scratch: &mut Scratch) {
    let unit = scratch.nesting.unit;
    done(scratch);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    let target = match operation.space {
        class::TAG => class::SYMBOL,
        // No target: the connection is to the module itself.
        NO_OBJECT => 0,
        named => named & LARGEST,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept from 32 bits")]
    let instance = operation.value_min as u32;
    operation.value_min = 0;
    operation.unit = unit;
    operation.space = class::CONNECTION_MANAGER;
    operation.first = instance | target;
    operation.last = instance | target;
}

/// Forward_Close.
#[inline(always)]
pub(super) fn close(data: &Data, scratch: &mut Scratch) {
    let words = byte(taken(&scratch.nesting.window, CLOSE.wrapping_sub(2)), 0);
    if let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        exact(data, CLOSE.wrapping_add(words.wrapping_mul(2)), operation);
    }
}
