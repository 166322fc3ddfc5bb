//! The main job through the real binary: learn, propose, shadow, enforce, on live Modbus; and the box without its
//! controller.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::frames;
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI, HMI_MAC, PLC, PLC_MAC, STATION_PORT};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Enforcer, Lab, Server};
use serde_json::Value;

const POLICY: &str = r#"[policy]
name = "line"
revision = 1

[zones]
hmi   = ["10.10.1.20-10.10.1.21"]
press = ["10.10.2.5"]

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"

  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  objects   = ["holding:0-99"]
  action    = "allow"

  [[conduits.rules]]
  name      = "setpoint"
  functions = ["write_single_register"]
  objects   = ["holding:40-47"]
  values    = ["0-1000"]
  action    = "log"
"#;

/// A lab with a server and the daemon in a mode, with the policy above.
struct Plant {
    enforcer: Enforcer,
    server: Server,
    lab: Lab,
}

impl Plant {
    fn new(mode: &str) -> Self {
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let binary = enforcer_tests::enforcer::binary("debug");
        let enforcer = Enforcer::start(&lab, &binary, POLICY, mode).unwrap_or_else(|error| panic!("{error}"));
        Plant { enforcer, server, lab }
    }

    fn client(&self) -> Client {
        Client::connect(&self.lab.hmi, HMI, PLC).unwrap_or_else(|error| panic!("{error}: {}", self.state()))
    }

    fn poll(&self) -> Poller {
        let plan =
            Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::from_millis(5) };
        let poller = Poller::start(&self.lab.hmi, plan);
        assert!(poller.wait_for_good(3, Duration::from_secs(5)), "{:?} {}", poller.tally(), self.state());
        poller
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    fn state(&self) -> String {
        format!("{:#}", self.status())
    }

    fn count(&self, what: &str) -> u64 {
        self.status()["conduits"][0][what].as_u64().unwrap_or_default()
    }

    fn must(&self, arguments: &[&str]) -> String {
        self.enforcer.must(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }
}

#[test]
fn a_write_out_of_range_passes_in_shadow_and_is_stopped_in_enforce() {
    let plant = Plant::new("shadow");
    let poller = plant.poll();
    let mut client = plant.client();
    client.write_single(41, 700).unwrap_or_else(|failure| panic!("{failure}: {}", plant.state()));
    client.write_single(41, 1200).unwrap_or_else(|failure| panic!("{failure}: {}", plant.state()));
    assert_eq!(plant.server.holding(41), 1200);
    assert_eq!((plant.count("log"), plant.count("would_deny"), plant.count("deny")), (1, 1, 0), "{}", plant.state());

    plant.must(&["mode", "enforce", "--reason", "test"]);
    client.write_single(41, 800).unwrap_or_else(|failure| panic!("{failure}: {}", plant.state()));
    let start = Instant::now();
    assert!(client.write_single(41, 1300).is_err(), "{}", plant.state());
    assert!(start.elapsed() < Duration::from_secs(1), "the client is reset at once");
    assert!(plant.client().write_single(50, 1).is_err(), "{}", plant.state());
    assert_eq!((plant.server.holding(41), plant.server.holding(50)), (800, 50), "{}", plant.state());
    assert_eq!((plant.count("log"), plant.count("would_deny"), plant.count("deny")), (2, 1, 2), "{}", plant.state());
    let reasons = plant.status()["reasons"].clone();
    assert_eq!((reasons["value_not_allowed"].as_u64(), reasons["object_not_allowed"].as_u64()), (Some(2), Some(1)));

    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}");
}

#[test]
fn what_was_learned_denies_nothing_of_it_and_everything_else() {
    let plant = Plant::new("learn");
    let poller = plant.poll();
    thread::sleep(Duration::from_millis(500));
    let proposal = plant.lab.folder().join("proposal.toml");
    plant.must(&["learn", "propose", "--out", &proposal.display().to_string()]);
    plant.must(&["policy", "apply", &proposal.display().to_string()]);
    plant.must(&["mode", "enforce", "--reason", "test"]);
    poller.reset();
    assert!(poller.wait_for_good(50, Duration::from_secs(10)), "{:?} {}", poller.tally(), plant.state());
    assert!(plant.client().write_single(41, 1).is_err(), "{}", plant.state());
    assert!(plant.client().read_holding(60, 5).is_err(), "{}", plant.state());
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?} {}", plant.state());
}

#[test]
fn the_last_policy_stands_without_the_controller_and_the_next_one_takes_over() {
    let mut plant = Plant::new("enforce");
    let poller = plant.poll();
    let generation = plant.status()["policy"]["generation"].as_u64();
    plant.enforcer.process().kill();
    assert!(plant.client().write_single(50, 1).is_err());
    assert!(plant.client().write_single(40, 9).is_ok());
    assert_eq!((plant.server.holding(50), plant.server.holding(40)), (50, 9));

    let (binary, config, socket) = (
        enforcer_tests::enforcer::binary("debug"),
        plant.enforcer.config().to_owned(),
        plant.enforcer.socket().to_owned(),
    );
    plant.enforcer =
        Enforcer::start_with(&plant.lab, &binary, &config, &socket).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plant.status()["policy"]["generation"].as_u64(), generation, "the same policy is not published anew");
    assert_eq!(plant.status()["mode"], "enforce");
    assert!(plant.client().write_single(50, 1).is_err(), "{}", plant.state());
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?} {}", plant.state());

    plant.must(&["detach", "--keep-bridge"]);
    assert!(plant.client().write_single(50, 1).is_ok(), "a plain bridge stays");
}

#[test]
fn changes_under_load_lose_nothing_and_every_operation_is_counted_once() {
    let plant = Plant::new("enforce");
    let other = plant
        .lab
        .write("other.toml", &POLICY.replace("holding:40-47", "holding:40-43").replace("revision = 1", "revision = 2"));
    let first = plant.lab.write("first.toml", POLICY);
    let poller = plant.poll();
    for change in 0..30 {
        let file = if change % 2 == 0 { &other } else { &first };
        plant.must(&["policy", "apply", &file.display().to_string()]);
        plant.must(&["mode", if change % 2 == 0 { "shadow" } else { "enforce" }, "--reason", "test"]);
    }
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?} {}", plant.state());
    let status = plant.status();
    // The last request may have been answered after the poller stopped counting.
    let allowed = plant.count("allow");
    assert!(allowed == tally.good || allowed == tally.good + 1, "{tally:?} {status:#}");
    assert_eq!((plant.count("deny"), plant.count("would_deny")), (0, 0), "{status:#}");
    assert_eq!(status["events"]["lost"], 0);
}

#[test]
fn shadow_changes_no_frame_whatever_it_is() {
    let plant = Plant::new("shadow");
    plant.must(&["policy", "apply", &plant.lab.write("none.toml", NOTHING).display().to_string()]);
    let crossing = enforcer_tests::Crossing::start(&plant.lab.hmi, &plant.lab.plc);
    let injector = Injector::new(&plant.lab.hmi, STATION_PORT);
    let mixed = mixed();
    injector.send_all(mixed.iter().map(Vec::as_slice));
    let _ = plant.client().write_single(77, 7);
    thread::sleep(Duration::from_millis(300));
    let (sent, received) = crossing.stop();
    assert!(sent.len() >= mixed.len(), "{} of {} frames were sent", sent.len(), mixed.len());
    enforcer_tests::compare::assert_same(&sent, &received);
    assert_eq!(plant.server.holding(77), 7);
    let uncovered = &plant.status()["uncovered"];
    assert_eq!(uncovered["deny"], 0, "{}", plant.state());
    assert!(uncovered["would_deny"].as_u64() > Some(0), "{}", plant.state());
}

const NOTHING: &str = "[policy]\nname = \"nothing\"\nrevision = 3\ndefault = \"deny\"\n";

/// Frames that a policy which allows nothing would all deny, some of them hardly frames at all.
fn mixed() -> Vec<Vec<u8>> {
    let read = frames::modbus(1, 1, &frames::read_holding(0, 10));
    let write = frames::modbus(2, 1, &frames::write_single(41, 1));
    let segment = |payload: &[u8]| frames::Segment::to_plc(40_000, 1000, 1, payload).frame();
    let mut lying = read.clone();
    lying[5] = 18;
    let mut foreign = read.clone();
    foreign[2] = 0x12;
    let mut list = vec![
        segment(&read),
        segment(&[read.as_slice(), &write].concat()),
        segment(&lying),
        segment(&foreign),
        segment(&read[..7]),
        frames::arp_request(),
        frames::lldp(),
        frames::profinet_identify(),
        frames::udp(5000, 502, &read),
        frames::tagged(&segment(&write), &[(0x8100, 5)]),
        frames::tagged(&segment(&write), &[(0x88a8, 7), (0x8100, 5)]),
        frames::ipv4(47, &[0; 40]),
        frames::ethernet(PLC_MAC, HMI_MAC, 0x88b8, &[0; 60]),
        frames::ethernet(PLC_MAC, HMI_MAC, 0x86dd, &[0x60; 60]),
        frames::ethernet(PLC_MAC, HMI_MAC, 0x0030, &[0xaa; 60]),
    ];
    list.extend(frames::fragments(&frames::ping(1, 8000), 1480));
    list
}
