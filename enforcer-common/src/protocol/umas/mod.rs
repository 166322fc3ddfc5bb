//! UMAS, Schneider's engineering protocol inside Modbus function 90.
//!
//! Enters: a framed unit of function 90, and the record that Modbus made for it. Leaves: the record as one of UMAS. A unit is
//! function code 90, the key of a session or reservation, the UMAS function, and its data, whose integers are little-endian.
//! Function 0x38 wraps another one in a signature and is looked through: what the controller will do is what counts.

pub mod functions;

use self::functions::space;
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::protocol::Protocol;
use crate::protocol::framing;
use crate::verdict::Reason;

/// Bytes of the unit, with its MBAP header, that decide about it: those in front of a signed function's range of memory.
pub const HEAD: u32 = 55;

/// Function 90, key and function.
const FIRST: u32 = 3;
/// Unknown byte, 32 bytes of signature.
const SIGNATURE: u32 = 33;
/// Unknown byte, block, offset, count.
const RANGE: u32 = 9;

/// Fills in the record of a unit whose function code stands at `at` with `length` bytes from there on.
#[inline(always)]
pub(crate) fn read<B: Bytes + ?Sized>(bytes: &B, at: u32, length: u32, operation: &mut Operation) {
    let Some([_, _, code]) = bytes.read::<3>(at) else {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    };
    if length < FIRST {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    }
    set(operation, code);
    let data = at.wrapping_add(FIRST);
    let left = length.wrapping_sub(FIRST);
    if operation.role == Role::Response as u8 {
        answer(bytes, data, left, code, operation);
    } else if code == functions::SIGNED {
        signed(bytes, data, left, operation);
    } else {
        request(bytes, data, left, code, operation);
    }
}

#[inline(always)]
fn set(operation: &mut Operation, code: u8) {
    operation.protocol = Protocol::Umas as u8;
    operation.function = Protocol::Umas.within(code as u32);
    // An answer does not repeat it.
    operation.flags |= Operation::OTHER_FUNCTION;
    operation.access = functions::access(code);
}

/// A refusal bears a code.
#[inline(always)]
fn answer<B: Bytes + ?Sized>(bytes: &B, data: u32, left: u32, code: u8, operation: &mut Operation) {
    if code == functions::REFUSED && left != 0 {
        operation.exception = bytes.u8(data).unwrap_or(0);
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}

/// The signed wrapper: behind the signature stands a whole unit again, which is no wrapper.
#[inline(always)]
fn signed<B: Bytes + ?Sized>(bytes: &B, data: u32, left: u32, operation: &mut Operation) {
    let inner = data.wrapping_add(SIGNATURE);
    let [modbus, _, code] = bytes.read::<3>(inner).unwrap_or([0; 3]);
    let readable = left >= SIGNATURE.wrapping_add(FIRST) && modbus == super::modbus::functions::UMAS;
    if !readable || code == functions::SIGNED {
        operation.fault = Reason::BeyondInspection as u8;
        return;
    }
    set(operation, code);
    let left = left.wrapping_sub(SIGNATURE).wrapping_sub(FIRST);
    request(bytes, inner.wrapping_add(FIRST), left, code, operation);
}

/// What is answered with is not asked for; blocks of memory are named by number, offset and size.
#[inline(always)]
fn request<B: Bytes + ?Sized>(bytes: &B, data: u32, left: u32, code: u8, operation: &mut Operation) {
    if code == functions::DONE || code == functions::REFUSED {
        operation.fault = Reason::InvalidFunction as u8;
    }
    if code != 0x20 && code != 0x21 {
        return;
    }
    let [_, b0, b1, o0, o1, o2, o3, c0, c1] = bytes.read::<9>(data).unwrap_or([0; 9]);
    let count = u16::from_le_bytes([c0, c1]) as u32;
    let written = if code == 0x21 { count } else { 0 };
    if left != RANGE.wrapping_add(written) {
        operation.fault = Reason::LengthMismatch as u8;
        return;
    }
    let block = u16::from_le_bytes([b0, b1]) as u32;
    let offset = u32::from_le_bytes([o0, o1, o2, o3]);
    framing::objects(operation, space::BLOCK.wrapping_add(block), offset, count, u32::MAX);
}
