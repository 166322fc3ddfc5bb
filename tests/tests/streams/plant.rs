//! What these tests stand on: a line that works without a box, and the box that comes into it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use enforcer_tests::lab::{HMI, HMI_MAC, HMI_V6, PLC, PLC_MAC, PLC_V6, STATION_PORT};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Enforcer, Lab, Server, bridge, enforcer};
use serde_json::Value;

pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The operator reads registers up to 99 and sets those from 40 to 47.
const POLICY: &str = r#"[policy]
name = "streams"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20-10.10.1.29", "fd00:10::20"]
press = ["10.10.2.5", "fd00:10::5"]

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "operate"
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
  action    = "allow"
"#;

/// The policy, with what it says of conversations whose beginning was not seen.
pub(crate) fn policy(on_unsynchronised: &str) -> String {
    POLICY.replace("default = ", &format!("on_unsynchronised = \"{on_unsynchronised}\"\ndefault = "))
}

/// Two stations that know each other, on a cable without a box.
pub(crate) struct Line {
    pub(crate) lab: Lab,
}

impl Line {
    /// Joined by a plain bridge.
    pub(crate) fn new() -> Line {
        let lab = Lab::new();
        // Neighbour discovery of IPv6 is denied like everything that no conduit covers.
        lab.hmi.ip(&format!("neigh replace {PLC_V6} lladdr {} dev {STATION_PORT} nud permanent", text(PLC_MAC)));
        lab.plc.ip(&format!("neigh replace {HMI_V6} lladdr {} dev {STATION_PORT} nud permanent", text(HMI_MAC)));
        bridge::join(&lab);
        Line { lab }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_between(HMI, PLC)
    }

    pub(crate) fn client_between(&self, from: impl Into<IpAddr>, to: impl Into<IpAddr>) -> Client {
        Client::connect(&self.lab.hmi, from, to).unwrap_or_else(|error| panic!("connect: {error}"))
    }

    /// A client that polls, and has begun to.
    pub(crate) fn poll(&self) -> Poller {
        let every = Duration::from_millis(5);
        let poller =
            Poller::start(&self.lab.hmi, Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every });
        assert!(poller.wait_for_good(5, PATIENCE), "{:?}", poller.tally());
        poller
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.lab.plc)
    }

    /// The box comes into the line. `flows` are lines of that section of its configuration.
    pub(crate) fn enforcer(&self, policy: &str, mode: &str, flows: &str) -> Enforcer {
        let more = format!("{}{flows}\n", enforcer::PATIENT);
        Enforcer::start_more(&self.lab, &enforcer::binary("debug"), policy, mode, &more)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The next daemon on the files of one before.
    pub(crate) fn start(&self, config: &Path) -> Enforcer {
        let socket = self.lab.folder().join("control.sock");
        Enforcer::start_with(&self.lab, &enforcer::binary("debug"), config, &socket)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

pub(crate) fn status(enforcer: &Enforcer) -> Value {
    enforcer.status().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn reason(enforcer: &Enforcer, reason: &str) -> u64 {
    status(enforcer)["reasons"][reason].as_u64().unwrap_or_default()
}

/// Reads as often as it takes to prove where units begin: once to be seen, three times to be believed.
pub(crate) fn prove(client: &mut Client, enforcer: &Enforcer) {
    for round in 0..4 {
        let read = client.read_holding(10, 2);
        assert_eq!(read.ok(), Some(vec![10, 11]), "read {round}: {:#}", status(enforcer));
    }
}

/// The client is reset at once.
pub(crate) fn is_reset(answer: Result<(), enforcer_tests::Failure>, enforcer: &Enforcer) {
    let failure = answer.expect_err("it is denied");
    assert!(matches!(failure, enforcer_tests::Failure::Closed(_)), "{failure}\n{:#}", status(enforcer));
}

/// Not one poll failed.
pub(crate) fn unbroken(poller: &Poller, enforcer: &Enforcer) {
    let tally = poller.tally();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}\n{:#}", status(enforcer));
}

pub(crate) fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}
