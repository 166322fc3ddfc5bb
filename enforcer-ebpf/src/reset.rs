//! Writes a reset over a denied segment.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated::{bpf_xdp_adjust_tail, bpf_xdp_store_bytes};
use aya_ebpf::programs::XdpContext;
use enforcer_common::reset;
use enforcer_common::scratch::Frame;

/// Writes the reset and cuts what lies behind it. False when the frame cannot be rewritten.
#[inline(always)]
pub(crate) fn write(context: &XdpContext, frame: &Frame) -> bool {
    let addressed = store(context, 0, &frame.source_mac) && store(context, 6, &frame.destination_mac);
    let routed = if frame.version == 4 {
        store(context, frame.network, &reset::ipv4(frame))
    } else {
        store(context, frame.network, &reset::ipv6())
            && store(context, frame.network.wrapping_add(8), &frame.destination)
            && store(context, frame.network.wrapping_add(24), &frame.source)
    };
    let written = store(context, frame.transport, &reset::tcp(frame));
    let surplus = frame.length.wrapping_sub(frame.transport.wrapping_add(reset::TCP_LENGTH));
    // SAFETY: the context is the one this program was called with; no packet pointer is used afterwards.
    let cut = unsafe { bpf_xdp_adjust_tail(context.as_ptr().cast(), -(surplus as i32)) };
    addressed && routed && written && cut == 0
}

/// The verifier wants words on the stack aligned.
#[repr(align(8))]
struct Aligned<const N: usize>([u8; N]);

#[inline(always)]
fn store<const N: usize>(context: &XdpContext, offset: u32, bytes: &[u8; N]) -> bool {
    let Aligned(bytes) = &Aligned(*bytes);
    // SAFETY: `bytes` is N bytes long; the helper checks the offset.
    unsafe { bpf_xdp_store_bytes(context.as_ptr().cast(), offset, bytes.as_ptr().cast_mut().cast(), N as u32) == 0 }
}
