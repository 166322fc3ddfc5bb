//! The S7 half of the plant: python-snap7 with python-snap7, polling and writing.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::lab::PLC;
use enforcer_tests::{Lab, Process, Tally, peers};
use serde_json::Value;

/// What the station reads: so many bytes from the first of DB 1.
const POLLED: &str = "16";
/// A client of its own make waits five seconds for an answer, and for a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// The object of these reads as a policy has it.
pub(super) const OBJECT: &str = "DB1:0-15";

pub(super) struct S7 {
    server: Process,
    poller: Process,
    /// What the station had told at the last reset.
    before: [u64; 3],
}

impl S7 {
    pub(super) fn start(lab: &Lab) -> S7 {
        let server = peers::serve(lab, "s7comm");
        let poller = peers::start(&lab.hmi, "s7comm_poller.py", &[&PLC.to_string(), POLLED]);
        S7 { server, poller, before: [0; 3] }
    }

    /// What the polling station lived through since [`S7::reset`]; the last error is that of the whole time.
    pub(super) fn tally(&self) -> Tally {
        let told = peers::told(&self.poller).pop().unwrap_or_default();
        let [good, errors, reconnects] = counts(&told);
        let before = self.before;
        Tally {
            good: good - before[0],
            errors: errors - before[1],
            reconnects: reconnects - before[2],
            last_error: told["last_error"].as_str().map(str::to_owned),
            ..Tally::default()
        }
    }

    /// Counts anew, once an answer has come: what went wrong before it has been told by then.
    pub(super) fn reset(&mut self) {
        self.polls("before counting anew");
        self.before = counts(&peers::told(&self.poller).pop().unwrap_or_default());
    }

    /// Reads are answered.
    pub(super) fn polls(&self, when: &str) {
        let (goal, begin) = (self.tally().good + 20, Instant::now());
        while self.tally().good < goal {
            assert!(begin.elapsed() < PATIENCE, "{when}: {:?}\n{}", self.tally(), self.poller.printed());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Writes over a connection of its own: whether it was confirmed. All steps before it must go well.
    pub(super) fn write(&self, lab: &Lab, value: &str) -> bool {
        let told = peers::ask(lab, "s7comm", &[&format!("write={value}")]).unwrap_or_else(|error| panic!("{error}"));
        let steps: Vec<&str> = told.iter().filter_map(|line| line["step"].as_str()).collect();
        assert_eq!(steps, ["connect", "write"], "{told:?}");
        assert_eq!(told[0]["ok"], true, "{told:?}");
        told[1]["ok"] == true
    }

    /// The first two bytes of the block at each change that the server's application has seen.
    pub(super) fn written(&self) -> Vec<String> {
        let lines = peers::told(&self.server);
        lines.iter().filter_map(|line| line["written"].as_str()).map(|block| block[..4].to_owned()).collect()
    }
}

fn counts(told: &Value) -> [u64; 3] {
    ["good", "errors", "reconnects"].map(|name| told[name].as_u64().unwrap_or(0))
}
