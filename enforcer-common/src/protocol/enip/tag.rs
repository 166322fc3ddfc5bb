//! Services on tags, Rockwell 1756-PM020: exact lengths, and the values of numbers that are written.

use super::request::{Data, exact};
use super::services::service;
use super::{byte, double, word};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// A structure: another word says which.
const STRUCTURE: u32 = 0x02a0;

/// Checks the data of a service from 0x4C to 0x53 on a tag.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, data: &Data, code: u8, scratch: &mut Scratch) {
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match code {
        // Elements.
        service::READ_TAG => exact(data, 2, operation),
        // Elements, offset.
        service::READ_TAG_FRAGMENTED => exact(data, 6, operation),
        service::WRITE_TAG => write(bytes, data, operation),
        service::WRITE_TAG_FRAGMENTED => fragment(bytes, data, operation),
        service::READ_MODIFY_WRITE_TAG => {
            // Size of the masks, the one that sets, the one that keeps.
            let size = if data.present < 2 { 0 } else { word(bytes, data.at) };
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
fn write<B: Bytes + ?Sized>(bytes: &B, data: &Data, operation: &mut Operation) {
    let (kind, head) = kind(bytes, data);
    if data.present < head {
        return exact(data, head, operation);
    }
    let count = word(bytes, data.at.wrapping_add(head).wrapping_sub(2));
    let size = size(kind);
    if size != 0 {
        exact(data, head.wrapping_add(size.wrapping_mul(count)), operation);
    } else if data.length <= head && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
    if count == 1 && data.present == data.length && operation.fault == 0 {
        value(bytes, data.at.wrapping_add(head), kind, operation);
    }
}

/// Type, elements, offset, and some of the elements' bytes.
#[inline(always)]
fn fragment<B: Bytes + ?Sized>(bytes: &B, data: &Data, operation: &mut Operation) {
    let (kind, head) = kind(bytes, data);
    let head = head.wrapping_add(4);
    if data.present < head {
        return exact(data, head, operation);
    }
    let all = size(kind).wrapping_mul(word(bytes, data.at.wrapping_add(head).wrapping_sub(6)));
    let from = double(bytes, data.at.wrapping_add(head).wrapping_sub(4));
    let length = data.length.wrapping_sub(head);
    if length == 0 && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
    // Beyond the elements that it says it writes.
    if all != 0 && (from > all || length > all.wrapping_sub(from)) && operation.fault == 0 {
        operation.fault = Reason::OutOfRange as u8;
    }
}

/// Type of the elements, and the size of it and their number.
#[inline(always)]
fn kind<B: Bytes + ?Sized>(bytes: &B, data: &Data) -> (u32, u32) {
    let kind = if data.present < 2 { 0 } else { word(bytes, data.at) };
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

/// A single number, with the sign that its type has. Real numbers have no value here, and no rule with values covers them.
#[inline(always)]
fn value<B: Bytes + ?Sized>(bytes: &B, at: u32, kind: u32, operation: &mut Operation) {
    let value = match kind {
        0xc1 => (byte(bytes, at) != 0) as i64,
        0xc2 => (byte(bytes, at) << 24).cast_signed() as i64 >> 24,
        0xc3 => (word(bytes, at) << 16).cast_signed() as i64 >> 16,
        0xc4 => double(bytes, at).cast_signed() as i64,
        0xc6 | 0xd1 => byte(bytes, at) as i64,
        0xc7 | 0xd2 => word(bytes, at) as i64,
        0xc8 | 0xd3 => double(bytes, at) as i64,
        0xc5 => (double(bytes, at) as u64 | (double(bytes, at.wrapping_add(4)) as u64) << 32).cast_signed(),
        _ => return,
    };
    operation.value_min = value;
    operation.value_max = value;
    operation.flags |= Operation::HAS_VALUE;
}
