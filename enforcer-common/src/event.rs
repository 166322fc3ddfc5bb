//! The fixed-size record of one reported operation or frame, as it crosses the ring buffer.

use crate::operation::Operation;
use crate::scratch::{Frame, Path, Scratch};

/// One reported operation or frame. Plain old data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// Boot time in nanoseconds.
    pub time: u64,
    /// Headers of the frame.
    pub frame: Frame,
    /// Conduit, mode, generation.
    pub path: Path,
    /// The operation; [`Operation::EMPTY`] with the frame's reason when the frame holds none.
    pub operation: Operation,
    /// [`crate::action::Action`] code that the operation's own verdict has in the frame's mode.
    pub action: u8,
    /// Always 0.
    pub padding: [u8; 7],
}

impl Event {
    /// The record for the operation at `index`, or for the whole frame.
    #[must_use]
    #[inline(always)]
    pub fn new(scratch: &Scratch, index: Option<u32>, time: u64) -> Self {
        let whole = Operation {
            reason: scratch.outcome,
            protocol: scratch.path.protocol,
            role: scratch.path.role,
            ..Operation::EMPTY
        };
        let operation = match index.and_then(|index| scratch.operation(index)) {
            Some(operation) => *operation,
            None => whole,
        };
        Self { time, frame: scratch.frame, path: scratch.path, operation, action: 0, padding: [0; 7] }
    }
}

const _: () = assert!(core::mem::size_of::<Event>() == 176);
