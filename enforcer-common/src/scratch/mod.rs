//! What the stages tell each other about one frame. In the kernel it lies in a per-CPU map, because tail calls carry
//! nothing else and the BPF stack is 512 bytes; on the host it is an ordinary value.
//!
//! Plain old data: codes instead of enums, because a map may hold any bytes.

mod frame;
mod judging;
mod path;
mod stream;
mod walking;
mod wanted;

use crate::bytes::Bytes;
use crate::digest::{Digest, Short};
use crate::operation::Operation;
use crate::table::Claim;
use crate::verdict::Reason;
use core::hint::black_box;

pub use frame::Frame;
pub use judging::{Finding, Judging, UNITS};
pub use path::Path;
pub use stream::{Commit, Stream};
pub use walking::{Nesting, Walking};
pub use wanted::{Bits, Wanted};

/// Room for operations, a power of two.
pub const OPERATIONS: usize = 64;

/// Most operations of one frame whose values are read in a later pass; further ones stay without value, and no rule with
/// values covers them. A power of two.
pub const LATER: usize = 4;

/// Most operations that one frame can yield; more is `beyond_inspection`.
pub const MOST: u32 = 40;

/// What a frame's operations say of the device's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Said {
    /// Requests toward the device, or answers from it.
    pub units: u32,
    /// Of the answers exceptions of the protocol.
    pub exceptions: u32,
}

/// All that is known about one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Scratch {
    /// When the frame came: boot time in nanoseconds, coarse. All stages go by it.
    pub now: u64,
    /// The tick in which that was asked, see [`crate::environment::Environment::tick`].
    pub tick: u64,
    /// When the frame came, where it is measured: nanoseconds of the monotonic clock; else 0.
    pub begun: u64,
    /// Non-zero: [`crate::settings::Settings::looks_on`].
    pub looked_on: u64,
    /// The payload of an ordinary segment toward the device, if it is a short one.
    pub short: Short,
    /// How many operations count.
    pub count: u32,
    /// [`crate::verdict::Reason`] code of the whole frame when it holds no operation; after judging, the reason that
    /// decided about the frame.
    pub outcome: u8,
    /// [`crate::action::Action`] code, after judging.
    pub action: u8,
    /// Non-zero, after judging: there is something to report.
    pub report: u8,
    /// Non-zero, after judging: the policy was asked about an operation, or about the frame.
    pub asked: u8,
    /// Frames that pass unmeasured before the next one that is, see [`crate::processing`].
    pub unmeasured: u32,
    /// Non-zero: the frame was found to be [`crate::ordinary`], see [`Scratch::ORDINARY`].
    pub ordinary: u32,
    /// The memory's.
    pub wanted: Wanted,
    /// Headers.
    pub frame: Frame,
    /// Conduit.
    pub path: Path,
    /// Stream.
    pub stream: Stream,
    /// Checksum and hash.
    pub digest: Digest,
    /// The search for a slot of the flow table.
    pub claim: Claim,
    /// Operations found, in the order of the bytes.
    pub operations: [Operation; OPERATIONS],
    /// The judge's.
    pub judging: Judging,
    /// The walk through a list, where a frame has one.
    pub walking: Walking,
    /// The walk through units inside a unit.
    pub nesting: Nesting,
    /// What [`crate::health`] has to count.
    pub said: Said,
}

impl Scratch {
    /// The frame was ordinary, and its record was filled in.
    pub const ORDINARY: u32 = 1;
    /// It was ordinary, and passed without a record.
    pub const PASSED: u32 = 2;

    /// A record to start from.
    #[must_use]
    pub fn new() -> Self {
        Self {
            frame: Frame::default(),
            path: Path::default(),
            stream: Stream::default(),
            digest: Digest::default(),
            claim: Claim::default(),
            operations: [Operation::EMPTY; OPERATIONS],
            judging: Judging::default(),
            wanted: Wanted::EMPTY,
            count: 0,
            outcome: 0,
            action: 0,
            report: 0,
            asked: 0,
            looked_on: 0,
            now: 0,
            tick: 0,
            walking: Walking::default(),
            nesting: Nesting::default(),
            said: Said::default(),
            begun: 0,
            unmeasured: 0,
            ordinary: 0,
            short: Short::default(),
        }
    }

    /// The same record, of which the compiler must now believe that anything may stand in it.
    ///
    /// The kernel's verifier follows every path with the values it left in registers: three VLAN layouts times two IP
    /// versions times every outcome of a search. Read back from memory, values are unknown to it and the paths join.
    #[must_use]
    #[inline(always)]
    pub fn anew(&mut self) -> &mut Self {
        black_box(self)
    }

    /// The same, but for bytes of which there is one layout: of them there is nothing to join.
    #[must_use]
    #[inline(always)]
    pub fn joined<H: Bytes + ?Sized>(&mut self) -> &mut Self {
        if H::PLAIN { self } else { self.anew() }
    }

    /// Says that no decision hangs on these bits of the eight bytes from `at` on, the first one lowest, nor what is kept for
    /// the units behind: the number of the transaction. It takes the place of what was said of the frame under the same `N`.
    #[inline(always)]
    pub fn leave_out<const N: usize>(&mut self, at: u32, bits: u64) {
        if let Some(place) = self.wanted.left_out.get_mut(N) {
            place.at = at;
            place.bits = bits;
        }
    }

    /// Adds a record that is lent to be filled in. `None` when there is no room: the caller
    /// reports `beyond_inspection`. In place, because the kernel's stack has no room for it.
    #[inline(always)]
    pub fn add(&mut self) -> Option<&mut Operation> {
        let index = self.count;
        if index >= MOST {
            return None;
        }
        self.count = index.wrapping_add(1);
        self.operations.get_mut(black_box(index) as usize & (OPERATIONS - 1))
    }

    /// Adds a record for bytes in which no function could be read. Where there is no room for it the last record bears
    /// the fault.
    #[inline(always)]
    pub fn fault(&mut self, reason: Reason) {
        let (protocol, role) = (self.path.protocol, self.path.role);
        match self.add() {
            Some(record) => {
                *record = Operation::EMPTY;
                record.protocol = protocol;
                record.role = role;
                record.fault = reason as u8;
            }
            None => {
                if let Some(last) = self.operation_mut(MOST.wrapping_sub(1)) {
                    last.fault = reason as u8;
                }
            }
        }
    }

    /// The operation at `index`.
    #[must_use]
    #[inline(always)]
    pub fn operation(&self, index: u32) -> Option<&Operation> {
        self.operations.get(index as usize & (OPERATIONS - 1))
    }

    /// The operation at `index`, to write the judge's findings into.
    #[inline(always)]
    pub fn operation_mut(&mut self, index: u32) -> Option<&mut Operation> {
        self.operations.get_mut(index as usize & (OPERATIONS - 1))
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(core::mem::size_of::<Frame>() == 92);
const _: () = assert!(core::mem::size_of::<Path>() == 44);
const _: () = assert!(core::mem::size_of::<Stream>() == 72);
