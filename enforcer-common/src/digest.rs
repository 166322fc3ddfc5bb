//! One pass over the transport's bytes: their checksum, and a keyed hash of the payload.
//!
//! The checksum (RFC 1071) is for liveness: a segment that its receiver throws away must leave no trace, or its correct
//! repetition would be refused. The hash is for soundness: what is sent again is forwarded only when it is the same. It is
//! NH (RFC 4418 5.2.2): for two different strings of one length the chance of one hash is 2^-32 over the keys, which are
//! drawn at random and never leave the box.

use crate::bytes::{Bytes, part};
use crate::environment::Environment;
use crate::network::protocol;
use crate::scratch::{Frame, Scratch};

/// Blocks of the key: as many as the longest payload has, and a power of two.
pub const KEY_BLOCKS: usize = 64;

/// The key of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Key {
    /// Four words for each 32 bytes that are hashed.
    pub blocks: [[u64; 4]; KEY_BLOCKS],
}

impl Key {
    /// A key whose words are what `word` says, by index.
    #[must_use]
    pub fn new(mut word: impl FnMut(usize) -> u64) -> Self {
        let mut blocks = [[0; 4]; KEY_BLOCKS];
        for (index, place) in blocks.iter_mut().flatten().enumerate() {
            *place = word(index);
        }
        Self { blocks }
    }

    /// True before a key was drawn.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.blocks.iter().flatten().all(|word| *word == 0)
    }
}

/// Bytes taken at once.
const BLOCK: u32 = 32;
/// Blocks of the longest payload: 1,480 bytes, see [`crate::network::LONGEST`].
const BLOCKS: u32 = 46;
/// Words of the longest TCP header behind its first 20 bytes.
const OPTION_WORDS: u32 = 10;

/// Sums over a range of bytes, and how far they have come. In the scratch record between the loops, because the kernel's
/// verifier follows the end of every turn of one through the next.
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
    /// Index of the next word of the key.
    pub word: u32,
    /// Always 0.
    pub padding: u32,
}

/// Verifies the checksums of an IP frame and hashes its payload. Leaves `frame.wrong_checksum` and `stream.hash`.
#[inline(always)]
pub fn take<B: Bytes + ?Sized, E: Environment>(bytes: &B, environment: &E, scratch: &mut Scratch) {
    let scratch = network(bytes, scratch).anew();
    let frame = &scratch.frame;
    let header = header(bytes, frame);
    scratch.digest.sum = header;
    let scratch = scratch.anew();
    let (payload, end) = (scratch.frame.payload, scratch.frame.payload_end);
    let sum = scratch.digest.sum;
    let Some(key) = environment.key() else {
        return;
    };
    let scratch = range(bytes, scratch, payload, end, sum, key);
    let frame = &mut scratch.frame;
    let absent = frame.transport_protocol == protocol::UDP && frame.version == 4 && udp_checksum_is_zero(bytes, frame);
    if fold(scratch.digest.sum) != 0xffff && !absent {
        frame.wrong_checksum |= Frame::WRONG_TRANSPORT;
    }
    scratch.stream.hash = scratch.digest.hash;
}

/// Sums of the bytes from `from` up to `to`, which lie in the frame behind at least eight others, in `scratch.digest`.
/// `sum` is what the checksum begins with.
#[inline(always)]
pub fn range<'s, B: Bytes + ?Sized>(
    bytes: &B,
    scratch: &'s mut Scratch,
    from: u32,
    to: u32,
    sum: u64,
    key: &Key,
) -> &'s mut Scratch {
    scratch.digest = Digest { sum, hash: 0, at: from, end: to, word: 0, padding: 0 };
    let scratch = scratch.anew();
    blocks(bytes, &mut scratch.digest, key);
    let scratch = scratch.anew();
    words(bytes, &mut scratch.digest, key);
    let scratch = scratch.anew();
    rest(bytes, &mut scratch.digest, key);
    scratch.anew()
}

#[inline(always)]
fn blocks<B: Bytes + ?Sized>(bytes: &B, digest: &mut Digest, key: &Key) {
    let (mut sum, mut hash) = (digest.sum, 0u64);
    let (from, end) = (digest.at, digest.end);
    let mut at = from;
    for index in 0..BLOCKS {
        if at.wrapping_add(BLOCK) > end {
            break;
        }
        let (Some(block), Some(key)) =
            (bytes.read::<{ BLOCK as usize }>(at), key.blocks.get(index as usize & const { KEY_BLOCKS - 1 }))
        else {
            break;
        };
        let [k0, k1, k2, k3] = *key;
        (sum, hash) = add(sum, hash, u64::from_le_bytes(part(&block, 0)), k0);
        (sum, hash) = add(sum, hash, u64::from_le_bytes(part(&block, 8)), k1);
        (sum, hash) = add(sum, hash, u64::from_le_bytes(part(&block, 16)), k2);
        (sum, hash) = add(sum, hash, u64::from_le_bytes(part(&block, 24)), k3);
        at = at.wrapping_add(BLOCK);
    }
    digest.sum = sum;
    digest.hash = hash;
    digest.at = at;
    digest.word = at.wrapping_sub(from) >> 3;
}

/// One word more.
#[inline(always)]
const fn add(sum: u64, hash: u64, word: u64, key: u64) -> (u64, u64) {
    let (low, high) = halves(word);
    let (key_low, key_high) = halves(key);
    let product = (low.wrapping_add(key_low) as u64).wrapping_mul(high.wrapping_add(key_high) as u64);
    (sum.wrapping_add(low as u64).wrapping_add(high as u64), hash.wrapping_add(product))
}

/// Less than a block: whole words.
#[inline(always)]
fn words<B: Bytes + ?Sized>(bytes: &B, digest: &mut Digest, key: &Key) {
    let mut done = *digest;
    for _ in 0..3 {
        if done.at.wrapping_add(8) > done.end {
            break;
        }
        let Some(whole) = bytes.read::<8>(done.at) else {
            break;
        };
        done.add(u64::from_le_bytes(whole), key);
        done.at = done.at.wrapping_add(8);
    }
    *digest = done;
}

/// Less than a word: the last bytes, read together with those before them.
#[inline(always)]
fn rest<B: Bytes + ?Sized>(bytes: &B, digest: &mut Digest, key: &Key) {
    let left = digest.end.wrapping_sub(digest.at);
    if left != 0
        && left < 8
        && let Some(last) = bytes.read::<8>(digest.end.wrapping_sub(8))
    {
        let shift = 8u32.wrapping_sub(left).wrapping_mul(8);
        digest.add(u64::from_le_bytes(last) >> (shift & 63), key);
    }
}

impl Digest {
    #[inline(always)]
    fn add(&mut self, word: u64, key: &Key) {
        let block = key.blocks.get((self.word >> 2) as usize & const { KEY_BLOCKS - 1 });
        let key = match block.and_then(|block| block.get(self.word as usize & 3)) {
            Some(key) => *key,
            None => 0,
        };
        (self.sum, self.hash) = add(self.sum, self.hash, word, key);
        self.word = self.word.wrapping_add(1);
    }
}

/// Checks the header of IPv4.
#[inline(always)]
fn network<'s, B: Bytes + ?Sized>(bytes: &B, scratch: &'s mut Scratch) -> &'s mut Scratch {
    let frame = &mut scratch.frame;
    let sum = if frame.version == 4 { network_header(bytes, frame) } else { 0xffff };
    frame.wrong_checksum = if sum == 0xffff { 0 } else { Frame::WRONG_NETWORK };
    scratch
}

/// Sum of the transport's header and pseudo header, which ICMP has none of (RFC 792; ICMPv6 has, RFC 8200 8.1).
#[inline(always)]
fn header<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> u64 {
    let at = frame.transport;
    let length = (frame.payload_end.wrapping_sub(at) & 0xffff) as u16;
    let pseudo = pseudo(frame).wrapping_add(length.swap_bytes() as u64);
    match frame.transport_protocol {
        protocol::TCP => match bytes.read::<20>(at) {
            Some(fixed) => {
                pseudo.wrapping_add(words20(&fixed)).wrapping_add(options(bytes, at.wrapping_add(20), frame.payload))
            }
            None => 0,
        },
        protocol::UDP => match bytes.read::<8>(at) {
            Some(fixed) => pseudo.wrapping_add(words8(fixed)),
            None => 0,
        },
        protocol::ICMP => 0,
        // The payload begins where the header does.
        _ => pseudo,
    }
}

/// Folded sum of the IPv4 header.
#[inline(always)]
fn network_header<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> u64 {
    let Some(fixed) = bytes.read::<20>(frame.network) else {
        return 0;
    };
    fold(words20(&fixed).wrapping_add(options(bytes, frame.network.wrapping_add(20), frame.transport)))
}

/// Sum of the option words from `from` up to `to`.
#[inline(always)]
fn options<B: Bytes + ?Sized>(bytes: &B, from: u32, to: u32) -> u64 {
    let (mut sum, mut at) = (0u64, from);
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

#[inline(always)]
fn words20(bytes: &[u8; 20]) -> u64 {
    let sum = words8(part(bytes, 0)).wrapping_add(words8(part(bytes, 8)));
    sum.wrapping_add(u32::from_le_bytes(part(bytes, 16)) as u64)
}

#[inline(always)]
fn words8(bytes: [u8; 8]) -> u64 {
    let (low, high) = halves(u64::from_le_bytes(bytes));
    (low as u64).wrapping_add(high as u64)
}

#[inline(always)]
const fn halves(word: u64) -> (u32, u32) {
    ((word & 0xffff_ffff) as u32, (word >> 32) as u32)
}

/// Addresses and protocol; the length is the caller's. What the mapped form of an IPv4 address has more than the address
/// is one word of ones, which counts for nothing in one's complement.
#[inline(always)]
fn pseudo(frame: &Frame) -> u64 {
    words8(part(&frame.source, 0))
        .wrapping_add(words8(part(&frame.source, 8)))
        .wrapping_add(words8(part(&frame.destination, 0)))
        .wrapping_add(words8(part(&frame.destination, 8)))
        .wrapping_add((frame.transport_protocol as u16).swap_bytes() as u64)
}

/// RFC 768: no checksum was computed. RFC 8200 8.1 forbids that over IPv6.
#[inline(always)]
fn udp_checksum_is_zero<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    bytes.u16(frame.transport.wrapping_add(6)) == Some(0)
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
