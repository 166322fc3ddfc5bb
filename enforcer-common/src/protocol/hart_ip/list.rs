//! Lists of commands: direct protocol data units, command 78, and command 77 as a list of one.

use core::hint::black_box;

use super::Unit;
use super::functions::{self, command, space};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::framing;
use crate::scratch::{Scratch, Walking};
use crate::verdict::Reason;

/// Commands of one list that are walked; more is beyond inspection.
const COMMANDS: u32 = 16;
/// Number of two bytes, byte count.
const HEAD: u32 = 3;

/// A direct protocol data unit: two bytes of status, then commands up to its end.
#[inline(always)]
pub(super) fn direct<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit) {
    if unit.length < 2 {
        framing::fault(scratch, Reason::LengthMismatch);
        return;
    }
    walk(bytes, scratch, unit, unit.body.wrapping_add(2), unit.length.wrapping_sub(2), COMMANDS.wrapping_add(1));
}

/// Command 78, HCF_SPEC-151: how many commands, then each.
#[inline(always)]
pub(super) fn aggregated<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit, data: u32, length: u32) {
    let count = black_box(bytes.u8(data).unwrap_or(0)) as u32;
    if length == 0 || (count == 0) != (length == 1) {
        framing::fault(scratch, Reason::LengthMismatch);
        return;
    }
    walk(bytes, scratch, unit, data.wrapping_add(1), length.wrapping_sub(1), count);
}

/// Command 77, HCF_SPEC-151: card, channel, preambles, then delimiter, address, command, byte count and data of a unit without
/// check byte.
#[inline(always)]
pub(super) fn sub_device<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, _: &Unit, data: u32, length: u32) {
    let delimiter = black_box(bytes.u8(data.wrapping_add(3)).unwrap_or(0));
    let head = if delimiter & 0x80 != 0 { 9 } else { 5 };
    let [code, count] = bytes.read::<2>(data.wrapping_add(head)).unwrap_or([0; 2]);
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    let head = head.wrapping_add(2);
    if length < head || length != head.wrapping_add(count as u32) {
        framing::set_fault(operation, Reason::LengthMismatch);
        return;
    }
    if delimiter & 0x60 != 0 {
        framing::set_fault(operation, Reason::MalformedFraming);
    }
    set(operation, code as u32);
}

/// Makes a record the operation of one command in a list. A list in a list is beyond inspection.
#[inline(always)]
fn set(operation: &mut Operation, code: u32) {
    operation.space = space::COMMAND;
    operation.first = code;
    operation.last = code;
    operation.access = functions::access(code);
    if code == command::EXTENDED as u32 || code == command::TO_SUB_DEVICE || code == command::AGGREGATED {
        framing::set_fault(operation, Reason::BeyondInspection);
    }
}

/// Commands one behind the other: each is an operation, the first one the record that is there. `most` is how many there
/// may be; where it is not more than what is walked, as many there must be.
#[inline(always)]
fn walk<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit, from: u32, length: u32, most: u32) {
    framing::walk(scratch, from, unit.end, length | most << 16);
    for item in 0..COMMANDS {
        let scratch = scratch.anew();
        let Walking { at, end, seen, found: _ } = scratch.walking;
        let (left, most) = (seen & 0xffff, seen >> 16);
        if left == 0 || item >= most {
            if left != 0 || (most <= COMMANDS && item != most) {
                framing::fault(scratch, Reason::LengthMismatch);
            }
            return;
        }
        if left < HEAD {
            framing::fault(scratch, Reason::LengthMismatch);
            return;
        }
        if at.wrapping_add(HEAD) > end {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        }
        let Some([c0, c1, count]) = bytes.read::<3>(at) else {
            framing::fault(scratch, Reason::BeyondInspection);
            return;
        };
        let size = HEAD.wrapping_add(count as u32);
        if left < size {
            framing::fault(scratch, Reason::LengthMismatch);
            return;
        }
        scratch.walking.at = at.wrapping_add(size);
        scratch.walking.seen = seen.wrapping_sub(size);
        let part = if item == 0 { framing::last(scratch) } else { framing::continued(scratch) };
        let Some(part) = part else {
            return;
        };
        // An operation of its own.
        part.flags = 0;
        set(part, u16::from_be_bytes([c0, c1]) as u32);
    }
    let scratch = scratch.anew();
    let (left, most) = (scratch.walking.seen & 0xffff, scratch.walking.seen >> 16);
    if left != 0 || most > COMMANDS.wrapping_add(1) {
        framing::fault(scratch, Reason::BeyondInspection);
    }
}
