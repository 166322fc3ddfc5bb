//! What the box tells others: events to a file and a server, numbers to a scraper, with the real binary on live traffic.

mod accounting;
mod metrics;
#[path = "../../../enforcer/tests/export/syslog_server.rs"]
mod syslog_server;

use std::time::{Duration, Instant};

use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::{Client, Enforcer, Lab, Server};
use serde_json::Value;

/// One station is denied often, and opens a connection for each attempt.
const PATIENT: &str = "[flows]\nresets_per_minute = 0\nconnections_per_second = 0\n";

fn policy(revision: u32) -> String {
    format!(
        r#"[policy]
name = "press-line"
revision = {revision}
default = "deny"

[zones]
hmi   = ["10.10.1.20", "10.10.1.21"]
press = ["10.10.2.5"]

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"
on_deny  = "reset"

  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  action    = "allow"

  [[conduits.rules]]
  name      = "setpoint"
  functions = ["write_single_register"]
  objects   = ["holding:40-47"]
  action    = "log"
"#
    )
}

/// A plant in enforce with `more` in its configuration.
struct Plant {
    enforcer: Enforcer,
    server: Server,
    lab: Lab,
}

impl Plant {
    fn new(more: impl FnOnce(&Lab) -> String) -> Plant {
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let binary = enforcer_tests::enforcer::current();
        let more = format!("{PATIENT}{}", more(&lab));
        let enforcer = Enforcer::start_more(&lab, &binary, &policy(1), "enforce", &more);
        Plant { enforcer: enforcer.unwrap_or_else(|error| panic!("{error}")), server, lab }
    }

    fn client(&self) -> Client {
        Client::connect(&self.lab.hmi, HMI, PLC).unwrap_or_else(|error| panic!("{error}: {:#}", self.status()))
    }

    /// Tries so many writes that no rule covers; each costs its connection.
    fn denied_writes(&self, count: usize) {
        let before = self.server.memory().writes;
        for _ in 0..count {
            assert!(self.client().write_single(100, 999).is_err(), "the write was confirmed");
        }
        assert_eq!(self.server.memory().writes, before, "a write arrived");
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until the status is as wanted; fails with the one it has.
    #[track_caller]
    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{what}: {status:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Every denial that the kernel counted.
fn denied(status: &Value) -> u64 {
    let reasons = status["reasons"].as_object().unwrap_or_else(|| panic!("{status:#}"));
    reasons.values().filter_map(Value::as_u64).sum()
}

/// What status says about an export.
fn export<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status["exports"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {status:#}"))
}
