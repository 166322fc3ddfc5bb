//! Where an APDU begins and ends.

use core::hint::black_box;

use super::{Unit, limits};
use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::port::Side;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// What stands at an offset.
pub(super) enum Framed {
    /// A whole APDU, or as much of it as decides, and its size in bytes.
    Whole(Unit, u32),
    /// The rest of the bytes is the beginning of an APDU.
    Partial,
    /// Not an APDU.
    Malformed,
}

/// Frames one APDU: 104 5. The length field is believed only behind the start octet and inside its limits.
#[inline(always)]
pub(super) fn frame<B: Bytes + ?Sized>(bytes: &B, at: u32, remaining: u32, answer: bool) -> Framed {
    let start = black_box(bytes.u8(at).unwrap_or(0));
    if start != limits::START {
        return Framed::Malformed;
    }
    if remaining < limits::HEADER {
        return Framed::Partial;
    }
    let length = black_box(bytes.u8(at.wrapping_add(1)).unwrap_or(0)) as u32;
    if !(limits::LENGTH_MIN..=limits::LENGTH_MAX).contains(&length) {
        return Framed::Malformed;
    }
    let size = limits::HEADER.wrapping_add(length);
    let needed = if answer { size.min(limits::HEAD_RESPONSE) } else { size };
    if remaining < needed {
        return Framed::Partial;
    }
    let control = u32::from_le_bytes(bytes.read::<4>(at.wrapping_add(2)).unwrap_or([0; 4]));
    Framed::Whole(Unit { at, length, control }, size)
}

/// Keeps the beginning of an APDU for the next segment; where units must be whole, that is a fault.
#[inline(always)]
pub(super) fn partial(scratch: &mut Scratch, at: u32, remaining: u32) {
    if scratch.stream.whole != 0 {
        scratch.fault(Reason::SplitUnit);
    }
    if remaining > carry_size(Side::from_code(scratch.frame.side)) {
        scratch.fault(Reason::BeyondInspection);
        return;
    }
    scratch.stream.save_start = at;
    scratch.stream.save_length = remaining;
}
