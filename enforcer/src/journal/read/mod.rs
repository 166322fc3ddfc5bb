//! Questions to the journal, over a connection of their own that only reads.

mod evidence;
mod groups;
mod lists;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

pub use evidence::{Discovered, Evidence, HourCount};
pub use groups::GroupTotal;
pub use lists::EventRow;

use super::error::JournalError;
use super::losses::Losses;
use super::{database, size, store, time};

/// A time to ask about, in nanoseconds since 1970, both ends within. Whole hours are told apart: an hour belongs to it as
/// soon as a part of it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub since: i64,
    pub until: i64,
}

impl Window {
    /// All that is known.
    pub const ALL: Self = Self { since: i64::MIN, until: i64::MAX };

    /// From `since` on.
    #[must_use]
    pub fn since(since: i64) -> Self {
        Self { since, until: i64::MAX }
    }

    fn hours(self) -> [i64; 2] {
        [time::hour(self.since), time::hour(self.until)]
    }
}

/// A connection that only reads. Each question sees one moment.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the journal in a state directory for reading, also where no daemon runs.
    ///
    /// # Errors
    /// [`JournalError`]: no database there, or none that can be read.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = database(directory);
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "cache_size", -8192)?;
            connection.pragma_update(None, "temp_store", "MEMORY")?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { connection, path }),
            Err(error) => Err(JournalError::of(&path, "read", &error)),
        }
    }

    /// A value that was kept by [`super::Journal::note`].
    ///
    /// # Errors
    /// [`JournalError`] when the database cannot be read; so do all others here.
    pub fn note(&self, name: &str) -> Result<Option<String>, JournalError> {
        self.ask(|connection| meta(connection, name))
    }

    /// What all runs lost.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn losses(&self) -> Result<Losses, JournalError> {
        self.ask(Losses::load)
    }

    /// How many operations the fullest reading had that the journal had no room for.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn unrecorded(&self) -> Result<u64, JournalError> {
        self.ask(|connection| Ok(meta(connection, store::UNRECORDED)?.and_then(|text| text.parse().ok()).unwrap_or(0)))
    }

    /// Since when hours are told apart, in nanoseconds since 1970; `None` when there are none. What is older stands in
    /// hour 0.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn oldest_hour(&self) -> Result<Option<i64>, JournalError> {
        self.ask(|connection| Ok(size::span(connection)?.map(|(hour, _)| hour.saturating_mul(time::HOUR))))
    }

    /// Asks within one transaction, so that several statements see the same.
    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        let answer = self.connection.unchecked_transaction().and_then(|transaction| question(&transaction));
        answer.map_err(|error| JournalError::of(&self.path, "read", &error))
    }
}

/// Runs `each` over the rows by hour within a window. Hour 0, of which no parts can be told, belongs to it when the window
/// begins before the oldest hour that can.
fn by_hour(
    connection: &Connection,
    columns: &str,
    table: &str,
    window: Window,
    mut each: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let [since, until] = window.hours();
    let oldest = size::span(connection)?.map_or(i64::MAX, |(hour, _)| hour);
    let mut statement =
        connection.prepare(&format!("SELECT {columns} FROM {table} WHERE hour >= ?1 AND hour <= ?2"))?;
    let merged = (since < oldest).then_some([0, 0]);
    for range in merged.into_iter().chain([[since, until]]) {
        let mut rows = statement.query(range)?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
    }
    Ok(())
}

/// A value by its name.
pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}
