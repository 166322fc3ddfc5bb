//! TCP options: what passes, what does not, and that a walk through any bytes ends.

use enforcer_common::port::Side;
use enforcer_common::verdict::Reason;
use proptest::prelude::*;

use super::admission::{reason, segment};
use crate::support::frames::*;

/// The open conversation's segment with these options, padded as given.
fn with(side: Side, flags: u8, options: &[u8], padding: u8) -> Vec<u8> {
    segment(side, |bytes| {
        let mut list = options.to_vec();
        list.resize(list.len().next_multiple_of(4), padding);
        bytes[12] = ((5 + list.len() / 4) << 4) as u8;
        bytes[13] = flags;
        let payload = if flags & SYN == 0 { bytes.split_off(20) } else { Vec::new() };
        bytes.truncate(20);
        bytes.extend(list);
        bytes.extend(payload);
    })
}

fn found(flags: u8, options: &[u8]) -> Reason {
    reason(Side::Network, &with(Side::Network, flags, options, 1))
}

const TIMESTAMP: [u8; 12] = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8];

#[test]
fn what_real_stacks_send_passes() {
    let linux = [&[2, 4, 5, 180, 4, 2][..], &TIMESTAMP[2..], &[1, 3, 3, 7]].concat();
    let windows = [2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2];
    for options in [&linux[..], &windows, &[2, 4, 2, 24], &[]] {
        assert_eq!(found(SYN, options), Reason::NoPayload, "{options:x?}");
    }
    let blocks = |count: u8| [&[1, 1, 5, 2 + 8 * count][..], &vec![7; 8 * usize::from(count)]].concat();
    for options in [&TIMESTAMP[..], &blocks(1), &blocks(4), &[&TIMESTAMP[..], &blocks(3)].concat(), &[1; 40], &[0; 40]]
    {
        assert_eq!(found(ACK, options), Reason::RuleAllow, "{options:x?}");
    }
    assert_eq!(found(ACK, &[&[0][..], &[30; 39]].concat()), Reason::RuleAllow, "behind the end is padding");
}

#[test]
fn what_is_malformed_out_of_place_or_changes_the_stream() {
    for options in [&[8, 0][..], &[8, 1], &[8, 11], &[5, 9], &[5, 2], &[5, 42], &[1, 1, 1, 8], &[0x77, 2]] {
        assert_eq!(found(ACK, options), Reason::TcpOption, "{options:x?}");
    }
    for syn_only in [&[2, 4, 5, 180][..], &[3, 3, 7], &[4, 2], &[34, 2], &[254, 4, 0xf9, 0x89]] {
        assert_eq!(found(ACK, syn_only), Reason::TcpOption, "{syn_only:x?}");
    }
    let signature = [&[19, 18][..], &[0; 16]].concat();
    let authentication = [&[29, 16][..], &[0; 14]].concat();
    for anywhere in [&signature[..], &authentication, &[30, 4, 0, 0x81], &[34, 2], &[254, 4, 0xf9, 0x89], &[253, 2]] {
        assert_eq!(found(SYN, anywhere), Reason::TcpOption, "{anywhere:x?}");
        assert_eq!(found(ACK, anywhere), Reason::TcpOption, "{anywhere:x?}");
    }
    for twice in [&[2, 4, 5, 180][..], &[3, 3, 7], &[4, 2]] {
        assert_eq!(found(SYN, &[twice, twice].concat()), Reason::TcpOption, "{twice:x?}");
    }
    for wrong_length in [&[2, 3, 5][..], &[3, 4, 7, 7], &[4, 3, 0]] {
        assert_eq!(found(SYN, wrong_length), Reason::TcpOption, "{wrong_length:x?}");
    }
}

#[test]
fn what_the_device_sends_is_not_held_against_it() {
    for options in [&[2, 4, 5, 180][..], &[30, 4, 0, 0x81], &[8, 0]] {
        assert_eq!(reason(Side::Device, &with(Side::Device, ACK, options, 1)), Reason::NoPayload);
    }
}

/// RFC 9293 3.1 as a loop over a list, for comparison.
fn naive(options: &[u8], syn: bool) -> bool {
    let (mut rest, mut seen) = (options, Vec::new());
    loop {
        match rest {
            [] | [0, ..] => return true,
            [1, tail @ ..] => rest = tail,
            [kind, length, ..] if *length >= 2 && usize::from(*length) <= rest.len() => {
                let fits = match kind {
                    2 => *length == 4 && syn,
                    3 => *length == 3 && syn,
                    4 => *length == 2 && syn,
                    5 => [10, 18, 26, 34].contains(length),
                    8 => *length == 10,
                    _ => false,
                };
                if !fits || [2, 3, 4].contains(kind) && seen.contains(kind) {
                    return false;
                }
                seen.push(*kind);
                rest = &rest[usize::from(*length)..];
            }
            _ => return false,
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_like_a_plain_loop(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(vec![1]), Just(vec![2, 4, 5, 180]), Just(vec![3, 3, 7]), Just(vec![4, 2]), Just(TIMESTAMP.to_vec()),
                Just(vec![5, 10, 0, 0, 0, 0, 0, 0, 0, 0]), prop::collection::vec(0u8..12, 1..4),
            ],
            0..8,
        ),
        syn: bool,
    ) {
        let mut options = pieces.concat();
        options.truncate(40);
        options.resize(options.len().next_multiple_of(4), 1);
        let denied = found(if syn { SYN } else { ACK }, &options) == Reason::TcpOption;
        prop_assert_eq!(denied, !naive(&options, syn));
    }
}
