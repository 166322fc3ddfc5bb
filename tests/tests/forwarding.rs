//! Which way allowed frames take through the box: straight to the other port, or by the bridge.

use std::collections::BTreeSet;
use std::time::Duration;

use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{PLC, PLC_V6, STATION_PORT};
use enforcer_tests::{Capture, Direction, Enforcer, Lab, Namespace, frames};

const POLICY: &str = "[policy]\nname = \"wire\"\nrevision = 1\ndefault = \"allow\"\n";
const PATIENCE: Duration = Duration::from_secs(2);

fn start(lab: &Lab, forwarding: &str) -> Enforcer {
    let policy = lab.write("policy.toml", POLICY);
    let asked = format!("bridge  = \"br0\"\nforwarding = \"{forwarding}\"\n");
    let config = configuration(lab, &policy, "learn").replace("bridge  = \"br0\"\n", &asked);
    let config = lab.write("enforcer.toml", &config);
    Enforcer::start_with(lab, &current(), &config, &lab.folder().join("control.sock")).expect("the enforcer starts")
}

/// A frame to the link-local group address with this last byte; a bridge never forwards number 1, which is pause.
fn link_local(last: u8) -> Vec<u8> {
    let group = [0x01, 0x80, 0xc2, 0x00, 0x00, last];
    frames::ethernet(group, [2, 0, 0, 0, 0, last], 0x88b5, &[last; 64])
}

/// Last bytes of the link-local group addresses whose frames reach the other station.
fn crosses(from: &Namespace, to: &Namespace) -> BTreeSet<u8> {
    let capture = Capture::start(to, STATION_PORT, Direction::Incoming);
    let injector = Injector::new(from, STATION_PORT);
    let all: Vec<Vec<u8>> = (0..16).map(link_local).collect();
    injector.send_all(all.iter().map(Vec::as_slice));
    // Behind all of them.
    let last = frames::tagged(&frames::profinet_identify(), &[(0x8100, 0xc000)]);
    injector.send(&last);
    assert!(capture.wait_for(PATIENCE, |frame| frame.bytes == last), "a tagged frame to a group address");
    capture.stop().iter().filter(|frame| all.contains(&frame.bytes)).map(|frame| frame.bytes[5]).collect()
}

#[test]
fn straight_across_the_box_is_a_wire_for_every_group_address() {
    let lab = Lab::new();
    let enforcer = start(&lab, "auto");
    let status = enforcer.status().expect("status");
    assert_eq!((&status["forwarding"], &status["forwarding_reason"]), (&"fast".into(), &().into()), "{status:#}");
    assert_eq!(crosses(&lab.hmi, &lab.plc), (0..16).collect());
    assert_eq!(crosses(&lab.plc, &lab.hmi), (0..16).collect());
    assert!(lab.can_reach(PLC.into()), "IPv4");
    assert!(lab.can_reach(PLC_V6.into()), "IPv6, whose neighbours are asked for by group address");
}

#[test]
fn the_boxs_own_address_is_reached_straight_across_or_not() {
    for forwarding in ["fast", "bridge"] {
        let lab = Lab::new();
        let enforcer = start(&lab, forwarding);
        assert_eq!(enforcer.status().expect("status")["forwarding"], forwarding);
        lab.cabinet.ip("address add 10.10.0.9/16 dev br0");
        let box_itself = std::net::Ipv4Addr::new(10, 10, 0, 9);
        assert!(lab.can_reach(box_itself.into()), "{forwarding}: from the station");
        let from_plc = lab.plc.run(|| {
            let answer = std::net::TcpStream::connect_timeout(&(box_itself, 9).into(), PATIENCE);
            answer.err().map(|error| error.kind())
        });
        assert_eq!(from_plc, Some(std::io::ErrorKind::ConnectionRefused), "{forwarding}: from the controller");
        assert!(lab.can_reach(PLC.into()), "{forwarding}: through the box");
    }
}

#[test]
fn a_driver_that_loses_frames_is_found_out_and_nothing_is_lost() {
    let mut lab = Lab::new();
    lab.without_the_controllers_program();
    for asked in ["auto", "fast"] {
        let enforcer = start(&lab, asked);
        let status = enforcer.status().expect("status");
        assert_eq!(status["forwarding"], "bridge", "{status:#}");
        let why = status["forwarding_reason"].as_str().unwrap_or_default();
        assert_eq!(why, "eth1: of 64 marked frames its driver sent 0", "{status:#}");
        let told = status["attention"].to_string().contains("forwarding is \\\"fast\\\" by the configuration");
        assert_eq!(told, asked == "fast", "{status:#}");
        assert!(lab.can_reach(PLC.into()), "{asked}");
        enforcer.must(&["detach"]).expect("detach");
    }
}

#[test]
fn the_bridge_takes_over_when_it_is_asked_for() {
    let lab = Lab::new();
    let fast = start(&lab, "fast");
    assert!(crosses(&lab.hmi, &lab.plc).contains(&1));
    drop(fast);
    assert!(crosses(&lab.hmi, &lab.plc).contains(&1), "without the controller all goes on as it was");
    let bridge = start(&lab, "bridge");
    assert!(!crosses(&lab.hmi, &lab.plc).contains(&1), "{:#}", bridge.status().expect("status"));
    assert!(lab.can_reach(PLC.into()));
}

#[test]
fn generic_programs_go_by_the_bridge() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", POLICY);
    let asked = "bridge  = \"br0\"\nattach = \"generic\"\nforwarding = \"fast\"\n";
    let config =
        lab.write("enforcer.toml", &configuration(&lab, &policy, "learn").replace("bridge  = \"br0\"\n", asked));
    let socket = lab.folder().join("control.sock");
    let enforcer = Enforcer::start_with(&lab, &current(), &config, &socket).expect("the enforcer starts");
    let status = enforcer.status().expect("status");
    assert_eq!(status["forwarding"], "bridge", "{status:#}");
    assert_eq!(status["forwarding_reason"], "eth0: its driver does not run XDP programs itself", "{status:#}");
    assert!(lab.can_reach(PLC.into()));
}
