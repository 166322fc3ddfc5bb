//! Plain frames are read by offsets that are known beforehand. What is found in them is what is found without.

use enforcer_common::bytes::Bytes;
use enforcer_common::decide::decide;
use enforcer_common::head::{Head, LENGTH};
use enforcer_common::port::Side;
use enforcer_common::verdict::Mode;

use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::Policy;
use crate::support::wire::Wire;

/// A frame that does not give its head.
struct Headless<'a>(&'a [u8]);

impl Bytes for Headless<'_> {
    fn length(&self) -> u32 {
        self.0.length()
    }

    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        if N as u32 == LENGTH { None } else { self.0.read::<N>(offset) }
    }
}

/// Two boxes that see the same frames, one of them headless.
struct Pair([Wire; 2]);

impl Pair {
    fn new(mode: Mode) -> Self {
        Self([(); 2].map(|()| Wire::open(&Policy::reads(), mode)))
    }

    fn see(&mut self, side: Side, frame: &[u8]) {
        let [with, without] = &mut self.0;
        for wire in [&mut *with, &mut *without] {
            wire.host.frame = frame.to_vec();
        }
        let actions = [
            decide(frame, side, &with.policy, &mut with.host, &mut with.scratch),
            decide(&Headless(frame), side, &without.policy, &mut without.host, &mut without.scratch),
        ];
        let found = [&*with, &*without].map(|wire| {
            let scratch = &wire.scratch;
            (scratch.frame, scratch.path, scratch.stream, scratch.outcome, scratch.count)
        });
        assert_eq!(found[0], found[1], "{side:?} {frame:02x?}");
        assert_eq!(actions[0], actions[1], "{side:?} {frame:02x?}");
    }
}

fn frames() -> Vec<(Side, Vec<u8>)> {
    let read = adu(1, 1, &Request::Read(3, 0, 10).pdu());
    let from = |side, transport, options: &[u8], segment: &[u8]| {
        let (from, to) = if side == Side::Network { (HMI, PLC) } else { (PLC, HMI) };
        (side, ethernet(side, &[], 0x0800, &ipv4(from, to, transport, options, segment)))
    };
    let mut frames = Vec::new();
    for length in [0, 1, 5, 12, 31, 32, 33, 64, 200] {
        let payload: Vec<u8> = read.iter().copied().cycle().take(length).collect();
        for side in [Side::Network, Side::Device] {
            let ports = if side == Side::Network { (40000, 502) } else { (502, 40000) };
            let sequences = if side == Side::Network { [1000, 5000] } else { [5000, 1000] };
            frames.push(from(side, 6, &[], &tcp(ports, sequences[0], sequences[1], ACK | PSH, &payload)));
            frames.push(from(side, 17, &[], &udp(ports, &payload)));
        }
    }
    frames.push(from(Side::Network, 1, &[], &[8, 0, 0xf7, 0xff, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]));
    frames.push(from(Side::Network, 47, &[], &[0; 30]));
    frames.push(from(Side::Network, 6, &[1, 1, 1, 0], &tcp((40000, 502), 1000, 5000, ACK, &read)));
    frames.push((Side::Network, ethernet(Side::Network, &[(0x8100, 5)], 0x0800, &frames[2].1[14..])));
    frames.push((Side::Network, ethernet(Side::Network, &[], 0x86dd, &frames[2].1[14..])));
    frames
}

#[test]
fn what_is_found_in_a_plain_frame_is_what_is_found_without_its_head() {
    for mode in [Mode::Shadow, Mode::Enforce] {
        for (side, frame) in frames() {
            let mut pair = Pair::new(mode);
            pair.see(side, &frame);
            for at in 0..frame.len().min(80) {
                for change in [1, 0x10, 0x80, 0xff, frame[at]] {
                    let mut other = frame.clone();
                    other[at] ^= change;
                    pair.see(side, &other);
                }
            }
            for length in 0..frame.len() {
                pair.see(side, &frame[..length]);
                // And what lies behind the packet.
                pair.see(side, &[&frame[..], &vec![0xa5; length % 7]].concat());
            }
            pair.see(side, &frame);
        }
    }
}

#[test]
fn a_head_is_of_plain_frames_alone() {
    let plain: Vec<bool> = frames().iter().map(|(_, frame)| Head::of(&**frame).is_some()).collect();
    let long = |frame: &[u8]| frame.len() >= LENGTH as usize;
    let expected: Vec<bool> = frames().iter().map(|(_, frame)| long(frame) && frame[12..15] == [8, 0, 0x45]).collect();
    assert_eq!(plain, expected);
    assert!(plain.iter().any(|plain| *plain) && plain.iter().any(|plain| !plain));
}
