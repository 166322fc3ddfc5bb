//! What the core needs from the body it runs in: flows, modes, time, counters, events.
//!
//! Implemented for kernel maps (`enforcer-ebpf`), for replay and for tests.

use crate::bytes::Bytes;
use crate::digest::Key;
use crate::flow::{Flow, FlowKey, HalfOpen, Station};
use crate::found::Found;
use crate::health::Counts;
use crate::known::Known;
use crate::policy::grant::GrantKey;
use crate::policy::memo::Memo;
use crate::policy::step::LastKey;
use crate::port::Side;
use crate::scratch::{Finding, Scratch};
use crate::table::Slots;
use crate::verdict::{Mode, Reason};

/// How far a conversation is trusted whose beginning was not seen, while no exchange has proved where its units begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// As one that was followed from its beginning: what a capture cannot show is taken for granted.
    Whole,
    /// For a while after the box came into the line: what reads may pass.
    Reading,
    /// Not at all.
    Nothing,
}

/// What holds for conversations, whatever the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Trust in conversations whose beginning was not seen, before `grace_until`.
    pub trust: Trust,
    /// Boot time in nanoseconds at which that trust ends.
    pub grace_until: u64,
    /// Raised when frames may have passed unseen: what was known of conversations before counts no more.
    pub sync: u16,
    /// Nanoseconds between two new connections of one station to one service at their highest rate; 0: no limit.
    pub connection_interval: u64,
    /// New connections that may come at once.
    pub connection_burst: u32,
    /// Connections reset within a minute after which a station's new ones are held off; 0: never.
    pub resets: u32,
    /// Boot time in nanoseconds: stations that were held off before it are not any more.
    pub forgive_before: u64,
    /// Checksums are judged.
    pub checksums: bool,
}

impl Limits {
    /// Trust at a boot time in nanoseconds.
    #[must_use]
    #[inline(always)]
    pub const fn trust_at(&self, now: u64) -> Trust {
        if now < self.grace_until { self.trust } else { Trust::Nothing }
    }

    /// Everything is trusted and nothing counted: a capture, or a question about one operation.
    pub const UNLIMITED: Self = Self {
        trust: Trust::Whole,
        grace_until: u64::MAX,
        sync: 0,
        connection_interval: 0,
        connection_burst: 0,
        resets: 0,
        forgive_before: 0,
        checksums: false,
    };
}

/// The outside world, as far as the decision depends on it or must leave a trace in it.
pub trait Environment {
    /// Carry + payload of a segment, laid out behind each other.
    type Assembled: Bytes + ?Sized;

    /// Boot time in nanoseconds, coarse. Asked once per frame, see [`Scratch::now`].
    fn now(&self) -> u64;

    /// A number that changes when [`Self::now`] does; 0: nothing is known of that.
    fn tick(&self) -> u64 {
        0
    }

    /// The same time, precise.
    fn clock(&self) -> u64 {
        self.now()
    }

    /// True when a frame to this MAC address is for the box itself.
    fn is_management(&self, mac: [u8; 6]) -> bool;

    /// The box's mode at `now` capping the mode of `conduit`, whose policy asks for `asked`.
    fn mode(&self, now: u64, bank: u8, conduit: u16, asked: Mode) -> Mode;

    /// See [`crate::settings::Settings::is_plain`]: [`Self::mode`] need not be asked.
    fn is_plain(&self) -> bool {
        false
    }

    /// True where a frame may go straight to the other port.
    fn goes_across(&self) -> bool {
        true
    }

    /// Slot of the flow with this key.
    fn find_flow(&mut self, key: &FlowKey) -> Option<u32>;

    /// The slots of the device with this address that the program of the port of `side` gives out. The device port's program
    /// gives the device some when it has none; `None`: there are none left, or none yet.
    fn slots(&mut self, device: &[u8; 16], side: Side) -> Option<Slots>;

    /// Counts a conversation that found no slot.
    fn lose_flow(&mut self);

    /// Lets a conversation be found in its slot. False when the index is full.
    fn bind(&mut self, key: &FlowKey, slot: u32) -> bool;

    /// Lets it be found no more.
    fn unbind(&mut self, key: &FlowKey);

    /// The flow in a slot.
    fn flow(&mut self, slot: u32) -> Option<&mut Flow>;

    /// The flow that [`Self::flow`] gave last, which is the one in this slot.
    fn same_flow(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flow(slot)
    }

    /// What waits for an answer under this key.
    fn half_open(&mut self, key: &FlowKey) -> Option<&mut HalfOpen>;

    /// Puts something there, in place of what was.
    fn set_half_open(&mut self, key: &FlowKey, half: HalfOpen);

    /// Takes it away.
    fn forget_half_open(&mut self, key: &FlowKey);

    /// What is remembered under [`FlowKey::station`], an empty record when there was none.
    fn station(&mut self, key: &FlowKey) -> Option<&mut Station>;

    /// What holds for conversations, whatever the policy.
    fn limits(&self) -> Limits;

    /// The key of the hash over what is forwarded.
    fn key(&self) -> Option<&Key>;

    /// Lays the flow's carry and the frame's bytes from `stream.start` to `stream.end` behind each other; `None` when
    /// they do not fit.
    fn assemble(&mut self, scratch: &Scratch) -> Option<&Self::Assembled>;

    /// Copies the bytes that `scratch.stream` marks to be saved into the carry of the frame's direction.
    fn save_carry(&mut self, scratch: &Scratch);

    /// The memo in a place, see [`crate::policy::memo`]; `None` where nothing is remembered.
    fn memo(&mut self, place: u32) -> Option<&mut Memo> {
        let _ = place;
        None
    }

    /// The entry in a place where conversations were found before, see [`crate::found`]; `None` where nothing is remembered.
    fn found(&mut self, place: usize) -> Option<&mut Found> {
        let _ = place;
        None
    }

    /// The entry in a place of the memory of whole requests, see [`crate::known`]; `None` where nothing is remembered.
    fn known(&mut self, place: u32) -> Option<&mut Known> {
        let _ = place;
        None
    }

    /// The same, and beside it the flow that [`Self::flow`] gave last, which is the one in this slot.
    fn known_in(&mut self, place: u32, slot: u32) -> Option<(&mut Known, &Flow)> {
        let _ = (place, slot);
        None
    }

    /// The state of a rule's rate, see [`crate::policy::rate`]. Kept in learn and shadow just as in enforce.
    fn budget(&mut self, bank: u8, rule: u16) -> Option<&mut u64>;

    /// The state of the rate that all echo requests from the network share, see [`crate::icmp`]. Kept in every mode.
    fn echoes(&mut self) -> Option<&mut u64>;

    /// Counts an outcome: per conduit and reason, per function node (`u32::MAX`: none) and per rule. `acted` is true when
    /// the denial was carried out.
    fn count(&mut self, scratch: &Scratch, index: Option<u32>, node: u32, reason: Reason, acted: bool);

    /// Counts what passes without a record, in a conduit of a bank: a unit of which this was found, or a whole frame.
    fn count_known(&mut self, bank: u8, conduit: u16, found: Option<&Finding>, reason: Reason);

    /// Reports the operation at `index`, or the whole frame.
    fn emit(&mut self, scratch: &Scratch, index: Option<u32>);

    /// True where a grant with this key is in force at `now`. `used`: an operation passes by it, and is counted.
    fn granted(&mut self, key: &GrantKey, now: u64, used: bool) -> bool {
        let _ = (key, now, used);
        false
    }

    /// True when a candidate policy is tried beside the active one.
    fn has_candidate(&self) -> bool {
        false
    }

    /// True when grants may be in force: else nobody need ask for one.
    fn has_grants(&self) -> bool {
        false
    }

    /// The last value written to an object, [`crate::policy::step::UNKNOWN`] at first; `None` where there is no room for it.
    fn last_value(&mut self, key: &LastKey) -> Option<&mut i64> {
        let _ = key;
        None
    }

    /// Writes down that the candidate policy says something else about the operation at `index`, or about the whole frame:
    /// the reason with this code.
    fn differ(&mut self, scratch: &Scratch, index: Option<u32>, candidate: u8) {
        let _ = (scratch, index, candidate);
    }

    /// Counts comparisons with the candidate.
    fn compared(&mut self, count: u32) {
        let _ = count;
    }

    /// Counts one that could not be made.
    fn not_compared(&mut self) {}

    /// What is counted of a device's health; with `new` it is made where there is nothing yet. `None`: there is nothing, or no
    /// room, or nobody wants to know.
    fn health(&mut self, device: &[u8; 16], new: bool) -> Option<&mut Counts> {
        let _ = (device, new);
        None
    }

    /// Records what was seen: the operation at `index`, or a frame without inspection inside.
    fn observe(&mut self, scratch: &Scratch, index: Option<u32>);
}
