//! What people do: generations of policy, switched modes, grants. And what the daemon notes about itself by name.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::limits::Limits;

/// A policy that was in force or staged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// Its number; a later record of the same number takes its place.
    pub number: u32,
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// The policy's name.
    pub name: String,
    /// The policy's revision.
    pub revision: u32,
    /// Its text.
    pub text: String,
    /// Where it came from: a file, `learn propose`, a rollback.
    pub origin: String,
    /// Who applied it.
    pub who: String,
    /// The reason given.
    pub why: Option<String>,
    /// When it was confirmed, nanoseconds since 1970.
    pub confirmed: Option<i64>,
}

/// A mode that was switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeChange {
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// Which conduit; `None` for the box.
    pub conduit: Option<String>,
    /// The mode before.
    pub old: String,
    /// The mode since.
    pub new: String,
    /// Who switched it.
    pub who: String,
    /// The reason given.
    pub why: Option<String>,
}

/// Extra permission for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Its name; a later record of the same name takes its place.
    pub id: String,
    /// When it was given, nanoseconds since 1970.
    pub time: i64,
    /// Who may.
    pub from: String,
    /// Towards whom.
    pub to: String,
    /// What, as the person wrote it.
    pub functions: String,
    /// Until when, nanoseconds since 1970.
    pub until: i64,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub who: String,
    /// active, expired, revoked.
    pub state: String,
}

pub(super) fn generation(connection: &Connection, generation: &Generation) -> rusqlite::Result<()> {
    let Generation { number, time, name, revision, text, origin, who, why, confirmed } = generation;
    connection.execute(
        "INSERT OR REPLACE INTO generations (number, time, name, revision, text, origin, who, why, confirmed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![number, time, name, revision, text, origin, who, why, confirmed],
    )?;
    Ok(())
}

pub(super) fn confirmed(connection: &Connection, number: u32, time: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE generations SET confirmed = ?2 WHERE number = ?1", params![number, time])?;
    Ok(())
}

pub(super) fn mode(connection: &Connection, change: &ModeChange) -> rusqlite::Result<()> {
    let ModeChange { time, conduit, old, new, who, why } = change;
    connection.execute(
        "INSERT INTO modes (time, conduit, old, new, who, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![time, conduit, old, new, who, why],
    )?;
    Ok(())
}

pub(super) fn grant(connection: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let Grant { id, time, from, to, functions, until, reason, who, state } = grant;
    connection.execute(
        "INSERT OR REPLACE INTO grants (id, time, source, target, functions, until, reason, who, state) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![id, time, from, to, functions, until, reason, who, state],
    )?;
    Ok(())
}

pub(super) fn meta(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute([name, value])?;
    Ok(())
}

/// Drops the oldest over the bounds. The newest generation and the newest confirmed one stay, whatever their size: they are
/// what one goes back to.
pub(super) fn bound(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    // SQLite's numbers are signed.
    let most = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
    connection.execute(
        "DELETE FROM generations WHERE number IN (SELECT number FROM (
             SELECT number, row_number() OVER newer AS place, sum(octet_length(text)) OVER newer AS bytes
             FROM generations WINDOW newer AS (ORDER BY number DESC))
             WHERE place > ?1 OR bytes > ?2)
         AND number != (SELECT max(number) FROM generations)
         AND number != coalesce((SELECT max(number) FROM generations WHERE confirmed NOTNULL), -1)",
        params![most(limits.generations), most(limits.database_bytes() / 8)],
    )?;
    connection.execute(
        "DELETE FROM modes WHERE id IN (SELECT id FROM modes ORDER BY id DESC LIMIT -1 OFFSET ?1)",
        [most(limits.changes)],
    )?;
    connection.execute(
        "DELETE FROM grants WHERE id IN (SELECT id FROM grants ORDER BY time DESC LIMIT -1 OFFSET ?1)",
        [most(limits.changes)],
    )?;
    Ok(())
}
