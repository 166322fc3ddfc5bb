//! Variables that a job reads or writes: one object range per item.
//!
//! An item is an address of syntax 0x10 (S7ANY): type and number of elements, data block, area, and the address of a bit.
//! Addresses of other syntaxes (symbols, a numeric control's, several areas in one) are read as a whole kind of object, and
//! not written.

use core::hint::black_box;

use super::functions::{self, job, space};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::Protocol;
use crate::protocol::cotp::last_fault;
use crate::scratch::{MOST, Scratch, Walking};
use crate::verdict::Reason;

use super::{Message, phase};

/// Items that are read in one step.
const PER_STEP: u32 = 8;
/// Bit of `walking.seen`, above the number of items that are left: no item was read yet.
const FIRST: u32 = 0x0001_0000;

/// Begins the walk.
#[inline(always)]
pub(super) fn begin<B: Bytes + ?Sized>(bytes: &B, message: &Message, function: u8, scratch: &mut Scratch) {
    let data = message.data_length() != 0;
    if message.parameter_length() < 2 || data != (function == job::WRITE_VAR) {
        last_fault(scratch, Reason::LengthMismatch);
        return;
    }
    let items = super::job::byte(bytes, message.parameters.wrapping_add(1));
    if items == 0 {
        last_fault(scratch, Reason::OutOfRange);
        return;
    }
    let at = message.parameters.wrapping_add(2);
    scratch.walking = Walking { at, end: message.data, seen: phase::ITEMS | FIRST | items, found: 0 };
}

/// What is fixed for all items of the job at hand.
struct Job {
    function: u8,
    reference: u16,
    /// Behind the last item's address.
    parameters_end: u32,
    /// Behind the last item's data.
    end: u32,
}

/// Reads the next items; behind the last one moves behind the unit.
#[inline(always)]
pub(super) fn walk<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let at = scratch.stream.start;
    let Some([_, _, s0, s1, _, _, _, _, _, _, _, r0, r1, p0, p1, _, _, function]) = bytes.read::<18>(at) else {
        scratch.walking.seen = phase::DONE;
        return;
    };
    let size = u16::from_be_bytes([s0, s1]) as u32;
    let parameters = u16::from_be_bytes([p0, p1]) as u32;
    let job = Job {
        function,
        reference: u16::from_be_bytes([r0, r1]),
        parameters_end: at.wrapping_add(17).wrapping_add(parameters),
        end: at.wrapping_add(size),
    };
    for _ in 0..PER_STEP {
        let scratch = scratch.anew();
        if scratch.walking.seen & 0xff == 0 {
            break;
        }
        step(bytes, &job, scratch);
    }
    let scratch = scratch.anew();
    if scratch.walking.seen & 0xff != 0 {
        return;
    }
    // What stands behind the last item belongs to nothing that was read.
    let rest =
        scratch.walking.at != job.parameters_end || (function == job::WRITE_VAR && scratch.walking.end != job.end);
    if rest && scratch.stream.end >= job.end {
        last_fault(scratch, Reason::LengthMismatch);
    }
    scratch.walking.seen = phase::DONE;
}

/// Ends the walk with a fault.
#[inline(always)]
fn stop(scratch: &mut Scratch, reason: Reason) {
    last_fault(scratch, reason);
    scratch.walking.seen = phase::ITEMS;
}

/// Reads one item, and the head of what it writes.
#[inline(always)]
fn step<B: Bytes + ?Sized>(bytes: &B, job: &Job, scratch: &mut Scratch) {
    if scratch.walking.seen & FIRST == 0 {
        further(job, scratch);
    }
    let scratch = scratch.anew();
    if left(scratch) != 0 {
        address(bytes, job, scratch);
    }
    let scratch = scratch.anew();
    if left(scratch) != 0 && job.function == job::WRITE_VAR {
        written(bytes, job, scratch);
    }
    let scratch = scratch.anew();
    if left(scratch) != 0 {
        scratch.walking.seen = (scratch.walking.seen & !FIRST).wrapping_sub(1);
    }
    if let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        operation.value_min = 0;
    }
}

/// Items that are left.
#[inline(always)]
const fn left(scratch: &Scratch) -> u32 {
    scratch.walking.seen & 0xff
}

/// Reads an item's address. How many octets it has is left in the record's value for [`written`].
#[inline(always)]
fn address<B: Bytes + ?Sized>(bytes: &B, job: &Job, scratch: &mut Scratch) {
    let at = scratch.walking.at;
    let Some([kind, length, syntax]) = bytes.read::<3>(at) else {
        return stop(scratch, Reason::BeyondInspection);
    };
    let behind = at.wrapping_add(length as u32).wrapping_add(2);
    if behind > job.parameters_end || kind != 0x12 {
        return stop(scratch, Reason::LengthMismatch);
    }
    if behind > scratch.stream.end {
        return stop(scratch, Reason::BeyondInspection);
    }
    // Items are filled up to an even size, but for the last one.
    let fill = length as u32 & (left(scratch) != 1) as u32;
    scratch.walking.at = behind.wrapping_add(fill);
    if syntax == 0x10 && length == 10 {
        let Some(address) = bytes.read::<12>(at) else {
            return stop(scratch, Reason::BeyondInspection);
        };
        range(address, scratch.anew());
        return;
    }
    super::job::object(scratch, space::SYNTAX, syntax as u32);
    if job.function == job::WRITE_VAR || syntax == 0x10 {
        stop(scratch, Reason::BeyondInspection);
    }
}

/// Adds the record of an item that is not the job's first.
#[inline(always)]
fn further(job: &Job, scratch: &mut Scratch) {
    if scratch.count >= MOST {
        return stop(scratch, Reason::BeyondInspection);
    }
    let role = scratch.path.role;
    let Some(part) = scratch.add() else {
        return;
    };
    *part = Operation::EMPTY;
    part.protocol = Protocol::S7comm as u8;
    part.role = role;
    part.function = job.function as u32;
    part.transaction = job.reference as u32;
    part.access = functions::job_access(job.function);
    part.flags = Operation::CONTINUES;
}

/// Bits of one element by its type: BIT; BYTE, CHAR; WORD, INT; DWORD, DINT, REAL; DATE, TIME OF DAY, TIME, S5TIME; DATE
/// AND TIME. 0 for types that count in elements of their own area, and for those unknown.
static BITS: [u8; 16] = [0, 1, 8, 8, 16, 16, 32, 32, 32, 16, 32, 32, 16, 0, 0, 64];

#[inline(always)]
fn bits(kind: u8) -> u32 {
    if kind > 15 {
        return 0;
    }
    // The mask must stay where the verifier sees it.
    match BITS.get(black_box(kind) as usize & 15) {
        Some(bits) => *bits as u32,
        None => 0,
    }
}

/// Sets the range of an address, and leaves in the record's value how many octets it has; 0 where the area's elements have
/// a size of their own.
#[inline(always)]
fn range(address: [u8; 12], scratch: &mut Scratch) {
    let [_, _, _, kind, c0, c1, d0, d1, area, a0, a1, a2] = address;
    let count = u16::from_be_bytes([c0, c1]) as u32;
    let place = u32::from_be_bytes([0, a0, a1, a2]);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return;
    };
    let total = bits(kind).wrapping_mul(count);
    operation.space = match area {
        0x84 => space::DB.wrapping_add(u16::from_be_bytes([d0, d1]) as u32),
        0x85 => space::DI.wrapping_add(u16::from_be_bytes([d0, d1]) as u32),
        other => space::AREA.wrapping_add(other as u32),
    };
    let operation = black_box(operation);
    let behind = match area {
        // Counters and timers are counted one by one, whatever their type is called.
        0x1c..=0x1f => {
            operation.first = place;
            operation.value_min = 0;
            place.wrapping_add(count)
        }
        0x03 | 0x05..=0x07 | 0x80..=0x87 if total != 0 => {
            operation.first = place >> 3;
            operation.value_min = (total.wrapping_add(7) >> 3) as i64;
            match place.wrapping_add(total).wrapping_add(7) >> 3 {
                behind if behind > functions::LAST_BYTE.wrapping_add(1) => 0,
                behind => behind,
            }
        }
        _ => 0,
    };
    let operation = black_box(operation);
    operation.last = behind.wrapping_sub(1);
    if count == 0 || operation.last > 0x00ff_ffff {
        operation.last = operation.first;
        operation.fault = Reason::OutOfRange as u8;
    }
}

/// The head of what an item writes: return code, type and length, then as many octets as the address has.
#[inline(always)]
fn written<B: Bytes + ?Sized>(bytes: &B, job: &Job, scratch: &mut Scratch) {
    let at = scratch.walking.end;
    let index = scratch.count.wrapping_sub(1);
    let fill = (left(scratch) != 1) as u32;
    if at.wrapping_add(4) > job.end {
        return stop(scratch, Reason::LengthMismatch);
    }
    if at.wrapping_add(4) > scratch.stream.end {
        return stop(scratch, Reason::BeyondInspection);
    }
    let Some([_, kind, l0, l1]) = bytes.read::<4>(at) else {
        return stop(scratch, Reason::BeyondInspection);
    };
    let stated = u16::from_be_bytes([l0, l1]) as u32;
    // BIT, BYTE and INTEGER count bits; DINTEGER, REAL and OCTET STRING count octets.
    let octets = if matches!(kind, 3..=5) { stated.wrapping_add(7) >> 3 } else { stated };
    let Some(operation) = scratch.operation_mut(index) else {
        return;
    };
    let size = operation.value_min;
    // Data are filled up to an even size, but for the last.
    let behind = at.wrapping_add(4).wrapping_add(octets).wrapping_add(octets & fill);
    if behind > job.end || (size != 0 && octets as i64 != size) {
        return stop(scratch, Reason::LengthMismatch);
    }
    scratch.walking.end = behind;
}
