//! The scripts of the stream fuzzer, made at random: see `fuzz/src/stream`.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::stream;

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_device_delivers_what_was_judged(script in vec(any::<u8>(), 4..240)) {
        stream::run(&[&[0], &*script].concat());
    }

    #[test]
    fn what_a_sound_client_asks_for_arrives(script in vec(any::<u8>(), 4..240)) {
        stream::run(&[&[1], &*script].concat());
    }
}
