//! Where a CPU found conversations before. Most frames belong to one that it saw a moment ago: what is written down then
//! spares the search for the slot, which is a good twelfth of what a frame costs.
//!
//! An entry names a slot, and the conversation in it by [`Flow::life`](crate::flow::Flow::life): it holds while that word
//! is what it was when the search had found the slot. A conversation that is given up or begins anew changes it.

use crate::flow::{Flow, State};

/// Entries, a power of two.
pub const PLACES: usize = 512;

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
}

/// Index of a conversation's entry.
#[must_use]
#[inline(always)]
pub const fn place(key: &Words) -> usize {
    let [network, device, ports] = *key;
    let mixed = (network ^ device.rotate_left(8) ^ ports).wrapping_mul(0x9e37_79b1);
    (mixed >> 23) as usize & (PLACES - 1)
}

const _: () = assert!(PLACES == 1 << (32 - 23));

impl Found {
    /// True when the entry is about this conversation.
    #[must_use]
    #[inline(always)]
    pub const fn is_of(&self, key: &Words) -> bool {
        let ([a, b, c], [x, y, z]) = (self.key, *key);
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }

    /// Writes down where the search found a conversation, unless it is being given up.
    #[inline(always)]
    pub const fn note(&mut self, key: &Words, slot: u32, life: u32) {
        if Flow::state_in(life) != State::Live as u8 {
            return;
        }
        self.key = *key;
        self.slot = slot;
        self.life = life;
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
