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

use crate::action::{Action, ONE_BUFFER};
use crate::bytes::{Bytes, part};
use crate::conduit::{self, Resolved};
use crate::decide::{Next, clear};
use crate::digest;
use crate::environment::{Environment, Trust};
use crate::flow::Flow;
use crate::found::{self, Look, place_of, words};
use crate::head::{Head, TRANSPORT};
use crate::link::ethertype;
use crate::network::{mapped, protocol};
use crate::policy::{Image, Terms, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::stream::in_turn;
use crate::transport::{Segment, flag};
use crate::verdict::Mode;

/// Of the eight bytes behind the type of service those that count, the first one lowest, and what must stand there: no
/// fragment, whatever may be done to it, and TCP. RFC 791 3.1.
const IP_COUNTS: u64 = u64::from_le_bytes([0, 0, 0, 0, 0x3f, 0xff, 0, 0xff]);
const IP: u64 = u64::from_le_bytes([0, 0, 0, 0, 0, 0, 0, protocol::TCP]);
/// The same of the eight bytes from the data offset on: ACK, and nothing urgent. RFC 9293 3.1.
const TCP_COUNTS: u64 = u64::from_le_bytes([0, MEANINGFUL, 0, 0, 0, 0, 0xff, 0xff]);
const TCP: u64 = u64::from_le_bytes([0, flag::ACK, 0, 0, 0, 0, 0, 0]);
/// Flags that say what a segment is; the others are for the sender's convenience.
const MEANINGFUL: u8 = flag::FIN | flag::SYN | flag::RST | flag::ACK | flag::URG;

/// What becomes of an ordinary frame.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is forwarded, counted, and its stream has gone on. Of the record only the outcome is written.
    Passed,
    /// The record is filled in, and this stage is next.
    Next(Next),
}

/// The policy that is in force.
#[derive(Clone, Copy, Debug)]
pub struct Judging {
    /// Its generation.
    pub generation: u32,
    /// The bank that it counts in.
    pub bank: u8,
}

impl Judging {
    /// By its image.
    #[must_use]
    #[inline(always)]
    pub const fn by(policy: &Image) -> Self {
        Self { generation: policy.header.generation, bank: policy.header.bank }
    }
}

/// Takes a frame through all stages up to the stream, behind [`crate::decide::begin`], if it is ordinary; and past the others
/// where nothing is left to be asked of it. `length` is the whole frame's, of which `bytes` may hold only the first part;
/// `judging` names the `policy` in force, which is looked at only where the frame is read. `None`: the stages are next, one by one,
/// and what is in `scratch` counts no more than before.
#[inline(always)]
pub fn follow<'p, B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: impl Fn() -> u32,
    side: Side,
    judging: Judging,
    policy: impl Fn() -> Option<&'p Image>,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Option<Course> {
    let head = Head::in_front_of(bytes)?;
    let (slot, life) = seen(&head, side, judging.generation, environment)?;
    let scratch = digest::segment(bytes, &head, side, environment, scratch)?;
    let terms = next(&head, side, judging.generation, (slot, life), environment, scratch)?;
    let unread = environment.is_plain() && terms.enforces()
        || scratch.looked_on == 0 && mode(judging, environment, scratch, slot)? as u8 == Mode::Enforce as u8;
    let crosses = !environment.goes_across() || head.u8(0)? & 1 == 0 && length() <= ONE_BUFFER;
    if unread && crosses && pass::pass(bytes, &head, side, judging, environment, scratch, slot)? {
        scratch.ordinary = Scratch::PASSED;
        (scratch.count, scratch.action, scratch.report, scratch.asked) = (0, Action::Forward as u8, 0, 0);
        return Some(Course::Passed);
    }
    let scratch = scratch.anew();
    let policy = policy()?;
    if policy.header.generation != judging.generation {
        return None;
    }
    clear(scratch);
    scratch.ordinary = Scratch::ORDINARY;
    let segment = Segment::of(&head, scratch)?;
    fill(&head, length(), side, scratch, segment)?;
    scratch.path = Path { slot, ..Path::EMPTY };
    scratch.path.mode = mode(judging, environment, scratch, slot)? as u8;
    let scratch = scratch.anew();
    let flow: &mut Flow = environment.same_flow(slot)?;
    let resolved = Resolved { conduit: flow.conduit, protocol: flow.protocol, client: Side::from_code(flow.client) };
    let terms = flow.terms;
    resolved.put(side, &mut scratch.path);
    conduit::agree_in(scratch.path.mode, policy, environment, scratch, terms);
    let limits = environment.limits();
    let now = scratch.now;
    let flow: &mut Flow = environment.same_flow(slot)?;
    match in_turn::take(&limits, flow, scratch, side, now) {
        Ok(()) => Some(Course::Next(Next::Protocol)),
        Err(reason) => {
            scratch.outcome = reason as u8;
            Some(Course::Next(Next::Judge))
        }
    }
}

/// The mode of the conduit of the conversation in this slot.
#[inline(always)]
fn mode<E: Environment>(judging: Judging, environment: &mut E, scratch: &Scratch, slot: u32) -> Option<Mode> {
    let flow: &mut Flow = environment.same_flow(slot)?;
    let (conduit, asked) = (flow.conduit, flow.terms.mode());
    Some(environment.mode(scratch.now, judging.bank, conduit, asked))
}

/// The slot and the life of the conversation of a frame that looks like those that were admitted in its direction.
#[inline(always)]
fn seen<B: Bytes + ?Sized, E: Environment>(
    head: &Head<'_, B>,
    side: Side,
    generation: u32,
    environment: &mut E,
) -> Option<(u32, u32)> {
    if generation == 0 || environment.is_management(head.read(0)?) {
        return None;
    }
    let word = |at| Some(u64::from_le_bytes(head.read::<8>(at)?));
    let found = environment.found(found::place(word(26)?, u32::from_le_bytes(head.read(TRANSPORT)?)))?;
    // Read once more: what is held while something is searched for is held on the stack.
    let ports = u32::from_le_bytes(head.read(TRANSPORT)?);
    let look = Look::of([word(0)?, word(8)?], word(26)?, ports, generation);
    let (ip, tcp) = (word(16)?, word(const { TRANSPORT + 12 })?);
    let odd = found.look(side).differ(&look) | (ip ^ IP) & IP_COUNTS | (tcp ^ TCP) & TCP_COUNTS;
    if odd != 0 { None } else { Some((found.slot, found.life)) }
}

/// What the conduit says of the conversation with this life in this slot, if the segment at hand is the next one in it.
#[inline(always)]
fn next<B: Bytes + ?Sized, E: Environment>(
    head: &Head<'_, B>,
    side: Side,
    generation: u32,
    (slot, life): (u32, u32),
    environment: &mut E,
    scratch: &Scratch,
) -> Option<Terms> {
    let limits = environment.limits();
    let flow: &mut Flow = environment.flow(slot)?;
    let segment = Segment::of(head, scratch)?;
    let other = (flow.life ^ life) | (flow.generation ^ generation) | flow.vlans;
    let read = flow.conduit != UNCOVERED && flow.protocol >= Protocol::FIRST_INSPECTED;
    let recorded = limits.trust as u8 == Trust::Whole as u8;
    if other != 0 || !read || recorded || !in_turn::is_next(&limits, flow, side, &segment) {
        return None;
    }
    Some(flow.terms)
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

/// Writes down what the frame at hand looks like, which came through all stages up to the stream: the next one like it may be
/// ordinary.
#[inline(always)]
pub fn admit<E: Environment>(environment: &mut E, scratch: &Scratch, side: Side) {
    let Scratch { frame, path, .. } = scratch;
    if frame.suspect | frame.tags | (frame.version ^ 4) != 0 || path.conduit == UNCOVERED {
        return;
    }
    let ([s0, s1], [d0, d1]) = (frame.source_port.to_be_bytes(), frame.destination_port.to_be_bytes());
    let key = words(side, part(&frame.source, 12), part(&frame.destination, 12), [s0, s1, d0, d1]);
    if let Some(found) = environment.found(place_of(&key))
        && found.is_of(&key)
        && found.slot == path.slot
    {
        found.admit(side, frame, path.generation);
    }
}
