//! What the core needs from the body it runs in: flows, modes, time, counters, events.
//!
//! Implemented for kernel maps (`enforcer-ebpf`), for replay and for tests.

use crate::bytes::Bytes;
use crate::flow::{Flow, FlowKey};
use crate::scratch::Scratch;
use crate::verdict::{Mode, Reason};

/// The outside world, as far as the decision depends on it or must leave a trace in it.
pub trait Environment {
    /// Carry + payload of a segment, laid out behind each other.
    type Assembled: Bytes + ?Sized;

    /// Boot time in nanoseconds, coarse.
    fn now(&self) -> u64;

    /// True when a frame to this MAC address is for the box itself.
    fn is_management(&self, mac: [u8; 6]) -> bool;

    /// The box's mode capping the mode of `conduit`, whose policy asks for `asked`.
    fn mode(&self, bank: u8, conduit: u16, asked: Mode) -> Mode;

    /// Slot of the flow with this key.
    fn find_flow(&mut self, key: &FlowKey) -> Option<u32>;

    /// Makes an empty flow and returns its slot; `None` when there is no room.
    fn create_flow(&mut self, key: &FlowKey) -> Option<u32>;

    /// The flow in a slot.
    fn flow(&mut self, slot: u32) -> Option<&mut Flow>;

    /// Lays the flow's carry and the frame's bytes from `stream.start` to `stream.end` behind each other; `None` when
    /// they do not fit.
    fn assemble(&mut self, scratch: &Scratch) -> Option<&Self::Assembled>;

    /// Copies the bytes that `scratch.stream` marks to be saved into the carry of the frame's direction.
    fn save_carry(&mut self, scratch: &Scratch);

    /// The state of a rule's rate, see [`crate::policy::rate`]. Kept in learn and shadow just as in enforce.
    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64>;

    /// The state of the rate that all echo requests from the network share, see [`crate::icmp`]. Kept in every mode.
    fn echoes(&mut self) -> Option<&mut u64>;

    /// Counts an outcome: per conduit and reason, per function node (`u32::MAX`: none) and per rule. `acted` is true when
    /// the denial was carried out.
    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool);

    /// Reports the operation at `index`, or the whole frame.
    fn emit(&mut self, scratch: &Scratch, index: Option<u32>);

    /// Records what was seen, for learning: the operation at `index`, or a frame without inspection inside.
    fn observe(&mut self, scratch: &Scratch, index: Option<u32>);
}
