//! Entry points: the two roots and the stages behind them.

mod act;
mod dissect;
mod follow;
mod judge;
mod look_on;
mod walk;

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{Settings, loss, place, slot};
use enforcer_common::decide::Next;
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Mode;

use self::dissect::read_frame;
use crate::environment::{self, lose};
use crate::maps;

/// Returns only when the slot is empty.
#[inline(always)]
fn begin(context: &XdpContext, side: Side) {
    match side {
        Side::Network => call::<{ slot::WALK_NETWORK }>(context),
        Side::Device => call::<{ slot::WALK_DEVICE }>(context),
    }
}

/// False when a new generation came between this frame's stages. The conduit it was given is the old one's: once more from
/// the start, so that one generation judges it.
#[inline(always)]
fn is_of(scratch: &Scratch, policy: &Image) -> bool {
    scratch.path.generation == policy.header.generation
}

/// Goes on to the next stage. The indices are constants, which the kernel turns into direct jumps.
#[inline(always)]
fn go_on(context: &XdpContext, scratch: &Scratch, next: Next) -> u32 {
    match next {
        Next::Options => call::<{ slot::OPTIONS }>(context),
        Next::Digest => call::<{ slot::DIGEST }>(context),
        Next::Handshake => call::<{ slot::HANDSHAKE }>(context),
        Next::Claim => call::<{ slot::CLAIM }>(context),
        Next::Compare => call::<{ slot::COMPARE }>(context),
        Next::Icmp => call::<{ slot::ICMP }>(context),
        Next::Neighbour => call::<{ slot::NEIGHBOUR }>(context),
        Next::Conduit => call::<{ slot::CONDUIT }>(context),
        Next::Stream => call::<{ slot::STREAM }>(context),
        Next::Judge => call::<{ slot::JUDGE }>(context),
        Next::Protocol if scratch.stream.assembled != 0 => call::<{ slot::ASSEMBLE }>(context),
        Next::Protocol => read_frame(context, scratch),
    }
    missing()
}

/// Returns only when the slot is empty.
#[inline(always)]
pub(crate) fn call<const INDEX: u32>(context: &XdpContext) {
    // SAFETY: the array holds XDP programs of this object only.
    unsafe { maps::SLOTS.tail_call(context, INDEX) };
    // An instruction that differs from call to call: the compiler would merge the calls of one stage into one with a
    // variable index, which the kernel could not turn into direct jumps.
    // SAFETY: writes a constant to a register that nobody reads.
    unsafe { core::arch::asm!("{0} = {1}", out(reg) _, const INDEX, options(nomem, nostack, preserves_flags)) };
}

/// A stage or the policy is not there: what can't be judged passes where the box only watches, and does not where it
/// enforces.
#[inline(always)]
pub(crate) fn missing() -> u32 {
    lose(loss::STAGES);
    match maps::SETTINGS.get(0) {
        Some(settings) if settings.mode_at(environment::now()) as u8 == Mode::Enforce as u8 => XDP_DROP,
        _ => XDP_PASS,
    }
}

#[inline(always)]
fn scratch<'a>() -> Option<&'a mut Scratch> {
    // SAFETY: this CPU's own record; a program is not interrupted by another one on the same CPU.
    maps::SCRATCH.get_ptr_mut(0).map(|scratch| unsafe { &mut *scratch })
}

/// The image in force: the previous one, where the active one was to be confirmed and was not.
#[inline(always)]
fn policy<'a>() -> Option<&'a Image> {
    policy_by(maps::SETTINGS.get(0)?)
}

/// The same where the settings are at hand.
#[inline(always)]
fn policy_by<'a>(settings: &Settings) -> Option<&'a Image> {
    let back = settings.policy_after != 0 && settings.is_taken_back(environment::now());
    image(if back { place::PREVIOUS } else { place::ACTIVE })
}

/// The image in a place.
#[inline(always)]
fn image<'a>(place: u32) -> Option<&'a Image> {
    // SAFETY: images are written once, before they are published, and freed after the last program that saw them ended.
    maps::POLICY.get_value_ptr_mut(place, &0).map(|image| unsafe { &*image.cast_const() })
}
