//! The enforcer in the box, driven only through its command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::lab::{DEVICE_PORT, Lab, NETWORK_PORT};
use crate::namespace::Door;
use crate::{Process, project_root};

/// For tests in which one station is denied often, and on purpose: it is not held off.
pub const PATIENT: &str = "[flows]\nresets_per_minute = 0\n";

/// A running `enforcer run` in the box namespace of a lab. It is killed when dropped.
pub struct Enforcer {
    process: Process,
    door: Door,
    binary: PathBuf,
    socket: PathBuf,
    config: PathBuf,
}

impl Enforcer {
    /// Writes a configuration with this policy and mode and starts the daemon; returns when it is ready.
    ///
    /// An error carries what the daemon printed.
    pub fn start(lab: &Lab, binary: &Path, policy: &str, mode: &str) -> Result<Enforcer, String> {
        Enforcer::start_more(lab, binary, policy, mode, "")
    }

    /// The same with further sections in the configuration, such as [`PATIENT`].
    pub fn start_more(lab: &Lab, binary: &Path, policy: &str, mode: &str, more: &str) -> Result<Enforcer, String> {
        let policy = lab.write("policy.toml", policy);
        let socket = lab.folder().join("control.sock");
        let config = lab.write("enforcer.toml", &format!("{}\n{more}", configuration(lab, &policy, mode)));
        Enforcer::start_with(lab, binary, &config, &socket)
    }

    /// Starts the daemon on a configuration that is there already.
    pub fn start_with(lab: &Lab, binary: &Path, config: &Path, socket: &Path) -> Result<Enforcer, String> {
        let mut command = lab.cabinet.command(binary);
        command.arg("run").arg("--config").arg(config);
        let mut enforcer = Enforcer {
            process: Process::start(command),
            door: lab.cabinet.door(),
            binary: binary.to_path_buf(),
            socket: socket.to_path_buf(),
            config: config.to_path_buf(),
        };
        enforcer.wait_ready(Duration::from_secs(10))?;
        Ok(enforcer)
    }

    fn wait_ready(&mut self, patience: Duration) -> Result<(), String> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.ended() {
                // Its last words may still be in the pipe.
                thread::sleep(Duration::from_millis(50));
                return Err(format!("enforcer run ended with {status}: {}", self.process.printed().trim()));
            }
            if self.socket.exists() && self.cli(&["status"]).status.success() {
                return Ok(());
            }
            if start.elapsed() > patience {
                return Err(format!("enforcer run was not ready in time: {}", self.process.printed().trim()));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a live command (`status`, `mode shadow`, ...) against this daemon, in the box like a person logged in there.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = self.door.command(&self.binary);
        command.args(arguments).arg("--socket").arg(&self.socket);
        command.output().unwrap_or_else(|error| panic!("{}: {error}", self.binary.display()))
    }

    /// Runs a live command with `--json` and reads its answer; an error is the sentence the command printed.
    pub fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let text = finished(&self.cli(&arguments), &arguments)?;
        serde_json::from_str(&text).map_err(|error| format!("{arguments:?} answered no JSON ({error}): {text}"))
    }

    /// Runs a live command that prints one JSON object per line.
    pub fn json_lines(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let text = finished(&self.cli(&arguments), &arguments)?;
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).map_err(|error| format!("{arguments:?}: {error}: {line}")))
            .collect()
    }

    /// Runs a live command that must succeed and returns what it printed.
    pub fn must(&self, arguments: &[&str]) -> Result<String, String> {
        finished(&self.cli(arguments), arguments)
    }

    /// The whole status document.
    pub fn status(&self) -> Result<Value, String> {
        self.json(&["status"])
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The daemon's process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The daemon's own process, to stop, kill or read.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A configuration for the box of this lab: its ports and its folder.
pub fn configuration(lab: &Lab, policy: &Path, mode: &str) -> String {
    let folder = lab.folder();
    format!(
        r#"[ports]
network = "{NETWORK_PORT}"
device  = "{DEVICE_PORT}"
bridge  = "br0"

[policy]
file = "{policy}"
mode = "{mode}"

[control]
socket = "{folder}/control.sock"

{AT_ONCE}
[state]
directory = "{folder}/state"
"#,
        policy = policy.display(),
        folder = folder.display(),
    )
}

/// Enforcing asks for nothing and stays: for tests that are about something else.
pub const AT_ONCE: &str = r#"[rollout]
confirm_within = "0s"
shadow = "0s"
shifts = 0
weekdays = 0
evaluations = 0
quiet = "0s"
settled = "0s"
unseen = 1000000
"#;

/// The enforcer's binary: the one named by `ENFORCER_BIN`, else what cargo put into the target folder of `profile`.
pub fn binary(profile: &str) -> PathBuf {
    let path = match std::env::var_os("ENFORCER_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
            target.unwrap_or_else(|| project_root().join("target")).join(profile).join("enforcer")
        }
    };
    std::path::absolute(&path).unwrap_or(path)
}

/// The debug binary, which must be no older than what it is made of: a test must not pass by what was built last week.
pub fn current() -> PathBuf {
    let path = binary("debug");
    if std::env::var_os("ENFORCER_BIN").is_some() {
        return path;
    }
    let built = path.metadata().and_then(|about| about.modified());
    // Cargo writes beside the binary what it was made of, the folders of the BPF programs included.
    let sources = std::fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let stale = built.as_ref().ok().and_then(|built| {
        sources.split_whitespace().skip(1).find(|source| newest(Path::new(source)).is_some_and(|time| time > *built))
    });
    assert!(built.is_ok(), "{} is missing; run: cargo build -p enforcer", path.display());
    assert!(stale.is_none(), "{} is older than {stale:?}; run: cargo build -p enforcer", path.display());
    path
}

/// When a file, or the last changed Rust source below a folder, was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return path.metadata().and_then(|about| about.modified()).ok();
    }
    let inside = std::fs::read_dir(path).ok()?.flatten().map(|entry| entry.path());
    inside
        .filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"))
        .filter_map(|path| newest(&path))
        .max()
}

/// The enforcer's command for work that needs no daemon (`check`, `replay`).
pub fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.stdin(std::process::Stdio::null());
    command
}

/// What a command printed, or the sentence it failed with.
pub fn finished(output: &Output, arguments: &[&str]) -> Result<String, String> {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let text = if complaint.trim().is_empty() { printed.trim() } else { complaint.trim() };
    Err(format!("enforcer {}: {text} ({})", arguments.join(" "), output.status))
}
