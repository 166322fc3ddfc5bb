//! What the memory of whole requests is asked for.

/// Bits of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bits {
    /// Which of eight bytes they are, the first one lowest.
    pub bits: u64,
    /// Offset of the first byte.
    pub at: u32,
    /// Always 0.
    pub padding: u32,
}

impl Bits {
    /// None.
    pub const NONE: Self = Self { bits: 0, at: 0, padding: 0 };
}

/// What the memory of whole requests is asked for, see [`crate::known`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Wanted {
    /// Place of the request's entry, counted from 1; 0: it is none that is kept.
    pub place: u32,
    /// How often it was seen without being written down.
    pub pending: u32,
    /// What its dissector knew of the units before.
    pub context: u32,
    /// Always 0.
    pub padding: u32,
    /// Bits in which it is another one than the one that is kept.
    pub other: u64,
    /// On these no decision hangs.
    pub left_out: [Bits; 3],
}

impl Wanted {
    /// Nothing.
    pub const EMPTY: Self = Self { place: 0, pending: 0, context: 0, padding: 0, other: 0, left_out: [Bits::NONE; 3] };

    /// Of another request, about which nothing is said yet: bits at the frame's first byte are none of its payload.
    #[inline(always)]
    pub const fn begin(&mut self, place: u32, context: u32) {
        self.place = place;
        self.pending = 0;
        self.context = context;
        let [one, two, three] = &mut self.left_out;
        (one.at, two.at, three.at) = (0, 0, 0);
    }
}
