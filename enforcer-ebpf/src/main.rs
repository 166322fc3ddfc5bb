//! The XDP programs: one permanent root per port, and behind it, reached by tail calls through a pinned program array,
//! the stages of the decision core. This crate knows packets, maps and the verifier; it knows no protocol.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
#[expect(unreachable_pub, reason = "entry points are exported by name")]
mod bench;
#[cfg(target_arch = "bpf")]
mod environment;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod reset;
#[cfg(target_arch = "bpf")]
#[expect(unreachable_pub, reason = "entry points are exported by name")]
mod stages;
#[cfg(target_arch = "bpf")]
mod window;

/// The licence that the kernel sees. Some helpers (coarse clock, ring buffer) are for GPL-compatible programs only; the
/// source stays under MIT or Apache-2.0.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// A panic path that survived compilation is an endless loop, which the verifier refuses to load.
#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
