//! What callers send to the writer.

use std::sync::mpsc::SyncSender;

use serde_json::Value;

use super::changes::{Generation, Grant, ModeChange};
use super::health::{Health, Tally};
use super::observations::Reading;

/// One call of the journal's.
#[derive(Debug)]
pub(super) enum Message {
    Observations(Reading),
    Events(Vec<Value>),
    Tally(Tally),
    Health(Health),
    Generation(Generation),
    Confirmed {
        number: u32,
        time: i64,
    },
    Mode(ModeChange),
    Grant(Grant),
    Meta {
        name: String,
        value: String,
    },
    /// Asks to be told once all that was sent before is written; false when it was not.
    Flush(SyncSender<bool>),
}

impl Message {
    /// Records in it, for the size of a batch.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Events(records) => records.len(),
            Self::Observations(reading) => reading.entries.len(),
            Self::Tally(_)
            | Self::Health(_)
            | Self::Generation(_)
            | Self::Confirmed { .. }
            | Self::Mode(_)
            | Self::Grant(_)
            | Self::Meta { .. }
            | Self::Flush(_) => 1,
        }
    }

    /// Whether it is written at once, and not when a batch is full or a second over.
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Self::Generation(_)
            | Self::Confirmed { .. }
            | Self::Mode(_)
            | Self::Grant(_)
            | Self::Meta { .. }
            | Self::Flush(_) => true,
            Self::Observations(_) | Self::Events(_) | Self::Tally(_) | Self::Health(_) => false,
        }
    }
}
