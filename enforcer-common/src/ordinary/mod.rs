//! The next segment of a conversation that takes its ordinary course, as nearly all are: a frame like those before it in its
//! direction, in its place in the stream, with nothing under way in either direction. What the stages from the link to the
//! stream would ask one by one is asked here at once, of what they wrote down when they admitted its like.
//!
//! Nothing is decided here: flow, counters and what comes next are exactly what those stages leave. So is the record, but for
//! the mark in [`Scratch::ordinary`]; of a segment that [passes at once](pass) it says the outcome alone, because nobody reads
//! more of it. Whatever is out of the ordinary in any way goes through the stages. A segment is ordinary when
//!
//! - it lies in Ethernet without tags, IPv4 without options or fragments, TCP without options or with a timestamp alone, with
//!   ACK and nothing else that has a meaning, whole and of a length that a cable carries;
//! - its conversation was found by this CPU before, and its addresses on both layers were admitted under this policy;
//! - a conduit covers it and its protocol is read;
//! - its checksums are right;
//! - it begins where its direction has come to, with no unit in pieces, nothing ahead, no handshake, end or reset in the
//!   air, nothing unproved, and room to remember it.
//!
//! Enters: the frame. Leaves: what [`crate::stream`] does, or the frame passed; or nothing.

mod pass;

use core::hint::cold_path;

use crate::action::ONE_BUFFER;
use crate::bytes::{Bytes, part};
use crate::conduit::{self, Resolved};
use crate::decide::Next;
use crate::digest;
use crate::environment::{Environment, Trust};
use crate::flow::{Flow, before};
use crate::found::{Words, words};
use crate::head::{Head, TRANSPORT};
use crate::link::ethertype;
use crate::network::{LONGEST_PACKET, mapped, protocol};
use crate::options::TIMESTAMP;
use crate::policy::{Image, Terms, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::stream::in_turn;
use crate::transport::{Segment, flag};
use crate::verdict::Mode;

/// Flags that say what a segment is; the others are for the sender's convenience.
const MEANINGFUL: u8 = flag::FIN | flag::SYN | flag::RST | flag::ACK | flag::URG;
/// Data offsets, RFC 9293 3.1: five words and eight, with all reserved bits clear.
const WITHOUT_OPTIONS: u8 = 0x50;
const WITH_TIMESTAMP: u8 = 0x80;

/// What becomes of an ordinary frame.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is forwarded, counted, and its stream has gone on. Of the record only the outcome is written.
    Passed,
    /// The record is filled in, and this stage is next.
    Next(Next),
}

/// The segment that a conversation waits for.
#[derive(Clone, Copy)]
struct Following {
    segment: Segment,
    /// Slot of the conversation.
    slot: u32,
    resolved: Resolved,
    terms: Terms,
}

impl Following {
    /// Takes back from the record what was written there: the verifier need not follow each way up to here through what is
    /// behind it.
    #[inline(always)]
    const fn read_back(&mut self, scratch: &Scratch) {
        (self.segment.payload, self.segment.end) = (scratch.frame.payload, scratch.frame.payload_end);
        self.slot = scratch.path.slot;
    }
}

/// Takes a frame of `length` bytes through all stages up to the stream, behind [`crate::decide::begin`], if it is ordinary; and
/// past the others where nothing is left to be asked of it. `None`: the stages are next, one by one, and what is in `scratch`
/// counts no more than before.
#[inline(always)]
pub fn follow<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Option<Course> {
    let head = Head::of(bytes)?;
    let mut next = recognise(bytes, &head, side, policy, environment)?;
    let Following { resolved, terms, .. } = next;
    (scratch.frame.payload, scratch.frame.payload_end) = (next.segment.payload, next.segment.end);
    scratch.path.slot = next.slot;
    let scratch = digest::segment(bytes, &head, &next.segment, side, environment, scratch)?.anew();
    next.read_back(scratch);
    let mode = environment.mode(scratch.now, policy.header.bank, resolved.conduit, terms.mode());
    scratch.path.mode = mode as u8;
    scratch.ordinary = Scratch::ORDINARY;
    let crosses = head.u8(0)? & 1 == 0 && length <= ONE_BUFFER;
    let unread = mode as u8 == Mode::Enforce as u8 && scratch.looked_on == 0;
    if crosses && unread && pass::pass(bytes, &head, side, policy, environment, scratch, &next)? {
        scratch.ordinary = Scratch::PASSED;
        return Some(Course::Passed);
    }
    let scratch = scratch.anew();
    let mode = scratch.path.mode;
    next.read_back(scratch);
    fill(&head, length, side, scratch, next.segment)?;
    scratch.path = Path { slot: next.slot, ..Path::EMPTY };
    resolved.put(side, &mut scratch.path);
    conduit::agree_in(mode, policy, environment, scratch, terms);
    let limits = environment.limits();
    let now = scratch.now;
    let flow: &mut Flow = environment.flow(next.slot)?;
    match in_turn::take(&limits, flow, scratch, side, now) {
        Ok(()) => Some(Course::Next(Next::Protocol)),
        Err(reason) => {
            scratch.outcome = reason as u8;
            Some(Course::Next(Next::Judge))
        }
    }
}

/// The conversation of an ordinary frame, which is next in it.
#[inline(always)]
fn recognise<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    side: Side,
    policy: &Image,
    environment: &mut E,
) -> Option<Following> {
    let (payload, end) = bounds(bytes, head)?;
    let generation = policy.header.generation;
    let key = words(side, head.read(26)?, head.read(30)?, head.read(TRANSPORT)?);
    let found = *environment.found(&key)?;
    if !found.is_of(&key) || !found.ends(side).are(&macs(head)?, generation) {
        return None;
    }
    if environment.is_management(head.read(0)?) {
        return None;
    }
    let limits = environment.limits();
    let segment = Segment {
        payload,
        end,
        sequence: head.u32(const { TRANSPORT + 4 })?,
        acknowledgement: head.u32(const { TRANSPORT + 8 })?,
        window: head.u16(const { TRANSPORT + 14 })?,
    };
    let flow: &mut Flow = environment.flow(found.slot)?;
    let other = (flow.life ^ found.life) | (flow.generation ^ generation) | flow.vlans;
    let read = flow.conduit != UNCOVERED && flow.protocol >= Protocol::FIRST_INSPECTED;
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    if other != 0 || !read || recorded || !in_turn::is_next(&limits, flow, side, &segment) {
        return None;
    }
    let resolved = Resolved { conduit: flow.conduit, protocol: flow.protocol, client: Side::from_code(flow.client) };
    Some(Following { segment, slot: found.slot, resolved, terms: flow.terms })
}

/// Fills in what the headers say.
#[inline(always)]
fn fill<B: Bytes + ?Sized>(
    head: &Head<'_, B>,
    length: u32,
    side: Side,
    scratch: &mut Scratch,
    segment: Segment,
) -> Option<()> {
    let [_, flags] = head.read::<2>(const { TRANSPORT + 12 })?;
    scratch.frame = Frame {
        source: mapped(head.read(26)?),
        destination: mapped(head.read(30)?),
        network: 14,
        transport: TRANSPORT,
        payload: segment.payload,
        payload_end: segment.end,
        length,
        sequence: segment.sequence,
        acknowledgement: segment.acknowledgement,
        window: segment.window,
        source_port: head.u16(TRANSPORT)?,
        destination_port: head.u16(const { TRANSPORT + 2 })?,
        ethertype: ethertype::IPV4,
        source_mac: head.read(6)?,
        destination_mac: head.read(0)?,
        version: 4,
        transport_protocol: protocol::TCP,
        tcp_flags: flags,
        side: side as u8,
        ..Frame::EMPTY
    };
    scratch.stream = Stream { hash: scratch.stream.hash, ..Stream::default() };
    Some(())
}

/// Writes down what the frame at hand, which came through all stages up to the stream, had in front of its IP header: the next
/// one like it may be ordinary.
#[inline(always)]
pub fn admit<E: Environment>(environment: &mut E, scratch: &Scratch, side: Side) {
    let Scratch { frame, path, .. } = scratch;
    if frame.suspect | frame.tags | (frame.version ^ 4) != 0 || path.conduit == UNCOVERED {
        return;
    }
    let ([s0, s1], [d0, d1]) = (frame.source_port.to_be_bytes(), frame.destination_port.to_be_bytes());
    let key = words(side, part(&frame.source, 12), part(&frame.destination, 12), [s0, s1, d0, d1]);
    if let Some(found) = environment.found(&key)
        && found.is_of(&key)
        && found.slot == path.slot
    {
        found.admit(side, frame, path.generation);
    }
}

/// Where the payload of an ordinary frame lies, and ends. `None`: it is none.
#[inline(always)]
fn bounds<B: Bytes + ?Sized>(bytes: &B, head: &Head<'_, B>) -> Option<(u32, u32)> {
    let total = head.u16(16)? as u32;
    let fragment = head.u16(20)? & 0x3fff;
    let other = head.u8(23)? ^ protocol::TCP;
    let [offset, flags] = head.read::<2>(const { TRANSPORT + 12 })?;
    let urgent = head.u16(const { TRANSPORT + 18 })?;
    let odd = fragment | other as u16 | ((flags & MEANINGFUL) ^ flag::ACK) as u16 | urgent;
    if odd != 0 {
        return None;
    }
    let options = if offset == WITHOUT_OPTIONS {
        0
    } else {
        // In this order the verifier follows one way for both.
        cold_path();
        if offset != WITH_TIMESTAMP || bytes.read::<4>(const { TRANSPORT + 20 })? != TIMESTAMP {
            return None;
        }
        12
    };
    let (payload, end) = (const { TRANSPORT + 20 }.wrapping_add(options), total.wrapping_add(14));
    let out = before(end, payload) | before(bytes.length(), end) | before(LONGEST_PACKET, total);
    if out != 0 { None } else { Some((payload, end)) }
}

/// Two Ethernet addresses in words, as [`crate::found::Ends`] has them.
#[inline(always)]
fn macs<B: Bytes + ?Sized>(head: &Head<'_, B>) -> Option<Words> {
    let word = |at| Some(u32::from_le_bytes(head.read::<4>(at)?));
    Some([word(0)?, word(4)?, word(8)?])
}
