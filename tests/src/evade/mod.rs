//! The evasion suite: what an attacker on the plant network could try so that the controller does what the policy denies.
//!
//! Each vector is played against real servers behind the box. What counts is what the servers' applications took and did
//! and what the device's cable carried. `docs/evasion.md` is made from the same list.

pub mod engine;
pub mod field;
pub mod filter;
pub mod judge;
pub mod operation;
pub mod packet;
pub mod page;
pub mod random;
pub mod run;
pub mod scene;
pub mod servers;
pub mod table;
pub mod wire;

mod exhaustion;
mod handshake;
mod known;
mod link;
mod network;
mod options_and_flags;
mod reset_and_close;
mod retransmission;
mod rollout;
mod segments;

pub use field::{Field, Setting};
pub use run::{Choice, run};
pub use scene::Scene;

/// A kind of evasion.
pub struct Class {
    pub name: &'static str,
    /// How the box holds it, in one sentence.
    pub held: &'static str,
    /// Only with an enforcer that enforces.
    pub only_enforce: bool,
    pub vectors: &'static [Vector],
}

/// One thing to try.
pub struct Vector {
    /// What is tried, in words.
    pub name: &'static str,
    pub against: Against,
    /// One of these must have been counted; none when everything about it is legitimate.
    pub reasons: &'static [&'static str],
    pub play: fn(&mut Scene<'_>),
}

/// Whom a vector is played against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// libmodbus, tokio-modbus and the sink that records every byte, one after the other.
    Servers,
    /// A device of our own that misbehaves as the vector needs it.
    Puppet,
    /// What counts is which frames reach the device's cable.
    Cable,
}

/// All classes, in the order they run.
pub const CLASSES: &[Class] = &[
    segments::CLASS,
    retransmission::CLASS,
    known::CLASS,
    handshake::CLASS,
    reset_and_close::CLASS,
    options_and_flags::CLASS,
    network::CLASS,
    link::CLASS,
    exhaustion::CLASS,
    rollout::CLASS,
];
