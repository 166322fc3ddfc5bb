//! How long the box takes for a frame, measured for one in so many of each CPU: from the first stage behind the root to
//! what becomes of it.

use crate::buckets::{self, BUCKETS};
use crate::scratch::Scratch;

/// The first bucket ends at two to this power nanoseconds.
pub const FIRST: u32 = 6;

/// What was measured on one port. All grow and never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Processing {
    /// Sum of the times, nanoseconds.
    pub sum: u64,
    /// Frames by their time, see [`FIRST`].
    pub times: [u64; BUCKETS],
}

impl Processing {
    /// Adds a frame that took this long.
    #[inline(always)]
    pub fn add(&mut self, nanoseconds: u64) {
        self.sum = self.sum.wrapping_add(nanoseconds);
        let bucket = core::hint::black_box(buckets::bucket::<FIRST>(nanoseconds));
        if let Some(cell) = self.times.get_mut(bucket & (BUCKETS - 1)) {
            *cell = cell.wrapping_add(1);
        }
    }
}

/// At the beginning of a frame: true for one in `every`, whose beginning the caller notes.
#[must_use]
#[inline(always)]
pub fn is_measured(scratch: &mut Scratch, every: u32) -> bool {
    let due = scratch.unmeasured == 0;
    scratch.unmeasured = if due { every } else { scratch.unmeasured }.wrapping_sub(1);
    due
}

const _: () = assert!(core::mem::size_of::<Processing>() == 136);
