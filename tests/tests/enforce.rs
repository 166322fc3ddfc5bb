//! In enforce what is denied never appears on the device's side, and what is allowed does.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::frames::{self, Flags, Segment, modbus, read_holding, write_single};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{ENGINEERING, HMI, HMI_MAC, HMI_V6, PLC, PLC_MAC, PLC_V6, STATION_PORT};
use enforcer_tests::{Capture, Client, Direction, Enforcer, Frame, Lab, Server, enforcer};
use serde_json::Value;

/// The operator reads, sets registers 40-47 up to 1000, and is not often asked for coils. The engineer is only watched.
const POLICY: &str = r#"[policy]
name = "enforced"
revision = 1
default = "deny"
fragments = "deny"

[zones]
hmi   = ["10.10.1.20", "fd00:10::20", "10.11.1.20"]
eng   = ["10.10.1.66"]
press = ["10.10.2.5", "fd00:10::5", "10.11.2.5"]

[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "operate"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"
on_deny  = "ON_DENY"

  [[conduits.rules]]
  name      = "poll"
  functions = ["read_holding_registers"]
  objects   = ["holding:0-99"]
  action    = "allow"

  [[conduits.rules]]
  name      = "setpoint"
  functions = ["write_single_register"]
  objects   = ["holding:40-47"]
  values    = ["0-1000"]
  action    = "log"

  [[conduits.rules]]
  name      = "seldom"
  functions = ["write_single_coil"]
  rate      = "3/h"
  action    = "allow"

[[conduits]]
name     = "engineer"
from     = ["eng"]
to       = ["press"]
protocol = "modbus"
mode     = "shadow"
"#;

/// A lab in enforce with a capture on the device's cable.
struct Stage {
    device: Capture,
    enforcer: Enforcer,
    lab: Lab,
}

impl Stage {
    fn new(on_deny: &str) -> Stage {
        let lab = Lab::new();
        // Neighbour discovery is denied like everything else, so the stations know each other.
        lab.hmi.ip(&format!("neigh replace {PLC_V6} lladdr {} dev {STATION_PORT} nud permanent", text(PLC_MAC)));
        lab.plc.ip(&format!("neigh replace {HMI_V6} lladdr {} dev {STATION_PORT} nud permanent", text(HMI_MAC)));
        let policy = POLICY.replace("ON_DENY", on_deny);
        let enforcer = Enforcer::start(&lab, &enforcer::current(), &policy, "enforce").expect("the enforcer starts");
        let device = Capture::start(&lab.plc, STATION_PORT, Direction::Incoming);
        Stage { device, enforcer, lab }
    }

    fn status(&self) -> Value {
        self.enforcer.status().expect("status")
    }

    /// One number of a conduit.
    fn conduit(&self, name: &str, what: &str) -> u64 {
        let status = self.status();
        let conduits = status["conduits"].as_array().expect("conduits");
        let conduit = conduits.iter().find(|conduit| conduit["name"] == name).expect("the conduit");
        conduit[what].as_u64().unwrap_or_else(|| panic!("no {what} in {status:#}"))
    }

    fn reason(&self, reason: &str) -> u64 {
        self.status()["reasons"][reason].as_u64().unwrap_or_default()
    }

    /// A plain TCP connection of the operator station to the controller.
    fn dial(&self) -> TcpStream {
        let address = SocketAddr::new(PLC.into(), 502);
        let stream = self.lab.hmi.run(|| TcpStream::connect_timeout(&address, Duration::from_secs(2)));
        let stream = stream.unwrap_or_else(|error| panic!("connect: {error}\n{:#}", self.status()));
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        stream
    }

    fn client(&self, source: impl Into<IpAddr>, server: impl Into<IpAddr>) -> Client {
        Client::connect(&self.lab.hmi, source, server)
            .unwrap_or_else(|error| panic!("connect: {error}\n{:#}", self.status()))
    }

    /// What came out of the box towards the device.
    fn seen(self) -> Vec<Frame> {
        self.device.stop()
    }
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn holds(frames: &[Frame], bytes: &[u8]) -> bool {
    frames.iter().any(|frame| frame.bytes.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn what_a_client_must_not_say_never_arrives() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let read = modbus(7, 1, &read_holding(0, 10));
    let mut lying = read.clone();
    lying[5] = 5;
    let mut foreign = modbus(0x7171, 1, &read_holding(0, 10));
    foreign[3] = 9;
    let denied = [
        ("function_not_allowed", modbus(0x7172, 1, &frames::write_multiple(40, &[1]))),
        ("object_not_allowed", modbus(0x7173, 1, &write_single(50, 1))),
        ("value_not_allowed", modbus(0x7174, 1, &write_single(40, 1001))),
        // An allowed read first: the segment goes as a whole.
        ("object_not_allowed", [modbus(0x7175, 1, &read_holding(0, 1)), modbus(8, 1, &write_single(51, 1))].concat()),
        ("malformed_framing", foreign),
        ("length_mismatch", lying),
    ];
    for (reason, bytes) in &denied {
        let before = stage.reason(reason);
        let mut stream = stage.dial();
        stream.write_all(&read).expect("an allowed read");
        let mut answer = [0; 29];
        stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("{reason}: {error}\n{:#}", stage.status()));
        let start = Instant::now();
        stream.write_all(bytes).expect("to the socket");
        let end = stream.read(&mut answer).expect_err("the connection is reset");
        assert_eq!(end.kind(), ErrorKind::ConnectionReset, "{reason}: {end}\n{:#}", stage.status());
        assert!(start.elapsed() < Duration::from_millis(900), "{reason}: reset after {:?}", start.elapsed());
        assert!(stage.reason(reason) > before, "{reason} did not move: {:#}", stage.status());
    }
    assert!(stage.conduit("operate", "deny") >= 6, "{:#}", stage.status());
    let memory = server.memory().clone();
    assert_eq!((memory.writes, memory.requests), (0, 6), "{:#}", stage.status());
    let state = stage.status();
    let seen = stage.seen();
    assert!(holds(&seen, &read), "the capture sees what is allowed");
    for (reason, bytes) in &denied {
        assert!(!holds(&seen, bytes), "{reason}: {bytes:02x?} passed\n{state:#}");
    }
}

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
fn reset_ends_both_sides_and_drop_ends_none() {
    for on_deny in ["reset", "drop"] {
        let stage = Stage::new(on_deny);
        let listener = stage.lab.plc.run(|| TcpListener::bind((PLC, 502))).expect("listen");
        let mut client = stage.dial();
        let (mut server, _) = listener.accept().expect("accept");
        server.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        client.write_all(&modbus(1, 1, &write_single(50, 1))).expect("to the socket");
        let mut buffer = [0; 64];
        let (here, there) = (client.read(&mut buffer), server.read(&mut buffer));
        let about = format!("{on_deny}: client {here:?}, server {there:?}\n{:#}", stage.status());
        if on_deny == "reset" {
            assert_eq!(here.expect_err(&about).kind(), ErrorKind::ConnectionReset, "{about}");
            let ended = there.map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |count| count == 0);
            assert!(ended, "{about}");
        } else {
            assert_eq!(here.expect_err(&about).kind(), ErrorKind::WouldBlock, "{about}");
            assert_eq!(there.expect_err(&about).kind(), ErrorKind::WouldBlock, "{about}");
        }
        assert!(stage.conduit("operate", "deny") > 0, "{about}");
    }
}

#[test]
fn rules_log_and_count_and_a_conduit_may_only_watch() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let mut client = stage.client(HMI, PLC);
    assert_eq!(client.read_holding(5, 2).expect("read"), [5, 6], "{:#}", stage.status());
    client.write_single(40, 1000).expect("the highest value");
    assert_eq!(server.holding(40), 1000);
    assert_eq!(stage.conduit("operate", "log"), 1, "{:#}", stage.status());
    let good = (0..6).take_while(|_| client.write_coil(3, true).is_ok()).count();
    assert_eq!((good, server.memory().writes), (3, 4), "{:#}", stage.status());
    assert!(stage.reason("rate_exceeded") > 0, "{:#}", stage.status());
    // The engineer's conduit is in shadow although the box enforces.
    stage.client(ENGINEERING, PLC).write_single(60, 7).expect("a write that is only watched");
    assert_eq!((stage.conduit("engineer", "deny"), stage.conduit("engineer", "would_deny")), (0, 1));
    // And a conduit that enforces does not while the box is in shadow.
    let denied = stage.conduit("operate", "deny");
    stage.enforcer.must(&["mode", "shadow", "--reason", "test"]).expect("the mode");
    stage.client(HMI, PLC).write_single(61, 8).expect("a write in shadow");
    assert_eq!((server.holding(60), server.holding(61)), (7, 8));
    assert_eq!(stage.conduit("operate", "deny"), denied, "{:#}", stage.status());
    assert!(stage.conduit("operate", "would_deny") > 0, "{:#}", stage.status());
}

#[test]
fn an_ipv6_conversation_is_inspected() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let mut client = stage.client(HMI_V6, PLC_V6);
    assert_eq!(client.read_holding(5, 2).expect("read"), [5, 6], "{:#}", stage.status());
    let failure = client.write_single(50, 0x7176).expect_err("a denied write");
    assert!(failure.to_string().starts_with("connection lost"), "{failure}\n{:#}", stage.status());
    assert!(stage.reason("object_not_allowed") > 0, "{:#}", stage.status());
    let memory = server.memory().clone();
    assert_eq!((memory.holding[50], memory.writes), (50, 0));
    assert!(!holds(&stage.seen(), &[0, 50, 0x71, 0x76]));
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
