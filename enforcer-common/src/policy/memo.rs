//! What was found about an operation before. Control traffic repeats itself: the same station asks for the same registers
//! again and again, and the search in the policy gives the same answer until another generation comes.
//!
//! Operations of one range are remembered: without decoded values the finding hangs on nothing else, with them on the bounds
//! that the rule sets, which are kept. Others are where it hangs on neither range nor value.

use crate::operation::Operation;
use crate::scratch::{Finding, Judging};

/// Entries: as many for the candidate policy behind those for the active one.
pub const MEMOS: usize = 512;
/// Where the candidate's begin.
pub const CANDIDATE: u32 = 256;
const MASK: u32 = 0xff;
const _: () = assert!(MASK + 1 == CANDIDATE && CANDIDATE as usize * 2 == MEMOS);

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
    /// Slot of the conversation in which it was written down last.
    pub slot: u32,
    /// When, in [`minute`]s.
    pub minute: u32,
    /// How often it was seen there since.
    pub pending: u32,
    /// Smallest value of which this was found, see [`Finding::VALUED`].
    pub value_min: i64,
    /// Largest one.
    pub value_max: i64,
}

/// The boot time in nanoseconds as a number of stretches of a good minute: 2^36 ns are 69 seconds.
#[must_use]
#[inline(always)]
pub const fn minute(now: u64) -> u32 {
    (now >> 36) as u32
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

    /// True when it was found for some values alone.
    #[must_use]
    #[inline(always)]
    pub const fn is_valued(&self) -> bool {
        self.finding.bits & (Finding::GENERAL | Finding::VALUED) == Finding::VALUED
    }

    /// True when what was found of an operation like this one holds for it too: `more` ranges follow, and its values.
    #[must_use]
    #[inline(always)]
    pub const fn holds(&self, operation: &Operation, more: bool) -> bool {
        self.finding.bits & Finding::RATED == 0 && self.is_found(operation, more)
    }

    /// The same of the rule that was found, which may ask for more: see [`Finding::RATED`].
    #[must_use]
    #[inline(always)]
    pub const fn is_found(&self, operation: &Operation, more: bool) -> bool {
        let bits = self.finding.bits;
        if bits & Finding::GENERAL != 0 {
            return true;
        }
        if more {
            return false;
        }
        if !self.is_valued() {
            return !operation.has(Operation::HAS_VALUE);
        }
        operation.has(Operation::HAS_VALUE)
            && self.value_min <= operation.value_min
            && operation.value_max <= self.value_max
    }

    /// One more sighting in the conversation in `slot`, and `more` that are still to be written down. How many are to be written
    /// down now, beside those: none of all while the last time is less than a minute ago and was for the same conversation.
    #[inline(always)]
    pub const fn sighted(&mut self, slot: u32, minute: u32, more: u32) -> u32 {
        let same = self.slot == slot;
        if same && self.minute == minute {
            self.pending = self.pending.wrapping_add(1).wrapping_add(more);
            return 0;
        }
        let pending = if same { self.pending } else { 0 };
        self.slot = slot;
        self.minute = minute;
        self.pending = 0;
        pending.wrapping_add(1)
    }

    /// Writes the entry.
    #[inline(always)]
    pub const fn set(&mut self, generation: u32, conduit: u16, operation: &Operation, judging: &Judging, bits: u8) {
        let finding = &judging.range;
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
        self.value_min = judging.value_min;
        self.value_max = judging.value_max;
        // Whoever found it writes it down; the next sighting is a new one.
        self.slot = u32::MAX;
        self.minute = 0;
        self.pending = 0;
    }
}

#[inline(always)]
const fn who(conduit: u16, operation: &Operation) -> u32 {
    (operation.access as u32) << 16 | conduit as u32
}
