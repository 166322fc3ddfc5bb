//! Units, read where they lie or put together.

use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::flow::BEHIND_CARRY;
use crate::protocol::{self, Protocol, modbus};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Runs the dissector of the path's protocol over the bytes that `scratch.stream` marks.
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let spoken = Protocol::from_code(scratch.path.protocol);
    while protocol::dissect(spoken, bytes, scratch) {}
    if scratch.stream.later_count != 0 {
        while modbus::values::read(bytes, scratch) {}
    }
}

/// Runs the dissector over what the direction carries and the segment's new bytes behind it.
#[inline(always)]
pub fn dissect_assembled<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    match assemble(environment, scratch) {
        Some(assembled) => dissect(assembled, scratch),
        // A record, behind those of what came before it: shadow names the first reason, as enforce does.
        None => scratch.fault(Reason::BeyondInspection),
    }
}

/// Lays carry and payload behind each other and marks them to be parsed.
#[inline(always)]
pub fn assemble<'a, E: Environment>(environment: &'a mut E, scratch: &mut Scratch) -> Option<&'a E::Assembled> {
    if scratch.stream.end.wrapping_sub(scratch.stream.start) > BEHIND_CARRY {
        return None;
    }
    let assembled = environment.assemble(scratch)?;
    scratch.stream.start = 0;
    scratch.stream.end = assembled.length();
    Some(assembled)
}
