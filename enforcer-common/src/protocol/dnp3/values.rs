//! The value that an object writes. IEEE 1815 A.7, A.22, A.25, A.27.

use core::hint::black_box;

use super::user::Frame;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::{floating, framing};

/// Where a value lies in its object and how it is written.
#[derive(Clone, Copy)]
struct Kind {
    /// Group and variation, as operations hold them.
    space: u32,
    /// Bytes in front of it.
    skipped: u32,
    /// Which of its bits count; 0 for floating point.
    mask: u32,
    /// Which of them is the sign; for floating point whether it has double precision.
    sign: u32,
}

const fn whole(space: u32, skipped: u32, mask: u32, sign: u32) -> Kind {
    Kind { space, skipped, mask, sign }
}

const fn float_of(space: u32, double: bool) -> Kind {
    Kind { space, skipped: 0, mask: 0, sign: double as u32 }
}

/// Every kind, the first of none. Of a binary output its one bit counts, of a relay its control code; the mode in which a
/// file is opened lies 20 bytes into the command.
static KINDS: [Kind; 16] = {
    let none = whole(0, 0, 0, 0);
    [
        none,
        whole(0x0a01, 0, 1, 0),
        whole(0x5001, 0, 1, 0),
        whole(0x0c01, 0, 0xff, 0),
        whole(0x2201, 0, 0xffff, 0),
        whole(0x2202, 0, u32::MAX, 0),
        whole(0x4603, 20, 0xffff, 0),
        whole(0x2902, 0, 0xffff, 0x8000),
        whole(0x2901, 0, u32::MAX, 0x8000_0000),
        float_of(0x2203, false),
        float_of(0x2903, false),
        float_of(0x2904, true),
        none,
        none,
        none,
        none,
    ]
};

/// Index into [`KINDS`] by group, and by variation below eight.
static INDEX: [[u8; 8]; 128] = {
    let mut table = [[0; 8]; 128];
    let mut index = 1usize;
    while index < 12 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            let space = KINDS[index].space;
            #[expect(clippy::cast_possible_truncation, reason = "below 12")]
            {
                table[(space >> 8) as usize][(space & 0xff) as usize] = index as u8;
            }
        }
        index = index.wrapping_add(1);
    }
    table
};

/// Writes down the value of an object of kind `space` whose data begin at `at`, where it has one. What the kind is, is
/// loaded: the paths of a choice would multiply those behind it.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, frame: &Frame, space: u32, at: u32, operation: &mut Operation) {
    let (group, variation) = (black_box(space >> 8) as usize & 127, black_box(space) as usize & 7);
    let index = match INDEX.get(group).and_then(|row| row.get(variation)) {
        Some(index) => *index as u32,
        None => 0,
    };
    let Some(kind) = KINDS.get(black_box(index) as usize & 15) else {
        return;
    };
    let Kind { skipped, mask, sign, .. } = *kind;
    if kind.space != space {
        return;
    }
    let Some(low) = frame.four(bytes, at.wrapping_add(skipped)) else {
        return;
    };
    if mask == 0 {
        let Some(high) = frame.four(bytes, at.wrapping_add(4)) else {
            return;
        };
        return floating::bounds(
            if sign != 0 { (high as u64) << 32 | low as u64 } else { floating::widen(low) },
            operation,
        );
    }
    let unsigned = (low & mask) as i64;
    // The sign bit counts its own weight twice.
    let value = unsigned.wrapping_sub((unsigned & sign as i64) << 1);
    framing::value(operation, value);
}
