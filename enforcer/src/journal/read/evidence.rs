//! What is known of each operation, and when operations were seen for the first time.

use std::collections::HashMap;

use enforcer_common::observation::ObservationKey;

use super::super::error::JournalError;
use super::super::{key, time};
use super::{Reader, Window, by_hour};

/// An operation, and how often it was seen in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The operation.
    pub key: ObservationKey,
    /// How often it was seen in the window.
    pub count: u64,
    /// First and last time, nanoseconds since 1970; to the hour where the window cuts them.
    pub first: i64,
    pub last: i64,
    /// Smallest and largest value written up to the end of the window, since the kernel's table began; `None` when none was.
    pub values: Option<(i64, i64)>,
    /// Largest change from one value to the next, where it was always looked at; of operations on one object.
    pub step: Option<u64>,
    /// By hour, oldest first, if that was asked for.
    pub hours: Vec<HourCount>,
}

/// How often in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HourCount {
    /// Counted from 1970; 0 for older hours together.
    pub hour: i64,
    pub count: u64,
}

/// How many operations were seen for the first time in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Discovered {
    /// Counted from 1970.
    pub hour: i64,
    pub operations: u64,
}

/// The sum over the hours of one operation.
struct Sum {
    count: u64,
    hours: (i64, i64),
    values: (i64, i64),
    step: i64,
    by_hour: Vec<HourCount>,
}

impl Reader {
    /// What was seen in a window, in no particular order; each operation's hours too, `with_hours`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn evidence(&self, window: Window, with_hours: bool) -> Result<Vec<Evidence>, JournalError> {
        self.ask(|connection| {
            let mut sums: HashMap<i64, Sum> = HashMap::new();
            by_hour(connection, "operation, hour, count, value_min, value_max, step", "sightings", window, |row| {
                let (hour, count) = (row.get(1)?, row.get::<_, u64>(2)?);
                let values: (i64, i64) = (row.get(3)?, row.get(4)?);
                let step: i64 = row.get(5)?;
                let empty = || Sum { count: 0, hours: (hour, hour), values, step, by_hour: Vec::new() };
                let sum = sums.entry(row.get(0)?).or_insert_with(empty);
                sum.count = sum.count.saturating_add(count);
                sum.hours = (sum.hours.0.min(hour), sum.hours.1.max(hour));
                sum.values = (sum.values.0.min(values.0), sum.values.1.max(values.1));
                sum.step = if sum.step.min(step) < 0 { -1 } else { sum.step.max(step) };
                if with_hours {
                    sum.by_hour.push(HourCount { hour, count });
                }
                Ok(())
            })?;
            let mut evidence = Vec::with_capacity(sums.len());
            let mut statement =
                connection.prepare(&format!("SELECT id, first, last, {} FROM operations", key::COLUMNS))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Some(sum) = sums.remove(&row.get(0)?) {
                    evidence.push(sum.evidence(key::key(row, 3)?, row.get(1)?, row.get(2)?));
                }
            }
            Ok(evidence)
        })
    }

    /// How many operations were new in each hour of a window; hours without new ones are left out.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn curve(&self, window: Window) -> Result<Vec<Discovered>, JournalError> {
        self.ask(|connection| {
            let mut statement = connection.prepare(
                "SELECT first / ?3, count(*) FROM operations WHERE first >= ?1 AND first <= ?2 GROUP BY 1 ORDER BY 1",
            )?;
            let rows = statement.query_map([window.since, window.until, time::HOUR], |row| {
                Ok(Discovered { hour: row.get(0)?, operations: row.get(1)? })
            })?;
            rows.collect()
        })
    }

    /// How many operations are known.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn operations(&self) -> Result<u64, JournalError> {
        self.ask(super::super::observations::count)
    }
}

impl Sum {
    fn evidence(self, key: ObservationKey, first: i64, last: i64) -> Evidence {
        let (low, high) = self.hours;
        let first = if low > 0 { first.max(low.saturating_mul(time::HOUR)) } else { first };
        let last = if high > 0 { last.min(high.saturating_add(1).saturating_mul(time::HOUR) - 1) } else { last };
        let (min, max) = self.values;
        let values = (min <= max).then_some((min, max));
        let step = u64::try_from(self.step).ok();
        Evidence { key, count: self.count, first, last, values, step, hours: self.by_hour }
    }
}
