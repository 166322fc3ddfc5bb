//! Tests of the decision core, one module per subject, in one binary so that they build once.
#![allow(clippy::cast_possible_truncation)]

#[path = "../support/mod.rs"]
mod support;

mod admission;
mod digest;
mod headers;
mod icmp;
mod judging;
mod layers;
mod neighbours;
mod options;
mod properties;
mod requests;
mod segments;
mod streams;
