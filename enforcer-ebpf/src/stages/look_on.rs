//! What is looked at beside the verdict: reports, the devices' health, the candidate policy.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{Settings, loss, place, slot};
use enforcer_common::action::Action;
use enforcer_common::environment::Environment as _;
use enforcer_common::judge::Progress;
use enforcer_common::scratch::Scratch;
use enforcer_common::{candidate, health};

use super::act::act;
use super::judge::keep_or_act;
use super::{call, image, is_of, missing, scratch};
use crate::environment::{Maps, lose};
use crate::maps;

/// Goes on to what is looked at beside the verdict, where somebody wants to know: the devices' health, then the candidate
/// policy, which writes its own conduit over the frame's. Returns where nobody does.
#[inline(always)]
pub(super) fn look_on(context: &XdpContext, scratch: &Scratch, settings: &Settings) {
    if settings.health != 0 {
        call::<{ slot::HEALTH }>(context);
        lose(loss::STAGES);
    }
    try_candidate(context, scratch, settings);
}

/// How the device does, as far as the frame shows it.
#[xdp(frags)]
#[inline(always)]
pub fn health(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    health::note(&mut Maps::new(&context), scratch);
    if let Some(settings) = maps::SETTINGS.get(0) {
        try_candidate(&context, scratch, settings);
    }
    act(&context, scratch, Action::from_code(scratch.action))
}

/// Goes on to the candidate policy, where there is one and it was asked something. Returns when not.
#[inline(always)]
fn try_candidate(context: &XdpContext, scratch: &Scratch, settings: &Settings) {
    if scratch.asked != 0 && settings.candidate != 0 {
        call::<{ slot::CANDIDATE }>(context);
        lose(loss::COMPARISONS);
    }
}

/// What the candidate policy says of a frame that is decided, as far as it is remembered.
#[xdp(frags)]
#[inline(always)]
pub fn candidate(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let action = Action::from_code(scratch.action);
    let Some(policy) = image(place::CANDIDATE) else {
        return act(&context, scratch, action);
    };
    let environment = &mut Maps::new(&context);
    if candidate::locate(policy, environment, scratch) {
        if candidate::remembered(policy, environment, scratch) != Progress::Done {
            call::<{ slot::COMPARE_POLICY }>(&context);
            lose(loss::COMPARISONS);
        }
        tell(&context, scratch);
    }
    act(&context, scratch, action)
}

/// Counts what was compared, and goes on where something differs. Returns where nothing does.
#[inline(always)]
fn tell(context: &XdpContext, scratch: &Scratch) {
    Maps::new(context).compared(scratch.judging.compared);
    if candidate::has_news(scratch) {
        call::<{ slot::DIFFERENCES }>(context);
        lose(loss::COMPARISONS);
    }
}

/// Writes down about what the candidate says something else.
#[xdp(frags)]
#[inline(always)]
pub fn differences(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    candidate::tell(&mut Maps::new(&context), scratch);
    act(&context, scratch, Action::from_code(scratch.action))
}

/// The same for what must be searched for in the candidate.
#[xdp(frags)]
#[inline(always)]
pub fn compare_policy(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let action = Action::from_code(scratch.action);
    let Some(policy) = image(place::CANDIDATE) else {
        return act(&context, scratch, action);
    };
    // Another candidate may have come in between.
    if is_of(scratch, policy) && candidate::search(policy, &mut Maps::new(&context), scratch) {
        // The calls that a frame has left are for what becomes of it.
        scratch.judging.calls += 1;
        if scratch.judging.calls < 4 {
            call::<{ slot::COMPARE_POLICY }>(&context);
        }
        lose(loss::COMPARISONS);
    }
    tell(&context, scratch);
    act(&context, scratch, action)
}

/// Events and observations.
#[xdp(frags)]
#[inline(always)]
pub fn report(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    enforcer_common::report::report(&mut Maps::new(&context), scratch);
    if let Some(settings) = maps::SETTINGS.get(0) {
        look_on(&context, scratch, settings);
    }
    keep_or_act(&context, scratch, Action::from_code(scratch.action))
}
