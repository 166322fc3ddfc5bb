//! The box as a machine runs it: a systemd of its own boots in the box's network namespace and starts the unit.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::enforcer::{PATIENT, configuration};
use crate::{Lab, Process, group, project_root};

/// Debian's place, and where others have a link to theirs.
const SYSTEMD: &str = "/lib/systemd/systemd";
/// Joins a control group and gives the rest of its words, a script and what that takes, namespaces of their own.
const APART: &str = r#"echo $$ >"$1/cgroup.procs" && shift &&
exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup sh -euc "$@""#;

/// A systemd that runs in the box of a lab. All of it ends when this value is dropped.
pub struct Booted {
    /// What waits for it outside.
    process: Process,
    lab: String,
}

impl Booted {
    /// Boots a box in enforce with the unit and this policy; returns when the unit is active. The unit's watchdog waits for
    /// `watchdog`, which is all that is other than in the unit.
    pub fn new(lab: &Lab, binary: &Path, policy: &str, watchdog: &str) -> Booted {
        assert!(
            Path::new(SYSTEMD).exists(),
            "{SYSTEMD} is missing; cargo xtask setup installs Debian's package systemd"
        );
        let folder = lab.folder();
        let text = configuration(lab, Path::new("/etc/enforcer/policy.toml"), "enforce")
            .replace(&format!("{}/control.sock", folder.display()), "/run/enforcer/control.sock")
            .replace(&format!("{}/state", folder.display()), "/var/lib/enforcer");
        let files = [lab.write("enforcer.toml", &format!("{text}\n{PATIENT}")), lab.write("policy.toml", policy)];
        let mut command = lab.cabinet.command("sh");
        command
            .args(["-c", APART, "sh"])
            .arg(group::make(lab.name()))
            .args([include_str!("booted.sh"), "sh"])
            .arg(folder.join("root"));
        command.arg(binary).arg(project_root().join("configs/systemd")).args(files).arg(watchdog);
        let booted = Booted { process: Process::start(command), lab: lab.name().to_owned() };
        booted.wait("the unit is active", |booted| booted.property("ActiveState") == "active");
        booted
    }

    /// Runs a command in the box, as a person logged in there; it need not succeed.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["--all", "--target", &self.first().unwrap_or_default(), "--"]).args(words);
        command.output().unwrap_or_else(|error| panic!("nsenter: {error}"))
    }

    /// Runs a command that must succeed and returns what it printed.
    pub fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {printed}{complaint}\n{}", self.journal());
        printed
    }

    /// What systemd says of the unit; empty while it cannot be asked.
    pub fn property(&self, name: &str) -> String {
        let output = self.run(&["systemctl", "show", "--value", "--property", name, "enforcer"]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What was logged by the unit and about it.
    pub fn journal(&self) -> String {
        let output = self.run(&["journalctl", "--no-pager", "--output=cat", "--unit=enforcer"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits for as long as the unit may take to start, and some.
    pub fn wait(&self, what: &str, so: impl Fn(&Booted) -> bool) {
        let start = Instant::now();
        while !so(self) {
            let late = start.elapsed() > Duration::from_secs(90);
            assert!(!late, "waited in vain: {what}\n{}\n{}", self.process.printed(), self.journal());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The number that systemd, the first process inside, has out here.
    fn first(&self) -> Option<String> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next().map(str::to_owned)
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        group::remove(&self.lab);
    }
}
