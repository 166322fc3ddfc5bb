//! The nodes of a request, and what stands behind each: OPC 10000-4 5.10.2 (Read), 5.10.4 (Write), 5.11.2 (Call) and 5.12.2
//! (CreateMonitoredItems).

use super::functions::code;
use super::header::extension;
use super::{is_last, is_shape, is_short, next, node, number, shape, skip, step};
use crate::bytes::Bytes;
use crate::operation::Access;
use crate::protocol::framing;
use crate::scratch::{MOST, Scratch};

/// Attribute of a node's value, OPC 10000-6 A.1.
const VALUE: u32 = 13;

/// Walks an identifier; behind it the node becomes the object of a record.
#[inline(always)]
pub(super) fn name<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if !node::name(bytes, scratch) {
        return;
    }
    let scratch = scratch.anew();
    // One record stays free for what is not listed.
    if scratch.count >= MOST.wrapping_sub(1) {
        return step::beyond(scratch);
    }
    let (kind, number) = (scratch.nesting.size, scratch.nesting.number);
    let first = scratch.nesting.index == 0 && scratch.nesting.state & step::METHOD == 0;
    let part = if first { framing::last(scratch) } else { framing::continued(scratch) };
    if let Some(part) = part {
        part.space = kind;
        part.first = number;
        part.last = number;
    }
    step::go_on(scratch.anew(), step::BEHIND);
}

/// What stands behind the identifier of a node.
#[inline(always)]
pub(super) fn behind<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if is_shape(scratch, shape::CALL) {
        return method(bytes, scratch);
    }
    // Attribute, range of an array.
    scratch.nesting.number = number(bytes, scratch);
    skip(scratch, 4);
    node::string(bytes, scratch.anew());
    let scratch = scratch.anew();
    if is_shape(scratch, shape::WRITE) {
        return written(bytes, scratch);
    }
    // Data encoding: a qualified name.
    skip(scratch, 2);
    node::string(bytes, scratch.anew());
    let scratch = scratch.anew();
    if is_shape(scratch, shape::MONITOR) {
        // Mode, handle, interval, filter, size of the queue, what is discarded.
        skip(scratch, 16);
        extension(bytes, scratch.anew());
        skip(scratch, 5);
    }
    on(scratch.anew());
}

/// Goes on with the next node, if this one is sound and all here.
#[inline(always)]
fn on(scratch: &mut Scratch) {
    step::check(scratch);
    let scratch = scratch.anew();
    if scratch.nesting.state & step::NEXT == step::BEHIND {
        next(scratch);
    }
}

/// A DataValue begins, OPC 10000-6 5.2.2.17: which of its parts there are. What is written to another attribute than the
/// value changes what the node is.
#[inline(always)]
fn written<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if is_short(scratch) {
        return step::short(scratch);
    }
    let value = scratch.nesting.number == VALUE;
    if let Some(part) = framing::last(scratch) {
        part.function = if value { code::WRITE } else { code::WRITE_ATTRIBUTE };
        part.access = if value { Access::Write } else { Access::Program } as u8;
    }
    target(scratch.anew());
    scratch.nesting.purpose = number(bytes, scratch) & 0xff;
    scratch.nesting.list = 0;
    skip(scratch, 1);
    let scratch = scratch.anew();
    if is_short(scratch) {
        step::short(scratch);
    } else if scratch.nesting.purpose > 0x3f {
        step::malformed(scratch);
    } else {
        step::go_on(scratch, if scratch.nesting.purpose & 1 != 0 { step::VARIANT } else { step::VALUED });
    }
}

/// Behind the object its method, behind the method its arguments.
#[inline(always)]
fn method<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.state & step::METHOD == 0 {
        scratch.nesting.state |= step::METHOD;
        return step::go_on(scratch, step::NODE);
    }
    target(scratch.anew());
    scratch.nesting.name = node::length(number(bytes, scratch));
    skip(scratch, 4);
    let scratch = scratch.anew();
    if is_short(scratch) {
        step::short(scratch);
    } else if scratch.nesting.name == 0 {
        next(scratch);
    } else {
        step::go_on(scratch, step::VARIANT);
    }
}

/// Where the last node is known, what is left is its value.
#[inline(always)]
fn target(scratch: &mut Scratch) {
    if is_last(scratch) {
        scratch.nesting.state |= step::TARGETED;
    }
}
