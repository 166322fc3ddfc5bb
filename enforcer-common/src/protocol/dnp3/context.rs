//! What `stream.context` holds of a fragment that goes on in the next transport segment. 8.2 and 8.3. Of a request:
//!
//! ```text
//! bit 31      set
//! bits 24-30  what its addresses have in common with those of its next segment
//! bits 12-23  bytes at the beginning of the next segment that belong to an object already read
//! bits 6-11   application function
//! bits 0-5    sequence number of the next segment
//! ```
//!
//! And of an answer, which is reported when it is complete:
//!
//! ```text
//! bit 31      clear
//! bit 30      set
//! bits 13-17  internal indications that refuse the request
//! bits 8-12   bit and sequence number of the application control octet
//! bits 6-7    application function, without its top bit
//! bits 0-5    sequence number of the next segment
//! ```

use super::limits;
use super::user::Addresses;

/// A request is open.
pub(super) const OPEN: u32 = 1 << 31;

/// An answer is open.
pub(super) const ANSWER: u32 = 1 << 30;

/// The word for an answer of which the segment with sequence number `sequence` came.
#[inline(always)]
pub(super) const fn answer(answer: &Answer, sequence: u32) -> u32 {
    ANSWER | answer.refused << 13 | answer.control << 8 | (answer.function & 3) << 6 | sequence.wrapping_add(1) & 63
}

/// What is reported of an answer.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    /// Application function.
    pub function: u32,
    /// Unsolicited bit and sequence number of the application control octet.
    pub control: u32,
    /// Internal indications that refuse the request.
    pub refused: u32,
}

impl Answer {
    /// What the word says.
    #[inline(always)]
    pub(super) const fn of(context: u32) -> Self {
        let function = context >> 6 & 3 | 0x80;
        Self { function, control: context >> 8 & 31, refused: context >> 13 & 31 }
    }
}

/// The word for a fragment of which the segment with sequence number `sequence` came.
#[inline(always)]
pub(super) const fn open(addresses: &Addresses, function: u32, sequence: u32) -> u32 {
    OPEN | mark(addresses) << 24 | (function & 63) << 6 | sequence.wrapping_add(1) & 63
}

/// The same fragment, `rest` bytes of whose last object are still to come.
#[inline(always)]
pub(super) const fn with_rest(context: u32, rest: u32) -> u32 {
    context & !(limits::REST << 12) | (rest & limits::REST) << 12
}

/// The same fragment, another segment later.
#[inline(always)]
pub(super) const fn next(context: u32) -> u32 {
    context & !63 | context.wrapping_add(1) & 63
}

/// Bytes still to come of the last object.
#[inline(always)]
pub(super) const fn rest(context: u32) -> u32 {
    context >> 12 & limits::REST
}

/// Application function.
#[inline(always)]
pub(super) const fn function(context: u32) -> u32 {
    context >> 6 & 63
}

/// True for a segment with this number between these stations that goes on with the fragment.
#[inline(always)]
pub(super) const fn is_continued(context: u32, addresses: &Addresses, sequence: u32) -> bool {
    context & OPEN != 0 && context & 63 == sequence & 63 && context >> 24 & 127 == mark(addresses)
}

/// Seven bits of both addresses.
#[inline(always)]
const fn mark(addresses: &Addresses) -> u32 {
    (addresses.destination | addresses.source << 16).wrapping_mul(0x9e37_79b1) >> 25
}
