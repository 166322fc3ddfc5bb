//! What the service manager hears, and what the unit allows.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::plant::READS;
use enforcer_tests::{Lab, Process, project_root, require_root, say};

/// A daemon that a service manager started, and what that one hears.
struct Service {
    process: Process,
    heard: UnixDatagram,
    _lab: Lab,
}

impl Service {
    fn start() -> Service {
        require_root();
        let lab = Lab::new();
        let policy = lab.write("policy.toml", READS);
        let config = lab.write("enforcer.toml", &configuration(&lab, &policy, "shadow"));
        let socket = lab.folder().join("notify");
        let heard = UnixDatagram::bind(&socket).expect("a socket");
        // The service manager names the process whose watchdog it is.
        let mut command = lab.cabinet.command("sh");
        command.args(["-c", "WATCHDOG_PID=$$ exec \"$0\" run --config \"$1\""]).arg(current()).arg(config);
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "1000000");
        Service { process: Process::start(command), heard, _lab: lab }
    }

    /// The next message with these words; `None` when none comes in time.
    fn hears(&self, words: &str, limit: Duration) -> Option<String> {
        let start = Instant::now();
        while let Some(left) = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            self.heard.set_read_timeout(Some(left)).expect("a time limit");
            let mut bytes = [0; 1000];
            if let Ok(length) = self.heard.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if text.contains(words) {
                    return Some(text);
                }
            }
        }
        None
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill").success());
    }
}

#[test]
fn it_says_when_it_is_ready_that_it_is_alive_and_in_which_state_it_leaves_the_line() {
    let mut service = Service::start();
    let ready = service.hears("READY=1", Duration::from_secs(10)).expect("ready");
    assert!(ready.contains("STATUS=eth0 and eth1 are joined, the programs on them hold policy press-line"), "{ready}");
    for _ in 0..5 {
        assert!(service.hears("WATCHDOG=1", Duration::from_secs(1)).is_some(), "{}", service.process.printed());
    }
    service.signal("TERM");
    let end = service.hears("STOPPING=1", Duration::from_secs(2)).expect("stopping");
    assert!(end.contains("generation 1 in mode shadow"), "{end}");
    service.process.stop(Duration::from_secs(2));
    std::thread::sleep(Duration::from_millis(50));
    let printed = service.process.printed();
    assert!(printed.contains("stopped; eth0 and eth1 are joined, the programs on them hold"), "{printed}");
}

#[test]
fn a_daemon_that_hangs_feeds_no_watchdog() {
    let service = Service::start();
    service.hears("WATCHDOG=1", Duration::from_secs(10)).expect("alive");
    service.signal("STOP");
    // What it had sent before.
    while service.hears("WATCHDOG=1", Duration::from_millis(300)).is_some() {}
    assert_eq!(service.hears("WATCHDOG=1", Duration::from_secs(2)), None);
    service.signal("CONT");
    assert!(service.hears("WATCHDOG=1", Duration::from_secs(2)).is_some());
}

#[test]
fn the_unit_is_exposed_less_than_three() {
    let unit = project_root().join("configs/systemd/enforcer.service");
    if !Path::new("/usr/bin/systemd-analyze").exists() {
        say!("not run: systemd-analyze is missing; `cargo xtask setup` installs Debian's package systemd");
        return;
    }
    let analyze = |words: &[&str]| {
        let output = Command::new("systemd-analyze").args(words).arg(&unit).output().expect("systemd-analyze");
        (output.status, String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    // The threshold is in tenths.
    let (status, text) = analyze(&["security", "--offline=true", "--threshold=29", "--no-pager"]);
    assert!(status.success(), "{text}");
    assert!(text.contains("Overall exposure level"), "{text}");
    let (_, text) = analyze(&["verify", "--man=no"]);
    let complaints: Vec<&str> =
        text.lines().filter(|line| line.contains("enforcer.service") && !line.contains("is not executable")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
