//! Where a chunk begins and ends: OPC 10000-6 7.1.2.2.

use core::hint::black_box;

use super::{channel, fetch, limits, message, open, step, transport};
use crate::bytes::Bytes;
use crate::flow::carry_size;
use crate::port::Side;
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Message types.
pub(super) mod kind {
    pub(in super::super) const HELLO: u32 = u32::from_le_bytes(*b"HEL\0");
    pub(in super::super) const ACKNOWLEDGE: u32 = u32::from_le_bytes(*b"ACK\0");
    pub(in super::super) const ERROR: u32 = u32::from_le_bytes(*b"ERR\0");
    pub(in super::super) const REVERSE_HELLO: u32 = u32::from_le_bytes(*b"RHE\0");
    pub(in super::super) const OPEN: u32 = u32::from_le_bytes(*b"OPN\0");
    pub(in super::super) const CLOSE: u32 = u32::from_le_bytes(*b"CLO\0");
    pub(in super::super) const MESSAGE: u32 = u32::from_le_bytes(*b"MSG\0");
}

/// Chunk types, 6.7.2.2.
pub(super) const FINAL: u32 = b'F' as u32;
/// Others follow.
pub(super) const INTERMEDIATE: u32 = b'C' as u32;
/// The message is given up.
pub(super) const ABORT: u32 = b'A' as u32;

/// The chunk at hand. Kept in `nesting`, where it is not told apart along the verifier's ways.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    /// Offset of its first byte.
    pub(super) at: u32,
    /// Behind its last byte.
    pub(super) end: u32,
    /// One of [`kind`].
    pub(super) kind: u32,
    /// Chunk type.
    pub(super) part: u32,
}

impl Chunk {
    /// The one that [`read`] has found.
    #[inline(always)]
    pub(super) fn of(scratch: &mut Scratch) -> Self {
        let nesting = &scratch.anew().nesting;
        Self { at: nesting.list, end: nesting.end, kind: nesting.count & 0x00ff_ffff, part: nesting.count >> 24 }
    }
}

/// Reads the chunk at `stream.start`; leaves in `nesting` what is to be walked in it. False when there is none.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if !framing::next(scratch) {
        return false;
    }
    scratch.nesting.state = step::UNIT;
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    if remaining < limits::HEADER {
        let letter = black_box(bytes.u8(at).unwrap_or(0));
        begun(letter, scratch);
        return false;
    }
    scratch.nesting.at = at;
    scratch.nesting.end = scratch.stream.end;
    let head = fetch(bytes, scratch);
    let size = (head >> 32) as u32;
    scratch.nesting.list = at;
    scratch.nesting.end = at.wrapping_add(size);
    scratch.nesting.count = (head & 0xffff_ffff) as u32;
    scratch.nesting.size = wrong(head, longest(scratch)) as u32;
    let scratch = scratch.anew();
    if let Some(reason) = Reason::from_code(scratch.nesting.size.to_le_bytes()[0]) {
        scratch.fault(reason);
        return false;
    }
    let scratch = scratch.anew();
    let kept = if framing::is_answer(scratch) {
        limits::ANSWER
    } else {
        carry_size(Side::from_code(scratch.frame.side)).wrapping_add(1)
    };
    scratch.nesting.size = kept;
    let scratch = scratch.anew();
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    let size = scratch.nesting.end.wrapping_sub(at);
    if !framing::take(scratch, at, remaining, size, size.min(scratch.nesting.size)) {
        return false;
    }
    framing::end(scratch.anew(), size);
    let chunk = Chunk::of(scratch);
    if chunk.kind == kind::MESSAGE || chunk.kind == kind::CLOSE {
        message::read(bytes, scratch);
    } else if chunk.kind == kind::OPEN {
        open::read(bytes, scratch);
    } else {
        transport::read(bytes, scratch);
    }
    true
}

/// Longest chunk that the sender may send.
#[inline(always)]
fn longest(scratch: &Scratch) -> u32 {
    let agreed = channel::longest(scratch.stream.peer_context);
    if agreed != 0 && channel::asks(scratch) { agreed } else { limits::CHUNK }
}

/// Of a header that is not all there the first letter must be one.
#[inline(always)]
fn begun(letter: u8, scratch: &mut Scratch) {
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    if matches!(letter, b'H' | b'A' | b'E' | b'R' | b'O' | b'C' | b'M') {
        framing::partial(scratch, at, remaining);
    } else {
        scratch.fault(Reason::MalformedFraming);
    }
}

/// Reason code of what is wrong with a header, or 0. Messages alone may come in several chunks.
#[inline(always)]
fn wrong(head: u64, longest: u32) -> u8 {
    let (kind, part, size) = ((head & 0x00ff_ffff) as u32, (head >> 24 & 0xff) as u32, (head >> 32) as u32);
    let (least, most) = match kind {
        kind::HELLO => (32, limits::URL.wrapping_add(32)),
        kind::ACKNOWLEDGE => (28, 28),
        kind::ERROR => (16, limits::URL.wrapping_add(16)),
        kind::REVERSE_HELLO => (16, limits::URL.wrapping_mul(2).wrapping_add(16)),
        kind::OPEN => (32, longest),
        kind::CLOSE | kind::MESSAGE => (limits::MESSAGE, longest),
        _ => (u32::MAX, 0),
    };
    let several = kind == kind::MESSAGE && (part == INTERMEDIATE || part == ABORT);
    if least > most || (part != FINAL && !several) {
        Reason::MalformedFraming as u8
    } else if size < least || size > most {
        Reason::LengthMismatch as u8
    } else {
        0
    }
}
