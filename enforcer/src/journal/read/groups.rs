//! The exact totals of events by group.

use std::collections::HashMap;

use serde::Serialize;

use super::super::error::JournalError;
use super::super::groups::Group;
use super::super::time;
use super::{Reader, Window, by_hour};

/// A group of events and how many there were in a window, exact whatever was thinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupTotal {
    /// What they have in common.
    #[serde(flatten)]
    pub group: Group,
    /// How many.
    pub count: u64,
    /// First and last, nanoseconds since 1970; to the hour where the window cuts them.
    pub first: i64,
    pub last: i64,
}

impl Reader {
    /// The groups with events in a window and their totals, the most frequent first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn groups(&self, window: Window) -> Result<Vec<GroupTotal>, JournalError> {
        self.ask(|connection| {
            let mut sums: HashMap<i64, (u64, i64, i64)> = HashMap::new();
            if window != Window::ALL {
                by_hour(connection, "grp, hour, count", "group_hours", window, |row| {
                    let (hour, count) = (row.get::<_, i64>(1)?, row.get::<_, u64>(2)?);
                    let sum = sums.entry(row.get(0)?).or_insert((0, hour, hour));
                    *sum = (sum.0.saturating_add(count), sum.1.min(hour), sum.2.max(hour));
                    Ok(())
                })?;
            }
            let mut statement = connection.prepare(
                "SELECT id, count, first, last, event, conduit, reason, protocol, function, src, dst FROM groups",
            )?;
            let mut rows = statement.query([])?;
            let mut totals = Vec::new();
            while let Some(row) = rows.next()? {
                let (mut count, mut first, mut last) = (row.get(1)?, row.get(2)?, row.get(3)?);
                if window != Window::ALL {
                    let Some((part, low, high)) = sums.remove(&row.get(0)?) else { continue };
                    count = part;
                    first = if low > 0 { low.saturating_mul(time::HOUR).max(first) } else { first };
                    last =
                        if high > 0 { (high.saturating_add(1).saturating_mul(time::HOUR) - 1).min(last) } else { last };
                }
                let group = Group {
                    event: row.get(4)?,
                    conduit: row.get(5)?,
                    reason: row.get(6)?,
                    protocol: row.get(7)?,
                    function: row.get(8)?,
                    src: row.get(9)?,
                    dst: row.get(10)?,
                };
                totals.push(GroupTotal { group, count, first, last });
            }
            totals.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.group.cmp(&other.group)));
            Ok(totals)
        })
    }
}
