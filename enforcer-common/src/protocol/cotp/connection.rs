//! TPDUs that open and close a transport connection: 8073 13.3 to 13.6 and 13.12.

use super::carried::CONNECTED;
use super::functions::{code, name, space};
use super::{Tpdu, add, again, is_answer, last_fault};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Parameters of a connection request, 8073 13.3.4.
mod parameter {
    /// Largest TPDU, as the power of two.
    pub(super) const SIZE: u8 = 0xc0;
    /// Called transport selector.
    pub(super) const CALLED: u8 = 0xc2;
    /// Parameters that are walked; more is beyond inspection.
    pub(super) const MOST: u32 = 6;
}

/// Fills a record with the TPDU at `stream.start`, which is none of data. Walks with `walking`. One to a connection that is there already is a fault: what it opens
/// would be judged by what was said before.
#[inline(always)]
pub fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = again(bytes, scratch) else {
        return;
    };
    let answer = is_answer(scratch);
    let kind = tpdu.code & 0xf0;
    let connected = scratch.stream.context & CONNECTED != 0;
    if add(scratch, kind as u32, Access::Session as u8).is_none() {
        return;
    }
    let header = (tpdu.indicator as u32).wrapping_add(5);
    let scratch = scratch.anew();
    if header != tpdu.size {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    match kind {
        code::CONNECTION_REQUEST => {
            scratch.stream.context |= CONNECTED;
            // Classes of flow control do not use the credit in class 0, 8073 13.3.3.
            if tpdu.code & 0x0f != 0 {
                last_fault(scratch, Reason::OutOfRange);
            }
            if connected {
                last_fault(scratch, Reason::InvalidFunction);
            }
            request(bytes, &tpdu, scratch.anew());
        }
        code::CONNECTION_CONFIRM if !answer => last_fault(scratch, Reason::InvalidFunction),
        _ => {}
    }
}

/// Destination and source reference, class and options, then parameters of code, length and value.
#[inline(always)]
fn request<B: Bytes + ?Sized>(bytes: &B, tpdu: &Tpdu, scratch: &mut Scratch) {
    let fixed = bytes.read::<11>(tpdu.at).unwrap_or([0xff; 11]);
    let [.., r0, r1, _, _, class] = fixed;
    if tpdu.indicator < 6 {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    // A destination reference is not known yet, 8073 13.3.3 b; class 0 has no options, 13.3.3 e.
    if (r0 | r1) != 0 || class != 0 {
        last_fault(scratch, Reason::OutOfRange);
        return;
    }
    let end = tpdu.at.wrapping_add(tpdu.size);
    scratch.walking = Walking { at: tpdu.at.wrapping_add(11), end, seen: 0, found: 0 };
    for _ in 0..parameter::MOST {
        let scratch = scratch.anew();
        let (at, end) = (scratch.walking.at, scratch.walking.end);
        if at >= end {
            break;
        }
        let code = bytes.u8(at).unwrap_or(0);
        let length = bytes.u8(at.wrapping_add(1)).unwrap_or(0) as u32;
        let value = at.wrapping_add(2);
        let next = value.wrapping_add(length);
        if next > end {
            last_fault(scratch, Reason::LengthMismatch);
            break;
        }
        scratch.walking.at = next;
        match code {
            parameter::SIZE => {
                let power = bytes.u8(value).unwrap_or(0);
                // 128 to 8,192 octets, 8073 13.3.4 b.
                if length != 1 || !matches!(power, 7..=13) {
                    last_fault(scratch, Reason::OutOfRange);
                }
            }
            parameter::CALLED => {
                // Two of them: which one counts is the device's own decision.
                if scratch.walking.seen != 0 {
                    last_fault(scratch, Reason::OutOfRange);
                }
                scratch.walking.seen = 1;
                called(bytes, value, length, scratch);
            }
            _ => {}
        }
    }
    let scratch = scratch.anew();
    if scratch.walking.at < scratch.walking.end {
        last_fault(scratch, Reason::BeyondInspection);
    }
}

/// The called transport selector is the object. One that is neither a number nor a known name is none: only a rule
/// without objects covers it.
#[inline(always)]
fn called<B: Bytes + ?Sized>(bytes: &B, at: u32, length: u32, scratch: &mut Scratch) {
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    match length {
        2 => object(operation, space::TSAP, bytes.u16(at).unwrap_or(0) as u32),
        15 if bytes.read::<15>(at).unwrap_or([0; 15]) == *name::ENGINEERING => {
            object(operation, space::TSAP_NAME, name::ENGINEERING_NUMBER);
        }
        16 if bytes.read::<16>(at).unwrap_or([0; 16]) == *name::OPERATOR => {
            object(operation, space::TSAP_NAME, name::OPERATOR_NUMBER);
        }
        _ => {}
    }
}

#[inline(always)]
const fn object(operation: &mut Operation, space: u32, number: u32) {
    operation.space = space;
    operation.first = number;
    operation.last = number;
}
