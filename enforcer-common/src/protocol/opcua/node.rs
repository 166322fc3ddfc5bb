//! NodeIds in every encoding, OPC 10000-6 5.2.2.9, and the strings around them.

use super::functions::space;
use super::{eight, fetch, here, number, skip as step_on, step};
use crate::bytes::Bytes;
use crate::protocol::tables::{text_piece, text_start};
use crate::scratch::Scratch;

/// Longest identifier that is walked.
pub(super) const LONGEST: u32 = 128;

/// Bytes of an identifier that are walked in one turn.
const PER_TURN: u32 = 32;

/// Forms of the encoding, its first byte.
mod form {
    pub(super) const TWO_BYTES: u32 = 0;
    pub(super) const FOUR_BYTES: u32 = 1;
    pub(super) const NUMERIC: u32 = 2;
    pub(super) const STRING: u32 = 3;
    pub(super) const GUID: u32 = 4;
    pub(super) const BYTE_STRING: u32 = 5;
}

const _: () = assert!(space::STRING == (form::STRING - form::NUMERIC) << 16);
const _: () = assert!(space::GUID == (form::GUID - form::NUMERIC) << 16);
const _: () = assert!(space::OPAQUE == (form::BYTE_STRING - form::NUMERIC) << 16);

/// Bytes of each form in front of what is as long as it says.
static FIXED: [u8; 8] = [2, 4, 7, 7, 19, 7, 0, 0];

/// Largest length that is believed; the longest frame is shorter.
const LENGTH: u32 = 0xffff;

/// The length that a string, a byte string or an array begins with; -1 is none. OPC 10000-6 5.2.2.4.
#[inline(always)]
pub(super) const fn length(number: u32) -> u32 {
    if number >> 31 != 0 {
        0
    } else if number > LENGTH {
        LENGTH
    } else {
        number
    }
}

/// Bytes of the NodeId whose first eight these are; 0 for none.
#[inline(always)]
pub(super) fn size(first: u64) -> u32 {
    let form = (first & 0xff) as u32;
    if form > form::BYTE_STRING {
        return 0;
    }
    let fixed = match FIXED.get(core::hint::black_box(form) as usize & 7) {
        Some(fixed) => *fixed as u32,
        None => 0,
    };
    if form == form::STRING || form == form::BYTE_STRING {
        fixed.wrapping_add(length((first >> 24 & 0xffff_ffff) as u32))
    } else {
        fixed
    }
}

/// Namespace and number of a NodeId with a number, whichever of its three encodings: both in one, the namespace above.
/// Every bit set for another one.
#[inline(always)]
pub(super) const fn numeric(first: u64) -> u64 {
    match (first & 0xff) as u32 {
        form::TWO_BYTES => first >> 8 & 0xff,
        form::FOUR_BYTES => (first >> 8 & 0xff) << 32 | first >> 16 & 0xffff,
        form::NUMERIC => (first >> 8 & 0xffff) << 32 | first >> 24 & 0xffff_ffff,
        _ => u64::MAX,
    }
}

/// Number of the service that a NodeId in namespace 0 stands for; every bit set for others. No service has one of more than
/// 16 bits.
#[inline(always)]
pub(super) const fn service(first: u64) -> u32 {
    let numeric = numeric(first);
    if numeric >> 16 == 0 { (numeric & 0xffff) as u32 } else { u32::MAX }
}

/// Moves behind a string.
#[inline(always)]
pub(super) fn string<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let length = length(number(bytes, scratch));
    step_on(scratch, length.wrapping_add(4));
}

/// Moves behind a NodeId.
#[inline(always)]
pub(super) fn skip<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    skip_but(bytes, 0, scratch);
}

/// Moves behind a NodeId whose form may have these bits as well.
#[inline(always)]
pub(super) fn skip_but<B: Bytes + ?Sized>(bytes: &B, flags: u64, scratch: &mut Scratch) {
    let size = size(fetch(bytes, scratch) & !flags);
    if size == 0 {
        scratch.nesting.state |= step::WRONG;
    }
    step_on(scratch, size);
}

/// Reads the NodeId at `nesting.at`: its kind of object into `nesting.size`, its number into `nesting.number`, the
/// characters that are still to be walked into `nesting.left`. Goes on with [`step::NAME`].
#[inline(always)]
pub(super) fn begin<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let first = fetch(bytes, scratch);
    let size = size(first);
    let form = (first & 0xff) as u32;
    let nesting = &mut scratch.anew().nesting;
    nesting.size = size;
    nesting.purpose = form;
    let scratch = scratch.anew();
    let size = scratch.nesting.size;
    if size == 0 {
        return step::malformed(scratch);
    }
    if scratch.nesting.at.wrapping_add(size) > here(scratch) {
        return step::short(scratch);
    }
    let scratch = scratch.anew();
    let [first, ..] = scratch.nesting.window;
    let nesting = &mut scratch.nesting;
    if nesting.purpose <= form::NUMERIC {
        let numeric = numeric(first);
        nesting.at = nesting.at.wrapping_add(nesting.size);
        nesting.size = space::NUMERIC.wrapping_add((numeric >> 32) as u32 & space::LAST_NAMESPACE);
        nesting.number = (numeric & 0xffff_ffff) as u32;
        nesting.left = 0;
    } else {
        // Kinds of objects lie as far apart as there are namespaces.
        let kind = nesting.purpose.wrapping_sub(form::NUMERIC) << 16;
        let fixed = if nesting.purpose == form::GUID { 3 } else { 7 };
        let left = nesting.size.wrapping_sub(fixed);
        nesting.size = kind.wrapping_add((first >> 8 & 0xffff) as u32);
        nesting.number = text_start(left);
        nesting.left = left;
        nesting.at = nesting.at.wrapping_add(fixed);
    }
    let scratch = scratch.anew();
    if scratch.nesting.left > LONGEST {
        step::beyond(scratch);
    } else {
        step::go_on(scratch, step::NAME);
    }
}

/// Walks some characters of the identifier. True when none are left.
#[inline(always)]
pub(super) fn name<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    for _ in 0..PER_TURN >> 3 {
        let scratch = scratch.anew();
        if scratch.nesting.left == 0 {
            break;
        }
        let word = eight(bytes, scratch.nesting.at, scratch.nesting.at.wrapping_add(scratch.nesting.left));
        let nesting = &mut scratch.anew().nesting;
        let taken = nesting.left.min(8);
        nesting.number = text_piece(nesting.number, word);
        nesting.left = nesting.left.wrapping_sub(taken);
        nesting.at = nesting.at.wrapping_add(taken);
    }
    scratch.anew().nesting.left == 0
}

#[cfg(test)]
mod tests {
    use super::{numeric, size};

    fn first(bytes: &[u8]) -> u64 {
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    #[test]
    fn one_number_in_three_encodings() {
        assert_eq!(numeric(first(&[0, 97])), 97);
        assert_eq!(numeric(first(&[1, 0, 97, 0, 0xff])), 97);
        assert_eq!(numeric(first(&[2, 0, 0, 97, 0, 0, 0, 0xff])), 97);
        assert_eq!(numeric(first(&[2, 3, 1, 4, 0, 0, 0x80])), 0x103 << 32 | 0x8000_0004);
        assert_eq!(numeric(first(&[3, 0, 0, 97, 0, 0, 0])), u64::MAX);
        assert_eq!(numeric(first(&[0x40, 97])), u64::MAX);
    }

    #[test]
    fn every_form_has_its_size() {
        for (bytes, wanted) in [
            (&[0u8, 9][..], 2),
            (&[1, 0, 9, 0], 4),
            (&[2, 0, 0, 9, 0, 0, 0], 7),
            (&[3, 0, 0, 9, 0, 0, 0], 16),
            (&[3, 0, 0, 255, 255, 255, 255], 7),
            (&[4, 0, 0], 19),
            (&[5, 0, 0, 0xff, 0xff, 0xff, 0x7f], 7 + 0xffff),
            (&[6], 0),
            (&[0x40, 9], 0),
            (&[0x81, 0, 9, 0], 0),
        ] {
            assert_eq!(size(first(bytes)), wanted, "{bytes:?}");
        }
    }
}
