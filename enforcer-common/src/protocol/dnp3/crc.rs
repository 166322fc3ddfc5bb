//! The checksum of a block of a link frame: IEEE 1815 9.2.4.3, CRC-16 with polynomial 0x3D65, sent inverted, low byte first.
//!
//! Enters: where a block ends and how much of it is data. Leaves: whether its checksum is right. A block is read backwards
//! from its end in three loads, and what lies in front of it becomes zeros: they do not change a checksum that starts at 0,
//! so blocks of every length take the same instructions.

use core::hint::black_box;

use crate::bytes::Bytes;

/// The polynomial, reflected.
const POLYNOMIAL: u16 = 0xa6bc;

/// What each byte does to the checksum.
const MADE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut rest = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 != 0 { rest >> 1 ^ POLYNOMIAL } else { rest >> 1 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            table[byte] = rest;
        }
        byte = byte.wrapping_add(1);
    }
    table
};

static TABLE: [u16; 256] = MADE;

/// What remains behind a block and its own inverted checksum, whatever the block.
const RESIDUE: u64 = {
    let [.., low] = MADE;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    let high = MADE[(low & 0xff ^ 0xff) as usize];
    (low >> 8 ^ high) as u64
};

#[inline(always)]
fn byte(checksum: u64, byte: u64) -> u64 {
    let index = ((checksum ^ byte) & 0xff) as usize;
    let entry = match TABLE.get(index) {
        Some(entry) => *entry as u64,
        None => 0,
    };
    entry ^ checksum >> 8
}

#[inline(always)]
fn word(mut checksum: u64, word: u64) -> u64 {
    checksum = byte(checksum, word);
    checksum = byte(checksum, word >> 8);
    checksum = byte(checksum, word >> 16);
    checksum = byte(checksum, word >> 24);
    checksum = byte(checksum, word >> 32);
    checksum = byte(checksum, word >> 40);
    checksum = byte(checksum, word >> 48);
    byte(checksum, word >> 56)
}

/// Which bytes are the block's, of three loads in front of its end: two bytes, eight, and the last eight. And how far in
/// front of the end the first two begin. By the number of data bytes; without a branch, which the verifier would follow
/// through all that is computed behind it.
#[derive(Clone, Copy)]
struct Loads {
    first: u64,
    middle: u64,
    last: u64,
    back: u64,
}

static LOADS: [Loads; 32] = {
    let mut table = [Loads { first: 0, middle: 0, last: 0, back: 8 << 32 | 8 }; 32];
    let mut data = 1u32;
    while data <= 16 {
        let size = data.wrapping_add(2);
        let first = if size > 16 { upper(size.wrapping_sub(16)) } else { 0 };
        let middle = if size > 8 { upper(size.wrapping_sub(8)) } else { 0 };
        let back = if size > 16 { 18 } else { 8 } << 32 | if size > 8 { 16 } else { 8 };
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            table[data as usize] = Loads { first, middle, last: upper(size), back };
        }
        data = data.wrapping_add(1);
    }
    table
};

/// The upper `kept` bytes of a word, at least one. The last in memory is the uppermost.
const fn upper(kept: u32) -> u64 {
    if kept >= 8 { u64::MAX } else { !(u64::MAX >> (kept << 3)) }
}

/// True when the checksum of the header fits: eight bytes at `at`, then their checksum.
#[inline(always)]
pub(super) fn header_is_right(header: &[u8; 10]) -> bool {
    let [a, b, c, d, e, f, g, h, low, high] = *header;
    let checksum = word(0, u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    byte(byte(checksum, low as u64), high as u64) == RESIDUE
}

/// True when the checksum of the block fits that ends before `end`, and holds `data` bytes (1 to 16) and their checksum.
/// Nothing in front of its link frame is read.
#[inline(always)]
pub(super) fn block_is_right<B: Bytes + ?Sized>(bytes: &B, end: u32, data: u32) -> bool {
    let Some(loads) = LOADS.get(black_box(data) as usize & 31) else {
        return false;
    };
    let (first_back, middle_back) = ((loads.back >> 32) as u32, (loads.back & 0xff) as u32);
    let Some([a, b]) = bytes.read::<2>(end.wrapping_sub(first_back)) else {
        return false;
    };
    let first = u64::from_le_bytes([0, 0, 0, 0, 0, 0, a, b]) & loads.first;
    let checksum = byte(byte(0, first >> 48), first >> 56);
    let Some(middle) = bytes.read::<8>(end.wrapping_sub(middle_back)) else {
        return false;
    };
    let checksum = word(checksum, u64::from_le_bytes(middle) & loads.middle);
    let Some(last) = bytes.read::<8>(end.wrapping_sub(8)) else {
        return false;
    };
    word(checksum, u64::from_le_bytes(last) & loads.last) == RESIDUE
}

#[cfg(test)]
mod tests {
    use super::{block_is_right, header_is_right};

    /// Bit by bit, as the standard describes it.
    fn checksum(bytes: &[u8]) -> [u8; 2] {
        let mut rest = 0u16;
        for byte in bytes {
            rest ^= u16::from(*byte);
            for _ in 0..8 {
                rest = if rest & 1 != 0 { rest >> 1 ^ super::POLYNOMIAL } else { rest >> 1 };
            }
        }
        (!rest).to_le_bytes()
    }

    #[test]
    fn blocks_of_every_length() {
        assert!(header_is_right(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x21]));
        assert!(!header_is_right(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x20]));
        for length in 1..=16u8 {
            let data: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37).wrapping_add(length)).collect();
            let frame = [&[0xa5; 10][..], &data, &checksum(&data)].concat();
            let end = 12 + u32::from(length);
            assert!(block_is_right(&frame[..], end, length.into()), "{length}");
            for at in 10..frame.len() {
                let wrong: Vec<u8> =
                    frame.iter().enumerate().map(|(place, byte)| byte ^ u8::from(place == at) << 4).collect();
                assert!(!block_is_right(&wrong[..], end, length.into()), "{length} at {at}");
            }
        }
    }
}
