//! `enforcer run`: the daemon. It loads and attaches, publishes policies, serves the control socket and keeps what the
//! kernel reports. It is never in the packet's way: with it gone, the last policy stands.

mod boot;
mod confirm;
mod control;
mod conversations;
mod counted;
mod events;
mod evidence;
mod far_side;
mod forwarding;
mod grants;
mod health;
pub mod heap;
mod learned;
mod links;
mod measure;
mod memory;
mod mend;
mod past;
mod readiness;
mod record;
mod recover;
mod report;
mod requests;
mod roles;
mod stage;
mod start;
mod status;
mod switch;
mod watchdog;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use enforcer_common::abi::{MODE_AS_POLICY, Settings, conduit_cell, place};
use enforcer_common::verdict::Mode;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::dataplane::attach::{self, Attached};
use crate::dataplane::counters::Totals;
use crate::dataplane::object::Object;
use crate::dataplane::ports::Port;
use crate::dataplane::{bridge, flows, publish, steps};
use crate::journal::Journal;
use crate::policy::{self, Compiled, Loaded};
use crate::replay::time::Timestamp;

pub use grants::Wish;
pub use memory::Memory;
pub use requests::Request;
pub use start::start;

/// Where the pins of all boxes of this machine lie.
pub const PINS: &str = "/sys/fs/bpf/enforcer";

/// The directory of the pins for one pair of ports.
#[must_use]
pub fn pair_directory(config: &Config) -> PathBuf {
    Path::new(PINS).join(format!("{}-{}", config.ports.network, config.ports.device))
}

/// The policy in force.
pub struct InForce {
    /// What errors call it.
    pub name: String,
    /// Text, meaning and warnings.
    pub loaded: Loaded,
    /// Image and names.
    pub compiled: Compiled,
}

/// Everything the daemon holds. One lock: control is rare, and the packets do not wait for it.
pub struct Daemon {
    config: Config,
    object: Object,
    bridge: bridge::Bridge,
    /// What the kernel's cell holds.
    settings: Settings,
    ports: [Port; 2],
    attached: [Attached; 2],
    /// Which way allowed frames take.
    way: forwarding::Way,
    attention: Vec<String>,
    /// What keeps these ports from enforcing, one sentence each.
    blockers: Vec<String>,
    memory: Memory,
    policy: InForce,
    /// Counters of earlier generations, by name.
    past: Totals,
    events: events::Store,
    /// What is kept over restarts.
    journal: Journal,
    /// The policy that is tried beside the one in force.
    candidate: Option<InForce>,
    /// How often one was staged.
    stages: u32,
    /// Comparisons that were lost before the candidate came.
    not_compared_before: u64,
    /// When this daemon came up, nanoseconds since 1970.
    started: i64,
    /// What the tallies had reached when they were kept last.
    kept: evidence::Kept,
    /// Which tables the kernel's counts are of.
    epoch: u64,
    /// How the devices do.
    watch: health::Watch,
    /// When readiness was measured last, how long that took, and what came of it.
    ready: Option<(std::time::Instant, Duration, readiness::Document)>,
    /// Why the memory could not be written.
    memory_trouble: Option<String>,
    /// What is wrong with the network and the device port, and with the bridge, that could not be mended.
    port_troubles: [Option<String>; 2],
    bridge_trouble: Option<String>,
    /// The programs were taken off by order: nothing is mended any more.
    detached: bool,
}

/// The daemon as its tasks share it.
pub type Shared = Arc<Mutex<Daemon>>;

/// Why a request was not carried out: the sentence, and the exit code that the command ends with.
#[derive(Debug)]
pub struct Refusal {
    /// One sentence, or one a line.
    pub text: String,
    /// 1: what was asked for does not hold. 2: it was asked wrongly.
    pub code: u8,
}

impl Refusal {
    fn usage(text: impl std::fmt::Display) -> Self {
        Self { text: text.to_string(), code: 2 }
    }

    fn failed(text: impl std::fmt::Display) -> Self {
        Self { text: text.to_string(), code: 1 }
    }
}

impl Daemon {
    /// Puts a policy in force as a new generation.
    fn apply(&mut self, name: &str, loaded: Loaded) -> Result<(), Refusal> {
        let (generation, bank) = next_generation(&self.memory);
        let compiled = policy::compile(&loaded.valid, generation, bank).map_err(Refusal::usage)?;
        let modes = switched(&self.memory, &compiled);
        steps::come_into_force(&mut self.object.maps, &self.policy.compiled.image).map_err(Refusal::failed)?;
        // Another one comes: the programs are to look at the image.
        self.settings = publish::set(&mut self.object.maps, Settings { generation: 0, ..self.settings })
            .map_err(Refusal::failed)?;
        if let Err(error) = publish::publish(&mut self.object.maps, &start::pins_of(&self.config), &compiled, &modes) {
            self.name_generation();
            return Err(Refusal::failed(error));
        }
        let old = &self.policy.compiled;
        // Nobody counts in the old bank any more: what it holds is final.
        self.past.add_generation(&self.object.maps, old).map_err(Refusal::failed)?;
        self.policy = InForce { name: name.to_owned(), loaded, compiled };
        self.memory.generation = generation;
        counted::keep(&self.config.state.directory, self.epoch, &self.policy, &self.past);
        self.name_generation();
        Ok(())
    }

    /// Puts another policy in force. With `within`, and where something is enforced, it goes back by itself unless it is
    /// confirmed in time.
    fn change_policy(
        &mut self,
        peer: &roles::Peer,
        verb: &str,
        applied: &memory::Applied,
        within: Option<Duration>,
        reason: Option<String>,
    ) -> Result<serde_json::Value, Refusal> {
        let loaded = heap::gathered(policy::parse(&applied.name, &applied.text).map_err(Refusal::usage)?);
        // Whether it fits is found out before anything is written down.
        policy::compile(&loaded.valid, 1, 0).map_err(Refusal::usage)?;
        let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        let (label, revision) = (loaded.valid.name.clone(), loaded.valid.revision);
        let what = format!("policy {label} revision {revision}");
        let waits = within.filter(|within| !within.is_zero() && self.memory.mode == "enforce");
        self.nothing_waits()?;
        self.record(
            peer,
            verb,
            serde_json::json!({"policy": label, "revision": revision, "file": applied.name}),
            reason.clone(),
        )?;
        let before = self.memory.clone();
        if let Some(within) = waits {
            self.memory.unconfirmed = Some(self.waiting(what.clone(), within, true));
            // What comes back, and when, is in the kernel before the new policy is.
            publish::put(&mut self.object.maps, place::PREVIOUS, &self.policy.compiled).map_err(Refusal::failed)?;
            self.write_settings()?;
        }
        self.memory.policy = Some(applied.clone());
        self.memory.emergency = None;
        if let Err(refusal) = self.apply(&applied.name, loaded) {
            self.memory = before;
            self.write_settings()?;
            return Err(refusal);
        }
        self.memory.note(format!("{what} from {}", applied.name), reason.clone());
        self.keep_generation(peer, reason);
        self.report_change("policy", &what);
        self.remember()?;
        Ok(serde_json::json!({
            "name": label,
            "revision": revision,
            "generation": self.memory.generation,
            "warnings": warnings,
            "unconfirmed_for": waits.map(|within| within.as_secs()),
        }))
    }

    /// Writes mode, bypass and deadlines into the kernel.
    fn write_settings(&mut self) -> Result<(), Refusal> {
        let bypassed = self.settings.bypass != 0;
        let mut settings = settings(&self.memory, self.settings);
        settings.candidate = self.candidate.as_ref().map_or(0, |one| one.compiled.image.header.generation);
        settings.health = u8::from(self.wants_health());
        if bypassed && settings.bypass == 0 {
            trust_anew(&mut settings, &self.config);
        }
        self.settings = publish::set(&mut self.object.maps, settings).map_err(Refusal::failed)?;
        Ok(())
    }

    /// Names the generation in force to the programs. Where that fails they go on looking at the image.
    fn name_generation(&mut self) {
        let header = &self.policy.compiled.image.header;
        let settings = Settings { generation: header.generation, bank: header.bank, ..self.settings };
        match publish::set(&mut self.object.maps, settings) {
            Ok(settings) => self.settings = settings,
            Err(error) => tracing::error!(%error, "the programs are not told the generation in force"),
        }
    }

    /// Frames may have gone by unseen.
    fn renew_trust(&mut self) -> Result<(), Refusal> {
        let mut settings = self.settings;
        trust_anew(&mut settings, &self.config);
        self.settings = publish::set(&mut self.object.maps, settings).map_err(Refusal::failed)?;
        Ok(())
    }

    /// Keeps the memory on disk. What is in force stays in force when that fails; it is said, and shown as attention.
    fn remember(&mut self) -> Result<(), Refusal> {
        let policy = memory::Applied { name: self.policy.name.clone(), text: self.policy.loaded.text.clone() };
        let answer = self.memory.store(&self.config.state.directory, &policy);
        self.memory_trouble = answer.as_ref().err().map(|error| format!("{error}; it is tried again"));
        answer.map_err(|error| {
            Refusal::failed(format!("{error}; the change is in force, but will be forgotten at the next start"))
        })
    }

    /// Lets followers of events know about a change, and the journal.
    fn report_change(&mut self, kind: &str, what: &str) {
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let time = Timestamp::new(i64::try_from(time.as_secs()).unwrap_or_default(), u64::from(time.subsec_nanos()));
        let record = serde_json::json!({
            "schema": 1,
            "event": kind,
            "time": time.to_string(),
            "what": what,
            "generation": self.memory.generation,
            "mode": self.memory.mode,
            "count": 1,
        });
        self.tell(record);
    }

    /// Hands an event of the controller's own to those who follow and to the journal.
    fn tell(&mut self, record: serde_json::Value) {
        self.events.push(record.clone());
        self.journal.events(vec![record]);
    }

    /// Takes the programs off the ports. The bridge stays unless asked otherwise.
    async fn detach(&mut self, remove_bridge: bool) -> Result<(), Refusal> {
        self.detached = true;
        attach::detach(&pair_directory(&self.config)).map_err(Refusal::failed)?;
        if remove_bridge {
            let netlink = crate::dataplane::netlink::Netlink::connect().map_err(Refusal::failed)?;
            bridge::release(&netlink, &self.config.ports.bridge, false).await.map_err(Refusal::failed)?;
        }
        Ok(())
    }
}

/// The number of the next generation, and the counter bank that it takes turns in.
fn next_generation(memory: &Memory) -> (u32, u8) {
    let generation = memory.generation.wrapping_add(1).max(1);
    (generation, bank_of(generation))
}

/// The counter bank of a generation.
fn bank_of(generation: u32) -> u8 {
    (generation & 1) as u8
}

/// The kernel's cell with a remembered mode.
fn settings(memory: &Memory, before: Settings) -> Settings {
    let bypass = memory.mode == "bypass";
    let word = if bypass { memory.mode_before_bypass.as_deref().unwrap_or("learn") } else { &memory.mode };
    let now = mode(word).unwrap_or(Mode::Learn) as u8;
    let waiting = memory.unconfirmed.as_ref();
    let after = waiting.map_or(now, |waiting| mode(&waiting.mode).unwrap_or(Mode::Shadow) as u8);
    Settings {
        mode: now,
        bypass: u8::from(bypass),
        confirm_until: waiting.map_or(0, |waiting| waiting.until),
        mode_after: after,
        policy_after: u8::from(waiting.is_some_and(|waiting| waiting.policy.is_some())),
        as_policy: u8::from(memory.conduits.is_empty() && waiting.is_none_or(|waiting| waiting.conduits.is_empty())),
        grants: u32::try_from(memory.grants.len()).unwrap_or(u32::MAX),
        ..before
    }
}

/// Frames may have passed unseen: what was known of conversations counts no more, and for a while they may be taken up
/// where they are.
fn trust_anew(settings: &mut Settings, config: &Config) {
    settings.sync = settings.sync.wrapping_add(1);
    settings.grace_until = flows::now().saturating_add(nanoseconds(config.flows.grace));
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A mode by its word.
fn mode(word: &str) -> Option<Mode> {
    [Mode::Learn, Mode::Shadow, Mode::Enforce].into_iter().find(|mode| mode.as_str() == word)
}

/// The cells of the conduits that this policy has.
fn switched(memory: &Memory, compiled: &Compiled) -> Vec<(u16, u32)> {
    compiled.names.conduits().map(|(id, name)| (id, conduit_cell_of(memory, name))).collect()
}

/// A conduit's cell: as it is switched, and what it falls back to while a change waits to be confirmed.
fn conduit_cell_of(memory: &Memory, name: &str) -> u32 {
    let of = |modes: &std::collections::BTreeMap<String, String>| {
        modes.get(name).and_then(|word| mode(word)).map_or(MODE_AS_POLICY, |mode| mode as u8)
    };
    let now = of(&memory.conduits);
    conduit_cell(now, memory.unconfirmed.as_ref().map_or(now, |waiting| of(&waiting.conduits)))
}
