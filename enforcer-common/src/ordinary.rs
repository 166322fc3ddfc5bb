//! The next segment of a conversation that takes its ordinary course, as nearly all are: a frame like those before it in its
//! direction, in its place in the stream, with nothing under way in either direction. What the stages from the link to the
//! stream would ask one by one is asked here at once, of what they wrote down when they admitted its like.
//!
//! Nothing is decided here: record, flow and what comes next are exactly what those stages leave, but for the mark in
//! [`Scratch::ordinary`]; and whatever is out of the ordinary in any way goes through them. A segment is ordinary when
//!
//! - it lies in Ethernet without tags, IPv4 without options or fragments, TCP without options or with a timestamp alone, with
//!   ACK and nothing else that has a meaning, whole and of a length that a cable carries;
//! - its conversation was found by this CPU before, and its addresses on both layers were admitted under this policy;
//! - a conduit covers it and its protocol is read;
//! - its checksums are right;
//! - it begins where its direction has come to, with no unit in pieces, nothing ahead, no handshake, end or reset in the
//!   air, nothing unproved, and room to remember it.
//!
//! Enters: the frame. Leaves: what [`crate::stream`] does; or nothing.

use core::hint::cold_path;

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
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::stream::in_turn;
use crate::transport::flag;

/// Flags that say what a segment is; the others are for the sender's convenience.
const MEANINGFUL: u8 = flag::FIN | flag::SYN | flag::RST | flag::ACK | flag::URG;
/// Data offsets, RFC 9293 3.1: five words and eight, with all reserved bits clear.
const WITHOUT_OPTIONS: u8 = 0x50;
const WITH_TIMESTAMP: u8 = 0x80;

/// The lengths and offsets of an ordinary frame.
#[derive(Clone, Copy)]
struct Bounds {
    payload: u32,
    end: u32,
}

/// Takes a frame of `length` bytes through all stages up to the stream, behind [`crate::decide::begin`], if it is ordinary.
/// `None`: the stages are next, one by one, and what is in `scratch` counts no more than before.
#[inline(always)]
pub fn follow<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Option<Next> {
    let head = Head::of(bytes)?;
    headers(bytes, &head, length, side, policy, environment, scratch)?;
    // All that is needed behind the sums is written down: they need every register.
    let scratch = scratch.anew();
    digest::take(bytes, &head, side, environment, scratch);
    goes_on(side, environment, scratch.anew())
}

#[inline(always)]
fn headers<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &Head<'_, B>,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Option<()> {
    let Bounds { payload, end } = bounds(bytes, head)?;
    let (source, destination): ([u8; 4], [u8; 4]) = (head.read(26)?, head.read(30)?);
    let generation = policy.header.generation;
    let key = words(side, source, destination, head.read(TRANSPORT)?);
    let found = *environment.found(&key)?;
    if !found.is_of(&key) || !found.ends(side).are(&macs(head)?, generation) {
        return None;
    }
    if environment.is_management(head.read(0)?) {
        return None;
    }
    let limits = environment.limits();
    let [sequence, acknowledgement] = [head.u32(const { TRANSPORT + 4 })?, head.u32(const { TRANSPORT + 8 })?];
    let flow: &mut Flow = environment.flow(found.slot)?;
    let other = (flow.life ^ found.life) | (flow.generation ^ generation) | flow.vlans;
    let read = flow.conduit != UNCOVERED && flow.protocol >= Protocol::FIRST_INSPECTED;
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    let numbers = [sequence, acknowledgement];
    if other != 0 || !read || recorded || !in_turn::is_next(&limits, flow, side, numbers, end.wrapping_sub(payload)) {
        return None;
    }
    let resolved = Resolved { conduit: flow.conduit, protocol: flow.protocol, client: Side::from_code(flow.client) };
    let terms = flow.terms;
    let [_, flags, w0, w1] = head.read::<4>(const { TRANSPORT + 12 })?;
    scratch.frame = Frame {
        source: mapped(source),
        destination: mapped(destination),
        network: 14,
        transport: TRANSPORT,
        payload,
        payload_end: end,
        length,
        sequence,
        acknowledgement,
        window: u16::from_be_bytes([w0, w1]),
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
    scratch.stream = Stream::default();
    scratch.path = Path { slot: found.slot, ..Path::EMPTY };
    resolved.put(side, &mut scratch.path);
    conduit::agree(policy, environment, scratch, terms);
    Some(())
}

/// Behind the sums: marks its bytes, if it has some, and notes what it says. A frame whose sums are wrong was not ordinary.
#[inline(always)]
fn goes_on<E: Environment>(side: Side, environment: &mut E, scratch: &mut Scratch) -> Option<Next> {
    let limits = environment.limits();
    if limits.checksums && scratch.frame.wrong_checksum != 0 {
        return None;
    }
    let now = scratch.now;
    let flow: &mut Flow = environment.flow(scratch.path.slot)?;
    scratch.ordinary = 1;
    match in_turn::take(&limits, flow, scratch, side, now) {
        Ok(()) => Some(Next::Protocol),
        Err(reason) => {
            scratch.outcome = reason as u8;
            Some(Next::Judge)
        }
    }
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

/// Where the payload of an ordinary frame lies. `None`: it is none.
#[inline(always)]
fn bounds<B: Bytes + ?Sized>(bytes: &B, head: &Head<'_, B>) -> Option<Bounds> {
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
    let bounds = Bounds { payload: const { TRANSPORT + 20 }.wrapping_add(options), end: total.wrapping_add(14) };
    let out = before(bounds.end, bounds.payload) | before(bytes.length(), bounds.end) | before(LONGEST_PACKET, total);
    if out != 0 { None } else { Some(bounds) }
}

/// Two Ethernet addresses in words, as [`crate::found::Ends`] has them.
#[inline(always)]
fn macs<B: Bytes + ?Sized>(head: &Head<'_, B>) -> Option<Words> {
    let word = |at| Some(u32::from_le_bytes(head.read::<4>(at)?));
    Some([word(0)?, word(4)?, word(8)?])
}
