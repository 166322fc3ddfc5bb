#![no_main]

use enforcer_common::protocol::Protocol;

libfuzzer_sys::fuzz_target!(|input: &[u8]| enforcer_fuzz::frame::run_protocol(Protocol::Mms, input));
