//! The lab itself: before anything is blamed on the enforcer, the cables must be shown to be cables.

use std::net::IpAddr;
use std::time::Duration;

use enforcer_tests::capture::{Capture, Direction, Frame};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{DEVICE_PORT, ENGINEERING, HMI, HMI_SECOND, HMI_V6, NETWORK_PORT, PLC, PLC_V6, STATION_PORT};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Crossing, Lab, Namespace, Server, bridge, compare, frames, require_root, sweep};

const PATIENCE: Duration = Duration::from_secs(2);

fn plan() -> Plan {
    Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::from_millis(5) }
}

#[test]
fn nothing_passes_the_box_until_something_forwards() {
    let lab = Lab::new();
    assert!(!lab.can_reach(PLC.into()), "two cables into a box without a bridge must not connect");
    bridge::join(&lab);
    assert!(lab.can_reach(PLC.into()), "IPv4 through the bridge");
    assert!(lab.can_reach(PLC_V6.into()), "IPv6 through the bridge");
}

#[test]
fn an_echo_request_is_answered() {
    let lab = Lab::new();
    bridge::join(&lab);
    assert!(lab.can_reach(PLC.into()));
    let capture = Capture::start(&lab.hmi, STATION_PORT, Direction::Incoming);
    Injector::new(&lab.hmi, STATION_PORT).send(&frames::ping(1, 1400));
    let echo = |frame: &Frame| frame.bytes.get(34) == Some(&0) && frame.bytes.len() == 14 + 20 + 8 + 1400;
    assert!(capture.wait_for(PATIENCE, echo), "no echo reply among {:?}", capture.stop());
}

#[test]
fn modbus_is_read_and_written_through_a_bridge() {
    let lab = Lab::new();
    bridge::join(&lab);
    let server = Server::start(&lab.plc);
    let pairs: [(IpAddr, IpAddr); 3] =
        [(HMI.into(), PLC.into()), (HMI_SECOND.into(), PLC.into()), (HMI_V6.into(), PLC_V6.into())];
    for (source, target) in pairs {
        let mut client = Client::connect(&lab.hmi, source, target).expect("connect");
        assert_eq!(client.read_holding(20, 3).expect("read"), [20, 21, 22]);
    }
    let mut engineer = Client::connect(&lab.hmi, ENGINEERING, PLC).expect("connect");
    engineer.write_multiple(40, &[7, 8]).expect("write");
    engineer.write_single(42, 9).expect("write");
    engineer.write_coil(3, true).expect("write");
    assert_eq!(server.memory().holding[40..43], [7, 8, 9]);
    assert!(server.memory().coils[3]);
    assert_eq!(server.memory().writes, 3);
    let refusal = engineer.read_holding(990, 20).expect_err("beyond the last register");
    assert_eq!(refusal.to_string(), "Modbus exception 2");
}

#[test]
fn what_leaves_the_hmi_is_what_reaches_the_plc() {
    let lab = Lab::new();
    bridge::join(&lab);
    assert!(lab.can_reach(PLC.into()));
    let _server = Server::start(&lab.plc);
    let forth = Crossing::start(&lab.hmi, &lab.plc);
    let back = Crossing::start(&lab.plc, &lab.hmi);
    let poller = Poller::start(&lab.hmi, plan());
    assert!(poller.wait_for_good(50, PATIENCE), "polling: {:?}", poller.tally());
    let mut client = Client::connect(&lab.hmi, HMI, PLC).expect("connect");
    client.write_multiple(0, &[1; 123]).expect("write");
    let raw = Injector::new(&lab.hmi, STATION_PORT);
    raw.send_all([frames::lldp(), frames::arp_request(), frames::profinet_identify()].iter().map(Vec::as_slice));
    raw.send_all(frames::fragments(&frames::udp(1, 2, &[3; 1000]), 256).iter().map(Vec::as_slice));
    // Segments in a row of one flow are what receive aggregation would join.
    let row: Vec<Vec<u8>> =
        (0..64).map(|n| frames::Segment::to_plc(50_000, 1 + n * 100, 1, &[7; 100]).frame()).collect();
    raw.send_all(row.iter().map(Vec::as_slice));
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}");
    let (answered, returned) = back.stop();
    compare::assert_same(&answered, &returned);
    let (sent, received) = forth.stop();
    assert!(sent.len() >= 120, "only {} frames", sent.len());
    compare::assert_same(&sent, &received);
    assert!(sent.iter().all(|frame| frame.bytes.len() <= 1514));
    assert!(sent.iter().all(|frame| frame.time > Duration::ZERO));
}

#[test]
fn tags_cross_as_they_are() {
    let lab = Lab::new();
    bridge::join(&lab);
    let received = Capture::start(&lab.plc, STATION_PORT, Direction::Incoming);
    let segment = frames::Segment::to_plc(40_000, 1, 1, &frames::modbus(1, 1, &frames::read_holding(0, 1))).frame();
    let tagged = [
        frames::tagged(&segment, &[(0x8100, 0x600a)]),
        frames::tagged(&segment, &[(0x8100, 0x0000)]),
        frames::tagged(&segment, &[(0x88a8, 0x0064), (0x8100, 0x000a)]),
        frames::tagged(&segment, &[(0x8100, 0x0001), (0x8100, 0x0002), (0x8100, 0x0003)]),
    ];
    Injector::new(&lab.hmi, STATION_PORT).send_all(tagged.iter().map(Vec::as_slice));
    let last = tagged.last().expect("a frame");
    received.wait_for(PATIENCE, |frame| frame.bytes == *last);
    let received = received.stop();
    let ours: Vec<&[u8]> = received
        .iter()
        .map(|frame| frame.bytes.as_slice())
        .filter(|frame| matches!(frame[12..14], [0x81, 0x00] | [0x88, 0xa8]))
        .collect();
    assert_eq!(ours, tagged.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn a_poller_tells_what_it_lived_through() {
    let lab = Lab::new();
    bridge::join(&lab);
    let server = Server::start(&lab.plc);
    let poller = Poller::start(&lab.hmi, plan());
    assert!(poller.wait_for_good(20, PATIENCE), "polling: {:?}", poller.tally());
    drop(server);
    enforcer_tests::namespace::wait_until("the poller notices", || poller.tally().errors > 0);
    let _server = Server::start(&lab.plc);
    assert!(poller.wait_for_good(20, PATIENCE), "polling again: {:?}", poller.tally());
    let tally = poller.stop();
    assert!(tally.reconnects >= 1, "{tally:?}");
    assert!(tally.longest_gap >= Duration::from_millis(5), "{tally:?}");
    assert!(tally.last_error.is_some(), "{tally:?}");
}

#[test]
fn a_lab_leaves_nothing_behind() {
    let (names, folder) = {
        let lab = Lab::new();
        let names = [&lab.hmi, &lab.cabinet, &lab.plc].map(|namespace| namespace.path());
        let sleeper = lab.cabinet.spawn("sleep", &["600"]);
        assert!(std::path::Path::new(&format!("/proc/{}", sleeper.id())).exists());
        assert!(names.iter().all(|path| path.exists()));
        let ports = lab.cabinet.output("ip", &["-brief", "link"]);
        assert!(ports.contains(NETWORK_PORT) && ports.contains(DEVICE_PORT), "{ports}");
        (names, lab.folder())
    };
    assert!(names.iter().all(|path| !path.exists()) && !folder.exists());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    require_root();
    let mut owner = std::process::Command::new("true").spawn().expect("a process");
    let name = format!("enf-{}-1-hmi", owner.id());
    owner.wait().expect("a process that ended");
    let left = Namespace::new(name.clone());
    // A program that outlived its owner holds on to the namespace.
    let mut orphan = left.command("sleep").arg("600").spawn().expect("a program");
    let path = left.path();
    std::mem::forget(left);
    sweep::stale();
    assert!(!path.exists(), "{name} is still there");
    assert!(!orphan.wait().expect("the orphan's end").success());
}

#[test]
fn every_box_has_pins_of_its_own() {
    let (one, other) = (Lab::new(), Lab::new());
    let pin = std::path::Path::new("/sys/fs/bpf/pin");
    one.cabinet.run(|| std::fs::create_dir(pin)).expect("a folder on the BPF file system");
    assert!(one.cabinet.run(|| pin.exists()));
    assert!(one.cabinet.command("test").arg("-d").arg(pin).status().expect("test").success());
    assert!(!other.cabinet.run(|| pin.exists()));
    assert!(!pin.exists());
}
