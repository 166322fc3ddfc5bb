//! PCCC in the service that executes it, Rockwell 1770-6.5.16 chapter 7 and 1756-PM020: requester, command, status,
//! transaction, function, and of the typed logical commands the file and the elements.

use core::hint::black_box;

use super::commands::{self, FILE};
use super::request::Data;
use super::{add, byte, fault, word};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Reads the command in `data` into a record of its own.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, data: &Data, scratch: &mut Scratch) {
    if data.present < data.length {
        return fault(scratch, Reason::BeyondInspection);
    }
    let end = data.at.wrapping_add(data.length);
    // Length of the requester with itself; then command, status and transaction.
    let requester = if data.length == 0 { 0 } else { byte(bytes, data.at) };
    let at = data.at.wrapping_add(requester);
    let command = black_box(bytes.u8(at).unwrap_or(0));
    let has_function = commands::has_function(command);
    let head = if has_function { 5 } else { 4 };
    if requester < 4 || at.wrapping_add(head) > end {
        return fault(scratch, Reason::LengthMismatch);
    }
    let function = if has_function { black_box(bytes.u8(at.wrapping_add(4)).unwrap_or(0)) } else { 0 };
    let number = (command as u32) << 8 | function as u32;
    let Some(operation) = add(scratch, Protocol::Pccc as u8, Protocol::Pccc.within(number)) else {
        return;
    };
    operation.access = commands::access(command, function);
    // Priority and what must be 0: a receiver may read the command without them.
    if command & 0xf0 != 0 {
        operation.fault = Reason::InvalidFunction as u8;
        return;
    }
    if command == 0x0f && matches!(function, 0xa1 | 0xa2 | 0xa9 | 0xaa | 0xab) {
        logical(bytes, at.wrapping_add(5), end, function, operation);
    }
}

/// Size, file, type, element, and in three fields a sub-element; then what is written, behind a mask where it has one.
#[inline(always)]
fn logical<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, function: u8, operation: &mut Operation) {
    if at.wrapping_add(4) > end {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    }
    let size = byte(bytes, at);
    let (file, at) = field(bytes, at.wrapping_add(1));
    let kind = byte(bytes, at);
    let (element, at) = field(bytes, at.wrapping_add(1));
    let three = function != 0xa1 && function != 0xa9;
    let (sub, at) = if three { field(bytes, at) } else { (0, at) };
    let written = match function {
        0xa9 | 0xaa => size,
        0xab => size.wrapping_add(2),
        _ => 0,
    };
    operation.space = FILE.wrapping_add(file);
    range(kind, element, sub, size, operation);
    if at.wrapping_add(written) != end || size == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    } else if size == 2 && written == 2 {
        // A word, with the sign that integers have.
        let value = (word(bytes, at) << 16).cast_signed() as i64 >> 16;
        operation.value_min = value;
        operation.value_max = value;
        operation.flags |= Operation::HAS_VALUE;
    }
}

/// A number of one byte, or behind 0xFF of two; and what follows it.
#[inline(always)]
fn field<B: Bytes + ?Sized>(bytes: &B, at: u32) -> (u32, u32) {
    let low = byte(bytes, at);
    if low == 0xff { (word(bytes, at.wrapping_add(1)), at.wrapping_add(3)) } else { (low, at.wrapping_add(1)) }
}

/// The elements that `size` bytes from a sub-element on lie in. A single word of a larger element is that sub-element.
#[expect(clippy::integer_division, reason = "by constants, of elements begun")]
#[inline(always)]
fn range(kind: u32, element: u32, sub: u32, size: u32, operation: &mut Operation) {
    // The bytes from the start of the element on.
    let bytes = sub.wrapping_mul(2).wrapping_add(size);
    let more = match kind {
        // Status, bit, integer, output, input, ASCII.
        0x84 | 0x85 | 0x89 | 0x8b | 0x8c | 0x8e => bytes.wrapping_sub(1) >> 1,
        // Timer, counter, control.
        0x86..=0x88 => bytes.wrapping_sub(1) / 6,
        // Float, long.
        0x8a | 0x91 => bytes.wrapping_sub(1) >> 2,
        // String.
        0x8d => bytes.wrapping_sub(1) / 84,
        _ => 0xffff,
    };
    let last = element.wrapping_add(more).min(0xffff);
    let large = matches!(kind, 0x86..=0x88 | 0x8d);
    operation.first = element << 16;
    operation.last = last << 16 | 0xffff;
    if large && size == 2 && more == 0 {
        operation.first |= sub;
        operation.last = operation.first;
    }
    if last == 0xffff && more == 0xffff {
        operation.first = 0;
    }
}
