//! What becomes of a frame.

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS, XDP_TX};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{Settings, loss, slot};
use enforcer_common::action::{self, Action};
use enforcer_common::environment::Environment as _;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;

use super::{call, missing, scratch};
use crate::environment::{Maps, lose};
use crate::maps;

/// Notes how long the frame took, and lets it go.
#[xdp(frags)]
#[inline(always)]
pub fn measure(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let took = Maps::new(&context).clock().wrapping_sub(scratch.begun);
    scratch.begun = 0;
    if let Some(known) = maps::PROCESSING.get_ptr_mut(u32::from(scratch.frame.side & 1)) {
        // SAFETY: this CPU's own copy of a live map value.
        unsafe { (*known).add(took) };
    }
    let_go(&context, scratch, Action::from_code(scratch.action))
}

/// The same for a frame from `side` that passes without a record.
#[inline(always)]
pub(super) fn pass(context: &XdpContext, settings: &Settings, scratch: &mut Scratch, side: Side) -> u32 {
    if scratch.begun != 0 {
        scratch.frame.side = side as u8;
        call::<{ slot::MEASURE }>(context);
        lose(loss::STAGES);
    }
    if settings.across == 0 { XDP_PASS } else { cross(side) }
}

/// What becomes of the frame: noted first, where it is one of those that are measured.
#[inline(always)]
pub(super) fn act(context: &XdpContext, scratch: &Scratch, action: Action) -> u32 {
    if scratch.begun != 0 {
        call::<{ slot::MEASURE }>(context);
        lose(loss::STAGES);
    }
    let_go(context, scratch, action)
}

/// What the driver does with the frame.
#[inline(always)]
fn let_go(context: &XdpContext, scratch: &Scratch, action: Action) -> u32 {
    match action {
        Action::Forward => forward(scratch),
        Action::Drop => XDP_DROP,
        Action::Reset => {
            call::<{ slot::RESET }>(context);
            XDP_DROP
        }
    }
}

/// To the other port, or to the bridge.
#[inline(always)]
fn forward(scratch: &Scratch) -> u32 {
    if scratch.ordinary != Scratch::PASSED && !action::may_cross(&scratch.frame, scratch.outcome) {
        return XDP_PASS;
    }
    cross(Side::from_code(scratch.frame.side))
}

/// Straight to the other port, or where there is none to the bridge.
#[inline(always)]
fn cross(side: Side) -> u32 {
    // An empty cell answers with the fallback.
    match maps::ACROSS.redirect(side as u32, u64::from(XDP_PASS)) {
        Ok(answer) | Err(answer) => answer,
    }
}

/// Sends a marked frame out of a port, for the controller to see whether its driver takes it.
#[xdp(frags)]
pub fn trial(_context: XdpContext) -> u32 {
    match maps::TRIAL.redirect(0, u64::from(XDP_DROP)) {
        Ok(answer) | Err(answer) => answer,
    }
}

/// Turns a denied segment into a reset for its sender, and sends it back out of the port it came in by.
#[xdp(frags)]
pub fn reset(context: XdpContext) -> u32 {
    match scratch() {
        Some(scratch) if crate::reset::write(&context, &scratch.frame) => XDP_TX,
        _ => XDP_DROP,
    }
}

/// Does nothing: what benchmarks compare with.
#[xdp(frags)]
pub fn empty(_context: XdpContext) -> u32 {
    XDP_PASS
}
