//! The stages between the headers and the protocol: conduit, flow and stream.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::decide::{self, Next};
use enforcer_common::known;
use enforcer_common::port::Side;

use super::act::act;
use super::{begin, go_on, is_of, missing, policy, scratch};
use crate::environment::Maps;
use crate::window::Window;

/// Conduit, from the policy.
#[xdp(frags)]
#[inline(always)]
pub fn conduit(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let environment = &mut Maps::new(&context);
    let next = decide::locate(policy, environment, scratch);
    if next == Next::Protocol
        && let Some(action) = known::pass(&Window::new(&context), environment, scratch.anew())
    {
        return act(&context, scratch.anew(), action);
    }
    go_on(&context, scratch, next)
}

/// Flow and stream of TCP.
#[xdp(frags)]
#[inline(always)]
pub fn stream(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let side = Side::from_code(scratch.frame.side);
    let next = decide::follow(policy, &mut Maps::new(&context), scratch, side);
    go_on(&context, scratch, next)
}

/// TCP without flow.
#[xdp(frags)]
#[inline(always)]
pub fn handshake(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    if !is_of(scratch, policy) {
        begin(&context, Side::from_code(scratch.frame.side));
        return missing();
    }
    let next = decide::handshake(policy, &mut Maps::new(&context), scratch);
    go_on(&context, scratch, next)
}

/// A flow for a TCP segment.
#[xdp(frags)]
#[inline(always)]
pub fn claim(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    if !is_of(scratch, policy) {
        begin(&context, Side::from_code(scratch.frame.side));
        return missing();
    }
    let next = decide::claim(policy, &mut Maps::new(&context), scratch);
    go_on(&context, scratch, next)
}

/// Bytes that were sent again.
#[xdp(frags)]
#[inline(always)]
pub fn compare(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let next = decide::compare(&Window::new(&context), &mut Maps::new(&context), scratch);
    go_on(&context, scratch, next)
}
