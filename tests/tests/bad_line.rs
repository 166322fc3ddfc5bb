//! A legitimate client over a bad line: the box must not turn a line that TCP copes with into one that it does not.

use std::time::Duration;

use enforcer_tests::bad_line::{BadLine, Carried, Place, Quality};
use enforcer_tests::crew::{self, Outcome, Work};
use enforcer_tests::enforcer::current;
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI, HMI_MAC, PLC, PLC_MAC, STATION_PORT};
use enforcer_tests::{Capture, Direction, Enforcer, Lab, Namespace, Server, bridge, frames, say};

const POLICY: &str = r#"[policy]
name = "bad-line"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20"]
press = ["10.10.2.5"]

[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"

  [[conduits.rules]]
  name      = "operate"
  functions = ["read_holding_registers", "write_single_register", "write_multiple_registers"]
  objects   = ["holding:0-999"]
  action    = "allow"
"#;

/// Ten thousand transactions. TCP may repair for a minute before a client gives up.
const WORK: Work = Work {
    source: std::net::IpAddr::V4(HMI),
    server: std::net::IpAddr::V4(PLC),
    clients: 25,
    requests: 400,
    conversation: 400,
    patience: Duration::from_secs(60),
};
/// Two hundred and fifty conversations of six transactions each: what handshakes and ends make of a bad line.
const SHORT: Work = Work { requests: 60, conversation: 6, ..WORK };
/// Room for all of them at once: this is about handshakes, not about the cap that spares a device.
const MANY: &str = "[flows]\nper_device = 256\nconnections_per_second = 0\n";
/// What the whole run may take, measured by the same line without the box.
const MOST: f64 = 1.5;
const SEED: u64 = 0x0bad_11e5;

#[test]
fn a_client_over_a_bad_network_does_as_well_as_without_the_box() {
    does_as_well(Place::Network, WORK);
}

#[test]
fn a_client_of_a_device_on_a_bad_cable_does_as_well_as_without_the_box() {
    does_as_well(Place::Device, WORK);
}

#[test]
fn short_conversations_over_a_bad_network_do_as_well_as_without_the_box() {
    does_as_well(Place::Network, SHORT);
}

#[test]
fn short_conversations_with_a_device_on_a_bad_cable_do_as_well_as_without_the_box() {
    does_as_well(Place::Device, SHORT);
}

#[test]
fn the_line_does_what_it_says_and_nothing_else() {
    let lab = Lab::new();
    let mut line = BadLine::splice(&lab, Place::Network, Quality::BAD, SEED);
    bridge::join(&lab);
    let capture = Capture::start(&lab.plc, STATION_PORT, Direction::Incoming);
    let numbered = |number: u16| {
        let frame = frames::ethernet(PLC_MAC, HMI_MAC, 0x88b5, &[number.to_be_bytes(); 750].concat());
        if number.is_multiple_of(2) { frame } else { frames::tagged(&frame, &[(0x8100, 5)]) }
    };
    let sent: Vec<Vec<u8>> = (0..2000).map(numbered).collect();
    Injector::new(&lab.hmi, STATION_PORT).send_all(sent.iter().map(Vec::as_slice));
    std::thread::sleep(2 * Quality::BAD.jitter);
    let mut arrived = capture.stop();
    arrived.retain(|frame| sent.contains(&frame.bytes));
    let carried = line.stop()[0];
    let Carried { came, lost, reordered, duplicated } = carried;
    // The stations' kernels may have had a word of their own to say.
    assert!((2000..2020).contains(&came), "{carried:?}");
    for (what, share) in [(lost, 0.05), (reordered, 0.05), (duplicated, 0.02)] {
        let found = what as f64 / came as f64;
        assert!((share * 0.6..share * 1.4).contains(&found), "{found} instead of {share}: {carried:?}");
    }
    let expected = 2000 - lost + duplicated;
    assert!(arrived.len().abs_diff(expected as usize) < 20, "{} frames arrived: {carried:?}", arrived.len());
    assert!(!arrived.is_sorted_by_key(|frame| frame.bytes[1000..1002].to_vec()), "none overtook another");
}

/// Both lines run at the same time, so that whatever else this machine does slows both.
fn does_as_well(place: Place, work: Work) {
    let mut plain = Line::new(place);
    bridge::join(&plain.lab);
    let mut enforced = Line::new(place);
    let enforcer =
        Enforcer::start_more(&enforced.lab, &current(), POLICY, "enforce", MANY).expect("the enforcer starts");
    let (without, with) = std::thread::scope(|scope| {
        let without = scope.spawn(|| crew::run(&plain.lab.hmi, work));
        let with = crew::run(&enforced.lab.hmi, work);
        (without.join().expect("the crew without the box"), with)
    });
    let status = enforcer.status().expect("status");
    // Of all clients' time together: the end of a run is one client's luck.
    let ratio = spent(&with) / spent(&without);
    let told = format!(
        "{place:?}: {ratio:.2} times as long with the box as without\nwithout: {}\nwith:    {}\ndenied: {}",
        plain.tell(&without),
        enforced.tell(&with),
        status["reasons"]
    );
    say!("{told}");
    assert!(with.errors.len() <= without.errors.len(), "{told}\n{:#?}\n{status:#}", with.errors);
    if with.errors.is_empty() {
        let memory = enforced.server.memory().clone();
        assert_eq!(with.times.len(), work.clients * work.requests, "{told}\n{status:#}");
        assert_eq!((memory.writes, &memory.holding), (with.writes, &with.holding), "{told}\n{status:#}");
    }
    assert!(ratio <= MOST, "more than {MOST} times as long, in one run of each at the same time\n{told}\n{status:#}");
}

/// A lab with a server and a bad cable.
struct Line {
    line: BadLine,
    server: Server,
    lab: Lab,
}

impl Line {
    fn new(place: Place) -> Line {
        let lab = Lab::new();
        // This is about TCP: address resolution has only three tries on any line.
        know(&lab.hmi, PLC, PLC_MAC);
        know(&lab.plc, HMI, HMI_MAC);
        let line = BadLine::splice(&lab, place, Quality::BAD, SEED);
        Line { line, server: Server::start(&lab.plc), lab }
    }

    /// One line about a run.
    fn tell(&mut self, outcome: &Outcome) -> String {
        let [median, tail, far, longest] = [0.5, 0.95, 0.99, 1.0].map(|part| outcome.quantile(part).as_millis());
        let carried = self.line.stop().into_iter().map(told).collect::<Vec<_>>().join(" / ");
        let errors = outcome.errors.len();
        format!(
            "{:.1} s, {errors} errors, {} answers in {median} ms (median), {tail} (95 %), {far} (99 %), {longest} (all); \
             line: {carried}",
            outcome.took.as_secs_f64(),
            outcome.times.len(),
        )
    }
}

/// Seconds that the clients waited, all of them together.
fn spent(outcome: &Outcome) -> f64 {
    outcome.times.iter().sum::<Duration>().as_secs_f64()
}

fn told(carried: Carried) -> String {
    let Carried { came, lost, reordered, duplicated, .. } = carried;
    format!("{came} frames, of them {lost} lost, {reordered} late, {duplicated} twice")
}

fn know(station: &Namespace, address: std::net::Ipv4Addr, mac: [u8; 6]) {
    let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
    station.ip(&format!("neigh replace {address} lladdr {mac} dev {STATION_PORT} nud permanent"));
}
