//! Jobs and their answers.

use super::functions::{self, job, space};
use super::{Message, add, block, context, from_device, item, phase, set_role};
use crate::bytes::Bytes;
use crate::operation::{Access, NO_OBJECT, Operation, Role};
use crate::protocol::cotp::{is_answer, last_fault};
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Fills a record with a job. Variables are left for [`item::walk`].
#[inline(always)]
pub(super) fn request<B: Bytes + ?Sized>(bytes: &B, message: &Message, function: u8, scratch: &mut Scratch) {
    if message.parameter_length() == 0 {
        scratch.fault(Reason::LengthMismatch);
        return;
    }
    if add(message, function as u32, functions::job_access(function), scratch).is_none() {
        return;
    }
    // A device that fetches a block asks its client.
    set_role(scratch, Role::Request);
    if from_device(scratch) {
        return;
    }
    let scratch = scratch.anew();
    match function {
        job::READ_VAR | job::WRITE_VAR => item::begin(bytes, message, function, scratch),
        job::SETUP_COMMUNICATION => exact(message, 8, scratch),
        job::REQUEST_DOWNLOAD => {
            block::read(bytes, message, true, scratch);
            scratch.stream.context |= context::DOWNLOAD;
        }
        job::START_UPLOAD => block::read(bytes, message, false, scratch),
        job::UPLOAD | job::END_UPLOAD => exact(message, 8, scratch),
        job::PI_SERVICE => invocation(bytes, message, scratch),
        job::PLC_STOP => {
            let name = byte(bytes, message.parameters.wrapping_add(6));
            exact(message, name.wrapping_add(7), scratch);
        }
        _ => {}
    }
}

#[inline(always)]
pub(super) fn byte<B: Bytes + ?Sized>(bytes: &B, at: u32) -> u32 {
    // A number in either case: an absent one would be moved around undefined, which the kernel's verifier refuses.
    core::hint::black_box(bytes.u8(at).unwrap_or(0)) as u32
}

/// Parameters of this size, and no data.
#[inline(always)]
pub(super) fn exact(message: &Message, parameters: u32, scratch: &mut Scratch) {
    if message.parameter_length() != parameters || message.data_length() != 0 {
        last_fault(scratch, Reason::LengthMismatch);
    }
}

/// Seven octets, a block of parameters behind its length of two octets, the service's name behind its length of one.
#[inline(always)]
fn invocation<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    let block = bytes.u16(message.parameters.wrapping_add(8)).unwrap_or(0) as u32;
    let name = message.parameters.wrapping_add(10).wrapping_add(block);
    if name >= message.data {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    if name >= scratch.stream.end {
        last_fault(scratch, Reason::BeyondInspection);
        return;
    }
    let length = byte(bytes, name);
    exact(message, block.wrapping_add(length).wrapping_add(11), scratch);
    // Behind what is visible of a unit that is not all there, there is no name.
    if name.wrapping_add(length) >= scratch.stream.end {
        last_fault(scratch, Reason::BeyondInspection);
        return;
    }
    let at = name.wrapping_add(1);
    scratch.walking = Walking { at, end: at.wrapping_add(length), seen: phase::NAME, found: 0 };
}

/// Fills a record with an answer. A client answers where the device fetches a block that the client has offered; any
/// other answer of a client is none.
#[inline(always)]
pub(super) fn answer<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    let named = message.parameter_length() != 0;
    let function = if named { byte(bytes, message.parameters) } else { functions::ACKNOWLEDGE };
    let server = is_answer(scratch);
    let offered = scratch.stream.context & context::DOWNLOAD != 0;
    let fetched = function == job::DOWNLOAD_BLOCK as u32 || function == job::DOWNLOAD_ENDED as u32;
    #[expect(clippy::cast_possible_truncation, reason = "an octet where it is looked up")]
    let access = if named { functions::job_access(function as u8) } else { Access::Session as u8 };
    let first = byte(bytes, message.data);
    let items = named && message.data_length() != 0 && (function == 4 || function == 5);
    let [class, code] = message.error;
    let Some(operation) = add(message, function, access, scratch) else {
        return;
    };
    if class != 0 || code != 0 {
        operation.exception = class;
        operation.flags |= Operation::HAS_EXCEPTION;
    } else if items && first != 0xff {
        // The first item's return code.
        #[expect(clippy::cast_possible_truncation, reason = "an octet")]
        {
            operation.exception = first as u8;
        }
        operation.flags |= Operation::HAS_EXCEPTION;
    }
    if !server {
        operation.role = Role::Response as u8;
        if !(offered && fetched) {
            operation.fault = Reason::InvalidFunction as u8;
        }
    }
}

/// Sets one object.
#[inline(always)]
pub(super) fn object(scratch: &mut Scratch, space: u32, number: u32) {
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && space != NO_OBJECT
    {
        last.space = space;
        last.first = number;
        last.last = number;
    }
}

/// Number of the kind of object that a block's type is.
#[inline(always)]
pub(super) const fn block_space(kind: u8) -> u32 {
    match kind {
        b'8' | b'9' => space::BLOCK.wrapping_add((kind as u32).wrapping_sub(0x30)),
        b'A'..=b'F' => space::BLOCK.wrapping_add((kind as u32).wrapping_sub(0x37)),
        _ => NO_OBJECT,
    }
}
