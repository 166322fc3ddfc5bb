//! A table of the image under construction, in which equal runs of rows are stored once.
//!
//! `@read` on a conduit gives every read function the same units, objects and candidates; without sharing, a policy of
//! classes would fill the image a dozen times over.

use std::collections::BTreeMap;

use enforcer_common::policy::Run;

use super::Full;

/// Rows so far, and which runs of them are known. `K` is a row as an ordered value.
#[derive(Debug)]
pub(super) struct Pool<K> {
    rows: Vec<K>,
    known: BTreeMap<Vec<K>, Run>,
    capacity: usize,
    what: &'static str,
}

impl<K: Copy + Ord> Pool<K> {
    /// A pool for a table of `capacity` rows, called `what` (plural) in errors.
    pub(super) fn new(capacity: usize, what: &'static str) -> Self {
        Self { rows: Vec::new(), known: BTreeMap::new(), capacity, what }
    }

    /// The run that holds exactly these rows in this order; an empty run for none.
    pub(super) fn run(&mut self, rows: Vec<K>) -> Result<Run, Full> {
        if rows.is_empty() {
            return Ok(Run::default());
        }
        if let Some(run) = self.known.get(&rows) {
            return Ok(*run);
        }
        let full = || Full::of(self.what, self.capacity);
        if self.rows.len().saturating_add(rows.len()) > self.capacity {
            return Err(full());
        }
        let first = u32::try_from(self.rows.len()).map_err(|_| full())?;
        let count = u32::try_from(rows.len()).map_err(|_| full())?;
        let run = Run { first, count };
        self.rows.extend_from_slice(&rows);
        self.known.insert(rows, run);
        Ok(run)
    }

    /// All rows, in the form of the image.
    pub(super) fn rows<T>(&self, form: impl Fn(&K) -> T) -> Vec<T> {
        self.rows.iter().map(form).collect()
    }
}

/// A run as an ordered value, for rows that refer to runs.
pub(super) fn key(run: Run) -> (u32, u32) {
    (run.first, run.count)
}

/// The way back from [`key`].
pub(super) fn unkey((first, count): (u32, u32)) -> Run {
    Run { first, count }
}
