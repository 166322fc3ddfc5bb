//! What stands between the two ends of a line.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::pair::Pair;
use super::suricata;
use crate::enforcer::configuration;
use crate::lab::{self, DEVICE_PORT, HMI, HMI_MAC, Lab, NETWORK_PORT, PLC, STATION_PORT};
use crate::xdp::{self, Answer};
use crate::{Enforcer, Namespace, Process, bridge, sweep};

/// A kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One cable and nothing else: what the two ends cost themselves.
    Cable,
    /// A Linux bridge.
    Bridge,
    /// A Linux bridge with so many rules of nftables that match function codes of Modbus.
    Nftables(u32),
    /// Programs that do nothing, in front of a bridge.
    EmptyPass,
    /// Programs that do nothing but redirect to the other port.
    EmptyRedirect,
    /// The enforcer.
    Enforcer {
        /// Straight to the other port, or by the bridge.
        fast: bool,
        /// Enforce, or shadow.
        enforce: bool,
    },
    /// Suricata, which hands over in user space.
    Suricata {
        /// On another CPU than all else, or on the same.
        beside: bool,
    },
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Cable => f.write_str("cable, no box"),
            Kind::Bridge => f.write_str("plain bridge"),
            Kind::Nftables(rules) => write!(f, "bridge, nftables, {rules} rules"),
            Kind::EmptyPass => f.write_str("bridge, empty XDP"),
            Kind::EmptyRedirect => f.write_str("empty XDP redirect"),
            Kind::Enforcer { fast, enforce } => {
                let (way, mode) = (if *fast { "fast" } else { "bridge" }, if *enforce { "enforce" } else { "shadow" });
                write!(f, "enforcer, {way}, {mode}")
            }
            Kind::Suricata { beside } => {
                write!(f, "Suricata in-line, {} CPU", if *beside { "other" } else { "same" })
            }
        }
    }
}

/// A line with a connection over it. Fields are dropped in this order.
pub struct Line {
    pub kind: Kind,
    pub(super) pair: Pair,
    _enforcer: Option<Enforcer>,
    _suricata: Option<Process>,
    _programs: Vec<OwnedFd>,
    ends: Ends,
}

/// The namespaces of a line.
enum Ends {
    Cable { hmi: Namespace, plc: Namespace },
    Lab(Lab),
}

/// Polls are allowed, and what is written to some registers, so that the policy has something to choose from.
const POLICY: &str = r#"[policy]
name = "bench"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20"]
press = ["10.10.2.5"]

[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }

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
  objects   = ["holding:0-199", "input:0-63"]
  action    = "allow"

  [[conduits.rules]]
  name      = "setpoint"
  functions = ["write_single_register", "write_multiple_registers"]
  objects   = ["holding:40-47"]
  values    = ["0-1000"]
  action    = "allow"

[[conduits]]
name     = "cyclic"
from     = ["hmi"]
to       = ["press"]
protocol = "udp"
ports    = [2222]
"#;

impl Line {
    /// Builds a line and connects its ends.
    ///
    /// # Errors
    /// One sentence: what could not be had.
    pub fn build(kind: Kind, enforcer: &Path) -> Result<Line, String> {
        if kind == Kind::Cable {
            return cable();
        }
        let lab = Lab::new();
        let (mut running, mut suricata, mut programs) = (None, None, Vec::new());
        match kind {
            Kind::Cable => {}
            Kind::Bridge => bridge::join(&lab),
            Kind::Nftables(rules) => {
                bridge::join(&lab);
                let file = lab.write("rules.nft", &ruleset(rules));
                lab.cabinet.output("nft", &["-f", &file.display().to_string()]);
            }
            Kind::EmptyPass => {
                bridge::join(&lab);
                programs = empty(&lab, [Answer::Pass, Answer::Pass])?;
            }
            Kind::EmptyRedirect => {
                let index = |port: &str| {
                    let found = lab.cabinet.run(|| crate::sys::interface_index(port));
                    found.map(i32::unsigned_abs).map_err(|error| format!("{port}: {error}"))
                };
                programs = empty(&lab, [Answer::Over(index(DEVICE_PORT)?), Answer::Over(index(NETWORK_PORT)?)])?;
            }
            Kind::Enforcer { fast, enforce } => running = Some(start(&lab, enforcer, fast, enforce)?),
            Kind::Suricata { beside } => suricata = Some(suricata::start(&lab, beside)?),
        }
        let pair = Pair::connect(&lab.hmi, &lab.plc).map_err(|error| format!("{kind}: no connection: {error}"))?;
        let (_enforcer, _suricata, _programs, ends) = (running, suricata, programs, Ends::Lab(lab));
        Ok(Line { kind, pair, _enforcer, _suricata, _programs, ends })
    }

    /// Where the client is.
    pub(super) fn hmi(&self) -> &Namespace {
        match &self.ends {
            Ends::Cable { hmi, .. } | Ends::Lab(Lab { hmi, .. }) => hmi,
        }
    }

    /// Where the server is.
    pub(super) fn plc(&self) -> &Namespace {
        match &self.ends {
            Ends::Cable { plc, .. } | Ends::Lab(Lab { plc, .. }) => plc,
        }
    }
}

/// Two stations and one cable.
fn cable() -> Result<Line, String> {
    let name = sweep::lab_name(lab::next());
    let (hmi, plc) = (Namespace::new(format!("{name}-hmi")), Namespace::new(format!("{name}-plc")));
    let program = lab::plug(&hmi, HMI_MAC, &plc, STATION_PORT, 1500);
    let other = plc.run(|| xdp::attach(STATION_PORT, Answer::Pass)).map_err(|error| error.to_string())?;
    lab::plain(&plc, STATION_PORT);
    hmi.ip(&format!("address add {HMI}/16 dev {STATION_PORT}"));
    plc.ip(&format!("address add {PLC}/16 dev {STATION_PORT}"));
    let pair = Pair::connect(&hmi, &plc).map_err(|error| format!("no connection over the cable: {error}"))?;
    let ends = Ends::Cable { hmi, plc };
    Ok(Line { kind: Kind::Cable, pair, _enforcer: None, _suricata: None, _programs: vec![program, other], ends })
}

/// The smallest programs on both ports of the box.
fn empty(lab: &Lab, answers: [Answer; 2]) -> Result<Vec<OwnedFd>, String> {
    let attach = |(port, answer)| {
        let program = lab.cabinet.run(|| xdp::attach(port, answer)).map_err(|error| format!("{port}: {error}"))?;
        lab::plain(&lab.cabinet, port);
        Ok(program)
    };
    [NETWORK_PORT, DEVICE_PORT].into_iter().zip(answers).map(attach).collect()
}

fn start(lab: &Lab, binary: &Path, fast: bool, enforce: bool) -> Result<Enforcer, String> {
    let policy = lab.write("policy.toml", POLICY);
    let way = if fast { "fast" } else { "bridge" };
    let mode = if enforce { "enforce" } else { "shadow" };
    let ports = format!("bridge  = \"br0\"\nforwarding = \"{way}\"\n");
    let config = configuration(lab, &policy, mode).replace("bridge  = \"br0\"\n", &ports);
    let config = lab.write("enforcer.toml", &config);
    let enforcer = Enforcer::start_with(lab, binary, &config, &lab.folder().join("control.sock"))?;
    let status = enforcer.status()?;
    if status["forwarding"] != way || status["mode"] != mode {
        return Err(format!("the enforcer is not in {way}, {mode}: {status:#}"));
    }
    Ok(enforcer)
}

/// Rules in the way of a bridge's frames that drop function codes which nobody sends, one for each of so many units, so
/// that every frame is held against all of them.
fn ruleset(rules: u32) -> String {
    let mut text =
        "table bridge plant {\n  chain forward {\n    type filter hook forward priority 0; policy accept;\n".to_owned();
    for rule in 0..rules {
        // Behind a TCP header of 32 bytes (with timestamps) and the seven of the MBAP header: unit and function code.
        let (unit, function) = (100 + rule / 100, 100 + rule % 100);
        text += &format!("    tcp dport 502 @th,304,8 {unit} @th,312,8 {function} drop\n");
    }
    text + "  }\n}\n"
}
