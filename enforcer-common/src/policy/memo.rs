//! What was found about an operation before. Control traffic repeats itself: the same station asks for the same registers
//! again and again, and the search in the policy gives the same answer until another generation comes.
//!
//! Operations of one range without decoded values are remembered: of those the finding hangs on nothing else. Others are where
//! it hangs on neither range nor value.

use crate::operation::Operation;
use crate::scratch::Finding;

/// Entries, a power of two.
pub const MEMOS: usize = 256;
const MASK: u32 = 0xff;
const _: () = assert!(MASK as usize == MEMOS - 1);

/// One operation and what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Memo {
    /// Generation of the policy; 0: the entry is empty.
    pub generation: u32,
    /// The operation's.
    pub function: u32,
    /// The operation's.
    pub unit: u32,
    /// The operation's.
    pub space: u32,
    /// The operation's.
    pub first: u32,
    /// The operation's.
    pub last: u32,
    /// Conduit id, and the operation's class in the upper 16 bits.
    pub conduit: u32,
    /// What was found.
    pub finding: Finding,
}

/// Index of an operation's entry.
#[must_use]
#[inline(always)]
pub const fn place(operation: &Operation) -> u32 {
    let mixed = operation.first.wrapping_mul(0x9e37_79b1)
        ^ operation.last.wrapping_mul(0x27d4_eb2f)
        ^ operation.function.wrapping_mul(0x85eb_ca6b);
    (mixed ^ operation.unit.wrapping_mul(0xc2b2_ae35) ^ operation.space) >> 11 & MASK
}

impl Memo {
    /// True when the entry is about this operation.
    #[must_use]
    #[inline(always)]
    pub const fn is_about(&self, generation: u32, conduit: u16, operation: &Operation) -> bool {
        let other = (self.generation ^ generation)
            | (self.function ^ operation.function)
            | (self.unit ^ operation.unit)
            | (self.space ^ operation.space)
            | (self.first ^ operation.first)
            | (self.last ^ operation.last)
            | (self.conduit ^ who(conduit, operation));
        other == 0
    }

    /// Writes the entry.
    #[inline(always)]
    pub const fn set(&mut self, generation: u32, conduit: u16, operation: &Operation, finding: &Finding, bits: u8) {
        self.generation = generation;
        self.function = operation.function;
        self.unit = operation.unit;
        self.space = operation.space;
        self.first = operation.first;
        self.last = operation.last;
        self.conduit = who(conduit, operation);
        self.finding.node = finding.node;
        self.finding.rule = finding.rule;
        self.finding.reason = finding.reason;
        self.finding.bits = bits;
    }
}

#[inline(always)]
const fn who(conduit: u16, operation: &Operation) -> u32 {
    (operation.access as u32) << 16 | conduit as u32
}
