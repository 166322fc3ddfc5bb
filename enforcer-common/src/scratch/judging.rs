//! What the judge leaves.

use crate::policy::{CANDIDATES_PER_SEGMENT, Run};

/// What the judge carries from one object range to the next, and from one candidate to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Judging {
    /// Rules that cover every range of the unit so far; [`crate::operation::NO_RULE`] where there is none.
    pub survivors: [u16; CANDIDATES_PER_SEGMENT as usize],
    /// What the rules say about the range at hand.
    pub range: Finding,
    /// What they say about the unit so far.
    pub unit: Finding,
    /// Record that `unit` is about.
    pub index: u32,
    /// Non-zero: no range of the unit came before.
    pub first: u8,
    /// Non-zero: another range of the unit follows.
    pub continued: u8,
    /// [`Reason`] code of what the active policy said of the unit, while the candidate is asked.
    pub was: u8,
    /// Record whose value was held against the last one, counted from 1; 0: none was.
    pub stepped: u8,
    /// Operations compared with the candidate.
    pub compared: u32,
    /// How often the search was called again, while the candidate is asked.
    pub calls: u8,
    /// Non-zero: the candidate says something else about one of them.
    pub differs: u8,
    /// Record that holds `was`.
    pub held: u8,
    /// Always 0.
    pub padding: u8,
    /// Record to judge next.
    pub next: u32,
    /// Unit segment that holds the range at hand.
    pub segment: u32,
    /// Candidates for the range at hand.
    pub candidates: Run,
    /// Smallest value of which the same is found as of the range at hand, see [`Finding::VALUED`].
    pub value_min: i64,
    /// Largest one.
    pub value_max: i64,
    /// What was found about the frame's first units.
    pub found: [Finding; UNITS],
    /// Units that were judged.
    pub units: u32,
    /// Always 0.
    pub padding2: u32,
}

/// Units of one frame whose findings are kept, a power of two.
pub const UNITS: usize = 4;

/// What the rules say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Finding {
    /// Function node that was used, for its counters; `u32::MAX` when no rule names the function.
    pub node: u32,
    /// Rule that decided, or [`crate::operation::NO_RULE`].
    pub rule: u16,
    /// [`crate::verdict::Reason`] code; 0 before anything is found.
    pub reason: u8,
    /// In what is remembered: the bits below.
    pub bits: u8,
}

impl Finding {
    /// The rule has a rate.
    pub const RATED: u8 = 1;
    /// Of this function and unit the same is found whatever the object and the values.
    pub const GENERAL: u8 = 2;
    /// The same is found for all values between two bounds, and for no operation without values.
    pub const VALUED: u8 = 4;
}
