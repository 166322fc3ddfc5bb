//! One pass over the transport's bytes: their checksum, and a keyed hash of the payload.
//!
//! The checksum (RFC 1071) is for liveness: a segment that its receiver throws away must leave no trace, or its correct
//! repetition would be refused. The hash is for soundness: what is sent again is forwarded only when it is the same. It is
//! NH (RFC 4418 5.2.2): for two different strings of one length the chance of one hash is 2^-32 over the keys, which are
//! drawn at random and never leave the box.

mod segment;
mod short;

use crate::bytes::{Bytes, part};
use crate::environment::Environment;
use crate::head;
use crate::network::protocol;
use crate::port::Side;
use crate::scratch::{Frame, Scratch};

pub(crate) use segment::segment;
pub use short::Short;
use short::rest;

/// Blocks of the key: more than the longest payload has, and a power of two.
pub const KEY_BLOCKS: usize = 64;

/// Numbers of the key for one block: two for each 8 bytes.
type Numbers = [[u32; 2]; 4];

/// The key of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Key {
    /// Numbers for each 32 bytes that are hashed.
    pub blocks: [Numbers; KEY_BLOCKS],
}

impl Key {
    /// A key whose pairs of numbers are what `word` says, by index.
    #[must_use]
    pub fn new(mut word: impl FnMut(usize) -> u64) -> Self {
        let mut blocks = [[[0; 2]; 4]; KEY_BLOCKS];
        for (index, pair) in blocks.iter_mut().flatten().enumerate() {
            let word = word(index);
            *pair = [(word & 0xffff_ffff) as u32, (word >> 32) as u32];
        }
        Self { blocks }
    }

    /// True before a key was drawn.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.blocks.iter().flatten().flatten().all(|number| *number == 0)
    }
}

/// Bytes for which the key has numbers together.
pub(crate) const BLOCK: u32 = 32;
/// Pairs of whole blocks in the longest payload: 1,480 bytes, see [`crate::network::LONGEST_PACKET`].
const PAIRS: u32 = 23;
/// Words of the longest TCP header behind its first 20 bytes.
const OPTION_WORDS: u32 = 10;

/// Sums over a range of bytes, and how far they have come. In the scratch record behind the loop, because the kernel's
/// verifier follows the end of every turn of a loop through what comes behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Digest {
    /// One's complement sum of 32-bit words in the order of a little-endian machine, not folded.
    pub sum: u64,
    /// Keyed hash.
    pub hash: u64,
    /// Offset of the next byte.
    pub at: u32,
    /// Offset behind the last.
    pub end: u32,
    /// Whole blocks so far.
    pub blocks: u32,
    /// Always 0.
    pub padding: u32,
}

/// Verifies the checksums of an IP frame from `side` and hashes its payload, if it is for the device: what a device sends is
/// never compared. Leaves `frame.wrong_checksum` and `stream.hash`.
#[inline(always)]
pub fn take<B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    side: Side,
    environment: &E,
    scratch: &mut Scratch,
) {
    let scratch = network(bytes, head, scratch).joined::<H>();
    let frame = &scratch.frame;
    let (payload, end) = (frame.payload, frame.payload_end);
    let sum = header(bytes, head, frame);
    let (scratch, found) = match side {
        Side::Network => {
            let Some(key) = environment.key() else {
                return;
            };
            range(bytes, scratch, payload, end, sum, Some(key))
        }
        Side::Device => range(bytes, scratch, payload, end, sum, None),
    };
    let frame = &mut scratch.frame;
    if !is_all_ones(found.sum) && !may_be_absent(bytes, frame) {
        frame.wrong_checksum |= Frame::WRONG_TRANSPORT;
    }
    scratch.stream.hash = found.hash;
}

/// Sums of the bytes from `from` up to `to`, which lie in the frame behind at least eight others. `sum` is what the checksum
/// begins with; without a key the hash is 0.
#[inline(always)]
pub fn range<'s, B: Bytes + ?Sized>(
    bytes: &B,
    scratch: &'s mut Scratch,
    from: u32,
    to: u32,
    sum: u64,
    key: Option<&Key>,
) -> (&'s mut Scratch, Digest) {
    if to.wrapping_sub(from) < BLOCK {
        // What most frames hold, without a way through memory.
        let found = rest::<0, B>(
            bytes,
            Digest { sum, hash: 0, at: from, end: to, blocks: 0, padding: 0 },
            key,
            &mut scratch.short,
        );
        return (scratch, found);
    }
    scratch.digest = Digest { sum, hash: 0, at: from, end: to, blocks: 0, padding: 0 };
    let scratch = scratch.anew();
    blocks(bytes, &mut scratch.digest, key);
    let scratch = scratch.anew();
    let found = rest::<0, B>(bytes, scratch.digest, key, &mut scratch.short);
    (scratch, found)
}

/// Whole blocks: two at a time, and the last one where they are odd.
#[inline(always)]
fn blocks<B: Bytes + ?Sized>(bytes: &B, digest: &mut Digest, key: Option<&Key>) {
    let mut sums = Sums::default();
    let mut at = digest.at;
    let whole = digest.end.wrapping_sub(at) >> 5;
    for pair in 0..PAIRS {
        if pair >= whole >> 1 {
            break;
        }
        let Some(both) = bytes.read::<{ 2 * BLOCK as usize }>(at) else {
            break;
        };
        let first = pair << 1;
        sums = sums.add32::<B>(&part(&both, 0), key, first).add32::<B>(&part(&both, 32), key, first | 1);
        at = at.wrapping_add(const { 2 * BLOCK });
    }
    if whole & 1 != 0
        && let Some(last) = bytes.read::<{ BLOCK as usize }>(at)
    {
        sums = sums.add32::<B>(&last, key, whole.wrapping_sub(1));
        at = at.wrapping_add(BLOCK);
    }
    digest.sum = digest.sum.wrapping_add(sums.sum());
    digest.hash = sums.hash;
    digest.at = at;
    digest.blocks = whole;
}

/// The key's numbers for a block.
#[inline(always)]
fn numbers(key: Option<&Key>, block: u32) -> Option<&Numbers> {
    key?.blocks.get(block as usize & const { KEY_BLOCKS - 1 })
}

/// Checksum and hash in the making.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Sum of the upper halves of all words.
    high: u64,
    /// Sum of the words, modulo 2^64.
    words: u64,
    hash: u64,
}

/// Each takes the bytes, and the place of their numbers in a block of the key.
impl Sums {
    #[inline(always)]
    fn add32<B: Bytes + ?Sized>(self, bytes: &[u8; BLOCK as usize], key: Option<&Key>, index: u32) -> Self {
        let numbers = numbers(key, index);
        self.add16::<B>(&part(bytes, 0), numbers, 0).add16::<B>(&part(bytes, 16), numbers, 2)
    }

    #[inline(always)]
    fn add16<B: Bytes + ?Sized>(self, bytes: &[u8; 16], key: Option<&Numbers>, place: usize) -> Self {
        self.add8::<B>(&part(bytes, 0), key, place).add8::<B>(&part(bytes, 8), key, place.wrapping_add(1))
    }

    #[inline(always)]
    fn add_words<B: Bytes + ?Sized>(self, words: &[u64; 4], key: Option<&Numbers>) -> Self {
        let [a, b, c, d] = words.map(u64::to_le_bytes);
        self.add8::<B>(&a, key, 0).add8::<B>(&b, key, 1).add8::<B>(&c, key, 2).add8::<B>(&d, key, 3)
    }

    #[inline(always)]
    fn add8<B: Bytes + ?Sized>(self, bytes: &[u8; 8], key: Option<&Numbers>, place: usize) -> Self {
        let word = u64::from_le_bytes(*bytes);
        let (low, high) = halves(word);
        let product = match key.and_then(|key| key.get(place)) {
            Some([first, second]) => (low.wrapping_add(*first) as u64).wrapping_mul(high.wrapping_add(*second) as u64),
            None => 0,
        };
        let [high, words, hash] = B::add_up([self.high, self.words, self.hash], [high as u64, word, product]);
        Self { high, words, hash }
    }

    /// Sum of all halves. That of the lower ones is what the words have without the upper ones; it is far below 2^64.
    #[inline(always)]
    const fn sum(self) -> u64 {
        self.words.wrapping_sub(self.high << 32).wrapping_add(self.high)
    }
}

#[inline(always)]
const fn halves(word: u64) -> (u32, u32) {
    ((word & 0xffff_ffff) as u32, (word >> 32) as u32)
}

/// Checks the header of IPv4.
#[inline(always)]
fn network<'s, B: Bytes + ?Sized, H: Bytes + ?Sized>(bytes: &B, head: &H, scratch: &'s mut Scratch) -> &'s mut Scratch {
    let frame = &mut scratch.frame;
    let right = !H::PLAIN && frame.version != 4 || is_all_ones(network_header(bytes, head, frame));
    frame.wrong_checksum = if right { 0 } else { Frame::WRONG_NETWORK };
    scratch
}

/// Sum of the transport's header and pseudo header, which ICMP has none of (RFC 792; ICMPv6 has, RFC 8200 8.1).
#[inline(always)]
fn header<B: Bytes + ?Sized, H: Bytes + ?Sized>(bytes: &B, head: &H, frame: &Frame) -> u64 {
    let at = head::transport::<H>(frame);
    let length = (frame.payload_end.wrapping_sub(at) & 0xffff) as u16;
    let pseudo = pseudo::<H>(frame).wrapping_add(length.swap_bytes() as u64);
    match frame.transport_protocol {
        protocol::TCP => match head.read::<20>(at) {
            Some(fixed) => options(bytes, at.wrapping_add(20), frame.payload, pseudo.wrapping_add(words20(&fixed))),
            None => 0,
        },
        protocol::UDP => match head.read::<8>(at) {
            Some(fixed) => pseudo.wrapping_add(words8(fixed)),
            None => 0,
        },
        protocol::ICMP => 0,
        // The payload begins where the header does.
        _ => pseudo,
    }
}

/// Sum of the IPv4 header.
#[inline(always)]
fn network_header<B: Bytes + ?Sized, H: Bytes + ?Sized>(bytes: &B, head: &H, frame: &Frame) -> u64 {
    let at = head::network::<H>(frame);
    let Some(fixed) = head.read::<20>(at) else {
        return 0;
    };
    options(bytes, at.wrapping_add(20), head::transport::<H>(frame), words20(&fixed))
}

/// Adds the option words from `from` up to `to` to a sum.
#[inline(always)]
fn options<B: Bytes + ?Sized>(bytes: &B, from: u32, to: u32, mut sum: u64) -> u64 {
    let mut at = from;
    for _ in 0..OPTION_WORDS {
        if at.wrapping_add(4) > to {
            break;
        }
        let Some(word) = bytes.read::<4>(at) else {
            break;
        };
        sum = sum.wrapping_add(u32::from_le_bytes(word) as u64);
        at = at.wrapping_add(4);
    }
    sum
}

/// Word by word: a load of two at once would have to be taken apart again.
#[inline(always)]
fn words20(bytes: &[u8; 20]) -> u64 {
    let front = words4(part(bytes, 0)).wrapping_add(words4(part(bytes, 4))).wrapping_add(words4(part(bytes, 8)));
    front.wrapping_add(words4(part(bytes, 12))).wrapping_add(words4(part(bytes, 16)))
}

#[inline(always)]
fn words8(bytes: [u8; 8]) -> u64 {
    words4(part(&bytes, 0)).wrapping_add(words4(part(&bytes, 4)))
}

#[inline(always)]
const fn words4(bytes: [u8; 4]) -> u64 {
    u32::from_le_bytes(bytes) as u64
}

/// Addresses and protocol; the length is the caller's.
#[inline(always)]
fn pseudo<H: Bytes + ?Sized>(frame: &Frame) -> u64 {
    // Behind what maps an IPv4 address.
    let low = words4(part(&frame.source, 12)).wrapping_add(words4(part(&frame.destination, 12)));
    let high = if H::PLAIN || frame.version == 4 {
        0
    } else {
        words8(part(&frame.source, 0))
            .wrapping_add(words4(part(&frame.source, 8)))
            .wrapping_add(words8(part(&frame.destination, 0)))
            .wrapping_add(words4(part(&frame.destination, 8)))
    };
    low.wrapping_add(high).wrapping_add((frame.transport_protocol as u16).swap_bytes() as u64)
}

/// RFC 768: no checksum was computed. RFC 8200 8.1 forbids that over IPv6.
#[inline(always)]
fn may_be_absent<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    frame.transport_protocol == protocol::UDP
        && frame.version == 4
        && bytes.u16(frame.transport.wrapping_add(6)) == Some(0)
}

/// True when a sum of 32-bit words, folded to 16 bits, is all ones: when it is a multiple of 2^16 - 1, and not 0. Multiplied
/// with the inverse of that number modulo 2^64, its multiples and nothing else become how many times they hold it.
#[inline(always)]
const fn is_all_ones(sum: u64) -> bool {
    const TIMES: u64 = 0x0001_0001_0001_0001;
    const INVERSE: u64 = TIMES.wrapping_neg();
    const _: () = assert!(INVERSE.wrapping_mul(0xffff) == 1);
    sum.wrapping_mul(INVERSE).wrapping_sub(1) < TIMES
}

/// Folds a sum of 32-bit words to 16 bits.
#[must_use]
#[inline(always)]
pub const fn fold(sum: u64) -> u64 {
    let sum = (sum >> 32).wrapping_add(sum & 0xffff_ffff);
    let sum = (sum >> 16).wrapping_add(sum & 0xffff);
    let sum = (sum >> 16).wrapping_add(sum & 0xffff);
    (sum >> 16).wrapping_add(sum & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::{fold, is_all_ones};

    #[test]
    fn a_sum_is_all_ones_when_it_folds_to_them() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let sum = (state >> 16) & 0xff_ffff_ffff;
            for sum in [sum, sum & 0xf_ffff, sum.next_multiple_of(0xffff), sum.next_multiple_of(0xffff) + 1] {
                assert_eq!(is_all_ones(sum), fold(sum) == 0xffff, "{sum:#x}");
            }
        }
        assert!(!is_all_ones(0));
    }
}
