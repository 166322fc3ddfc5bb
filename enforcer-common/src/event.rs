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
    /// Conduit, mode, generation, what the receiver expects.
    pub path: Path,
    /// The operation; [`Operation::EMPTY`] with the frame's reason when the frame holds none.
    pub operation: Operation,
    /// [`crate::action::Action`] code: what happens to the frame.
    pub action: u8,
    /// Always 0.
    pub padding: [u8; 7],
}

impl Event {
    /// An empty record.
    pub const EMPTY: Self = Self {
        time: 0,
        frame: Frame::EMPTY,
        path: Path::EMPTY,
        operation: Operation::EMPTY,
        action: 0,
        padding: [0; 7],
    };

    /// Fills the record in place, for the operation at `index` or for the whole frame. In place, because the kernel's
    /// stack has no room for it.
    #[inline(always)]
    pub fn fill(&mut self, scratch: &Scratch, index: Option<u32>) {
        self.time = scratch.now;
        self.frame = scratch.frame;
        self.path = scratch.path;
        match index.and_then(|index| scratch.operation(index)) {
            Some(operation) => self.operation = *operation,
            None => {
                self.operation = Operation::EMPTY;
                self.operation.reason = scratch.outcome;
                self.operation.protocol = scratch.path.protocol;
                self.operation.role = scratch.path.role;
            }
        }
        self.action = scratch.action;
        self.padding = [0; 7];
    }
}

const _: () = assert!(core::mem::size_of::<Event>() == 208);
