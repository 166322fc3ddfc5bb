//! PCCC in the service that executes it, Rockwell 1770-6.5.16 chapter 7 and 1756-PM020: requester, command, status,
//! transaction, function, and of the typed logical commands the file and the elements.

use super::commands::{self, FILE};
use super::request::{Data, value};
use super::{add, byte, fault, taken, word};
use crate::operation::Operation;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Reads the command in `data` into a record of its own.
#[inline(always)]
pub(super) fn read(data: &Data, scratch: &mut Scratch) {
    if data.present < data.length {
        return fault(scratch, Reason::BeyondInspection);
    }
    // Length of the requester with itself; then command, status and transaction.
    let requester = byte(taken(&scratch.nesting.window, 0), 0);
    let head = taken(&scratch.nesting.window, requester);
    let command = byte(head, 0).to_le_bytes()[0];
    let has_function = commands::has_function(command);
    let size = requester.wrapping_add(if has_function { 5 } else { 4 });
    if requester < 4 || size > data.length {
        return fault(scratch, Reason::LengthMismatch);
    }
    // What is looked at lies in the bytes that were taken.
    if requester > 12 {
        return fault(scratch, Reason::BeyondInspection);
    }
    let function = if has_function { byte(head, 4).to_le_bytes()[0] } else { 0 };
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
        logical(data, size, function, scratch);
    }
}

/// Size, file, type, element, and in three fields a sub-element; then what is written, behind a mask where it has one.
#[inline(always)]
fn logical(data: &Data, at: u32, function: u8, scratch: &mut Scratch) {
    let fields = taken(&scratch.nesting.window, at);
    let size = byte(fields, 0);
    let (file, fields, first) = field(fields >> 8);
    let kind = byte(fields, 0);
    let (element, _, second) = field(fields >> 8);
    let at = at.wrapping_add(2).wrapping_add(first).wrapping_add(second);
    let rest = taken(&scratch.nesting.window, at);
    let (sub, written, third) = field(rest);
    let three = function != 0xa1 && function != 0xa9;
    let (sub, written, at) = if three { (sub, written, at.wrapping_add(third)) } else { (0, rest, at) };
    let more = match function {
        0xa9 | 0xaa => size,
        0xab => size.wrapping_add(2),
        _ => 0,
    };
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    operation.space = FILE.wrapping_add(file);
    range(kind, element, sub, size, operation);
    if at.wrapping_add(more) != data.length || size == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    } else if size == 2 && more == 2 {
        // A word, with the sign that integers have.
        value(operation, (written << 48).cast_signed() >> 48);
    }
}

/// A number of one byte, or behind 0xFF of two; what follows it, and how many bytes it was.
#[inline(always)]
const fn field(fields: u64) -> (u32, u64, u32) {
    let low = byte(fields, 0);
    if low == 0xff { (word(fields, 1), fields >> 24, 3) } else { (low, fields >> 8, 1) }
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
