//! What readiness says at the half.

use enforcer::config::{self, Rollout};
use enforcer::rollout::readiness::{Hour, Observed, Readiness, measure};

use super::half::Halves;

const HOUR: u64 = 3600;
/// As long as a half is taken to be: the time in shadow that is asked for.
const STRETCHED: u64 = 72 * HOUR;
/// Any Monday, at the beginning of a shift.
const BEGIN: u64 = 480_000 * HOUR;

/// By the thresholds of a box that nobody configured.
fn thresholds() -> Rollout {
    let text = "[ports]\nnetwork = \"a\"\ndevice = \"b\"\n[policy]\nfile = \"p\"\n";
    config::parse("defaults", text).expect("a configuration").rollout
}

/// By the capture's own clock.
pub(crate) fn as_measured(halves: &Halves) -> Readiness {
    let seconds = (halves.middle - halves.begin) / 1_000_000_000;
    measure("the capture", &observed(halves, seconds), &thresholds())
}

/// With the first half taken as 72 hours, and counts held to a tenth of what a box asks for.
pub(crate) fn stretched(halves: &Halves) -> Readiness {
    let whole = thresholds();
    let tenth = Rollout { evaluations: whole.evaluations / 10, unseen: whole.unseen * 10, ..whole };
    measure("the capture", &observed(halves, STRETCHED), &tenth)
}

/// What a box would have counted, had the first half lasted so many seconds.
fn observed(halves: &Halves, seconds: u64) -> Observed {
    let length = (halves.middle - halves.begin).max(1);
    let since = |time: u64| {
        let part = u128::from(time.saturating_sub(halves.begin)) * u128::from(seconds) / u128::from(length);
        u64::try_from(part).unwrap_or(seconds).min(seconds)
    };
    let hours = seconds.div_ceil(HOUR).max(1);
    let hour = |time: u64| (since(time) / HOUR).min(hours - 1);
    let mut counted: Vec<Hour> = (0..hours)
        .map(|hour| Hour { hour: ((BEGIN / HOUR) + hour).cast_signed(), shadow: HOUR, ..Hour::default() })
        .collect();
    for (time, denied) in &halves.first {
        let one = &mut counted[hour(*time) as usize];
        one.evaluated += 1;
        one.would_deny += u64::from(*denied);
    }
    for time in &halves.new {
        counted[hour(*time) as usize].new += 1;
    }
    let denied = halves.first.iter().filter(|(_, denied)| *denied).map(|(time, _)| seconds - since(*time));
    Observed {
        hours: counted,
        shadow: seconds,
        evaluated: halves.first.len() as u64,
        quiet: denied.min(),
        settled: halves.new.iter().map(|time| seconds - since(*time)).min(),
        ..Observed::default()
    }
}
