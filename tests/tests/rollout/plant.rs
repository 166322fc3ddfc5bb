//! A box in a line over which one station polls one controller by Modbus and by S7 at the same time.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{AT_ONCE, configuration, current};
use enforcer_tests::{Enforcer, Lab};
use serde_json::Value;

use super::modbus::Modbus;
use super::s7comm::S7;

/// What a plant asks for in days, in seconds.
const ROLLOUT: &str = r#"[rollout]
confirm_within = "60s"
shadow = "3s"
shifts = 1
weekdays = 1
evaluations = 50
quiet = "2s"
settled = "2s"
unseen = 1000000
"#;

pub(super) struct Plant {
    pub enforcer: Enforcer,
    pub modbus: Modbus,
    pub s7: S7,
    pub lab: Lab,
}

impl Plant {
    pub(super) fn new(policy: &str, mode: &str) -> Self {
        let lab = Lab::new();
        let policy = lab.write("policy.toml", policy);
        let config = configuration(&lab, &policy, mode).replace(AT_ONCE, ROLLOUT);
        let config = lab.write("enforcer.toml", &config);
        let socket = lab.folder().join("control.sock");
        let enforcer = Enforcer::start_with(&lab, &current(), &config, &socket).expect("start");
        let plant = Self { enforcer, modbus: Modbus::start(&lab), s7: S7::start(&lab), lab };
        plant.polls("at the beginning");
        plant
    }

    pub(super) fn must(&self, arguments: &[&str]) -> String {
        let said = self.enforcer.must(arguments);
        said.unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", self.state()))
    }

    pub(super) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.enforcer.cli(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}\n{}", self.state());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        self.enforcer.json(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", self.state()))
    }

    pub(super) fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything that a failed test should show.
    pub(super) fn state(&self) -> String {
        let status = self.enforcer.status().map_or_else(|error| error, |status| format!("{status:#}"));
        let (modbus, s7) = (self.modbus.poller.tally(), self.s7.tally());
        format!("{status}\nmodbus: {modbus:?}\ns7: {s7:?}, written {:?}", self.s7.written())
    }

    /// Waits until `status` is so.
    pub(super) fn wait(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        self.until(what, || Some(self.status()).filter(&so))
    }

    /// Waits for something that is not there yet.
    pub(super) fn until<T>(&self, what: &str, found: impl Fn() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "waited for {what}\n{}", self.state());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Both stations get answers.
    pub(super) fn polls(&self, when: &str) {
        self.modbus.polls(when);
        self.s7.polls(when);
    }

    pub(super) fn count_anew(&mut self) {
        self.modbus.reset();
        self.s7.reset();
    }

    /// Both get answers, and since they are counted not one failed and no connection was made anew.
    pub(super) fn unbroken(&self, when: &str) {
        self.polls(when);
        let (modbus, s7) = (self.modbus.poller.tally(), self.s7.tally());
        let broken = [modbus.errors, modbus.reconnects, s7.errors, s7.reconnects];
        assert_eq!(broken, [0; 4], "{when}\n{}", self.state());
    }

    /// A write by each protocol is confirmed, and the application has it.
    pub(super) fn lets_write(&self, when: &str, value: u16) {
        assert!(self.modbus.write(&self.lab, value), "{when}: the Modbus write failed\n{}", self.state());
        assert_eq!(self.modbus.holds(), value, "{when}\n{}", self.state());
        self.lets_write_s7(when, value);
    }

    pub(super) fn lets_write_s7(&self, when: &str, value: u16) {
        let hex = format!("{value:04x}");
        assert!(self.s7.write(&self.lab, &hex), "{when}: the S7 write failed\n{}", self.state());
        self.until(when, || (self.s7.written().last() == Some(&hex)).then_some(()));
    }

    /// A write by each protocol fails, and the applications have what they had.
    pub(super) fn denies_writes(&self, when: &str, value: u16) {
        let before = (self.modbus.holds(), self.s7.written());
        assert!(!self.modbus.write(&self.lab, value), "{when}: the Modbus write was confirmed\n{}", self.state());
        assert!(
            !self.s7.write(&self.lab, &format!("{value:04x}")),
            "{when}: the S7 write was confirmed\n{}",
            self.state()
        );
        // A whole round of the server's own look at its memory.
        self.s7.polls(when);
        assert_eq!((self.modbus.holds(), self.s7.written()), before, "{when}: it arrived\n{}", self.state());
    }

    /// A policy of the lab's folder with this change of another one's text.
    pub(super) fn policy(&self, name: &str, text: &str, from: &str, to: &str) -> String {
        assert!(text.contains(from), "{from:?} is not in {text}");
        self.lab.write(name, &text.replacen(from, to, 1)).display().to_string()
    }

    /// The next daemon on the files of the one before.
    pub(super) fn again(&mut self) {
        let (config, socket) = (self.enforcer.config().to_path_buf(), self.enforcer.socket().to_path_buf());
        self.enforcer = Enforcer::start_with(&self.lab, &current(), &config, &socket).expect("start again");
    }
}
