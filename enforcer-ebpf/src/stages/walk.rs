//! The roots, and the stages that read headers.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{Settings, slot};
use enforcer_common::decide::{self, Next};
use enforcer_common::environment::Environment as _;
use enforcer_common::ordinary::{self, Course, Judging};
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::processing;
use enforcer_common::scratch::Scratch;

use super::act::{act, pass};
use super::{begin, call, go_on, is_of, missing, policy, policy_by, scratch};
use crate::environment::Maps;
use crate::maps;
use crate::window::Window;

/// Attached to the port towards the plant.
#[xdp(frags)]
pub fn root_network(context: XdpContext) -> u32 {
    root(&context, Side::Network)
}

/// Attached to the port towards the device.
#[xdp(frags)]
pub fn root_device(context: XdpContext) -> u32 {
    root(&context, Side::Device)
}

#[inline(always)]
fn root(context: &XdpContext, side: Side) -> u32 {
    begin(context, side);
    match maps::SETTINGS.get(0) {
        Some(settings) if settings.bypass != 0 => XDP_PASS,
        _ => missing(),
    }
}

/// Link, network, transport of a frame from the network; checksums; and the stream, if its flow is known.
#[xdp(frags)]
#[inline(always)]
pub fn walk_network(context: XdpContext) -> u32 {
    walk(&context, Side::Network)
}

/// The same of a frame from the device.
#[xdp(frags)]
#[inline(always)]
pub fn walk_device(context: XdpContext) -> u32 {
    walk(&context, Side::Device)
}

#[inline(always)]
fn walk(context: &XdpContext, side: Side) -> u32 {
    let (Some(scratch), Some(settings)) = (scratch(), maps::SETTINGS.get(0)) else {
        return missing();
    };
    let plain = settings.plain != 0;
    if !plain && settings.bypass != 0 {
        return XDP_PASS;
    }
    let judging = if plain {
        Judging { generation: settings.generation, bank: settings.bank }
    } else {
        match policy_by(settings) {
            Some(policy) => Judging::by(policy),
            None => return missing(),
        }
    };
    scratch.looked_on = if plain { 0 } else { u64::from(settings.looks_on()) };
    // SAFETY: the context is the one this program was called with.
    let length = || unsafe { bpf_xdp_get_buff_len(context.as_ptr().cast()) } as u32;
    let environment = &mut Maps::with_settings(context, settings);
    if settings.measured != 0 {
        let measured = processing::is_measured(scratch, settings.measured);
        scratch.begun = if measured { environment.clock() } else { 0 };
    }
    decide::begin(environment, scratch);
    let policy = || policy_by(settings);
    let next = match ordinary::follow(&Window::new(context), length, side, judging, policy, environment, scratch) {
        Some(Course::Passed) => return pass(context, settings, scratch.anew(), side),
        Some(Course::Next(next)) => next,
        None => {
            let Some(policy) = policy_by(settings) else {
                return missing();
            };
            let code = match side {
                Side::Network => stages_network(context.ctx, scratch, settings, policy, length()),
                Side::Device => stages_device(context.ctx, scratch, settings, policy, length()),
            };
            let Some(next) = Next::from_code(code) else {
                return missing();
            };
            if side as u8 == Side::Network as u8 && next == Next::Protocol {
                call::<{ slot::KNOWN }>(context);
                return missing();
            }
            next
        }
    };
    // All anew below: what the verifier knows of each path through the stages above would multiply the paths.
    if next == Next::Judge && decide::is_settled(scratch.anew()) {
        let action = decide::let_pass(&mut Maps::new(context), scratch.anew());
        return act(context, scratch.anew(), action);
    }
    go_on(context, scratch, next)
}

/// The stages of a frame that is out of the ordinary. A function of its own, which the kernel verifies once, whatever is known
/// where it is called. Enters: what is at hand, and the frame's length. Leaves: the code of what comes next, or
/// another number where something is missing.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn stages_network(
    context: *mut xdp_md,
    scratch: *mut Scratch,
    settings: *const Settings,
    policy: *const Image,
    length: u32,
) -> u32 {
    stages(context, Side::Network, scratch, settings, policy, length)
}

/// The same of a frame from the device.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn stages_device(
    context: *mut xdp_md,
    scratch: *mut Scratch,
    settings: *const Settings,
    policy: *const Image,
    length: u32,
) -> u32 {
    stages(context, Side::Device, scratch, settings, policy, length)
}

#[inline(always)]
fn stages(
    context: *mut xdp_md,
    side: Side,
    scratch: *mut Scratch,
    settings: *const Settings,
    policy: *const Image,
    length: u32,
) -> u32 {
    // SAFETY: the only caller has references to live map values; the verifier takes nothing for granted and wants to see the
    // pointers asked whether they are null.
    let (scratch, settings, policy) = unsafe { (scratch.as_mut(), settings.as_ref(), policy.as_ref()) };
    let (Some(scratch), Some(settings), Some(policy)) = (scratch, settings, policy) else {
        return u32::MAX;
    };
    let context = &XdpContext::new(context);
    let window = Window::new(context);
    let environment = &mut Maps::with_settings(context, settings);
    let mut next = decide::walk(&window, length, side, policy, environment, scratch);
    // Where nearly every frame of a conversation goes on: without another program in between.
    if next == Next::Digest {
        next = decide::digest(&window, side, environment, scratch);
    }
    if next == Next::Stream {
        next = decide::follow_and_admit(policy, environment, scratch, side);
    }
    u32::from(next as u8)
}

/// Options of a TCP segment.
#[xdp(frags)]
pub fn options(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let next = decide::tcp_options(&Window::new(&context), scratch);
    go_on(&context, scratch, next)
}

/// ICMP from the network.
#[xdp(frags)]
pub fn icmp(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    let next = decide::icmp_message(&Window::new(&context), &mut Maps::new(&context), scratch);
    go_on(&context, scratch, next)
}

/// ARP and neighbour discovery from the network.
#[xdp(frags)]
#[inline(always)]
pub fn neighbour(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    if !is_of(scratch, policy) {
        begin(&context, Side::from_code(scratch.frame.side));
        return missing();
    }
    let next = decide::neighbours(&Window::new(&context), policy, scratch);
    go_on(&context, scratch, next)
}

/// Checksums, and the hash of the payload; and the stream, if its flow is known.
#[xdp(frags)]
#[inline(always)]
pub fn digest(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let environment = &mut Maps::new(&context);
    let side = Side::from_code(scratch.frame.side);
    let mut next = decide::digest(&Window::new(&context), side, environment, scratch);
    if next == Next::Stream {
        next = decide::follow(policy, environment, scratch, side);
    }
    go_on(&context, scratch, next)
}
