//! Clients and servers of other people's make, run as programs of their own on the two ends of the line.
//!
//! Scripts lie in `tests/peers`; `cargo xtask setup` installs what they import into `target/peers`. A script prints JSON
//! lines. A server prints `{"ready": true}` when it listens, and then what its application was asked to do, not what its
//! protocol stack saw; a client prints a line per step, a poller again and again what it has counted.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{HMI, PLC, STATION_PORT};
use crate::{Enforcer, Lab, Namespace, Process, enforcer, project_root};

/// How long a client may take for all that it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// The interpreter with everything that the scripts import.
pub fn python() -> PathBuf {
    project_root().join("target/peers/bin/python")
}

/// Starts a script of `tests/peers`; it is killed when the returned value is dropped.
pub fn start(namespace: &Namespace, file: &str, words: &[&str]) -> Process {
    let python = python();
    assert!(python.exists(), "{} is not there; run: cargo xtask setup", python.display());
    let mut command: Command = namespace.command(python);
    // Buffered: each script writes a line at once then, and not its end apart, in front of which a library's own words may come.
    command.arg(project_root().join("tests/peers").join(file)).args(words);
    Process::start(command)
}

/// Starts `<name>_server.py ADDRESS INTERFACE` on the controller, and waits until it listens.
pub fn serve(lab: &Lab, name: &str) -> Process {
    let server = start(&lab.plc, &format!("{name}_server.py"), &[&PLC.to_string(), STATION_PORT]);
    let begin = Instant::now();
    while !told(&server).iter().any(|line| line["ready"] == true) {
        assert!(begin.elapsed() < PATIENCE, "the server is not ready: {}", server.printed());
        thread::sleep(Duration::from_millis(20));
    }
    server
}

/// Runs `<name>_client.py ADDRESS WORDS...` on the operator's station to its end; its lines. An error is what it printed when it
/// did not end.
pub fn ask(lab: &Lab, name: &str, words: &[&str]) -> Result<Vec<Value>, String> {
    let address = PLC.to_string();
    let all: Vec<&str> = std::iter::once(address.as_str()).chain(words.iter().copied()).collect();
    let mut client = start(&lab.hmi, &format!("{name}_client.py"), &all);
    let begin = Instant::now();
    while client.ended().is_none() {
        if begin.elapsed() > PATIENCE {
            return Err(format!("the client does not end: {}", client.printed()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Its last words may still be in the pipe.
    thread::sleep(Duration::from_millis(50));
    Ok(told(&client))
}

/// The lines that a script has printed so far.
pub fn told(script: &Process) -> Vec<Value> {
    script.printed().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A server behind the box that enforces a policy, and clients in front of it.
pub struct Peers {
    /// Under everything else.
    pub lab: Lab,
    /// The box.
    pub enforcer: Enforcer,
    server: Process,
}

impl Peers {
    /// Starts `<name>_server.py ADDRESS INTERFACE` on the controller, and the box in enforce with one conduit of this protocol:
    /// `rules` are its `[[conduits.rules]]`, `keys` further lines of the conduit (ports, `on_deny`).
    pub fn new(name: &str, protocol: &str, keys: &str, rules: &str) -> Peers {
        Peers::under(
            name,
            &format!(
                "[zones]\nhmi = [\"{HMI}\"]\nplc = [\"{PLC}\"]\n\n[devices]\nplc = {{ ip = \"{PLC}\" }}\n\n\
                 [[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n\n\
                 [[conduits]]\nname = \"line\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"{protocol}\"\n{keys}\n{rules}"
            ),
        )
    }

    /// The same with a policy that has these sections, and denies all they do not name.
    pub fn under(name: &str, sections: &str) -> Peers {
        let lab = Lab::new();
        let policy = format!("[policy]\nname = \"peers\"\nrevision = 1\ndefault = \"deny\"\n\n{sections}");
        let enforcer = Enforcer::start_more(&lab, &enforcer::current(), &policy, "enforce", enforcer::PATIENT)
            .unwrap_or_else(|error| panic!("{error}\n{policy}"));
        let server = serve(&lab, name);
        Peers { lab, enforcer, server }
    }

    /// Runs `<name>_client.py ADDRESS WORDS...` on the operator's station to its end; its lines.
    pub fn client(&self, name: &str, words: &[&str]) -> Vec<Value> {
        ask(&self.lab, name, words).unwrap_or_else(|error| panic!("{error}\n{}", self.state()))
    }

    /// What the server's application was asked to do so far.
    pub fn served(&self) -> Vec<Value> {
        told(&self.server)
    }

    /// How often the box gave this reason.
    pub fn reason(&self, reason: &str) -> u64 {
        self.status()["reasons"][reason].as_u64().unwrap_or(0)
    }

    /// The conduit's counter: `allow`, `log`, `deny`.
    pub fn counted(&self, verdict: &str) -> u64 {
        self.status()["conduits"][0][verdict].as_u64().unwrap_or(0)
    }

    /// The same of what no conduit covers, frames without IP among it.
    pub fn uncovered(&self, verdict: &str) -> u64 {
        self.status()["uncovered"][verdict].as_u64().unwrap_or(0)
    }

    /// All there is to say when an expectation fails.
    pub fn state(&self) -> String {
        format!("{:#}\nserver: {}", self.status(), self.server.printed())
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }
}
