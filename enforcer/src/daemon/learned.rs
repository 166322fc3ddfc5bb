//! What was learned, in numbers and as a policy: from the journal, which outlives the kernel's table.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use enforcer_common::abi::loss;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::policy::step::UNKNOWN;
use serde_json::{Value, json};

use super::{Daemon, Refusal};
use crate::dataplane::{counters, flows};
use crate::journal::{Evidence, Window, time};
use crate::learn::{self, Clock, Reach};

/// What was seen, how often in the hour with most, and the clock that its times are of.
struct Seen {
    all: Vec<(ObservationKey, Observation)>,
    busiest: HashMap<ObservationKey, u64>,
    clock: Clock,
}

impl Daemon {
    /// A policy made of what was seen since a moment, nanoseconds since 1970.
    pub(super) fn propose(&mut self, since: Option<i64>, reach: Reach) -> Result<Value, Refusal> {
        let Seen { all, busiest, clock } = self.seen(since.map_or(Window::ALL, Window::since), true)?;
        let proposal = learn::propose_by_hour(&all, &busiest, Some(&self.policy.loaded.valid), clock, reach);
        Ok(json!({"text": proposal.text, "undecided": proposal.undecided}))
    }

    /// Learning in numbers.
    pub(super) fn learn_status(&mut self) -> Result<Value, Refusal> {
        let Seen { all, clock, .. } = self.seen(Window::ALL, false)?;
        let summary = learn::summary(&all);
        let kinds: Vec<Value> = summary
            .kinds
            .iter()
            .map(|((protocol, class), kind)| {
                json!({"protocol": protocol, "access": class, "distinct": kind.distinct, "count": kind.count})
            })
            .collect();
        let lost = counters::lost(&self.object.maps, loss::OBSERVATIONS).map_err(Refusal::failed)?;
        let (curve, (flattened, verdict)) = self.discovery()?;
        Ok(json!({
            "mode": self.memory.mode,
            "distinct": summary.distinct,
            "count": summary.count,
            "clients": summary.clients,
            "servers": summary.servers,
            "pairs": summary.pairs,
            "exceptions": summary.exceptions,
            "last_new": summary.last_new.map(|moment| clock.text(moment)),
            "lost": lost,
            "kinds": kinds,
            "curve": curve,
            "flattened": flattened,
            "verdict": verdict,
        }))
    }

    /// What the journal has of a window, by hour too if that is asked for; all that the kernel's table holds where the journal
    /// cannot be written or read.
    fn seen(&mut self, window: Window, by_hour: bool) -> Result<Seen, Refusal> {
        self.fold()?;
        let kept = self.journal.flush(Duration::from_secs(2));
        match self.journal.reader().and_then(|reader| reader.evidence(window, by_hour)) {
            Ok(all) if kept => {
                let busiest = busiest(&all);
                let all = all.iter().map(|one| (one.key, observation(one))).collect();
                return Ok(Seen { all, busiest, clock: Clock::new(SystemTime::UNIX_EPOCH, 0) });
            }
            Ok(_) => tracing::warn!("the journal does not keep up: learned from the kernel's table alone"),
            Err(error) => tracing::warn!(%error, "learned from the kernel's table alone"),
        }
        let entries = self.object.maps.observed.iter().map(|entry| entry.map(|(key, value)| (key.0, value.0)));
        let all = entries.collect::<Result<_, _>>().map_err(Refusal::failed)?;
        Ok(Seen { all, busiest: HashMap::new(), clock: Clock::new(SystemTime::now(), flows::now()) })
    }

    /// New operations by hour, and whether they have stopped coming, in one sentence.
    fn discovery(&self) -> Result<(Value, (bool, String)), Refusal> {
        let reader = self.journal.reader().map_err(Refusal::failed)?;
        let curve = reader.curve(Window::ALL).map_err(Refusal::failed)?;
        let settled = self.config.rollout.settled.as_secs();
        let now = time::hour(time::now());
        let last = curve.iter().filter(|one| one.operations > 0).map(|one| one.hour).max();
        let verdict = match last {
            None => (false, "nothing was seen yet".to_owned()),
            Some(last) => {
                let hours = u64::try_from(now - last).unwrap_or(0);
                let new: u64 = curve.iter().filter(|one| one.hour == last).map(|one| one.operations).sum();
                if hours * 3600 >= settled.max(3600) {
                    (true, format!("the curve has flattened: no new operation for {}", in_hours(hours)))
                } else {
                    let when = if hours == 0 { "this hour".to_owned() } else { format!("{} ago", in_hours(hours)) };
                    let wait = in_hours(settled.div_ceil(3600).max(1));
                    (false, format!("still learning: {new} new operations {when}; go on until none comes for {wait}"))
                }
            }
        };
        let curve = curve
            .iter()
            .map(|one| json!({"hour": time::text(one.hour.saturating_mul(3_600_000_000_000)), "new": one.operations}));
        Ok((curve.collect(), verdict))
    }
}

/// How often each operation that passed was seen in the hour with most, whatever policies said of it. Older hours are one
/// and say nothing of an hour.
fn busiest(all: &[Evidence]) -> HashMap<ObservationKey, u64> {
    let mut hours: HashMap<(ObservationKey, i64), u64> = HashMap::new();
    for one in all.iter().filter(|one| !one.key.is_stopped()) {
        for hour in one.hours.iter().filter(|hour| hour.hour > 0) {
            let sum = hours.entry((ObservationKey { reason: 0, ..one.key }, hour.hour)).or_default();
            *sum = sum.saturating_add(hour.count);
        }
    }
    let mut busiest = HashMap::new();
    for ((key, _), count) in hours {
        let most = busiest.entry(key).or_insert(count);
        *most = count.max(*most);
    }
    busiest
}

/// The same with the times of day as they are.
fn observation(one: &Evidence) -> Observation {
    let (value_min, value_max) = one.values.unwrap_or((i64::MAX, i64::MIN));
    Observation {
        count: one.count,
        first_seen: u64::try_from(one.first).unwrap_or(0),
        last_seen: u64::try_from(one.last).unwrap_or(0),
        value_min,
        value_max,
        value_last: UNKNOWN,
        step: one.step.unwrap_or(u64::MAX),
    }
}

/// `1 hour`, `24 hours`.
fn in_hours(hours: u64) -> String {
    if hours == 1 { "1 hour".to_owned() } else { format!("{hours} hours") }
}
