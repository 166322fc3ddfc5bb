//! Takes in events: each as a record, and each into the exact total of its group.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::groups::Group;
use super::time;

/// What one kept record takes beside its text: its row's head and its place in the index.
const ROW_BYTES: u64 = 40;

/// What is known of the tables without asking them. Wrong after a transaction was rolled back: then it is read anew.
#[derive(Debug)]
pub(super) struct Events {
    /// Kept records, and about the bytes that they take.
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Number of groups.
    groups: u64,
    ids: HashMap<Group, i64>,
    /// Up to where the oldest half was thinned.
    pub(super) cursor: i64,
    /// Whether anything went since the cursor was at the oldest record.
    pub(super) halved: bool,
}

/// What a batch adds to a group.
#[derive(Clone, Copy)]
struct Sum {
    count: i64,
    first: i64,
    last: i64,
}

impl Events {
    /// Asks the tables.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let (rows, bytes): (u64, u64) =
            connection.query_row("SELECT count(*), coalesce(sum(octet_length(record)), 0) FROM events", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let groups = connection.query_row("SELECT count(*) FROM groups", [], |row| row.get(0))?;
        Ok(Self { rows, bytes: bytes + rows * ROW_BYTES, groups, ids: HashMap::new(), cursor: 0, halved: false })
    }

    /// Takes in records within the caller's transaction. A record without a time happened now; one without a count
    /// stands for itself.
    pub(super) fn insert<'a>(
        &mut self,
        connection: &Connection,
        records: impl Iterator<Item = &'a Value>,
        most_groups: u64,
    ) -> rusqlite::Result<()> {
        let mut insert =
            connection.prepare_cached("INSERT INTO events (time, grp, count, record) VALUES (?1, ?2, ?3, ?4)")?;
        let mut sums: HashMap<i64, Sum> = HashMap::new();
        let mut hours: HashMap<(i64, i64), i64> = HashMap::new();
        for record in records {
            let moment = record.get("time").and_then(Value::as_str).and_then(time::parse).unwrap_or_else(time::now);
            let count = count(record);
            let group = self.group(connection, Group::of(record), most_groups)?;
            let text = record.to_string();
            insert.execute(params![moment, group, count, text])?;
            self.rows += 1;
            self.bytes += text.len() as u64 + ROW_BYTES;
            let sum = sums.entry(group).or_insert(Sum { count: 0, first: moment, last: moment });
            sum.count = sum.count.saturating_add(count);
            sum.first = sum.first.min(moment);
            sum.last = sum.last.max(moment);
            *hours.entry((time::hour(moment), group)).or_default() += count;
        }
        let mut total = connection.prepare_cached(
            "UPDATE groups SET count = count + ?2, first = min(first, ?3), last = max(last, ?4) WHERE id = ?1",
        )?;
        for (group, sum) in sums {
            total.execute(params![group, sum.count, sum.first, sum.last])?;
        }
        let mut by_hour = connection.prepare_cached(
            "INSERT INTO group_hours (hour, grp, count) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )?;
        for ((hour, group), count) in hours {
            by_hour.execute(params![hour, group, count])?;
        }
        Ok(())
    }

    /// The group's number, made when it is new; that of the coarse group when there are too many.
    fn group(&mut self, connection: &Connection, group: Group, most: u64) -> rusqlite::Result<i64> {
        if let Some(id) = self.ids.get(&group) {
            return Ok(*id);
        }
        if let Some(id) = find(connection, &group)? {
            return Ok(self.remember(group, id));
        }
        if self.groups < most {
            let id = self.make(connection, &group)?;
            return Ok(self.remember(group, id));
        }
        // Not remembered under its own name: there is no end to these.
        let coarse = group.coarse();
        if let Some(id) = self.ids.get(&coarse) {
            return Ok(*id);
        }
        let id = match find(connection, &coarse)? {
            Some(id) => id,
            None => self.make(connection, &coarse)?,
        };
        Ok(self.remember(coarse, id))
    }

    fn make(&mut self, connection: &Connection, group: &Group) -> rusqlite::Result<i64> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO groups (event, conduit, reason, protocol, function, src, dst, count, first, last) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)",
        )?;
        self.groups += 1;
        let Group { event, conduit, reason, protocol, function, src, dst } = group;
        statement.insert(params![event, conduit, reason, protocol, function, src, dst, i64::MAX, i64::MIN])
    }

    fn remember(&mut self, group: Group, id: i64) -> i64 {
        self.ids.insert(group, id);
        id
    }
}

/// How many happenings a record stands for.
pub(super) fn count(record: &Value) -> i64 {
    record.get("count").and_then(Value::as_i64).unwrap_or(1).max(0)
}

fn find(connection: &Connection, group: &Group) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM groups WHERE (event, conduit, reason, protocol, function, src, dst) = (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let Group { event, conduit, reason, protocol, function, src, dst } = group;
    statement.query_row(params![event, conduit, reason, protocol, function, src, dst], |row| row.get(0)).optional()
}

/// What dropping one record frees.
pub(super) fn freed(text: u64) -> u64 {
    text + ROW_BYTES
}
