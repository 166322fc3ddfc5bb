//! How far a written value may be from the last one: the `max_step` of rules.
//!
//! Such a rule covers writes of one object: of several, the smallest and the largest value are known, and not which object
//! gets which. A value counts as the last one when it went on to the device.

use crate::environment::Environment;
use crate::operation::Operation;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Stands for: nothing was written yet.
pub const UNKNOWN: i64 = i64::MIN;

/// What a last value is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct LastKey {
    /// Device; IPv4 addresses mapped into IPv6.
    pub server: [u8; 16],
    /// Unit.
    pub unit: u32,
    /// Kind of object.
    pub space: u32,
    /// Object.
    pub object: u32,
}

impl LastKey {
    /// Set in `space` where the value went on under a rule of the candidate: which values one policy measures from says
    /// nothing of the other.
    const CANDIDATE: u32 = 1 << 31;

    /// The key of the first object of `operation`, which goes to `server`.
    #[must_use]
    #[inline(always)]
    pub const fn of(server: [u8; 16], operation: &Operation, candidate: bool) -> Self {
        let space = operation.space | if candidate { Self::CANDIDATE } else { 0 };
        Self { server, unit: operation.unit, space, object: operation.first }
    }

    /// True for a value that went on under a rule of the candidate.
    #[must_use]
    pub const fn is_candidates(&self) -> bool {
        self.space & Self::CANDIDATE != 0
    }

    /// The same object's key for the policy in force.
    #[must_use]
    pub const fn in_force(self) -> Self {
        Self { space: self.space & !Self::CANDIDATE, ..self }
    }
}

/// True when the value of the operation at `index` is at most `max_step` from the last one of its object, or the first one
/// there. False where that cannot be told: several objects, a value that is not decoded, no room to remember it. Of the first
/// one that the `CANDIDATE` sees it says what the active policy said, which may have seen others.
#[inline(always)]
pub fn within<const CANDIDATE: bool, E: Environment>(
    environment: &mut E,
    scratch: &Scratch,
    index: u32,
    max_step: u32,
) -> bool {
    let Some(operation) = scratch.operation(index) else {
        return false;
    };
    if !operation.has(Operation::HAS_VALUE) || operation.last != operation.first {
        return false;
    }
    let Some(last) = environment.last_value(&LastKey::of(scratch.frame.destination, operation, CANDIDATE)) else {
        return false;
    };
    if CANDIDATE && *last == UNKNOWN {
        return scratch.judging.was != Reason::StepTooLarge as u8;
    }
    *last == UNKNOWN || last.abs_diff(operation.value_max) <= max_step as u64
}

/// Takes the value that a rule was asked about, if one was, for the last one. Called for frames that go on.
#[inline(always)]
pub fn remember<const CANDIDATE: bool, E: Environment>(environment: &mut E, scratch: &Scratch) {
    if scratch.judging.stepped == 0 {
        return;
    }
    let Some(operation) = scratch.operation((scratch.judging.stepped as u32).wrapping_sub(1)) else {
        return;
    };
    if let Some(last) = environment.last_value(&LastKey::of(scratch.frame.destination, operation, CANDIDATE)) {
        *last = operation.value_max;
    }
}

const _: () = assert!(core::mem::size_of::<LastKey>() == 28);
