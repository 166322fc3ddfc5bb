//! Sampled values: measurements that merging units publish (IEC 61850-9-2, annex C), in frames of type 0x88BA.
//!
//! Enters: what follows the ethertype. Leaves: one message whose unit is the application identifier. Nothing is ever denied
//! for what it holds.

use crate::bytes::Bytes;
use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::goose::publication;
use crate::protocol::tables::{Function, NONE, Tables};
use crate::scratch::Scratch;

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    ethertype: Some(0x88ba),
    functions: &[Function::new(0, "sample", Access::Read, "", false)],
    last_unit: 0xffff,
    ..NONE
};

/// First byte of the protocol data unit: application tag 0, constructed.
const TAG: u8 = 0x60;

/// Reads the one message of a frame.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    publication(bytes, scratch, Protocol::Sv, TAG);
    false
}
