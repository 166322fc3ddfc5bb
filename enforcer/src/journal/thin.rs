//! Keeps the records of events within their bounds: of the oldest half every second one of a group goes, and the one
//! before it stands for it as well.
//!
//! Works through the oldest half in slices, a transaction each: a record that comes in costs the same at any moment, and
//! the write-ahead log stays small.

use std::collections::HashMap;

use rusqlite::{Connection, TransactionBehavior, params};

use super::events::{Events, freed};

/// Records looked at in one transaction.
const SLICE: usize = 4000;

impl Events {
    /// Thins until at most `rows` records and `bytes` bytes are kept.
    pub(super) fn thin(&mut self, connection: &mut Connection, rows: u64, bytes: u64) -> rusqlite::Result<()> {
        while self.rows > rows || self.bytes > bytes {
            if self.cursor == 0 {
                self.halved = false;
            }
            // The newest half was never thinned, so its numbers have no gaps.
            let newest: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM events", [], |row| row.get(0))?;
            let edge = newest.saturating_sub(i64::try_from(self.rows / 2).unwrap_or(i64::MAX));
            self.halve(connection, edge)?;
            if self.cursor == 0 && !self.halved {
                // One record is left of each group.
                self.drop_oldest(connection, self.rows.saturating_sub(rows).clamp(SLICE as u64 / 4, SLICE as u64))?;
            }
        }
        Ok(())
    }

    /// Halves the next slice behind the cursor, up to the record `edge`.
    fn halve(&mut self, connection: &mut Connection, edge: i64) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let slice: Vec<(i64, i64, i64, u64)> = {
            let mut statement = transaction.prepare_cached(
                "SELECT id, grp, count, octet_length(record) FROM events WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
            )?;
            let rows = statement.query_map(params![self.cursor, edge, SLICE as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let (mut rows, mut bytes) = (0, 0);
        {
            let mut remove = transaction.prepare_cached("DELETE FROM events WHERE id = ?1")?;
            let mut grow = transaction.prepare_cached("UPDATE events SET count = count + ?2 WHERE id = ?1")?;
            let mut keepers: HashMap<i64, i64> = HashMap::new();
            for (id, group, count, text) in &slice {
                match keepers.remove(group) {
                    Some(keeper) => {
                        remove.execute([id])?;
                        grow.execute([keeper, *count])?;
                        rows += 1;
                        bytes += freed(*text);
                    }
                    None => {
                        keepers.insert(*group, *id);
                    }
                }
            }
        }
        transaction.commit()?;
        self.cursor = if slice.len() < SLICE { 0 } else { slice.last().map_or(0, |row| row.0) };
        self.halved |= rows > 0;
        self.forget(rows, bytes);
        Ok(())
    }

    /// Drops the oldest records. Their count stays in the totals of their groups.
    fn drop_oldest(&mut self, connection: &Connection, rows: u64) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?1) RETURNING octet_length(record)",
        )?;
        let texts = statement.query_map([rows], |row| row.get(0))?;
        let (mut rows, mut bytes) = (0, 0);
        for text in texts {
            rows += 1;
            bytes += freed(text?);
        }
        if rows == 0 {
            // Nothing is left, whatever the sums say.
            (self.rows, self.bytes) = (0, 0);
        }
        self.forget(rows, bytes);
        Ok(())
    }

    fn forget(&mut self, rows: u64, bytes: u64) {
        self.rows = self.rows.saturating_sub(rows);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
