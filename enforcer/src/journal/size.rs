//! Keeps the tables by hour, and the file, within their bounds: the oldest hours become one, whose counts are their sums.

use rusqlite::{Connection, TransactionBehavior};

use super::health::ADD_TALLIES;
use super::observations::ADD_SIGHTINGS;

/// What becomes of an hour `?1` of each table: added to hour 0, then removed.
fn merges() -> [(String, &'static str); 3] {
    [
        (
            format!(
                "INSERT INTO sightings (hour, operation, count, value_min, value_max, step) \
                 SELECT 0, operation, count, value_min, value_max, step FROM sightings WHERE hour = ?1 {ADD_SIGHTINGS}"
            ),
            "sightings",
        ),
        (
            "INSERT INTO group_hours (hour, grp, count) SELECT 0, grp, count FROM group_hours WHERE hour = ?1 \
             ON CONFLICT DO UPDATE SET count = count + excluded.count"
                .to_owned(),
            "group_hours",
        ),
        (
            format!(
                "INSERT INTO tallies SELECT 0, conduit, learn, shadow, enforce, evaluated, allow, log, deny, would_deny \
                 FROM tallies WHERE hour = ?1 {ADD_TALLIES}"
            ),
            "tallies",
        ),
    ]
}

/// The oldest and the newest hour that the tables tell apart.
pub(super) fn span(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    connection.query_row(
        "SELECT min(low), max(high) FROM (
             SELECT (SELECT min(hour) FROM sightings WHERE hour > 0) AS low, (SELECT max(hour) FROM sightings WHERE hour > 0) AS high
             UNION ALL SELECT (SELECT min(hour) FROM group_hours WHERE hour > 0), (SELECT max(hour) FROM group_hours WHERE hour > 0)
             UNION ALL SELECT (SELECT min(hour) FROM tallies WHERE hour > 0), (SELECT max(hour) FROM tallies WHERE hour > 0))",
        [],
        |row| Ok(Option::zip(row.get(0)?, row.get(1)?)),
    )
}

/// Merges every hour before `oldest`, each in a transaction of its own.
pub(super) fn merge_before(connection: &mut Connection, oldest: i64) -> rusqlite::Result<()> {
    while let Some((hour, _)) = span(connection)?.filter(|(hour, _)| *hour < oldest) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (merge, table) in merges() {
            transaction.prepare_cached(&merge)?.execute([hour])?;
            transaction.prepare_cached(&format!("DELETE FROM {table} WHERE hour = ?1"))?.execute([hour])?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Pages of the database: those in use, those in the file, those it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) used: u64,
    pub(super) file: u64,
    pub(super) most: u64,
}

impl Pages {
    pub(super) fn ask(connection: &Connection, bytes: u64) -> rusqlite::Result<Self> {
        let ask = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u64>(0));
        let (file, free) = (ask("page_count")?, ask("freelist_count")?);
        Ok(Self { used: file.saturating_sub(free), file, most: bytes / ask("page_size")?.max(1) })
    }

    /// Whether the file is nearly as large as it may be, and nearly all of it in use.
    pub(super) fn is_tight(self) -> bool {
        self.used > self.most / 100 * 92
    }
}

/// Makes room where the file is nearly full: merges the older half of the hours, until it is enough or one hour is left.
/// Then hands what is over the bound back to the disk. True when there is room.
pub(super) fn relieve(connection: &mut Connection, bytes: u64) -> rusqlite::Result<bool> {
    while Pages::ask(connection, bytes)?.is_tight() {
        match span(connection)? {
            Some((low, high)) if low < high => merge_before(connection, low + (high - low).div_euclid(2) + 1)?,
            Some(_) | None => break,
        }
    }
    let pages = Pages::ask(connection, bytes)?;
    if pages.file > pages.most {
        let surplus = pages.file - pages.most;
        // Frees a page per row that it returns.
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({surplus})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(!Pages::ask(connection, bytes)?.is_tight())
}
