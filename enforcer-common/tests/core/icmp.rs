//! ICMP and ICMPv6 from the network side, on a conduit that allows ICMP.

use enforcer_common::action::Action;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use super::admission::reason;
use crate::support::frames::*;
use crate::support::policy::Policy;
use crate::support::wire::Wire;

fn v4(side: Side, message: &[u8]) -> Vec<u8> {
    let (from, to) = if side == Side::Network { (HMI, PLC) } else { (PLC, HMI) };
    ethernet(side, &[], 0x0800, &ipv4(from, to, 1, &[], message))
}

fn six(side: Side, message: &[u8]) -> Vec<u8> {
    let (from, to) = if side == Side::Network { (v6(1, 5), v6(2, 10)) } else { (v6(2, 10), v6(1, 5)) };
    ethernet(side, &[], 0x86dd, &ipv6(from, to, 58, message))
}

/// A header with the MTU where errors have it, then what is quoted.
fn message(kind: u8, code: u8, mtu: u32, quoted: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0][..], &mtu.to_be_bytes(), quoted].concat()
}

#[test]
fn kinds_that_redirect_map_or_narrow_the_way_do_not_pass() {
    for kind in 0..=255 {
        let passes = matches!(kind, 0 | 3 | 8 | 11 | 12);
        let expected = if passes { Reason::Conduit } else { Reason::IcmpType };
        assert_eq!(reason(Side::Network, &v4(Side::Network, &message(kind, 0, 0, &[0; 28]))), expected, "{kind}");
        assert_eq!(reason(Side::Device, &v4(Side::Device, &message(kind, 0, 0, &[0; 28]))), Reason::Conduit, "{kind}");
        let passes = matches!(kind, 1 | 3 | 4 | 128 | 129);
        let expected = if passes { Reason::Conduit } else { Reason::IcmpType };
        if !matches!(kind, 133 | 135 | 136) {
            assert_eq!(reason(Side::Network, &six(Side::Network, &message(kind, 0, 0, &[0; 28]))), expected, "{kind}");
        }
        assert_eq!(reason(Side::Device, &six(Side::Device, &message(kind, 0, 0, &[0; 28]))), Reason::Conduit, "{kind}");
    }
    let crossed = ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 58, &[], &message(128, 0, 0, &[])));
    assert_eq!(reason(Side::Network, &crossed), Reason::IcmpType, "ICMPv6 in IPv4");
    for length in 0..8 {
        let cut = v4(Side::Network, &message(8, 0, 0, &[])[..length]);
        assert_eq!(reason(Side::Network, &cut), Reason::MalformedTransport, "{length}");
    }
    let stranger = ethernet(Side::Network, &[], 0x0800, &ipv4(STRANGER, PLC, 1, &[], &message(5, 0, 0, &[0; 28])));
    assert_eq!(reason(Side::Network, &stranger), Reason::UncoveredDeny, "no conduit comes first");
}

/// A segment that the PLC sent on the open conversation, as an error on its way quotes it.
fn sent_by_plc() -> Vec<u8> {
    ipv4(PLC, HMI, 6, &[], &tcp((502, 40000), 5000, 1000, ACK, &[]))
}

#[test]
fn packet_too_big_must_quote_a_conversation_and_be_possible() {
    let about = |mtu, quoted: &[u8]| reason(Side::Network, &v4(Side::Network, &message(3, 4, mtu, quoted)));
    assert_eq!(about(576, &sent_by_plc()), Reason::Conduit);
    assert_eq!(about(1400, &sent_by_plc()[..28]), Reason::Conduit, "eight bytes of it are enough");
    for mtu in [0, 68, 575] {
        assert_eq!(about(mtu, &sent_by_plc()), Reason::IcmpType, "{mtu}");
    }
    let with_options = ipv4(PLC, HMI, 6, &[1; 8], &tcp((502, 40000), 5000, 1000, ACK, &[]));
    assert_eq!(about(1400, &with_options), Reason::Conduit);
    let other_port = ipv4(PLC, HMI, 6, &[], &tcp((502, 40001), 5000, 1000, ACK, &[]));
    let by_client = ipv4(HMI, PLC, 6, &[], &tcp((40000, 502), 1000, 5000, ACK, &[]));
    let datagram = ipv4(PLC, HMI, 17, &[], &udp((502, 40000), &[]));
    let mut wrong_version = sent_by_plc();
    wrong_version[0] = 0x65;
    let mut short_header = sent_by_plc();
    short_header[0] = 0x44;
    for quoted in [&other_port[..], &by_client, &datagram, &wrong_version, &short_header, &sent_by_plc()[..20], &[]] {
        assert_eq!(about(1400, quoted), Reason::IcmpType, "{quoted:x?}");
    }
    let mut padded = v4(Side::Network, &message(3, 4, 1400, &sent_by_plc()[..20]));
    padded.extend([1, 0xf6, 0x9c, 0x40]);
    assert_eq!(reason(Side::Network, &padded), Reason::IcmpType, "padding quotes nothing");
}

#[test]
fn packet_too_big_of_ipv6_does_the_same() {
    let (hmi, plc) = (v6(1, 5), v6(2, 10));
    let opening = ethernet(Side::Network, &[], 0x86dd, &ipv6(hmi, plc, 6, &tcp((40000, 502), 999, 0, SYN, &[])));
    let about = |mtu, source, ports| {
        let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
        wire.frame(Side::Network, &opening);
        let answer = ipv6(plc, hmi, 6, &tcp((502, 40000), 4999, 1000, SYN | ACK, &[]));
        wire.frame(Side::Device, &ethernet(Side::Device, &[], 0x86dd, &answer));
        let heard = ipv6(hmi, plc, 6, &tcp((40000, 502), 1000, 5000, ACK, &[]));
        wire.frame(Side::Network, &ethernet(Side::Network, &[], 0x86dd, &heard));
        let quoted = ipv6(source, hmi, 6, &tcp(ports, 5000, 1000, ACK, &[]));
        wire.frame(Side::Network, &six(Side::Network, &message(2, 0, mtu, &quoted))).reason
    };
    assert_eq!(about(1280, plc, (502, 40000)), Reason::Conduit);
    assert_eq!(about(1279, plc, (502, 40000)), Reason::IcmpType);
    assert_eq!(about(1400, plc, (502, 40001)), Reason::IcmpType);
    assert_eq!(about(1400, v6(2, 11), (502, 40000)), Reason::IcmpType);
}

#[test]
fn echo_requests_are_a_hundred_a_second_over_all() {
    for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
        let mut wire = Wire::new(&Policy::reads(), mode);
        let (ping, ping6) = (message(8, 0, 1, &[]), message(128, 0, 1, &[]));
        let ask = |wire: &mut Wire, index: u32| {
            let frame = if index & 1 == 0 { v4(Side::Network, &ping) } else { six(Side::Network, &ping6) };
            wire.frame(Side::Network, &frame)
        };
        let passed = (0..250).filter(|index| ask(&mut wire, *index).reason == Reason::Conduit).count();
        assert_eq!(passed, 100, "{mode:?}");
        let late = ask(&mut wire, 0);
        assert_eq!((late.reason, late.action == Action::Forward), (Reason::IcmpRate, mode != Mode::Enforce));
        wire.host.now += 10_000_000;
        assert_eq!(ask(&mut wire, 0).reason, Reason::Conduit, "one more every hundredth of a second");
        assert_eq!(ask(&mut wire, 0).reason, Reason::IcmpRate);
        assert_eq!(wire.frame(Side::Device, &v4(Side::Device, &ping)).reason, Reason::Conduit, "the device may ask");
        let stranger = ethernet(Side::Network, &[], 0x0800, &ipv4(STRANGER, PLC, 1, &[], &ping));
        wire.host.now += 10_000_000;
        assert_eq!(wire.frame(Side::Network, &stranger).reason, Reason::UncoveredDeny);
        assert_eq!(ask(&mut wire, 0).reason, Reason::Conduit, "what is denied anyway takes nothing");
    }
}
