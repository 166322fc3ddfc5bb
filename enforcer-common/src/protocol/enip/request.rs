//! Requests, V1 2-4.1: service, words of the path, path, data. Exact lengths where the service fixes them.
//!
//! Inside a request with a fault nothing is read: it does not pass.

use super::path::seen;
use super::services::{self, class, service};
use super::{add, byte, connection, done, fault, go_on, here, nested, pccc, state, tag, take, taken, word};
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
    let (at, present) = (scratch.nesting.at, here(scratch));
    take::<1, B>(bytes, at, present, scratch);
    let scratch = scratch.anew();
    let (at, end, present) = (scratch.nesting.at, scratch.nesting.end, here(scratch));
    let head = taken(&scratch.nesting.window, 0);
    let (code, words) = (byte(head, 0).to_le_bytes()[0], byte(head, 1));
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
    done(scratch);
    if !classify(scratch) {
        return;
    }
    let scratch = scratch.anew();
    let (at, present) = (scratch.nesting.path_end, here(scratch));
    take::<4, B>(bytes, at, present, scratch);
    let scratch = scratch.anew();
    let (at, end, present) = (scratch.nesting.path_end, scratch.nesting.end, here(scratch));
    let (length, here) = (end.wrapping_sub(at), present.wrapping_sub(at));
    let data = Data { at, length, present: here };
    let named = scratch.nesting.seen;
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    let code = (operation.function & 0x7f).to_le_bytes()[0];
    let space = operation.space;
    if space == class::CONNECTION_MANAGER {
        match code {
            service::UNCONNECTED_SEND => nested::sent_on(bytes, data.at, scratch),
            service::FORWARD_OPEN | service::LARGE_FORWARD_OPEN => connection::open(bytes, &data, code, scratch),
            service::FORWARD_CLOSE => connection::close(&data, scratch),
            _ => {}
        }
    } else if space == class::PCCC && code == service::EXECUTE_PCCC {
        pccc::read(&data, scratch);
    } else if (space == class::TAG || space == class::SYMBOL) && code >= service::READ_TAG {
        tag::read(&data, code, scratch);
    } else if code == service::MULTIPLE_SERVICE_PACKET {
        several(&data, space, scratch);
    }
    let scratch = scratch.anew();
    let code = match scratch.operation(scratch.count.wrapping_sub(1)) {
        Some(operation) if operation.protocol == Protocol::Cip as u8 => (operation.function & 0x7f).to_le_bytes()[0],
        _ => 0x7f,
    };
    if code <= 0x1f {
        common(&data, code, named, scratch);
    }
}

/// Notes the class of the request. False when something is wrong with it, so that nothing inside is read.
#[inline(always)]
fn classify(scratch: &mut Scratch) -> bool {
    let more = scratch.nesting.state & state::MORE_ITEMS != 0;
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return false;
    };
    let code = (operation.function & 0x7f).to_le_bytes()[0];
    let space = operation.space;
    operation.access = services::access(code, space);
    // Behind a message nothing stands but where a connection is opened.
    let opens =
        space == class::CONNECTION_MANAGER && (code == service::FORWARD_OPEN || code == service::LARGE_FORWARD_OPEN);
    if more && !opens && operation.fault == 0 {
        operation.fault = Reason::MalformedFraming as u8;
    }
    // Every request is for something.
    if space == NO_OBJECT && operation.fault == 0 {
        operation.fault = Reason::OutOfRange as u8;
    }
    if (code == 0 || code >= 0x64) && operation.fault == 0 {
        operation.fault = Reason::InvalidFunction as u8;
    }
    operation.fault == 0
}

/// A list of services is the message router's; what one of another class would be, nobody knows.
#[inline(always)]
fn several(data: &Data, space: u32, scratch: &mut Scratch) {
    if scratch.nesting.state & state::IN_LIST != 0 || space != class::MESSAGE_ROUTER {
        return fault(scratch, Reason::BeyondInspection);
    }
    let count = word(taken(&scratch.nesting.window, 0), 0);
    nested::list(data.at, count, scratch);
}

/// Common services, V1 appendix A.
#[inline(always)]
fn common(data: &Data, code: u8, named: u32, scratch: &mut Scratch) {
    let first = taken(&scratch.nesting.window, 0);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match code {
        service::GET_ATTRIBUTE_LIST => attributes(first, data, operation),
        service::SET_ATTRIBUTE_SINGLE if named & seen::ATTRIBUTE != 0 => number(first, data, operation),
        // How, or nothing; clients of common make send a word.
        service::RESET if data.present != 0 => value(operation, first.cast_signed() & 0xff),
        _ => {}
    }
}

/// A count, then as many attributes. The operation is on the whole instance, whichever they are.
#[inline(always)]
fn attributes(first: u64, data: &Data, operation: &mut Operation) {
    let count = word(first, 0);
    exact(data, count.wrapping_mul(2).wrapping_add(2), operation);
}

/// Data of exactly this length.
#[inline(always)]
pub(super) fn exact(data: &Data, length: u32, operation: &mut Operation) {
    if data.length != length && operation.fault == 0 {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// The number without sign that 1, 2 or 4 bytes of data are; other sizes are of no type that the path tells.
#[inline(always)]
fn number(first: u64, data: &Data, operation: &mut Operation) {
    let known = data.length == 1 || data.length == 2 || data.length == 4;
    if known && data.present == data.length {
        // What lies behind the data is 0.
        value(operation, first.cast_signed());
    }
}

/// A number that is written.
#[inline(always)]
pub(super) fn value(operation: &mut Operation, number: i64) {
    operation.value_min = number;
    operation.value_max = number;
    operation.flags |= Operation::HAS_VALUE;
}
