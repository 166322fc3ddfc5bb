//! What the tests of enforcement stand on: a policy, a box that enforces it, a capture on the device's cable.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use enforcer_tests::lab::{HMI_MAC, HMI_V6, PLC, PLC_MAC, PLC_V6, STATION_PORT};
use enforcer_tests::{Capture, Client, Direction, Enforcer, Frame, Lab, enforcer};
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
pub(crate) struct Stage {
    pub(crate) device: Capture,
    pub(crate) enforcer: Enforcer,
    pub(crate) lab: Lab,
}

impl Stage {
    pub(crate) fn new(on_deny: &str) -> Stage {
        Stage::with(on_deny, "")
    }

    /// With further conduits.
    pub(crate) fn with(on_deny: &str, conduits: &str) -> Stage {
        let lab = Lab::new();
        // Neighbour discovery is denied like everything else, so the stations know each other.
        lab.hmi.ip(&format!("neigh replace {PLC_V6} lladdr {} dev {STATION_PORT} nud permanent", text(PLC_MAC)));
        lab.plc.ip(&format!("neigh replace {HMI_V6} lladdr {} dev {STATION_PORT} nud permanent", text(HMI_MAC)));
        let policy = POLICY.replace("ON_DENY", on_deny) + conduits;
        let enforcer = Enforcer::start_more(&lab, &enforcer::current(), &policy, "enforce", enforcer::PATIENT)
            .expect("the enforcer starts");
        let device = Capture::start(&lab.plc, STATION_PORT, Direction::Incoming);
        Stage { device, enforcer, lab }
    }

    pub(crate) fn status(&self) -> Value {
        self.enforcer.status().expect("status")
    }

    /// One number of a conduit.
    pub(crate) fn conduit(&self, name: &str, what: &str) -> u64 {
        let status = self.status();
        let conduits = status["conduits"].as_array().expect("conduits");
        let conduit = conduits.iter().find(|conduit| conduit["name"] == name).expect("the conduit");
        conduit[what].as_u64().unwrap_or_else(|| panic!("no {what} in {status:#}"))
    }

    pub(crate) fn reason(&self, reason: &str) -> u64 {
        self.status()["reasons"][reason].as_u64().unwrap_or_default()
    }

    /// A plain TCP connection of the operator station to the controller.
    pub(crate) fn dial(&self) -> TcpStream {
        let address = SocketAddr::new(PLC.into(), 502);
        let stream = self.lab.hmi.run(|| TcpStream::connect_timeout(&address, Duration::from_secs(2)));
        let stream = stream.unwrap_or_else(|error| panic!("connect: {error}\n{:#}", self.status()));
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        stream
    }

    pub(crate) fn client(&self, source: impl Into<IpAddr>, server: impl Into<IpAddr>) -> Client {
        Client::connect(&self.lab.hmi, source, server)
            .unwrap_or_else(|error| panic!("connect: {error}\n{:#}", self.status()))
    }

    /// What came out of the box towards the device.
    pub(crate) fn seen(self) -> Vec<Frame> {
        self.device.stop()
    }
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

pub(crate) fn holds(frames: &[Frame], bytes: &[u8]) -> bool {
    frames.iter().any(|frame| frame.bytes.windows(bytes.len()).any(|window| window == bytes))
}
