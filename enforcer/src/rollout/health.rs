//! Does a protected device do worse than it did in shadow? Measured, each measure with its threshold.
//!
//! Enters: what was counted of the device in shadow and what is counted of it now. Leaves: a sentence for each measure that
//! got worse.

use enforcer_common::buckets::{BUCKETS, start};
use enforcer_common::health::{Counts, FIRST};
use serde::Serialize;

use crate::config::Rollout;

/// Polls in shadow before which nothing is known of a device.
pub const KNOWN: u64 = 50;

/// Seconds that a change is looked at before it is judged.
pub const SECONDS: f64 = 5.0;

/// Polls that a judgement needs, and answers that must be missing from those expected.
const POLLS: u64 = 20;

/// Polls that may be under way, and whose answers are therefore not missed.
const UNDER_WAY: u64 = 2;

/// So few exceptions, resets or repeated segments may always come.
const ERRORS: u64 = 2;

/// A median response time that grew by less than this is no worse for anybody who polls, microseconds.
const NOTICEABLE: u64 = 2000;

/// How a device did in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// How long it was looked at.
    pub seconds: f64,
    /// Requests to it.
    pub polls: u64,
    /// Of them stopped by the policy.
    pub stopped: u64,
    pub answered: u64,
    pub exceptions: u64,
    pub resets: u64,
    pub retransmissions: u64,
    /// Half of the answers came within this, microseconds.
    pub p50: u64,
    /// 99 of a hundred answers came within this, microseconds.
    pub p99: u64,
}

impl Sample {
    /// What was counted in so many seconds.
    #[must_use]
    pub fn of(counts: &Counts, seconds: f64) -> Self {
        let Counts { polls, stopped, answered, exceptions, resets, retransmissions, times } = *counts;
        let (p50, p99) = (within(&times, 0.5), within(&times, 0.99));
        Self { seconds, polls, stopped, answered, exceptions, resets, retransmissions, p50, p99 }
    }

    /// Both times together: counts add up, the median is weighed by the answers, of the 99 % the worst stays.
    pub fn add(&mut self, other: &Self) {
        let answered = self.answered.saturating_add(other.answered);
        let weighed =
            u128::from(self.p50) * u128::from(self.answered) + u128::from(other.p50) * u128::from(other.answered);
        let median = weighed.checked_div(answered.into()).and_then(|median| u64::try_from(median).ok());
        self.p50 = median.unwrap_or(self.p50.max(other.p50));
        self.p99 = self.p99.max(other.p99);
        self.seconds += other.seconds;
        self.polls = self.polls.saturating_add(other.polls);
        self.stopped = self.stopped.saturating_add(other.stopped);
        self.answered = answered;
        self.exceptions = self.exceptions.saturating_add(other.exceptions);
        self.resets = self.resets.saturating_add(other.resets);
        self.retransmissions = self.retransmissions.saturating_add(other.retransmissions);
    }

    /// The part of the polls that was answered, at most 1; 1 without polls.
    #[must_use]
    pub fn success(&self) -> f64 {
        if self.polls == 0 { 1.0 } else { (self.answered as f64 / self.polls as f64).min(1.0) }
    }

    /// Per second.
    #[must_use]
    pub fn rate(&self, count: u64) -> f64 {
        if self.seconds > 0.0 { count as f64 / self.seconds } else { 0.0 }
    }
}

/// The time in microseconds that `part` of the answers came within; 0 without answers. Within a bucket they are taken as
/// spread evenly.
fn within(times: &[u64; BUCKETS], part: f64) -> u64 {
    let all: u64 = times.iter().sum();
    let mut wanted = all as f64 * part;
    for (bucket, count) in times.iter().enumerate() {
        let count = *count as f64;
        if count > 0.0 && wanted <= count {
            let (low, high) = (start::<FIRST>(bucket) as f64, start::<FIRST>(bucket.saturating_add(1)) as f64);
            return ((low + (high - low) * wanted / count) / 1000.0) as u64;
        }
        wanted -= count;
    }
    0
}

/// What a device is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// In shadow.
    pub shadow: Sample,
    /// Answers per second in the minute before the change, where it was looked at then.
    pub before: Option<f64>,
}

impl Baseline {
    /// True when enough was seen to say anything.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.shadow.polls >= KNOWN
    }

    /// True when a sample is long enough and has polls enough to be judged by.
    #[must_use]
    pub const fn has_enough(now: &Sample) -> bool {
        now.seconds >= SECONDS && now.polls >= POLLS
    }

    /// True when a sample is long enough to miss answers in it.
    #[must_use]
    pub fn expects_enough(&self, now: &Sample) -> bool {
        now.seconds >= SECONDS && self.usual() * now.seconds >= POLLS as f64
    }

    /// Answers per second that nobody would be surprised by. Plants have nights, and people who read a lot at once and go:
    /// neither the long run nor the last minute says alone what is usual.
    fn usual(&self) -> f64 {
        let long = self.shadow.rate(self.shadow.answered);
        self.before.map_or(long, |before| before.min(long))
    }
}

/// What is worse now than in shadow, one sentence each. `thresholds` are the `worse_` settings.
#[must_use]
pub fn compare(device: &str, baseline: &Baseline, now: &Sample, thresholds: &Rollout) -> Vec<String> {
    if !baseline.is_known() || now.seconds < SECONDS {
        return Vec::new();
    }
    let shadow = &baseline.shadow;
    let mut worse = Vec::new();
    worse.extend(silence(device, baseline, now));
    if now.polls < POLLS {
        return worse;
    }
    let (part, usual) = (now.success() * 100.0, shadow.success() * 100.0);
    if usual - part > f64::from(thresholds.worse_answered) && now.answered.saturating_add(UNDER_WAY) < now.polls {
        worse.push(format!(
            "{device} answered {part:.1} % of {} polls in {:.0} s ({} of them were stopped by the policy), {usual:.1} % in \
             shadow: {} % fewer are tolerated",
            now.polls, now.seconds, now.stopped, thresholds.worse_answered
        ));
    }
    let slower = now.p50.saturating_mul(100) > shadow.p50.saturating_mul(thresholds.worse_response.into());
    if shadow.p50 > 0 && slower && now.p50.saturating_sub(shadow.p50) >= NOTICEABLE {
        worse.push(format!(
            "half of the answers of {device} take {} us or more, {} us in shadow: {} % of that is tolerated",
            now.p50, shadow.p50, thresholds.worse_response
        ));
    }
    let errors = [
        ("exceptions", now.exceptions, shadow.exceptions),
        ("resets", now.resets, shadow.resets),
        ("repeated segments", now.retransmissions, shadow.retransmissions),
    ];
    for (what, count, before) in errors {
        let usual = before as f64 * 1000.0 / shadow.polls as f64;
        let rate = count as f64 * 1000.0 / now.polls as f64;
        if count > ERRORS && rate - usual > f64::from(thresholds.worse_errors) {
            worse.push(format!(
                "{device} had {count} {what} in {} polls, {rate:.0} in a thousand, {usual:.0} in shadow: {} more are tolerated",
                now.polls, thresholds.worse_errors
            ));
        }
    }
    worse
}

/// Clients that get no answer stop asking: what is missing then are answers, not polls that failed.
fn silence(device: &str, baseline: &Baseline, now: &Sample) -> Option<String> {
    let usual = baseline.usual();
    let (expected, rate) = (usual * now.seconds, now.rate(now.answered));
    if expected < POLLS as f64 || rate * 2.0 >= usual {
        return None;
    }
    let what = if now.answered == 0 {
        "gives no answer any more".to_owned()
    } else {
        format!("gives {rate:.1} answers a second")
    };
    Some(format!(
        "{device} {what} ({} of {} polls in {:.0} s were stopped by the policy), {usual:.1} a second before: half of that is \
         tolerated",
        now.stopped, now.polls, now.seconds
    ))
}

#[cfg(test)]
mod tests {
    use enforcer_common::buckets::bucket;
    use enforcer_common::health::{Counts, FIRST};

    use super::{Baseline, Sample, compare};
    use crate::config::Rollout;

    fn thresholds() -> Rollout {
        let text = "[ports]\nnetwork = \"a\"\ndevice = \"b\"\n[policy]\nfile = \"p.toml\"\n";
        crate::config::parse("test", text).unwrap().rollout
    }

    fn counts(polls: u64, answered: u64, response: u64) -> Counts {
        let mut counts = Counts { polls, answered, ..Counts::EMPTY };
        counts.times[bucket::<FIRST>(response * 1000)] = answered;
        counts
    }

    fn usual() -> Baseline {
        Baseline { shadow: Sample::of(&counts(1000, 1000, 1000), 100.0), before: Some(10.0) }
    }

    fn worse(now: &Counts, seconds: f64) -> Vec<String> {
        compare("plc", &usual(), &Sample::of(now, seconds), &thresholds())
    }

    #[test]
    fn a_device_that_does_as_before_is_not_worse() {
        assert_eq!(worse(&counts(50, 50, 1000), 5.0), [""; 0]);
        // Two under way, one repeated segment, and a response time in the next bucket.
        assert_eq!(worse(&Counts { retransmissions: 2, ..counts(50, 48, 1100) }, 5.0), [""; 0]);
    }

    #[test]
    fn each_measure_has_a_sentence_of_its_own() {
        let said = |counts: Counts, word: &str| {
            let worse = worse(&counts, 10.0);
            assert!(worse.len() == 1 && worse[0].contains(word), "{worse:?}");
        };
        said(
            Counts { stopped: 10, ..counts(100, 90, 1000) },
            "answered 90.0 % of 100 polls in 10 s (10 of them were stopped",
        );
        said(counts(100, 100, 9000), "us in shadow: 200 % of that is tolerated");
        said(
            Counts { exceptions: 3, ..counts(100, 100, 1000) },
            "3 exceptions in 100 polls, 30 in a thousand, 0 in shadow",
        );
        said(Counts { resets: 3, ..counts(100, 100, 1000) }, "3 resets");
        said(Counts { retransmissions: 3, ..counts(100, 100, 1000) }, "3 repeated segments");
        said(Counts { stopped: 3, ..counts(3, 0, 0) }, "gives no answer any more (3 of 3 polls in 10 s were stopped");
        said(counts(40, 40, 1000), "gives 4.0 answers a second");
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known_or_too_short() {
        let nothing = counts(100, 0, 0);
        assert_eq!(worse(&nothing, 4.9), [""; 0]);
        let young = Baseline { shadow: Sample::of(&counts(49, 49, 1000), 5.0), before: None };
        assert_eq!(compare("plc", &young, &Sample::of(&nothing, 10.0), &thresholds()), [""; 0]);
        // A station that read a lot once, and one that had gone before the change.
        let once = Baseline { shadow: Sample::of(&counts(1000, 1000, 1000), 100_000.0), before: None };
        let gone = Baseline { before: Some(0.0), ..usual() };
        for baseline in [once, gone] {
            assert_eq!(compare("plc", &baseline, &Sample::of(&Counts::EMPTY, 60.0), &thresholds()), [""; 0]);
        }
    }

    #[test]
    fn samples_add_up_and_times_are_found_within_their_buckets() {
        let mut sum = Sample::of(&counts(10, 10, 1000), 1.0);
        let other = Sample::of(&counts(30, 30, 3000), 2.0);
        assert!((524..1049).contains(&sum.p50) && (2097..4195).contains(&other.p50), "{sum:?} {other:?}");
        let weighed = (sum.p50 + 3 * other.p50) / 4;
        sum.add(&other);
        assert_eq!((sum.polls, sum.answered, sum.p50, sum.p99), (40, 40, weighed, other.p99));
        assert_eq!(Sample::of(&Counts::EMPTY, 1.0).p50, 0);
    }
}
