//! One direction of a conversation: how far it has come, and what is known of its end.

use super::Offer;

/// One direction of a conversation. Written by the port that its segments enter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Direction {
    /// Boot time of the last segment, nanoseconds.
    pub seen: u64,
    /// Next new sequence number; a FIN that was forwarded is counted.
    pub next: u32,
    /// Highest acknowledgement number that this side sent, of bytes that passed here.
    pub acknowledged: u32,
    /// The bits below.
    pub flags: u32,
    /// Bytes to come that belong to a unit already decided.
    pub skip: u32,
    /// Bytes kept of a unit that is not complete.
    pub carry_length: u32,
    /// What the protocol's dissector has to know of the units before, in the dissector's own way; 0 at the beginning.
    pub context: u32,
    /// Receive window that this side offered last, as on the wire.
    pub window: u16,
    /// Counts the handshakes that this side answered; in the direction of the side that asked, those it has followed.
    pub turn: u8,
    /// Segments that were sent again and could not be verified.
    pub strikes: u8,
    /// With [`Self::UNSEEN`], an acknowledgement number of bytes that did not pass here.
    pub unseen: u32,
    /// While the conversation is [`Self::ADOPTED`], what the last unit of this side asked for, see [`crate::stream::resync`];
    /// 0 for nothing. After that, see [`Self::asked_at`], from the network when the last request came, and from the device
    /// which request it answered last, by the same time.
    pub asked: u64,
    /// First data sequence number of a SYN that the other side has not answered yet.
    pub pending: u32,
    /// Acknowledgement number of the last SYN-ACK this side sent.
    pub confirmed: u32,
    /// Sequence number behind the unit that `asked` stands for.
    pub asked_end: u32,
    /// `asked_end` of the last exchange that was counted.
    pub heard: u32,
    /// Boot time at which a unit was left incomplete, in units of 2^20 nanoseconds.
    pub carried_at: u32,
    /// From the network, boot time of the last SYN or its answer, in units of 2^20 nanoseconds. From the device, first data
    /// sequence number of the last SYN-ACK it sent.
    pub handshake: u32,
    /// The candidate policy's conduit for segments of this direction, and the lower half of its generation above it.
    pub candidate: u32,
    /// Counts the attempts to find out where units begin.
    pub run: u16,
    /// Exchanges of the present run that were answered.
    pub echoes: u8,
    /// [`crate::verdict::Reason`] code of what ended the last run.
    pub hindrance: u8,
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
