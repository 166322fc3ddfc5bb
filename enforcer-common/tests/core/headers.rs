//! Link, network and transport: every way in which a frame cannot be located has its reason.

use enforcer_common::action::Action;
use enforcer_common::link;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::Policy;
use crate::support::wire::{Seen, Wire};

fn request() -> Vec<u8> {
    adu(1, 1, &Request::Read(3, 0, 10).pdu())
}

/// One frame from the network side, in shadow and in enforce, which must agree.
fn judge(bytes: &[u8]) -> Seen {
    let policy = Policy::reads();
    let shadow = Wire::new(&policy, Mode::Shadow).frame(Side::Network, bytes);
    let enforce = Wire::new(&policy, Mode::Enforce).frame(Side::Network, bytes);
    assert_eq!(shadow.reason, enforce.reason);
    assert_eq!(shadow.operations, enforce.operations);
    assert_eq!(shadow.action, Action::Forward);
    enforce
}

fn reason(bytes: &[u8]) -> Reason {
    judge(bytes).reason
}

fn packet(options: &[u8], payload: &[u8]) -> Vec<u8> {
    ipv4(HMI, PLC, 17, options, &udp((40000, 502), payload))
}

fn plain(packet: &[u8]) -> Vec<u8> {
    ethernet(Side::Network, &[], 0x0800, packet)
}

#[test]
fn a_frame_cut_at_any_byte_is_truncated() {
    let tcp6 = ipv6(v6(1, 5), v6(2, 10), 6, &tcp((40000, 502), 1000, 1, ACK, &request()));
    let tagged = ethernet(Side::Network, &[(0x88a8, 3), (0x8100, 5)], 0x86dd, &tcp6);
    for whole in [modbus_tcp(1000, ACK, &request()), modbus_udp(&request()), tagged] {
        assert_eq!(reason(&whole), Reason::RuleAllow);
        for length in 0..whole.len() {
            assert_eq!(reason(&whole[..length]), Reason::Truncated, "{length} of {}", whole.len());
        }
    }
}

#[test]
fn up_to_two_tags_are_read_and_a_third_is_refused() {
    let tags = [(0x8100, 0x2005), (0x88a8, 7), (0x9100, 9)];
    for count in 0..=2 {
        for rotate in 0..3 {
            let mut tags = tags;
            tags.rotate_left(rotate);
            let frame = ethernet(Side::Network, &tags[..count], 0x0800, &packet(&[], &request()));
            assert_eq!(reason(&frame), Reason::RuleAllow, "{count} tags");
        }
    }
    let frame = ethernet(Side::Network, &tags, 0x0800, &packet(&[], &request()));
    assert_eq!(reason(&frame), Reason::VlanDepth);
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    wire.frame(Side::Network, &ethernet(Side::Network, &tags[..2], 0x0800, &packet(&[], &request())));
    assert_eq!((wire.scratch.frame.tags, wire.scratch.frame.vlan), (2, [0x2005, 7]));
    assert_eq!([0, 1].map(|index| link::tag_type(&wire.scratch.frame, index)), [0x8100, 0x88a8]);
}

#[test]
fn frames_that_are_not_ip_are_judged_by_type() {
    let by_type = |ethertype, payload: &[u8]| reason(&ethernet(Side::Network, &[], ethertype, payload));
    assert_eq!(by_type(0x0806, &arp(CLIENT_MAC, HMI)), Reason::EthernetAllow);
    assert_eq!(by_type(0x88cc, &[0; 28]), Reason::EthernetLog);
    assert_eq!(by_type(0x8892, &[0; 28]), Reason::EthernetDeny);
    assert_eq!(by_type(0x88b8, &[0; 28]), Reason::UncoveredDeny);
    assert_eq!(by_type(38, &[0x42, 0x42, 3, 0, 0]), Reason::EthernetAllow, "spanning tree");
    assert_eq!(by_type(38, &[0xe0, 0xe0, 3, 0, 0]), Reason::UncoveredDeny);
    assert_eq!(by_type(38, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), Reason::MalformedLink, "SNAP");
    assert_eq!(by_type(38, &[]), Reason::Truncated);
    let tagged = ethernet(Side::Network, &[(0x8100, 1)], 38, &[0xaa, 0xaa, 3]);
    assert_eq!(reason(&tagged), Reason::MalformedLink);
}

#[test]
fn the_device_is_only_on_the_device_side() {
    let by_mac = ethernet(Side::Device, &[], 0x0806, &[0; 28]);
    assert_eq!(reason(&by_mac), Reason::SpoofedDevice);
    let by_address = plain(&ipv4(PLC, HMI, 17, &[], &udp((502, 40000), &request())));
    assert_eq!(reason(&by_address), Reason::SpoofedDevice);
    let by_address6 = ipv6(v6(2, 10), v6(1, 5), 17, &udp((502, 40000), &request()));
    assert_eq!(reason(&ethernet(Side::Network, &[], 0x86dd, &by_address6)), Reason::SpoofedDevice);
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    let segment = ipv4(HMI, PLC, 6, &[], &tcp((40000, 502), 1000, 5000, ACK, &request()));
    let seen = wire.frame(Side::Network, &ethernet(Side::Device, &[], 0x0800, &segment));
    assert_eq!(seen.reason, Reason::SpoofedDevice, "on a live flow too");
}

#[test]
fn ipv4_headers_that_contradict_themselves() {
    let with = |at: usize, bytes: &[u8]| {
        let mut packet = packet(&[], &request());
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        reason(&plain(&packet))
    };
    assert_eq!(with(0, &[0x55]), Reason::MalformedNetwork, "version");
    assert_eq!(with(0, &[0x44]), Reason::MalformedNetwork, "header length");
    assert_eq!(with(2, &[0, 19]), Reason::MalformedNetwork, "total length");
    assert_eq!(with(2, &[0, 39]), Reason::MalformedTransport, "shorter than the datagram");
    assert_eq!(with(2, &[0, 41]), Reason::Truncated, "longer than the frame");
    assert_eq!(with(6, &[0x20, 0]), Reason::Fragment, "first");
    assert_eq!(with(6, &[0, 1]), Reason::Fragment, "last");
    assert_eq!(with(6, &[0x3f, 0xff]), Reason::Fragment, "middle");
    assert_eq!(with(9, &[41]), Reason::UnknownTransport, "IPv6 in IPv4");
    assert_eq!(reason(&plain(&packet(&[1, 1, 1, 0], &request()))), Reason::NetworkOptions);
}

#[test]
fn fragments_pass_when_the_policy_says_so() {
    let policy = Policy { fragments: Reason::FragmentAllow, ..Policy::reads() };
    let mut packet = packet(&[], &request());
    packet[6] = 0x20;
    let seen = Wire::new(&policy, Mode::Enforce).frame(Side::Network, &plain(&packet));
    assert_eq!((seen.reason, seen.action), (Reason::FragmentAllow, Action::Forward));
}

#[test]
fn payload_ends_where_ip_says() {
    let mut padded = modbus_tcp(1000, ACK, &request());
    padded.extend([0xff; 20]);
    let seen = judge(&padded);
    assert_eq!((seen.reason, seen.operations.len()), (Reason::RuleAllow, 1), "padding is not payload");
    let mut hidden = ipv4(HMI, PLC, 6, &[], &tcp((40000, 502), 1000, 1, ACK, &request()));
    hidden[2..4].copy_from_slice(&be(46));
    assert_eq!(reason(&plain(&hidden)), Reason::SplitUnit, "half the unit lies behind the IP length");
}

#[test]
fn ipv6_is_judged_like_ipv4_and_its_extension_headers_are_refused() {
    let next =
        |next, payload: &[u8]| reason(&ethernet(Side::Network, &[], 0x86dd, &ipv6(v6(1, 5), v6(2, 10), next, payload)));
    assert_eq!(next(17, &udp((40000, 502), &request())), Reason::RuleAllow);
    assert_eq!(next(58, &[128, 0, 0, 0, 0, 0, 0, 0]), Reason::Conduit);
    assert_eq!(next(44, &[17, 0, 0, 0, 0, 0, 0, 0]), Reason::Fragment, "atomic fragment");
    for header in [0, 43, 60, 135] {
        assert_eq!(next(header, &[17, 0, 0, 0, 0, 0, 0, 0]), Reason::ExtensionHeader);
    }
    for header in [50, 51, 59, 4, 41, 132] {
        assert_eq!(next(header, &[0; 16]), Reason::UnknownTransport);
    }
    let mut wrong = ipv6(v6(1, 5), v6(2, 10), 17, &udp((40000, 502), &request()));
    wrong[0] = 0x40;
    assert_eq!(reason(&ethernet(Side::Network, &[], 0x86dd, &wrong)), Reason::MalformedNetwork);
}

#[test]
fn ipv4_addresses_in_ipv6_are_malformed() {
    use enforcer_common::network::mapped;
    for (from, to) in [(mapped(HMI), mapped(PLC)), (mapped(HMI), v6(2, 10)), (v6(1, 5), mapped(PLC))] {
        let packet = ipv6(from, to, 17, &udp((40000, 502), &request()));
        assert_eq!(reason(&ethernet(Side::Network, &[], 0x86dd, &packet)), Reason::MalformedNetwork);
    }
}

#[test]
fn transport_headers_that_contradict_themselves() {
    for length in [0, 7, 19, 21, 65535] {
        let mut datagram = udp((40000, 502), &request());
        datagram[4..6].copy_from_slice(&be(length));
        assert_eq!(reason(&plain(&ipv4(HMI, PLC, 17, &[], &datagram))), Reason::MalformedTransport, "{length}");
    }
    for offset in [0x00, 0x40, 0xf0] {
        let mut segment = tcp((40000, 502), 1000, 1, ACK, &request());
        segment[12] = offset;
        assert_eq!(reason(&plain(&ipv4(HMI, PLC, 6, &[], &segment))), Reason::MalformedTransport, "{offset}");
    }
    let mut options = tcp((40000, 502), 1000, 1, ACK, &[&[1, 1, 1, 0][..], &request()].concat());
    options[12] = 0x60;
    assert_eq!(reason(&plain(&ipv4(HMI, PLC, 6, &[], &options))), Reason::RuleAllow, "TCP options are not payload");
}

#[test]
fn frames_for_the_box_itself_are_its_own() {
    let mut frame = modbus_udp(&request());
    frame[..6].copy_from_slice(&[0x02, 0, 0, 0, 0, 0xbb]);
    assert_eq!(reason(&frame), Reason::Management);
}

#[test]
fn only_the_first_buffer_of_several_is_not_enough() {
    use enforcer_common::decide::{Next, walk};
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    let frame = modbus_udp(&request());
    let next = walk(&frame[..50], frame.len() as u32, Side::Network, &wire.policy, &mut wire.host, &mut wire.scratch);
    assert_eq!(next, Next::Judge);
    assert_eq!(Reason::from_code(wire.scratch.outcome), Some(Reason::MultiBuffer));
}
