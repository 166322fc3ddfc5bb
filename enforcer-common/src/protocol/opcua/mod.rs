//! OPC UA binary over TCP: chunks, secure channels, services, and the nodes that are read, written, called or monitored.
//!
//! Enters: bytes in stream order, from the start of a chunk. Leaves: operations, and which bytes the next segment continues.
//! Clauses are of OPC 10000-6 (mappings) and OPC 10000-4 (services), release 1.04.
//!
//! | chunk | record |
//! |---|---|
//! | Hello, Acknowledge, Error | message, function 0 |
//! | ReverseHello | message, function 1; from the network it is judged as a request is |
//! | OpenSecureChannel | service; object the security policy |
//! | first chunk of a message | service; an object for each node of Read, Write, CreateMonitoredItems, two for each of Call |
//! | further chunks of the same message | none: the first one decided |
//! | chunk of a channel that encrypts | `secured_message` |
//!
//! Whether a channel under a policy other than None signs or encrypts is agreed on inside what it encrypts. What can be read
//! on it as a service of the standard is taken for one, with the signature behind it; anything else is opaque.

pub mod channel;
mod frame;
pub mod functions;
mod header;
mod list;
mod message;
mod node;
mod open;
mod services;
mod step;
mod transport;
mod value;

use self::services::shape;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::{Protocol, framing};
use crate::scratch::{MOST, Scratch};
use crate::verdict::Reason;

use crate::protocol::framing::eight;

/// Limits of the standard, and of the walk.
pub mod limits {
    /// Turns in one step, behind a chunk: a node or a value each.
    pub const PER_STEP: u32 = 3;
    /// Most steps.
    pub const STEPS: u32 = 12;
    /// Most nodes of one request that are walked.
    pub const NODES: u32 = 32;
    /// Message type, chunk type, size: 7.1.2.2.
    pub const HEADER: u32 = 8;
    /// Channel, token, sequence number, request id: 6.7.2.
    pub const MESSAGE: u32 = 24;
    /// Longest chunk where nobody has said which one is taken.
    pub const CHUNK: u32 = 1 << 20;
    /// Longest URL: 7.1.2.3.
    pub const URL: u32 = 4096;
    /// Longest security policy URI: 6.7.2.3.
    pub const POLICY: u32 = 255;
    /// Smallest buffer: 7.1.2.3; with elliptic curves less than the 8,192 of old.
    pub const BUFFER: u32 = 1024;
    /// Bytes that say all about an answer but its status.
    pub const ANSWER: u32 = 31;
}

/// Reads chunks from `stream.start` to `stream.end` and the services in them, a few parts of them. True when there is more:
/// the caller comes again. Each part of a turn goes on from what the one before it left in memory, so that the kernel's
/// verifier need not follow every way through all of them.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.nesting.state = step::UNIT;
        scratch.nesting.steps = 0;
    }
    scratch.nesting.steps = scratch.nesting.steps.wrapping_add(1);
    if scratch.nesting.steps > limits::STEPS {
        give_up(scratch);
        return false;
    }
    if is_next(scratch.anew(), step::UNIT) && !frame::read(bytes, scratch) {
        return false;
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::HEADER) {
        header::request(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::SERVICE) {
        header::service(bytes, scratch);
    }
    for _ in 0..limits::PER_STEP {
        let scratch = scratch.anew();
        if is_next(scratch, step::UNIT) {
            break;
        }
        part(bytes, scratch);
    }
    let scratch = scratch.anew();
    !is_next(scratch, step::UNIT) || scratch.stream.start < scratch.stream.end
}

/// A part of a list: the next node and what stands behind it, as far as one turn goes.
#[inline(always)]
fn part<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if is_next(scratch, step::NODE) {
        node::begin(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::NAME) {
        list::name(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::BEHIND) {
        list::behind(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::VARIANT) {
        value::variant(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::ELEMENT) {
        value::element(bytes, scratch);
    }
    let scratch = scratch.anew();
    if is_next(scratch, step::VALUED) {
        value::behind(bytes, scratch);
    }
}

#[inline(always)]
const fn is_next(scratch: &Scratch, next: u32) -> bool {
    scratch.nesting.state & step::NEXT == next
}

/// No step is left for what is under way, nor for the chunks behind it.
#[inline(always)]
fn give_up(scratch: &mut Scratch) {
    if !is_next(scratch, step::UNIT) && scratch.nesting.state & step::TARGETED == 0 {
        step::beyond(scratch);
    }
    let scratch = scratch.anew();
    if scratch.stream.start < scratch.stream.end {
        scratch.fault(Reason::BeyondInspection);
    }
}

/// Behind the last byte of the message at hand that is here.
#[inline(always)]
fn here(scratch: &Scratch) -> u32 {
    scratch.nesting.end.min(scratch.stream.end)
}

/// The eight bytes from `nesting.at` on, the first one lowest; what is not here is 0. Through memory: a value in a register
/// is one that the kernel's verifier follows along every way that led to it.
#[inline(always)]
fn fetch<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> u64 {
    let scratch = scratch.anew();
    let word = eight(bytes, scratch.nesting.at, here(scratch));
    let [first, ..] = &mut scratch.anew().nesting.window;
    *first = word;
    let [first, ..] = scratch.anew().nesting.window;
    first
}

/// The first four of them.
#[inline(always)]
fn number<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> u32 {
    (fetch(bytes, scratch) & 0xffff_ffff) as u32
}

/// Moves on by so many bytes, whether they are here or not.
#[inline(always)]
fn skip(scratch: &mut Scratch, size: u32) {
    let nesting = &mut scratch.anew().nesting;
    nesting.at = nesting.at.wrapping_add(size);
}

/// True when more was skipped than is here.
#[inline(always)]
fn is_short(scratch: &mut Scratch) -> bool {
    let scratch = scratch.anew();
    scratch.nesting.at > here(scratch)
}

/// Adds a record for the chunk at hand. `None`, and the fault noted, when there is no room.
#[inline(always)]
fn add(scratch: &mut Scratch, function: u32) -> Option<&mut Operation> {
    let role = scratch.path.role;
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Opcua as u8;
    operation.role = role;
    operation.function = function;
    // An answer's number is its own.
    operation.flags = Operation::OTHER_FUNCTION;
    Some(operation)
}

/// Goes on with the next node of a list, or behind the list.
#[inline(always)]
fn next(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    nesting.index = nesting.index.wrapping_add(1);
    nesting.state &= !(step::TARGETED | step::METHOD);
    if nesting.index >= nesting.count {
        step::finish(scratch);
    } else {
        step::go_on(scratch, step::NODE);
    }
}

/// True for the last node of a list.
#[inline(always)]
const fn is_last(scratch: &Scratch) -> bool {
    scratch.nesting.index.wrapping_add(1) >= scratch.nesting.count
}

/// True while the request at hand is laid out so.
#[inline(always)]
const fn is_shape(scratch: &Scratch, shape: u8) -> bool {
    scratch.nesting.unit == shape as u32
}

const _: () = assert!(shape::WRITE > shape::READ && shape::READ > shape::OPEN);
const _: () = assert!(framing::UNITS as u32 <= limits::STEPS);
