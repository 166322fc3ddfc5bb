//! One TCP conversation: which conduit it belongs to and how far each direction has come.
//!
//! Two CPUs may hold the same flow, one per port. Each field is written by one port's program alone and read by the other:
//! a [`Direction`] by the port that its segments enter by, what was forwarded toward the device by the network port. The
//! few fields behind them are written by either, always with the value that the policy or the verdict gives.

mod direction;
mod half_open;
mod key;
mod sequence;
mod station;

use crate::policy::Terms;
use crate::port::Side;
use crate::scratch::Frame;
use core::hint::black_box;

pub use direction::Direction;
pub use half_open::{HalfOpen, Offer};
pub use key::FlowKey;
pub use sequence::{before, distance};
pub use station::Station;

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
    /// [`State`] code, and above it how many conversations the slot has held. One word: whoever reads it knows whether the slot
    /// holds a conversation that was found there before. Written by the port that gives the slot out.
    pub life: u32,
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
