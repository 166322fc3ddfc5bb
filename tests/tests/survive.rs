//! The daemon ends, by accident or by order: what is attached stays in force, and the next daemon goes on with it.

use std::process::Output;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{PATIENT, binary, configuration};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::reads;
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Enforcer, Lab, Server, require_root};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(5);

/// A line in enforce with a client that polls it.
struct Line {
    poller: Poller,
    server: Server,
    lab: Lab,
}

impl Line {
    fn new() -> (Line, Enforcer) {
        require_root();
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let enforcer = Enforcer::start_more(&lab, &binary("debug"), &reads(1), "enforce", PATIENT).expect("start");
        let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 5, every: Duration::from_millis(5) };
        let poller = Poller::start(&lab.hmi, plan);
        assert!(poller.wait_for_good(5, PATIENCE), "polling: {:?}", poller.tally());
        (Line { poller, server, lab }, enforcer)
    }

    /// The next daemon on the files of the one before.
    fn again(&self, old: &Enforcer) -> Enforcer {
        Enforcer::start_with(&self.lab, &binary("debug"), old.config(), old.socket()).expect("start again")
    }

    /// Reads go on over the connection there is; a write is denied.
    fn enforces(&self, when: &str) {
        assert!(self.poller.wait_for_good(20, PATIENCE), "{when}: {:?}", self.poller.tally());
        self.unbroken(when);
        let writes = self.server.memory().writes;
        assert!(self.write().is_err(), "{when}: the write was confirmed");
        assert_eq!(self.server.memory().writes, writes, "{when}: the write arrived");
    }

    fn unbroken(&self, when: &str) {
        let tally = self.poller.tally();
        assert_eq!((tally.errors, tally.reconnects), (0, 0), "{when}: {tally:?}");
    }

    fn write(&self) -> Result<(), String> {
        let mut client = Client::connect(&self.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
        client.write_single(40, 999).map_err(|failure| failure.to_string())
    }
}

fn generation(status: &Value) -> u64 {
    status["policy"]["generation"].as_u64().unwrap_or_else(|| panic!("no generation: {status:#}"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

#[test]
fn a_crash_changes_nothing_and_the_next_daemon_goes_on() {
    let (line, mut first) = Line::new();
    let second = line.lab.write("policy-2.toml", &reads(2)).display().to_string();
    first.must(&["policy", "apply", &second]).expect("apply");
    let before = first.status().expect("status");
    line.enforces("before the crash");
    first.process().kill();
    line.enforces("without a daemon");
    assert!(first.socket().exists(), "a killed daemon leaves its socket file, which is the point of this test");
    assert_eq!(first.cli(&["status"]).status.code(), Some(1));

    let next = line.again(&first);
    line.enforces("with the next daemon");
    let after = next.status().expect("status");
    assert_eq!(after["mode"], "enforce", "{after:#}");
    assert_eq!(after["policy"]["revision"], 2, "the policy applied last: {after:#}");
    assert_eq!(generation(&after), generation(&before), "nothing was published anew: {after:#}");
    assert!(after["conduits"][0]["allow"].as_u64() > before["conduits"][0]["allow"].as_u64(), "{after:#}");
    assert_eq!(after["conduits"][0]["deny"], 3, "one denied write before the crash, one after, one now: {after:#}");
    line.unbroken("at the end");
}

#[test]
fn a_mode_switched_by_hand_is_kept_over_a_crash() {
    let (line, mut first) = Line::new();
    for mode in ["shadow", "learn", "enforce"] {
        first.must(&["mode", mode, "--force"]).expect("mode");
        first.process().kill();
        first = line.again(&first);
        let status = first.status().expect("status");
        assert_eq!(status["mode"], mode, "{status:#}");
    }
    line.enforces("after three crashes");
}

#[test]
fn signals_end_the_daemon_in_order_and_leave_the_line_enforced() {
    let (line, mut daemon) = Line::new();
    for signal in ["TERM", "INT"] {
        let id = daemon.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &id]).status().expect("kill");
        assert!(sent.success());
        let start = Instant::now();
        let ended = loop {
            if let Some(status) = daemon.process().ended() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "SIG{signal} does not end it: {}", daemon.process().printed());
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(ended.code(), Some(0), "SIG{signal}: {}", daemon.process().printed());
        assert!(!daemon.socket().exists(), "SIG{signal} leaves the socket file");
        line.enforces(&format!("after SIG{signal}"));
        daemon = line.again(&daemon);
        line.enforces(&format!("with the daemon after SIG{signal}"));
    }
}

#[test]
fn a_second_instance_is_refused_and_disturbs_nothing() {
    let (line, first) = Line::new();
    let before = first.status().expect("status");
    let mut command = line.lab.cabinet.command(binary("debug"));
    let output = command.arg("run").arg("--config").arg(first.config()).output().expect("run");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let sentence = said(&output);
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    assert!(sentence.contains("another enforcer runs with this state directory"), "{sentence}");
    line.enforces("after the second was refused");
    let after = first.status().expect("status");
    assert_eq!(generation(&after), generation(&before));
    assert_eq!(after["attention"], before["attention"], "{after:#}");
}

#[test]
fn detach_leaves_a_plain_bridge_and_run_takes_it_up_again() {
    let (line, mut first) = Line::new();
    let text = first.must(&["detach"]).expect("detach");
    assert!(text.contains("the programs are off"), "{text}");
    let start = Instant::now();
    while first.process().ended().is_none() {
        assert!(start.elapsed() < PATIENCE, "detach does not end the daemon");
        std::thread::sleep(Duration::from_millis(5));
    }
    for port in ["eth0", "eth1"] {
        let link = line.lab.cabinet.output("ip", &["-d", "link", "show", port]);
        assert!(!link.contains("xdp"), "the command said that the programs are off: {link}");
        assert!(link.contains("master br0"), "{link}");
    }
    assert!(line.poller.wait_for_good(20, PATIENCE), "by the bridge: {:?}", line.poller.tally());
    line.unbroken("by the bridge");
    line.write().expect("a plain bridge denies nothing");

    let second = line.again(&first);
    line.enforces("taken up again");
    assert_eq!(second.status().expect("status")["mode"], "enforce");
}

#[test]
fn detach_works_without_a_daemon() {
    let (line, mut first) = Line::new();
    first.process().kill();
    let config = first.config().display().to_string();
    let text = first.must(&["detach", "--config", &config]).expect("detach");
    assert!(text.contains("the programs are off"), "{text}");
    line.write().expect("a plain bridge denies nothing");
    line.unbroken("by the bridge");
    assert_eq!(first.must(&["detach", "--config", &config]).expect("again").trim(), "nothing was attached");
}

#[test]
fn a_stale_socket_file_is_no_obstacle() {
    require_root();
    let lab = Lab::new();
    let socket = lab.folder().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    assert!(socket.exists());
    let file = lab.write("policy.toml", &reads(1));
    let config = lab.write("enforcer.toml", &configuration(&lab, &file, "shadow"));
    let enforcer = Enforcer::start_with(&lab, &binary("debug"), &config, &socket).expect("start");
    assert_eq!(enforcer.status().expect("status")["mode"], "shadow");
}
