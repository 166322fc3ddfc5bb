//! What comes back when a change is taken back: by the kernel alone, and by a person.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::{READS, reads};
use enforcer_tests::{Client, Enforcer, Lab, Server};
use serde_json::Value;

/// So many resets in a minute hold a station off, unless the configuration says otherwise.
const RESETS: u32 = 3;

/// A box that enforces a policy under which registers may be written.
struct Stand {
    enforcer: Enforcer,
    _server: Server,
    lab: Lab,
}

fn writes(revision: u32) -> String {
    reads(revision).replace("[\"@read\"]", "[\"@read\", \"@write\"]")
}

impl Stand {
    fn new() -> Stand {
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let policy = lab.write("policy.toml", &writes(1));
        lab.write("enforcer.toml", &configuration(&lab, &policy, "enforce"));
        Stand { enforcer: start(&lab), _server: server, lab }
    }

    fn file(&self, name: &str, text: &str) -> String {
        self.lab.write(name, text).display().to_string()
    }

    fn must(&self, arguments: &[&str]) -> String {
        self.enforcer.must(arguments).unwrap_or_else(|error| panic!("{error}\n{:#}", self.status()))
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    fn write(&self) -> Result<(), String> {
        let mut client = Client::connect(&self.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
        client.write_single(40, 1).map_err(|failure| failure.to_string())
    }

    /// The station is reset as often as it takes to be held off.
    fn is_reset(&self) {
        for _ in 0..RESETS {
            self.write().expect_err("denied");
        }
    }

    /// Until a write gets through, whatever becomes of the controller.
    fn wait_for_a_write(&self) {
        let begin = Instant::now();
        while let Err(error) = self.write() {
            assert!(begin.elapsed() < Duration::from_secs(10), "nothing comes back: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Until the controller has seen that the kernel went back.
    fn wait_for_the_return(&self) {
        let begin = Instant::now();
        while !self.status()["gone_back"].is_string() {
            assert!(begin.elapsed() < Duration::from_secs(10), "{:#}", self.status());
            thread::sleep(Duration::from_millis(50));
        }
        let history = self.must(&["policy", "history"]);
        assert_eq!(history.matches("not confirmed").count(), 1, "only the mistake: {history}");
    }

    fn writes(&self, when: &str) {
        let written = self.write();
        assert!(written.is_ok(), "{when}: {written:?}\n{:#}", self.status());
    }

    fn again(&mut self) {
        self.enforcer.process().kill();
        self.enforcer = start(&self.lab);
    }
}

fn start(lab: &Lab) -> Enforcer {
    let [config, socket]: [PathBuf; 2] = ["enforcer.toml", "control.sock"].map(|name| lab.folder().join(name));
    Enforcer::start_with(lab, &current(), &config, &socket).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_controller_after_the_kernels_own_return_holds_nobody_off_for_it() {
    let mut stand = Stand::new();
    let narrow = stand.file("narrow.toml", READS);
    stand.must(&["policy", "apply", &narrow, "--confirm-within", "3s"]);
    stand.is_reset();
    stand.enforcer.process().kill();
    stand.wait_for_a_write();
    stand.again();
    assert!(stand.status()["gone_back"].is_string(), "{:#}", stand.status());
    stand.writes("held off for what was taken back");
}

#[test]
fn a_person_who_rolls_back_lets_everybody_in_again() {
    let stand = Stand::new();
    let narrow = stand.file("narrow.toml", &reads(2));
    stand.must(&["policy", "apply", &narrow]);
    stand.is_reset();
    stand.must(&["rollback"]);
    stand.writes("held off for what was taken back");
}

#[test]
fn the_policy_before_is_none_that_was_taken_back() {
    let stand = Stand::new();
    let [second, mistake] =
        [("second.toml", writes(2)), ("mistake.toml", reads(3))].map(|(name, text)| stand.file(name, &text));
    stand.must(&["policy", "apply", &second]);
    stand.must(&["policy", "apply", &mistake, "--confirm-within", "1s"]);
    stand.wait_for_the_return();
    stand.must(&["rollback"]);
    assert_eq!(stand.status()["policy"]["revision"], 1, "{}", stand.must(&["policy", "history"]));
    stand.writes("the mistake is back");
}

#[test]
fn a_restart_keeps_who_put_a_policy_in_force_and_why() {
    let mut stand = Stand::new();
    let second = stand.file("second.toml", &writes(2));
    stand.must(&["policy", "apply", &second, "--reason", "ticket 4711"]);
    let before = stand.must(&["policy", "history"]);
    stand.again();
    assert_eq!(stand.must(&["policy", "history"]), before);
    assert!(before.contains("ticket 4711"), "{before}");
}

#[test]
fn what_the_policy_in_force_says_too_is_no_difference() {
    let stand = Stand::new();
    stand.writes("at the beginning");
    let (same, narrow) = (stand.file("same.toml", &writes(2)), stand.file("narrow.toml", &reads(3)));
    stand.must(&["policy", "apply", &narrow]);
    stand.write().expect_err("denied");
    stand.must(&["policy", "apply", &same]);
    stand.must(&["policy", "diff", &same]);
    let output = stand.enforcer.cli(&["policy", "diff", &narrow]);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    // Once let through and once denied is one operation.
    let named = page.matches("write_single_register").count();
    assert_eq!((output.status.code(), named), (Some(1), 1), "{page}");
    assert!(page.contains("2 x"), "{page}");
}
