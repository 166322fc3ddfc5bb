//! Where a CPU found conversations before. Most frames belong to one that it saw a moment ago: what is written down then
//! spares the search for the slot, which is a good twelfth of what a frame costs.
//!
//! An entry names a slot, and the conversation in it by [`Flow::life`](crate::flow::Flow::life): it holds while that word
//! is what it was when the search had found the slot. A conversation that is given up or begins anew changes it. Beside it
//! stands what frames of the conversation looked like on the cable, for [`crate::ordinary`].

use crate::bytes::part;
use crate::flow::{Flow, State};
use crate::head::NO_OPTIONS;
use crate::link::ethertype;
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
    /// Slot of the flow table.
    pub slot: u32,
    /// What the flow's life was; 0: the entry is empty.
    pub life: u32,
    /// What its frames look like, by the [`Side`] that they entered by.
    pub looks: [Look; 2],
    /// Who talks.
    pub key: Words,
    /// Always 0.
    pub padding: u32,
}

/// What all plain frames of one direction that were admitted have in common, as it lies in them, the first byte lowest: to ask
/// whether a frame is one of them takes a word for eight of its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Look {
    /// The frame's first 16 bytes: Ethernet addresses, type, the first byte of IPv4, and a zero for its type of service.
    pub link: [u64; 2],
    /// IP addresses.
    pub addresses: u64,
    /// Ports.
    pub ports: u32,
    /// Generation of the policy that admitted them; 0: none did.
    pub generation: u32,
}

impl Look {
    /// The bytes of the second word of [`Self::link`] that count: all but the type of service.
    const LINK: u64 = u64::MAX >> 8;

    /// What a frame looks like, by its first 16 bytes, and those of its IP addresses and of its ports.
    #[must_use]
    #[inline(always)]
    pub const fn of(link: [u64; 2], addresses: u64, ports: u32, generation: u32) -> Self {
        let [front, back] = link;
        Self { link: [front, back & Self::LINK], addresses, ports, generation }
    }

    /// Bits that differ, of all words together.
    #[must_use]
    #[inline(always)]
    pub const fn differ(&self, other: &Self) -> u64 {
        let ([a, b], [x, y]) = (self.link, other.link);
        let rest = (self.ports ^ other.ports) | (self.generation ^ other.generation);
        (a ^ x) | (b ^ y) | (self.addresses ^ other.addresses) | rest as u64
    }
}

/// Index of a conversation's entry.
#[must_use]
#[inline(always)]
pub const fn place_of(key: &Words) -> usize {
    let [network, device, ports] = *key;
    mixed(network ^ device, (((ports ^ (ports >> 16)) & 0xffff) as u16).swap_bytes())
}

/// The same by a frame's IP addresses and ports, as [`Look`] has them, whichever way it goes.
#[must_use]
#[inline(always)]
pub const fn place(addresses: u64, ports: u32) -> usize {
    mixed(((addresses ^ (addresses >> 32)) & 0xffff_ffff) as u32, ((ports ^ (ports >> 16)) & 0xffff) as u16)
}

/// The same from both addresses together, and from both ports, as they lie in a frame: stations, their devices and their
/// ports differ in the last byte of each.
#[inline(always)]
const fn mixed(addresses: u32, ports: u16) -> usize {
    let mixed = (addresses ^ (ports as u32) << 8).wrapping_mul(0x9e37_79b1);
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

impl Found {
    /// True when the entry is about this conversation.
    #[must_use]
    #[inline(always)]
    pub const fn is_of(&self, key: &Words) -> bool {
        let ([a, b, c], [x, y, z]) = (self.key, *key);
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }

    /// What frames that entered by `side` look like.
    #[must_use]
    #[inline(always)]
    pub const fn look(&self, side: Side) -> &Look {
        let [network, device] = &self.looks;
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

    /// Writes down what the plain frame at hand looks like, which `generation` admitted.
    #[inline(always)]
    pub fn admit(&mut self, side: Side, frame: &Frame, generation: u32) {
        let Frame { source, destination, source_mac, destination_mac, .. } = frame;
        let [s0, s1] = frame.source_port.to_be_bytes();
        let [d0, d1] = frame.destination_port.to_be_bytes();
        let [t0, t1] = ethertype::IPV4.to_be_bytes();
        let (from, to) = (u32::from_le_bytes(part(source, 12)), u32::from_le_bytes(part(destination, 12)));
        let [a, b, c, d] = part(source_mac, 2);
        let [g, h] = part(source_mac, 0);
        let [m, n, o, p, q, r] = *destination_mac;
        let link =
            [u64::from_le_bytes([m, n, o, p, q, r, g, h]), u64::from_le_bytes([a, b, c, d, t0, t1, NO_OPTIONS, 0])];
        let addresses = (to as u64) << 32 | from as u64;
        let look = Look::of(link, addresses, u32::from_le_bytes([s0, s1, d0, d1]), generation);
        let [network, device] = &mut self.looks;
        match side {
            Side::Network => *network = look,
            Side::Device => *device = look,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Look, PLACES, place, place_of, words};
    use crate::bytes::part;
    use crate::flow::{Flow, State};
    use crate::port::Side;

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
        let key = |station: u8, port: u16| {
            [u32::from_le_bytes([10, 0, 0, station]), 0x0505_0a0a, u32::from(port) | 502 << 16]
        };
        let mut places: Vec<_> =
            (0..16).flat_map(|n| [place_of(&key(n, 50_000)), place_of(&key(1, 49_152 + u16::from(n)))]).collect();
        assert!(places.iter().all(|place| *place < PLACES));
        places.sort_unstable();
        places.dedup();
        assert!(places.len() > 24, "{places:?}");
    }

    #[test]
    fn both_directions_and_the_key_have_one_place() {
        let (station, device, ports) = ([10, 10, 1, 20], [10, 10, 2, 5], [0xc3, 0x50, 0x01, 0xf6]);
        let look = |from, to, ports| {
            let addresses = u64::from(u32::from_le_bytes(to)) << 32 | u64::from(u32::from_le_bytes(from));
            Look::of([1, 2], addresses, u32::from_le_bytes(ports), 1)
        };
        let (there, back) = (look(station, device, ports), look(device, station, [0x01, 0xf6, 0xc3, 0x50]));
        let key = words(Side::Network, station, device, ports);
        assert_eq!(key, words(Side::Device, device, station, [0x01, 0xf6, 0xc3, 0x50]));
        assert_eq!([there, back].map(|look| place(look.addresses, look.ports)), [place_of(&key); 2]);
    }

    #[test]
    fn each_byte_of_a_look_counts_but_the_type_of_service() {
        let look = |bytes: &[u8; 28]| {
            let word = |at| u64::from_le_bytes(part(bytes, at));
            Look::of([word(0), word(8)], word(16), u32::from_le_bytes(part(bytes, 24)), 1)
        };
        let bytes = [0x5a; 28];
        for index in 0..28 {
            let mut other = bytes;
            other.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 0x10);
            assert_eq!(look(&bytes).differ(&look(&other)) == 0, index == 15, "byte {index}");
        }
        assert_ne!(look(&bytes).differ(&Look { generation: 2, ..look(&bytes) }), 0);
    }
}
