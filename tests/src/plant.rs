//! The stand of the tests that break things: a line in which a station polls a controller through the box.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::enforcer::{PATIENT, configuration, current};
use crate::lab::{HMI, PLC};
use crate::poller::Plan;
use crate::{Client, Enforcer, Lab, Poller, Server, require_root};

/// How long something may take that should be done at once.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// Reads are allowed, nothing else is.
pub const READS: &str = r#"[policy]
name = "press-line"
revision = 1
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

  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  action    = "allow"
"#;

/// [`READS`] as another revision.
pub fn reads(revision: u32) -> String {
    READS.replace("revision = 1", &format!("revision = {revision}"))
}

/// A line with a client that polls every five milliseconds. The box dies first, the lab last.
pub struct Plant {
    pub enforcer: Enforcer,
    pub poller: Poller,
    pub server: Server,
    pub lab: Lab,
}

impl Plant {
    /// A box in enforce with [`READS`].
    pub fn enforcing() -> Plant {
        Plant::new("enforce", "")
    }

    /// The same in another mode, with further sections in the configuration.
    pub fn new(mode: &str, more: &str) -> Plant {
        require_root();
        let lab = Lab::new();
        let policy = lab.write("policy.toml", READS);
        lab.write("enforcer.toml", &format!("{}\n{PATIENT}\n{more}", configuration(&lab, &policy, mode)));
        Plant::on(lab)
    }

    /// On a lab in which the configuration is written.
    pub fn on(lab: Lab) -> Plant {
        let (config, socket) = (lab.folder().join("enforcer.toml"), lab.folder().join("control.sock"));
        let server = Server::start(&lab.plc);
        let enforcer =
            Enforcer::start_with(&lab, &current(), &config, &socket).unwrap_or_else(|error| panic!("{error}"));
        let every = Duration::from_millis(5);
        let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 5, every };
        let poller = Poller::start(&lab.hmi, plan);
        let plant = Plant { enforcer, poller, server, lab };
        plant.polls("at the beginning");
        plant.poller.reset();
        plant
    }

    /// The daemon dies.
    pub fn kill(&mut self) {
        self.enforcer.process().kill();
    }

    /// The next daemon on the files of the one before.
    pub fn again(&mut self) {
        let (config, socket) = (self.enforcer.config().to_owned(), self.enforcer.socket().to_owned());
        let next = Enforcer::start_with(&self.lab, &current(), &config, &socket);
        self.enforcer = next.unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything `status` wants a person to see, in one text.
    pub fn attention(&self) -> String {
        self.status()["attention"].to_string()
    }

    /// Waits for words in `attention`; returns how long that took.
    pub fn says(&self, words: &str) -> Duration {
        self.wait(&format!("attention {words:?}"), |status| status["attention"].to_string().contains(words))
    }

    /// Waits for an alarm with these words among the events.
    pub fn alarms(&self, words: &str) {
        let start = Instant::now();
        loop {
            let events = self.enforcer.json_lines(&["events"]).unwrap_or_else(|error| panic!("{error}"));
            let is_it = |event: &&Value| event["what"].as_str().is_some_and(|what| what.contains(words));
            if events.iter().filter(|event| event["event"] == "alarm").any(|event| is_it(&event)) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "no alarm {words:?}\n{}", self.state());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `status` is so; returns how long that took.
    pub fn wait(&self, what: &str, so: impl Fn(&Value) -> bool) -> Duration {
        let start = Instant::now();
        while !self.enforcer.status().is_ok_and(|status| so(&status)) {
            assert!(start.elapsed() < PATIENCE, "waited for {what}\n{}", self.state());
            std::thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    }

    /// Everything that a failed test should show.
    pub fn state(&self) -> String {
        let status = self.enforcer.status().map_or_else(|error| error, |status| format!("{status:#}"));
        format!("{:?}\n{status}\n{}", self.poller.tally(), self.lab.cabinet.output("ip", &["-d", "link"]))
    }

    /// Polls are answered.
    pub fn polls(&self, when: &str) {
        assert!(self.poller.wait_for_good(20, PATIENCE), "{when}: no answers\n{}", self.state());
    }

    /// No poll is answered.
    pub fn is_silent(&self, when: &str) {
        std::thread::sleep(Duration::from_millis(50));
        let before = self.poller.tally().good;
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(self.poller.tally().good, before, "{when}: polls are answered\n{}", self.state());
    }

    /// Not one poll failed, and there is still one connection.
    pub fn unbroken(&self, when: &str) {
        let tally = self.poller.tally();
        assert_eq!((tally.errors, tally.reconnects), (0, 0), "{when}\n{}", self.state());
    }

    /// Polls are answered, and a write is denied and does not arrive.
    pub fn enforces(&self, when: &str) {
        self.polls(when);
        self.denies(when);
    }

    /// A write is denied and does not arrive.
    pub fn denies(&self, when: &str) {
        let writes = self.server.memory().writes;
        assert!(self.write().is_err(), "{when}: the write was confirmed\n{}", self.state());
        assert_eq!(self.server.memory().writes, writes, "{when}: the write arrived\n{}", self.state());
    }

    /// Polls are answered, and a write arrives.
    pub fn is_open(&self, when: &str) {
        self.polls(when);
        if let Err(error) = self.write() {
            panic!("{when}: the write did not arrive: {error}\n{}", self.state());
        }
    }

    /// Writes a register over a connection of its own.
    pub fn write(&self) -> Result<(), String> {
        let mut client = Client::connect(&self.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
        client.write_single(40, 999).map_err(|failure| failure.to_string())
    }
}
