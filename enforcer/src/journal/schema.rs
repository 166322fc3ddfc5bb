//! The tables, and how a database of an older version becomes one of today's.
//!
//! `PRAGMA user_version` is the number of steps that were taken. Times are nanoseconds since 1970 in UTC, hours are counted
//! from 1970, and hour 0 holds what older hours were merged to. Tables by hour are keyed by the hour first: what comes in
//! touches few pages, and the oldest hour is one range.

use rusqlite::{Connection, TransactionBehavior};

/// Each step leads from the version of its index to the next one.
pub(super) const STEPS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3];

const VERSION_1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    client BLOB NOT NULL, server BLOB NOT NULL,
    function INTEGER NOT NULL, unit INTEGER NOT NULL,
    space INTEGER NOT NULL, first_object INTEGER NOT NULL, last_object INTEGER NOT NULL,
    port INTEGER NOT NULL, protocol INTEGER NOT NULL, role INTEGER NOT NULL, access INTEGER NOT NULL,
    side INTEGER NOT NULL, transport INTEGER NOT NULL, reason INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    folded_epoch INTEGER NOT NULL, folded_count INTEGER NOT NULL,
    UNIQUE (client, server, function, unit, space, first_object, last_object, port, protocol, role, access, side,
            transport, reason)
);
CREATE TABLE sightings (
    hour INTEGER NOT NULL, operation INTEGER NOT NULL, count INTEGER NOT NULL,
    value_min INTEGER NOT NULL, value_max INTEGER NOT NULL,
    PRIMARY KEY (hour, operation)
) WITHOUT ROWID;

CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL, conduit TEXT NOT NULL, reason TEXT NOT NULL, protocol TEXT NOT NULL,
    function INTEGER NOT NULL, src TEXT NOT NULL, dst TEXT NOT NULL,
    count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    UNIQUE (event, conduit, reason, protocol, function, src, dst)
);
CREATE TABLE group_hours (
    hour INTEGER NOT NULL, grp INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, grp)
) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL, grp INTEGER NOT NULL, count INTEGER NOT NULL, record TEXT NOT NULL
);
CREATE INDEX events_by_time ON events (time);

CREATE TABLE tallies (
    hour INTEGER NOT NULL, conduit TEXT NOT NULL,
    learn INTEGER NOT NULL, shadow INTEGER NOT NULL, enforce INTEGER NOT NULL,
    evaluated INTEGER NOT NULL, allow INTEGER NOT NULL, log INTEGER NOT NULL, deny INTEGER NOT NULL,
    would_deny INTEGER NOT NULL,
    PRIMARY KEY (hour, conduit)
) WITHOUT ROWID;

CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, text TEXT NOT NULL, origin TEXT NOT NULL,
    who TEXT NOT NULL, why TEXT, confirmed INTEGER
);
CREATE TABLE modes (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL, conduit TEXT, old TEXT NOT NULL, new TEXT NOT NULL, who TEXT NOT NULL, why TEXT
);
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    time INTEGER NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, functions TEXT NOT NULL,
    until INTEGER NOT NULL, reason TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE health (
    span INTEGER NOT NULL, time INTEGER NOT NULL, device TEXT NOT NULL,
    polls INTEGER NOT NULL, answered INTEGER NOT NULL, exceptions INTEGER NOT NULL, resets INTEGER NOT NULL,
    retransmissions INTEGER NOT NULL, p50 INTEGER NOT NULL, p99 INTEGER NOT NULL,
    PRIMARY KEY (span, time, device)
) WITHOUT ROWID;
";

/// Nothing was kept in the table of version 1.
const VERSION_2: &str = "
DROP TABLE health;
CREATE TABLE health (
    span INTEGER NOT NULL, time INTEGER NOT NULL, device TEXT NOT NULL, trial INTEGER NOT NULL, seconds INTEGER NOT NULL,
    polls INTEGER NOT NULL, answered INTEGER NOT NULL, exceptions INTEGER NOT NULL, resets INTEGER NOT NULL,
    retransmissions INTEGER NOT NULL, p50 INTEGER NOT NULL, p99 INTEGER NOT NULL,
    PRIMARY KEY (span, time, device, trial)
) WITHOUT ROWID;
";

/// The largest change from one written value to the next; -1 where nobody looked.
const VERSION_3: &str = "
ALTER TABLE sightings ADD COLUMN step INTEGER NOT NULL DEFAULT -1;
";

/// The version that the steps lead to.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

/// The version of a database; 0 is an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Takes the steps that are left, each in a transaction of its own: a step that fails leaves nothing behind.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let done = usize::try_from(version(connection)?).unwrap_or(usize::MAX);
    for (index, step) in steps.iter().enumerate().skip(done) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{NEWEST, STEPS, migrate, version};

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement =
            connection.prepare("SELECT name || sql FROM sqlite_schema WHERE sql NOTNULL ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_earlier_version_becomes_the_newest() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, STEPS).unwrap();
        for earlier in 0..=STEPS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, &STEPS[..earlier]).unwrap();
            assert_eq!(version(&connection).unwrap(), earlier as i64);
            migrate(&mut connection, STEPS).unwrap();
            assert_eq!(version(&connection).unwrap(), NEWEST);
            assert_eq!(tables(&connection), tables(&fresh));
        }
    }

    #[test]
    fn a_step_that_fails_half_way_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        connection.execute("INSERT INTO meta VALUES ('kept', 'yes')", []).unwrap();
        let before = tables(&connection);
        let next = "CREATE TABLE half (a); DELETE FROM meta; ALTER TABLE nowhere RENAME TO done;";
        let steps: Vec<&str> = STEPS.iter().copied().chain([next]).collect();
        migrate(&mut connection, &steps).unwrap_err();
        assert_eq!(tables(&connection), before);
        assert_eq!(version(&connection).unwrap(), NEWEST);
        let kept: String =
            connection.query_row("SELECT value FROM meta WHERE name = 'kept'", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "yes");
    }
}
