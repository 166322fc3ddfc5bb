//! Blocks that are loaded into the device or read from it, by the file name that the job gives.

use super::Message;
use super::job::{block_space, byte, exact, object};
use crate::bytes::Bytes;
use crate::operation::NO_OBJECT;
use crate::protocol::cotp::last_fault;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// `_0`, the type, five digits, and which file system: `_0A00001P` is DB 1, passive.
const NAME: u32 = 9;

/// Function, status, two octets and an identifier of four, then the name behind its length; in a download the sizes
/// behind theirs. Files of a numeric control have names of other shapes, and are no object that a rule could name.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, message: &Message, download: bool, scratch: &mut Scratch) {
    let at = message.parameters.wrapping_add(9);
    let length = byte(bytes, at.wrapping_sub(1));
    let behind = at.wrapping_add(length);
    let sizes = if download { byte(bytes, behind).wrapping_add(1) } else { 0 };
    if behind >= scratch.stream.end && behind < message.data {
        last_fault(scratch, Reason::BeyondInspection);
        return;
    }
    if behind > message.data || (download && behind >= message.data) {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    exact(message, length.wrapping_add(9).wrapping_add(sizes), scratch);
    if length != NAME {
        return;
    }
    let Some([prefix, zero, kind, a, b, c, d, e, _]) = bytes.read::<9>(at) else {
        last_fault(scratch, Reason::BeyondInspection);
        return;
    };
    let number = [a, b, c, d, e].into_iter().fold(0u32, |sum, digit| {
        let value = (digit as u32).wrapping_sub(0x30);
        sum.wrapping_mul(10).wrapping_add(if value > 9 { 1_000_000 } else { value })
    });
    let known = (prefix == b'_' || prefix == b'$') && zero == b'0' && number <= 99_999;
    object(scratch, if known { block_space(kind) } else { NO_OBJECT }, number);
}
