//! What the daemon does by the clock: folds what the kernel counted into the journal, notices deadlines that have passed,
//! and says that it is alive.

use std::collections::BTreeMap;
use std::time::Duration;

use super::roles::Peer;
use super::{Daemon, Refusal, Shared, nanoseconds, status};
use crate::config::OnDeadman;
use crate::dataplane::counters::{Tally, Totals};
use crate::dataplane::flows;
use crate::journal::{self, Reading, time};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(500);

/// How often what was counted goes into the journal.
const FOLD: u64 = 20;

/// What the tallies had reached when they were kept last.
#[derive(Default)]
pub(super) struct Kept {
    tallies: BTreeMap<String, Tally>,
    /// Boot time in nanoseconds.
    at: u64,
}

/// Runs until the daemon ends.
pub(super) async fn keep(daemon: Shared) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut count = 0_u64;
    loop {
        ticks.tick().await;
        count = count.wrapping_add(1);
        let daemon = &mut *daemon.lock().await;
        let done =
            daemon.look_at_deadlines().and_then(|()| if count.is_multiple_of(FOLD) { daemon.fold() } else { Ok(()) });
        if let Err(refusal) = done {
            tracing::warn!(refusal.text, "not kept");
        }
    }
}

impl Daemon {
    fn look_at_deadlines(&mut self) -> Result<(), Refusal> {
        if let Some(waiting) = &self.memory.unconfirmed
            && flows::now() >= waiting.until
        {
            self.take_back(&Peer::daemon(), "it was not confirmed in time")?;
        }
        self.end_grants()?;
        self.say_alive()
    }

    /// Moves the moment at which the controller counts as silent.
    fn say_alive(&mut self) -> Result<(), Refusal> {
        let failure = &self.config.failure;
        let on_silence = match failure.on_deadman {
            OnDeadman::Hold => return Ok(()),
            OnDeadman::Shadow => enforcer_common::settings::OnSilence::Shadow,
            OnDeadman::Block => enforcer_common::settings::OnSilence::Block,
        };
        self.settings.on_silence = on_silence as u8;
        self.settings.alive_until = flows::now().saturating_add(nanoseconds(failure.deadman));
        self.write_settings()
    }

    /// Puts what was counted since the last time into the journal.
    pub(super) fn fold(&mut self) -> Result<(), Refusal> {
        let entries: Result<Vec<_>, _> =
            self.object.maps.observed.iter().map(|entry| entry.map(|(key, value)| (key.0, value.0))).collect();
        let boot = time::now().saturating_sub(i64::try_from(flows::now()).unwrap_or(0));
        self.journal.observe(Reading { epoch: self.epoch, boot, entries: entries.map_err(Refusal::failed)? });
        let totals = self.totals()?;
        let now = flows::now();
        let seconds = now.saturating_sub(self.kept.at) / 1_000_000_000;
        let hour = time::hour(time::now());
        let names: Vec<String> = self.policy.compiled.names.conduits().map(|(_, name)| name.to_owned()).collect();
        for name in names.iter().map(String::as_str).chain([""]) {
            let tally = totals.tally(name);
            let before = self.kept.tallies.insert(name.to_owned(), tally).unwrap_or_default();
            let mode = if name.is_empty() { self.memory.mode.as_str() } else { status::mode_of(self, name) };
            let spent = |word: &str| if mode == word { seconds } else { 0 };
            self.journal.tally(journal::Tally {
                hour,
                conduit: name.to_owned(),
                learn: spent("learn"),
                shadow: spent("shadow"),
                enforce: spent("enforce"),
                evaluated: tally.evaluated.saturating_sub(before.evaluated),
                allow: tally.allow.saturating_sub(before.allow),
                log: tally.log.saturating_sub(before.log),
                deny: tally.deny.saturating_sub(before.deny),
                would_deny: tally.would_deny.saturating_sub(before.would_deny),
            });
        }
        self.kept.at = self.kept.at.saturating_add(seconds.saturating_mul(1_000_000_000));
        Ok(())
    }

    /// Counters of all generations since the programs were attached.
    pub(super) fn totals(&self) -> Result<Totals, Refusal> {
        let mut totals = self.past.clone();
        let compiled = &self.policy.compiled;
        totals.add(&self.object.maps, compiled.image.header.bank, &compiled.names).map_err(Refusal::failed)?;
        Ok(totals)
    }

    /// The counters as they stand are what the next tallies are measured from.
    pub(super) fn begin_tallies(&mut self) -> Result<(), Refusal> {
        let totals = self.totals()?;
        let names: Vec<String> = self.policy.compiled.names.conduits().map(|(_, name)| name.to_owned()).collect();
        for name in names.iter().map(String::as_str).chain([""]) {
            self.kept.tallies.insert(name.to_owned(), totals.tally(name));
        }
        self.kept.at = flows::now();
        Ok(())
    }
}

/// A number for the kernel's table of observations: another table counts from nothing.
pub(super) fn epoch(maps: &crate::dataplane::maps::Maps) -> u64 {
    // The hash's key is drawn once for a set of maps, at random.
    maps.hash_key.get(&0, 0).map_or(0, |key| {
        use std::hash::{Hash as _, Hasher as _};
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        format!("{:?}", key.0).hash(&mut hasher);
        hasher.finish()
    })
}
