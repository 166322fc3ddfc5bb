//! Does a rule cover the operation? The sentence this implements: *an operation passes when some allow or log rule of its
//! conduit covers it whole (function, unit, all objects, all values) and no deny rule touches it; everything else is
//! denied.* The order of rules never matters: log wins over allow, and of several rules the first in the file is named.

use core::hint::black_box;

use super::image::{ANY_FUNCTION, ANY_SPACE, CANDIDATES_PER_SEGMENT, Candidate, DENIALS_PER_UNIT, Image, Run, Unit};
use super::lookup::{get, last_at_or_below};
use crate::operation::{Access, NO_RULE, Operation};
use crate::scratch::{Finding, Judging};
use crate::verdict::Reason;

/// Where more deny rules can touch a unit, nothing is remembered of its values.
const DRAWN_IN: u32 = 4;

impl Image {
    /// Judges one object range: fills `judging.range`. `judging.survivors` holds the rules that cover all ranges of the
    /// unit before it and, when another follows, those that cover this one as well afterwards: a unit with several ranges
    /// passes by one rule alone.
    #[inline(always)]
    pub fn judge(&self, conduit: u16, operation: &Operation, judging: &mut Judging) {
        judging.range = Finding { node: u32::MAX, rule: NO_RULE, reason: Reason::FunctionNotAllowed as u8, bits: 0 };
        let Some(conduit) = get(&self.conduits, conduit as u32) else {
            return;
        };
        let Some(node) = self.function_of(conduit.functions, operation.function) else {
            return;
        };
        judging.range.node = node;
        // What each search found is written down and read back: the paths through it join before the next one.
        let judging = black_box(judging);
        let Some(function) = get(&self.functions, judging.range.node) else {
            return;
        };
        let Some(index) = last_at_or_below(&self.units, function.units, |unit| unit.first <= operation.unit) else {
            return;
        };
        judging.segment = index;
        let judging = black_box(judging);
        let Some(unit) = get(&self.units, judging.segment) else {
            return;
        };
        if let Some(rule) = self.denied(unit, operation) {
            judging.range.rule = rule;
            judging.range.reason = Reason::RuleDeny as u8;
            return;
        }
        judging.range.bits = ((unit.denials.count <= DRAWN_IN) as u8) << const { Finding::VALUED.trailing_zeros() };
        judging.range.reason = uncovering(unit) as u8;
        // Nothing denies a part, and no rule names objects. What the candidate at hand adds to that is seen below.
        let general = (unit.denials.count | unit.segments.count == 0) as u8;
        judging.range.bits |= Finding::GENERAL & general.wrapping_neg();
        judging.candidates = self.candidates_of(unit, operation);
        for step in 0..CANDIDATES_PER_SEGMENT {
            let judging = black_box(&mut *judging);
            let run = judging.candidates;
            if step >= run.count || judging.range.rule != NO_RULE {
                break;
            }
            if let Some(candidate) = get(&self.candidates, run.first.wrapping_add(step)) {
                weigh(candidate, step == 0, operation, judging);
            }
        }
        if judging.continued != 0 {
            self.narrow(operation, black_box(judging));
        }
    }

    /// Leaves in `survivors` the rules that cover this range as well.
    #[inline(always)]
    fn narrow(&self, operation: &Operation, judging: &mut Judging) {
        for place in 0..CANDIDATES_PER_SEGMENT {
            let judging = black_box(&mut *judging);
            let first = judging.first != 0;
            let run = judging.candidates;
            let Some(survivor) = judging.survivors.get_mut(place as usize) else {
                break;
            };
            let before = *survivor;
            *survivor = NO_RULE;
            for step in 0..CANDIDATES_PER_SEGMENT {
                let survivor = black_box(&mut *survivor);
                if step >= run.count {
                    break;
                }
                if let Some(candidate) = get(&self.candidates, run.first.wrapping_add(step))
                    && (if first { step == place } else { candidate.rule == before })
                    && covers(candidate, operation).is_ok()
                {
                    *survivor = candidate.rule;
                }
            }
        }
    }

    /// Index of the node for `function`, else of the one for any function.
    #[inline(always)]
    fn function_of(&self, run: Run, function: u32) -> Option<u32> {
        let index = last_at_or_below(&self.functions, run, |node| node.function <= function);
        if let Some(index) = index
            && let Some(node) = get(&self.functions, index)
            && node.function == function
        {
            return Some(index);
        }
        if run.count == 0 {
            return None;
        }
        let last = run.first.wrapping_add(run.count).wrapping_sub(1);
        match get(&self.functions, last) {
            Some(node) if node.function == ANY_FUNCTION => Some(last),
            _ => None,
        }
    }

    /// The deny rule that touches the operation, if any.
    #[inline(always)]
    fn denied(&self, unit: &Unit, operation: &Operation) -> Option<u16> {
        for step in 0..DENIALS_PER_UNIT {
            if step >= unit.denials.count {
                break;
            }
            let denial = get(&self.denials, unit.denials.first.wrapping_add(step))?;
            // One question after the other: as values of their own, the answers would multiply the verifier's paths.
            if denial.space != ANY_SPACE && denial.space != operation.space {
                continue;
            }
            if denial.first > operation.last || operation.first > denial.last {
                continue;
            }
            if denial.has_values != 0 {
                // A write whose values are not decoded may hold any value.
                if !operation.has(Operation::HAS_VALUE) {
                    if operation.access == Access::Read as u8 {
                        continue;
                    }
                } else if denial.value_min > operation.value_max || operation.value_min > denial.value_max {
                    continue;
                }
            }
            return Some(denial.rule);
        }
        None
    }

    /// Draws the bounds in `judging`, within which the rule that was found holds for the operation's objects, in to where
    /// values of deny rules begin. Those of the operation lie beside them.
    #[inline(always)]
    pub fn draw_in(&self, operation: &Operation, judging: &mut Judging) {
        let Some(unit) = get(&self.units, judging.segment) else {
            return;
        };
        for step in 0..DRAWN_IN {
            let judging = black_box(&mut *judging);
            if step >= unit.denials.count {
                break;
            }
            let Some(denial) = get(&self.denials, unit.denials.first.wrapping_add(step)) else {
                break;
            };
            if denial.space != ANY_SPACE && denial.space != operation.space {
                continue;
            }
            if denial.first > operation.last || operation.first > denial.last {
                continue;
            }
            if denial.value_min > operation.value_max {
                judging.value_max = judging.value_max.min(denial.value_min.wrapping_sub(1));
            } else {
                judging.value_min = judging.value_min.max(denial.value_max.wrapping_add(1));
            }
        }
    }

    /// Candidates for the operation's object.
    #[inline(always)]
    fn candidates_of(&self, unit: &Unit, operation: &Operation) -> Run {
        let key = (operation.space, operation.first);
        let index = last_at_or_below(&self.segments, unit.segments, |segment| {
            segment.space < key.0 || (segment.space == key.0 && segment.first <= key.1)
        });
        match index.and_then(|index| get(&self.segments, index)) {
            Some(segment) if segment.space == operation.space => segment.candidates,
            _ => unit.candidates,
        }
    }
}

/// Why nothing covers an operation of this unit, before any candidate was looked at.
#[inline(always)]
fn uncovering(unit: &Unit) -> Reason {
    if unit.segments.count == 0 && unit.candidates.count == 0 {
        Reason::UnitNotAllowed
    } else {
        Reason::ObjectNotAllowed
    }
}

/// Lets one candidate decide about the range, or come near it. The first one that covers whatever there is decides about every
/// range.
#[inline(always)]
fn weigh(candidate: &Candidate, is_first: bool, operation: &Operation, judging: &mut Judging) {
    match covers(candidate, operation) {
        Ok(()) => {
            if judging.first != 0 || judging.survivors.contains(&candidate.rule) {
                judging.range.rule = candidate.rule;
                judging.range.reason = pass(candidate) as u8;
                let all = is_first as u32 & (candidate.has_values == 0) as u32 & (candidate.last == u32::MAX) as u32;
                let valued = (is_first as u8).wrapping_neg() & Finding::VALUED;
                judging.range.bits &= (all.wrapping_neg() & 0xff) as u8 | valued;
                // Without a branch: whatever the value is, where the rule has none.
                let any = ((candidate.has_values == 0) as i64).wrapping_neg();
                judging.value_min = candidate.value_min & !any | i64::MIN & any;
                judging.value_max = candidate.value_max & !any | i64::MAX & any;
            }
        }
        // Of two near misses the nearer one is named: value after object after unit.
        Err(reason) => judging.range.reason = judging.range.reason.max(reason as u8),
    }
}

/// Does the candidate, which covers the operation's first object, cover the last one and the values too?
#[inline(always)]
fn covers(candidate: &Candidate, operation: &Operation) -> Result<(), Reason> {
    if operation.last > candidate.last {
        return Err(Reason::ObjectNotAllowed);
    }
    // Values bind what carries values. A read passes; a write whose values are not decoded does not.
    if candidate.has_values == 0 || operation.access == Access::Read as u8 {
        return Ok(());
    }
    if operation.has(Operation::HAS_VALUE)
        && candidate.value_min <= operation.value_min
        && operation.value_max <= candidate.value_max
    {
        Ok(())
    } else {
        Err(Reason::ValueNotAllowed)
    }
}

#[inline(always)]
fn pass(candidate: &Candidate) -> Reason {
    if candidate.log == 0 { Reason::RuleAllow } else { Reason::RuleLog }
}
