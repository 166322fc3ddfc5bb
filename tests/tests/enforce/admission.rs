//! Link and network admission on a cable: in enforce nothing of it arrives, in shadow all of it.

use std::thread;
use std::time::Duration;

use enforcer_tests::frames::{self, Flags, Segment};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI, HMI_MAC, HMI_V6, PLC, PLC_MAC, PLC_V6, STATION_PORT};
use etherparse::PacketBuilder;

use crate::stage::Stage;

/// What a plant may need beside Modbus: a ping, and a tunnel that is not looked into.
const CONDUITS: &str = r#"
[[conduits]]
name     = "ping"
from     = ["hmi"]
to       = ["press"]
protocol = "icmp"

[[conduits]]
name     = "tunnel"
from     = ["hmi"]
to       = ["press"]
protocol = "ip"
ports    = [47]
"#;

/// An ARP message of the operator station with another sender in it.
fn arp(hardware: [u8; 6], address: [u8; 4]) -> Vec<u8> {
    let mut frame = frames::arp_request();
    frame[22..28].copy_from_slice(&hardware);
    frame[28..32].copy_from_slice(&address);
    frame
}

/// A neighbour advertisement of the operator station with this hardware address in it.
fn advertisement(hardware: [u8; 6]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(HMI_MAC, PLC_MAC).ipv6(HMI_V6.octets(), PLC_V6.octets(), 255);
    let builder = builder.icmpv6_raw(136, 0, [0x20, 0, 0, 0]);
    let message = [&HMI_V6.octets()[..], &[2, 1], &hardware].concat();
    let mut frame = Vec::with_capacity(builder.size(message.len()));
    builder.write(&mut frame, &message).expect("write to memory");
    frame
}

fn icmp(kind: u8, code: u8, mtu: u8, quoted: &[u8]) -> Vec<u8> {
    frames::checksummed(frames::ipv4(1, &[&[kind, code, 0, 0, 0, 0, mtu, 0][..], quoted].concat()))
}

fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let syn = Flags { syn: true, ..Flags::default() };
    let opening = |port| Segment { flags: syn, ..Segment::to_plc(port, 1, 0, &[]) };
    let flags = |port, flags| Segment { flags, ..opening(port) }.frame();
    let mut reserved = opening(41_000).frame();
    reserved[46] |= 2;
    let mut pointer = flags(41_001, Flags { ack: true, ..Flags::default() });
    pointer[53] = 1;
    let quoted = Segment::to_hmi(40_999, 1, 1, &[]).frame();
    let option = |port, options: &[u8]| frames::with_tcp_options(&opening(port).frame(), options);
    vec![
        ("invalid_address", Segment { source: ([127, 0, 0, 1], 41_002).into(), ..opening(1) }.frame()),
        ("invalid_address", Segment { source: ([224, 0, 0, 1], 41_003).into(), ..opening(1) }.frame()),
        ("invalid_address", Segment { target: (HMI, 502).into(), ..opening(41_004) }.frame()),
        ("invalid_address", Segment { target_mac: [0xff; 6], ..opening(41_005) }.frame()),
        ("invalid_flags", frames::checksummed(reserved)),
        ("invalid_flags", flags(41_006, Flags { fin: true, ..Flags::default() })),
        ("invalid_flags", flags(41_007, Flags { psh: true, ..Flags::default() })),
        ("invalid_flags", flags(41_008, Flags { rst: true, ..syn })),
        ("urgent_data", flags(41_009, Flags { urg: true, ack: true, ..Flags::default() })),
        ("urgent_data", frames::checksummed(pointer)),
        ("tcp_option", option(41_010, &[30, 12, 0, 0x81, 1, 2, 3, 4, 5, 6, 7, 8])),
        ("tcp_option", option(41_011, &[34, 2, 1, 1])),
        ("tcp_option", option(41_012, &[2, 4, 5, 180, 2, 4, 5, 180])),
        ("tcp_option", option(41_013, &[3, 0, 1, 1])),
        ("ip_options", frames::with_ipv4_options(&opening(41_014).frame(), &[0x94, 4, 0, 0])),
        ("icmp_type", icmp(5, 1, 0, &[0; 28])),
        ("icmp_type", icmp(13, 0, 0, &[0; 12])),
        ("icmp_type", icmp(3, 4, 5, &quoted[14..42])),
        ("icmp_type", icmp(3, 4, 0, &quoted[14..42])),
        ("spoofed_device", arp([2, 0, 0, 0, 0, 1], PLC.octets())),
        ("spoofed_device", arp(PLC_MAC, HMI.octets())),
        ("spoofed_device", advertisement(PLC_MAC)),
        ("malformed_network", frames::ethernet([0xff; 6], HMI_MAC, 0x0806, &[0, 6, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0])),
        ("unknown_transport", frames::ipv4(41, &[0x60; 40])),
    ]
}

#[test]
fn every_row_acts_in_enforce_and_only_there() {
    let stage = Stage::with("drop", CONDUITS);
    let injector = Injector::new(&stage.lab.hmi, STATION_PORT);
    let rows = rows();
    for mode in ["enforce", "shadow"] {
        if mode == "shadow" {
            stage.enforcer.must(&["mode", "shadow", "--reason", "test"]).expect("the mode");
        }
        for (reason, frame) in &rows {
            let before = stage.reason(reason);
            injector.send(frame);
            thread::sleep(Duration::from_millis(20));
            let about = || format!("{mode}, {reason}: {frame:02x?}\n{:#}", stage.status());
            assert!(stage.reason(reason) > before, "{}", about());
            let patience = Duration::from_millis(if mode == "shadow" { 2000 } else { 0 });
            let arrived = stage.device.wait_for(patience, |seen| seen.bytes == *frame);
            assert_eq!(arrived, mode == "shadow", "{}", about());
        }
    }
}

#[test]
fn what_a_plant_may_need_passes() {
    let stage = Stage::with("drop", CONDUITS);
    let injector = Injector::new(&stage.lab.hmi, STATION_PORT);
    let timestamp = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let syn = Segment { flags: Flags { syn: true, ..Flags::default() }, ..Segment::to_plc(42_000, 1, 0, &[]) };
    for frame in [
        frames::with_tcp_options(&syn.frame(), &timestamp),
        frames::ipv4(47, &[0; 40]),
        frames::ping(1, 100),
        arp(HMI_MAC, HMI.octets()),
        advertisement(HMI_MAC),
    ] {
        injector.send(&frame);
        let arrived = stage.device.wait_for(Duration::from_secs(2), |seen| seen.bytes == frame);
        assert!(arrived, "{frame:02x?}\n{:#}", stage.status());
    }
}

#[test]
fn a_flood_of_pings_is_thinned_out() {
    let stage = Stage::with("drop", CONDUITS);
    let injector = Injector::new(&stage.lab.hmi, STATION_PORT);
    for sequence in 0..400 {
        injector.send(&frames::ping(sequence, 16));
    }
    thread::sleep(Duration::from_millis(200));
    let (passed, denied) = (stage.conduit("ping", "allow"), stage.reason("icmp_rate"));
    assert!(denied > 0 && passed >= 100, "{passed} passed, {denied} denied: {:#}", stage.status());
}
