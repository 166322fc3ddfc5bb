//! Writes a reset over a denied segment.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated::{bpf_xdp_adjust_tail, bpf_xdp_store_bytes};
use aya_ebpf::programs::XdpContext;
use enforcer_common::reset;
use enforcer_common::scratch::Frame;

use crate::maps;

/// Writes the reset and cuts what lies behind it. False when the frame cannot be rewritten.
#[inline(always)]
pub(crate) fn write(context: &XdpContext, frame: &Frame) -> bool {
    let addressed = store(context, 0, frame.source_mac) && store(context, 6, frame.destination_mac);
    let routed = if frame.version == 4 {
        store(context, frame.network, reset::ipv4(frame))
    } else {
        store(context, frame.network, reset::ipv6())
            && store(context, frame.network.wrapping_add(8), frame.destination)
            && store(context, frame.network.wrapping_add(24), frame.source)
    };
    // What options there were behind the IP header are not answered.
    let transport = frame.network.wrapping_add(if frame.version == 4 { 20 } else { 40 });
    let written = store(context, transport, reset::tcp(frame));
    let surplus = frame.length.wrapping_sub(transport.wrapping_add(reset::TCP_LENGTH));
    // SAFETY: the context is the one this program was called with; no packet pointer is used afterwards.
    let cut = unsafe { bpf_xdp_adjust_tail(context.as_ptr().cast(), -(surplus as i32)) };
    addressed && routed && written && cut == 0
}

/// Writes `bytes` into the frame by way of a map: on the stack the verifier wants words aligned, which a header is not.
#[inline(always)]
fn store<const N: usize>(context: &XdpContext, offset: u32, bytes: [u8; N]) -> bool {
    let Some(buffer) = maps::ASSEMBLED.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: this CPU's own buffer, longer than any header; the helper checks the offset.
    unsafe {
        buffer.cast::<[u8; N]>().write(bytes);
        bpf_xdp_store_bytes(context.as_ptr().cast(), offset, buffer.cast(), N as u32) == 0
    }
}
