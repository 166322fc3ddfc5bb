//! Is a conduit ready to enforce? Measured, each measure with its threshold.
//!
//! Enters: what was counted by hour, and what was seen for the first time when. Leaves: [`Readiness`].
//!
//! The chance that the next legitimate operation is one never seen is bounded like this: of the operations in the later half
//! of the hours observed, so many were seen for the first time then. Their number, taken as a Poisson count, has an upper
//! 95 % bound, and that bound over the number of operations of the half is the measure. With no new operation it is the rule
//! of three: 3 / n.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::config::Rollout;

/// What was counted in one hour. Hours count from 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub hour: i64,
    /// Seconds in shadow.
    pub shadow: u64,
    pub evaluated: u64,
    pub would_deny: u64,
    /// Operations seen for the first time.
    pub new: u64,
}

/// What readiness is found from.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Oldest first.
    pub hours: Vec<Hour>,
    /// Seconds in shadow, exactly.
    pub shadow: u64,
    pub evaluated: u64,
    /// Seconds since the last would-deny; `None`: there was none.
    pub quiet: Option<u64>,
    /// Seconds since the last operation that was new; `None`: there was none.
    pub settled: Option<u64>,
    /// Events and observations that were lost.
    pub lost: u64,
    /// Conversations that are not followed.
    pub unsynchronised: u64,
    /// Pairs whose units do not end where segments do, on conduits that ask for whole units.
    pub splits: u64,
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    pub name: &'static str,
    pub value: String,
    pub threshold: String,
    pub ok: bool,
}

/// All measures, and what they come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    pub ready: bool,
    /// What is missing, one sentence each.
    pub missing: Vec<String>,
    pub measures: Vec<Measure>,
}

/// Measures. `whose` is the conduit, or the box.
#[must_use]
pub fn measure(whose: &str, observed: &Observed, rollout: &Rollout) -> Readiness {
    let mut found = Found { whose, missing: Vec::new(), measures: Vec::new() };
    let seen: Vec<&Hour> = observed.hours.iter().filter(|hour| hour.evaluated > 0).collect();
    let shifts: BTreeSet<i64> = seen.iter().map(|hour| hour.hour.div_euclid(8)).collect();
    let weekdays: BTreeSet<i64> = seen.iter().map(|hour| hour.hour.div_euclid(24).rem_euclid(7)).collect();
    let time = |seconds: u64| words(Duration::from_secs(seconds));
    found.least("evaluations", observed.evaluated, rollout.evaluations.into(), |count| count.to_string());
    found.least("time in shadow", observed.shadow, rollout.shadow.as_secs(), time);
    found.least("shifts seen", shifts.len() as u64, rollout.shifts.into(), |count| count.to_string());
    found.least("weekdays seen", weekdays.len() as u64, rollout.weekdays.into(), |count| count.to_string());
    // What never happened has been quiet for as long as anybody looked.
    let quiet = observed.quiet.unwrap_or(observed.shadow.max(rollout.quiet.as_secs()));
    found.least("time without would-deny", quiet, rollout.quiet.as_secs(), time);
    let settled = observed.settled.unwrap_or(observed.shadow);
    found.least("time without a new operation", settled, rollout.settled.as_secs(), time);
    found.most("bound on an unseen operation, millionths", unseen(observed), rollout.unseen.into());
    found.most("events and observations lost", observed.lost, 0);
    found.most("conversations not followed", observed.unsynchronised, 0);
    found.most("clients that split units", observed.splits, 0);
    Readiness { ready: found.missing.is_empty(), missing: found.missing, measures: found.measures }
}

struct Found<'a> {
    whose: &'a str,
    missing: Vec<String>,
    measures: Vec<Measure>,
}

impl Found<'_> {
    fn least(&mut self, name: &'static str, value: u64, threshold: u64, words: impl Fn(u64) -> String) {
        let ok = value >= threshold;
        let (value, threshold) = (words(value), words(threshold));
        if !ok {
            self.missing.push(format!("{}: {name} is {value}, at least {threshold} is asked for", self.whose));
        }
        self.measures.push(Measure { name, value, threshold: format!("at least {threshold}"), ok });
    }

    fn most(&mut self, name: &'static str, value: u64, threshold: u64) {
        let ok = value <= threshold;
        if !ok {
            self.missing.push(format!("{}: {name}: {value}, at most {threshold} is asked for", self.whose));
        }
        self.measures.push(Measure { name, value: value.to_string(), threshold: format!("at most {threshold}"), ok });
    }
}

/// The bound in millionths; a whole million where nothing was seen.
fn unseen(observed: &Observed) -> u64 {
    let Some(first) = observed.hours.iter().find(|hour| hour.evaluated > 0).map(|hour| hour.hour) else {
        return 1_000_000;
    };
    let last = observed.hours.last().map_or(first, |hour| hour.hour);
    // Within one hour there are no halves: all of it counts, but what begins is always new.
    let middle = first + (last - first + 1) / 2;
    let later = observed.hours.iter().filter(|hour| hour.hour >= middle && (hour.hour > first || first == last));
    let (new, evaluated) = later
        .fold((0_u64, 0_u64), |(new, all), hour| (new.saturating_add(hour.new), all.saturating_add(hour.evaluated)));
    if evaluated == 0 {
        return 1_000_000;
    }
    let bound = upper(new) * 1e6 / evaluated as f64;
    bound.ceil().clamp(0.0, 1e6) as u64
}

/// Upper 95 % bound of a Poisson count: exact for none, else by the usual approximation of the chi-square quantile (Wilson
/// and Hilferty), which is within one percent.
fn upper(count: u64) -> f64 {
    if count == 0 {
        return 3.0;
    }
    let next = count as f64 + 1.0;
    next * (1.0 - 1.0 / (9.0 * next) + 1.645 / (3.0 * next.sqrt())).powi(3)
}

fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        _ => format!("{}h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hour, Observed, measure, unseen, upper};
    use crate::config;

    fn rollout() -> config::Rollout {
        let text = "[ports]\nnetwork = \"a\"\ndevice = \"b\"\n[policy]\nfile = \"p\"\n";
        config::parse("test", text).unwrap().rollout
    }

    fn week() -> Observed {
        let hours: Vec<Hour> = (0..100)
            .map(|hour| Hour {
                hour: 490_000 + hour,
                shadow: 3600,
                evaluated: 36_000,
                would_deny: 0,
                new: u64::from(hour < 3) * 40,
            })
            .collect();
        Observed {
            shadow: 360_000,
            evaluated: 3_600_000,
            quiet: None,
            settled: Some(97 * 3600),
            hours,
            ..Observed::default()
        }
    }

    #[test]
    fn four_calm_days_are_enough() {
        let readiness = measure("conduit c", &week(), &rollout());
        assert!(readiness.ready, "{readiness:#?}");
        assert_eq!(unseen(&week()), 2, "three in 1,800,000");
    }

    #[test]
    fn each_thing_that_is_missing_is_a_sentence() {
        let nothing = measure("conduit c", &Observed::default(), &rollout());
        assert!(!nothing.ready);
        assert!(nothing.missing[0].starts_with("conduit c: evaluations is 0, at least 1000"), "{nothing:#?}");
        let denied = Observed { quiet: Some(60), lost: 3, ..week() };
        let missing = measure("box", &denied, &rollout()).missing;
        assert_eq!(missing.len(), 2, "{missing:#?}");
        let mut learning = week();
        learning.hours.iter_mut().for_each(|hour| hour.new = 50);
        learning.settled = Some(0);
        let missing = measure("box", &learning, &rollout()).missing;
        assert_eq!(missing.len(), 2, "{missing:#?}");
    }

    #[test]
    fn the_bound_of_a_count_is_near_the_tables() {
        for (count, exact) in [(0, 2.996), (1, 4.744), (5, 10.513), (50, 63.287)] {
            assert!((upper(count) - exact).abs() / exact < 0.01, "{count}: {}", upper(count));
        }
    }
}
