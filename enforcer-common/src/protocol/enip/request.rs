//! Requests, V1 2-4.1: service, words of the path, path, data. Exact lengths where the service fixes them.
//!
//! Inside a request with a fault nothing is read: it does not pass.

use super::path::seen;
use super::services::{self, class, service};
use super::{add, byte, connection, done, double, fault, go_on, here, limits, nested, pccc, state, tag, word};
use crate::bytes::Bytes;
use crate::operation::{NO_OBJECT, Operation};
use crate::protocol::Protocol;
use crate::protocol::tables::NAME_START;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Services from here on are replies, or of nobody.
const REPLY: u8 = 0x80;

/// Data of a request.
#[derive(Clone, Copy)]
pub(super) struct Data {
    /// First byte.
    pub(super) at: u32,
    /// Bytes, as the lengths around say.
    pub(super) length: u32,
    /// Bytes of them that are here.
    pub(super) present: u32,
}

/// Reads the head of the request at `nesting.at` into a record, and takes up its path.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end, present) = (scratch.nesting.at, scratch.nesting.end, here(scratch));
    let (code, words) = (bytes.u8(at).unwrap_or(0), byte(bytes, at.wrapping_add(1)));
    let code = core::hint::black_box(code);
    done(scratch);
    if add(scratch, Protocol::Cip as u8, Protocol::Cip.within((code & 0x7f) as u32)).is_none() {
        return;
    }
    let start = at.wrapping_add(2);
    let path_end = start.wrapping_add(words.wrapping_mul(2));
    if path_end > end {
        return fault(scratch, Reason::LengthMismatch);
    }
    if path_end > present {
        return fault(scratch, Reason::BeyondInspection);
    }
    if code >= REPLY {
        return fault(scratch, Reason::InvalidFunction);
    }
    scratch.nesting.at = start;
    scratch.nesting.path_end = path_end;
    scratch.nesting.seen = 0;
    scratch.nesting.name = NAME_START;
    go_on(scratch, if words == 0 { state::DATA } else { state::SEGMENT });
}

/// Goes on behind the path: what the service does, its data, and what is inside that.
#[inline(always)]
pub(super) fn data<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end, present) = (scratch.nesting.path_end, scratch.nesting.end, here(scratch));
    let data = Data { at, length: end.wrapping_sub(at), present: present.wrapping_sub(at) };
    let (named, more) = (scratch.nesting.seen, scratch.nesting.state & state::MORE_ITEMS != 0);
    done(scratch);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    let code = (operation.function & 0x7f).to_le_bytes()[0];
    let space = operation.space;
    operation.access = services::access(code, space);
    let manager = space == class::CONNECTION_MANAGER;
    let opens = manager && (code == service::FORWARD_OPEN || code == service::LARGE_FORWARD_OPEN);
    // Every request is for something. Behind a message nothing stands but where a connection is opened.
    if (space == NO_OBJECT || (more && !opens)) && operation.fault == 0 {
        operation.fault = if more { Reason::MalformedFraming } else { Reason::OutOfRange } as u8;
    }
    if operation.fault != 0 {
        return;
    }
    let scratch = scratch.anew();
    if opens {
        return connection::open(bytes, &data, code == service::LARGE_FORWARD_OPEN, scratch);
    }
    match code {
        service::MULTIPLE_SERVICE_PACKET => several(bytes, &data, space, scratch),
        service::UNCONNECTED_SEND if manager => nested::sent_on(bytes, data.at, scratch),
        service::FORWARD_CLOSE if manager => connection::close(bytes, &data, scratch),
        service::EXECUTE_PCCC if space == class::PCCC => pccc::read(bytes, &data, scratch),
        service::READ_TAG..=service::WRITE_TAG_FRAGMENTED if space == class::TAG || space == class::SYMBOL => {
            tag::read(bytes, &data, code, scratch);
        }
        1..=0x1f => common(bytes, &data, code, named, scratch),
        0 | 0x64..=0x7f => fault(scratch, Reason::InvalidFunction),
        _ => {}
    }
}

/// A list of services is the message router's; what one of another class would be, nobody knows.
#[inline(always)]
fn several<B: Bytes + ?Sized>(bytes: &B, data: &Data, space: u32, scratch: &mut Scratch) {
    if scratch.nesting.state & state::IN_LIST != 0 || space != class::MESSAGE_ROUTER {
        return fault(scratch, Reason::BeyondInspection);
    }
    nested::list(bytes, data.at, scratch);
}

/// Common services, V1 appendix A.
#[inline(always)]
fn common<B: Bytes + ?Sized>(bytes: &B, data: &Data, code: u8, named: u32, scratch: &mut Scratch) {
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match code {
        service::GET_ATTRIBUTE_SINGLE => exact(data, 0, operation),
        service::GET_ATTRIBUTE_LIST => attributes(bytes, data, operation),
        service::SET_ATTRIBUTE_SINGLE => {
            if data.length == 0 {
                exact(data, 1, operation);
            }
            if named & seen::ATTRIBUTE != 0 {
                number(bytes, data.at, data, data.length, operation);
            }
        }
        service::RESET => {
            if data.length > 1 {
                exact(data, 1, operation);
            }
            number(bytes, data.at, data, data.length, operation);
        }
        _ => {}
    }
}

/// The attributes of a list, from the smallest to the largest; of a long list the whole instance.
#[inline(always)]
fn attributes<B: Bytes + ?Sized>(bytes: &B, data: &Data, operation: &mut Operation) {
    if data.present < 2 {
        return exact(data, 2, operation);
    }
    let count = word(bytes, data.at);
    exact(data, count.wrapping_mul(2).wrapping_add(2), operation);
    let whole = operation.last.wrapping_sub(operation.first) == services::LARGEST;
    if operation.fault != 0 || count == 0 || count > limits::ATTRIBUTES || !whole || data.present < data.length {
        return;
    }
    let (mut least, mut most) = (services::LARGEST, 0);
    for index in 0..limits::ATTRIBUTES {
        if index >= count {
            break;
        }
        let attribute = word(bytes, data.at.wrapping_add(2).wrapping_add(index.wrapping_mul(2)));
        // The sign of a difference of small numbers says which is less, without a branch for the verifier to follow.
        least ^= (least ^ attribute) & less(attribute, least);
        most ^= (most ^ attribute) & less(most, attribute);
    }
    operation.last = operation.first | most;
    operation.first |= least;
}

/// All ones when `one` is less than `other`, else 0.
#[inline(always)]
const fn less(one: u32, other: u32) -> u32 {
    (one.wrapping_sub(other).cast_signed() >> 31).cast_unsigned()
}

/// Data of exactly this length.
#[inline(always)]
pub(super) fn exact(data: &Data, length: u32, operation: &mut Operation) {
    if data.length != length && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// The number without sign that 1, 2 or 4 bytes of the data are; other sizes are of no type that the path tells.
#[inline(always)]
fn number<B: Bytes + ?Sized>(bytes: &B, at: u32, data: &Data, size: u32, operation: &mut Operation) {
    if data.present < size {
        return;
    }
    let value = match size {
        1 => byte(bytes, at),
        2 => word(bytes, at),
        4 => double(bytes, at),
        _ => return,
    };
    operation.value_min = value as i64;
    operation.value_max = value as i64;
    operation.flags |= Operation::HAS_VALUE;
}
