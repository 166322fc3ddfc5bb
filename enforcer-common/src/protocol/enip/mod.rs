//! EtherNet/IP: the encapsulation, and the CIP services inside, one operation each.
//!
//! Enters: bytes in stream order, from the start of an encapsulation frame. Leaves: operations, and which bytes the next
//! segment continues. A frame that carries CIP is its services; any other is a command of the encapsulation. Clauses cited
//! as "V1" are of The CIP Networks Library volume 1, as "V2" of its volume 2, EtherNet/IP adaptation of CIP.
//!
//! | function | record |
//! |---|---|
//! | command, V2 2-3 | `enip` |
//! | service, V1 4-2; Multiple Service Packet and Unconnected Send, then each service inside | `cip`: `space` the class, objects instance and attribute; or tags by name |
//! | command of PCCC, behind the service that executes it | `pccc` |
//! | data of an I/O connection | `cip_io`, message |
//!
//! `unit` is the way that an unconnected message is sent on: 256 * port + link of its one hop, [`limits::MORE_HOPS`] and a
//! number made of the path for longer ways, 0 for none. Of implicit I/O it is the connection.

pub mod commands;
mod connection;
mod encapsulation;
pub mod functions;
mod implicit;
mod nested;
mod path;
mod pccc;
mod reply;
mod request;
pub mod services;
mod tag;

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::framing::eight;
use crate::scratch::{MOST, Scratch};
use crate::verdict::Reason;

/// Limits of the standard, and of the walk.
pub mod limits {
    /// Most frames in one segment that are inspected.
    pub const UNITS_PER_SEGMENT: u8 = 16;
    /// Turns in one step: a frame or a service each, with a path of a few segments.
    pub const PER_STEP: u32 = 2;
    /// Most steps.
    pub const STEPS: u32 = 16;
    /// Encapsulation header, V2 2-3.1.
    pub const HEADER: u32 = 24;
    /// Largest value of the length field, V2 2-3.3.
    pub const LENGTH_MAX: u32 = 65511;
    /// Largest length field with messages of at most 511 bytes, V1 3-5.5.2.
    pub const LENGTH_USUAL: u32 = 600;
    /// Largest length field behind a Large_Forward_Open with the sizes that devices offer.
    pub const LENGTH_LARGE: u32 = 4200;
    /// Most bytes of a No Operation.
    pub const LENGTH_NOP: u32 = 64;
    /// Longer frames do not fit into a segment and may be split.
    pub const SEGMENT: u32 = 1460;
    /// Most services of a Multiple Service Packet.
    pub const SERVICES: u32 = 32;
    /// Most segments of a path.
    pub const SEGMENTS: u32 = 12;
    /// Longest symbol of a path.
    pub const SYMBOL: u32 = crate::protocol::tables::NAME_PART;
    /// Set in `unit` where a message goes on by more than one hop, or by a name.
    pub const MORE_HOPS: u32 = 0x8000_0000;
}

/// [`crate::scratch::Nesting::state`]: what comes next, and bits for what is around.
mod state {
    /// Bits that say what comes next.
    pub(super) const NEXT: u32 = 7;
    /// A frame.
    pub(super) const FRAME: u32 = 0;
    /// A service of a list.
    pub(super) const ITEM: u32 = 1;
    /// A service, at `at`.
    pub(super) const SERVICE: u32 = 2;
    /// A segment of a path, at `at`.
    pub(super) const SEGMENT: u32 = 3;
    /// The data of a service, behind its path.
    pub(super) const DATA: u32 = 4;
    /// What a path is of, behind its last segment.
    pub(super) const BEHIND: u32 = 5;
    /// The services of a list are read.
    pub(super) const LIST: u32 = 8;
    /// What is read came in an Unconnected_Send.
    pub(super) const SENT_ON: u32 = 16;
    /// Items behind the message stand in the frame, as only the opening of a connection has them.
    pub(super) const MORE_ITEMS: u32 = 32;
    /// What is read came out of a list: no further list, and no sending on.
    pub(super) const IN_LIST: u32 = 64;
}

/// Bit of `stream.context`: a Large_Forward_Open passed.
const LARGE: u32 = 1;

/// Reads frames from `stream.start` to `stream.end` and the services in them, a few of them. True when there is more: the
/// caller comes again. In steps, because the kernel verifies a program's whole loop; and each part of a turn goes on from
/// what the one before it left in memory, so that the verifier need not follow every way through all of them.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.nesting.state = state::FRAME;
        scratch.nesting.steps = 0;
    }
    scratch.nesting.steps = scratch.nesting.steps.wrapping_add(1);
    if scratch.nesting.steps > limits::STEPS {
        scratch.fault(Reason::BeyondInspection);
        return false;
    }
    // Not unrolled: there is no room on the kernel's stack for the turns side by side.
    for _ in 0..limits::PER_STEP {
        let scratch = scratch.anew();
        let next = scratch.nesting.state & state::NEXT;
        if next == state::FRAME {
            if !encapsulation::read(bytes, scratch) {
                return false;
            }
        } else if next == state::ITEM {
            nested::next(bytes, scratch);
        }
        let scratch = scratch.anew();
        if scratch.nesting.state & state::NEXT == state::SERVICE {
            if scratch.path.role == Role::Response as u8 {
                reply::read(bytes, scratch);
            } else {
                request::read(bytes, scratch);
            }
        }
        let scratch = scratch.anew();
        if scratch.nesting.state & state::NEXT == state::SEGMENT {
            path::numbers(bytes, scratch);
        }
        let scratch = scratch.anew();
        if scratch.nesting.state & state::NEXT == state::SEGMENT {
            path::names(bytes, scratch);
        }
        let scratch = scratch.anew();
        if scratch.nesting.state & state::NEXT == state::BEHIND {
            path::behind(scratch);
        }
        let scratch = scratch.anew();
        if scratch.nesting.state & state::NEXT == state::DATA {
            request::data(bytes, scratch);
        }
    }
    let scratch = scratch.anew();
    scratch.nesting.state & state::NEXT != state::FRAME || scratch.stream.start < scratch.stream.end
}

/// Says what comes next.
#[inline(always)]
fn go_on(scratch: &mut Scratch, next: u32) {
    scratch.nesting.state = (scratch.nesting.state & !state::NEXT) | next;
}

/// Goes on behind a service: with the next one of the list, or with the next frame.
#[inline(always)]
fn done(scratch: &mut Scratch) {
    let next = if scratch.nesting.state & state::LIST == 0 { state::FRAME } else { state::ITEM };
    go_on(scratch, next);
}

/// Adds a record for something inside the frame at hand. `None`, and the fault noted, when there is no room.
#[inline(always)]
fn add(scratch: &mut Scratch, protocol: u8, function: u32) -> Option<&mut Operation> {
    let (role, unit, transaction) = (scratch.path.role, scratch.nesting.unit, scratch.nesting.transaction);
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        scratch.nesting.state = state::FRAME;
        return None;
    }
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = protocol;
    operation.role = role;
    operation.function = function;
    operation.unit = unit;
    operation.transaction = transaction;
    // An answer of CIP names neither the way that its request took nor what was inside a service.
    operation.flags = Operation::OTHER_FUNCTION | Operation::OTHER_UNIT;
    Some(operation)
}

/// Marks the last record, where nothing is wrong with it yet.
#[inline(always)]
fn fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && last.fault == 0
    {
        last.fault = reason as u8;
    }
}

/// Takes `WORDS` times eight bytes from `at` on into `nesting.window`; what is not in front of `end` is 0. Each word goes
/// through memory by itself, and so does where it comes from: a value in a register is one that the kernel's verifier
/// follows along every way that led to it.
#[inline(always)]
fn take<const WORDS: usize, B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, scratch: &mut Scratch) {
    scratch.nesting.from = at;
    scratch.nesting.until = end;
    for index in 0..WORDS {
        let scratch = scratch.anew();
        let from = scratch.nesting.from;
        let word = eight(bytes, from, scratch.nesting.until);
        let nesting = &mut scratch.anew().nesting;
        nesting.from = nesting.from.wrapping_add(8);
        if let Some(place) = nesting.window.get_mut(index) {
            *place = word;
        }
    }
}

/// Eight bytes of what was taken, from `offset` below 32 on.
#[inline(always)]
fn taken(window: &[u64; 5], offset: u32) -> u64 {
    // The mask must stay where the verifier sees it.
    let index = black_box(offset >> 3) as usize & 3;
    let shift = offset << 3 & 63;
    match (window.get(index), window.get(index.wrapping_add(1))) {
        // Twice, because a shift by all 64 bits is none.
        (Some(low), Some(high)) => *low >> shift | *high << 1 << (shift ^ 63),
        _ => 0,
    }
}

/// Byte `index` of eight, then the 16 and the 32 bits from there on.
#[inline(always)]
const fn byte(eight: u64, index: u32) -> u32 {
    (eight >> (index << 3 & 63) & 0xff) as u32
}

/// See [`byte`].
#[inline(always)]
const fn word(eight: u64, index: u32) -> u32 {
    (eight >> (index << 3 & 63) & 0xffff) as u32
}

/// See [`byte`].
#[inline(always)]
const fn double(eight: u64, index: u32) -> u32 {
    (eight >> (index << 3 & 63) & 0xffff_ffff) as u32
}

/// Behind the last byte of the part at hand that is here.
#[inline(always)]
fn here(scratch: &Scratch) -> u32 {
    scratch.nesting.end.min(scratch.stream.end)
}

/// True for an answer on its way out, whose framing harms nobody.
#[inline(always)]
fn is_answer(scratch: &Scratch) -> bool {
    scratch.path.role == Role::Response as u8 && scratch.frame.side == Side::Device as u8
}
