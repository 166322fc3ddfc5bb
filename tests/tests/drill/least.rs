//! The daemon as the unit runs it: a user of its own with four capabilities, and not one more.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{PATIENT, configuration, current};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::READS;
use enforcer_tests::{Client, Lab, Process, Server, require_root};
use serde_json::Value;

/// nobody's number, as good as any that is not root's.
const USER: &str = "65534";

/// A lab prepared as the unit's user finds it: its own state directory and pins, a configuration it may read.
struct Least {
    lab: Lab,
    program: PathBuf,
    config: PathBuf,
}

impl Least {
    fn new() -> Least {
        require_root();
        let lab = Lab::new();
        let folder = lab.folder();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("open the folder");
        let program = folder.join("enforcer");
        fs::copy(current(), &program).expect("copy the binary");
        let policy = lab.write("policy.toml", READS);
        let run = folder.join("run");
        for own in [folder.join("state"), run.clone()] {
            fs::create_dir(&own).expect("make a folder");
            assert!(Command::new("chown").args([USER]).arg(&own).status().expect("chown").success());
        }
        let text = configuration(&lab, &policy, "enforce").replace("/control.sock", "/run/control.sock");
        let config = lab.write("enforcer.toml", &format!("{text}\n{PATIENT}"));
        // As systemd mounts it and enforcer.tmpfiles changes it.
        lab.cabinet.output("chmod", &["0711", "/sys/fs/bpf"]);
        lab.cabinet.output("mkdir", &["-m", "0700", "/sys/fs/bpf/enforcer"]);
        lab.cabinet.output("chown", &[USER, "/sys/fs/bpf/enforcer"]);
        Least { lab, program, config }
    }

    fn command(&self, capabilities: &[&str]) -> Command {
        let list: String = capabilities.iter().map(|one| format!(",+{one}")).collect();
        let mut command = self.lab.cabinet.command("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs"]);
        command.arg(format!("--inh-caps=-all{list}")).arg(format!("--ambient-caps=-all{list}"));
        command.arg(format!("--bounding-set=-all{list}"));
        command.arg(&self.program).arg("run").arg("--config").arg(&self.config);
        command
    }

    fn status(&self) -> Option<Value> {
        let socket = self.lab.folder().join("run/control.sock");
        let output = Command::new(&self.program).args(["status", "--json", "--socket"]).arg(socket).output().ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Starts it and waits until it is ready.
    fn start(&self, capabilities: &[&str]) -> Process {
        let mut process = Process::start(self.command(capabilities));
        let start = Instant::now();
        while self.status().is_none() {
            if let Some(status) = process.ended() {
                panic!("{capabilities:?}: {status}: {}", process.printed());
            }
            assert!(start.elapsed() < Duration::from_secs(10), "not ready: {}", process.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }
}

const ALL: [&str; 4] = ["bpf", "net_admin", "perfmon", "net_raw"];

#[test]
fn a_user_with_four_capabilities_runs_the_box_and_takes_it_up_again() {
    let least = Least::new();
    let server = Server::start(&least.lab.plc);
    for round in 0..2 {
        let mut process = least.start(&ALL);
        let status = least.status().expect("status");
        assert_eq!(status["attention"], Value::Array(Vec::new()), "round {round}: {status:#}\n{}", process.printed());
        assert_eq!(status["policy"]["generation"], 1, "round {round}: {status:#}");
        let mut client = Client::connect(&least.lab.hmi, HMI, PLC).expect("connect");
        assert_eq!(client.read_holding(7, 1).ok(), Some(vec![7]), "round {round}: {status:#}");
        assert!(client.write_single(40, 1).is_err(), "round {round}: the write was confirmed");
        assert_eq!(server.memory().writes, 0, "round {round}: the write arrived");
        let ids = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("its status");
        assert!(ids.contains(&format!("Uid:\t{USER}")) && ids.contains("CapEff:\t000000c000003000"), "{ids}");
        if round == 0 {
            process.kill();
        }
    }
}

#[test]
fn without_raw_sockets_the_box_works_and_says_what_it_cannot() {
    let least = Least::new();
    let server = Server::start(&least.lab.plc);
    let process = least.start(&["bpf", "net_admin", "perfmon"]);
    let mut client = Client::connect(&least.lab.hmi, HMI, PLC).expect("connect");
    assert!(client.write_single(40, 1).is_err(), "the write was confirmed");
    assert_eq!(server.memory().writes, 0, "the write arrived");
    let status = least.status().expect("status");
    assert!(status["attention"].to_string().contains("CAP_NET_RAW"), "{status:#}\n{}", process.printed());
}

#[test]
fn each_capability_that_is_missing_is_named() {
    let least = Least::new();
    for (missing, name) in [("bpf", "CAP_BPF"), ("net_admin", "CAP_NET_ADMIN"), ("perfmon", "CAP_PERFMON")] {
        let others: Vec<&str> = ALL.into_iter().filter(|one| *one != missing).collect();
        let output = least.command(&others).output().expect("run");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{missing}: {text}");
        assert!(text.contains("no permission to load BPF programs") && text.contains(name), "{missing}: {text}");
    }
}
