//! The stage that `demo` and `lab` share: the three namespaces, a controller that answers, a station that polls.

use std::time::Duration;

use anyhow::{Result, bail};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Lab, Server};

/// What the station polls: so many holding registers from 0.
pub(crate) const POLLED: u16 = 10;
/// The time from one poll to the next.
pub(crate) const PERIOD: Duration = Duration::from_millis(20);

/// The policy the box starts with: who is who, and nothing allowed yet.
pub(crate) const FIRST_POLICY: &str = r#"[policy]
name = "press-line"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20", "10.10.1.21"]
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
mode     = "enforce"
"#;

/// The plant without the box's forwarding.
pub(crate) struct Stage {
    // Dropped in this order: what lives in the namespaces goes before the namespaces.
    pub(crate) server: Server,
    pub(crate) lab: Lab,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let lab = Lab::new();
        // The stage's plant speaks IPv4 only: neighbour discovery would be noise in the counts a person looks at.
        for station in [&lab.hmi, &lab.plc] {
            station.sysctl("ipv6/conf/all/disable_ipv6", "1");
        }
        let server = Server::start(&lab.plc);
        Stage { server, lab }
    }

    /// Starts the station that reads the controller without pause.
    pub(crate) fn poll(&self) -> Result<Poller> {
        let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: POLLED, every: PERIOD };
        let poller = Poller::start(&self.lab.hmi, plan);
        if !poller.wait_for_good(3, Duration::from_secs(5)) {
            bail!("the station gets no answers through the box: {:?}", poller.tally());
        }
        Ok(poller)
    }
}
