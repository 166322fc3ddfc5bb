//! The stages between the headers and the protocol: conduit, flow and stream.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::slot;
use enforcer_common::decide::{self, Next};
use enforcer_common::known;
use enforcer_common::port::Side;

use super::act::act;
use super::{begin, call, go_on, is_of, missing, policy, scratch};
use crate::environment::Maps;
use crate::window::Window;

/// Conduit, from the policy.
#[xdp(frags)]
#[inline(always)]
pub fn conduit(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let next = decide::locate(policy, &mut Maps::new(&context), scratch);
    if next == Next::Protocol && scratch.frame.side == Side::Network as u8 {
        call::<{ slot::KNOWN }>(&context);
        return missing();
    }
    go_on(&context, scratch, next)
}

/// A request that may be known, where [`enforcer_common::ordinary`] did not ask.
#[xdp(frags)]
#[inline(always)]
pub fn known(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    match known::pass(&Window::new(&context), &mut Maps::new(&context), scratch) {
        Some(action) => act(&context, scratch.anew(), action),
        None => go_on(&context, scratch, Next::Protocol),
    }
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
