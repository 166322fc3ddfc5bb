//! Requests that were judged before. Control traffic repeats itself to the byte, but for the number of the transaction: what
//! a station asked a moment ago was framed, read, searched for in the policy and allowed, and the same bytes in the same
//! conversation are allowed again, without a second look at what they mean.
//!
//! Nothing is guessed: all bytes are compared, and beside them all that the dissector and the judge go by. Left out are those
//! of which the dissector says that no decision hangs on them ([`Scratch::leave_out`]). Kept are requests from the network
//! in enforce, all of whose units a rule allows that has neither rate nor step, and that write no value: those are evidence,
//! one by one. Whatever looks beside the verdict, the devices' health or a candidate policy, sees every request read.
//!
//! Enters: what [`crate::stream`] leaves. Leaves, for a request that is known, the frame's outcome and counters; the stream is
//! advanced as behind the judge. Once a minute a request goes the long way, which writes down how often it was seen.

mod keep;

use crate::action::Action;
use crate::bytes::Bytes;
use crate::digest::{BLOCK, Short};
use crate::environment::Environment;
use crate::operation::Role;
use crate::policy::UNCOVERED;
use crate::policy::memo::minute;
use crate::port::Side;
use crate::scratch::{Commit, Finding, Scratch, UNITS};
use crate::stream;
use crate::verdict::{Mode, Reason};

pub use keep::{is_worth_keeping, keep};

/// Entries, a power of two.
pub const ENTRIES: usize = 256;
/// Words of the longest request that is kept, a power of two.
pub const WORDS: usize = 32;
/// Bytes of the longest request, and of the shortest.
const LONGEST: u32 = 256;
const SHORTEST: u32 = 8;
/// Most units of a request that is kept.
const MOST_UNITS: u32 = 4;
const _: () = assert!(
    MOST_UNITS as usize == UNITS
        && LONGEST as usize == WORDS * 8
        && ENTRIES.is_power_of_two()
        && WORDS.is_power_of_two()
);

/// Eight bytes of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Word {
    /// The bytes, the first one lowest; 0 behind the last.
    pub bytes: u64,
    /// Ones where they matter.
    pub cares: u64,
}

/// What the dissector and the judge go by, beside the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Circumstances {
    /// Generation of the policy; 0: the entry is empty.
    pub generation: u32,
    /// Slot of the conversation, or [`crate::flow::NO_FLOW`].
    pub slot: u32,
    /// Conduit id, and above it the length of the payload.
    pub conduit: u32,
    /// Ports of the sender and of the receiver, as they lie in the frame, the first byte lowest.
    pub ports: u32,
    /// What the dissector knew of the units before.
    pub context: u32,
    /// What the other direction's left.
    pub peer_context: u32,
    /// Transport, protocol, and whether units must be whole, the conversation was taken up in the middle, the frame is for
    /// several receivers.
    pub marks: u32,
    /// Always 0.
    pub padding: u32,
}

/// One request, and what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Known {
    /// All that must be the same.
    pub circumstances: Circumstances,
    /// When it was written down last, in [`minute`]s.
    pub minute: u32,
    /// How often it was seen since.
    pub pending: u32,
    /// How often something was to be kept here since an entry was met.
    pub tries: u32,
    /// What the dissector knows behind it.
    pub context: u32,
    /// Units in it.
    pub units: u32,
    /// Always 0.
    pub padding: u32,
    /// What was found about each of them.
    pub found: [Finding; UNITS],
    /// Its bytes.
    pub words: [Word; WORDS],
}

impl Circumstances {
    /// Those of the frame at hand, before its dissector or, with the `context` from then, behind it.
    #[inline(always)]
    const fn of(scratch: &Scratch, context: u32) -> Self {
        let Scratch { frame, path, stream, .. } = scratch;
        let [first, ..] = frame.destination_mac;
        Self {
            generation: path.generation,
            slot: path.slot,
            conduit: length(scratch) << 16 | path.conduit as u32,
            ports: ((frame.source_port as u32) << 16 | frame.destination_port as u32).swap_bytes(),
            context,
            peer_context: stream.peer_context,
            marks: Self::marks(frame.transport_protocol, path.protocol, stream.whole, stream.midstream != 0)
                | (first & 1) as u32,
            padding: 0,
        }
    }

    /// Transport, protocol, whether units must be whole, and whether the conversation was taken up in the middle.
    #[inline(always)]
    pub(crate) const fn marks(transport: u8, protocol: u8, whole: u8, midstream: bool) -> u32 {
        (transport as u32) << 24 | (protocol as u32) << 16 | ((whole != 0) as u32) << 2 | (midstream as u32) << 1
    }

    #[inline(always)]
    const fn differ(&self, other: &Self) -> u32 {
        (self.generation ^ other.generation)
            | (self.slot ^ other.slot)
            | (self.conduit ^ other.conduit)
            | (self.ports ^ other.ports)
            | (self.context ^ other.context)
            | (self.peer_context ^ other.peer_context)
            | (self.marks ^ other.marks)
    }
}

/// Bytes of payload; the longest is far below 2^16.
#[inline(always)]
const fn length(scratch: &Scratch) -> u32 {
    scratch.frame.payload_end.wrapping_sub(scratch.frame.payload)
}

/// True for a request of a length that may be kept.
#[inline(always)]
pub(crate) const fn fits(length: u32) -> bool {
    SHORTEST <= length && length <= LONGEST
}

/// True for a frame whose request may be kept: whole, new, in its place, with nothing noted about it.
#[inline(always)]
fn is_eligible(scratch: &Scratch) -> bool {
    let Scratch { frame, path, .. } = scratch;
    let length = length(scratch);
    let other =
        (path.mode ^ Mode::Enforce as u8) | (path.role ^ Role::Request as u8) | (frame.side ^ Side::Network as u8);
    other == 0 && scratch.looked_on == 0 && fits(length) && is_in_its_place(scratch) && path.conduit != UNCOVERED
}

/// True for new bytes that can be read where they lie, of which nothing else is to be said.
#[inline(always)]
const fn is_in_its_place(scratch: &Scratch) -> bool {
    let Scratch { frame, stream, .. } = scratch;
    let odd = stream.assembled | stream.unproved | stream.uncertain | stream.retransmission | scratch.outcome;
    let elsewhere = (stream.start ^ frame.payload) | (stream.end ^ frame.payload_end) | stream.skip | scratch.count;
    odd as u32 | elsewhere == 0 && stream.commit <= Commit::Advance as u8
}

/// Eight bytes, the first one lowest. The caller has seen that they are there.
#[inline(always)]
fn word<B: Bytes + ?Sized>(bytes: &B, at: u32) -> u64 {
    match bytes.read::<8>(at) {
        Some(word) => u64::from_le_bytes(word),
        None => 0,
    }
}

/// The last bytes in front of `end`, which are `left`, at least one and fewer than eight.
#[inline(always)]
fn last_word<B: Bytes + ?Sized>(bytes: &B, end: u32, left: u32) -> u64 {
    word(bytes, end.wrapping_sub(8)) >> (64u32.wrapping_sub(left << 3) & 63)
}

/// Where the request of an ordinary segment in this slot belongs. `None`: its bytes are not there.
#[inline(always)]
pub(crate) fn place_in<B: Bytes + ?Sized>(bytes: &B, slot: u32, scratch: &Scratch) -> Option<u32> {
    let (payload, end) = (scratch.frame.payload, scratch.frame.payload_end);
    let size = end.wrapping_sub(payload);
    let tail = if size < BLOCK {
        scratch.short.tail
    } else if end <= bytes.length() {
        word(bytes, end.wrapping_sub(8))
    } else {
        return None;
    };
    Some(place(tail, slot, size))
}

/// Where the request at hand belongs: chosen by its end, where most say what they are about, and not how often they ask.
#[inline(always)]
const fn place(tail: u64, slot: u32, length: u32) -> u32 {
    let mixed = tail ^ (tail >> 29) ^ (slot.rotate_left(16) ^ length) as u64;
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [.., highest] = mixed.to_le_bytes();
    highest as u32
}

const _: () = assert!(ENTRIES == 1 << 8);

/// Lets the request in the frame pass, if it is known: counts it, and advances its stream. `None`: its dissector is next.
#[must_use]
#[inline(always)]
pub fn pass<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Option<Action> {
    if !is_eligible(scratch) {
        return None;
    }
    let here = Circumstances::of(scratch, scratch.stream.context);
    let (payload, end) = (scratch.frame.payload, scratch.frame.payload_end);
    if bytes.length() < end {
        return None;
    }
    let place = place(word(bytes, end.wrapping_sub(8)), here.slot, end.wrapping_sub(payload));
    let known: &mut Known = environment.known(place)?;
    scratch.stream.context = recognise::<false, B>(bytes, known, place, scratch, &here)?;
    let (bank, conduit) = (scratch.path.bank, scratch.path.conduit);
    count(environment, scratch, bank, conduit);
    let scratch = scratch.anew();
    scratch.outcome = Reason::RuleAllow as u8;
    scratch.action = Action::Forward as u8;
    stream::commit(environment, scratch);
    Some(Action::Forward)
}

/// Counts what was found about a known request.
#[inline(always)]
pub(crate) fn count<E: Environment>(environment: &mut E, scratch: &mut Scratch, bank: u8, conduit: u16) {
    for unit in 0..UNITS {
        let scratch = scratch.anew();
        if unit >= scratch.judging.units as usize {
            break;
        }
        let Some(found) = scratch.judging.found.get(unit) else {
            break;
        };
        environment.count_known(bank, conduit, Some(found), Reason::RuleAllow);
    }
}

/// Some when the request at hand is the one that was kept in this place: what its dissector knows behind it. Leaves what was
/// found about it; or else what [`keep`] goes by. `TAKEN`: of a short one [`Scratch::short`] has the bytes.
#[inline(always)]
pub(crate) fn recognise<const TAKEN: bool, B: Bytes + ?Sized>(
    bytes: &B,
    known: &mut Known,
    place: u32,
    scratch: &mut Scratch,
    here: &Circumstances,
) -> Option<u32> {
    let now = minute(scratch.now);
    let (payload, end) = (scratch.frame.payload, scratch.frame.payload_end);
    let short = TAKEN && end.wrapping_sub(payload) < BLOCK;
    if known.circumstances.differ(here) != 0 {
        scratch.wanted.begin(place.wrapping_add(1), here.context);
        return None;
    }
    // Written down and read back: the paths through the loop join.
    scratch.wanted.other = if short { differs_from(&scratch.short, known) } else { other(bytes, known, payload, end) };
    let scratch = scratch.anew();
    if scratch.wanted.other != 0 {
        scratch.wanted.begin(place.wrapping_add(1), here.context);
        return None;
    }
    if known.minute != now {
        // The long way, which writes down how often.
        scratch.wanted.begin(place.wrapping_add(1), here.context);
        known.minute = now;
        scratch.wanted.pending = known.pending;
        known.pending = 0;
        return None;
    }
    known.pending = known.pending.wrapping_add(1);
    known.tries = 0;
    scratch.judging.units = known.units;
    let ([first, rest @ ..], [first_kept, rest_kept @ ..]) = (&mut scratch.judging.found, &known.found);
    *first = *first_kept;
    if known.units > 1 {
        *rest = *rest_kept;
    }
    Some(known.context)
}

/// The same bits as [`other`], of a short request.
#[inline(always)]
fn differs_from(short: &Short, known: &Known) -> u64 {
    let ([a, b, c, d], [k, l, m, n, ..]) = (short.words, &known.words);
    (a ^ k.bytes) & k.cares | (b ^ l.bytes) & l.cares | (c ^ m.bytes) & m.cares | (d ^ n.bytes) & n.cares
}

/// Bits that matter and are other than those that were kept; of all words together.
#[inline(always)]
fn other<B: Bytes + ?Sized>(bytes: &B, known: &Known, from: u32, end: u32) -> u64 {
    let size = end.wrapping_sub(from);
    let (whole, left) = (size >> 3, size & 7);
    let (mut at, mut other) = (from, 0);
    if left != 0
        && let Some(kept) = known.words.get(whole as usize & (WORDS - 1))
    {
        other = (last_word(bytes, end, left) ^ kept.bytes) & kept.cares;
    }
    for index in 0..WORDS {
        if index >= whole as usize {
            break;
        }
        let Some(kept) = known.words.get(index) else {
            break;
        };
        other |= (word(bytes, at) ^ kept.bytes) & kept.cares;
        at = at.wrapping_add(8);
    }
    other
}
