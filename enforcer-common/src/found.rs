//! Where a CPU found conversations before. Most frames belong to one that it saw a moment ago: what is written down then
//! spares the search for the slot, which is a good twelfth of what a frame costs.
//!
//! An entry names a slot, and the conversation in it by [`Flow::life`](crate::flow::Flow::life): it holds while that word
//! is what it was when the search had found the slot. A conversation that is given up or begins anew changes it. Beside it
//! stands what frames of the conversation looked like on the cable, for [`crate::ordinary`].

use crate::flow::{Flow, State};
use crate::port::Side;
use crate::scratch::Frame;

/// Entries, a power of two.
pub const PLACES: usize = 256;

/// The key of an IPv4 conversation in whole words, as [`FlowKeyV4`](crate::abi::FlowKeyV4) lies in memory.
pub type Words = [u32; 3];

/// One conversation, and where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Found {
    /// Who talks.
    pub key: Words,
    /// Slot of the flow table.
    pub slot: u32,
    /// What the flow's life was; 0: the entry is empty.
    pub life: u32,
    /// Always 0.
    pub padding: [u32; 3],
    /// What its frames had in front of their IP header, by the [`Side`] that they entered by.
    pub ends: [Ends; 2],
}

/// What stands in front of the IP header of frames that were admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Ends {
    /// Destination and source, as they lie in the frame.
    pub macs: Words,
    /// Generation of the policy that admitted them; 0: none did.
    pub generation: u32,
}

impl Ends {
    /// True when this policy admitted frames from this station to that one.
    #[must_use]
    #[inline(always)]
    pub const fn are(&self, macs: &Words, generation: u32) -> bool {
        let ([a, b, c], [x, y, z]) = (self.macs, *macs);
        (a ^ x) | (b ^ y) | (c ^ z) | (self.generation ^ generation) == 0 && generation != 0
    }
}

/// Index of a conversation's entry.
#[must_use]
#[inline(always)]
pub const fn place(key: &Words) -> usize {
    let [network, device, ports] = *key;
    let mixed = (network ^ device.rotate_left(8) ^ ports).wrapping_mul(0x9e37_79b1);
    (mixed >> 24) as usize & (PLACES - 1)
}

const _: () = assert!(PLACES == 1 << (32 - 24));

/// The key of an IPv4 conversation from its two addresses and ports, as they lie in a frame that entered by `side`.
#[must_use]
#[inline(always)]
pub const fn words(side: Side, source: [u8; 4], destination: [u8; 4], ports: [u8; 4]) -> Words {
    let (from, to) = (u32::from_ne_bytes(source), u32::from_ne_bytes(destination));
    let [s0, s1, d0, d1] = ports;
    let ports = u32::from_le_bytes([s1, s0, d1, d0]);
    match side {
        Side::Network => [from, to, ports],
        Side::Device => [to, from, ports.rotate_left(16)],
    }
}

/// Destination and source of a frame, as they lie in it.
#[inline(always)]
const fn macs(frame: &Frame) -> Words {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (frame.destination_mac, frame.source_mac);
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]), u32::from_le_bytes([i, j, k, l])]
}

impl Found {
    /// True when the entry is about this conversation.
    #[must_use]
    #[inline(always)]
    pub const fn is_of(&self, key: &Words) -> bool {
        let ([a, b, c], [x, y, z]) = (self.key, *key);
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }

    /// What frames that entered by `side` had in front.
    #[must_use]
    #[inline(always)]
    pub const fn ends(&self, side: Side) -> &Ends {
        let [network, device] = &self.ends;
        match side {
            Side::Network => network,
            Side::Device => device,
        }
    }

    /// Writes down where the search found a conversation, unless it is being given up.
    #[inline(always)]
    pub fn note(&mut self, key: &Words, slot: u32, life: u32) {
        if Flow::state_in(life) != State::Live as u8 {
            return;
        }
        *self = Self { key: *key, slot, life, ..Self::default() };
    }

    /// Writes down what the frame at hand has in front of its IP header, which `generation` admitted.
    #[inline(always)]
    pub const fn admit(&mut self, side: Side, frame: &Frame, generation: u32) {
        let [network, device] = &mut self.ends;
        let ends = match side {
            Side::Network => network,
            Side::Device => device,
        };
        *ends = Ends { macs: macs(frame), generation };
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, PLACES, place};
    use crate::flow::{Flow, State};

    #[test]
    fn an_entry_holds_until_the_conversation_is_given_up() {
        let mut flow = Flow::EMPTY;
        flow.renew().enter(State::Live);
        let mut found = Found::default();
        found.note(&[1, 2, 3], 7, flow.life);
        assert!(found.is_of(&[1, 2, 3]) && found.life == flow.life);
        flow.enter(State::Retired);
        assert_ne!(found.life, flow.life);
        found.note(&[1, 2, 3], 7, flow.life);
        assert_ne!(found.life, flow.life, "found by the table a last time");
        flow.renew();
        assert_ne!(found.life, flow.life, "the next one, while it is filled in");
        flow.enter(State::Live);
        assert_ne!(found.life, flow.life, "the next one, though it may have the same ends");
    }

    #[test]
    fn each_word_of_the_key_counts() {
        let found = Found { key: [1, 2, 3], ..Found::default() };
        for other in [[0, 2, 3], [1, 0, 3], [1, 2, 0]] {
            assert!(!found.is_of(&other));
        }
    }

    #[test]
    fn neighbours_lie_apart() {
        let key = |station: u8, port: u16| [u32::from_le_bytes([10, 0, 0, station]), 0x0505_0a0a, u32::from(port)];
        let mut places: Vec<_> =
            (0..16).flat_map(|n| [place(&key(n, 50_000)), place(&key(1, 49_152 + u16::from(n)))]).collect();
        assert!(places.iter().all(|place| *place < PLACES));
        places.sort_unstable();
        places.dedup();
        assert!(places.len() > 24, "{places:?}");
    }
}
