//! The whole way from the first plug to signed-off enforcement, through the real binary on live Modbus: learn, propose, shadow,
//! readiness, stage, promote, unconfirmed, back by itself, and once more confirmed.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{AT_ONCE, binary, configuration};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Enforcer, Lab, Server};
use serde_json::Value;

const EMPTY: &str = "[policy]\nname = \"line\"\nrevision = 1\n\n[[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n";

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

struct Plant {
    enforcer: Enforcer,
    poller: Poller,
    server: Server,
    lab: Lab,
}

impl Plant {
    fn new(policy: &str, mode: &str) -> Self {
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let policy = lab.write("policy.toml", policy);
        let config = configuration(&lab, &policy, mode).replace(AT_ONCE, ROLLOUT);
        let config = lab.write("enforcer.toml", &config);
        let socket = lab.folder().join("control.sock");
        let enforcer = Enforcer::start_with(&lab, &binary("debug"), &config, &socket).expect("start");
        let plan =
            Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::from_millis(10) };
        let poller = Poller::start(&lab.hmi, plan);
        assert!(poller.wait_for_good(3, Duration::from_secs(5)), "{:?}", poller.tally());
        Self { enforcer, poller, server, lab }
    }

    fn must(&self, arguments: &[&str]) -> String {
        let said = self.enforcer.must(arguments);
        said.unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{:#}", self.status()))
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.enforcer.cli(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.enforcer.json(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    fn wait(&self, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.status();
            if done(&status) {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{what}: {status:#}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn write(&self, register: u16, value: u16) -> Result<(), String> {
        let mut client = Client::connect(&self.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
        client.write_single(register, value).map_err(|failure| failure.to_string())
    }

    /// A policy of the lab's folder with this change of the proposal.
    fn policy(&self, name: &str, proposal: &str, from: &str, to: &str) -> String {
        assert!(proposal.contains(from), "{from:?} is not in {proposal}");
        self.lab.write(name, &proposal.replacen(from, to, 1)).display().to_string()
    }

    fn again(&mut self) {
        let (config, socket) = (self.enforcer.config().to_path_buf(), self.enforcer.socket().to_path_buf());
        self.enforcer = Enforcer::start_with(&self.lab, &binary("debug"), &config, &socket).expect("start again");
    }
}

#[test]
fn from_first_plug_to_signed_off_enforcement() {
    let mut plant = Plant::new(EMPTY, "learn");
    let learned = plant.json(&["learn", "status"]);
    assert!(learned["verdict"].as_str().is_some_and(|text| text.contains("still learning")), "{learned:#}");
    let proposal = plant.lab.folder().join("proposal.toml").display().to_string();
    plant.must(&["learn", "propose", "--out", &proposal]);
    let text = std::fs::read_to_string(&proposal).expect("the proposal");
    plant.must(&["policy", "apply", &proposal, "--reason", "learned"]);
    plant.must(&["mode", "shadow"]);

    let early = plant.refused(&["mode", "enforce"]);
    assert!(early.contains("not ready to enforce") && early.contains("time in shadow"), "{early}");
    plant.write(40, 700).expect("shadow stops nothing");
    let page = plant.lab.folder().join("report.html").display().to_string();
    let report = plant.json(&["shadow", "report", "--html", &page]);
    let groups = report["groups"].as_array().expect("groups");
    assert!(groups.iter().any(|group| group.to_string().contains("write_single_register")), "{report:#}");
    assert!(std::fs::read_to_string(&page).expect("the page").contains("write_single_register"));
    plant.wait("readiness", |status| status["readiness"]["ready"] == true);

    // Once without confirmation.
    let answer = plant.json(&["mode", "enforce", "--confirm-within", "3s"]);
    assert_eq!(answer["unconfirmed_for"], 3, "{answer:#}");
    assert!(plant.write(40, 701).is_err(), "enforced while it waits");
    let back = plant.wait("back by itself", |status| status["mode"] == "shadow");
    assert!(back["unconfirmed"].is_null(), "{back:#}");
    plant.write(40, 702).expect("shadow again");
    let audit = plant.must(&["audit", "show"]);
    assert!(audit.contains("auto_return") && audit.contains("not confirmed in time"), "{audit}");

    // And once more, when the write just now has been quiet for long enough.
    thread::sleep(Duration::from_secs(3));
    plant.wait("readiness", |status| status["readiness"]["ready"] == true);
    plant.must(&["mode", "enforce", "--confirm-within", "20s", "--reason", "shift leader agrees"]);
    assert!(plant.refused(&["policy", "promote"]).contains("candidate"));
    plant.must(&["confirm"]);
    assert!(plant.refused(&["confirm"]).contains("nothing waits"));
    plant.write(40, 703).expect_err("enforced");

    // A candidate that would break the polling shows it before it does.
    let bad = plant.policy("bad.toml", &text, "holding:0-9", "holding:0-4");
    plant.must(&["policy", "stage", &bad]);
    let diff = plant.wait_for_flips();
    assert_eq!(diff["flips"][0]["candidate"]["verdict"], "deny", "{diff:#}");
    assert_eq!(diff["flips"][0]["name"].as_str().map(|name| name.contains("read_holding_registers")), Some(true));
    let looked_back = plant.enforcer.cli(&["policy", "diff", &bad, "--since", "1h", "--json"]);
    assert_eq!(looked_back.status.code(), Some(1), "history shows it as well: {looked_back:?}");
    let errors = plant.poller.tally().errors;

    // Promoted all the same, and the controller killed: the kernel goes back alone.
    plant.must(&["policy", "promote", "--confirm-within", "4s", "--reason", "a mistake"]);
    plant.enforcer.process().kill();
    thread::sleep(Duration::from_secs(2));
    assert!(plant.poller.tally().errors > errors, "the candidate acts: {:?}", plant.poller.tally());
    thread::sleep(Duration::from_secs(4));
    plant.poller.reset();
    assert!(plant.poller.wait_for_good(50, Duration::from_secs(10)), "without a daemon: {:?}", plant.poller.tally());
    assert!(plant.write(40, 704).is_err(), "what came back enforces");
    plant.again();
    let status = plant.status();
    assert_eq!((&status["mode"], &status["unconfirmed"]), (&"enforce".into(), &Value::Null), "{status:#}");
    assert!(plant.must(&["audit", "show"]).contains("auto_return"));
    plant.poller.reset();
    assert!(plant.poller.wait_for_good(50, Duration::from_secs(10)), "{:?} {status:#}", plant.poller.tally());
    assert_eq!(plant.poller.tally().errors, 0, "{:?}", plant.poller.tally());

    plant.grants();
    plant.rolls_back(&text);
    plant.audited();
}

impl Plant {
    fn wait_for_flips(&self) -> Value {
        let start = Instant::now();
        loop {
            let output = self.enforcer.cli(&["policy", "diff", "--json"]);
            let diff: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
            if diff["flips"].as_array().is_some_and(|flips| !flips.is_empty()) {
                assert_eq!(output.status.code(), Some(1));
                return diff;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{diff:#} {:#}", self.status());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn grants(&self) {
        let (from, to) = (HMI.to_string(), PLC.to_string());
        let grant = [
            "grant",
            "add",
            "--from",
            &from,
            "--to",
            &to,
            "--functions",
            "@write",
            "--for",
            "1h",
            "--reason",
            "vendor",
        ];
        let granted = self.json(&grant);
        self.write(40, 800).expect("granted");
        assert_eq!(self.server.holding(40), 800);
        let list = self.json(&["grant", "list"]);
        assert_eq!(
            (&list["grants"][0]["used"], &list["grants"][0]["reason"]),
            (&1.into(), &"vendor".into()),
            "{list:#}"
        );
        let events = self.enforcer.json_lines(&["events"]).expect("events");
        assert!(events.iter().any(|event| event["reason"] == "grant" && event["event"] == "log"), "recorded");
        self.must(&["grant", "revoke", &granted["id"].to_string()]);
        self.write(40, 801).expect_err("revoked");
        assert_eq!(self.server.holding(40), 800);
        self.must(&[
            "grant",
            "add",
            "--from",
            &from,
            "--to",
            &to,
            "--functions",
            "6",
            "--for",
            "1s",
            "--reason",
            "short",
        ]);
        thread::sleep(Duration::from_millis(1500));
        self.write(40, 802).expect_err("it has ended");
    }

    fn rolls_back(&self, text: &str) {
        let wider = self.policy("wider.toml", text, "holding:0-9", "holding:0-19");
        self.must(&["policy", "apply", &wider, "--confirm-within", "20s"]);
        self.must(&["rollback", "--reason", "not today"]);
        let shown = self.must(&["policy", "show"]);
        assert!(shown.contains("holding:0-9"), "{shown}");
        assert_eq!(self.status()["mode"], "enforce");
        assert!(self.must(&["policy", "history"]).contains("generation"));
    }

    fn audited(&self) {
        let whole = self.json(&["audit", "verify"]);
        assert!(whole["records"].as_u64() > Some(8), "{whole:#}");
        let head = whole["head"].as_str().expect("a head").to_owned();
        self.must(&["audit", "verify", "--expect", &head]);
        let chain = self.lab.folder().join("state/audit.jsonl");
        let text = std::fs::read_to_string(&chain).expect("the chain");
        std::fs::write(&chain, text.replace("shift leader agrees", "shift leader asked")).expect("an edit");
        let broken = self.refused(&["audit", "verify"]);
        assert!(broken.contains("edited"), "{broken}");
        std::fs::write(&chain, text).expect("back");
        self.must(&["audit", "verify"]);
    }
}

/// The command as somebody else: `groups` are the primary one and the one that opens the socket.
fn as_nobody(enforcer: &Enforcer, groups: [&str; 2], arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", groups[0], "--groups", groups[1]]);
    command.arg(binary("debug")).args(arguments).arg("--socket").arg(enforcer.socket());
    command.output().expect("setpriv of util-linux")
}

#[test]
fn a_viewer_reads_an_operator_calms_and_attempts_are_on_record() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", EMPTY);
    let roles = "[control]\nviewers = \"games\"\noperators = \"users\"\n";
    let config = configuration(&lab, &policy, "shadow").replace("[control]\n", roles);
    let config = lab.write("enforcer.toml", &config);
    let socket = lab.folder().join("control.sock");
    let enforcer = Enforcer::start_with(&lab, &binary("debug"), &config, &socket).expect("start");
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let (viewer, operator) = (["games", "games"], ["users", "games"]);
    let seen = as_nobody(&enforcer, viewer, &["status"]);
    assert!(seen.status.success(), "{seen:?}");
    let refused = as_nobody(&enforcer, viewer, &["mode", "learn"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("has the role viewer, and this needs operator"), "{refused:?}");
    let calmed = as_nobody(&enforcer, operator, &["mode", "learn", "--reason", "operator"]);
    assert!(calmed.status.success(), "{calmed:?}");
    let refused = as_nobody(&enforcer, operator, &["policy", "apply", &policy.display().to_string()]);
    assert!(said(&refused).contains("this needs engineer"), "{refused:?}");
    let stranger = as_nobody(&enforcer, ["nogroup", "nogroup"], &["status"]);
    assert_eq!(stranger.status.code(), Some(1), "{stranger:?}");

    let audit = enforcer.must(&["audit", "show"]).expect("audit");
    assert_eq!(audit.matches("denied_attempt").count(), 2, "{audit}");
    assert!(audit.contains("nobody (operator) mode"), "{audit}");
}

#[test]
fn a_group_that_is_not_there_is_a_clear_error() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", EMPTY);
    let config =
        configuration(&lab, &policy, "learn").replace("[control]\n", "[control]\nviewers = \"nobodys-group\"\n");
    let config = lab.write("enforcer.toml", &config);
    let socket = lab.folder().join("control.sock");
    let error = Enforcer::start_with(&lab, &binary("debug"), &config, &socket).err().expect("refused");
    assert!(error.contains("no group \"nobodys-group\""), "{error}");
}
