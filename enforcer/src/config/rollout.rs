//! `[rollout]` and `[control]`: when a box may enforce, how a change is confirmed, and who may do what.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::valid::Check;

type Text = Option<Spanned<String>>;
type Number = Option<Spanned<i64>>;

/// When a conduit may enforce, and how long a change waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// A flip to enforce or a promotion goes back by itself unless it is confirmed within this; zero: it stays.
    pub confirm_within: Duration,
    /// Time in shadow.
    pub shadow: Duration,
    /// Different shifts seen: thirds of a day, on different days.
    pub shifts: u32,
    /// Different days of the week seen.
    pub weekdays: u32,
    /// Operations judged.
    pub evaluations: u32,
    /// Time without a would-deny.
    pub quiet: Duration,
    /// Time without an operation that was never seen before.
    pub settled: Duration,
    /// Largest bound on the chance that the next operation is one never seen, in millionths.
    pub unseen: u32,
    /// Health gets worse than the baseline: polls that are not answered, in percent more.
    pub worse_answered: u32,
    /// Median response time, in percent of the baseline.
    pub worse_response: u32,
    /// Exceptions, resets and repeated segments per thousand polls, in addition to the baseline.
    pub worse_errors: u32,
}

/// Groups whose members have a role on the control socket. Root and the daemon's own user are engineers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// May read.
    pub viewers: Option<String>,
    /// May confirm, roll back, and go to shadow.
    pub operators: Option<String>,
    /// May do everything.
    pub engineers: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRollout {
    pub confirm_within: Text,
    pub shadow: Text,
    pub shifts: Number,
    pub weekdays: Number,
    pub evaluations: Number,
    pub quiet: Text,
    pub settled: Text,
    pub unseen: Number,
    pub worse_answered: Number,
    pub worse_response: Number,
    pub worse_errors: Number,
}

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

impl Check<'_> {
    pub(super) fn rollout(&mut self, raw: RawRollout) -> Option<Rollout> {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let confirm_within = self.duration(raw.confirm_within, "confirm_within", hours(1) / 6, Duration::ZERO..=DAY);
        let shadow = self.duration(raw.shadow, "shadow", hours(72), Duration::ZERO..=YEAR);
        let shifts = self.number(raw.shifts, "shifts", 6, 0..=1000);
        let weekdays = self.number(raw.weekdays, "weekdays", 3, 0..=7);
        let evaluations = self.number(raw.evaluations, "evaluations", 1000, 0..=1_000_000_000);
        let quiet = self.duration(raw.quiet, "quiet", hours(24), Duration::ZERO..=YEAR);
        let settled = self.duration(raw.settled, "settled", hours(24), Duration::ZERO..=YEAR);
        let unseen = self.number(raw.unseen, "unseen", 1000, 1..=1_000_000);
        let worse_answered = self.number(raw.worse_answered, "worse_answered", 5, 1..=100);
        let worse_response = self.number(raw.worse_response, "worse_response", 200, 101..=100_000);
        let worse_errors = self.number(raw.worse_errors, "worse_errors", 20, 1..=1000);
        Some(Rollout {
            confirm_within: confirm_within?,
            shadow: shadow?,
            shifts: shifts?,
            weekdays: weekdays?,
            evaluations: evaluations?,
            quiet: quiet?,
            settled: settled?,
            unseen: unseen?,
            worse_answered: worse_answered?,
            worse_response: worse_response?,
            worse_errors: worse_errors?,
        })
    }
}
