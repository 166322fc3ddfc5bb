//! Responses: exceptions, and lengths where the standard fixes them.
//!
//! Nothing here is judged by rules; a response is part of the conversation that a request opened. Devices in the field
//! answer with odd lengths to identity and diagnostic functions, so only what the standard fixes is checked.

use super::Unit;
use super::functions::space;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::verdict::Reason;

/// MB 7: the function code with its top bit set, then the exception code.
const EXCEPTION: u8 = 0x80;

/// Fills the record with one response.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    if unit.code & EXCEPTION != 0 {
        if unit.length == 3 {
            operation.exception = bytes.u8(unit.data()).unwrap_or(0);
            operation.flags |= Operation::HAS_EXCEPTION;
        } else {
            operation.fault = Reason::LengthMismatch as u8;
        }
        return;
    }
    match unit.code {
        1..=4 | 12 | 17 | 20 | 21 | 23 => counted(bytes, unit, operation),
        5 | 6 | 15 | 16 => {
            exact(unit, 6, operation);
            echo(bytes, unit, operation);
        }
        7 => exact(unit, 3, operation),
        11 => exact(unit, 6, operation),
        22 => {
            exact(unit, 8, operation);
            echo(bytes, unit, operation);
        }
        0 => operation.fault = Reason::InvalidFunction as u8,
        _ => {}
    }
}

#[inline(always)]
fn exact(unit: &Unit, length: u32, operation: &mut Operation) {
    if unit.length != length {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// Byte count, then that many bytes.
#[inline(always)]
fn counted<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let stated = bytes.u8(unit.data()).unwrap_or(0) as u32;
    exact(unit, stated.wrapping_add(3), operation);
}

/// The address of a write, repeated by the server.
#[inline(always)]
fn echo<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let Some([a0, a1, c0, c1]) = bytes.read::<4>(unit.data()) else {
        return;
    };
    if unit.length < 6 {
        return;
    }
    operation.space = if unit.code == 5 || unit.code == 15 { space::COIL } else { space::HOLDING };
    operation.first = u16::from_be_bytes([a0, a1]) as u32;
    let count = u16::from_be_bytes([c0, c1]) as u32;
    let more = if unit.code >= 15 && unit.code <= 16 { count.saturating_sub(1) } else { 0 };
    operation.last = operation.first.wrapping_add(more);
}
