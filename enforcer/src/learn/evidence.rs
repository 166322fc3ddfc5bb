//! What stands behind a rule: how often, from when to when, with which values.

use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;

use super::Clock;
use super::traffic::range;

/// Above this a rate by the hour says nothing.
const MOST_IN_AN_HOUR: u64 = 10_000;

/// The sum of some observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub count: u64,
    pub first: u64,
    pub last: u64,
    /// Smallest and largest value written.
    pub values: Option<(i64, i64)>,
    /// Something was asked without a value that could be read, and was no read.
    pub without_value: bool,
    /// Largest change from one written value to the next, where that is known: one register at a time, and nobody else
    /// writes it.
    pub step: Option<u64>,
    /// How often in the hour with most; no less than the truth where operations are added up. `None`: hours are not known.
    pub busiest: Option<u64>,
}

impl Evidence {
    /// `alone`: no other operation writes to the same object. `busiest`: how often in the hour with most.
    pub(super) fn of(key: &ObservationKey, seen: &Observation, alone: bool, busiest: Option<u64>) -> Self {
        let values = (seen.value_min <= seen.value_max).then_some((seen.value_min, seen.value_max));
        let without_value = values.is_none() && key.access != Access::Read as u8;
        let known = alone && values.is_some() && key.first == key.last && seen.step != u64::MAX;
        let step = (known && key.protocol == Protocol::Modbus as u8).then_some(seen.step);
        Self { count: seen.count, first: seen.first_seen, last: seen.last_seen, values, without_value, step, busiest }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.values = match (self.values, other.values) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        self.without_value |= other.without_value;
        self.step = self.step.zip(other.step).map(|(one, other)| one.max(other));
        self.busiest = self.busiest.zip(other.busiest).map(|(one, other)| one.saturating_add(other));
    }

    /// Adds to what may not be there yet.
    pub(super) fn put(slot: &mut Option<Self>, other: Self) {
        match slot {
            Some(evidence) => evidence.add(other),
            None => *slot = Some(other),
        }
    }

    /// `seen 1200 times, 2026-11-23T06:00:00Z to 2026-11-23T07:00:00Z`
    pub(super) fn span(&self, clock: Clock) -> String {
        format!("seen {}, {} to {}", times(self.count), clock.text(self.first), clock.text(self.last))
    }

    /// `seen 1200 times, 2026-11-23T06:00:00Z to 2026-11-23T07:00:00Z, 99.1 % of everything seen`
    pub(super) fn words(&self, clock: Clock, total: u64) -> String {
        let share = u128::from(self.count) * 1000 / u128::from(total.max(1));
        let share = if share == 0 { "under 0.1".to_owned() } else { format!("{}.{}", share / 10, share % 10) };
        format!("{}, {share} % of everything seen", self.span(clock))
    }

    /// Comments with what was written, and lines that hold writes to it, indented as in a rule. A rule with values covers
    /// no write whose values are not decoded, so there is no such line where one was seen; one with a step covers writes of
    /// one register, and says nothing new where the values are as close together.
    pub(super) fn envelope(&self) -> String {
        let mut text = self.bounds();
        if let Some(most @ 1..=MOST_IN_AN_HOUR) = self.busiest {
            let twice = most.saturating_mul(2);
            text += &format!(
                "  # at most {most} in an hour; take the # away to hold them to twice as many\n  # rate      = \"{twice}/h\"\n"
            );
        }
        text
    }

    fn bounds(&self) -> String {
        let Some((min, max)) = self.values else { return String::new() };
        let written = format!("  # values from {min} to {max} were written");
        if self.without_value {
            return format!("{written}, and others that were not read\n");
        }
        let values = range(min, max);
        let values = format!("{written}; take the # away to hold writes to them\n  # values    = [\"{values}\"]\n");
        match self.step {
            Some(step @ 1..) if step < min.abs_diff(max) => {
                format!("{values}  # none was further than {step} from the one before\n  # max_step  = {step}\n")
            }
            Some(_) | None => values,
        }
    }
}

/// `once`, `7 times`.
pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
