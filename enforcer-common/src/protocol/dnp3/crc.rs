//! The checksum of a block of a link frame: IEEE 1815 9.2.4.3, CRC-16 with polynomial 0x3D65, sent inverted, low byte first.
//!
//! Enters: where a block ends and how much of it is data. Leaves: whether its checksum is right. A block is read backwards
//! from its end, and what lies in front of it becomes zeros: they do not change a checksum that starts at 0, so blocks of
//! every length take the same instructions. Eight bytes are taken at once, each by a table that knows how many follow it:
//! the loads do not wait for each other.

use core::hint::black_box;

use crate::bytes::Bytes;

/// The polynomial, reflected.
const POLYNOMIAL: u16 = 0xa6bc;

/// What each byte does to the checksum, with as many bytes behind it as the row says.
static TABLES: [[u16; 256]; 8] = {
    let mut tables = [[0u16; 256]; 8];
    let mut value = 0usize;
    while value < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut rest = value as u16;
        let mut row = 0usize;
        while row < 8 {
            let mut bit = 0;
            while bit < 8 {
                rest = if rest & 1 != 0 { rest >> 1 ^ POLYNOMIAL } else { rest >> 1 };
                bit += 1;
            }
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                tables[row][value] = rest;
            }
            row = row.wrapping_add(1);
        }
        value = value.wrapping_add(1);
    }
    tables
};

/// What the lowest byte of `value` adds, with `row` bytes behind it.
#[inline(always)]
fn byte(row: usize, value: u64) -> u64 {
    match TABLES.get(row).and_then(|table| table.get((value & 0xff) as usize)) {
        Some(entry) => *entry as u64,
        None => 0,
    }
}

/// The checksum behind eight more bytes, the first one lowest.
#[inline(always)]
fn word(checksum: u64, word: u64) -> u64 {
    let word = word ^ checksum;
    let first = byte(7, word) ^ byte(6, word >> 8) ^ byte(5, word >> 16) ^ byte(4, word >> 24);
    let second = byte(3, word >> 32) ^ byte(2, word >> 40) ^ byte(1, word >> 48) ^ byte(0, word >> 56);
    first ^ second
}

/// Which bytes are data, of the eight in front of the last eight, and of the last eight in front of the checksum; and how
/// far in front of the block's end the first eight begin. By the number of data bytes; without a branch, which the verifier
/// would follow through all that is computed behind it.
#[derive(Clone, Copy)]
struct Loads {
    first: u64,
    last: u64,
    back: u64,
}

static LOADS: [Loads; 32] = {
    let mut table = [Loads { first: 0, last: 0, back: 10 }; 32];
    let mut data = 1u32;
    while data <= 16 {
        let loads = if data > 8 {
            Loads { first: upper(data.wrapping_sub(8)), last: u64::MAX, back: 18 }
        } else {
            Loads { first: 0, last: upper(data), back: 10 }
        };
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            table[data as usize] = loads;
        }
        data = data.wrapping_add(1);
    }
    table
};

/// The upper `kept` bytes of a word, at least one. The last in memory is the uppermost.
const fn upper(kept: u32) -> u64 {
    if kept >= 8 { u64::MAX } else { !(u64::MAX >> (kept << 3)) }
}

/// True when the checksum of the header fits: eight bytes, then their checksum.
#[inline(always)]
pub(super) fn header_is_right(header: &[u8; 10]) -> bool {
    let [a, b, c, d, e, f, g, h, low, high] = *header;
    is_right(word(0, u64::from_le_bytes([a, b, c, d, e, f, g, h])), [low, high])
}

/// True when the checksum of the block fits that ends before `end`, and holds `data` bytes (1 to 16) and their checksum.
/// Nothing in front of its link frame is read, whose header has ten bytes.
#[inline(always)]
pub(super) fn block_is_right<B: Bytes + ?Sized>(bytes: &B, end: u32, data: u32) -> bool {
    let Some(loads) = LOADS.get(black_box(data) as usize & 31) else {
        return false;
    };
    let Loads { first: before, last: kept, back } = *loads;
    let Some(first) = bytes.read::<8>(end.wrapping_sub((back & 0xff) as u32)) else {
        return false;
    };
    let Some([a, b, c, d, e, f, g, h, low, high]) = bytes.read::<10>(end.wrapping_sub(10)) else {
        return false;
    };
    let checksum = word(0, u64::from_le_bytes(first) & before);
    is_right(word(checksum, u64::from_le_bytes([a, b, c, d, e, f, g, h]) & kept), [low, high])
}

/// True when `sent` is this checksum, inverted.
#[inline(always)]
const fn is_right(checksum: u64, sent: [u8; 2]) -> bool {
    checksum ^ u16::from_le_bytes(sent) as u64 == 0xffff
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
