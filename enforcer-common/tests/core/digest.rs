//! Checksum and hash over every length.

use enforcer_common::digest::{self, Digest, Key, fold};
use enforcer_common::scratch::Scratch;

fn key() -> Key {
    let mut state = 7u64;
    Key::new(|_| {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ 0x55;
        state
    })
}

fn range(bytes: &[u8], from: u32, to: u32) -> Digest {
    digest::range(bytes, &mut Scratch::new(), from, to, 0, Some(&key())).1
}

/// Words in order, an odd byte padded with zero: RFC 1071 4.1.
fn plain(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u64::from(*high) << 8 | u64::from(*low),
        [high] => u64::from(*high) << 8,
        _ => 0,
    });
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum
}

#[test]
fn every_length_is_summed_and_every_byte_weighs() {
    let frame: Vec<u8> = (0..1600u32).map(|at| (at.wrapping_mul(167) >> 3) as u8).collect();
    for length in 0..1481u32 {
        let sums = range(&frame, 40, 40 + length);
        let swapped = u16::try_from(fold(sums.sum)).expect("folded").swap_bytes();
        assert_eq!(u64::from(swapped), plain(&frame[40..40 + length as usize]), "{length} bytes");
    }
    for (length, at) in [(1u32, 0u32), (7, 6), (8, 7), (31, 24), (33, 32), (260, 259), (1480, 1479), (1480, 700)] {
        let mut other = frame.clone();
        other[40 + at as usize] ^= 0x10;
        let of = |bytes: &[u8]| range(bytes, 40, 40 + length).hash;
        assert_ne!(of(&frame), of(&other), "byte {at} of {length}");
    }
    // What lies in front of the range, and is read together with its last bytes, does not weigh.
    let mut other = frame.clone();
    other[39] ^= 1;
    assert_eq!(range(&frame, 40, 43), range(&other, 40, 43));
}

/// RFC 4418 5.2.2, over blocks of 32 bytes in words of 8, of which each has the numbers of its place in the key; the last block is
/// filled up with zeros.
fn nh(bytes: &[u8]) -> u64 {
    let key = key();
    let words = |bytes: &[u8]| -> Vec<u64> {
        let padded = |word: &[u8]| word.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        bytes.chunks(8).map(padded).collect()
    };
    let product = |word: u64, [low, high]: [u32; 2]| {
        let sum = |half: u64, number: u32| u64::from((half as u32).wrapping_add(number));
        sum(word & 0xffff_ffff, low).wrapping_mul(sum(word >> 32, high))
    };
    let mut pairs = Vec::new();
    for (block, numbers) in bytes.chunks(32).zip(&key.blocks) {
        let mut whole = [0; 32];
        whole[..block.len()].copy_from_slice(block);
        pairs.extend(words(&whole).into_iter().zip(*numbers));
    }
    pairs.into_iter().fold(0, |hash, (word, numbers)| hash.wrapping_add(product(word, numbers)))
}

#[test]
fn every_length_is_hashed_as_the_standard_says() {
    let frame: Vec<u8> = (0..1600u32).map(|at| (at.wrapping_mul(211) >> 2) as u8).collect();
    for length in 0..1481u32 {
        assert_eq!(range(&frame, 40, 40 + length).hash, nh(&frame[40..40 + length as usize]), "{length} bytes");
    }
}
