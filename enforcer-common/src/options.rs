//! TCP options of segments from the network side: a chain of kinds and lengths of at most 40 bytes.
//!
//! Enters: the header's bounds in [`crate::scratch::Frame`]. Leaves: nothing, or `tcp_option`. A segment passes with the
//! options of RFC 9293 3.2, RFC 7323 and RFC 2018, each in its place and of its length. What changes the meaning of the
//! stream does not: MPTCP (RFC 8684), Fast Open (RFC 7413), signatures (RFC 2385, RFC 5925) that no box can check.

use crate::bytes::Bytes;
use crate::port::Side;
use crate::scratch::{Frame, Scratch, Walking};
use crate::transport::flag;
use crate::verdict::Reason;

/// Bytes of a TCP header without options.
const HEADER: u32 = 20;

/// Most options: forty bytes of one.
const MOST: u32 = 40;

/// No operation twice and a timestamp, as Linux, Windows and BSD lay it out (RFC 7323 appendix A).
pub(crate) const TIMESTAMP: [u8; 4] = [1, 1, 8, 10];

/// False for the two layouts that nearly all segments have, no options and a timestamp alone, and for the device's segments.
#[must_use]
#[inline(always)]
pub fn worth_a_walk<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    let length = frame.payload.wrapping_sub(frame.transport).wrapping_sub(HEADER);
    if length == 0 || frame.side != Side::Network as u8 {
        return false;
    }
    length != 12 || bytes.read::<4>(frame.transport.wrapping_add(HEADER)) != Some(TIMESTAMP)
}

/// Walks the options.
///
/// # Errors
/// `tcp_option`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Result<(), Reason> {
    let Frame { transport, payload, .. } = scratch.frame;
    scratch.walking = Walking { at: transport.wrapping_add(HEADER), end: payload, seen: 0, found: 0 };
    for _ in 0..MOST {
        if !step(bytes, scratch.anew())? {
            return Ok(());
        }
    }
    Ok(())
}

/// One option. False behind the last.
#[inline(always)]
fn step<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Result<bool, Reason> {
    let Walking { at, end, seen, .. } = scratch.walking;
    if at >= end {
        return Ok(false);
    }
    match bytes.u8(at) {
        Some(kind::END) => return Ok(false),
        Some(kind::NO_OPERATION) => {
            scratch.walking.at = at.wrapping_add(1);
            return Ok(true);
        }
        Some(_) | None => {}
    }
    let [kind, length] = bytes.read::<2>(at).ok_or(Reason::TcpOption)?;
    let next = at.wrapping_add(length as u32);
    if length < 2 || next > end {
        return Err(Reason::TcpOption);
    }
    let handshake = scratch.frame.tcp_flags & flag::SYN != 0;
    let bit = match (kind, length) {
        (kind::SEGMENT_SIZE, 4) => 1,
        (kind::WINDOW_SCALE, 3) => 2,
        (kind::SACK_PERMITTED, 2) => 4,
        (kind::SACK, 10 | 18 | 26 | 34) | (kind::TIMESTAMP, 10) => 0,
        _ => return Err(Reason::TcpOption),
    };
    if bit != 0 && (!handshake || seen & bit != 0) {
        return Err(Reason::TcpOption);
    }
    scratch.walking.at = next;
    scratch.walking.seen = seen | bit;
    Ok(true)
}

/// Kinds of options that pass.
mod kind {
    /// The rest is padding.
    pub(super) const END: u8 = 0;
    /// One byte.
    pub(super) const NO_OPERATION: u8 = 1;
    /// In a handshake only.
    pub(super) const SEGMENT_SIZE: u8 = 2;
    /// In a handshake only.
    pub(super) const WINDOW_SCALE: u8 = 3;
    /// In a handshake only.
    pub(super) const SACK_PERMITTED: u8 = 4;
    /// One to four blocks.
    pub(super) const SACK: u8 = 5;
    /// In every segment.
    pub(super) const TIMESTAMP: u8 = 8;
}
