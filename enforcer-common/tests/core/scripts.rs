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

/// Of a conversation that was open before the box came: a SYN passes beside the bytes that went by, the device answers it,
/// and a byte of the new numbering must not pass for one that the device has.
#[test]
fn a_syn_beside_what_went_by() {
    stream::run(&[
        0, 8, 0, 162, 90, 75, 74, 0, 0, 123, 6, 0, 240, 71, 42, 0, 0, 119, 0, 40, 0, 66, 0, 0, 0, 0, 0, 0, 0, 25, 105,
        216, 44, 0, 0, 4, 12, 1, 0, 15, 24,
    ]);
}

/// Bytes behind a gap, of a conversation that then loses its slot: the device may hold them.
#[test]
fn what_went_ahead_outlives_the_slot() {
    stream::run(&[
        0, 10, 0, 32, 134, 128, 0, 152, 15, 37, 151, 0, 135, 18, 131, 1, 1, 29, 15, 27, 138, 0, 0, 141, 18, 151,
    ]);
}

/// A copy of the SYN behind bytes that the device then acknowledges, before it begins anew for the copy.
#[test]
fn a_copy_of_the_syn_behind_bytes() {
    stream::run(&[0, 0, 0, 0, 152, 20, 151, 0, 132, 12, 12, 0, 135, 134, 0, 0, 151, 0, 140, 128, 0, 131, 12, 1, 151]);
}
