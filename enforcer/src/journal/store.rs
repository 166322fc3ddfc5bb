//! The database while it can be written: opening it, taking in a batch, keeping it within its bounds.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::{JournalError, Kind};
use super::events::Events;
use super::limits::Limits;
use super::losses::Losses;
use super::message::Message;
use super::{changes, health, observations, schema, size, time};

/// Meta name of the largest number of operations that one reading had and the journal had no room for.
pub(super) const UNRECORDED: &str = "unrecorded_operations";

/// Damaged files kept; older ones go, so that a failing disk is not filled with them.
const DAMAGED_KEPT: usize = 3;

/// Ends of the names of the files that SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The open database.
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    limits: Limits,
    events: Events,
    operations: u64,
    unrecorded: u64,
    /// Losses of earlier runs.
    earlier: Losses,
    written: Losses,
}

impl Store {
    /// Opens the database at `path` and makes it what today's program expects.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, JournalError> {
        refuse_newer(path)?;
        // SQLite gives its other files the rights of this one. Where it cannot be made, SQLite says why.
        let _ = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let failed = |error: rusqlite::Error| JournalError::of(path, "opened", &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        refuse_version(path, schema::version(&connection).map_err(failed)?)?;
        prepare(&mut connection, limits).map_err(failed)?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if found != "ok" {
            return Err(JournalError::new(path, "opened", Kind::Corrupt, format!("the file is damaged ({found})")));
        }
        Self::load(connection, path, limits).map_err(failed)
    }

    fn load(mut connection: Connection, path: &Path, limits: &Limits) -> rusqlite::Result<Self> {
        schema::migrate(&mut connection, schema::STEPS)?;
        let events = Events::load(&connection)?;
        let operations = observations::count(&connection)?;
        let unrecorded = super::read::meta(&connection, UNRECORDED)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let earlier = Losses::load(&connection)?;
        let (path, limits) = (path.to_owned(), limits.clone());
        Ok(Self { connection, path, limits, events, operations, unrecorded, earlier, written: Losses::default() })
    }

    /// Takes in a batch, all of it or nothing. `lost` is what this run lost so far.
    pub(super) fn write(&mut self, batch: &[Message], lost: &Losses) -> Result<(), JournalError> {
        let mut answer = self.attempt(batch, lost);
        if answer.as_ref().is_err_and(|error| error.kind == Kind::Full) && self.relieve() {
            answer = self.attempt(batch, lost);
        }
        answer
    }

    fn attempt(&mut self, batch: &[Message], lost: &Losses) -> Result<(), JournalError> {
        let answer = self.transact(batch, lost);
        answer.map_err(|error| {
            // What is remembered of the tables may speak of rows that were taken back.
            if let Ok(events) = Events::load(&self.connection) {
                self.events = events;
            }
            if let Ok(operations) = observations::count(&self.connection) {
                self.operations = operations;
            }
            self.failed(&error)
        })
    }

    fn transact(&mut self, batch: &[Message], lost: &Losses) -> rusqlite::Result<()> {
        let Self { connection, limits, events, operations, unrecorded, earlier, written, .. } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut most = *unrecorded;
        for message in batch {
            match message {
                Message::Observations(reading) => {
                    let refused = observations::fold(&transaction, reading, operations, limits.operations)?;
                    most = most.max(refused);
                }
                Message::Events(records) => events.insert(&transaction, records.iter(), limits.groups)?,
                Message::Tally(tally) => health::tally(&transaction, tally)?,
                Message::Health(sample) => health::sample(&transaction, sample)?,
                Message::Generation(generation) => changes::generation(&transaction, generation)?,
                Message::Confirmed { number, time } => changes::confirmed(&transaction, *number, *time)?,
                Message::Mode(change) => changes::mode(&transaction, change)?,
                Message::Grant(grant) => changes::grant(&transaction, grant)?,
                Message::Meta { name, value } => changes::meta(&transaction, name, value)?,
                Message::Flush(_) => {}
            }
        }
        if most != *unrecorded {
            changes::meta(&transaction, UNRECORDED, &most.to_string())?;
        }
        if lost != written {
            lost.plus(earlier).store(&transaction)?;
        }
        transaction.commit()?;
        *unrecorded = most;
        *written = lost.clone();
        Ok(())
    }

    /// Thins the records of events, if there are too many.
    pub(super) fn thin(&mut self) -> Result<(), JournalError> {
        let (rows, bytes) = (self.limits.events, self.limits.event_bytes());
        let answer = self.events.thin(&mut self.connection, rows, bytes);
        answer.map_err(|error| self.failed(&error))
    }

    /// What has to be done now and then: old hours, old changes, the size of the file and of its log.
    pub(super) fn tidy(&mut self) -> Result<(), JournalError> {
        let now = time::now();
        let hours = i64::try_from(self.limits.hours).unwrap_or(i64::MAX);
        let oldest = time::hour(now).saturating_sub(hours);
        let mut tidy = || {
            size::merge_before(&mut self.connection, oldest)?;
            health::merge(&mut self.connection, now, oldest)?;
            changes::bound(&self.connection, &self.limits)?;
            size::relieve(&mut self.connection, self.limits.database_bytes())?;
            self.checkpoint()
        };
        tidy().map_err(|error| self.failed(&error))
    }

    /// Moves the write-ahead log into the database and empties it. A reader may be in the way; then it is for next time.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Makes room within the configured size; false where it is the disk that is full.
    fn relieve(&mut self) -> bool {
        let bytes = self.limits.database_bytes();
        let (rows, text) = (self.events.rows / 4 * 3, self.events.bytes);
        Pages::ask(&self.connection, bytes).is_ok_and(|pages| pages.file + 64 >= pages.most)
            && self.events.thin(&mut self.connection, rows, text).is_ok()
            && size::relieve(&mut self.connection, bytes).is_ok()
    }

    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        JournalError::of(&self.path, "written", error)
    }
}

use size::Pages;

/// The settings that hold for one connection, and those that a new file is made with.
fn prepare(connection: &mut Connection, limits: &Limits) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Has an effect only before the first table.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let page: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let log = limits.log_bytes() / page.max(1) / 2;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", log, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", limits.log_bytes(), |_| Ok(()))?;
    let pages = limits.database_bytes() / page.max(1);
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// Looks at the version without writing: what a newer program made stays as it is.
fn refuse_newer(path: &Path) -> Result<(), JournalError> {
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    let version = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| schema::version(&connection));
    match version {
        Ok(version) => refuse_version(path, version),
        // A crash left a transaction to be taken back, which a connection that only reads cannot do.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => Ok(()),
        Err(error) => Err(JournalError::of(path, "opened", &error)),
    }
}

fn refuse_version(path: &Path, version: i64) -> Result<(), JournalError> {
    if version <= schema::NEWEST {
        return Ok(());
    }
    let newest = schema::NEWEST;
    let cause = format!("a newer version of this program wrote it (schema {version}, this one knows {newest})");
    Err(JournalError::new(path, "opened", Kind::Newer, cause))
}

/// Sets a damaged database aside under a name with the time, and returns that name.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let failed = |error: std::io::Error| {
        JournalError::new(
            path,
            "set aside",
            Kind::Unusable,
            format!("the file is damaged, and renaming it fails: {error}"),
        )
    };
    let directory = path.parent().unwrap_or(Path::new("."));
    let stamp: String = time::text(time::now()).chars().filter(|letter| !matches!(letter, ':' | '-')).collect();
    let aside = directory.join(format!("journal.corrupt-{stamp}"));
    for suffix in BESIDE {
        let beside = |file: &Path| PathBuf::from(format!("{}{suffix}", file.display()));
        match fs::rename(beside(path), beside(&aside)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
    }
    fs::rename(path, &aside).map_err(failed)?;
    drop_damaged(directory);
    Ok(aside)
}

/// Removes all but the newest damaged files. Their names sort by time.
fn drop_damaged(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let damaged = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("journal.corrupt-");
    let mut names: Vec<PathBuf> = entries.flatten().filter(damaged).map(|entry| entry.path()).collect();
    names.sort();
    let beside = |path: &PathBuf| BESIDE.iter().any(|suffix| path.to_string_lossy().ends_with(suffix));
    let mains: Vec<&PathBuf> = names.iter().filter(|path| !beside(path)).collect();
    let Some(oldest) = mains.len().checked_sub(DAMAGED_KEPT).and_then(|at| mains.get(at)) else { return };
    for path in names.iter().filter(|path| path < oldest) {
        // One that cannot go is in nobody's way.
        let _ = fs::remove_file(path);
    }
}
