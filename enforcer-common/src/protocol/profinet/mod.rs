//! PROFINET in frames of type 0x8892: discovery and configuration (DCP), and everything cyclic.
//!
//! Enters: what follows the ethertype. Leaves: the service of DCP with the options that it names, or one message whose
//! function is the frame identifier. Cyclic data is never denied for what it holds: three lost cycles stop a device.
//! Clauses are of IEC 61158-6-10.

pub mod functions;

use self::functions::service;
use crate::bytes::Bytes;
use crate::operation::{Access, NO_OBJECT, Operation, Role};
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Frame identifiers of DCP: hello, get and set, identify request, identify response (4.2, table of FrameID).
const DCP: core::ops::RangeInclusive<u16> = 0xfefc..=0xfeff;

/// Bytes of frame identifier and DCP header.
const HEADER: u32 = 12;

/// Blocks of one frame that are walked, and of one step.
const BLOCKS: u32 = 16;
const STEP: u32 = 4;

/// Reads a frame; a frame of many blocks in several steps.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.count == 0 {
        let at = scratch.stream.start;
        let identifier = bytes.u16(at).unwrap_or(0);
        if !DCP.contains(&identifier) {
            real_time(scratch, identifier);
            return false;
        }
        if !header(bytes, scratch) {
            return false;
        }
    }
    for _ in 0..STEP {
        let scratch = scratch.anew();
        if scratch.stream.start >= scratch.stream.end {
            return false;
        }
        if scratch.count >= BLOCKS {
            last_fault(scratch, Reason::BeyondInspection);
            return false;
        }
        if !block(bytes, scratch) {
            return false;
        }
    }
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

#[inline(always)]
fn real_time(scratch: &mut Scratch, identifier: u16) {
    if let Some(operation) = scratch.add() {
        *operation = Operation::EMPTY;
        operation.protocol = Protocol::ProfinetRt as u8;
        operation.role = Role::Message as u8;
        operation.function = Protocol::ProfinetRt.within(identifier as u32);
        operation.access = Access::Read as u8;
    }
}

/// The header of DCP (4.3.1.3): service, type, transaction, delay, length of the blocks. False when there are no blocks
/// to read.
#[inline(always)]
fn header<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let Some(operation) = scratch.add() else {
        return false;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::ProfinetDcp as u8;
    operation.role = Role::Request as u8;
    let Some([_, _, code, kind, x0, x1, x2, x3, _, _, l0, l1]) = bytes.read::<12>(at) else {
        operation.fault = Reason::Truncated as u8;
        return false;
    };
    operation.function = code as u32;
    operation.transaction = u32::from_be_bytes([x0, x1, x2, x3]);
    operation.access = match code {
        service::GET | service::IDENTIFY | service::HELLO => Access::Discover,
        service::SET => Access::Write,
        _ => Access::Unknown,
    } as u8;
    let length = u16::from_be_bytes([l0, l1]) as u32;
    let blocks = end.wrapping_sub(at).saturating_sub(HEADER);
    match kind {
        0 => {}
        1 | 5 => operation.role = Role::Response as u8,
        _ => operation.fault = Reason::MalformedFraming as u8,
    }
    // Ethernet fills short frames up.
    if length > blocks {
        operation.fault = Reason::LengthMismatch as u8;
    }
    let reads = operation.fault == 0 && operation.role == Role::Request as u8 && length != 0;
    scratch.path.role = operation.role;
    scratch.stream.start = at.wrapping_add(HEADER);
    scratch.stream.end = scratch.stream.start.wrapping_add(length);
    reads
}

/// The next block of a request: option and suboption, and but for Get its length and data (4.3.1.4). False when the frame
/// has no more.
#[inline(always)]
fn block<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let first = match scratch.operation(0) {
        Some(first) => *first,
        None => return false,
    };
    let left = end.wrapping_sub(at);
    let names = first.function == service::GET as u32;
    let head: u32 = if names { 2 } else { 4 };
    let [option, sub, l0, l1] = if names {
        let [option, sub] = bytes.read::<2>(at).unwrap_or([0; 2]);
        [option, sub, 0, 0]
    } else {
        bytes.read::<4>(at).unwrap_or([0; 4])
    };
    let length = u16::from_be_bytes([l0, l1]) as u32;
    // Data of odd length is filled up with one byte.
    let size = head.wrapping_add(length).wrapping_add(length & 1);
    if left < head || head.wrapping_add(length) > left {
        last_fault(scratch, Reason::LengthMismatch);
        return false;
    }
    scratch.stream.start = at.wrapping_add(size);
    let part = if first.space == NO_OBJECT { scratch.operation_mut(0) } else { continued(&first, scratch) };
    let Some(part) = part else {
        return false;
    };
    part.space = option as u32;
    part.first = sub as u32;
    part.last = sub as u32;
    if first.function == service::SET as u32 && option == 5 {
        part.access = match sub {
            1 | 2 | 4 => Access::Session,
            3 => Access::Diagnose,
            _ => Access::Firmware,
        } as u8;
    }
    true
}

#[inline(always)]
fn continued<'a>(first: &Operation, scratch: &'a mut Scratch) -> Option<&'a mut Operation> {
    let part = scratch.add()?;
    *part = Operation::EMPTY;
    part.protocol = first.protocol;
    part.role = first.role;
    part.function = first.function;
    part.transaction = first.transaction;
    part.access = if first.function == service::SET as u32 { Access::Write as u8 } else { first.access };
    part.flags = Operation::CONTINUES;
    Some(part)
}

#[inline(always)]
fn last_fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        last.fault = reason as u8;
    }
}
