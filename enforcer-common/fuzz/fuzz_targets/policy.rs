#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| enforcer_fuzz::policy::run(input));
