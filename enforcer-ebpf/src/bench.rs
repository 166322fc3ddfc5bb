//! A program for benchmarks only; the controller never loads it.
//!
//! A test run repeats one frame, and from the second run on that frame is a retransmission, which is not the path to
//! measure. This program turns the conversation back before each run.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::slot;
use enforcer_common::flow::{RING, Sent};

use crate::maps;
use crate::stages::{call, missing};

/// Sets both directions of the conversation in slot 0 back to what `pending` says, and goes on with whatever stands in
/// [`slot::BENCH`]: a root, or nothing, to know what this program costs itself.
#[xdp(frags)]
pub fn rewind(context: XdpContext) -> u32 {
    if let Some(flow) = maps::FLOW_TABLE.get_ptr_mut(0) {
        // SAFETY: a live map value; nobody else runs on this stand.
        unsafe {
            (*flow).network.next = (*flow).network.pending;
            (*flow).device.next = (*flow).device.pending;
            (*flow).device.acknowledged = (*flow).network.pending;
            // As if the device had acknowledged the run before.
            let oldest = ((*flow).newest as usize + 1) & (RING - 1);
            (*flow).ring.as_mut_ptr().add(oldest).write(Sent { hash: 0, sequence: 0, length: 0 });
        }
    }
    call::<{ slot::BENCH }>(&context);
    missing()
}
