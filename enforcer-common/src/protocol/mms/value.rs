//! Values that a write of one variable writes: ISO 9506-2 14.4.2.

use core::hint::black_box;

use super::ber;
use super::functions::space;
use super::grammar::step;
use super::phase;
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::framing;
use crate::scratch::Scratch;

/// A boolean.
const BOOLEAN: u32 = 0x83;
/// An integer with sign.
const INTEGER: u32 = 0x85;

/// Takes the value of the element that was read. Of a control's structure the first component is the value
/// (IEC 61850-8-1 20.2); other structures have none, and no rule with values covers them.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (tag, from, end) = (scratch.nesting.list, scratch.nesting.from, scratch.nesting.number);
    let (structure, here) = (scratch.nesting.index & step::STRUCTURE != 0, end <= scratch.nesting.until);
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    if structure {
        let control = matches!(operation.space, space::OPERATE | space::SELECT_WITH_VALUE | space::CANCEL);
        if !control {
            scratch.nesting.state = phase::DONE;
        }
        return;
    }
    let length = end.wrapping_sub(from);
    if !here || length == 0 || length > 5 {
        return;
    }
    let low = ber::number(bytes, end, length);
    let first = black_box(bytes.u8(from).unwrap_or(0)) as i64;
    let bits = length << 3;
    let number = if length == 5 { first << 32 | low as i64 } else { low as i64 };
    let signed = number << (64u32.wrapping_sub(bits) & 63) >> (64u32.wrapping_sub(bits) & 63);
    let number = match tag {
        BOOLEAN => (low & 0xff != 0) as i64,
        INTEGER => signed,
        _ => number,
    };
    operation.value_min = number;
    operation.value_max = number;
    operation.flags |= Operation::HAS_VALUE;
}
