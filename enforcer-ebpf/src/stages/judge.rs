//! The stages that decide.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{loss, slot};
use enforcer_common::action::Action;
use enforcer_common::decide;
use enforcer_common::judge::{self as judging, Progress};
use enforcer_common::known;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Reason;

use super::act::act;
use super::look_on::look_on;
use super::{begin, call, is_of, missing, policy, scratch};
use crate::environment::{Maps, lose};
use crate::maps;
use crate::window::Window;

/// Judge, count, commit. Without the policy: what is not remembered is left to [`search`].
#[xdp(frags)]
#[inline(always)]
pub fn judge(context: XdpContext) -> u32 {
    match scratch() {
        Some(scratch) => judged::<{ judging::STEP_REMEMBERED }>(&context, scratch),
        None => missing(),
    }
}

/// Judges what is remembered, `STEPS` operations of it, and concludes where that is all.
#[inline(always)]
pub(super) fn judged<const STEPS: u32>(context: &XdpContext, scratch: &mut Scratch) -> u32 {
    match judging::remembered::<STEPS, _>(&mut Maps::new(context), scratch) {
        Progress::Done => return conclude(context, scratch),
        Progress::More => call::<{ slot::JUDGE }>(context),
        Progress::Search => call::<{ slot::SEARCH }>(context),
    }
    missing()
}

/// The same for what must be searched for in the policy.
#[xdp(frags)]
#[inline(always)]
pub fn search(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    if !is_of(scratch, policy) {
        begin(&context, Side::from_code(scratch.frame.side));
        return missing();
    }
    if judging::units(policy, &mut Maps::new(&context), scratch) {
        call::<{ slot::SEARCH }>(&context);
        return missing();
    }
    conclude(&context, scratch)
}

/// All operations are judged.
#[inline(always)]
fn conclude(context: &XdpContext, scratch: &mut Scratch) -> u32 {
    let mut action = decide::conclude(&mut Maps::new(context), scratch);
    let settings = if scratch.looked_on != 0 { maps::SETTINGS.get(0) } else { None };
    if let Some(settings) = settings
        // The controller is silent and nothing may pass then: but what is for the box itself, where people look for it.
        && settings.is_blocked(scratch.now)
        && scratch.outcome != Reason::Management as u8
    {
        action = Action::Drop;
        scratch.action = Action::Drop as u8;
    }
    if scratch.report != 0 {
        call::<{ slot::REPORT }>(context);
        lose(loss::STAGES);
    }
    if let Some(settings) = settings {
        look_on(context, scratch, settings);
    }
    keep_or_act(context, scratch, action)
}

/// Keeps the request for when it comes again, where it is worth that; then what becomes of it.
#[inline(always)]
pub(super) fn keep_or_act(context: &XdpContext, scratch: &Scratch, action: Action) -> u32 {
    if known::is_worth_keeping(scratch) {
        call::<{ slot::KEEP }>(context);
        lose(loss::STAGES);
    }
    act(context, scratch, action)
}

/// Keeps a request that was judged.
#[xdp(frags)]
#[inline(always)]
pub fn keep(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    if let Some(policy) = policy()
        && is_of(scratch, policy)
    {
        known::keep(&Window::new(&context), policy, &mut Maps::new(&context), scratch);
    }
    act(&context, scratch, Action::from_code(scratch.action))
}
