//! Every live command on a running box, as text and as JSON, with what the contract promises in it.

use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::binary;
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::namespace::wait_until;
use enforcer_tests::{Client, Enforcer, Lab, Process, Server, require_root};
use serde_json::Value;

const POLICY: &str = r#"[policy]
name = "press-line"
revision = 7
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
  objects   = ["holding:0-99"]
  action    = "allow"
"#;

struct Box {
    enforcer: Enforcer,
    _server: Server,
    lab: Lab,
}

/// A box in this mode that has seen three reads and one write.
fn with_traffic(mode: &str) -> Box {
    require_root();
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let enforcer = Enforcer::start(&lab, &binary("debug"), POLICY, mode).expect("start");
    let mut client = Client::connect(&lab.hmi, HMI, PLC).expect("connect");
    for _ in 0..3 {
        client.read_holding(10, 5).expect("read");
    }
    let written = client.write_single(40, 1);
    assert_eq!(written.is_err(), mode == "enforce", "{mode}: {written:?}");
    Box { enforcer, _server: server, lab }
}

impl Box {
    fn json(&self, words: &[&str]) -> Value {
        self.enforcer.json(words).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The text form, with these words in it.
    fn text(&self, command: &[&str], words: &[&str]) {
        let text = self.enforcer.must(command).unwrap_or_else(|error| panic!("{error}"));
        for word in words {
            assert!(text.contains(word), "{command:?} does not say {word:?}:\n{text}");
        }
    }

    fn events(&self, words: &[&str]) -> Vec<Value> {
        self.enforcer.json_lines(words).unwrap_or_else(|error| panic!("{error}"))
    }
}

#[test]
fn status_has_every_field_of_the_contract() {
    let cabinet = with_traffic("shadow");
    wait_until("the event is read", || cabinet.json(&["status"])["events"]["emitted"] == 1);
    let status = cabinet.json(&["status"]);
    let numbers = [
        "/schema",
        "/policy/revision",
        "/policy/generation",
        "/conduits/0/evaluated",
        "/conduits/0/allow",
        "/conduits/0/log",
        "/conduits/0/deny",
        "/conduits/0/would_deny",
        "/uncovered/evaluated",
        "/uncovered/deny",
        "/uncovered/would_deny",
        "/flows/established",
        "/flows/half_open",
        "/flows/unsynchronised",
        "/flows/devices/10.10.2.5/locked",
        "/flows/devices/10.10.2.5/pending",
        "/flows/devices/10.10.2.5/cannot_be_locked",
        "/flows/memory/bytes_per_flow",
        "/flows/memory/flow_bytes",
        "/flows/memory/half_open_bytes",
        "/grace_left",
        "/events/emitted",
        "/events/lost",
    ];
    for path in numbers {
        assert!(status.pointer(path).is_some_and(Value::is_u64), "{path} is no number: {status:#}");
    }
    let words = [
        ("/mode", "shadow"),
        ("/policy/name", "press-line"),
        ("/ports/network/name", "eth0"),
        ("/ports/network/link", "up"),
        ("/ports/network/attach", "native"),
        ("/ports/device/name", "eth1"),
        ("/ports/device/link", "up"),
        ("/ports/device/attach", "native"),
        ("/forwarding", "fast"),
        ("/conduits/0/name", "hmi-press"),
        ("/conduits/0/mode", "shadow"),
    ];
    for (path, word) in words {
        assert_eq!(status.pointer(path), Some(&word.into()), "{path}: {status:#}");
    }
    assert!(status["version"].is_string() && status["attention"].is_array(), "{status:#}");
    assert_eq!(status.pointer("/policy/candidate"), Some(&Value::Null), "{status:#}");
    let conduit = &status["conduits"][0];
    assert_eq!((&conduit["evaluated"], &conduit["allow"]), (&4.into(), &3.into()), "{status:#}");
    assert_eq!((&conduit["would_deny"], &conduit["deny"]), (&1.into(), &0.into()), "{status:#}");
    assert_eq!(status["reasons"]["function_not_allowed"], 1, "{status:#}");
    cabinet.text(&["status"], &["mode shadow", "press-line revision 7", "eth0", "eth1", "native", "hmi-press"]);

    let mut command = cabinet.lab.cabinet.command(binary("debug"));
    command.args(["status", "--watch", "--json", "--socket"]).arg(cabinet.enforcer.socket());
    let watch = Process::start(command);
    wait_until("two documents", || watch.printed().lines().count() >= 2);
}

#[test]
fn mode_is_shown_and_switched() {
    let cabinet = with_traffic("learn");
    assert_eq!(cabinet.json(&["mode"])["mode"], "learn");
    cabinet.text(&["mode"], &["box: learn"]);
    let answer = cabinet.json(&["mode", "enforce", "--force", "--reason", "test"]);
    assert_eq!((&answer["mode"], &answer["before"]), (&"enforce".into(), &"learn".into()));
    let answer = cabinet.json(&["mode", "shadow", "--conduit", "hmi-press"]);
    assert_eq!((&answer["conduit"], &answer["effective"]), (&"hmi-press".into(), &"shadow".into()));
    assert_eq!(cabinet.json(&["mode", "--conduit", "hmi-press"])["mode"], "shadow");
    assert_eq!(cabinet.json(&["mode"])["mode"], "enforce");
    cabinet.text(&["mode", "learn"], &["box: enforce -> learn"]);
    assert_eq!(cabinet.json(&["mode", "--conduit", "hmi-press"])["mode"], "learn", "capped by the box");
    cabinet.text(&["mode", "bypass"], &["box: learn -> bypass"]);
    cabinet.text(&["status"], &["BYPASS"]);
}

#[test]
fn policy_is_shown_applied_and_explained() {
    let cabinet = with_traffic("enforce");
    assert_eq!(cabinet.json(&["policy", "show"])["text"], POLICY);
    assert_eq!(cabinet.enforcer.must(&["policy", "show"]).expect("show").trim(), POLICY.trim());
    let next = POLICY.replace("revision = 7", "revision = 8");
    let file = cabinet.lab.write("next.toml", &next).display().to_string();
    let before = cabinet.json(&["status"])["policy"]["generation"].as_u64().expect("a generation");
    let answer = cabinet.json(&["policy", "apply", &file, "--reason", "test"]);
    assert_eq!((&answer["name"], &answer["revision"]), (&"press-line".into(), &8.into()));
    assert_eq!(answer["generation"], before + 1);
    assert!(answer["warnings"].is_array(), "{answer:#}");
    let sentence = format!("press-line revision 8 is in force as generation {}", before + 2);
    cabinet.text(&["policy", "apply", &file], &[&sentence]);
    assert_eq!(cabinet.json(&["policy", "show"])["text"], next.as_str());

    cabinet.text(&["policy", "explain"], &["hmi-press", "poll"]);
    assert!(cabinet.json(&["policy", "explain"])["text"].is_string());
    let question = |function: &'static str, object: &'static str| {
        ["policy", "explain", "--from", "10.10.1.20", "--to", "10.10.2.5", "--function", function, "--object", object]
    };
    let answer = cabinet.json(&question("read_holding_registers", "holding:10-14"))["answer"].clone();
    assert_eq!((&answer["verdict"], &answer["rule"]), (&"allow".into(), &"poll".into()), "{answer:#}");
    let answer = cabinet.json(&question("write_single_register", "holding:40"))["answer"].clone();
    assert_eq!((&answer["verdict"], &answer["reason"]), (&"deny".into(), &"function_not_allowed".into()), "{answer:#}");
    cabinet.text(&question("write_single_register", "holding:40"), &["deny", "function_not_allowed"]);
}

#[test]
fn events_of_before_a_restart_are_listed() {
    const DATAGRAMS: usize = 1200;
    let Box { enforcer, _server, lab } = with_traffic("enforce");
    lab.hmi.run(|| {
        let socket = UdpSocket::bind((HMI, 0)).expect("a socket");
        for _ in 0..DATAGRAMS {
            socket.send_to(b"nobody may say this", (PLC, 9999)).expect("sent");
        }
    });
    let emitted = |enforcer: &Enforcer| enforcer.status().expect("status")["events"]["emitted"].clone();
    wait_until("all are read", || emitted(&enforcer) == DATAGRAMS + 1);
    enforcer.must(&["mode", "shadow", "--reason", "a look"]).expect("the mode changes");
    let list = |enforcer: &Enforcer, words: &[&str]| enforcer.json_lines(words).expect("a list");
    let before = list(&enforcer, &["events"]);
    assert!(list(&enforcer, &["events", "--since", "1h"]) == before, "the same out of the journal");

    let (config, socket) = (enforcer.config().to_owned(), enforcer.socket().to_owned());
    drop(enforcer);
    let enforcer = Enforcer::start_with(&lab, &binary("debug"), &config, &socket).expect("it starts again");
    assert!(list(&enforcer, &["events"]).len() < before.len(), "memory begins anew");
    let since = list(&enforcer, &["events", "--since", "1h"]);
    assert!(since.starts_with(&before), "{} events, {} before", since.len(), before.len());

    let mut following = lab.cabinet.command(binary("debug"));
    following.args(["events", "--json", "--follow", "--since", "1h", "--socket"]).arg(&socket);
    let following = Process::start(following);
    wait_until("what was before is followed", || following.printed().lines().count() >= since.len());
    enforcer.must(&["mode", "learn", "--reason", "another"]).expect("the mode changes");
    wait_until("what comes is followed", || following.printed().lines().count() > since.len());
}

#[test]
fn events_are_listed_and_followed() {
    let cabinet = with_traffic("enforce");
    wait_until("the event is read", || !cabinet.events(&["events"]).is_empty());
    let events = cabinet.events(&["events", "--since", "10m"]);
    let event = events.iter().find(|event| event["event"] == "deny").unwrap_or_else(|| panic!("{events:#?}"));
    for (field, value) in [
        ("protocol", "modbus"),
        ("role", "request"),
        ("name", "write_single_register"),
        ("access", "write"),
        ("conduit", "hmi-press"),
        ("verdict", "deny"),
        ("reason", "function_not_allowed"),
        ("mode", "enforce"),
        ("side", "network"),
        ("dst", "10.10.2.5:502"),
        ("action", "reset"),
    ] {
        assert_eq!(event[field], value, "{field}: {event:#}");
    }
    assert_eq!((&event["schema"], &event["function"], &event["count"]), (&1.into(), &6.into(), &1.into()));
    assert!(event["generation"].is_u64() && event.get("candidate").is_some_and(Value::is_null), "{event:#}");
    assert!(cabinet.events(&["events", "--since", "2200-01-01T00:00:00Z"]).is_empty());
    cabinet.text(&["events"], &["deny", "write_single_register", "hmi-press"]);

    let wider = POLICY.replace("\"@read\"", "\"@read\", \"@write\"").replace("revision = 7", "revision = 8");
    let wider = cabinet.lab.write("wider.toml", &wider).display().to_string();
    cabinet.json(&["policy", "stage", &wider]);
    let mut client = Client::connect(&cabinet.lab.hmi, HMI, PLC).expect("connect");
    client.write_single(40, 2).expect_err("a candidate acts on nothing");
    let told = |event: &Value| event["event"] == "deny" && event["candidate"]["revision"] == 8;
    wait_until("an event beside a candidate", || cabinet.events(&["events"]).iter().any(told));
    let events = cabinet.events(&["events"]);
    let event = events.iter().find(|event| told(event)).unwrap_or_else(|| panic!("{events:#?}"));
    assert_eq!(event["candidate"]["verdict"], "allow", "{event:#}");
    assert_eq!(event["candidate"]["reason"], "rule", "{event:#}");
    cabinet.json(&["policy", "discard"]);

    let mut command = cabinet.lab.cabinet.command(binary("debug"));
    command.args(["events", "--follow", "--json", "--socket"]).arg(cabinet.enforcer.socket());
    let mut follower = Process::start(command);
    wait_until("the kept event", || follower.printed().contains("write_single_register"));
    // A change is an event too; the follower is in place at the latest with the second.
    wait_until("an event as it comes", || {
        cabinet.text(&["mode", "shadow"], &["shadow"]);
        follower.printed().contains("\"event\":\"mode\"")
    });
    let sent = Command::new("kill").args(["-s", "INT", &follower.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let start = Instant::now();
    let ended = loop {
        if let Some(status) = follower.ended() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "SIGINT does not end it");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success() || ended.signal() == Some(2) || ended.code() == Some(130), "{ended}");
    for line in follower.printed().lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn what_was_learned_is_told_and_proposed() {
    let cabinet = with_traffic("learn");
    let learned = cabinet.json(&["learn", "status"]);
    assert_eq!((&learned["mode"], &learned["lost"]), (&"learn".into(), &0.into()), "{learned:#}");
    assert_eq!((&learned["clients"], &learned["servers"]), (&1.into(), &1.into()), "{learned:#}");
    let kinds = learned["kinds"].as_array().expect("kinds");
    let count = |access: &str| kinds.iter().find(|kind| kind["access"] == access).map(|kind| kind["count"].clone());
    assert_eq!((count("read"), count("write")), (Some(3.into()), Some(1.into())), "{learned:#}");
    cabinet.text(&["learn", "status"], &["distinct operations", "modbus", "read", "write"]);

    cabinet.text(&["learn", "propose"], &["[policy]", "[[conduits]]", "write_single_register"]);
    assert!(cabinet.json(&["learn", "propose"])["text"].is_string());
    let out = cabinet.lab.folder().join("proposal.toml").display().to_string();
    cabinet.text(&["learn", "propose", "--out", &out], &["proposal.toml: written"]);
    let check = Command::new(binary("debug")).args(["check", &out]).output().expect("check");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let later = cabinet.json(&["learn", "propose", "--since", "2200-01-01T00:00:00Z"]);
    assert!(!later["text"].to_string().contains("write_single_register"), "{later:#}");
    let wrong = cabinet.enforcer.cli(&["learn", "propose", "--since", "yesterday"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--since yesterday"), "{wrong:?}");
}

#[test]
fn what_was_learned_outlives_the_kernels_table() {
    let mut cabinet = with_traffic("learn");
    let before = cabinet.json(&["learn", "status"]);
    let (config, socket) = (cabinet.enforcer.config().to_path_buf(), cabinet.enforcer.socket().to_path_buf());
    cabinet.text(&["detach"], &["the programs are off"]);
    wait_until("the daemon's end", || cabinet.enforcer.process().ended().is_some());
    cabinet.enforcer = Enforcer::start_with(&cabinet.lab, &binary("debug"), &config, &socket).expect("start again");
    let after = cabinet.json(&["learn", "status"]);
    for field in ["distinct", "clients", "servers", "pairs", "last_new"] {
        assert_eq!(after[field], before[field], "{field}: {before:#} {after:#}");
    }
    cabinet.text(&["learn", "propose"], &["write_single_register", "holding:10-14", "# seen once"]);
}
