//! Tests of the decision core, one module per subject, in one binary so that they build once.
#![allow(clippy::cast_possible_truncation)]

#[path = "../../fuzz/src/stream/mod.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod stream;
#[path = "../support/mod.rs"]
mod support;

mod admission;
mod compare;
mod digest;
mod enip;
mod handshake;
mod headers;
mod icmp;
mod inward;
mod judging;
mod layers;
mod lives;
mod neighbours;
mod options;
mod properties;
mod requests;
mod resync;
mod scripts;
mod segments;
mod slots;
mod streams;
