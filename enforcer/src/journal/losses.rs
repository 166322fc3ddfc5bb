//! What did not reach the journal, counted.

use rusqlite::Connection;
use serde::Serialize;

use super::message::Message;
use super::{changes, events, read};

/// Records that were sent and are not in the journal: the queue was full, or the database could not be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Losses {
    /// Readings of the kernel's table. The next one that arrives makes up for them.
    pub readings: u64,
    /// Events, by their counts.
    pub events: u64,
    /// Tallies.
    pub tallies: u64,
    /// Samples of health.
    pub health: u64,
    /// Generations, confirmations, mode changes, grants, notes.
    pub changes: u64,
}

impl Losses {
    /// Counts a message as lost.
    pub(super) fn add(&mut self, message: &Message) {
        match message {
            Message::Observations(_) => self.readings += 1,
            Message::Events(records) => {
                let sum: i64 = records.iter().map(events::count).sum();
                self.events += sum.unsigned_abs();
            }
            Message::Tally(_) => self.tallies += 1,
            Message::Health(_) => self.health += 1,
            Message::Generation(_)
            | Message::Confirmed { .. }
            | Message::Mode(_)
            | Message::Grant(_)
            | Message::Meta { .. } => self.changes += 1,
            Message::Flush(_) => {}
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            readings: self.readings + other.readings,
            events: self.events + other.events,
            tallies: self.tallies + other.tallies,
            health: self.health + other.health,
            changes: self.changes + other.changes,
        }
    }

    fn fields(&mut self) -> [(&'static str, &mut u64); 5] {
        [
            ("lost_readings", &mut self.readings),
            ("lost_events", &mut self.events),
            ("lost_tallies", &mut self.tallies),
            ("lost_health", &mut self.health),
            ("lost_changes", &mut self.changes),
        ]
    }

    /// What the database says was lost, in all runs.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut losses = Self::default();
        for (name, field) in losses.fields() {
            *field = read::meta(connection, name)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        }
        Ok(losses)
    }

    pub(super) fn store(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (name, field) in self.fields() {
            changes::meta(connection, name, &field.to_string())?;
        }
        Ok(())
    }
}
