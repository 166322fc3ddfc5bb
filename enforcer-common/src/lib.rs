//! The decision core: from the bytes of one Ethernet frame to a verdict.
//!
//! One module per stage, in the order a frame meets them:
//!
//! ```text
//! port -> link -> network -> transport -> conduit -> stream -> protocol -> operation -> policy -> verdict -> action -> event
//! ```
//!
//! A stage takes what the stages before it left in the [`scratch::Scratch`] record and nothing else; no stage imports
//! a later one. The same functions run in four bodies: the XDP programs, `enforcer replay`, the fuzzers and the unit
//! tests. They read frame bytes through [`bytes::Bytes`] and reach flows, modes, time, counters and events through
//! [`environment::Environment`]; nothing here knows which body it runs in. [`decide`] composes the stages: whole on the
//! host, in the kernel in programs that tail-call each other.
//!
//! What may not happen here: allocation, a panic, unsafe code, a clock, a map.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    clippy::cast_possible_truncation,
    missing_docs
)]
// Why each: an index, an unwrap or a panic is a branch that the kernel's verifier rejects or, on the host, a way to stop
// the inspection with a crafted frame; unchecked arithmetic wraps silently in the kernel; a truncating cast turns a long
// length into a short one.

pub mod abi;
pub mod bytes;
pub mod head;

pub mod port;

pub mod link;
pub mod network;
pub mod transport;

pub mod admission;
pub mod digest;
pub mod options;

pub mod conduit;
pub mod icmp;
pub mod neighbour;

pub mod flow;
pub mod found;
pub mod stream;
pub mod table;

pub mod operation;
pub mod protocol;

pub mod answer;
pub mod judge;
pub mod known;
pub mod policy;

pub mod action;
pub mod verdict;

pub mod buckets;
pub mod candidate;
pub mod event;
pub mod health;
pub mod observation;
pub mod processing;
pub mod report;
pub mod reset;

pub mod decide;
pub mod environment;
pub mod ordinary;
pub mod scratch;
pub mod settings;
