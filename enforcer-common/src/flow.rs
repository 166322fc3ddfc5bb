//! One TCP conversation: which conduit it belongs to and how far each direction has come.
//!
//! Two CPUs may hold the same flow, one per port. Each field is written by one port's program alone and read by the other:
//! a [`Direction`] by the port that its segments enter by, what was forwarded toward the device by the network port. The
//! few fields behind them are written by either, always with the value that the policy or the verdict gives.

use core::hint::black_box;

use crate::policy::Terms;
use crate::port::Side;
use crate::scratch::Frame;

/// No flow: the frame is not TCP, not covered, or there is no room.
pub const NO_FLOW: u32 = u32::MAX;

/// Bytes of an unfinished protocol data unit that the direction toward the device keeps. The longest unit whose decision
/// needs all of its bytes is a Modbus ADU of 260 (Modbus Messaging on TCP/IP 4.1).
pub const CARRY: usize = 264;
const CARRY_SIZE: u32 = 264;

/// The same for the direction from the device: the head of an answer says all that is reported of it.
pub const DEVICE_CARRY: usize = 32;
const DEVICE_CARRY_SIZE: u32 = 32;

/// Most bytes of one segment that are laid behind a carry: more than a frame of 1,500 bytes holds, and with the carry less
/// than the 2,048 that the kernel's buffer can be read by. Longer ones behind a carry are beyond inspection.
pub const BEHIND_CARRY: u32 = 1783;

/// Segments toward the device that are remembered, to be compared with what is sent again. A power of two.
pub const RING: usize = 16;

/// Stretches that lie ahead of the stream and were let through all the same, because nothing may be held back.
pub const AHEAD: usize = 4;

/// How many exchanges prove where the units of a conversation begin that was taken up in the middle.
pub const ECHOES: u8 = 3;

/// The two ends of a conversation, by side instead of by sender, so that both directions have one key. VLAN tags are no
/// part of it: whatever tag a segment wears, it is one stream for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct FlowKey {
    /// Address on the network side.
    pub network: [u8; 16],
    /// Address on the device side.
    pub device: [u8; 16],
    /// Port on the network side.
    pub network_port: u32,
    /// Port on the device side.
    pub device_port: u32,
}

impl FlowKey {
    /// No conversation.
    pub const EMPTY: Self = Self { network: [0; 16], device: [0; 16], network_port: 0, device_port: 0 };

    /// The key of the conversation that `frame` belongs to.
    #[must_use]
    #[inline(always)]
    pub const fn of(frame: &Frame) -> Self {
        Self::from(Side::from_code(frame.side), frame)
    }

    /// The same where the side that the frame came from is known.
    #[must_use]
    #[inline(always)]
    pub const fn from(side: Side, frame: &Frame) -> Self {
        match side {
            Side::Network => Self {
                network: frame.source,
                device: frame.destination,
                network_port: frame.source_port as u32,
                device_port: frame.destination_port as u32,
            },
            Side::Device => Self {
                network: frame.destination,
                device: frame.source,
                network_port: frame.destination_port as u32,
                device_port: frame.source_port as u32,
            },
        }
    }

    /// The key of all conversations of one station with one service of a device.
    #[must_use]
    #[inline(always)]
    pub const fn station(&self) -> Self {
        Self { network: self.network, device: self.device, network_port: 0, device_port: self.device_port }
    }
}

/// One direction of a conversation. Written by the port that its segments enter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Direction {
    /// Boot time of the last segment, nanoseconds.
    pub seen: u64,
    /// While the conversation is [`Self::ADOPTED`], what the last unit of this side asked for, see [`crate::stream::resync`];
    /// 0 for nothing. After that, see [`Self::asked_at`], from the network when the last request came, and from the device
    /// which request it answered last, by the same time.
    pub asked: u64,
    /// Next new sequence number; a FIN that was forwarded is counted.
    pub next: u32,
    /// Highest acknowledgement number that this side sent, of bytes that passed here.
    pub acknowledged: u32,
    /// With [`Self::UNSEEN`], an acknowledgement number of bytes that did not pass here.
    pub unseen: u32,
    /// First data sequence number of a SYN that the other side has not answered yet.
    pub pending: u32,
    /// Acknowledgement number of the last SYN-ACK this side sent.
    pub confirmed: u32,
    /// Bytes to come that belong to a unit already decided.
    pub skip: u32,
    /// Bytes kept of a unit that is not complete.
    pub carry_length: u32,
    /// Sequence number behind the unit that `asked` stands for.
    pub asked_end: u32,
    /// `asked_end` of the last exchange that was counted.
    pub heard: u32,
    /// The bits below.
    pub flags: u32,
    /// Boot time at which a unit was left incomplete, in units of 2^20 nanoseconds.
    pub carried_at: u32,
    /// Counts the attempts to find out where units begin.
    pub run: u16,
    /// Receive window that this side offered last, as on the wire.
    pub window: u16,
    /// Exchanges of the present run that were answered.
    pub echoes: u8,
    /// Segments that were sent again and could not be verified.
    pub strikes: u8,
    /// [`crate::verdict::Reason`] code of what ended the last run.
    pub hindrance: u8,
    /// Counts the handshakes that this side answered; in the direction of the side that asked, those it has followed.
    pub turn: u8,
    /// From the network, boot time of the last SYN or its answer, in units of 2^20 nanoseconds. From the device, first data
    /// sequence number of the last SYN-ACK it sent.
    pub handshake: u32,
    /// What the protocol's dissector has to know of the units before, in the dissector's own way; 0 at the beginning.
    pub context: u32,
    /// The candidate policy's conduit for segments of this direction, and the lower half of its generation above it.
    pub candidate: u32,
}

impl Direction {
    /// `next` is known.
    pub const SYNCHRONISED: u32 = 1;
    /// `pending` waits for the other side's SYN-ACK.
    pub const PENDING: u32 = 2;
    /// `confirmed` is set.
    pub const CONFIRMED: u32 = 4;
    /// This side sent FIN, and it was forwarded; or RST.
    pub const CLOSED: u32 = 8;
    /// `next` was taken from the middle of the stream, and no exchange has proved that units begin there.
    pub const ADOPTED: u32 = 16;
    /// This side sent RST.
    pub const RESET: u32 = 32;
    /// This side has sent more than its SYN: the handshake is complete.
    pub const SPOKEN: u32 = 64;
    /// `unseen` is set.
    pub const UNSEEN: u32 = 128;
    /// `next` was taken from the middle of the stream, whatever was proved since.
    pub const MIDSTREAM: u32 = 256;
    /// One SYN of this side has passed, the one that the conversation began with, and none since.
    pub const ASKED_ONCE: u32 = 512;

    /// Set in an `asked` that stands for a unit.
    pub const IDENTITY: u64 = 1 << 16;

    /// Nothing known.
    pub const EMPTY: Self = Self {
        seen: 0,
        asked: 0,
        next: 0,
        acknowledged: 0,
        unseen: 0,
        pending: 0,
        confirmed: 0,
        skip: 0,
        carry_length: 0,
        asked_end: 0,
        heard: 0,
        flags: 0,
        carried_at: 0,
        run: 0,
        window: 0,
        echoes: 0,
        strikes: 0,
        hindrance: 0,
        turn: 0,
        handshake: 0,
        context: 0,
        candidate: 0,
    };

    /// A boot time in nanoseconds as `asked` keeps it, in units of 2^10: with [`Self::IDENTITY`] clear it is never taken for
    /// what a unit asked for.
    #[must_use]
    #[inline(always)]
    pub const fn asked_at(now: u64) -> u64 {
        now >> 10 << 17
    }

    /// The boot time in `asked`; `None` where it holds none.
    #[must_use]
    #[inline(always)]
    pub const fn when_asked(asked: u64) -> Option<u64> {
        if asked == 0 || asked & Self::IDENTITY != 0 { None } else { Some(asked >> 17 << 10) }
    }

    /// True when every bit of `flag` is set.
    #[must_use]
    #[inline(always)]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag == flag
    }

    /// The SYN of this side that the other may answer yet.
    #[must_use]
    #[inline(always)]
    pub const fn offer(&self) -> Offer {
        if self.has(Self::PENDING) { Offer::new(self.pending, self.handshake) } else { Offer::NONE }
    }

    /// Starts at `next`, with nothing left of what was before but the acknowledgement.
    #[inline(always)]
    pub const fn start(&mut self, next: u32, flags: u32) {
        self.next = next;
        self.carry_length = 0;
        self.skip = 0;
        self.strikes = 0;
        self.asked = 0;
        self.context = 0;
        self.echoes = 0;
        self.run = self.run.wrapping_add(1);
        let midstream = if flags & Self::ADOPTED != 0 { Self::MIDSTREAM } else { 0 };
        self.flags = Self::SYNCHRONISED | midstream | flags;
    }
}

/// A segment that was forwarded toward the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Sent {
    /// Keyed hash of its new bytes, see [`crate::digest`].
    pub hash: u64,
    /// Sequence number of the first of them.
    pub sequence: u32,
    /// How many; 0: the entry is free.
    pub length: u32,
}

impl Sent {
    /// Sequence number behind the last byte.
    #[must_use]
    #[inline(always)]
    pub const fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.length)
    }
}

/// Bytes let through ahead of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stretch {
    /// Sequence number of the first byte.
    pub first: u32,
    /// Sequence number behind the last byte; equal to `first`: the entry is free.
    pub end: u32,
}

/// One TCP conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Flow {
    /// Segments that entered by the network port.
    pub network: Direction,
    /// Segments that entered by the device port.
    pub device: Direction,
    /// What was forwarded toward the device. Written by the network port.
    pub ring: [Sent; RING],
    /// What was let through ahead of it. Written by the network port.
    pub ahead: [Stretch; AHEAD],
    /// Boot time at which the conversation was taken up in the middle, nanoseconds. Written by the network port, or by the
    /// device port before the conversation can be found.
    pub adopted_at: u64,
    /// Policy generation that `conduit` was looked up in.
    pub generation: u32,
    /// VLAN ids of the conversation, outer in the upper 16 bits; id 0 is no tag (IEEE 802.1Q 9.6).
    pub vlans: u32,
    /// [`crate::abi::Settings::sync`] under which the network port's state was built.
    pub network_sync: u16,
    /// The same for the device port's.
    pub device_sync: u16,
    /// Conduit id.
    pub conduit: u16,
    /// [`crate::protocol::Protocol`] code.
    pub protocol: u8,
    /// [`Side`] code of the end that opened the conversation.
    pub client: u8,
    /// Non-zero: killed after a denied operation.
    pub killed: u8,
    /// Non-zero: some entry of `ahead` is in use. Written by the network port.
    pub strays: u8,
    /// Index of the newest entry of `ring`, modulo its size. Written by the network port.
    pub newest: u8,
    /// What the conduit says; not of conversations that none covers.
    pub terms: Terms,
    /// [`State`] code, and above it how many conversations the slot has held. One word: whoever reads it knows whether the slot
    /// holds a conversation that was found there before. Written by the port that gives the slot out.
    pub life: u32,
    /// Who talks. Written by the same port.
    pub key: FlowKey,
    /// Bytes forwarded, or let through, of a unit toward the device that is not complete.
    pub network_carry: [u8; CARRY],
    /// The same from the device.
    pub device_carry: [u8; DEVICE_CARRY],
}

/// What a slot of the flow table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Nothing.
    Free = 0,
    /// A conversation that can be found.
    Live = 1,
    /// A conversation that can't be found any more, though a program may still hold it.
    Retired = 2,
}

impl Flow {
    /// A flow of which nothing is known.
    pub const EMPTY: Self = Self {
        network: Direction::EMPTY,
        device: Direction::EMPTY,
        ring: [Sent { hash: 0, sequence: 0, length: 0 }; RING],
        ahead: [Stretch { first: 0, end: 0 }; AHEAD],
        adopted_at: 0,
        generation: 0,
        vlans: 0,
        network_sync: 0,
        device_sync: 0,
        conduit: 0,
        protocol: 0,
        client: 0,
        killed: 0,
        strays: 0,
        newest: 0,
        terms: Terms::EMPTY,
        life: 0,
        key: FlowKey::EMPTY,
        network_carry: [0; CARRY],
        device_carry: [0; DEVICE_CARRY],
    };

    /// [`State`] code.
    #[must_use]
    #[inline(always)]
    pub const fn state(&self) -> u8 {
        Self::state_in(self.life)
    }

    /// The same of a `life` that was read before.
    #[must_use]
    #[inline(always)]
    pub const fn state_in(life: u32) -> u8 {
        (life & Self::STATE) as u8
    }

    /// Goes over to another state with the conversation at hand.
    #[inline(always)]
    pub const fn enter(&mut self, state: State) {
        self.life = self.life & !Self::STATE | state as u32;
    }

    /// Another conversation's from here on, which can't be found before [`Self::enter`]. The compiler may move nothing that
    /// is written afterwards in front of this.
    #[inline(always)]
    pub fn renew(&mut self) -> &mut Self {
        self.life = (self.life & !Self::STATE).wrapping_add(const { Self::STATE.wrapping_add(1) });
        black_box(self)
    }

    /// Bits of `life` that hold the state.
    const STATE: u32 = 0xff;

    /// The direction of segments that enter by `side`, and the other one to read.
    #[inline(always)]
    pub const fn directions(&mut self, side: Side) -> (&mut Direction, &Direction) {
        match side {
            Side::Network => (&mut self.network, &self.device),
            Side::Device => (&mut self.device, &self.network),
        }
    }

    /// Where the direction from `side` keeps the beginning of a unit.
    #[inline(always)]
    pub const fn carry(&mut self, side: Side) -> &mut [u8] {
        match side {
            Side::Network => &mut self.network_carry,
            Side::Device => &mut self.device_carry,
        }
    }

    /// Takes up what was looked up in the policy of a generation. The generation comes last, behind what the compiler
    /// may not move it across: by it the program of the other port knows the rest.
    #[inline(always)]
    pub fn settle(&mut self, generation: u32, conduit: u16, protocol: u8, terms: Terms) {
        self.conduit = conduit;
        self.protocol = protocol;
        self.terms = terms;
        self.generation = black_box(generation);
    }

    /// Number behind the last byte that was forwarded toward the device, in its turn or ahead of it.
    #[must_use]
    #[inline(always)]
    pub fn furthest(&self) -> u32 {
        let mut end = self.network.next;
        for stretch in &self.ahead {
            if stretch.first != stretch.end && distance(stretch.end, end) > 0 {
                end = stretch.end;
            }
        }
        end
    }

    /// Forgets what was forwarded toward the device. The network port's.
    #[inline(always)]
    pub fn forget(&mut self) {
        for sent in &mut self.ring {
            sent.length = 0;
        }
        self.ahead = [Stretch { first: 0, end: 0 }; AHEAD];
        self.strays = 0;
    }
}

/// Bytes of an unfinished unit that a direction keeps.
#[must_use]
#[inline(always)]
pub const fn carry_size(side: Side) -> u32 {
    match side {
        Side::Network => CARRY_SIZE,
        Side::Device => DEVICE_CARRY_SIZE,
    }
}

/// The VLAN ids of a frame as [`Flow::vlans`] keeps them: a priority tag (id 0) is no tag.
#[must_use]
#[inline(always)]
pub const fn vlans(frame: &Frame) -> u32 {
    if frame.tags == 0 {
        return 0;
    }
    let [outer, inner] = frame.vlan;
    let (outer, inner) = ((outer & 0xfff) as u32, (inner & 0xfff) as u32);
    if outer == 0 { inner << 16 } else { outer << 16 | inner }
}

/// 1 where `a` lies before `b` in sequence space, else 0: a bit among others, instead of a branch.
#[must_use]
#[inline(always)]
pub const fn before(a: u32, b: u32) -> u32 {
    a.wrapping_sub(b) >> 31
}

/// How far `a` lies behind `b` in sequence space; negative when before: RFC 9293 3.4.
#[must_use]
#[inline(always)]
pub const fn distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// A SYN of the network side that the device may answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Offer {
    /// First data sequence number that it offers.
    pub first: u32,
    /// When it passed: boot time in units of 2^20 nanoseconds, never 0; 0: there is none.
    pub at: u32,
}

impl Offer {
    /// No SYN waits.
    pub const NONE: Self = Self { first: 0, at: 0 };

    /// A SYN that passed at a boot time in units of 2^20 nanoseconds.
    #[must_use]
    #[inline(always)]
    pub const fn new(first: u32, at: u32) -> Self {
        Self { first, at: if at == 0 { u32::MAX } else { at } }
    }
}

/// A SYN that waits for its answer, or bytes of an unknown conversation that wait for the device's word. Kept apart from
/// the conversations: whoever floods the box with SYN fills this table alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct HalfOpen {
    /// Boot time, nanoseconds.
    pub since: u64,
    /// Keyed hash of the bytes, with [`Self::MIDSTREAM`].
    pub hash: u64,
    /// First data sequence number of the side that asks.
    pub first: u32,
    /// First data sequence number of the side that answered; with [`Self::MIDSTREAM`] the number behind the bytes.
    pub answer: u32,
    /// The network side's last SYN, unless the device has answered it.
    pub offer: Offer,
    /// [`Side`] code of the side that asks.
    pub side: u32,
    /// The bits below.
    pub flags: u32,
}

impl HalfOpen {
    /// `answer` is set: the network side answered the device.
    pub const ANSWERED: u32 = 1;
    /// More than one SYN has passed.
    pub const ASKED_AGAIN: u32 = 1 << 8;
    /// No SYN: bytes of a conversation whose beginning was not seen.
    pub const MIDSTREAM: u32 = 2;

    /// The side that asks for the connection is the protocol's server: a SYN from a service's port.
    pub const SERVES: u32 = 4;

    /// Nothing waits.
    pub const EMPTY: Self = Self { since: 0, hash: 0, first: 0, answer: 0, offer: Offer::NONE, side: 0, flags: 0 };

    /// True for a SYN that came from `side`.
    #[must_use]
    #[inline(always)]
    pub const fn waits_for(&self, side: Side) -> bool {
        self.since != 0 && self.flags & Self::MIDSTREAM == 0 && self.side == side as u32
    }

    /// [`Side`] code of the protocol's client.
    #[must_use]
    #[inline(always)]
    pub const fn client(&self) -> u8 {
        let serves = self.flags & Self::SERVES != 0;
        let network = self.side == Side::Network as u32;
        if network != serves { Side::Network as u8 } else { Side::Device as u8 }
    }
}

/// What is remembered of a station that opens connections to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Station {
    /// State of its connection rate, see [`crate::policy::rate`].
    pub budget: u64,
    /// Boot time at which the connections that were reset began to be counted, nanoseconds.
    pub resets_since: u64,
    /// No new connection before this boot time, nanoseconds.
    pub held_until: u64,
    /// Connections reset since then.
    pub resets: u64,
}

const _: () = assert!(CARRY_SIZE as usize == CARRY && DEVICE_CARRY_SIZE as usize == DEVICE_CARRY);
const _: () = assert!(core::mem::size_of::<Direction>() == 80);
const _: () = assert!(core::mem::size_of::<Flow>() <= 832);

#[cfg(test)]
mod tests {
    use super::vlans;
    use crate::scratch::Frame;

    #[test]
    fn a_priority_tag_is_no_tag() {
        let of = |vlan| vlans(&Frame { vlan, tags: 2, ..Frame::EMPTY });
        assert_eq!(of([0, 0]), vlans(&Frame::EMPTY));
        assert_eq!(of([0xe000, 0]), of([0, 0]));
        assert_eq!(of([0x6005, 0]), of([5, 0]));
        assert_eq!(of([0x6000, 5]), of([5, 0]));
        assert_ne!(of([5, 0]), of([0, 0]));
        assert_ne!(of([5, 6]), of([6, 5]));
    }
}
