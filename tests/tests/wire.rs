//! Modes hold on the wire: short of enforce the box is a cable, whatever passes and whatever the policy says of it.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use enforcer_tests::frames::{self, Flags, Segment};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI, HMI_MAC, HMI_V6, PLC, PLC_MAC, PLC_V6, STATION_PORT};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Crossing, Enforcer, Lab, Server, compare, enforcer};
use serde_json::Value;

/// Denies by default and allows nothing: in enforce not one frame would pass.
const NOTHING: &str = r#"[policy]
name = "nothing"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20"]
press = ["10.10.2.5"]

[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"
mode     = "enforce"
on_deny  = "reset"
"#;

#[test]
fn learn_is_a_cable() {
    let status = crosses_unchanged("learn");
    assert!(count(&status, "evaluated") > 0, "learn judges: {status:#}");
    assert_eq!(count(&status, "deny"), 0, "learn denies nothing: {status:#}");
    assert_eq!(status["uncovered"]["deny"], 0, "{status:#}");
}

#[test]
fn shadow_is_a_cable_that_tells() {
    let status = crosses_unchanged("shadow");
    assert!(count(&status, "would_deny") > 0, "{status:#}");
    assert_eq!(count(&status, "deny"), 0, "{status:#}");
    assert_eq!(status["uncovered"]["deny"], 0, "{status:#}");
    assert!(status["uncovered"]["would_deny"].as_u64() > Some(10), "{status:#}");
    let reasons = ["function_not_allowed", "malformed_framing", "fragment", "spoofed_device", "invalid_flags"];
    for reason in reasons {
        assert!(status["reasons"][reason].as_u64() > Some(0), "no frame was {reason}: {status:#}");
    }
}

#[test]
fn bypass_is_a_cable_that_looks_away() {
    let status = crosses_unchanged("bypass");
    assert_eq!(count(&status, "deny"), 0, "{status:#}");
    assert_eq!(status["uncovered"]["deny"], 0, "{status:#}");
}

/// Sends mixed traffic both ways through a box in this mode, compares both ends, and returns the box's state.
fn crosses_unchanged(mode: &str) -> Value {
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let box_ = Enforcer::start(&lab, &enforcer::current(), NOTHING, "learn").expect("the enforcer starts");
    if mode != "learn" {
        box_.must(&["mode", mode, "--reason", "test"]).expect("the mode");
    }
    let before = box_.status().expect("status");
    assert_eq!(before["mode"], mode, "{before:#}");
    let forth = Crossing::start(&lab.hmi, &lab.plc);
    let back = Crossing::start(&lab.plc, &lab.hmi);
    let every = Duration::from_millis(5);
    let poller = Poller::start(&lab.hmi, Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every });
    let state = || format!("{:#}", box_.status().unwrap_or_default());
    assert!(poller.wait_for_good(20, Duration::from_secs(5)), "{:?}\n{}", poller.tally(), state());
    let mut six = Client::connect(&lab.hmi, HMI_V6, PLC_V6).expect("connect by IPv6");
    six.write_multiple(100, &[1; 123]).expect("write by IPv6");
    let mut client = Client::connect(&lab.hmi, HMI, PLC).expect("connect");
    client.write_single(40, 1234).expect("write");
    let (there, here) = (mixed(false), mixed(true));
    let (hmi, plc) = (Injector::new(&lab.hmi, STATION_PORT), Injector::new(&lab.plc, STATION_PORT));
    for (a, b) in there.iter().zip(&here) {
        hmi.send(a);
        plc.send(b);
    }
    breaks_framing(&lab);
    assert!(poller.wait_for_good(20, Duration::from_secs(5)), "{:?}\n{}", poller.tally(), state());
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}\n{}", state());
    let ((sent, arrived), (answered, returned)) = (forth.stop(), back.stop());
    for (injected, captured) in [(&there, &arrived), (&here, &returned)] {
        for frame in injected {
            assert!(captured.iter().any(|seen| seen.bytes == *frame), "lost: {frame:02x?}\n{}", state());
        }
    }
    compare::assert_same(&sent, &arrived);
    compare::assert_same(&answered, &returned);
    assert_eq!(server.holding(40), 1234);
    assert_eq!(server.memory().writes, 2);
    box_.status().expect("status")
}

/// A conversation of real stations in which the client breaks the protocol's framing.
fn breaks_framing(lab: &Lab) {
    let mut stream = lab.hmi.run(|| TcpStream::connect((PLC, 502))).expect("connect");
    stream.write_all(&[0xff; 12]).expect("to the socket");
}

fn count(status: &Value, what: &str) -> u64 {
    status["conduits"][0][what].as_u64().unwrap_or_default()
}

/// What a plant's cable carries and what it should not; `back` turns addresses round.
fn mixed(back: bool) -> Vec<Vec<u8>> {
    let port = 41_000;
    let segment = |sequence, payload: &[u8]| Segment::to_plc(port, sequence, 1, payload).frame();
    let read = frames::modbus(1, 1, &frames::read_holding(0, 10));
    let mut list = vec![
        frames::arp_request(),
        frames::lldp(),
        stp(),
        frames::profinet_identify(),
        frames::ethernet(PLC_MAC, HMI_MAC, 0x9999, &[1, 2, 3]),
        // As short as a cable carries, and a type without anything behind it.
        frames::ethernet(PLC_MAC, HMI_MAC, 0x0800, &[]),
        frames::ping(1, 0),
        frames::ping(2, 1400),
        frames::udp(4000, 502, &read),
        frames::udp(4000, 34964, &[4; 200]),
        frames::ipv4(47, &[0; 40]),
        frames::ethernet(PLC_MAC, HMI_MAC, 0x86dd, &[0x60, 0, 0, 0, 0, 8, 44, 64, 0, 0]),
        // A device's address from the wrong side, or a station's own.
        Segment { source_mac: PLC_MAC, source: (PLC, 4000).into(), ..Segment::to_plc(1, 1, 1, &read) }.frame(),
        frames::tagged(&segment(1, &read), &[(0x8100, 0x600a)]),
        frames::tagged(&segment(1, &read), &[(0x88a8, 0x0064), (0x8100, 0x000a)]),
        frames::tagged(&segment(1, &read), &[(0x8100, 1), (0x8100, 2), (0x8100, 3)]),
    ];
    list.extend(frames::fragments(&frames::ping(3, 8000), 1480));
    // A conversation opened by hand, then what no client should say in it.
    let syn = Segment { flags: Flags { syn: true, ..Flags::default() }, ..Segment::to_plc(port, 0, 0, &[]) };
    list.push(syn.frame());
    let mut sequence = 1;
    for bytes in malformed() {
        list.push(segment(sequence, &bytes));
        sequence += bytes.len() as u32;
    }
    let odd = [
        Flags::default(),
        Flags { syn: true, fin: true, ..Flags::default() },
        Flags { syn: true, rst: true, ..Flags::default() },
        Flags { fin: true, psh: true, urg: true, ..Flags::default() },
    ];
    list.extend(odd.map(|flags| Segment { flags, ..Segment::to_plc(42_000, 1, 1, &read) }.frame()));
    if back {
        for frame in &mut list {
            if frame[..6] == PLC_MAC {
                frame[..6].copy_from_slice(&HMI_MAC);
            }
            frame[6..12].copy_from_slice(&PLC_MAC);
        }
    }
    list
}

/// Modbus bytes that break the standard, and writes that the policy denies.
fn malformed() -> Vec<Vec<u8>> {
    let read = frames::modbus(1, 1, &frames::read_holding(0, 10));
    let changed = |at: usize, value: u8| {
        let mut bytes = read.clone();
        bytes[at] = value;
        bytes
    };
    vec![
        read.clone(),
        frames::modbus(2, 1, &frames::write_single(3, 9)),
        [read.clone(), frames::modbus(3, 1, &frames::write_multiple(0, &[1, 2, 3]))].concat(),
        frames::modbus(4, 1, &frames::read_holding(0, 9999)),
        frames::modbus(5, 1, &[0x5a, 0, 1]),
        // The length says more, then less, than there is.
        changed(5, 5),
        changed(5, 200),
        // Half a unit, and the other half.
        read[..5].to_vec(),
        read[5..].to_vec(),
        // A protocol identifier that is not Modbus.
        changed(2, 1),
        vec![0xff; 1460],
    ]
}

/// A spanning-tree configuration unit: an 802.3 frame with a length where others have a type.
fn stp() -> Vec<u8> {
    let mut payload = vec![0x42, 0x42, 0x03];
    payload.extend([0; 35]);
    frames::ethernet([0x01, 0x80, 0xc2, 0, 0, 0], HMI_MAC, 38, &payload)
}
