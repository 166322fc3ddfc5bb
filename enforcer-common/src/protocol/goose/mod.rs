//! GOOSE: events that stations publish to everyone (IEC 61850-8-1, annex C), in frames of type 0x88B8.
//!
//! Enters: what follows the ethertype. Leaves: one message whose unit is the application identifier. Nothing is ever denied
//! for what it holds: protection trips travel here, and a policy that must not let them in denies the type.

use crate::bytes::Bytes;
use crate::operation::{Access, NO_OBJECT, Operation, Role};
use crate::protocol::Protocol;
use crate::protocol::tables::{Function, NONE, Tables};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    ethertype: Some(0x88b8),
    functions: &[Function::new(0, "publish", Access::Read, "", false)],
    last_unit: 0xffff,
    ..NONE
};

/// First byte of the protocol data unit: application tag 1, constructed.
const TAG: u8 = 0x61;

/// Reads the one message of a frame.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    publication(bytes, scratch, Protocol::Goose, TAG);
    false
}

/// The header that GOOSE and sampled values share: application identifier, length from there on, two reserved words; then
/// the protocol data unit (IEC 61850-8-1 C.2.2). A frame may be longer: Ethernet fills it up.
#[inline(always)]
pub(crate) fn publication<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, protocol: Protocol, tag: u8) {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let Some(operation) = scratch.add() else {
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = protocol as u8;
    operation.role = Role::Message as u8;
    operation.function = 0;
    operation.access = Access::Read as u8;
    operation.space = NO_OBJECT;
    let Some([i0, i1, l0, l1, _, _, _, _, first]) = bytes.read::<9>(at) else {
        operation.fault = Reason::Truncated as u8;
        return;
    };
    operation.unit = u16::from_be_bytes([i0, i1]) as u32;
    let length = u16::from_be_bytes([l0, l1]) as u32;
    if length < 9 || length > end.wrapping_sub(at) || first != tag {
        operation.fault = Reason::MalformedFraming as u8;
    }
}
