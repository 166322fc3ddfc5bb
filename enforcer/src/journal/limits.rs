//! How large the journal may become.

use std::time::Duration;

/// Bounds of the journal. What is over them is thinned and counted, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the database with its write-ahead log. Not below 1 MiB.
    pub size: u64,
    /// Operations that are told apart; further ones are counted as unrecorded.
    pub operations: u64,
    /// Hours that are told apart, in observations, totals of events, and tallies. Older ones are merged to one.
    pub hours: u64,
    /// Events kept as records.
    pub events: u64,
    /// Groups of events that are told apart; further ones are counted without their ends and function.
    pub groups: u64,
    /// Generations of policy kept with their text.
    pub generations: u64,
    /// Mode changes and grants kept, each.
    pub changes: u64,
    /// Messages that may wait for the writer; one call of [`super::Journal`] is one message.
    pub queue: usize,
    /// How long after a failure the database is tried again.
    pub retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: 256 << 20,
            operations: 200_000,
            hours: 90 * 24,
            events: 200_000,
            groups: 50_000,
            generations: 500,
            changes: 10_000,
            queue: 4096,
            retry: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Bytes that the write-ahead log may take between checkpoints.
    pub(super) fn log_bytes(&self) -> u64 {
        (self.bytes() / 8).min(16 << 20)
    }

    /// Bytes that the database itself may take.
    pub(super) fn database_bytes(&self) -> u64 {
        self.bytes() - self.log_bytes()
    }

    /// Bytes of it that the records of events may take. Pages whose records were thinned are partly empty, so that this
    /// becomes about two thirds of the file.
    pub(super) fn event_bytes(&self) -> u64 {
        self.database_bytes() / 20 * 9
    }

    fn bytes(&self) -> u64 {
        self.size.max(1 << 20)
    }
}
