#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| enforcer_fuzz::stream::run(input));
