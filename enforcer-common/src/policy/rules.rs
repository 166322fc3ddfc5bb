//! Does a rule cover the operation? The sentence this implements: *an operation passes when some allow or log rule of its
//! conduit covers it whole (function, unit, all objects, all values) and no deny rule touches it; everything else is
//! denied.* The order of rules never matters: log wins over allow, and of several rules the first in the file is named.

use super::image::{
    ANY_FUNCTION, ANY_SPACE, CANDIDATES_PER_SEGMENT, Candidate, Conduit, DENIALS_PER_UNIT, Function, Image, Run, Unit,
};
use super::lookup::{get, last_at_or_below};
use crate::operation::{Access, NO_RULE, Operation};
use crate::verdict::Reason;

/// What the rules say about one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `RuleAllow`, `RuleLog`, `RuleDeny` or the reason why no rule covers it.
    pub reason: Reason,
    /// The rule, or [`NO_RULE`].
    pub rule: u16,
    /// Function node that was used, for its counters; `u32::MAX` when no rule names the function.
    pub node: u32,
}

/// Rules that cover all object ranges of a unit seen so far: a unit with several ranges passes by one rule alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivors {
    rules: [u16; CANDIDATES_PER_SEGMENT as usize],
    count: u32,
}

impl Survivors {
    /// Nothing excluded yet.
    pub const START: Self = Self { rules: [NO_RULE; CANDIDATES_PER_SEGMENT as usize], count: 0 };

    #[inline(always)]
    fn contains(&self, rule: u16) -> bool {
        self.rules.contains(&rule)
    }

    #[inline(always)]
    fn add(&mut self, rule: u16) {
        if let Some(slot) = self.rules.get_mut(self.count as usize & const { CANDIDATES_PER_SEGMENT as usize - 1 }) {
            *slot = rule;
        }
        self.count = self.count.wrapping_add(1);
    }
}

impl Image {
    /// Judges one operation that stands alone in its unit.
    #[must_use]
    #[inline(always)]
    pub fn judge(&self, conduit: u16, operation: &Operation) -> Finding {
        let (node, unit) = match self.unit_of(conduit, operation) {
            Ok(found) => found,
            Err(finding) => return finding,
        };
        if let Some(rule) = self.denied(unit, operation) {
            return Finding { reason: Reason::RuleDeny, rule, node };
        }
        self.first_covering(node, unit, operation)
    }

    /// Judges one object range of a unit that has several. `survivors` holds the rules that cover the ranges before it
    /// when `first` is false, and those that cover this one as well afterwards.
    #[must_use]
    #[inline(always)]
    pub fn judge_part(&self, conduit: u16, operation: &Operation, first: bool, survivors: &mut Survivors) -> Finding {
        let before = *survivors;
        *survivors = Survivors::START;
        let (node, unit) = match self.unit_of(conduit, operation) {
            Ok(found) => found,
            Err(finding) => return finding,
        };
        if let Some(rule) = self.denied(unit, operation) {
            return Finding { reason: Reason::RuleDeny, rule, node };
        }
        let mut finding = Finding { reason: self.uncovering(unit), rule: NO_RULE, node };
        let run = self.candidates_of(unit, operation);
        for step in 0..CANDIDATES_PER_SEGMENT {
            if step >= run.count {
                break;
            }
            let Some(candidate) = get(&self.candidates, run.first.wrapping_add(step)) else {
                break;
            };
            match covers(candidate, operation) {
                Ok(()) if first || before.contains(candidate.rule) => {
                    survivors.add(candidate.rule);
                    if finding.rule == NO_RULE {
                        finding.rule = candidate.rule;
                        finding.reason = pass(candidate);
                    }
                }
                Ok(()) => {}
                Err(reason) if finding.rule == NO_RULE => finding.reason = closer(finding.reason, reason),
                Err(_) => {}
            }
        }
        finding
    }

    #[inline(always)]
    fn unit_of(&self, conduit: u16, operation: &Operation) -> Result<(u32, &Unit), Finding> {
        const NONE: Finding = Finding { reason: Reason::FunctionNotAllowed, rule: NO_RULE, node: u32::MAX };
        let conduit: &Conduit = get(&self.conduits, conduit as u32).ok_or(NONE)?;
        let node = self.function_of(conduit.functions, operation.function).ok_or(NONE)?;
        let function: &Function = get(&self.functions, node).ok_or(NONE)?;
        let index = last_at_or_below(&self.units, function.units, |unit| unit.first <= operation.unit).ok_or(NONE)?;
        let unit = get(&self.units, index).ok_or(NONE)?;
        Ok((node, unit))
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
            let space = denial.space == ANY_SPACE || denial.space == operation.space;
            let objects = denial.first <= operation.last && operation.first <= denial.last;
            let values = denial.has_values == 0
                || (operation.has(Operation::HAS_VALUE)
                    && denial.value_min <= operation.value_max
                    && operation.value_min <= denial.value_max);
            if space && objects && values {
                return Some(denial.rule);
            }
        }
        None
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

    #[inline(always)]
    fn first_covering(&self, node: u32, unit: &Unit, operation: &Operation) -> Finding {
        let run = self.candidates_of(unit, operation);
        let mut reason = self.uncovering(unit);
        for step in 0..CANDIDATES_PER_SEGMENT {
            if step >= run.count {
                break;
            }
            let Some(candidate) = get(&self.candidates, run.first.wrapping_add(step)) else {
                break;
            };
            match covers(candidate, operation) {
                Ok(()) => return Finding { reason: pass(candidate), rule: candidate.rule, node },
                Err(nearer) => reason = closer(reason, nearer),
            }
        }
        Finding { reason, rule: NO_RULE, node }
    }

    /// Why nothing covers an operation of this unit, before any candidate was looked at.
    #[inline(always)]
    fn uncovering(&self, unit: &Unit) -> Reason {
        if unit.segments.count == 0 && unit.candidates.count == 0 {
            Reason::UnitNotAllowed
        } else {
            Reason::ObjectNotAllowed
        }
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

/// Of two reasons the one that names the nearer miss.
#[inline(always)]
fn closer(one: Reason, other: Reason) -> Reason {
    if other as u8 > one as u8 { other } else { one }
}
