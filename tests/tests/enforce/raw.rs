//! Frames made by hand: what no client would send, and conversations in VLANs.

use std::thread;
use std::time::Duration;

use enforcer_tests::frames::{self, Flags, Segment, modbus, read_holding, write_single};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI_MAC, PLC, PLC_MAC, STATION_PORT};

use crate::stage::{Stage, holds};

#[test]
fn frames_that_nothing_covers_never_arrive() {
    let stage = Stage::new("drop");
    let syn = Flags { syn: true, ..Flags::default() };
    let to_ssh = Segment { target: (PLC, 22).into(), flags: syn, ..Segment::to_plc(40_001, 1, 0, &[]) };
    let stranger = Segment { source: ([10, 10, 9, 9], 40_002).into(), flags: syn, ..Segment::to_plc(1, 1, 0, &[]) };
    let by_mac = Segment { source_mac: PLC_MAC, flags: syn, ..Segment::to_plc(40_003, 1, 0, &[]) };
    let by_ip = Segment { source: (PLC, 40_004).into(), flags: syn, ..Segment::to_plc(1, 1, 0, &[]) };
    let odd = Segment { flags: Flags { fin: true, ..syn }, ..Segment::to_plc(40_005, 1, 0, &[]) };
    let read = Segment::to_plc(40_006, 1, 1, &modbus(1, 1, &read_holding(0, 1))).frame();
    let mut list = vec![
        ("not_covered", to_ssh.frame()),
        ("not_covered", stranger.frame()),
        // Modbus over UDP is inspected where Modbus is covered.
        ("malformed_framing", frames::udp(4000, 502, &[1; 40])),
        ("not_covered", frames::udp(4000, 503, &[1; 40])),
        ("not_covered", frames::ping(1, 100)),
        ("not_covered", frames::lldp()),
        ("not_covered", frames::profinet_identify()),
        ("not_covered", frames::ethernet(PLC_MAC, HMI_MAC, 0x9999, &[1])),
        ("spoofed_device", by_mac.frame()),
        ("spoofed_device", by_ip.frame()),
        ("spoofed_device", frames::ethernet([0xff; 6], PLC_MAC, 0x0806, &[0; 28])),
        ("invalid_flags", odd.frame()),
        ("vlan_depth", frames::tagged(&read, &[(0x8100, 1), (0x8100, 2), (0x8100, 3)])),
        ("unknown_transport", frames::ipv4(47, &[0; 40])),
        ("malformed_network", frames::ethernet(PLC_MAC, HMI_MAC, 0x0800, &[])),
    ];
    list.extend(frames::fragments(&read, 24).into_iter().map(|frame| ("fragment", frame)));
    let injector = Injector::new(&stage.lab.hmi, STATION_PORT);
    for (reason, frame) in &list {
        let before = stage.reason(reason);
        injector.send(frame);
        thread::sleep(Duration::from_millis(20));
        assert!(stage.reason(reason) > before, "{reason} did not move for {frame:02x?}: {:#}", stage.status());
    }
    let allowed = frames::arp_request();
    injector.send(&allowed);
    assert!(stage.device.wait_for(Duration::from_secs(2), |seen| seen.bytes == allowed), "{:#}", stage.status());
    let state = stage.status();
    let seen = stage.seen();
    for (reason, frame) in &list {
        assert!(!seen.iter().any(|seen| seen.bytes == *frame), "{reason}: {frame:02x?} passed\n{state:#}");
    }
}

#[test]
fn tagged_conversations_are_inspected() {
    let stage = Stage::new("drop");
    let (hmi, plc) = (Injector::new(&stage.lab.hmi, STATION_PORT), Injector::new(&stage.lab.plc, STATION_PORT));
    let patience = Duration::from_secs(2);
    let tags: [&[(u16, u16)]; 2] = [&[(0x8100, 0x600a)], &[(0x88a8, 100), (0x8100, 10)]];
    for (port, tags) in (43_000..).zip(tags) {
        let frame = |segment: Segment| frames::tagged(&segment.frame(), tags);
        let syn = Flags { syn: true, ..Flags::default() };
        hmi.send(&frame(Segment { flags: syn, ..Segment::to_plc(port, 100, 0, &[]) }));
        thread::sleep(Duration::from_millis(20));
        plc.send(&frame(Segment { flags: Flags { ack: true, ..syn }, ..Segment::to_hmi(port, 500, 101, &[]) }));
        thread::sleep(Duration::from_millis(20));
        hmi.send(&frame(Segment::to_plc(port, 101, 501, &[])));
        let read = frame(Segment::to_plc(port, 101, 501, &modbus(1, 1, &read_holding(0, 1))));
        hmi.send(&read);
        assert!(stage.device.wait_for(patience, |seen| seen.bytes == read), "{tags:x?}: {:#}", stage.status());
        let denied = stage.reason("object_not_allowed");
        hmi.send(&frame(Segment::to_plc(port, 113, 501, &modbus(2, 1, &write_single(50, 0x7177)))));
        thread::sleep(Duration::from_millis(50));
        assert_eq!(stage.reason("object_not_allowed"), denied + 1, "{tags:x?}: {:#}", stage.status());
    }
    assert!(!holds(&stage.seen(), &[0, 50, 0x71, 0x77]));
}
