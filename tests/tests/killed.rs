//! The controller is killed at random moments of the whole way: no verdict is wrong, no acknowledged record is lost, every
//! start goes on cleanly, and what was not confirmed goes back.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{PATIENT, configuration, current};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::READS;
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::random::Random;
use enforcer_tests::{Client, Enforcer, Lab, Server, say};
use serde_json::Value;

/// Everything passes.
const OPEN: &str = "[policy]\nname = \"line\"\nrevision = 1\ndefault = \"allow\"\n\n[[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n";

/// How often the controller is killed, unless `ENFORCER_KILLS` says otherwise.
const KILLS: u32 = 20;
/// A command must have been carried out after this, however often its controller dies.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a change may wait to be confirmed, in the rounds in which nobody confirms.
const WAIT: Duration = Duration::from_secs(3);

struct Way<'l> {
    lab: &'l Lab,
    server: &'l Server,
    /// Reasons of commands that were answered.
    acknowledged: Vec<String>,
    commands: u32,
}

impl Way<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.lab.cabinet.command(current());
        command.args(arguments).arg("--socket").arg(self.lab.folder().join("control.sock"));
        command.output().expect("the command runs")
    }

    fn status(&self) -> Option<Value> {
        serde_json::from_slice(&self.run(&["status", "--json"]).stdout).ok()
    }

    /// Gives a command until it is answered, or until what it should have done is seen to be so.
    fn until(&mut self, arguments: &[&str], done: impl Fn(&Value) -> bool) {
        let begin = Instant::now();
        loop {
            self.commands += 1;
            let reason = format!("step-{}", self.commands);
            let with_reason = [arguments, &["--reason", &reason]].concat();
            let output = self.run(&with_reason);
            if output.status.success() {
                self.acknowledged.push(reason);
                return;
            }
            if self.status().is_some_and(|status| done(&status)) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{arguments:?}: {output:?}\n{:#?}", self.status());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// The same for a command that changes nothing.
    fn read(&self, arguments: &[&str]) {
        let begin = Instant::now();
        loop {
            let output = self.run(arguments);
            if output.status.success() {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{arguments:?}: {output:?}");
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Whether a write gets through.
    fn writes(&self, value: u16) -> bool {
        let before = self.server.memory().writes;
        let written = Client::connect(&self.lab.hmi, HMI, PLC).is_ok_and(|mut one| one.write_single(40, value).is_ok());
        let arrived = self.server.memory().writes > before;
        assert_eq!(written, arrived, "an answer without a write, or a write without an answer");
        written
    }

    /// For a while no write gets through, whatever becomes of the controller.
    fn enforced(&self, time: Duration, what: &str) {
        let begin = Instant::now();
        while begin.elapsed() < time {
            assert!(!self.writes(1), "{what}: a denied write got through\n{:#?}", self.status());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Once through: learn, shadow, enforce and back by itself, enforce and confirmed, another policy beside and promoted.
    fn once(&mut self) {
        let folder = self.lab.folder();
        let [open, proposal] = ["policy.toml", "proposal.toml"].map(|name| folder.join(name).display().to_string());
        let mode = |word: &'static str| move |status: &Value| status["mode"] == word;
        let calm = |status: &Value| status["unconfirmed"].is_null();
        self.until(&["mode", "learn"], mode("learn"));
        self.until(&["policy", "apply", &open], |status| status["policy"]["name"] == "line");
        assert!(self.writes(2), "learn stops nothing");
        let _ = std::fs::remove_file(&proposal);
        self.read(&["learn", "propose", "--out", &proposal]);
        let text = std::fs::read_to_string(&proposal).expect("the proposal");
        assert!(text.contains("read_holding_registers") && text.contains("write_single_register"), "{text}");
        let narrow = self.lab.write("narrow.toml", READS).display().to_string();
        self.until(&["policy", "apply", &narrow], |status| status["policy"]["name"] == "press-line");
        self.until(&["mode", "shadow"], mode("shadow"));
        assert!(self.writes(3), "shadow stops nothing");

        let within = format!("{}s", WAIT.as_secs());
        self.until(&["mode", "enforce", "--confirm-within", &within], mode("enforce"));
        let asked = Instant::now();
        while !self.writes(4) {
            assert!(asked.elapsed() < WAIT * 3, "an unconfirmed enforce must go back: {:#?}", self.status());
            thread::sleep(Duration::from_millis(50));
        }
        self.until(&["mode", "shadow"], |status| mode("shadow")(status) && calm(status));

        self.until(&["mode", "enforce", "--confirm-within", "120s"], mode("enforce"));
        self.until(&["confirm"], calm);
        self.enforced(Duration::from_secs(2), "confirmed");
        self.until(&["policy", "stage", &narrow], |status| !status["policy"]["candidate"].is_null());
        self.until(&["policy", "promote", "--confirm-within", "120s"], |status| !status["unconfirmed"].is_null());
        self.until(&["confirm"], calm);
        self.enforced(Duration::from_secs(2), "promoted");
    }
}

fn kills() -> u32 {
    std::env::var("ENFORCER_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS)
}

#[test]
fn kills_at_random_moments_of_the_way_lose_nothing() {
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let policy = lab.write("policy.toml", OPEN);
    let config = lab.write("enforcer.toml", &format!("{}\n{PATIENT}", configuration(&lab, &policy, "learn")));
    let socket = lab.folder().join("control.sock");
    let start = || Enforcer::start_with(&lab, &current(), &config, &socket);
    let mut enforcer = start().expect("the first start");
    let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::from_millis(10) };
    let poller = Poller::start(&lab.hmi, plan);
    assert!(poller.wait_for_good(20, Duration::from_secs(5)), "{:?}", poller.tally());

    let (wanted, enough, done) = (kills(), AtomicBool::new(false), AtomicBool::new(false));
    let mut way = Way { lab: &lab, server: &server, acknowledged: Vec::new(), commands: 0 };
    let mut rounds = 0;
    let (status, audit, verified) = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut dice = Random::new(0x5eed);
            for kill in 0..wanted {
                thread::sleep(Duration::from_millis(dice.draw() % 900));
                enforcer.process().kill();
                enforcer = start().unwrap_or_else(|error| panic!("start {kill}: {error}"));
            }
            enough.store(true, Ordering::Relaxed);
            // The daemon dies with the thread that started it.
            while !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        while !enough.load(Ordering::Relaxed) && !killer.is_finished() {
            way.once();
            rounds += 1;
        }
        let found = (way.status(), way.run(&["audit", "show", "--limit", "100000"]), way.run(&["audit", "verify"]));
        done.store(true, Ordering::Relaxed);
        killer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        found
    });
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    let lost: Vec<&String> = way.acknowledged.iter().filter(|reason| !audit.contains(&format!("({reason})"))).collect();
    let tally = poller.stop();
    say!(
        "{wanted} kills in {rounds} rounds of the way: {} commands, {} acknowledged, {} lost; polls: {tally:?}",
        way.commands,
        way.acknowledged.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "acknowledged and not on record: {lost:?}\n{audit}");
    assert!(verified.status.success(), "the chain holds: {verified:?}");
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}\n{status:#?}");
}
