//! What the stages tell each other about one frame. In the kernel it lies in a per-CPU map, because tail calls carry
//! nothing else and the BPF stack is 512 bytes; on the host it is an ordinary value.
//!
//! Plain old data: codes instead of enums, because a map may hold any bytes.

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::digest::Digest;
use crate::operation::Operation;
use crate::policy::{CANDIDATES_PER_SEGMENT, Run, UNCOVERED};
use crate::table::Claim;
use crate::verdict::Reason;

/// Room for operations, a power of two.
pub const OPERATIONS: usize = 64;

/// Most operations of one frame whose values are read in a later pass; further ones stay without value, and no rule with
/// values covers them. A power of two.
pub const LATER: usize = 4;

/// Most operations that one frame can yield; more is `beyond_inspection`.
pub const MOST: u32 = 40;

/// Headers of the frame. Written by the link, network and transport stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// IPv6 address, or an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`).
    pub source: [u8; 16],
    /// See `source`.
    pub destination: [u8; 16],
    /// Offset of the bytes behind the Ethernet header and its tags.
    pub network: u32,
    /// Offset of the TCP, UDP or ICMP header.
    pub transport: u32,
    /// Offset of the transport's payload.
    pub payload: u32,
    /// Offset behind the transport's payload, from the IP length: Ethernet padding is not payload.
    pub payload_end: u32,
    /// Bytes in the frame.
    pub length: u32,
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgement number.
    pub acknowledgement: u32,
    /// TCP window as on the wire.
    pub window: u16,
    /// TCP or UDP port, 0 for other transports.
    pub source_port: u16,
    /// See `source_port`.
    pub destination_port: u16,
    /// Innermost ethertype; below 0x600 the DSAP of an 802.3 frame.
    pub ethertype: u16,
    /// VLAN tags, outermost first, as on the wire (priority, DEI, VLAN id).
    pub vlan: [u16; 2],
    /// Ethernet source address.
    pub source_mac: [u8; 6],
    /// Ethernet destination address.
    pub destination_mac: [u8; 6],
    /// VLAN tags in the frame, 0 to 2.
    pub tags: u8,
    /// IP version, 4 or 6; 0 when the frame is not IP.
    pub version: u8,
    /// IP protocol number of the transport.
    pub transport_protocol: u8,
    /// TCP flags.
    pub tcp_flags: u8,
    /// [`crate::port::Side`] code of the ingress port.
    pub side: u8,
    /// Which checksums are wrong: the bits below.
    pub wrong_checksum: u8,
    /// Non-zero: something about addresses, length or TCP header is out of the ordinary, see [`crate::admission`].
    pub suspect: u8,
    /// Types of the tags, see [`crate::link::tag_type`].
    pub tag_types: u8,
}

impl Frame {
    /// The checksum of the IPv4 header.
    pub const WRONG_NETWORK: u8 = 1;
    /// The checksum of the transport.
    pub const WRONG_TRANSPORT: u8 = 2;

    /// Nothing known.
    pub const EMPTY: Self = Self {
        source: [0; 16],
        destination: [0; 16],
        network: 0,
        transport: 0,
        payload: 0,
        payload_end: 0,
        length: 0,
        sequence: 0,
        acknowledgement: 0,
        window: 0,
        source_port: 0,
        destination_port: 0,
        ethertype: 0,
        vlan: [0; 2],
        source_mac: [0; 6],
        destination_mac: [0; 6],
        tags: 0,
        version: 0,
        transport_protocol: 0,
        tcp_flags: 0,
        side: 0,
        wrong_checksum: 0,
        suspect: 0,
        tag_types: 0,
    };
}

/// Where the frame goes: written by the conduit stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Path {
    /// Slot of the conversation's flow, or [`crate::flow::NO_FLOW`].
    pub slot: u32,
    /// Generation of the policy that judges this frame.
    pub generation: u32,
    /// Conduit id; [`crate::policy::UNCOVERED`] when no conduit covers the frame.
    pub conduit: u16,
    /// [`crate::protocol::Protocol`] code to inspect the payload with; 0 is none.
    pub protocol: u8,
    /// [`crate::operation::Role`] code of the sender.
    pub role: u8,
    /// [`crate::verdict::Mode`] code: the conduit's mode, capped by the box's.
    pub mode: u8,
    /// Counter bank of the generation.
    pub bank: u8,
    /// [`crate::action::OnDeny`] code that applies to this frame.
    pub on_deny: u8,
    /// Non-zero: segments must begin and end where protocol data units do.
    pub whole: u8,
    /// [`crate::verdict::Reason`] code of what the policy says of operations that no conduit covers; in frames without IP
    /// that is what it says of the ethertype.
    pub uncovered: u8,
    /// Whether a grant names the conversation's two ends, for one that no conduit covers: see [`crate::grant`].
    pub granted: u8,
    /// Non-zero: a segment out of its place is kept from its receiver.
    pub holds: u8,
    /// Always 0.
    pub padding: [u8; 5],
    /// Zones of source and destination, while the conduit is looked up.
    pub zones: [u16; 2],
    /// Conduits found for either direction, while the conduit is looked up.
    pub found: [u16; 2],
    /// Next sequence number that the frame's receiver expects, where a flow is known.
    pub expected: u32,
    /// First and last object whose written values matter, of whatever kind; the first is above the last where none do.
    pub valued: [u32; 2],
}

impl Path {
    /// Nothing known.
    pub const EMPTY: Self = Self {
        slot: u32::MAX,
        generation: 0,
        conduit: 0,
        protocol: 0,
        role: 0,
        mode: 0,
        bank: 0,
        on_deny: 0,
        whole: 0,
        uncovered: 0,
        granted: 0,
        holds: 0,
        padding: [0; 5],
        zones: [0; 2],
        found: [0; 2],
        expected: 0,
        valued: [u32::MAX, 0],
    };

    /// True where a conduit says what is spoken.
    #[must_use]
    #[inline(always)]
    pub const fn is_covered(&self) -> bool {
        self.conduit != UNCOVERED
    }
}

/// Which bytes to parse, and what to commit when the frame is forwarded: written by the stream and protocol stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stream {
    /// Keyed hash of the segment's new bytes.
    pub hash: u64,
    /// First byte to parse, in the frame or, when `assembled`, in carry + payload.
    pub start: u32,
    /// Behind the last byte to parse.
    pub end: u32,
    /// Next sequence number after this segment.
    pub next: u32,
    /// Where the bytes begin that the next segment continues.
    pub save_start: u32,
    /// How many they are.
    pub save_length: u32,
    /// Bytes of the stream that belong to a unit already decided.
    pub skip: u32,
    /// Sequence number of the segment's first new byte, and how many new ones it has.
    pub fresh: u32,
    /// See `fresh`.
    pub fresh_length: u32,
    /// What the dissector has to know of the units before these, and what it leaves for those behind them. See
    /// [`crate::flow::Direction::context`].
    pub context: u32,
    /// What the dissector left in the other direction, to read: what a request asked for, where an answer does not repeat it.
    pub peer_context: u32,
    /// First sequence number still to be compared with what was forwarded, and the one behind the last.
    pub compare: u32,
    /// See `compare`.
    pub compare_end: u32,
    /// Non-zero: parse carry + payload instead of the frame.
    pub assembled: u8,
    /// [`Commit`] code: what changes when the frame is forwarded.
    pub commit: u8,
    /// Non-zero: the bytes must begin and end where units do.
    pub whole: u8,
    /// Non-zero: no exchange has proved where units begin; only what reads may pass.
    pub unproved: u8,
    /// Non-zero: enforce would not have seen these bytes here; what is said of them is what it would say if they came again.
    pub uncertain: u8,
    /// Non-zero: the segment repeats bytes that were forwarded before.
    pub retransmission: u8,
    /// Non-zero: one repetition too many that could not be verified; the conversation is reset.
    pub strike: u8,
    /// Non-zero: bytes were not what the protocol's framing allows.
    pub faulty: u8,
    /// Units of the protocol read so far.
    pub units: u8,
    /// Records whose values are read in a later pass, and how many they are.
    pub later: [u8; LATER],
    /// See `later`.
    pub later_count: u8,
    /// Non-zero: the direction was taken up in the middle, so that its dissector has not seen how it began.
    pub midstream: u8,
    /// Always 0.
    pub padding: [u8; 1],
}

/// What forwarding a frame changes in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Commit {
    /// Nothing.
    Nothing = 0,
    /// The direction advances to `stream.next`.
    Advance = 1,
    /// A stretch ahead of the stream is noted.
    Ahead = 2,
    /// Bytes of an unknown conversation are noted.
    Midstream = 3,
}

/// What the judge carries from one object range to the next, and from one candidate to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Judging {
    /// Rules that cover every range of the unit so far; [`crate::operation::NO_RULE`] where there is none.
    pub survivors: [u16; CANDIDATES_PER_SEGMENT as usize],
    /// What the rules say about the range at hand.
    pub range: Finding,
    /// What they say about the unit so far.
    pub unit: Finding,
    /// Record that `unit` is about.
    pub index: u32,
    /// Non-zero: no range of the unit came before.
    pub first: u8,
    /// Non-zero: another range of the unit follows.
    pub continued: u8,
    /// [`Reason`] code of what the active policy said of the unit, while the candidate is asked.
    pub was: u8,
    /// Record whose value was held against the last one, counted from 1; 0: none was.
    pub stepped: u8,
    /// Operations compared with the candidate.
    pub compared: u32,
    /// How often the search was called again, while the candidate is asked.
    pub calls: u8,
    /// Non-zero: the candidate says something else about one of them.
    pub differs: u8,
    /// Record that holds `was`.
    pub held: u8,
    /// Always 0.
    pub padding: u8,
    /// Record to judge next.
    pub next: u32,
    /// Unit segment that holds the range at hand.
    pub segment: u32,
    /// Candidates for the range at hand.
    pub candidates: Run,
    /// Smallest value of which the same is found as of the range at hand, see [`Finding::VALUED`].
    pub value_min: i64,
    /// Largest one.
    pub value_max: i64,
    /// What was found about the frame's first units.
    pub found: [Finding; UNITS],
    /// Units that were judged.
    pub units: u32,
    /// Always 0.
    pub padding2: u32,
}

/// Units of one frame whose findings are kept, a power of two.
pub const UNITS: usize = 4;

/// What the rules say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Finding {
    /// Function node that was used, for its counters; `u32::MAX` when no rule names the function.
    pub node: u32,
    /// Rule that decided, or [`crate::operation::NO_RULE`].
    pub rule: u16,
    /// [`crate::verdict::Reason`] code; 0 before anything is found.
    pub reason: u8,
    /// In what is remembered: the bits below.
    pub bits: u8,
}

impl Finding {
    /// The rule has a rate.
    pub const RATED: u8 = 1;
    /// Of this function and unit the same is found whatever the object and the values.
    pub const GENERAL: u8 = 2;
    /// The same is found for all values between two bounds, and for no operation without values.
    pub const VALUED: u8 = 4;
}

/// Where a stage is that walks a list: of options, of a protocol's objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Walking {
    /// Offset of the next option.
    pub at: u32,
    /// Offset behind the last one.
    pub end: u32,
    /// What was seen, a bit for each kind that may stand there once.
    pub seen: u32,
    /// What a step found, to be read back by the next one.
    pub found: u32,
}

/// Where a dissector is that reads units inside a unit, and what it keeps of the ones around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Nesting {
    /// Bytes of the part at hand, the first one lowest. The last word is always 0.
    pub window: [u64; 5],
    /// What is under way, in the dissector's own way; 0 before the first unit and between units.
    pub state: u32,
    /// Steps that were taken.
    pub steps: u32,
    /// First byte of the part that is read next.
    pub at: u32,
    /// Behind its last byte, as the lengths around it say.
    pub end: u32,
    /// First byte of a list of parts.
    pub list: u32,
    /// Behind its last byte.
    pub list_end: u32,
    /// Parts in the list.
    pub count: u32,
    /// Which of them comes next.
    pub index: u32,
    /// Unit of the operations inside.
    pub unit: u32,
    /// Transaction of the operations inside.
    pub transaction: u32,
    /// Behind the last byte of a path, while it is read.
    pub path_end: u32,
    /// What the path has named so far.
    pub seen: u32,
    /// Number that stands for a name, while it is read.
    pub name: u32,
    /// The same of the name that is at hand.
    pub number: u32,
    /// Characters of it that are left.
    pub left: u32,
    /// What the name that is at hand is for, in the dissector's own way.
    pub purpose: u32,
    /// Size of the part at hand.
    pub size: u32,
    /// Where the bytes in `window` are taken from.
    pub from: u32,
    /// Behind the last byte that may be taken.
    pub until: u32,
}

/// Bits of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bits {
    /// Which of eight bytes they are, the first one lowest.
    pub bits: u64,
    /// Offset of the first byte.
    pub at: u32,
    /// Always 0.
    pub padding: u32,
}

impl Bits {
    /// None.
    pub const NONE: Self = Self { bits: 0, at: 0, padding: 0 };
}

/// What the memory of whole requests is asked for, see [`crate::known`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Wanted {
    /// Place of the request's entry, counted from 1; 0: it is none that is kept.
    pub place: u32,
    /// How often it was seen without being written down.
    pub pending: u32,
    /// What its dissector knew of the units before.
    pub context: u32,
    /// Always 0.
    pub padding: u32,
    /// Bits in which it is another one than the one that is kept.
    pub other: u64,
    /// On these no decision hangs.
    pub left_out: [Bits; 3],
}

impl Wanted {
    /// Nothing.
    pub const EMPTY: Self = Self { place: 0, pending: 0, context: 0, padding: 0, other: 0, left_out: [Bits::NONE; 3] };

    /// Of another request, about which nothing is said yet: bits at the frame's first byte are none of its payload.
    #[inline(always)]
    pub const fn begin(&mut self, place: u32, context: u32) {
        self.place = place;
        self.pending = 0;
        self.context = context;
        let [one, two, three] = &mut self.left_out;
        (one.at, two.at, three.at) = (0, 0, 0);
    }
}

/// What a frame's operations say of the device's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Said {
    /// Requests toward the device, or answers from it.
    pub units: u32,
    /// Of the answers exceptions of the protocol.
    pub exceptions: u32,
}

/// All that is known about one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Scratch {
    /// Headers.
    pub frame: Frame,
    /// Conduit.
    pub path: Path,
    /// Stream.
    pub stream: Stream,
    /// Checksum and hash.
    pub digest: Digest,
    /// The search for a slot of the flow table.
    pub claim: Claim,
    /// Operations found, in the order of the bytes.
    pub operations: [Operation; OPERATIONS],
    /// The judge's.
    pub judging: Judging,
    /// The memory's.
    pub wanted: Wanted,
    /// How many operations count.
    pub count: u32,
    /// [`crate::verdict::Reason`] code of the whole frame when it holds no operation; after judging, the reason that
    /// decided about the frame.
    pub outcome: u8,
    /// [`crate::action::Action`] code, after judging.
    pub action: u8,
    /// Non-zero, after judging: there is something to report.
    pub report: u8,
    /// Non-zero, after judging: the policy was asked about an operation, or about the frame.
    pub asked: u8,
    /// Non-zero: [`crate::settings::Settings::looks_on`].
    pub looked_on: u64,
    /// When the frame came: boot time in nanoseconds, coarse. All stages go by it.
    pub now: u64,
    /// The walk through a list, where a frame has one.
    pub walking: Walking,
    /// The walk through units inside a unit.
    pub nesting: Nesting,
    /// What [`crate::health`] has to count.
    pub said: Said,
    /// When the frame came, where it is measured: nanoseconds of the monotonic clock; else 0.
    pub begun: u64,
    /// Frames that pass unmeasured before the next one that is, see [`crate::processing`].
    pub unmeasured: u32,
    /// Non-zero: the frame was found to be [`crate::ordinary`], see [`Scratch::ORDINARY`].
    pub ordinary: u32,
}

impl Scratch {
    /// The frame was ordinary, and its record was filled in.
    pub const ORDINARY: u32 = 1;
    /// It was ordinary, and passed without a record.
    pub const PASSED: u32 = 2;

    /// A record to start from.
    #[must_use]
    pub fn new() -> Self {
        Self {
            frame: Frame::default(),
            path: Path::default(),
            stream: Stream::default(),
            digest: Digest::default(),
            claim: Claim::default(),
            operations: [Operation::EMPTY; OPERATIONS],
            judging: Judging::default(),
            wanted: Wanted::EMPTY,
            count: 0,
            outcome: 0,
            action: 0,
            report: 0,
            asked: 0,
            looked_on: 0,
            now: 0,
            walking: Walking::default(),
            nesting: Nesting::default(),
            said: Said::default(),
            begun: 0,
            unmeasured: 0,
            ordinary: 0,
        }
    }

    /// The same record, of which the compiler must now believe that anything may stand in it.
    ///
    /// The kernel's verifier follows every path with the values it left in registers: three VLAN layouts times two IP
    /// versions times every outcome of a search. Read back from memory, values are unknown to it and the paths join.
    #[must_use]
    #[inline(always)]
    pub fn anew(&mut self) -> &mut Self {
        black_box(self)
    }

    /// The same, but for bytes of which there is one layout: of them there is nothing to join.
    #[must_use]
    #[inline(always)]
    pub fn joined<H: Bytes + ?Sized>(&mut self) -> &mut Self {
        if H::PLAIN { self } else { self.anew() }
    }

    /// Says that no decision hangs on these bits of the eight bytes from `at` on, the first one lowest, nor what is kept for
    /// the units behind: the number of the transaction. It takes the place of what was said of the frame under the same `N`.
    #[inline(always)]
    pub fn leave_out<const N: usize>(&mut self, at: u32, bits: u64) {
        if let Some(place) = self.wanted.left_out.get_mut(N) {
            place.at = at;
            place.bits = bits;
        }
    }

    /// Adds a record that is lent to be filled in. `None` when there is no room: the caller
    /// reports `beyond_inspection`. In place, because the kernel's stack has no room for it.
    #[inline(always)]
    pub fn add(&mut self) -> Option<&mut Operation> {
        let index = self.count;
        if index >= MOST {
            return None;
        }
        self.count = index.wrapping_add(1);
        self.operations.get_mut(black_box(index) as usize & (OPERATIONS - 1))
    }

    /// Adds a record for bytes in which no function could be read. Where there is no room for it the last record bears
    /// the fault.
    #[inline(always)]
    pub fn fault(&mut self, reason: Reason) {
        let (protocol, role) = (self.path.protocol, self.path.role);
        match self.add() {
            Some(record) => {
                *record = Operation::EMPTY;
                record.protocol = protocol;
                record.role = role;
                record.fault = reason as u8;
            }
            None => {
                if let Some(last) = self.operation_mut(MOST.wrapping_sub(1)) {
                    last.fault = reason as u8;
                }
            }
        }
    }

    /// The operation at `index`.
    #[must_use]
    #[inline(always)]
    pub fn operation(&self, index: u32) -> Option<&Operation> {
        self.operations.get(index as usize & (OPERATIONS - 1))
    }

    /// The operation at `index`, to write the judge's findings into.
    #[inline(always)]
    pub fn operation_mut(&mut self, index: u32) -> Option<&mut Operation> {
        self.operations.get_mut(index as usize & (OPERATIONS - 1))
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(core::mem::size_of::<Frame>() == 92);
const _: () = assert!(core::mem::size_of::<Path>() == 44);
const _: () = assert!(core::mem::size_of::<Stream>() == 72);
