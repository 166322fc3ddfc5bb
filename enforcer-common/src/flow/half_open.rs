//! What waits for a device's word, before there is a conversation.

use crate::port::Side;

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
