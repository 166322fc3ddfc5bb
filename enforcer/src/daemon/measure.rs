//! The daemon's numbers as metrics.
//!
//! A reading takes the daemon's lock as `status` does. It is kept for a second, and for twenty times as long as it took, so
//! scrapers, however many and however fast, hold the lock for no more than a twentieth of the time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer_common::abi::loss;
use enforcer_common::buckets::{self, BUCKETS};
use enforcer_common::port::Side;
use enforcer_common::processing::FIRST;
use enforcer_common::verdict::{Reason, Verdict};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Daemon, Refusal, Shared, status};
use crate::config::OnDeadman;
use crate::dataplane::counters::{self, by_reason};
use crate::dataplane::{flows, functions};
use crate::metrics::definitions as of;
use crate::metrics::{Family, http, text};

/// How long a reading is good.
const FRESH: Duration = Duration::from_secs(1);
/// And how many times as long as it took.
const RATIO: u32 = 20;
/// So long does a scraper wait for the daemon.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an address that is not there yet is tried.
const RETRY: Duration = Duration::from_secs(2);

/// Serves metrics until the daemon ends. An address that the box does not have yet is waited for.
pub(super) async fn serve(daemon: Shared, listen: SocketAddr) {
    let listener = loop {
        let mark = "metrics: cannot listen on";
        let answer = TcpListener::bind(listen).await;
        let attention = &mut daemon.lock().await.attention;
        attention.retain(|sentence| !sentence.starts_with(mark));
        match answer {
            Ok(listener) => break listener,
            Err(error) => attention.push(format!("{mark} {listen}: {error}")),
        }
        tokio::time::sleep(RETRY).await;
    };
    http::serve(listener, Readings { daemon, last: Arc::default() }).await;
}

/// The last reading, shared by all scrapers.
#[derive(Clone)]
struct Readings {
    daemon: Shared,
    last: Arc<Mutex<Option<Reading>>>,
}

struct Reading {
    good_until: Instant,
    text: Arc<str>,
}

impl http::Source for Readings {
    async fn metrics(&self) -> Option<Arc<str>> {
        let mut last = timeout(PATIENCE, self.last.lock()).await.ok()?;
        if let Some(reading) = last.as_ref().filter(|reading| Instant::now() < reading.good_until) {
            return Some(Arc::clone(&reading.text));
        }
        let mut daemon = timeout(PATIENCE, self.daemon.lock()).await.ok()?;
        let start = Instant::now();
        let families = daemon.families().await;
        drop(daemon);
        let took = start.elapsed();
        let mut families = families.inspect_err(|refusal| tracing::warn!(refusal.text, "no metrics")).ok()?;
        families.push(Family::of(&of::SNAPSHOT, took.as_secs_f64()));
        let text: Arc<str> = text(&families).into();
        *last = Some(Reading { good_until: Instant::now() + FRESH.max(took * RATIO), text: Arc::clone(&text) });
        Some(text)
    }
}

impl Daemon {
    /// Every metric that the daemon has. The list is what there is to add to.
    async fn families(&mut self) -> Result<Vec<Family>, Refusal> {
        let totals = self.totals()?;
        let look = status::look(self, &totals).await?;
        let mut families = self.identity();
        families.extend(self.operations(&totals)?);
        families.extend(self.losses()?);
        let mut flows = Family::new(&of::FLOWS);
        flows.add(&["established"], look.census.established);
        flows.add(&["half_open"], look.census.half_open);
        flows.add(&["unsynchronised"], look.census.unsynchronised);
        let mut room = Family::new(&of::FLOWS_ROOM);
        room.add(&["established"], look.census.memory.flows);
        room.add(&["half_open"], look.census.memory.half_open);
        let (mut up, mut attached) = (Family::new(&of::PORT_UP), Family::new(&of::PORT_ATTACHED));
        for (side, port) in ["network", "device"].into_iter().zip(&self.ports) {
            up.add(&[side, &port.name], look.ports[side]["link"] == "up");
            attached.add(&[side, &port.name], look.ports[side]["program"] == true);
        }
        families.extend([flows, room, up, attached, self.processing()?]);
        families.push(Family::of(&of::ATTENTION, look.attention.len() as u64));
        Ok(families)
    }

    /// How long frames took.
    fn processing(&self) -> Result<Family, Refusal> {
        let mut family = Family::new(&of::PROCESSING);
        for side in [Side::Network, Side::Device] {
            let cells = self.object.maps.processing.get(&(side as u32), 0).map_err(Refusal::failed)?;
            let sum: u64 = cells.iter().map(|cell| cell.0.sum).sum();
            let mut below = 0;
            let buckets: Vec<(f64, u64)> = (0..BUCKETS)
                .map(|bucket| {
                    below += cells.iter().filter_map(|cell| cell.0.times.get(bucket)).sum::<u64>();
                    let end = buckets::start::<FIRST>(bucket + 1);
                    (if bucket + 1 == BUCKETS { f64::INFINITY } else { seconds(end) }, below)
                })
                .collect();
            family.add_histogram(&[side.as_str()], &buckets, seconds(sum));
        }
        Ok(family)
    }

    /// What the box is and in which state.
    fn identity(&self) -> Vec<Family> {
        let mut build = Family::new(&of::BUILD);
        build.add(&[env!("CARGO_PKG_VERSION")], 1);
        let mut mode = Family::new(&of::MODE);
        for word in ["learn", "shadow", "enforce", "bypass"] {
            mode.add(&[word], self.memory.mode == word);
        }
        let mut conduits = Family::new(&of::CONDUIT_MODE);
        for (_, name) in self.policy.compiled.names.conduits() {
            conduits.add(&[name, status::mode_of(self, name)], 1);
        }
        let valid = &self.policy.loaded.valid;
        let mut policy = Family::new(&of::POLICY);
        policy.add(&[&valid.name, &valid.revision.to_string()], 1);
        let document = self.health_document();
        let mut health = Family::new(&of::HEALTH);
        for state in ["ok", "worse", "unknown"] {
            health.add(&[state], document["state"] == state);
        }
        let failure = &self.config.failure;
        let mut deadman = Family::new(&of::DEADMAN);
        deadman.add(&[failure.on_deadman.as_str()], failure.deadman.as_secs_f64());
        let mut families = vec![
            build,
            Family::of(&of::START, seconds(u64::try_from(self.started).unwrap_or(0))),
            mode,
            conduits,
            policy,
            Family::of(&of::GENERATION, u64::from(self.policy.compiled.image.header.generation)),
            Family::of(&of::CANDIDATE, self.candidate.is_some()),
            health,
            deadman,
        ];
        if failure.on_deadman != OnDeadman::Hold {
            let left = self.settings.alive_until.saturating_sub(flows::now());
            families.push(Family::of(&of::DEADMAN_LEFT, seconds(left)));
        }
        families.extend(self.seconds_left().map(|left| Family::of(&of::UNCONFIRMED, left)));
        families
    }

    /// What the kernel counted of operations.
    fn operations(&self, totals: &counters::Totals) -> Result<[Family; 3], Refusal> {
        let mut outcomes = Family::new(&of::OUTCOMES);
        for (conduit, cells) in &totals.conduits {
            for (reason, kept, acted) in by_reason(cells) {
                let counts = match reason.verdict() {
                    Verdict::Deny => [(verdict(reason, false), kept), (verdict(reason, true), acted)],
                    Verdict::Allow | Verdict::Log => [(verdict(reason, false), kept + acted), ("", 0)],
                };
                for (verdict, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
                    outcomes.add(&[conduit, verdict, reason.as_str()], count);
                }
            }
        }
        let mut operations = Family::new(&of::OPERATIONS);
        let mut by_function = totals.functions.clone();
        functions::add(&mut by_function, &self.object.maps, &self.policy.compiled).map_err(Refusal::failed)?;
        for (key, count) in &by_function {
            let verdict = verdict(key.reason, key.acted);
            operations.add(&[&key.conduit, &key.function, verdict, key.reason.as_str()], *count);
        }
        let mut rules = Family::new(&of::RULES);
        for ((conduit, rule), count) in &totals.rules {
            rules.add(&[conduit, rule], *count);
        }
        Ok([outcomes, operations, rules])
    }

    /// What was lost, and what stands between the daemon and the disk or the network.
    fn losses(&self) -> Result<Vec<Family>, Refusal> {
        let mut lost = Family::new(&of::LOST);
        for (word, what) in [
            ("events", loss::EVENTS),
            ("observations", loss::OBSERVATIONS),
            ("function_counters", loss::FUNCTIONS),
            ("flows", loss::FLOWS),
            ("half_open", loss::HALF_OPEN),
            ("stages", loss::STAGES),
            ("comparisons", loss::COMPARISONS),
        ] {
            lost.add(&[word], counters::lost(&self.object.maps, what).map_err(Refusal::failed)?);
        }
        let mut journal = Family::new(&of::JOURNAL_LOST);
        let losses = self.journal.losses();
        for (word, count) in [
            ("readings", losses.readings),
            ("events", losses.events),
            ("tallies", losses.tallies),
            ("health", losses.health),
            ("changes", losses.changes),
        ] {
            journal.add(&[word], count);
        }
        let mut bytes = Family::new(&of::JOURNAL_BYTES);
        let sizes = self.journal.sizes();
        for (file, size) in [("database", sizes.database), ("log", sizes.log), ("audit", sizes.audit)] {
            bytes.add(&[file], size);
        }
        let [mut sent, mut dropped, mut queued, mut connected] =
            [&of::EXPORT_SENT, &of::EXPORT_LOST, &of::EXPORT_QUEUED, &of::EXPORT_CONNECTED].map(Family::new);
        for state in self.events.exports.states() {
            sent.add(&[state.name], state.sent);
            dropped.add(&[state.name], state.lost);
            queued.add(&[state.name], state.queued);
            connected.add(&[state.name], state.connected);
        }
        let read = Family::of(&of::EVENTS, self.events.read);
        Ok(vec![lost, read, journal, bytes, sent, dropped, queued, connected])
    }
}

/// What became of an operation, in the words of `status`.
fn verdict(reason: Reason, acted: bool) -> &'static str {
    let verdict = reason.verdict();
    if verdict == Verdict::Deny && !acted { "would_deny" } else { verdict.as_str() }
}

/// Nanoseconds as seconds.
fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}
