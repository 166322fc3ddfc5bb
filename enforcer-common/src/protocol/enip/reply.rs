//! Replies, V1 2-4.2: service with its top bit, a byte of 0, general status, words of additional status, data. They name no
//! object, so that only the service says what was asked.

use super::nested;
use super::services::service;
use super::{add, byte, done, eight, fault, here, is_answer, state, take, taken, word};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Top bit of the service.
const REPLY: u32 = 0x80;
/// General status: some service inside failed, V1 appendix B.
const EMBEDDED_SERVICE_ERROR: u32 = 0x1e;

/// Reads the reply at `nesting.at` into a record.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end) = (scratch.nesting.at, here(scratch));
    take::<1, B>(bytes, at, end, scratch);
    let scratch = scratch.anew();
    let (at, end) = (scratch.nesting.at, here(scratch));
    let head = taken(&scratch.nesting.window, 0);
    let code = byte(head, 0);
    done(scratch);
    let Some(operation) = add(scratch, Protocol::Cip as u8, Protocol::Cip.within(code & 0x7f)) else {
        return;
    };
    operation.access = Access::Unknown as u8;
    if at.wrapping_add(4) > end || code & REPLY == 0 {
        if !is_answer(scratch) {
            fault(scratch, Reason::LengthMismatch);
        }
        return;
    }
    let status = byte(head, 2);
    if status != 0 {
        #[expect(clippy::cast_possible_truncation, reason = "a byte")]
        {
            operation.exception = status as u8;
        }
        operation.flags |= Operation::HAS_EXCEPTION;
    }
    let data = at.wrapping_add(4).wrapping_add(byte(head, 3).wrapping_mul(2));
    let list = code == REPLY | service::MULTIPLE_SERVICE_PACKET as u32;
    if list && (status == 0 || status == EMBEDDED_SERVICE_ERROR) && scratch.nesting.state & state::IN_LIST == 0 {
        let count = word(eight(bytes, data, end), 0);
        nested::list(data, count, scratch);
    }
}
