//! Userdata: services by group and subfunction, asked for by clients, answered and pushed by devices.

use super::functions::{self, group, space};
use super::job::{byte, object};
use super::{Message, add, from_device, set_role};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation, Role};
use crate::protocol::cotp::{is_answer, last_fault};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Types, in the upper two bits of the octet whose lower six are the group.
mod kind {
    /// Pushed, unasked.
    pub(super) const PUSH: u8 = 0;
    /// Asked for.
    pub(super) const REQUEST: u8 = 1;
    /// Answered.
    pub(super) const RESPONSE: u8 = 2;
}

/// Parameters of a message, and of one of several that belong together.
mod length {
    pub(super) const FIRST: u32 = 8;
    pub(super) const FURTHER: u32 = 12;
}

/// Fills a record: 00 01 12, the length of what follows, method, type and group, subfunction, sequence; in answers and
/// further messages the reference of a data unit, whether another follows, and an error code.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    let Some([h0, h1, h2, stated, method, selector, subfunction, _]) = bytes.read::<8>(message.parameters) else {
        scratch.fault(Reason::LengthMismatch);
        return;
    };
    let function = functions::userdata(selector, subfunction);
    let kind = selector >> 6;
    let size = message.parameter_length();
    if size < length::FIRST || add(message, function, functions::userdata_access(function), scratch).is_none() {
        scratch.fault(Reason::LengthMismatch);
        return;
    }
    let role = match kind {
        kind::PUSH => Role::Message,
        kind::REQUEST => Role::Request,
        _ => Role::Response,
    };
    set_role(scratch, role);
    let scratch = scratch.anew();
    let sound = [h0, h1, h2] == [0, 1, 0x12] && (stated as u32).wrapping_add(4) == size;
    let shape = (method == 0x11 && size == length::FIRST) || (method == 0x12 && size == length::FURTHER);
    if !sound || !shape {
        last_fault(scratch, Reason::LengthMismatch);
    }
    if from_device(scratch) || (is_answer(scratch) && kind != kind::REQUEST) {
        if size == length::FURTHER {
            error(bytes, message, scratch);
        }
        return;
    }
    if kind != kind::REQUEST {
        last_fault(scratch, if kind <= kind::RESPONSE { Reason::InvalidFunction } else { Reason::OutOfRange });
    }
    data(bytes, message, scratch);
    // One that another follows is put together by the device: only what reads may come in pieces.
    let pieces = size == length::FURTHER && byte(bytes, message.parameters.wrapping_add(9)) != 0;
    if pieces && !reads(scratch) {
        last_fault(scratch, Reason::BeyondInspection);
    }
    if selector & 0x3f == group::PBC {
        block_service(bytes, message, scratch);
    }
}

#[inline(always)]
fn reads(scratch: &Scratch) -> bool {
    let class = scratch.operation(scratch.count.wrapping_sub(1)).map_or(0, |last| last.access);
    matches!(Access::from_code(class), Access::Read | Access::Discover | Access::Diagnose)
}

#[inline(always)]
fn error<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    let code = bytes.read::<2>(message.parameters.wrapping_add(10)).unwrap_or([0; 2]);
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && code != [0, 0]
    {
        [last.exception, _] = code;
        last.flags |= Operation::HAS_EXCEPTION;
    }
}

/// Return code, transport size, length in octets, and as many octets.
#[inline(always)]
fn data<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    if message.data_length() == 0 {
        return;
    }
    let stated = bytes.u16(message.data.wrapping_add(2)).unwrap_or(0xffff) as u32;
    if stated.wrapping_add(4) != message.data_length() {
        last_fault(scratch, Reason::LengthMismatch);
    }
}

/// The request identifier that the user program listens to: an address of syntax 0x13 in front of the data.
#[inline(always)]
fn block_service<B: Bytes + ?Sized>(bytes: &B, message: &Message, scratch: &mut Scratch) {
    if let Some([0x12, 6, 0x13, _, a, b, c, d]) = bytes.read::<8>(message.data.wrapping_add(4))
        && message.data_length() >= 12
    {
        object(scratch, space::R_ID, u32::from_be_bytes([a, b, c, d]));
    }
}
