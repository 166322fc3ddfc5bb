//! Less than a block of bytes, in words of eight.

use core::hint::black_box;

use super::{Digest, Key, Sums, numbers};
use crate::bytes::Bytes;

/// A payload of less than [a block](super::BLOCK), in words of eight, the first byte lowest: read once for all who ask about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Short {
    /// The bytes; 0 behind the last.
    pub words: [u64; 4],
    /// The last eight bytes of the frame up to the payload's end.
    pub tail: u64,
}

/// Less than a block, if there is anything: in words, behind the last byte zeros, so that strings of one length meet the same
/// numbers. The sums with them; as they were, where the bytes are not there. They begin at `AT`, or where that is 0 at
/// `digest.at`. Written down and read back: what is found in four ways is added up in one.
#[inline(always)]
pub(super) fn rest<const AT: u32, B: Bytes + ?Sized>(
    bytes: &B,
    digest: Digest,
    key: Option<&Key>,
    short: &mut Short,
) -> Digest {
    let Digest { at, end, blocks, .. } = digest;
    let size = end.wrapping_sub(at);
    if size == 0 || gather::<AT, B>(bytes, at, end, short).is_none() {
        return digest;
    }
    let sums = Sums::default().add_words::<B>(&black_box(short).words, numbers(key, blocks));
    Digest { sum: digest.sum.wrapping_add(sums.sum()), hash: digest.hash.wrapping_add(sums.hash), ..digest }
}

/// Their words. `None`: some are not there.
#[inline(always)]
fn gather<const AT: u32, B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, short: &mut Short) -> Option<()> {
    let size = end.wrapping_sub(at);
    // Read together with those before them.
    short.tail = u64::from_le_bytes(bytes.read(end.wrapping_sub(8))?);
    short.words = [0; 4];
    if let Some(last) = short.words.get_mut(size as usize >> 3 & 3) {
        *last = last_of(short.tail, size);
    }
    match size >> 3 {
        0 => {}
        1 => keep(&mut short.words, &first::<8, AT, B>(bytes, at)?),
        2 => keep(&mut short.words, &first::<16, AT, B>(bytes, at)?),
        _ => keep(&mut short.words, &first::<24, AT, B>(bytes, at)?),
    }
    Some(())
}

/// The first `N` of them.
#[inline(always)]
fn first<const N: usize, const AT: u32, B: Bytes + ?Sized>(bytes: &B, at: u32) -> Option<[u8; N]> {
    if AT == 0 { bytes.read::<N>(at) } else { bytes.fixed::<N, AT>() }
}

/// Puts whole words in front.
#[inline(always)]
fn keep<const N: usize>(words: &mut [u64; 4], bytes: &[u8; N]) {
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        if let Some(bytes) = bytes.first_chunk() {
            *word = u64::from_le_bytes(*bytes);
        }
    }
}

/// Of the eight bytes in front of the end of `size` bytes those behind the last whole word: 0 where there are none.
#[inline(always)]
const fn last_of(tail: u64, size: u32) -> u64 {
    // In two steps: no shift reaches 64.
    (tail >> 1) >> (63u32.wrapping_sub((size & 7) << 3) & 63)
}
