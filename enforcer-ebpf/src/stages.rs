//! Entry points: the two roots and the stages behind them.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS, XDP_TX};
use aya_ebpf::helpers::generated::bpf_xdp_get_buff_len;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::{Settings, loss, place, slot};
use enforcer_common::action::{self, Action};
use enforcer_common::candidate;
use enforcer_common::decide::{self, Next};
use enforcer_common::environment::Environment as _;
use enforcer_common::health;
use enforcer_common::judge::{self as judging, Progress};
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::processing;
use enforcer_common::protocol::{Protocol, dissect, modbus};
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason};
use enforcer_common::with_dissectors;

use crate::environment::{self, Maps, lose};
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
    if let Some(settings) = maps::SETTINGS.get(0)
        && settings.bypass != 0
    {
        return XDP_PASS;
    }
    begin(context, side);
    missing()
}

/// Returns only when the slot is empty.
#[inline(always)]
fn begin(context: &XdpContext, side: Side) {
    match side {
        Side::Network => call::<{ slot::WALK_NETWORK }>(context),
        Side::Device => call::<{ slot::WALK_DEVICE }>(context),
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
    let Some(policy) = policy_by(settings) else {
        return missing();
    };
    let window = Window::new(context);
    // SAFETY: the context is the one this program was called with.
    let length = unsafe { bpf_xdp_get_buff_len(context.as_ptr().cast()) } as u32;
    let environment = &mut Maps::with_settings(context, settings);
    if settings.measured != 0 {
        let measured = processing::is_measured(scratch, settings.measured);
        scratch.begun = if measured { environment.clock() } else { 0 };
    }
    let mut next = decide::walk(&window, length, side, policy, environment, scratch);
    // Where nearly every frame of a conversation goes on: without another program in between.
    if next == Next::Digest {
        next = decide::digest(&window, environment, scratch);
    }
    if next == Next::Stream {
        next = decide::follow(policy, environment, scratch, side);
    }
    go_on(context, scratch, next)
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

/// Conduit, from the policy.
#[xdp(frags)]
#[inline(always)]
pub fn conduit(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let next = decide::locate(policy, &mut Maps::new(&context), scratch);
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

/// Checksums, and the hash of the payload; and the stream, if its flow is known.
#[xdp(frags)]
#[inline(always)]
pub fn digest(context: XdpContext) -> u32 {
    let (Some(scratch), Some(policy)) = (scratch(), policy()) else {
        return missing();
    };
    let environment = &mut Maps::new(&context);
    let side = Side::from_code(scratch.frame.side);
    let mut next = decide::digest(&Window::new(&context), environment, scratch);
    if next == Next::Stream {
        next = decide::follow(policy, environment, scratch, side);
    }
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
    let next = decide::begin(policy, &mut Maps::new(&context), scratch);
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

/// A pair of programs per dissector, and the ways to them.
macro_rules! dissectors {
    ($($name:ident $program:ident $assembled:ident;)*) => {
        $(
            /// The protocol in the frame.
            #[xdp(frags)]
            pub fn $program(context: XdpContext) -> u32 {
                let Some(scratch) = scratch() else {
                    return missing();
                };
                if dissect(Some(Protocol::$name), &Window::new(&context), scratch) {
                    call::<{ slot::dissector(Protocol::$name) }>(&context);
                    return missing();
                }
                if scratch.stream.later_count != 0 {
                    call::<{ slot::MODBUS_VALUES }>(&context);
                }
                if Protocol::$name as u8 == Protocol::Modbus as u8 {
                    // Nearly every frame holds one unit: it is judged without another program in between. For one
                    // protocol: the verifier follows it as often as a program has ways that lead here.
                    return judged::<1>(&context, scratch);
                }
                call::<{ slot::JUDGE }>(&context);
                missing()
            }

            /// The protocol in carry + payload.
            #[xdp(frags)]
            pub fn $assembled(context: XdpContext) -> u32 {
                let Some(scratch) = scratch() else {
                    return missing();
                };
                let Some(assembled) = environment::assembled(scratch.stream.end) else {
                    return missing();
                };
                if dissect(Some(Protocol::$name), &assembled, scratch) {
                    call::<{ slot::assembled(Protocol::$name) }>(&context);
                    return missing();
                }
                if scratch.stream.later_count != 0 {
                    call::<{ slot::MODBUS_VALUES_ASSEMBLED }>(&context);
                }
                call::<{ slot::JUDGE }>(&context);
                missing()
            }
        )*

        /// Goes on to the dissector of the path's protocol, for the frame.
        #[inline(always)]
        fn read_frame(context: &XdpContext, scratch: &Scratch) {
            let spoken = Protocol::from_code(scratch.path.protocol);
            $(if spoken == Some(Protocol::$name) {
                call::<{ slot::dissector(Protocol::$name) }>(context);
            })*
        }

        /// Goes on to the dissector of the path's protocol, for carry + payload.
        #[inline(always)]
        fn read_assembled(context: &XdpContext, scratch: &Scratch) {
            let spoken = Protocol::from_code(scratch.path.protocol);
            $(if spoken == Some(Protocol::$name) {
                call::<{ slot::assembled(Protocol::$name) }>(context);
            })*
        }
    };
}
with_dissectors!(dissectors);

/// Values of Modbus writes in the frame.
#[xdp(frags)]
pub fn modbus_values(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    if modbus::values::read(&Window::new(&context), scratch) {
        call::<{ slot::MODBUS_VALUES }>(&context);
        return missing();
    }
    call::<{ slot::JUDGE }>(&context);
    missing()
}

/// Lays carry and payload behind each other.
#[xdp(frags)]
pub fn assemble(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    if decide::assemble(&mut Maps::new(&context), scratch).is_none() {
        scratch.fault(Reason::BeyondInspection);
        call::<{ slot::JUDGE }>(&context);
        return missing();
    }
    read_assembled(&context, scratch);
    missing()
}

/// Values of Modbus writes in carry + payload.
#[xdp(frags)]
pub fn modbus_values_assembled(context: XdpContext) -> u32 {
    let (Some(scratch), Some(assembled)) = (scratch(), environment::whole()) else {
        return missing();
    };
    if modbus::values::read(&assembled, scratch) {
        call::<{ slot::MODBUS_VALUES_ASSEMBLED }>(&context);
        return missing();
    }
    call::<{ slot::JUDGE }>(&context);
    missing()
}

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
fn judged<const STEPS: u32>(context: &XdpContext, scratch: &mut Scratch) -> u32 {
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

/// False when a new generation came between this frame's stages. The conduit it was given is the old one's: once more from
/// the start, so that one generation judges it.
#[inline(always)]
fn is_of(scratch: &Scratch, policy: &Image) -> bool {
    scratch.path.generation == policy.header.generation
}

/// All operations are judged.
#[inline(always)]
fn conclude(context: &XdpContext, scratch: &mut Scratch) -> u32 {
    let mut action = decide::conclude(&mut Maps::new(context), scratch);
    let Some(settings) = maps::SETTINGS.get(0) else {
        return missing();
    };
    // The controller is silent and nothing may pass then: but what is for the box itself, where people look for it.
    if settings.is_blocked(scratch.now) && scratch.outcome != Reason::Management as u8 {
        action = Action::Drop;
        scratch.action = Action::Drop as u8;
    }
    if scratch.report != 0 {
        call::<{ slot::REPORT }>(context);
        lose(loss::STAGES);
    }
    look_on(context, scratch, settings);
    act(context, scratch, action)
}

/// Goes on to what is looked at beside the verdict, where somebody wants to know: the devices' health, then the candidate
/// policy, which writes its own conduit over the frame's. Returns where nobody does.
#[inline(always)]
fn look_on(context: &XdpContext, scratch: &Scratch, settings: &Settings) {
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
    act(&context, scratch, Action::from_code(scratch.action))
}

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

/// What becomes of the frame: noted first, where it is one of those that are measured.
#[inline(always)]
fn act(context: &XdpContext, scratch: &Scratch, action: Action) -> u32 {
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
    if !action::may_cross(&scratch.frame, scratch.outcome) {
        return XDP_PASS;
    }
    // An empty cell answers with the fallback.
    match maps::ACROSS.redirect(u32::from(scratch.frame.side & 1), u64::from(XDP_PASS)) {
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
