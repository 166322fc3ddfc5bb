//! Folds the kernel's table of observations into operations and the hours in which they were seen.
//!
//! The kernel counts up for as long as its map lives. What was folded last stands in the same row and is written in the
//! same transaction as the hour it went into: folding a table twice, or after a crash, counts nothing twice and loses
//! nothing.

use enforcer_common::observation::{Observation, ObservationKey};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params, params_from_iter};

use super::key::{COLUMNS, columns};
use super::time;

/// One reading of the kernel's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Identity of the kernel's map: another number means that counts began anew.
    pub epoch: u64,
    /// What to add to a time since boot to have one since 1970, in nanoseconds.
    pub boot: i64,
    /// The table's entries, all of them or those that changed.
    pub entries: Vec<(ObservationKey, Observation)>,
}

const FIND: &str = "SELECT id, folded_epoch, folded_count FROM operations WHERE (client, server, function, unit, space, \
                    first_object, last_object, port, protocol, role, access, side, transport, reason) \
                    = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const MOVE: &str = "UPDATE operations SET first = min(first, ?2), last = max(last, ?3), folded_epoch = ?4, \
                    folded_count = ?5 WHERE id = ?1";
/// How sightings of an operation in one hour become one row.
pub(super) const ADD_SIGHTINGS: &str = "ON CONFLICT DO UPDATE SET count = count + excluded.count, \
     value_min = min(value_min, excluded.value_min), value_max = max(value_max, excluded.value_max), \
     step = CASE WHEN min(step, excluded.step) < 0 THEN -1 ELSE max(step, excluded.step) END";

/// How many operations there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM operations", [], |row| row.get(0))
}

/// Folds a reading. `known` is how many operations there are, and is kept up; beyond `most` no new ones are taken. Returns
/// how many entries had no place.
pub(super) fn fold(connection: &Connection, reading: &Reading, known: &mut u64, most: u64) -> rusqlite::Result<u64> {
    let insert = format!(
        "INSERT INTO operations ({COLUMNS}, first, last, folded_epoch, folded_count) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );
    let see =
        "INSERT INTO sightings (hour, operation, count, value_min, value_max, step) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut find = connection.prepare_cached(FIND)?;
    let mut add = connection.prepare_cached(&insert)?;
    let mut advance = connection.prepare_cached(MOVE)?;
    let mut see = connection.prepare_cached(&format!("{see} {ADD_SIGHTINGS}"))?;
    // Only compared for being the same, so any number fits.
    let epoch = reading.epoch.cast_signed();
    let mut unrecorded = 0;
    for (key, seen) in &reading.entries {
        let wall = |boot: u64| i64::try_from(boot).unwrap_or(i64::MAX).saturating_add(reading.boot);
        let (first, last) = (wall(seen.first_seen), wall(seen.last_seen));
        let count = i64::try_from(seen.count).unwrap_or(i64::MAX);
        let folded = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let known_one: Option<(i64, i64, i64)> = find.query_row(params_from_iter(columns(key)), folded).optional()?;
        let (id, delta) = match known_one {
            Some((id, old_epoch, old)) => {
                let delta = if old_epoch == epoch && count >= old { count - old } else { count };
                if delta == 0 && old_epoch == epoch {
                    continue;
                }
                advance.execute(params![id, first, last, epoch, count])?;
                (id, delta)
            }
            None if *known >= most => {
                unrecorded += 1;
                continue;
            }
            None => {
                let columns = columns(key);
                let more: [&dyn ToSql; 4] = [&first, &last, &epoch, &count];
                let all = columns.iter().map(|column| column as &dyn ToSql).chain(more);
                *known += 1;
                (add.insert(params_from_iter(all))?, count)
            }
        };
        if delta > 0 {
            let step = i64::try_from(seen.step).unwrap_or(i64::MAX);
            see.execute(params![time::hour(last), id, delta, seen.value_min, seen.value_max, step])?;
        }
    }
    Ok(unrecorded)
}
