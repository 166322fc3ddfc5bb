//! Checksums and hash of an ordinary segment: where its headers stand is known beforehand, and where its payload begins is one
//! of two places.

use super::{BLOCK, Digest, Key, is_all_ones, range, rest, words4, words8, words20};
use crate::bytes::{Bytes, part};
use crate::environment::Environment;
use crate::head::TRANSPORT;
use crate::network::{LONGEST_PACKET, protocol};
use crate::options::TIMESTAMP;
use crate::port::Side;
use crate::scratch::Scratch;

/// Data offsets, RFC 9293 3.1: five words and eight, with all reserved bits clear.
const WITHOUT_OPTIONS: u8 = 0x50;
const WITH_TIMESTAMP: u8 = 0x80;

/// Where the payload begins behind a TCP header without options, and behind one with a timestamp.
const PLAIN: u32 = TRANSPORT + 20;
const STAMPED: u32 = PLAIN + 12;

/// Verifies the checksums of a segment from `side` that may be ordinary, and hashes its payload if it is for the device. Leaves
/// where the payload lies and ends, `stream.hash`, and of a short payload toward the device its words. `None`: it is not
/// ordinary, or a checksum is wrong.
#[inline(always)]
pub(crate) fn segment<'s, B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    side: Side,
    environment: &E,
    scratch: &'s mut Scratch,
) -> Option<&'s mut Scratch> {
    let key = match side {
        Side::Network => Some(environment.key()?),
        Side::Device => None,
    };
    let total = head.u16(16)? as u32;
    let end = total.wrapping_add(14);
    if total > LONGEST_PACKET || end > bytes.length() || !is_all_ones(words20(&head.read::<20>(14)?)) {
        return None;
    }
    scratch.frame.payload_end = end;
    let length = (end.wrapping_sub(TRANSPORT) & 0xffff) as u16;
    let pseudo = words8(head.read(26)?).wrapping_add((protocol::TCP as u16).swap_bytes() as u64);
    let pseudo = pseudo.wrapping_add(length.swap_bytes() as u64);
    let sum = pseudo.wrapping_add(words20(&head.read::<20>(TRANSPORT)?));
    scratch.digest.sum = match head.u8(const { TRANSPORT + 12 })? {
        WITHOUT_OPTIONS => payload::<PLAIN, B>(bytes, end, sum, key, scratch)?,
        WITH_TIMESTAMP => {
            let option = bytes.fixed::<12, PLAIN>()?;
            if part(&option, 0) != TIMESTAMP {
                return None;
            }
            let sum = sum.wrapping_add(words8(part(&option, 0))).wrapping_add(words4(part(&option, 8)));
            payload::<STAMPED, B>(bytes, end, sum, key, scratch)?
        }
        _ => return None,
    };
    // Written down and read back: the two ways join.
    let scratch = scratch.anew();
    let (at, end, sum) = (scratch.frame.payload, scratch.frame.payload_end, scratch.digest.sum);
    if end.wrapping_sub(at) < BLOCK {
        return if is_all_ones(sum) { Some(scratch) } else { None };
    }
    let (scratch, found) = range(bytes, scratch, at, end, sum, key);
    scratch.stream.hash = found.hash;
    if is_all_ones(found.sum) { Some(scratch.anew()) } else { None }
}

/// The sum with a payload that begins at `AT`, if it is a short one: its hash is left too. A longer one's is left to the caller.
#[inline(always)]
fn payload<const AT: u32, B: Bytes + ?Sized>(
    bytes: &B,
    end: u32,
    sum: u64,
    key: Option<&Key>,
    scratch: &mut Scratch,
) -> Option<u64> {
    if end < AT {
        return None;
    }
    scratch.frame.payload = AT;
    if end.wrapping_sub(AT) >= BLOCK {
        return Some(sum);
    }
    let before = Digest { sum, hash: 0, at: AT, end, blocks: 0, padding: 0 };
    let found = rest::<AT, B>(bytes, before, key, &mut scratch.short);
    scratch.stream.hash = found.hash;
    Some(found.sum)
}
