//! How the protected devices do: read from the kernel while something is in shadow or waits to be confirmed, kept in the
//! journal, and held against shadow. A change that makes a device do worse goes back.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use enforcer_common::health::Counts;
use serde_json::{Value, json};

use super::roles::Peer;
use super::{Daemon, Refusal, Shared, status};
use crate::dataplane::flows::address;
use crate::journal::{Health, time};
use crate::rollout::health::{Baseline, Sample, compare};

/// How often the kernel's counters are read.
const TICK: Duration = Duration::from_secs(1);

/// Seconds after which a sample goes into the journal.
const KEEP: f64 = 10.0;

/// Readings kept: in shadow to know what was usual right before a change, of a change to judge it.
const SHADOW: usize = 60;
const TRIAL: usize = 600;

/// How far back the journal's samples say what is usual.
const PAST: i64 = 7 * 24 * time::HOUR;

/// What was counted between two readings.
struct Moment {
    seconds: f64,
    counts: BTreeMap<IpAddr, Counts>,
}

/// What is known of the devices.
#[derive(Default)]
pub(super) struct Watch {
    /// The last reading, and when it was made; nothing while nobody counts.
    last: Option<(Instant, BTreeMap<IpAddr, Counts>)>,
    /// Readings since the change, or in shadow; newest last.
    moments: VecDeque<Moment>,
    /// What is not in the journal yet.
    unkept: VecDeque<Moment>,
    /// How they did in shadow.
    shadow: BTreeMap<IpAddr, Sample>,
    /// Answers per second in the minute before the change.
    before: Option<BTreeMap<IpAddr, f64>>,
    /// The readings are of a change that waits to be confirmed.
    trial: bool,
}

impl Watch {
    fn baseline(&self, device: IpAddr) -> Baseline {
        let before = self.before.as_ref().map(|before| before.get(&device).copied().unwrap_or(0.0));
        Baseline { shadow: self.shadow.get(&device).copied().unwrap_or_default(), before }
    }

    /// The newest readings of a device, as few as suffice by what `enough` says of them.
    fn window(&self, device: IpAddr, enough: impl Fn(&Sample) -> bool) -> Sample {
        let (mut counts, mut seconds) = (Counts::EMPTY, 0.0);
        for moment in self.moments.iter().rev() {
            seconds += moment.seconds;
            if let Some(more) = moment.counts.get(&device) {
                add(&mut counts, more);
            }
            let sample = Sample::of(&counts, seconds);
            if enough(&sample) {
                return sample;
            }
        }
        Sample::of(&counts, seconds)
    }

    /// The window that shows a device, and what is worse in it. The one with enough polls, and the one in which enough answers
    /// were to be expected.
    fn judge(&self, device: IpAddr, rollout: &crate::config::Rollout) -> (Sample, Vec<String>) {
        let baseline = self.baseline(device);
        let asked = self.window(device, Baseline::has_enough);
        let expected = self.window(device, |sample| baseline.expects_enough(sample));
        let mut worse = compare(&device.to_string(), &baseline, &asked, rollout);
        if worse.is_empty() {
            worse = compare(&device.to_string(), &baseline, &expected, rollout);
        }
        (asked, worse)
    }

    /// Every device that something is known of.
    fn devices(&self) -> Vec<IpAddr> {
        let seen = self.moments.iter().flat_map(|moment| moment.counts.keys());
        let mut devices: Vec<IpAddr> = self.shadow.keys().chain(seen).copied().collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }
}

/// Runs until the daemon ends.
pub(super) async fn keep(daemon: Shared) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(refusal) = daemon.lock().await.look_at_health() {
            tracing::warn!(refusal.text, "the devices' health is not known");
        }
    }
}

impl Daemon {
    /// True while the kernel should count.
    pub(super) fn wants_health(&self) -> bool {
        let mut conduits = self.policy.compiled.names.conduits();
        self.memory.mode != "bypass"
            && (self.memory.unconfirmed.is_some()
                || self.memory.mode == "shadow"
                || conduits.any(|(_, name)| status::mode_of(self, name) == "shadow"))
    }

    /// What the journal knows of earlier days in shadow.
    pub(super) fn begin_health(&mut self) {
        self.watch.trial = self.memory.unconfirmed.is_some();
        let since = time::now().saturating_sub(PAST);
        let samples = match self.journal.reader().and_then(|reader| reader.health(since)) {
            Ok(samples) => samples,
            Err(error) => {
                tracing::warn!(%error, "how the devices did in shadow is not known");
                return;
            }
        };
        for one in samples.iter().filter(|one| !one.trial) {
            if let Ok(device) = one.device.parse() {
                self.watch.shadow.entry(device).or_default().add(&sample(one));
            }
        }
    }

    /// A change comes: what was counted so far is of the time before it.
    pub(super) fn begin_trial(&mut self) {
        if let Err(refusal) = self.read_health() {
            tracing::warn!(refusal.text, "the devices' health is not known");
        }
        self.keep_health();
        let watch = &mut self.watch;
        let devices = watch.devices();
        let rates = devices.into_iter().map(|device| {
            let minute = watch.window(device, |_| false);
            (device, minute.rate(minute.answered))
        });
        // Nobody counted where everything was enforced.
        watch.before = if watch.moments.is_empty() { None } else { Some(rates.collect()) };
        watch.moments.clear();
        watch.trial = true;
    }

    fn look_at_health(&mut self) -> Result<(), Refusal> {
        let wanted = self.wants_health();
        if (self.settings.health != 0) != wanted {
            self.write_settings()?;
        }
        if !wanted {
            self.keep_health();
            self.watch.last = None;
            self.watch.moments.clear();
            return Ok(());
        }
        self.read_health()?;
        let waits = self.memory.unconfirmed.is_some();
        if self.watch.unkept.iter().map(|moment| moment.seconds).sum::<f64>() >= KEEP || self.watch.trial != waits {
            self.keep_health();
        }
        if self.watch.trial != waits {
            self.watch.trial = waits;
            self.watch.before = None;
            self.watch.moments.clear();
        }
        if waits { self.judge_health() } else { Ok(()) }
    }

    /// Reads the kernel's counters and notes what came since the reading before.
    fn read_health(&mut self) -> Result<(), Refusal> {
        if self.settings.health == 0 {
            return Ok(());
        }
        let mut now = BTreeMap::new();
        for entry in self.object.maps.health.iter() {
            let (device, cpus) = entry.map_err(Refusal::failed)?;
            let counts: &mut Counts = now.entry(address(device)).or_insert(Counts::EMPTY);
            cpus.iter().for_each(|cpu| add(counts, &cpu.0));
        }
        let at = Instant::now();
        let Some((then, before)) = self.watch.last.replace((at, now.clone())) else {
            return Ok(());
        };
        let none = Counts::EMPTY;
        let since = now.iter().map(|(device, counts)| (*device, less(counts, before.get(device).unwrap_or(&none))));
        let (seconds, counts) = (at.duration_since(then).as_secs_f64(), BTreeMap::from_iter(since));
        let watch = &mut self.watch;
        if !watch.trial {
            for (device, counts) in &counts {
                watch.shadow.entry(*device).or_default().add(&Sample::of(counts, seconds));
            }
        }
        watch.unkept.push_back(Moment { seconds, counts: counts.clone() });
        watch.moments.push_back(Moment { seconds, counts });
        let surplus = watch.moments.len().saturating_sub(if watch.trial { TRIAL } else { SHADOW });
        watch.moments.drain(..surplus);
        Ok(())
    }

    /// Puts what is not there yet into the journal.
    pub(super) fn keep_health(&mut self) {
        let mut sums: BTreeMap<IpAddr, (Counts, f64)> = BTreeMap::new();
        for moment in self.watch.unkept.drain(..) {
            for (device, counts) in moment.counts {
                let (sum, seconds) = sums.entry(device).or_insert((Counts::EMPTY, 0.0));
                add(sum, &counts);
                *seconds += moment.seconds;
            }
        }
        let now = time::now();
        for (device, (counts, seconds)) in sums {
            let Sample { polls, answered, exceptions, resets, retransmissions, p50, p99, .. } =
                Sample::of(&counts, seconds);
            self.journal.health(Health {
                time: now,
                device: device.to_string(),
                trial: self.watch.trial,
                seconds: seconds.round() as u64,
                polls,
                answered,
                exceptions,
                resets,
                retransmissions,
                p50,
                p99,
            });
        }
    }

    /// Takes the change back that waits, where a device does worse since.
    fn judge_health(&mut self) -> Result<(), Refusal> {
        let Some(waiting) = &self.memory.unconfirmed else { return Ok(()) };
        let what = waiting.what.clone();
        let rollout = &self.config.rollout;
        let devices = self.watch.devices();
        let worse: Vec<String> = devices.into_iter().flat_map(|device| self.watch.judge(device, rollout).1).collect();
        if worse.is_empty() {
            return Ok(());
        }
        let evidence = self.health_document();
        let why = format!("the devices' health got worse: {}", worse.join("; "));
        // First the plant, then the books.
        let done = self.take_back(&Peer::daemon(), &why);
        self.alarm(&format!("{what} went back by itself: {why}"));
        self.keep_health();
        let (change, detail) = (&what, &evidence);
        self.record_if_possible(&Peer::daemon(), "health", json!({"change": change, "health": detail}), None);
        self.report_health(&format!("{what}: {why}"), &evidence);
        done
    }

    /// An event with all that was measured, for those who follow and for the journal.
    fn report_health(&mut self, what: &str, evidence: &Value) {
        let record = json!({
            "schema": 1,
            "event": "health",
            "time": time::text(time::now()),
            "what": what,
            "health": evidence,
            "generation": self.memory.generation,
            "mode": self.memory.mode,
            "count": 1,
        });
        self.tell(record);
    }

    /// The devices as `status` shows them.
    pub(super) fn health_document(&self) -> Value {
        let rollout = &self.config.rollout;
        let watch = &self.watch;
        let (mut state, mut reasons) = ("unknown", Vec::new());
        let mut devices = Vec::new();
        for device in watch.devices() {
            let baseline = watch.baseline(device);
            let (now, worse) = watch.judge(device, rollout);
            let mut one = json!({"device": device.to_string(), "baseline": null});
            if now.seconds > 0.0 {
                merge(&mut one, shown(&now));
                one["seconds"] = tenths(now.seconds).into();
                one["stopped"] = now.stopped.into();
                if baseline.is_known() && state == "unknown" {
                    state = "ok";
                }
            }
            if baseline.is_known() {
                one["baseline"] = shown(&baseline.shadow);
            }
            if !worse.is_empty() {
                state = "worse";
            }
            reasons.extend(worse);
            devices.push(one);
        }
        json!({
            "state": state,
            "reasons": reasons,
            "thresholds": {
                "worse_answered": rollout.worse_answered,
                "worse_response": rollout.worse_response,
                "worse_errors": rollout.worse_errors,
            },
            "devices": devices,
        })
    }
}

/// The numbers of a sample.
fn shown(sample: &Sample) -> Value {
    json!({
        "polls": sample.polls,
        "polls_per_s": tenths(sample.rate(sample.polls)),
        "answered": (sample.success() * 1000.0).floor() / 1000.0,
        "response_us_p50": sample.p50,
        "response_us_p99": sample.p99,
        "exceptions": sample.exceptions,
        "resets": sample.resets,
        "retransmissions": sample.retransmissions,
    })
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn merge(first: &mut Value, second: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (first, second) {
        fields.extend(more);
    }
}

/// A sample of the journal.
fn sample(kept: &Health) -> Sample {
    Sample {
        seconds: kept.seconds as f64,
        polls: kept.polls,
        stopped: 0,
        answered: kept.answered,
        exceptions: kept.exceptions,
        resets: kept.resets,
        retransmissions: kept.retransmissions,
        p50: kept.p50,
        p99: kept.p99,
    }
}

/// Adds what was counted elsewhere or later.
fn add(sum: &mut Counts, more: &Counts) {
    each(sum, more, u64::wrapping_add);
}

/// What came since `before`.
fn less(now: &Counts, before: &Counts) -> Counts {
    let mut since = *now;
    each(&mut since, before, u64::saturating_sub);
    since
}

fn each(one: &mut Counts, other: &Counts, with: impl Fn(u64, u64) -> u64) {
    let Counts { polls, stopped, answered, exceptions, resets, retransmissions, times } = other;
    for (mine, theirs) in [
        (&mut one.polls, polls),
        (&mut one.stopped, stopped),
        (&mut one.answered, answered),
        (&mut one.exceptions, exceptions),
        (&mut one.resets, resets),
        (&mut one.retransmissions, retransmissions),
    ]
    .into_iter()
    .chain(one.times.iter_mut().zip(times))
    {
        *mine = with(*mine, *theirs);
    }
}
