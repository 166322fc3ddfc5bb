//! Services on tags, Rockwell 1756-PM020: exact lengths, and the values of numbers that are written.

use super::request::{Data, exact, value};
use super::services::service;
use super::{double, taken, word};
use crate::operation::Operation;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// A structure: another word says which.
const STRUCTURE: u32 = 0x02a0;

/// Checks the data of a service from 0x4C to 0x53 on a tag.
#[inline(always)]
pub(super) fn read(data: &Data, code: u8, scratch: &mut Scratch) {
    let first = taken(&scratch.nesting.window, 0);
    let (kind, head) = kind(first);
    let behind = taken(&scratch.nesting.window, head.wrapping_sub(2));
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match code {
        // Elements.
        service::READ_TAG => exact(data, 2, operation),
        // Elements, offset.
        service::READ_TAG_FRAGMENTED => exact(data, 6, operation),
        service::WRITE_TAG => write(kind, head, behind, data, operation),
        service::WRITE_TAG_FRAGMENTED => fragment(kind, head, behind, data, operation),
        service::READ_MODIFY_WRITE_TAG => {
            // Size of the masks, the one that sets, the one that keeps.
            let size = word(first, 0);
            exact(data, size.wrapping_mul(2).wrapping_add(2), operation);
            if !matches!(size, 1 | 2 | 4 | 8 | 12) && operation.fault == 0 {
                operation.fault = Reason::OutOfRange as u8;
            }
        }
        _ => {}
    }
}

/// Type, elements, and as many of them as stated.
#[inline(always)]
fn write(kind: u32, head: u32, behind: u64, data: &Data, operation: &mut Operation) {
    let count = word(behind, 0);
    let size = size(kind);
    let all = size.wrapping_mul(count);
    // Without a fixed size there is at least something.
    let fits = if size == 0 { data.length > head } else { data.length == head.wrapping_add(all) };
    if !fits || data.length <= head {
        operation.fault = Reason::LengthMismatch as u8;
    } else if count == 1 && size != 0 && data.present == data.length {
        single(behind >> 16, kind, operation);
    }
}

/// Type, elements, offset, and some of the elements' bytes.
#[inline(always)]
fn fragment(kind: u32, head: u32, behind: u64, data: &Data, operation: &mut Operation) {
    let all = size(kind).wrapping_mul(word(behind, 0));
    let from = double(behind, 2);
    let length = data.length.wrapping_sub(head.wrapping_add(4));
    if data.length <= head.wrapping_add(4) {
        operation.fault = Reason::LengthMismatch as u8;
    } else if all != 0 && (from > all || length > all.wrapping_sub(from)) {
        // Beyond the elements that it says it writes.
        operation.fault = Reason::OutOfRange as u8;
    }
}

/// Type of the elements, and the size of it and their number.
#[inline(always)]
const fn kind(first: u64) -> (u32, u32) {
    let kind = word(first, 0);
    (kind, if kind == STRUCTURE { 6 } else { 4 })
}

/// Bytes of an elementary type, V1 C-6.1; 0 for those that have no fixed size.
#[inline(always)]
const fn size(kind: u32) -> u32 {
    match kind {
        0xc1 | 0xc2 | 0xc6 | 0xd1 => 1,
        0xc3 | 0xc7 | 0xd2 => 2,
        0xc4 | 0xc8 | 0xca | 0xd3 => 4,
        0xc5 | 0xc9 | 0xcb | 0xd4 => 8,
        _ => 0,
    }
}

/// A single number of up to 32 bits, with the sign that its type has. Others have no value here, and no rule with values
/// covers them.
#[inline(always)]
fn single(number: u64, kind: u32, operation: &mut Operation) {
    let number = number.cast_signed();
    let number = match kind {
        0xc1 => (number & 0xff != 0) as i64,
        0xc2 => number << 56 >> 56,
        0xc3 => number << 48 >> 48,
        0xc4 => number << 32 >> 32,
        0xc6 | 0xd1 => number & 0xff,
        0xc7 | 0xd2 => number & 0xffff,
        0xc8 | 0xd3 => number & 0xffff_ffff,
        _ => return,
    };
    value(operation, number);
}
