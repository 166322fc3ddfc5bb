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
use crate::protocol::cotp::{advance, last_fault};
use crate::scratch::{MOST, Scratch, Walking};
use crate::verdict::Reason;

use super::Message;

/// Items that are read in one step.
const PER_STEP: u32 = 8;
/// Bit of `walking.seen` that says that a walk is under way; below it the number of items that are left.
const UNDER_WAY: u32 = 0x0001_0000;
/// Bit of `walking.seen`: no item was read yet.
const FIRST: u32 = 0x0002_0000;

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
    scratch.walking = Walking { at, end: message.data, seen: UNDER_WAY | FIRST | items };
}

/// What is fixed for all items of the job at hand.
struct Job {
    write: bool,
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
        scratch.walking.seen = 0;
        scratch.stream.start = scratch.stream.end;
        return;
    };
    let size = u16::from_be_bytes([s0, s1]) as u32;
    let parameters = u16::from_be_bytes([p0, p1]) as u32;
    let job = Job {
        write: function == job::WRITE_VAR,
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
    let rest = scratch.walking.at != job.parameters_end || (job.write && scratch.walking.end != job.end);
    if rest && scratch.stream.end >= job.end {
        last_fault(scratch, Reason::LengthMismatch);
    }
    scratch.walking.seen = 0;
    advance(scratch, size);
}

/// Ends the walk with a fault.
#[inline(always)]
fn stop(scratch: &mut Scratch, reason: Reason) {
    last_fault(scratch, reason);
    scratch.walking.seen = UNDER_WAY;
}

/// Reads one item, and the head of what it writes.
#[inline(always)]
fn step<B: Bytes + ?Sized>(bytes: &B, job: &Job, scratch: &mut Scratch) {
    let at = scratch.walking.at;
    let first = scratch.walking.seen & FIRST != 0;
    if !first && !further(job, scratch) {
        return;
    }
    let scratch = scratch.anew();
    let last = scratch.walking.seen & 0xff == 1;
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
    let mut size = 0;
    let any = syntax == 0x10 && length == 10;
    if any {
        let Some(address) = bytes.read::<12>(at) else {
            return stop(scratch, Reason::BeyondInspection);
        };
        size = range(address, scratch);
    } else {
        super::job::object(scratch, space::SYNTAX, syntax as u32);
        if job.write || syntax == 0x10 {
            last_fault(scratch, Reason::BeyondInspection);
        }
    }
    // Items are filled up to an even size, but for the last one.
    let fill = !last && length & 1 != 0;
    scratch.walking.at = behind.wrapping_add(fill as u32);
    scratch.walking.seen = (scratch.walking.seen & !FIRST).wrapping_sub(1);
    if job.write {
        written(bytes, job, size, last, scratch.anew());
    }
}

/// Adds the record of an item that is not the job's first.
#[inline(always)]
fn further(job: &Job, scratch: &mut Scratch) -> bool {
    if scratch.count >= MOST {
        stop(scratch, Reason::BeyondInspection);
        return false;
    }
    let role = scratch.path.role;
    let function = if job.write { job::WRITE_VAR } else { job::READ_VAR };
    let Some(part) = scratch.add() else {
        return false;
    };
    *part = Operation::EMPTY;
    part.protocol = Protocol::S7comm as u8;
    part.role = role;
    part.function = function as u32;
    part.transaction = job.reference as u32;
    part.access = functions::job_access(function);
    part.flags = Operation::CONTINUES;
    true
}

/// Bits of one element by its type; 0 for types that count in elements of their own area, and for those unknown.
#[inline(always)]
const fn bits(kind: u8) -> u32 {
    match kind {
        // BIT, then BYTE and CHAR; WORD, INT, DATE, S5TIME; DWORD, DINT, REAL, TIME OF DAY, TIME; DATE AND TIME.
        1 => 1,
        2 | 3 => 8,
        4 | 5 | 9 | 12 => 16,
        6 | 7 | 8 | 10 | 11 => 32,
        15 => 64,
        _ => 0,
    }
}

/// Sets the range of an address, and returns how many octets it has; 0 where the area's elements have a size of their
/// own.
#[inline(always)]
fn range(address: [u8; 12], scratch: &mut Scratch) -> u32 {
    let [_, _, _, kind, c0, c1, d0, d1, area, a0, a1, a2] = address;
    let count = u16::from_be_bytes([c0, c1]) as u32;
    let number = u16::from_be_bytes([d0, d1]) as u32;
    let place = u32::from_be_bytes([0, a0, a1, a2]);
    let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) else {
        return 0;
    };
    let total = bits(kind).wrapping_mul(count);
    operation.space = match area {
        0x84 => space::DB.wrapping_add(number),
        0x85 => space::DI.wrapping_add(number),
        other => space::AREA.wrapping_add(other as u32),
    };
    // Counters and timers are counted one by one, whatever their type is called.
    let single = matches!(area, 0x1c..=0x1f);
    let known = single || matches!(area, 0x03 | 0x05..=0x07 | 0x80..=0x87);
    operation.first = if single { place } else { place >> 3 };
    operation.last =
        if single { place.wrapping_add(count).wrapping_sub(1) } else { place.wrapping_add(total).wrapping_sub(1) >> 3 };
    let most = if single { 0x00ff_ffff } else { functions::LAST_BYTE };
    if count == 0 || operation.last > most || (total == 0 && !single) || !known {
        operation.last = operation.last.max(operation.first);
        operation.fault = Reason::OutOfRange as u8;
    }
    if single { 0 } else { total.wrapping_add(7) >> 3 }
}

/// The head of what an item writes: return code, type and length, then as many octets as the address has.
#[inline(always)]
fn written<B: Bytes + ?Sized>(bytes: &B, job: &Job, size: u32, last: bool, scratch: &mut Scratch) {
    let at = scratch.walking.end;
    if at.wrapping_add(4) > job.end {
        return stop(scratch, Reason::LengthMismatch);
    }
    let Some([_, kind, l0, l1]) = bytes.read::<4>(at) else {
        return stop(scratch, Reason::BeyondInspection);
    };
    if at.wrapping_add(4) > scratch.stream.end {
        return stop(scratch, Reason::BeyondInspection);
    }
    let stated = u16::from_be_bytes([l0, l1]) as u32;
    // BIT, BYTE and INTEGER count bits; DINTEGER, REAL and OCTET STRING count octets.
    let octets = if matches!(kind, 3..=5) { stated.wrapping_add(7) >> 3 } else { stated };
    let fill = black_box((!last && octets & 1 != 0) as u32);
    let behind = at.wrapping_add(4).wrapping_add(octets).wrapping_add(fill);
    if behind > job.end || (size != 0 && octets != size) {
        return stop(scratch, Reason::LengthMismatch);
    }
    scratch.walking.end = behind;
}
