//! Link and network admission, row by row: each has its reason in every mode, on the sides it speaks of, and acts in
//! enforce only.

use enforcer_common::action::Action;
use enforcer_common::network::mapped;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason, Verdict};

use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::Policy;
use crate::support::wire::Wire;

const BROADCAST: [u8; 4] = [255; 4];

fn request() -> Vec<u8> {
    adu(1, 1, &Request::Read(3, 0, 10).pdu())
}

/// The reason of one frame, which all modes must give, and on which enforce alone acts. Conversations are open.
pub(crate) fn reason_by(policy: &Policy, side: Side, bytes: &[u8]) -> Reason {
    let seen = [Mode::Learn, Mode::Shadow, Mode::Enforce].map(|mode| Wire::open(policy, mode).frame(side, bytes));
    let [learn, shadow, enforce] = &seen;
    assert_eq!((learn.action, shadow.action), (Action::Forward, Action::Forward));
    assert_eq!((learn.reason, shadow.reason), (enforce.reason, enforce.reason));
    assert_eq!(enforce.action == Action::Forward, enforce.reason.verdict() != Verdict::Deny);
    enforce.reason
}

pub(crate) fn reason(side: Side, bytes: &[u8]) -> Reason {
    reason_by(&Policy::reads(), side, bytes)
}

fn packet(side: Side, from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(side, &[], 0x0800, &ipv4(from, to, protocol, &[], payload))
}

fn packet6(side: Side, from: [u8; 16], to: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(side, &[], 0x86dd, &ipv6(from, to, next, payload))
}

/// A segment of the open conversation, changed: the client's request or the server's acknowledgement.
pub(crate) fn segment(side: Side, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (from, to, mut segment) = match side {
        Side::Network => (HMI, PLC, tcp((40000, 502), 1000, 5000, ACK | PSH, &request())),
        Side::Device => (PLC, HMI, tcp((502, 40000), 5000, 1000, ACK, &[])),
    };
    change(&mut segment);
    packet(side, from, to, 6, &segment)
}

#[test]
fn a_priority_tag_is_no_tag_to_the_conversation() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    let segment = |sequence| ipv4(HMI, PLC, 6, &[], &tcp((40000, 502), sequence, 5000, ACK, &request()));
    for (sequence, tags) in [(1000, &[(0x8100, 0xe000)][..]), (1012, &[]), (1024, &[(0x88a8, 0), (0x8100, 0)])] {
        let seen = wire.frame(Side::Network, &ethernet(Side::Network, tags, 0x0800, &segment(sequence)));
        assert_eq!(seen.reason, Reason::RuleAllow, "{tags:x?}");
    }
    assert_eq!(wire.host.keys.len(), 1);
}

#[test]
fn addresses_that_no_sender_has() {
    for side in [Side::Network, Side::Device] {
        let to = if side == Side::Network { PLC } else { HMI };
        for from in [[0, 0, 0, 0], [0, 0, 0, 9], [127, 0, 0, 1], [224, 0, 0, 1], [239, 1, 1, 1], BROADCAST] {
            for (protocol, payload) in [(17, udp((40000, 502), &request())), (1, vec![8, 0, 0, 0, 0, 0, 0, 0])] {
                let frame = packet(side, from, to, protocol, &payload);
                assert_eq!(reason(side, &frame), Reason::InvalidAddress, "{from:?}");
            }
            let opening = tcp((40001, 502), 1, 0, SYN, &[]);
            assert_eq!(reason(side, &packet(side, from, to, 6, &opening)), Reason::InvalidAddress, "{from:?}");
        }
    }
    let mine = packet(Side::Network, [240, 0, 0, 1], PLC, 17, &udp((1, 2), &[]));
    assert_eq!(reason(Side::Network, &mine), Reason::UncoveredDeny, "reserved, and in use here and there");
}

#[test]
fn nobody_talks_to_himself_over_a_cable() {
    for (side, own, expected) in [
        (Side::Network, HMI, Reason::InvalidAddress),
        (Side::Network, PLC, Reason::SpoofedDevice),
        (Side::Device, PLC, Reason::InvalidAddress),
    ] {
        for (protocol, payload) in [(17, udp((502, 502), &request())), (6, tcp((502, 502), 1, 0, SYN, &[]))] {
            assert_eq!(reason(side, &packet(side, own, own, protocol, &payload)), expected, "{own:?}");
        }
    }
    let six = packet6(Side::Device, v6(2, 10), v6(2, 10), 17, &udp((502, 502), &request()));
    assert_eq!(reason(Side::Device, &six), Reason::InvalidAddress);
}

#[test]
fn addresses_that_no_receiver_has() {
    for to in [[0; 4], [127, 0, 0, 1]] {
        let frame = packet(Side::Network, HMI, to, 17, &udp((40000, 502), &request()));
        assert_eq!(reason(Side::Network, &frame), Reason::InvalidAddress, "{to:?}");
    }
    for to in [[224, 0, 0, 1], BROADCAST] {
        let datagram = packet(Side::Network, HMI, to, 17, &udp((40000, 502), &request()));
        assert_eq!(reason(Side::Network, &datagram), Reason::UncoveredDeny, "{to:?}");
        let opening = packet(Side::Network, HMI, to, 6, &tcp((40000, 502), 1, 0, SYN, &[]));
        assert_eq!(reason(Side::Network, &opening), Reason::InvalidAddress, "{to:?}");
    }
    // A cluster may have a group's address; a device may talk to it.
    for (side, expected) in [(Side::Network, Reason::InvalidAddress), (Side::Device, Reason::NoPayload)] {
        for first in [0xff, 0x01, 0x03] {
            let mut frame = segment(side, |_| ());
            frame[0] = first;
            assert_eq!(reason(side, &frame), expected, "{first:x}");
        }
    }
    let mut datagram = modbus_udp(&request());
    datagram[0] = 0xff;
    assert_eq!(reason(Side::Network, &datagram), Reason::RuleAllow, "a datagram may go to a group");
}

#[test]
fn ipv6_addresses_that_nobody_has() {
    let (hmi, plc) = (v6(1, 5), v6(2, 10));
    let low = |last| {
        let mut address = [0; 16];
        address[15] = last;
        address
    };
    let mut group = [0; 16];
    (group[0], group[1], group[15]) = (0xff, 2, 1);
    let datagram = udp((40000, 502), &request());
    for from in [low(0), low(1), group] {
        assert_eq!(reason(Side::Network, &packet6(Side::Network, from, plc, 17, &datagram)), Reason::InvalidAddress);
        assert_eq!(reason(Side::Device, &packet6(Side::Device, from, plc, 17, &datagram)), Reason::InvalidAddress);
    }
    for to in [low(0), low(1)] {
        assert_eq!(reason(Side::Network, &packet6(Side::Network, hmi, to, 17, &datagram)), Reason::InvalidAddress);
    }
    assert_eq!(reason(Side::Network, &packet6(Side::Network, hmi, group, 17, &datagram)), Reason::UncoveredDeny);
    let opening = tcp((40000, 502), 1, 0, SYN, &[]);
    assert_eq!(reason(Side::Network, &packet6(Side::Network, hmi, group, 6, &opening)), Reason::InvalidAddress);
    // Before a station has an address it asks whether it may, and who routes.
    let ask =
        |kind: u8| packet6(Side::Network, low(0), group, 58, &[&[kind, 0, 0, 0, 0, 0, 0, 0][..], &v6(1, 9)].concat());
    for (kind, expected) in [(133, false), (135, false), (128, true), (136, true), (143, true)] {
        assert_eq!(reason(Side::Network, &ask(kind)) == Reason::InvalidAddress, expected, "{kind}");
    }
}

#[test]
fn who_has_no_address_yet_may_ask_for_one() {
    let policy = Policy { uncovered: Reason::UncoveredLog, ..Policy::reads() };
    let from_nobody = |protocol, payload: &[u8]| packet(Side::Device, [0; 4], BROADCAST, protocol, payload);
    let by = |frame: &[u8]| reason_by(&policy, Side::Device, frame);
    assert_eq!(by(&from_nobody(17, &udp((68, 67), &[1; 40]))), Reason::UncoveredLog);
    assert_eq!(by(&from_nobody(17, &udp((67, 68), &[1; 40]))), Reason::InvalidAddress);
    assert_eq!(by(&from_nobody(2, &[0x11; 8])), Reason::UnknownTransport, "a group report needs a conduit");
}

#[test]
fn a_packet_is_not_longer_than_a_cable_carries() {
    let long = |size: usize| vec![0; size];
    for side in [Side::Network, Side::Device] {
        let (from, to, ports) = if side == Side::Network { (HMI, PLC, (5, 80)) } else { (PLC, HMI, (80, 5)) };
        for (size, expected) in [(1460, Reason::Conduit), (1461, Reason::FrameTooLarge), (9000, Reason::FrameTooLarge)]
        {
            let frame = packet(side, from, to, 6, &tcp(ports, 1, 1, ACK, &long(size)));
            assert_eq!(reason(side, &frame), expected, "{size}");
            let tagged = ethernet(side, &[(0x8100, 1), (0x8100, 2)], 0x0800, &frame[14..]);
            assert_eq!(reason(side, &tagged), expected, "{size} behind tags");
        }
    }
    let (hmi, plc) = (v6(1, 5), v6(2, 10));
    for (size, large) in [(1452, false), (1453, true)] {
        let frame = packet6(Side::Network, hmi, plc, 17, &udp((5, 6), &long(size)));
        assert_eq!(reason(Side::Network, &frame) == Reason::FrameTooLarge, large);
    }
    let mut fragment = packet(Side::Network, HMI, PLC, 17, &long(1500));
    fragment[20] = 0x20;
    let policy = Policy { fragments: Reason::FragmentAllow, ..Policy::reads() };
    assert_eq!(reason_by(&policy, Side::Network, &fragment), Reason::FrameTooLarge, "fragments allowed or not");
    fragment[16..18].copy_from_slice(&be(1500));
    assert_eq!(reason_by(&policy, Side::Network, &fragment), Reason::FragmentAllow);
}

#[test]
fn what_is_denied_for_its_size_or_address_still_names_what_is_inside() {
    for mode in [Mode::Shadow, Mode::Enforce] {
        let mut wire = Wire::open(&Policy::reads(), mode);
        let many: Vec<u8> = (0..150).flat_map(|_| request()).collect();
        let seen = wire.ask(&many[..1500]);
        assert_eq!((seen.reason, seen.operations[0].fault), (Reason::FrameTooLarge, Reason::FrameTooLarge as u8));
        assert!(seen.operations.len() > 30, "{}", seen.operations.len());
        let next = if mode == Mode::Shadow { 2500 } else { 1000 };
        assert_eq!(wire.host.flows[0].network.next, next, "the stream goes on with what was forwarded");
        let lone = packet(Side::Network, [127, 0, 0, 1], PLC, 17, &udp((5, 502), &request()));
        let policy = Policy { uncovered: Reason::UncoveredAllow, ..Policy::reads() };
        let seen = Wire::new(&policy, mode).frame(Side::Network, &lone);
        assert_eq!((seen.reason, seen.operations.len(), seen.conduit), (Reason::InvalidAddress, 2, 0));
    }
}

#[test]
fn ipv4_options_are_stepped_over_where_the_policy_says_so() {
    let router_alert = [0x94, 4, 0, 0];
    let with = |options: &[u8], payload: &[u8]| {
        ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 6, options, &tcp((40000, 502), 1000, 5000, ACK, payload)))
    };
    let write = adu(1, 1, &Request::Register(1, 1).pdu());
    let allowed = Policy { ip_options: true, ..Policy::reads() };
    for words in 1..=10 {
        let options = router_alert.repeat(words);
        assert_eq!(reason(Side::Network, &with(&options, &request())), Reason::NetworkOptions);
        assert_eq!(reason_by(&allowed, Side::Network, &with(&options, &request())), Reason::RuleAllow);
        assert_eq!(reason_by(&allowed, Side::Network, &with(&options, &write)), Reason::FunctionNotAllowed);
    }
    let mut short = with(&router_alert, &[]);
    short[16..18].copy_from_slice(&be(23));
    assert_eq!(reason_by(&allowed, Side::Network, &short), Reason::MalformedNetwork, "options beyond the packet");
}

#[test]
fn tunnels_need_a_conduit_that_names_them() {
    for side in [Side::Network, Side::Device] {
        let (from, to) = if side == Side::Network { (HMI, PLC) } else { (PLC, HMI) };
        for uncovered in [Reason::UncoveredDeny, Reason::UncoveredAllow] {
            let policy = Policy { uncovered, ..Policy::reads() };
            for (number, expected) in
                [(47, Reason::Conduit), (50, Reason::UnknownTransport), (4, Reason::UnknownTransport)]
            {
                let frame = packet(side, from, to, number, &[0; 16]);
                assert_eq!(reason_by(&policy, side, &frame), expected, "{number}");
            }
            let stranger = packet(Side::Network, STRANGER, PLC, 47, &[0; 16]);
            assert_eq!(reason_by(&policy, Side::Network, &stranger), Reason::UnknownTransport);
        }
        let spoofed = packet(Side::Network, PLC, HMI, 47, &[0; 16]);
        assert_eq!(reason(Side::Network, &spoofed), Reason::SpoofedDevice);
    }
}

#[test]
fn flags_that_belong_to_no_conversation() {
    for flags in 0..=255u8 {
        let frame = segment(Side::Network, |bytes| {
            bytes[13] = flags;
            bytes.truncate(20);
        });
        let has = |flag: u8| flags & flag != 0;
        let invalid = !has(SYN | RST | ACK) || has(SYN) && has(FIN | RST) || has(FIN) && !has(ACK);
        let found = reason(Side::Network, &frame);
        assert_eq!(found == Reason::InvalidFlags, invalid, "{flags:08b}: {found:?}");
        assert_eq!(found == Reason::UrgentData, !invalid && has(0x20), "{flags:08b}: {found:?}");
    }
    for bit in 0..4 {
        let with = |side| segment(side, |bytes| bytes[12] |= 1 << bit);
        let expected = if bit == 0 { Reason::RuleAllow } else { Reason::InvalidFlags };
        assert_eq!(reason(Side::Network, &with(Side::Network)), expected, "reserved bit {bit}");
        assert_eq!(reason(Side::Device, &with(Side::Device)), Reason::NoPayload);
    }
}

#[test]
fn urgent_data_is_for_no_device() {
    for (flags, pointer) in [(0x20, 0), (0, 1), (0, 0x100), (0x20, 5)] {
        let with = |side| {
            segment(side, |bytes| {
                bytes[13] |= flags;
                bytes[18..20].copy_from_slice(&be(pointer));
            })
        };
        assert_eq!(reason(Side::Network, &with(Side::Network)), Reason::UrgentData);
        assert_eq!(reason(Side::Device, &with(Side::Device)), Reason::NoPayload);
    }
}

#[test]
fn a_conduit_that_only_watches_stays_so() {
    let policy = Policy { mode: Mode::Shadow, ..Policy::reads() };
    let urgent = segment(Side::Network, |bytes| bytes[13] |= 0x20);
    let mut wire = Wire::open(&policy, Mode::Enforce);
    let seen = wire.frame(Side::Network, &urgent);
    assert_eq!((seen.reason, seen.action, seen.conduit), (Reason::UrgentData, Action::Forward, 1));
    // Nothing of it is kept: no conversation begins with a frame that is refused.
    let mut wire = Wire::new(&Policy::reads(), Mode::Shadow);
    wire.frame(Side::Network, &urgent);
    assert!(wire.host.keys.is_empty() && wire.host.half_open.is_empty());
}

#[test]
fn mapped_addresses_are_none_on_a_cable() {
    for odd in [[127, 0, 0, 1], [224, 0, 0, 1]] {
        let frame = packet6(Side::Network, mapped(odd), v6(2, 10), 17, &udp((1, 2), &[]));
        assert_eq!(reason(Side::Network, &frame), Reason::MalformedNetwork);
    }
}
