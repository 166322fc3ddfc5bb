//! The layout that kernel and controller must share, as one number.
//!
//! It goes into the image's header and into the name of the directory that the maps are pinned in, so that a controller
//! never adopts maps of another layout.

use core::mem::size_of;

use crate::event::Event;
use crate::flow::Flow;
use crate::observation::{Observation, ObservationKey};
use crate::policy::image::{
    AddressesV4, AddressesV6, Candidate, Conduit, Denial, Ethertype, Function, Header, Image, Pair, Rule, Segment,
    Service, Unit,
};
use crate::scratch::Scratch;

/// Raised when a field changes its meaning but not its size.
pub const VERSION: u64 = 1;

/// Hash over the version and every shared layout.
pub const LAYOUT: u64 = hash(&[
    VERSION,
    size_of::<Image>() as u64,
    size_of::<Header>() as u64,
    size_of::<AddressesV4>() as u64,
    size_of::<AddressesV6>() as u64,
    size_of::<Ethertype>() as u64,
    size_of::<Pair>() as u64,
    size_of::<Service>() as u64,
    size_of::<Conduit>() as u64,
    size_of::<Function>() as u64,
    size_of::<Unit>() as u64,
    size_of::<Segment>() as u64,
    size_of::<Candidate>() as u64,
    size_of::<Denial>() as u64,
    size_of::<Rule>() as u64,
    size_of::<Flow>() as u64,
    size_of::<Scratch>() as u64,
    size_of::<Event>() as u64,
    size_of::<ObservationKey>() as u64,
    size_of::<Observation>() as u64,
    size_of::<Settings>() as u64,
]);

/// FNV-1a over words.
const fn hash(words: &[u64]) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        state = (state ^ *word).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    state
}

/// Switches that take effect with one cell of one map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// [`crate::verdict::Mode`] code of the box: the cap for every conduit.
    pub mode: u8,
    /// Non-zero: forward everything, judge nothing.
    pub bypass: u8,
    /// MAC address of the bridge; frames to it stay on the box.
    pub management_mac: [u8; 6],
}

/// The mode a conduit has when nothing was switched since the policy was published.
pub const MODE_AS_POLICY: u8 = 0xff;

/// Slots of the program array, one per stage and one per inspected protocol.
pub mod slot {
    /// Link, network, transport; conduit for what is not TCP.
    pub const WALK: u32 = 0;
    /// Conduit and stream of TCP.
    pub const STREAM: u32 = 1;
    /// Judge, act, commit.
    pub const JUDGE: u32 = 2;
    /// Turns a denied segment into a reset for its sender.
    pub const RESET: u32 = 3;
    /// Modbus in the frame.
    pub const MODBUS: u32 = 16;
    /// Modbus in carry + payload.
    pub const MODBUS_ASSEMBLED: u32 = 17;
    /// Size of the array.
    pub const COUNT: u32 = 64;
}
