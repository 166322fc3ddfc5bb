//! What leaves the box about a frame: events for what is not simply allowed, observations for learning.
//!
//! Runs after the judge, and only for frames that have something to report; in the kernel it is a program of its own.

use crate::action::Action;
use crate::environment::Environment;
use crate::operation::Operation;
use crate::policy;
use crate::scratch::{MOST, Scratch};
use crate::verdict::{Reason, Verdict};

/// Reports what the judge left in `scratch`.
#[inline(always)]
pub fn report<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    if scratch.count == 0 {
        whole_frame(environment, scratch);
        return;
    }
    if scratch.action == Action::Forward as u8 {
        policy::step::remember::<false, E>(environment, scratch);
    }
    for index in 0..MOST {
        if index >= scratch.count {
            break;
        }
        if let Some(record) = scratch.operation(index)
            && record.has(Operation::DECIDED)
            && worth_an_event(record.reason)
        {
            environment.emit(scratch, Some(index));
        }
    }
    for index in 0..MOST {
        let scratch = scratch.anew();
        if index >= scratch.count {
            break;
        }
        if is_written_down(scratch, index) {
            environment.observe(scratch, Some(index));
        }
    }
}

/// True for operations that the judge wants written down, and for those whose unit's finding stands in another record.
#[inline(always)]
fn is_written_down(scratch: &Scratch, index: u32) -> bool {
    match scratch.operation(index) {
        // In numbers, without a branch for the verifier to follow.
        Some(record) => record.repeats | (!record.flags & Operation::DECIDED) as u32 != 0,
        None => false,
    }
}

#[inline(always)]
fn whole_frame<E: Environment>(environment: &mut E, scratch: &Scratch) {
    if worth_an_event(scratch.outcome) {
        environment.emit(scratch, None);
    }
    if Reason::from_code(scratch.outcome).is_some_and(Reason::is_of_policy) {
        environment.observe(scratch, None);
    }
}

#[inline(always)]
fn worth_an_event(reason: u8) -> bool {
    match Reason::from_code(reason) {
        Some(reason) => reason.verdict() as u8 != Verdict::Allow as u8,
        None => true,
    }
}
