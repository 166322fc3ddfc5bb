//! The request header, OPC 10000-4 7.32, and what stands between it and the nodes of a service.

use super::functions::code;
use super::{fetch, here, is_short, limits, node, number, services, shape, skip, step};
use crate::bytes::Bytes;
use crate::protocol::framing;
use crate::scratch::Scratch;

/// Authentication token, time, handle, diagnostics; audit entry, timeout, additional header.
#[inline(always)]
pub(super) fn request<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    node::skip(bytes, scratch);
    let at = scratch.anew().nesting.at;
    scratch.leave_out::<1>(at, u64::MAX);
    scratch.leave_out::<2>(at.wrapping_add(8), 0xffff_ffff);
    skip(scratch, 16);
    node::string(bytes, scratch.anew());
    skip(scratch, 4);
    extension(bytes, scratch.anew());
    step::go_on(scratch.anew(), step::SERVICE);
    step::check(scratch.anew());
}

/// Moves behind an extension object: type, encoding, body. OPC 10000-6 5.2.2.15.
#[inline(always)]
pub(super) fn extension<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    node::skip(bytes, scratch);
    let form = fetch(bytes, scratch) & 0xff;
    skip(scratch, 1);
    let scratch = scratch.anew();
    if form > 2 {
        scratch.nesting.state |= step::WRONG;
    } else if form != 0 {
        node::string(bytes, scratch);
    }
}

/// What a service has in front of its nodes; all of it where it has none.
#[inline(always)]
pub(super) fn service<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.unit == shape::OPEN as u32 {
        // Version, type, mode, nonce, lifetime: OPC 10000-6 6.7.4.
        skip(scratch, 12);
        node::string(bytes, scratch.anew());
        skip(scratch, 4);
        return end(scratch);
    }
    let function = match framing::last(scratch) {
        Some(last) => last.function,
        None => code::SECURED,
    };
    scratch.nesting.number = function;
    let row = services::of(scratch.anew().nesting.number);
    skip(scratch, row.fixed as u32);
    let sized = scratch.nesting.unit == shape::SIZED as u32;
    if sized && row.element == 0 {
        return end(scratch);
    }
    let count = node::length(number(bytes, scratch));
    scratch.nesting.index = 0;
    scratch.nesting.count = count;
    skip(scratch, 4);
    let scratch = scratch.anew();
    if sized {
        let elements = scratch.nesting.count.wrapping_mul(row.element as u32);
        skip(scratch, elements);
        return end(scratch);
    }
    if is_short(scratch) {
        return step::short(scratch);
    }
    if scratch.nesting.count == 0 {
        step::finish(scratch);
    } else if scratch.nesting.count > limits::NODES {
        step::beyond(scratch);
    } else {
        step::go_on(scratch, step::NODE);
    }
}

/// The message ends at `nesting.at`.
#[inline(always)]
fn end(scratch: &mut Scratch) {
    let scratch = scratch.anew();
    if scratch.nesting.at > here(scratch) {
        step::short(scratch);
    } else {
        step::finish(scratch);
    }
}
