//! ARP and neighbour discovery: nobody on the network side speaks in the device's name.

use enforcer_common::port::Side;
use enforcer_common::verdict::Reason;

use super::admission::{reason, reason_by};
use crate::support::frames::*;
use crate::support::policy::Policy;

const PLC_V6: fn() -> [u8; 16] = || v6(2, 10);

#[test]
fn arp_in_the_devices_name_is_spoofed() {
    let by = |side, message: &[u8]| reason(side, &ethernet(side, &[], 0x0806, message));
    let reply = |sender, address| {
        let mut message = arp(sender, address);
        message[7] = 2;
        message
    };
    let other_mac = [2, 0, 0, 0, 0, 0x77];
    for make in [&arp as &dyn Fn([u8; 6], [u8; 4]) -> Vec<u8>, &reply] {
        assert_eq!(by(Side::Network, &make(CLIENT_MAC, HMI)), Reason::EthernetAllow);
        assert_eq!(by(Side::Network, &make(CLIENT_MAC, [0; 4])), Reason::EthernetAllow, "a probe");
        assert_eq!(by(Side::Network, &make(other_mac, PLC)), Reason::SpoofedDevice, "the address");
        assert_eq!(by(Side::Network, &make(DEVICE_MAC, HMI)), Reason::SpoofedDevice, "the hardware address");
        assert_eq!(by(Side::Network, &[make(other_mac, PLC), vec![0; 18]].concat()), Reason::SpoofedDevice, "padded");
        assert_eq!(by(Side::Device, &make(DEVICE_MAC, PLC)), Reason::EthernetAllow);
    }
    let tagged = ethernet(Side::Network, &[(0x88a8, 1), (0x8100, 0)], 0x0806, &arp(other_mac, PLC));
    assert_eq!(reason(Side::Network, &tagged), Reason::SpoofedDevice);
}

#[test]
fn arp_that_is_none_between_stations_is_malformed() {
    let whole = arp(CLIENT_MAC, HMI);
    for length in 0..28 {
        let cut = |side| ethernet(side, &[], 0x0806, &whole[..length]);
        assert_eq!(reason(Side::Network, &cut(Side::Network)), Reason::MalformedNetwork, "{length}");
        assert_eq!(reason(Side::Device, &cut(Side::Device)), Reason::EthernetAllow, "{length}");
    }
    for at in 0..6 {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        let frame = ethernet(Side::Network, &[], 0x0806, &wrong);
        assert_eq!(reason(Side::Network, &frame), Reason::MalformedNetwork, "{at}");
    }
    let mut mine = ethernet(Side::Network, &[], 0x0806, &[]);
    mine[..6].copy_from_slice(&[2, 0, 0, 0, 0, 0xbb]);
    assert_eq!(reason(Side::Network, &mine), Reason::Management, "the box's own is the box's");
}

/// A message of neighbour discovery with a target, and options of (kind, address).
fn discovery(kind: u8, target: [u8; 16], options: &[(u8, [u8; 6])]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    if kind != 133 {
        message.extend(target);
    }
    for (kind, address) in options {
        message.extend([&[*kind, 1][..], address].concat());
    }
    message
}

fn from(source: [u8; 16], side: Side, message: &[u8]) -> Reason {
    let to = if side == Side::Network { PLC_V6() } else { v6(1, 5) };
    reason(side, &ethernet(side, &[], 0x86dd, &ipv6(source, to, 58, message)))
}

fn from_hmi(message: &[u8]) -> Reason {
    from(v6(1, 5), Side::Network, message)
}

#[test]
fn neighbour_discovery_in_the_devices_name_is_spoofed() {
    let (mine, device) = ((1, CLIENT_MAC), (1, DEVICE_MAC));
    for (kind, spoofed) in [(135, false), (136, true)] {
        assert_eq!(from_hmi(&discovery(kind, v6(1, 5), &[mine])), Reason::Conduit, "{kind}");
        let expected = if spoofed { Reason::SpoofedDevice } else { Reason::Conduit };
        assert_eq!(from_hmi(&discovery(kind, PLC_V6(), &[mine])), expected, "{kind} of the device's address");
    }
    for kind in [133, 135, 136] {
        for options in [&[device][..], &[(2, DEVICE_MAC)], &[mine, mine, mine, device]] {
            assert_eq!(from_hmi(&discovery(kind, v6(1, 5), options)), Reason::SpoofedDevice, "{kind} {options:?}");
        }
        assert_eq!(from_hmi(&discovery(kind, v6(1, 5), &[(14, DEVICE_MAC)])), Reason::Conduit, "a nonce is no address");
    }
    // Asking whether the device's address is free would take it away from the device.
    let nobody = [0; 16];
    let asks = |target| from(nobody, Side::Network, &discovery(135, target, &[]));
    assert_eq!(asks(PLC_V6()), Reason::SpoofedDevice);
    assert_eq!(asks(v6(1, 77)), Reason::UncoveredDeny);
    for kind in [134, 137] {
        assert_eq!(from_hmi(&discovery(kind, v6(1, 5), &[mine])), Reason::IcmpType, "{kind}");
    }
    for kind in 133..=137 {
        assert_eq!(from(PLC_V6(), Side::Device, &discovery(kind, PLC_V6(), &[device])), Reason::Conduit, "{kind}");
    }
    let open = Policy { uncovered: Reason::UncoveredAllow, ..Policy::reads() };
    let stranger = ipv6(v6(9, 9), v6(1, 6), 58, &discovery(136, PLC_V6(), &[]));
    assert_eq!(
        reason_by(&open, Side::Network, &ethernet(Side::Network, &[], 0x86dd, &stranger)),
        Reason::SpoofedDevice,
        "whatever the default"
    );
}

#[test]
fn options_of_neighbour_discovery_are_walked_to_their_end() {
    let mine = (1, CLIENT_MAC);
    for kind in [133, 135, 136] {
        let whole = discovery(kind, v6(1, 5), &[mine]);
        let fixed = whole.len() - 8;
        for length in (1..whole.len()).filter(|length| *length != fixed) {
            assert_eq!(from_hmi(&whole[..length]), Reason::MalformedNetwork, "{kind} of {length} bytes");
        }
        assert_eq!(from_hmi(&whole[..fixed]), Reason::Conduit, "{kind} without option");
        for length in [0, 2, 255] {
            let mut wrong = whole.clone();
            wrong[fixed + 1] = length;
            assert_eq!(from_hmi(&wrong), Reason::MalformedNetwork, "{kind} option of {length}");
        }
        assert_eq!(from_hmi(&discovery(kind, v6(1, 5), &[mine; 4])), Reason::Conduit);
        assert_eq!(from_hmi(&discovery(kind, v6(1, 5), &[mine; 5])), Reason::BeyondInspection);
    }
}
