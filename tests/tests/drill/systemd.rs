//! The unit in the hands of a systemd: what it allows is enough for the daemon, and what it promises is kept.

use enforcer_tests::booted::Booted;
use enforcer_tests::enforcer::current;
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::{READS, reads};
use enforcer_tests::{Client, Lab, Server, require_root};
use serde_json::Value;

/// A box that was booted, between a station and a device.
struct Site {
    booted: Booted,
    server: Server,
    lab: Lab,
}

impl Site {
    fn new(watchdog: &str) -> Site {
        require_root();
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        Site { booted: Booted::new(&lab, &current(), READS, watchdog), server, lab }
    }

    fn connect(&self) -> Client {
        Client::connect(&self.lab.hmi, HMI, PLC).unwrap_or_else(|error| panic!("{error}\n{}", self.booted.journal()))
    }

    /// A connection that was there before goes on, one that is new is judged.
    fn holds(&self, open: &mut Client, when: &str) {
        assert_eq!(open.read_holding(7, 1).ok(), Some(vec![7]), "{when}: {}", self.booted.journal());
        assert!(self.connect().write_single(40, 1).is_err(), "{when}: the write was confirmed");
        assert_eq!(self.server.memory().writes, 0, "{when}: the write arrived");
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.booted.must(&["enforcer", "status", "--json"])).expect("JSON")
    }
}

#[test]
fn the_unit_starts_restarts_and_stops_the_controller_and_the_line_is_judged_throughout() {
    let site = Site::new("30s");
    let booted = &site.booted;
    let holds = "joined, the programs on them hold policy press-line generation";
    assert!(booted.property("StatusText").contains(&format!("{holds} 1 in mode enforce")), "{}", booted.journal());
    let status = site.status();
    assert_eq!(status["attention"], Value::Array(Vec::new()), "{status:#}\n{}", booted.journal());
    let process = booted.must(&["cat", &format!("/proc/{}/status", booted.property("MainPID"))]);
    for line in ["CapEff:\t000000c000003000", "CapBnd:\t000000c000003000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(process.contains(line), "{line}: {process}");
    }
    let mut open = site.connect();
    site.holds(&mut open, "started");

    booted.must(&["sh", "-c", "printf '%s' \"$0\" >/tmp/next.toml", &reads(2)]);
    booted.must(&["enforcer", "policy", "apply", "/tmp/next.toml", "--reason", "a trial"]);
    assert_eq!(site.status()["policy"]["generation"], 2);
    site.holds(&mut open, "policy applied");

    booted.must(&["systemctl", "restart", "enforcer"]);
    assert!(booted.property("StatusText").contains(&format!("{holds} 2 in mode enforce")), "{}", booted.journal());
    let status = site.status();
    assert_eq!(status["attention"], Value::Array(Vec::new()), "{status:#}\n{}", booted.journal());
    site.holds(&mut open, "restarted");

    booted.must(&["systemctl", "stop", "enforcer"]);
    assert_eq!((booted.property("ActiveState"), booted.property("Result")), ("inactive".into(), "success".into()));
    assert!(booted.journal().contains(&format!("{holds} 2 in mode enforce")), "{}", booted.journal());
    site.holds(&mut open, "stopped");
}

#[test]
fn systemd_kills_a_daemon_that_hangs_and_starts_it_again() {
    let site = Site::new("4s");
    let booted = &site.booted;
    let mut open = site.connect();
    let before = booted.property("MainPID");
    booted.must(&["systemctl", "kill", "--signal=STOP", "enforcer"]);
    site.holds(&mut open, "hangs");
    booted.wait("another daemon is active", |booted| {
        booted.property("ActiveState") == "active" && booted.property("MainPID") != before
    });
    assert!(booted.journal().contains("Watchdog timeout"), "{}", booted.journal());
    site.holds(&mut open, "started again");
}
