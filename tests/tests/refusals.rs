//! What the enforcer is asked wrongly: one sentence, the exit code of the contract, and nothing on the ports changed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{binary, configuration};
use enforcer_tests::lab::{DEVICE_PORT, NETWORK_PORT};
use enforcer_tests::xdp::{Answer, attach};
use enforcer_tests::{Enforcer, Lab, Process, require_root};

const POLICY: &str = r#"[policy]
name = "press-line"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20"]
press = ["10.10.2.5"]

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

/// A lab with a policy and a configuration, and no daemon.
struct Cabinet {
    lab: Lab,
    config: String,
}

impl Cabinet {
    fn new() -> Cabinet {
        require_root();
        let lab = Lab::new();
        let policy = lab.write("policy.toml", POLICY);
        let config = configuration(&lab, &policy, "enforce");
        Cabinet { lab, config }
    }

    /// Everything a start could change on the ports, without the bridge's timers, which run by themselves.
    fn links(&self) -> String {
        let text = self.lab.cabinet.output("ip", &["-d", "link"]);
        let mut kept = Vec::new();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            if word.ends_with("_timer") {
                words.next();
            } else {
                kept.push(word);
            }
        }
        kept.join(" ")
    }

    /// Starts the daemon on this configuration text; it must refuse with these words and leave the ports alone.
    fn refuses(&self, config: &str, words: &[&str]) {
        let file = self.lab.write("enforcer.toml", config);
        let mut command = self.lab.cabinet.command(binary("debug"));
        command.arg("run").arg("--config").arg(file);
        self.refused(command, words);
    }

    fn refused(&self, command: Command, words: &[&str]) {
        let before = self.links();
        let mut process = Process::start(command);
        let start = Instant::now();
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{words:?}: it started: {}", process.printed());
            std::thread::sleep(Duration::from_millis(5));
        };
        // Its last words may still be in the pipe.
        std::thread::sleep(Duration::from_millis(30));
        let text = process.printed();
        assert_eq!(status.code(), Some(2), "{words:?}: {text}");
        sentence(&text, words);
        assert_eq!(self.links(), before, "{words:?}: the ports were changed");
    }
}

/// One line, with these words in it, and no trace of the inside.
fn sentence(text: &str, words: &[&str]) {
    assert_eq!(text.trim().lines().count(), 1, "one sentence with {words:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
    assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
}

fn failed(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    sentence(&text, words);
}

#[test]
fn files_that_are_missing_or_broken() {
    let cabinet = Cabinet::new();
    let mut command = cabinet.lab.cabinet.command(binary("debug"));
    command.args(["run", "--config", "/nowhere/enforcer.toml"]);
    cabinet.refused(command, &["/nowhere/enforcer.toml"]);
    cabinet.refuses(&cabinet.config.replace("bridge  =", "brigde  ="), &["enforcer.toml:4", "brigde"]);
    cabinet.refuses("[ports\n", &["enforcer.toml:1"]);
    cabinet.refuses(&cabinet.config.replace("mode = \"enforce\"", "mode = \"strict\""), &["enforcer.toml", "strict"]);
    cabinet.refuses(&cabinet.config.replace("policy.toml", "other.toml"), &["other.toml"]);
    cabinet.lab.write("policy.toml", &POLICY.replace("@read", "@raed"));
    cabinet.refuses(&cabinet.config, &["policy.toml:18", "@raed"]);
    fs::write(cabinet.lab.folder().join("policy.toml"), b"[policy]\nname = \"\xff\"\n").expect("write");
    cabinet.refuses(&cabinet.config, &["policy.toml", "UTF-8"]);
}

#[test]
fn ports_that_cannot_be_taken() {
    let cabinet = Cabinet::new();
    let device = |name: &str| cabinet.config.replace("device  = \"eth1\"", &format!("device  = \"{name}\""));
    cabinet.refuses(&device("eth7"), &["there is no interface eth7"]);
    cabinet.refuses(&device(NETWORK_PORT), &["eth0"]);
    cabinet.refuses(&device("lo"), &["lo is not an Ethernet port"]);

    cabinet.lab.cabinet.ip("link add br7 type bridge");
    cabinet.lab.cabinet.ip(&format!("link set {NETWORK_PORT} master br7"));
    cabinet.refuses(&cabinet.config, &["eth0 belongs to br7"]);
    cabinet.lab.cabinet.ip(&format!("link set {NETWORK_PORT} nomaster"));

    let taken = cabinet.lab.cabinet.run(|| attach(DEVICE_PORT, Answer::Pass)).expect("attach");
    cabinet.refuses(&cabinet.config, &["eth1 runs another XDP program"]);
    drop(taken);
}

#[test]
fn permissions_that_are_missing() {
    let cabinet = Cabinet::new();
    // The file must be readable for all, so that only the permission to load is missing.
    let folder = cabinet.lab.folder();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("open the folder");
    let program = folder.join("enforcer");
    fs::copy(binary("debug"), &program).expect("copy the binary");
    let config = cabinet.lab.write("enforcer.toml", &cabinet.config);
    if Path::new("/usr/bin/setpriv").exists() {
        let mut command = cabinet.lab.cabinet.command("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
        command.arg(&program).arg("run").arg("--config").arg(&config);
        cabinet.refused(command, &["no permission to load BPF programs", "CAP_NET_ADMIN"]);
    }
}

#[test]
fn live_commands_without_a_daemon_and_wrong_arguments() {
    let run = |words: &[&str]| Command::new(binary("debug")).args(words).output().expect("run");
    for command in
        [&["status"][..], &["mode"], &["mode", "shadow"], &["policy", "show"], &["events"], &["learn", "status"]]
    {
        let words = [command, &["--socket", "/nowhere/control.sock"]].concat();
        failed(&run(&words), 1, &["/nowhere/control.sock", "no enforcer answers"]);
    }
    for wrong in
        [&["frobnicate"][..], &["mode", "strict"], &["status", "--colour"], &["policy", "apply"], &["run", "x"], &[]]
    {
        let output = run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_running_daemon_refuses_and_keeps_what_is_in_force() {
    let cabinet = Cabinet::new();
    let enforcer = Enforcer::start(&cabinet.lab, &binary("debug"), POLICY, "enforce").expect("start");
    let before = enforcer.status().expect("status");
    let links = cabinet.links();
    failed(&enforcer.cli(&["mode", "shadow", "--conduit", "eng"]), 2, &["no conduit \"eng\"", "hmi-press"]);
    failed(&enforcer.cli(&["mode", "bypass", "--conduit", "hmi-press"]), 2, &["bypass"]);
    let broken = cabinet.lab.write("broken.toml", &POLICY.replace("\"hmi\"]", "\"hmo\"]")).display().to_string();
    failed(&enforcer.cli(&["policy", "apply", &broken]), 2, &["broken.toml:12", "hmo"]);
    failed(&enforcer.cli(&["policy", "apply", "/nowhere/policy.toml"]), 2, &["/nowhere/policy.toml"]);
    failed(&enforcer.cli(&["events", "--since", "yesterday"]), 2, &["yesterday"]);
    // Past the checks of the command line, straight to the daemon.
    for request in [
        "{\"command\":\"mode\",\"mode\":\"strict\"}",
        "{\"command\":\"frobnicate\"}",
        "not JSON",
        "{\"command\":\"policy_apply\",\"name\":\"x.toml\",\"text\":\"[policy\"}",
    ] {
        use std::io::{BufRead as _, BufReader, Write as _};
        let mut stream = std::os::unix::net::UnixStream::connect(enforcer.socket()).expect("connect");
        stream.write_all(format!("{request}\n").as_bytes()).expect("send");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!((&answer["ok"], &answer["code"]), (&false.into(), &2.into()), "{request}: {answer}");
    }
    let after = enforcer.status().expect("status");
    assert_eq!((&after["policy"], &after["mode"]), (&before["policy"], &before["mode"]), "{after:#}");
    assert_eq!(cabinet.links(), links);
}
