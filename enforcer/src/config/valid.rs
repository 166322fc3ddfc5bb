//! The configuration as the controller uses it, and the checks on the way there.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use enforcer_common::table::MOST_PER_DEVICE;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::duration;
use super::exports::{Exports, Metrics, RawEve, RawMetrics, RawSyslog};
use super::raw::{RawControl, RawFailure, RawFlows, RawPolicyFile, RawPorts, RawState};
use super::rollout::{RawRollout, Roles, Rollout};
use crate::document::{Errors, Piece, Reader, Source, choices, words};

words! {
    /// How allowed frames get to the other port.
    Forwarding { Auto = "auto", Fast = "fast", Bridge = "bridge", }
}
words! {
    /// Where in the receive path the programs sit.
    Attach { Auto = "auto", Native = "native", Generic = "generic", }
}
words! {
    /// The box's mode; it caps the mode of every conduit.
    BoxMode { Learn = "learn", Shadow = "shadow", Enforce = "enforce", Bypass = "bypass", }
}
words! {
    /// What the kernel does when the controller has been silent for longer than `deadman`.
    OnDeadman { Hold = "hold", Shadow = "shadow", Block = "block", }
}
words! {
    /// What holds from power-on until the controller has spoken.
    OnBoot { LastConfirmed = "last_confirmed", Open = "open", Closed = "closed", }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Interface towards the plant.
    pub network: String,
    /// Interface towards the PLC.
    pub device: String,
    pub bridge: String,
    pub forwarding: Forwarding,
    pub attach: Attach,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    pub file: PathBuf,
    /// The box's mode at first start.
    pub mode: BoxMode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    pub socket: PathBuf,
    pub roles: Roles,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub directory: PathBuf,
    /// Largest size of the journal, MiB.
    pub journal_mib: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub deadman: Duration,
    pub on_deadman: OnDeadman,
    pub on_boot: OnBoot,
}

/// The tables of TCP conversations, and what they are guarded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flows {
    /// Conversations that the box can follow.
    pub established: u32,
    /// Conversations that one device can have.
    pub per_device: u32,
    /// SYN that can wait for an answer.
    pub half_open: u32,
    /// So long after the box came into the line, conversations that were open before may be taken up.
    pub grace: Duration,
    /// New connections of one station to one service, per second; 0: no limit.
    pub connections_per_second: u32,
    /// Connections reset within a minute after which a station's new ones are held off for a minute; 0: never.
    pub resets_per_minute: u32,
}

/// A box configuration in which every value has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub ports: Ports,
    pub policy: PolicyFile,
    pub control: Control,
    pub state: State,
    pub flows: Flows,
    pub failure: Failure,
    pub rollout: Rollout,
    pub metrics: Option<Metrics>,
    pub exports: Exports,
}

/// Shorter than this, a busy controller would count as a dead one.
const SHORTEST_DEADMAN: Duration = Duration::from_secs(1);
const LONGEST_DEADMAN: Duration = Duration::from_secs(86_400);
const LONGEST_GRACE: Duration = Duration::from_secs(86_400);
/// A million conversations take a gigabyte.
const MOST_FLOWS: i64 = 1 << 20;
const MOST_RATE: i64 = 100_000;
/// The kernel's IFNAMSIZ less the terminator.
const LONGEST_INTERFACE: usize = 15;
/// `sun_path` of a Unix socket less the terminator.
const LONGEST_SOCKET: usize = 107;

pub(super) fn validate(source: &Source, base: &Path) -> Result<Config, Errors> {
    let (reader, mut root) = Reader::open(source)?;
    let mut check = Check { reader, base };
    let ports = check.section::<RawPorts>(&mut root, "ports");
    let policy = check.section::<RawPolicyFile>(&mut root, "policy");
    let control = check.section::<RawControl>(&mut root, "control");
    let state = check.section::<RawState>(&mut root, "state");
    let flows = check.section::<RawFlows>(&mut root, "flows");
    let failure = check.section::<RawFailure>(&mut root, "failure");
    let rollout = check.section::<RawRollout>(&mut root, "rollout");
    let metrics = check.optional::<RawMetrics>(&mut root, "metrics", "metrics");
    let mut outward = check.reader.table(&mut root, "exports");
    let eve = outward.as_mut().and_then(|piece| check.optional::<RawEve>(piece, "eve", "exports.eve"));
    let syslog = outward.as_mut().and_then(|piece| check.optional::<RawSyslog>(piece, "syslog", "exports.syslog"));
    if let Some(piece) = &outward {
        check.reader.only(piece, &["eve", "syslog"]);
    }
    check
        .reader
        .only(&root, &["ports", "policy", "control", "state", "flows", "failure", "rollout", "metrics", "exports"]);

    let ports = ports.and_then(|(raw, span)| check.ports(raw, &span));
    let policy = policy.and_then(|(raw, span)| check.policy(raw, &span));
    let control = control.and_then(|(raw, _)| check.control(raw));
    let state = state.and_then(|(raw, _)| {
        let journal_mib = check.number(raw.journal_mib, "journal_mib", 256, 16..=1 << 20)?;
        Some(State { directory: check.path(raw.directory, "/var/lib/enforcer"), journal_mib })
    });
    let rollout = rollout.and_then(|(raw, _)| check.rollout(raw));
    let flows = flows.and_then(|(raw, _)| check.flows(raw));
    let failure = failure.and_then(|(raw, _)| check.failure(raw));
    let metrics = metrics.and_then(|(raw, span)| check.metrics(raw, &span));
    let exports = Exports {
        eve: eve.and_then(|(raw, _)| check.eve(raw)),
        syslog: syslog.and_then(|(raw, span)| check.syslog(raw, &span)),
    };

    let problems = check.reader.into_problems();
    let rest = (flows, failure, rollout);
    match (ports, policy, control, state, rest, Errors::from_problems(problems)) {
        (Some(ports), Some(policy), Some(control), Some(state), (Some(flows), Some(failure), Some(rollout)), None) => {
            Ok(Config { ports, policy, control, state, flows, failure, rollout, metrics, exports })
        }
        (.., Some(errors)) => Err(errors),
        // Not reached: what is missing has been reported. Said in words all the same, so that it never passes.
        (.., None) => Err(source.problem(&(0..0), "the configuration is not complete").into()),
    }
}

pub(super) struct Check<'s> {
    pub(super) reader: Reader<'s>,
    base: &'s Path,
}

impl<'s> Check<'s> {
    /// A section that is absent counts as empty; its required keys are then missed at line 1.
    fn section<T: DeserializeOwned + Default>(&mut self, root: &mut Piece<'s>, key: &str) -> Option<(T, Range<usize>)> {
        let before = self.reader.problems();
        match self.reader.table(root, key) {
            Some(piece) => {
                let span = piece.span.clone();
                self.reader.read(piece).map(|raw| (raw, span))
            }
            None if self.reader.problems() == before => Some((T::default(), 0..0)),
            None => None,
        }
    }

    /// A section that switches something on by being there. `path` is what errors call it.
    fn optional<T: DeserializeOwned>(
        &mut self,
        parent: &mut Piece<'s>,
        key: &str,
        path: &str,
    ) -> Option<(T, Range<usize>)> {
        let mut piece = self.reader.table(parent, key)?;
        piece.label = format!("[{path}]");
        let span = piece.span.clone();
        self.reader.read(piece).map(|raw| (raw, span))
    }

    fn ports(&mut self, raw: RawPorts, section: &Range<usize>) -> Option<Ports> {
        let bridge = self.interface(raw.bridge.or(Some(Spanned::new(0..0, "br0".to_owned()))), "bridge", section);
        let network = self.interface(raw.network, "network", section);
        let device = self.interface(raw.device, "device", section);
        let forwarding =
            self.word(raw.forwarding, "forwarding", Forwarding::Auto, Forwarding::from_word, Forwarding::WORDS);
        let attach = self.word(raw.attach, "attach", Attach::Auto, Attach::from_word, Attach::WORDS);
        let (network, device, bridge) = (network?, device?, bridge?);
        if network.get_ref() == device.get_ref() {
            let text = format!("[ports]: network and device are the same interface \"{}\"", device.get_ref());
            self.reader.report(&device.span(), text);
        }
        for (port, key) in [(&network, "network"), (&device, "device")] {
            if port.get_ref() == bridge.get_ref() {
                let text = format!("[ports]: {key} and bridge have the same name \"{}\"", port.get_ref());
                self.reader.report(&port.span(), text);
            }
        }
        Some(Ports {
            network: network.into_inner(),
            device: device.into_inner(),
            bridge: bridge.into_inner(),
            forwarding: forwarding?,
            attach: attach?,
        })
    }

    fn policy(&mut self, raw: RawPolicyFile, section: &Range<usize>) -> Option<PolicyFile> {
        let mode = self.word(raw.mode, "mode", BoxMode::Learn, BoxMode::from_word, BoxMode::WORDS);
        let Some(file) = raw.file else {
            self.reader.report(section, "[policy]: the key \"file\" is missing");
            return None;
        };
        let file = self.path(Some(file), "");
        Some(PolicyFile { file, mode: mode? })
    }

    fn control(&mut self, raw: RawControl) -> Option<Control> {
        let span = raw.socket.as_ref().map(Spanned::span).unwrap_or_default();
        let socket = self.path(raw.socket, "/run/enforcer/control.sock");
        if socket.as_os_str().len() > LONGEST_SOCKET {
            let text = format!("\"socket\": the path is longer than the {LONGEST_SOCKET} bytes of a Unix socket");
            self.reader.report(&span, text);
            return None;
        }
        let group = |name: Option<Spanned<String>>| name.map(Spanned::into_inner);
        let roles =
            Roles { viewers: group(raw.viewers), operators: group(raw.operators), engineers: group(raw.engineers) };
        Some(Control { socket, roles })
    }

    fn flows(&mut self, raw: RawFlows) -> Option<Flows> {
        let span = raw.per_device.as_ref().map(Spanned::span).unwrap_or_default();
        let established = self.number(raw.established, "established", 16_384, 64..=MOST_FLOWS);
        let most = i64::from(MOST_PER_DEVICE);
        let per_device = self.number(raw.per_device, "per_device", 64, 4..=most);
        let half_open = self.number(raw.half_open, "half_open", 4096, 64..=MOST_FLOWS);
        let grace = self.duration(raw.grace, "grace", Duration::from_secs(600), Duration::ZERO..=LONGEST_GRACE);
        let connections_per_second =
            self.number(raw.connections_per_second, "connections_per_second", 50, 0..=MOST_RATE);
        let resets_per_minute = self.number(raw.resets_per_minute, "resets_per_minute", 3, 0..=MOST_RATE);
        let (established, per_device) = (established?, per_device?);
        if per_device > established {
            self.reader.report(&span, "[flows]: per_device is more than established");
            return None;
        }
        Some(Flows {
            established,
            per_device,
            half_open: half_open?,
            grace: grace?,
            connections_per_second: connections_per_second?,
            resets_per_minute: resets_per_minute?,
        })
    }

    pub(super) fn number(
        &mut self,
        value: Option<Spanned<i64>>,
        key: &str,
        default: u32,
        range: RangeInclusive<i64>,
    ) -> Option<u32> {
        let Some(value) = value else { return Some(default) };
        match u32::try_from(*value.get_ref()) {
            Ok(number) if range.contains(value.get_ref()) => Some(number),
            _ => {
                let text = format!("\"{key}\": must be between {} and {}", range.start(), range.end());
                self.reader.report(&value.span(), text);
                None
            }
        }
    }

    pub(super) fn duration(
        &mut self,
        text: Option<Spanned<String>>,
        key: &str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let Some(text) = text else { return Some(default) };
        let wrong = match duration::parse(text.get_ref()) {
            Ok(value) if range.contains(&value) => return Some(value),
            Ok(_) => {
                let days = range.end().as_secs() / 86_400;
                format!("must be between {}s and {days}d", range.start().as_secs())
            }
            Err(error) => error.to_string(),
        };
        self.reader.report(&text.span(), format!("\"{key}\": {wrong}"));
        None
    }

    fn failure(&mut self, raw: RawFailure) -> Option<Failure> {
        let deadman =
            self.duration(raw.deadman, "deadman", Duration::from_secs(30), SHORTEST_DEADMAN..=LONGEST_DEADMAN);
        let on_deadman =
            self.word(raw.on_deadman, "on_deadman", OnDeadman::Hold, OnDeadman::from_word, OnDeadman::WORDS);
        let on_boot = self.word(raw.on_boot, "on_boot", OnBoot::LastConfirmed, OnBoot::from_word, OnBoot::WORDS);
        Some(Failure { deadman: deadman?, on_deadman: on_deadman?, on_boot: on_boot? })
    }

    /// An interface name as the kernel takes it.
    fn interface(
        &mut self,
        name: Option<Spanned<String>>,
        key: &str,
        section: &Range<usize>,
    ) -> Option<Spanned<String>> {
        let Some(name) = name else {
            self.reader.report(section, format!("[ports]: the key \"{key}\" is missing"));
            return None;
        };
        let text = name.get_ref();
        let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
        if text.is_empty() || text.len() > LONGEST_INTERFACE || text == "." || text == ".." || text.contains(bad) {
            let text = format!("\"{key}\": \"{text}\" cannot be the name of an interface");
            self.reader.report(&name.span(), text);
            return None;
        }
        Some(name)
    }

    pub(super) fn path(&self, text: Option<Spanned<String>>, default: &str) -> PathBuf {
        match text {
            Some(text) => self.base.join(text.get_ref()),
            None => PathBuf::from(default),
        }
    }

    pub(super) fn word<T>(
        &mut self,
        text: Option<Spanned<String>>,
        key: &str,
        default: T,
        from_word: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Option<T> {
        let Some(text) = text else { return Some(default) };
        let value = from_word(text.get_ref());
        if value.is_none() {
            let text_ref = text.get_ref();
            self.reader
                .report(&text.span(), format!("\"{key}\": unknown word \"{text_ref}\"{}", choices(text_ref, words)));
        }
        value
    }
}
