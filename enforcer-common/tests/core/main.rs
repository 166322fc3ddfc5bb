//! Tests of the decision core, one module per subject, in one binary so that they build once.
#![allow(clippy::cast_possible_truncation)]

#[path = "../../fuzz/src/stream/mod.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod stream;
#[path = "../support/mod.rs"]
mod support;

mod admission;
mod answers;
mod bacnet;
mod compare;
mod cotp;
mod digest;
mod dnp3;
mod enip;
mod fins;
mod ge_srtp;
mod handshake;
mod hart_ip;
mod head;
mod headers;
mod health;
mod icmp;
mod iec104;
mod inward;
mod judging;
mod known;
mod layer2;
mod layers;
mod lives;
mod mms;
mod neighbours;
mod opcua;
mod options;
mod ordinary;
mod profinet_cm;
mod properties;
mod requests;
mod resync;
mod rollout;
mod s7comm;
mod s7commplus;
mod scripts;
mod segments;
mod slmp;
mod slots;
mod streams;
mod umas;
