//! OpenSecureChannel: security policy, certificates, and where nothing is encrypted the service. OPC 10000-6 6.7.2.3, 6.7.4.

use super::channel::policy;
use super::frame::Chunk;
use super::functions::{code, space};
use super::message::{status, walk};
use super::{add, channel, fetch, is_short, limits, node, number, shape, skip, step};
use crate::bytes::Bytes;
use crate::operation::{Access, Role};
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// A channel is opened, or its keys are renewed.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let asks = channel::asks(scratch);
    let Some(operation) = add(scratch, if asks { code::OPEN } else { code::OPENED }) else {
        return;
    };
    operation.access = Access::Session as u8;
    operation.role = if asks { Role::Request } else { Role::Response } as u8;
    skip(scratch, 12);
    let length = number(bytes, scratch);
    skip(scratch, 4);
    scratch.nesting.left = length;
    skip(scratch, length.min(limits::POLICY));
    if length > limits::POLICY {
        return step::malformed(scratch.anew());
    }
    if is_short(scratch) {
        return cut(scratch.anew());
    }
    channel::policy_of(bytes, scratch.anew());
    let scratch = scratch.anew();
    let policy = scratch.nesting.number;
    let context = scratch.stream.context;
    scratch.stream.context = if channel::asks(scratch) {
        context & channel::HELLO | channel::under(policy)
    } else {
        channel::complete(context | channel::SERVER)
    };
    let scratch = scratch.anew();
    let policy = scratch.nesting.number;
    if let Some(operation) = framing::last(scratch) {
        operation.space = space::POLICY;
        operation.first = policy;
        operation.last = policy;
    }
    if policy == policy::NONE {
        plain(bytes, scratch.anew());
    }
}

/// The rest of one whose policy is None: certificate, thumbprint, sequence number, request id, service.
#[inline(always)]
fn plain<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    node::string(bytes, scratch);
    node::string(bytes, scratch.anew());
    skip(scratch, 4);
    scratch.nesting.transaction = number(bytes, scratch);
    skip(scratch, 4);
    let first = fetch(bytes, scratch);
    scratch.nesting.number = node::service(first);
    skip(scratch, node::size(first));
    if is_short(scratch) {
        return cut(scratch.anew());
    }
    let scratch = scratch.anew();
    let (number, transaction) = (scratch.nesting.number, scratch.nesting.transaction);
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    operation.transaction = transaction;
    let answers = operation.function == code::OPENED;
    if number == code::OPEN {
        // What it is says who speaks.
        operation.function = code::OPEN;
        operation.role = Role::Request as u8;
        walk(scratch.anew(), 0);
        scratch.nesting.unit = shape::OPEN as u32;
    } else if number == code::OPENED && answers {
        status(bytes, scratch.anew());
    } else {
        framing::set_fault(operation, Reason::InvalidFunction);
    }
}

/// It ends too early, or goes on behind what is here.
#[inline(always)]
fn cut(scratch: &mut Scratch) {
    let chunk = Chunk::of(scratch);
    let whole = chunk.end <= scratch.stream.end;
    framing::fault(scratch, if whole { Reason::LengthMismatch } else { Reason::BeyondInspection });
}
