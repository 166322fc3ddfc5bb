//! Lists: events, tallies, generations, mode changes, grants, health.

use rusqlite::{Connection, Params, Row};
use serde_json::Value;

use super::super::changes::{Generation, Grant, ModeChange};
use super::super::error::JournalError;
use super::super::health::{Health, Tally};
use super::{Reader, Window, by_hour};

/// A kept event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Grows with each event that is taken in; what was thinned leaves gaps.
    pub id: i64,
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// The record. Its `count` is what it stands for, with those of its group that were thinned.
    pub record: Value,
}

impl Reader {
    /// The newest `limit` kept events since a time (nanoseconds since 1970), oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn events(&self, since: i64, limit: u64) -> Result<Vec<EventRow>, JournalError> {
        let text = "SELECT id, time, count, record FROM events WHERE time >= ?1 ORDER BY time DESC, id DESC LIMIT ?2";
        let mut events = self.list(text, (since, limit), event)?;
        events.reverse();
        Ok(events)
    }

    /// The oldest `limit` kept events since a time (nanoseconds since 1970) with a number above `after`, in the order in which
    /// they were taken in.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn events_behind(&self, since: i64, after: i64, limit: u64) -> Result<Vec<EventRow>, JournalError> {
        const FIRST: &str = "SELECT min(id) FROM events WHERE time >= ?1";
        const PAGE: &str =
            "SELECT id, time, count, record FROM events WHERE id >= ?1 AND time >= ?2 ORDER BY id LIMIT ?3";
        let mut first = after.saturating_add(1);
        if after == 0 {
            // By the index on times: what is older may be many.
            let found: Vec<Option<i64>> = self.list(FIRST, [since], |row| row.get(0))?;
            let Some(found) = found.first().copied().flatten() else { return Ok(Vec::new()) };
            first = found;
        }
        self.list(PAGE, (first, since, limit), event)
    }

    /// The tallies of a window, by hour.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn tallies(&self, window: Window) -> Result<Vec<Tally>, JournalError> {
        const COLUMNS: &str = "hour, conduit, learn, shadow, enforce, evaluated, allow, log, deny, would_deny";
        self.ask(|connection| {
            let mut tallies = Vec::new();
            by_hour(connection, COLUMNS, "tallies", window, |row| {
                tallies.push(Tally {
                    hour: row.get(0)?,
                    conduit: row.get(1)?,
                    learn: row.get(2)?,
                    shadow: row.get(3)?,
                    enforce: row.get(4)?,
                    evaluated: row.get(5)?,
                    allow: row.get(6)?,
                    log: row.get(7)?,
                    deny: row.get(8)?,
                    would_deny: row.get(9)?,
                });
                Ok(())
            })?;
            Ok(tallies)
        })
    }

    /// The generations of policy, by number.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn generations(&self) -> Result<Vec<Generation>, JournalError> {
        let text =
            "SELECT number, time, name, revision, text, origin, who, why, confirmed FROM generations ORDER BY number";
        self.list(text, (), |row| {
            Ok(Generation {
                number: row.get(0)?,
                time: row.get(1)?,
                name: row.get(2)?,
                revision: row.get(3)?,
                text: row.get(4)?,
                origin: row.get(5)?,
                who: row.get(6)?,
                why: row.get(7)?,
                confirmed: row.get(8)?,
            })
        })
    }

    /// The mode changes since a time, oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn modes(&self, since: i64) -> Result<Vec<ModeChange>, JournalError> {
        let text = "SELECT time, conduit, old, new, who, why FROM modes WHERE time >= ?1 ORDER BY id";
        self.list(text, [since], |row| {
            Ok(ModeChange {
                time: row.get(0)?,
                conduit: row.get(1)?,
                old: row.get(2)?,
                new: row.get(3)?,
                who: row.get(4)?,
                why: row.get(5)?,
            })
        })
    }

    /// The grants, by the time they were given.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn grants(&self) -> Result<Vec<Grant>, JournalError> {
        let text =
            "SELECT id, time, source, target, functions, until, reason, who, state FROM grants ORDER BY time, id";
        self.list(text, (), |row| {
            Ok(Grant {
                id: row.get(0)?,
                time: row.get(1)?,
                from: row.get(2)?,
                to: row.get(3)?,
                functions: row.get(4)?,
                until: row.get(5)?,
                reason: row.get(6)?,
                who: row.get(7)?,
                state: row.get(8)?,
            })
        })
    }

    /// Samples of health since a time, oldest first: by the minute for two days, by the hour before.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn health(&self, since: i64) -> Result<Vec<Health>, JournalError> {
        let text = "SELECT time, device, trial, seconds, polls, answered, exceptions, resets, retransmissions, p50, p99 \
                    FROM health WHERE time >= ?1 ORDER BY time, device, trial";
        self.list(text, [since], |row| {
            Ok(Health {
                time: row.get(0)?,
                device: row.get(1)?,
                trial: row.get(2)?,
                seconds: row.get(3)?,
                polls: row.get(4)?,
                answered: row.get(5)?,
                exceptions: row.get(6)?,
                resets: row.get(7)?,
                retransmissions: row.get(8)?,
                p50: row.get(9)?,
                p99: row.get(10)?,
            })
        })
    }

    fn list<T>(
        &self,
        text: &str,
        parameters: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        self.ask(|connection: &Connection| connection.prepare(text)?.query_map(parameters, row)?.collect())
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let (count, text): (i64, String) = (row.get(2)?, row.get(3)?);
    // What was written here was JSON; should it not be, the text is better than nothing.
    let mut record = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if let Value::Object(fields) = &mut record {
        fields.insert("count".to_owned(), count.into());
    }
    Ok(EventRow { id: row.get(0)?, time: row.get(1)?, record })
}
