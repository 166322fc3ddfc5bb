//! The audit trail: a hash chain over every change, with who, what and why.
//!
//! Enters: an [`Entry`] for each change, and for each that was refused. Leaves: a [`Head`], once the record is safe on the
//! disk. The chain is a text file of JSON lines that no thinning touches and that a person can check with `sha256sum`.
//! Whoever may write the files can make a new chain that holds; only a [`Head`] kept elsewhere tells that one apart.

mod files;
mod record;
mod verify;

#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

pub use files::{AuditError, CHAIN, HEAD, TORN};
pub use record::{Entry, Head, Record, Who};
pub use verify::{Broken, Verified, verify};

use super::time;
use files::{HeadFile, failed, keep_torn, read_head, sync_directory, write_head};
use record::{NOTHING, sha256};
use verify::{judge, walk};

/// The writer of one audit trail. Opens its files when first used, and again after each failure.
#[derive(Debug)]
pub struct Audit {
    directory: PathBuf,
    /// Whether there was a journal already: then there has to be a trail.
    beside_a_journal: bool,
    open: Option<Open>,
    notice: Option<String>,
    failure: Option<String>,
}

/// The chain while it can be written.
#[derive(Debug)]
struct Open {
    /// Locked, so that two daemons never write one chain.
    file: File,
    length: u64,
    head: Head,
}

impl Audit {
    /// A trail in `directory`. Touches nothing yet.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let beside_a_journal = super::database(directory).exists();
        Self { directory: directory.to_owned(), beside_a_journal, open: None, notice: None, failure: None }
    }

    /// Appends a record. Returns once it is safe on the disk; an error means that it is not, or
    /// not known to be. Takes the time of a few disk writes.
    ///
    /// # Errors
    /// [`AuditError`]: directory missing, disk full, read-only, or written by another process. The next call tries anew.
    pub fn append(&mut self, entry: Entry) -> Result<Head, AuditError> {
        let answer = self.recover().and_then(|open| open.append(&self.directory, entry));
        match answer {
            Ok((open, head)) => {
                self.open = Some(open);
                self.failure = None;
                Ok(head)
            }
            Err(error) => {
                self.failure = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// Opens the files now, so that damage is found at the start and not at the first change.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn prepare(&mut self) -> Result<Head, AuditError> {
        match self.recover() {
            Ok(open) => {
                let head = open.head.clone();
                self.open = Some(open);
                self.failure = None;
                Ok(head)
            }
            Err(error) => {
                self.failure = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// What is wrong: damage found when the chain was opened, and why the last record could not be written.
    pub fn troubles(&self) -> impl Iterator<Item = String> {
        let failure =
            self.failure.iter().map(|failure| format!("{failure}; changes are not recorded until it can be written"));
        self.notice.iter().cloned().chain(failure)
    }

    /// The open chain, taken out: it comes back only when all went well with it.
    fn recover(&mut self) -> Result<Open, AuditError> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let directory = self.directory.as_path();
        let path = directory.join(CHAIN);
        let file = lock(&path)?;
        let head = read_head(directory)?;
        let walk = walk(directory, None)?;
        let torn = walk.torn(&head);
        let answer = judge(&walk, &head, None);
        let mut open = Open { file, length: walk.length, head: Head { seq: 0, hash: NOTHING.to_owned() } };
        if walk.length == 0 && head == HeadFile::Missing {
            sync_directory(directory).map_err(failed(directory, "make the chain's name last"))?;
            let old = self.beside_a_journal;
            if old {
                self.notice = Some(format!(
                    "{}: the audit trail is missing beside a journal; a new one was begun",
                    path.display()
                ));
            }
            return open.note(directory, "audit_begin", json!({"beside_a_journal": old}));
        }
        // Goes on from the newest record there is any trace of.
        let named = match &head {
            HeadFile::Says(head) => Some(head.clone()),
            HeadFile::Wrong | HeadFile::Missing => None,
        };
        let heads = [walk.last.as_ref().map(Record::head), walk.behind.clone(), named];
        if let Some(newest) = heads.into_iter().flatten().max_by_key(|head| head.seq) {
            open.head = newest;
        }
        match answer {
            Ok(_) if torn == 0 => write_head(directory, &open.head).map(|()| open),
            // Nothing but part of a record, also where not even the first one was finished.
            Ok(_) => open.cut(directory, walk.good),
            Err(_) if torn != 0 => open.cut(directory, walk.good),
            Err(broken) => {
                self.notice = Some(format!("{}: the audit trail does not hold: {broken}", directory.display()));
                open.finish_line(&path)?;
                open.note(
                    directory,
                    "audit_broken",
                    json!({"where": broken.file, "line": broken.line, "cause": broken.cause}),
                )
            }
        }
    }
}

impl Open {
    fn append(mut self, directory: &Path, entry: Entry) -> Result<(Self, Head), AuditError> {
        let Entry { who, what, detail, why } = entry;
        let path = directory.join(CHAIN);
        let mut record = Record {
            seq: self.head.seq.saturating_add(1),
            time: time::text(time::now()),
            who,
            what,
            detail,
            why,
            previous: self.head.hash.clone(),
            hash: String::new(),
        };
        let line = record.seal().map_err(failed(&path, "write a record"))?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        let head = record.head();
        let answer = written.map_err(failed(&path, "append")).and_then(|()| write_head(directory, &head));
        if let Err(error) = answer {
            // Nobody is told that it is safe, so it goes, unless the head file names it already. Where it cannot go, opening
            // anew finds it.
            if !read_head(directory).is_ok_and(|named| named == HeadFile::Says(head)) {
                let _ = self.file.set_len(self.length).and_then(|()| self.file.sync_data());
            }
            return Err(error);
        }
        self.length += line.len() as u64;
        self.head = head.clone();
        Ok((self, head))
    }

    /// A record of the daemon's own.
    fn note(self, directory: &Path, what: &str, detail: serde_json::Value) -> Result<Self, AuditError> {
        let entry = Entry { who: Who::daemon(), what: what.to_owned(), detail, why: None };
        self.append(directory, entry).map(|(open, _)| open)
    }

    /// Moves what stands behind the last good record out of the chain, and records that.
    fn cut(mut self, directory: &Path, good: u64) -> Result<Self, AuditError> {
        let path = directory.join(CHAIN);
        let mut bytes = Vec::new();
        let read = self.file.seek(SeekFrom::Start(good)).and_then(|_| self.file.read_to_end(&mut bytes));
        read.map_err(failed(&path, "read what a crash left"))?;
        keep_torn(directory, &bytes)?;
        self.file
            .set_len(good)
            .and_then(|()| self.file.sync_all())
            .map_err(failed(&path, "cut off what a crash left"))?;
        self.length = good;
        self.note(directory, "audit_torn", json!({"bytes": bytes.len(), "sha256": sha256(&bytes), "kept_in": TORN}))
    }

    /// A broken chain may end inside a line; what is appended needs one of its own.
    fn finish_line(&mut self, path: &Path) -> Result<(), AuditError> {
        let mut finish = || {
            if self.length == 0 {
                return Ok(());
            }
            let mut last = [0];
            self.file.seek(SeekFrom::Start(self.length - 1))?;
            self.file.read_exact(&mut last)?;
            if last != *b"\n" {
                self.file.write_all(b"\n")?;
                self.length += 1;
            }
            Ok::<(), std::io::Error>(())
        };
        finish().map_err(failed(path, "append"))
    }
}

/// Opens the chain for appending, alone.
fn lock(path: &Path) -> Result<File, AuditError> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let file = options.open(path).map_err(failed(path, "open the chain"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(failed(path, "open the chain")("another process writes it")),
        Err(TryLockError::Error(error)) => Err(failed(path, "lock the chain")(error)),
    }
}

/// The last `limit` records of the trail in `directory`, oldest first. Lines that are no whole record are passed over; it is
/// [`verify`] that tells of them.
///
/// # Errors
/// [`AuditError`] when the chain cannot be read.
pub fn read(directory: &Path, limit: usize) -> Result<Vec<Record>, AuditError> {
    let path = directory.join(CHAIN);
    let file = File::open(&path).map_err(failed(&path, "read the chain"))?;
    let mut records = std::collections::VecDeque::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(failed(&path, "read the chain"))?;
        if let Ok(record) = Record::read(&line) {
            records.push_back(record);
            if records.len() > limit {
                records.pop_front();
            }
        }
    }
    Ok(records.into())
}
