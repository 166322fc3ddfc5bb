//! What each direction remembers of its secure channel, and the security policies that a channel can have.
//!
//! | bits | of the end that asks | of the end that answers |
//! |---|---|---|
//! | 0 to 2 | what its channel hides, [`hidden`] | |
//! | 3 | it has said Hello | |
//! | 4 | a message of several chunks is not complete | |
//! | 5 to 30 | the request id of that message | |
//! | 0 to 12 | | longest chunk that it takes, in units of 32 bytes; 0: not known |
//! | 13 | | a message of several chunks is not complete |
//! | 14 to 29 | | lower half of the request id of that message |
//! | 30 | | it opened the connection: ReverseHello |
//! | 31 | 0 | 1 |

use super::eight;
use crate::bytes::Bytes;
use crate::operation::Role;
use crate::port::Side;
use crate::scratch::Scratch;

/// Numbers of the security policies, OPC 10000-7 6.6: objects of OpenSecureChannel.
pub mod policy {
    /// Nothing is signed, nothing encrypted.
    pub const NONE: u32 = 0;
    /// Deprecated since 1.04.
    pub const BASIC128RSA15: u32 = 1;
    /// Deprecated since 1.04.
    pub const BASIC256: u32 = 2;
    /// Signed, and encrypted if the channel's mode says so.
    pub const BASIC256SHA256: u32 = 3;
    /// The same.
    pub const AES128_SHA256_RSAOAEP: u32 = 4;
    /// The same.
    pub const AES256_SHA256_RSAPSS: u32 = 5;
    /// Any other.
    pub const OTHER: u32 = 6;
}

/// What a channel hides.
pub(super) mod hidden {
    /// No channel is open.
    pub(in super::super) const NO: u32 = 0;
    /// Nothing.
    pub(in super::super) const PLAIN: u32 = 1;
    /// Messages end with a signature of 20 bytes, and may be encrypted.
    pub(in super::super) const SHORT: u32 = 2;
    /// The same with 32 bytes.
    pub(in super::super) const LONG: u32 = 3;
    /// Whatever is in it.
    pub(in super::super) const OTHER: u32 = 4;
    /// The bits of it.
    pub(in super::super) const ALL: u32 = 7;
}

/// Signatures of the two lengths.
pub(super) const SHORT_SIGNATURE: u32 = 20;
/// See [`SHORT_SIGNATURE`].
pub(super) const LONG_SIGNATURE: u32 = 32;

/// Hello was said.
pub(super) const HELLO: u32 = 1 << 3;
const ASKING: u32 = 1 << 4;
const ASKING_ID: u32 = 5;
/// Largest request id of a message of several chunks that can be remembered.
const LAST_REQUEST: u32 = (1 << 26) - 1;

/// Longest chunk, in units of 32 bytes.
const LIMIT: u32 = 0x1fff;
const ANSWERING: u32 = 1 << 13;
const ANSWERING_ID: u32 = 14;
/// The end that answers has opened the connection.
pub(super) const REVERSE: u32 = 1 << 30;
/// The end that answers.
pub(super) const SERVER: u32 = 1 << 31;

/// True for the end that asks. Where nothing was seen of it yet, that is the end that opened the connection, and whoever
/// speaks to a device.
#[inline(always)]
pub(super) fn asks(scratch: &Scratch) -> bool {
    let context = scratch.stream.context;
    if context & SERVER != 0 {
        return false;
    }
    context & HELLO != 0 || scratch.path.role == Role::Request as u8 || scratch.frame.side == Side::Network as u8
}

/// What the channel of the end that asks hides.
#[inline(always)]
pub(super) const fn hides(context: u32) -> u32 {
    context & hidden::ALL
}

/// Longest chunk that the other end takes; 0 where that is not known.
#[inline(always)]
pub(super) const fn longest(peer: u32) -> u32 {
    if peer & SERVER == 0 { 0 } else { (peer & LIMIT) << 5 }
}

/// What an Acknowledge with this receive buffer leaves.
#[inline(always)]
pub(super) fn acknowledged(context: u32, buffer: u32) -> u32 {
    let units = buffer.saturating_add(31) >> 5;
    context & REVERSE | SERVER | if units > LIMIT { 0 } else { units }
}

/// True when a chunk goes on with the message that is not complete.
#[inline(always)]
pub(super) const fn goes_on(context: u32, request: u32) -> bool {
    if context & SERVER == 0 {
        context & ASKING != 0 && context >> ASKING_ID == request
    } else {
        context & ANSWERING != 0 && context >> ANSWERING_ID & 0xffff == request & 0xffff
    }
}

/// True while a message of the end that asks is not complete.
#[inline(always)]
pub(super) const fn is_open(context: u32) -> bool {
    context & (SERVER | ASKING) == ASKING
}

/// Behind the last chunk of a message.
#[inline(always)]
pub(super) const fn complete(context: u32) -> u32 {
    if context & SERVER == 0 { context & (hidden::ALL | HELLO) } else { context & (SERVER | REVERSE | LIMIT) }
}

/// Behind the first chunk of several. `None`, as 0, where the request id is too large.
#[inline(always)]
pub(super) const fn begun(context: u32, request: u32) -> u32 {
    if context & SERVER != 0 {
        complete(context) | ANSWERING | (request & 0xffff) << ANSWERING_ID
    } else if request <= LAST_REQUEST {
        complete(context) | ASKING | request << ASKING_ID
    } else {
        0
    }
}

/// What all policies' names begin with.
const PREFIX: u32 = 43;
const PREFIX_WORDS: [(u32, u64); 6] = [
    (0, u64::from_le_bytes(*b"http://o")),
    (8, u64::from_le_bytes(*b"pcfounda")),
    (16, u64::from_le_bytes(*b"tion.org")),
    (24, u64::from_le_bytes(*b"/UA/Secu")),
    (32, u64::from_le_bytes(*b"rityPoli")),
    (35, u64::from_le_bytes(*b"yPolicy#")),
];

/// A policy's name behind the prefix.
struct Known {
    length: u32,
    first: u64,
    second: u64,
    last: u64,
    number: u32,
}

const fn known(length: u32, words: [&[u8; 8]; 3], number: u32) -> Known {
    let [first, second, last] = words;
    Known {
        length,
        first: u64::from_le_bytes(*first),
        second: u64::from_le_bytes(*second),
        last: u64::from_le_bytes(*last),
        number,
    }
}

/// Eight characters each from the first, the ninth and the fourteenth on; 0 behind the end. The lengths differ.
const KNOWN: [Known; 6] = [
    known(4, [b"None\0\0\0\0", &[0; 8], &[0; 8]], policy::NONE),
    known(13, [b"Basic128", b"Rsa15\0\0\0", &[0; 8]], policy::BASIC128RSA15),
    known(8, [b"Basic256", &[0; 8], &[0; 8]], policy::BASIC256),
    known(14, [b"Basic256", b"Sha256\0\0", b"6\0\0\0\0\0\0\0"], policy::BASIC256SHA256),
    known(21, [b"Aes128_S", b"ha256_Rs", b"_RsaOaep"], policy::AES128_SHA256_RSAOAEP),
    known(20, [b"Aes256_S", b"ha256_Rs", b"_RsaPss\0"], policy::AES256_SHA256_RSAPSS),
];

/// Number of the policy whose URI, of `nesting.left` characters, ends at `nesting.at`; into `nesting.number`. OPC 10000-7 6.6.
#[inline(always)]
pub(super) fn policy_of<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    nesting.number = policy::OTHER;
    if nesting.left < PREFIX {
        return;
    }
    let start = nesting.at.wrapping_sub(nesting.left);
    nesting.from = start;
    let [_, wrong, ..] = &mut nesting.window;
    *wrong = 0;
    for (offset, word) in PREFIX_WORDS {
        let scratch = scratch.anew();
        let found = eight(bytes, scratch.nesting.from.wrapping_add(offset), scratch.nesting.at);
        let [_, wrong, ..] = &mut scratch.anew().nesting.window;
        *wrong |= found ^ word;
    }
    for one in &KNOWN {
        let scratch = scratch.anew();
        if scratch.nesting.left == one.length.wrapping_add(PREFIX) {
            named(bytes, one, scratch);
        }
    }
}

/// Compares what stands behind the prefix with a name of the same length.
#[inline(always)]
fn named<B: Bytes + ?Sized>(bytes: &B, one: &Known, scratch: &mut Scratch) {
    let offsets = [(PREFIX, one.first), (PREFIX.wrapping_add(8), one.second), (PREFIX.wrapping_add(13), one.last)];
    for (offset, word) in offsets {
        let scratch = scratch.anew();
        let found = eight(bytes, scratch.nesting.from.wrapping_add(offset), scratch.nesting.at);
        let [_, wrong, ..] = &mut scratch.anew().nesting.window;
        *wrong |= found ^ word;
    }
    let [_, wrong, ..] = scratch.anew().nesting.window;
    if wrong == 0 {
        scratch.nesting.number = one.number;
    }
}

/// What a channel under this policy hides.
#[inline(always)]
pub(super) const fn under(policy: u32) -> u32 {
    match policy {
        policy::NONE => hidden::PLAIN,
        policy::BASIC128RSA15 | policy::BASIC256 => hidden::SHORT,
        policy::BASIC256SHA256 | policy::AES128_SHA256_RSAOAEP | policy::AES256_SHA256_RSAPSS => hidden::LONG,
        _ => hidden::OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, policy, policy_of};
    use crate::scratch::Scratch;

    #[test]
    fn policies_are_known_by_all_of_their_names() {
        let names =
            ["None", "Basic128Rsa15", "Basic256", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"];
        for (number, name) in (0..).zip(names) {
            let uri = format!("http://opcfoundation.org/UA/SecurityPolicy#{name}");
            let number_of = |uri: &[u8]| {
                let bytes = [b"12345678", uri].concat();
                let mut scratch = Scratch::new();
                let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(0);
                (scratch.nesting.at, scratch.nesting.left) = (size(&bytes), size(uri));
                policy_of(bytes.as_slice(), &mut scratch);
                scratch.nesting.number
            };
            assert_eq!(number_of(uri.as_bytes()), number, "{uri}");
            for at in 0..uri.len() {
                let mut other = uri.clone().into_bytes();
                other.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
                assert_eq!(number_of(&other), policy::OTHER, "{at} of {uri}");
            }
            assert_eq!(number_of(format!("{uri}x").as_bytes()), policy::OTHER);
        }
        assert_eq!(KNOWN.len(), names.len());
    }
}
