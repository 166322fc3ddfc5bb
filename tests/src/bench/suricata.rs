//! Suricata in-line between the two ports of the box, with the same kind of work: it reads Modbus and drops a function.
//!
//! A frame wakes up a thread of Suricata, which the measuring thread, as it never sleeps, must not keep from running.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::pair::Pair;
use crate::lab::{DEVICE_PORT, Lab, NETWORK_PORT};
use crate::{Process, sys};

/// After this it will not start any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request of the function that the rule drops.
const DIAGNOSTICS: [u8; 5] = [8, 0, 0, 0x12, 0x34];
const RULES: &str = "drop modbus any any -> any any (msg:\"diagnostics\"; modbus: function 8; sid:1; rev:1;)\n";

/// The version that is installed here.
///
/// # Errors
/// Why it cannot be measured here.
pub(super) fn version() -> Result<String, String> {
    let output = Command::new("suricata").arg("-V").stdin(Stdio::null()).output();
    let text = output.map_err(|_| "it is not installed (Debian 12 has it in its backports)".to_owned())?;
    if std::thread::available_parallelism().map_or(1, std::num::NonZero::get) < 2 {
        return Err("one of its lines needs a second CPU".to_owned());
    }
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let version = text.split_once("version ").and_then(|(_, rest)| rest.split_whitespace().next());
    version.map(str::to_owned).ok_or_else(|| "it does not tell its version".to_owned())
}

/// Starts it on other CPUs than the measured one, or with what handles frames on that, and returns when it forwards and
/// drops. It ends with the returned value; its files are the lab's.
///
/// # Errors
/// One sentence: what it did not do, and what it printed.
pub(super) fn start(lab: &Lab, beside: bool) -> Result<Process, String> {
    let config = lab.write("suricata.yaml", &configuration());
    let rules = lab.write("suricata.rules", RULES);
    let mut command = lab.cabinet.command("suricata");
    command.args(["--af-packet", "--runmode", "workers"]);
    command.arg("-c").arg(config).arg("-S").arg(rules).arg("-l").arg(lab.folder());
    // SAFETY: between fork and exec only system calls are made that neither allocate nor lock.
    unsafe {
        command.pre_exec(|| {
            // The run says so when it was refused the priority itself.
            sys::beside_the_undisturbed();
            Ok(())
        });
    }
    let mut process = Process::start(command);
    let begin = Instant::now();
    while !process.printed().contains("Engine started") {
        if process.ended().is_some() || begin.elapsed() > PATIENCE {
            return Err(format!("Suricata did not start: {}", process.printed().trim()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    if !beside {
        hurry(process.id()).map_err(|error| format!("Suricata's threads: {error}"))?;
    }
    prove(lab).map_err(|error| format!("Suricata: {error}: {}", process.printed().trim()))?;
    Ok(process)
}

/// Lets the threads that handle frames go before the measuring one on its CPU. Not the others: what they do now and then
/// would be in the times of all lines.
fn hurry(process: u32) -> std::io::Result<()> {
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let task = task?;
        if std::fs::read_to_string(task.path().join("comm"))?.starts_with("W#") {
            let thread = task.file_name().to_string_lossy().parse().map_err(std::io::Error::other)?;
            sys::before_the_undisturbed(thread);
        }
    }
    Ok(())
}

/// A poll must pass, and what the rule names must not: else a wire would be measured. On a connection of its own, which is
/// lost by that.
fn prove(lab: &Lab) -> std::io::Result<()> {
    let mut pair = Pair::connect(&lab.hmi, &lab.plc)?;
    pair.transact()?;
    if pair.delivers(&DIAGNOSTICS)? {
        return Err(std::io::Error::other("a request that it should drop went through"));
    }
    Ok(())
}

/// One thread a port, each handing over to the other port what it lets through, and no log of frames.
fn configuration() -> String {
    let port = |cluster: u32, from: &str, to: &str| {
        // Version 3 of the ring hands over blocks of frames and cannot be in-line.
        format!(
            "  - interface: {from}
    copy-iface: {to}
    copy-mode: ips
    cluster-id: {cluster}
    cluster-type: cluster_flow
    threads: 1
    use-mmap: yes
    tpacket-v3: no
    defrag: no
    checksum-checks: no
"
        )
    };
    let ports = port(98, NETWORK_PORT, DEVICE_PORT) + &port(99, DEVICE_PORT, NETWORK_PORT);
    format!("%YAML 1.1\n---\naf-packet:\n{ports}{REST}")
}

/// A depth of 0 is all of the stream: an inspection that ends after its first megabyte would be cheaper than ours.
const REST: &str = "capture:
  disable-offloading: no
stream:
  inline: yes
  checksum-validation: no
app-layer:
  protocols:
    modbus:
      enabled: yes
      detection-ports:
        dp: 502
      stream-depth: 0
unix-command:
  enabled: no
stats:
  enabled: no
logging:
  outputs:
    - console:
        enabled: yes
";
