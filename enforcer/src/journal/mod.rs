//! The journal: what was seen, what was done, by whom and why, kept over restarts and power losses.
//!
//! Enters: readings of the kernel's observations, event records, tallies, samples of health, changes. Leaves: evidence,
//! totals, curves and lists over a [`Reader`]. Two things stand side by side in the state directory:
//!
//! - `journal.db`, a SQLite database within a configured size. One thread writes it; callers only put messages into its
//!   queue and never wait. What does not fit into the queue or cannot be written is counted ([`Losses`]). A damaged file is
//!   set aside and a new one begun, a full or read-only disk is tried again from time to time, and
//!   [`Journal::troubles`] says so. Nothing that happens here reaches a verdict.
//! - `audit.jsonl`, the hash chain over every change ([`audit`]). Its writer does wait: what [`Journal::audit`] returned is
//!   safe on the disk.

pub mod audit;
mod changes;
mod error;
mod events;
mod groups;
mod health;
mod key;
mod limits;
mod losses;
mod message;
mod observations;
mod read;
mod schema;
mod size;
mod store;
mod thin;
pub mod time;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

pub use audit::{Audit, AuditError};
pub use changes::{Generation, Grant, ModeChange};
pub use error::{JournalError, Kind};
pub use groups::{ANY, Group};
pub use health::{Health, Tally};
pub use limits::Limits;
pub use losses::Losses;
pub use observations::Reading;
pub use read::{Discovered, EventRow, Evidence, GroupTotal, HourCount, Reader, Window};

use message::Message;
use writer::{Shared, Writer};

/// The database's name in the state directory.
const DATABASE: &str = "journal.db";

/// Where the database of a state directory is.
fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// A handle of the journal; clones share one writer. When the last one goes, what was sent is written first.
#[derive(Clone, Debug)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    /// Gone only while the last handle is dropped.
    queue: Option<SyncSender<Message>>,
    shared: Arc<Shared>,
    audit: Mutex<Audit>,
    thread: Option<JoinHandle<()>>,
}

/// Bytes on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Sizes {
    /// The database.
    pub database: u64,
    /// Its write-ahead log.
    pub log: u64,
    /// The audit chain.
    pub audit: u64,
}

impl Journal {
    /// Opens the journal of a state directory. Never fails: what cannot be opened is in [`Self::troubles`], is tried again,
    /// and what is sent meanwhile is counted as lost. Checks the audit chain, so it takes as long as reading that file.
    #[must_use]
    pub fn open(directory: &Path, limits: Limits) -> Self {
        let shared = Arc::new(Shared::default());
        let mut audit = Audit::new(directory);
        // What is wrong with it is kept in it, and the next append tries again.
        let _ = audit.prepare();
        let (sender, receiver) = sync_channel(limits.queue.max(1));
        let path = database(directory);
        let writer = Writer::new(path.clone(), limits, Arc::clone(&shared));
        let spawned = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(&receiver));
        let thread = spawned.map_err(|error| {
            let cause = format!("no thread for it: {error}");
            shared.trouble(&JournalError::new(&path, "written", Kind::Unusable, cause));
        });
        let (directory, queue, audit) = (directory.to_owned(), Some(sender), Mutex::new(audit));
        Self { inner: Arc::new(Inner { directory, queue, shared, audit, thread: thread.ok() }) }
    }

    /// Appends to the audit trail. Returns once the record is safe on the disk, which takes some milliseconds: call it
    /// where waiting is allowed.
    ///
    /// # Errors
    /// [`AuditError`]: the record is not, or not known to be, on the disk.
    pub fn audit(&self, entry: audit::Entry) -> Result<audit::Head, AuditError> {
        self.trail().append(entry)
    }

    /// Folds a reading of the kernel's table. Reading it twice counts nothing twice.
    pub fn observe(&self, reading: Reading) {
        self.send(Message::Observations(reading));
    }

    /// Takes in event records as the contract has them.
    pub fn events(&self, records: Vec<Value>) {
        self.send(Message::Events(records));
    }

    /// Adds to the tally of a conduit's hour.
    pub fn tally(&self, tally: Tally) {
        self.send(Message::Tally(tally));
    }

    /// Takes in a sample of a device's health.
    pub fn health(&self, sample: Health) {
        self.send(Message::Health(sample));
    }

    /// Keeps a generation of the policy.
    pub fn generation(&self, generation: Generation) {
        self.send(Message::Generation(generation));
    }

    /// Notes that a generation was confirmed at `time` (nanoseconds since 1970).
    pub fn confirmed(&self, number: u32, time: i64) {
        self.send(Message::Confirmed { number, time });
    }

    /// Keeps a mode change.
    pub fn mode(&self, change: ModeChange) {
        self.send(Message::Mode(change));
    }

    /// Keeps a grant, or its new state.
    pub fn grant(&self, grant: Grant) {
        self.send(Message::Grant(grant));
    }

    /// Keeps a value under a name of the caller's. Names that begin with `lost_` or `unrecorded_` are the journal's own.
    pub fn note(&self, name: &str, value: &str) {
        self.send(Message::Meta { name: name.to_owned(), value: value.to_owned() });
    }

    /// Waits until what was sent before is on the disk, at most for `wait`. False when it is not.
    #[must_use]
    pub fn flush(&self, wait: Duration) -> bool {
        let (sender, answer) = sync_channel(1);
        let end = std::time::Instant::now() + wait;
        let mut message = Message::Flush(sender);
        loop {
            let Some(queue) = &self.inner.queue else { return false };
            message = match queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(message)) => message,
            };
            if std::time::Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        answer.recv_timeout(end.saturating_duration_since(std::time::Instant::now())).unwrap_or(false)
    }

    /// What needs a person's attention, a sentence each, with file and cause; empty when all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = self.inner.shared.troubles();
        troubles.extend(self.trail().troubles());
        troubles
    }

    /// What this run lost. What all runs lost is in [`Reader::losses`].
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.inner.shared.lost()
    }

    /// A connection to ask questions over. Never blocks the writer; keep it no longer than needed, so that the log can be
    /// emptied.
    ///
    /// # Errors
    /// [`JournalError`] when there is no database to read.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open(&self.inner.directory)
    }

    /// Bytes on the disk; 0 for what is not there.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let directory = &self.inner.directory;
        let size = |name: &str| std::fs::metadata(directory.join(name)).map_or(0, |file| file.len());
        Sizes { database: size(DATABASE), log: size("journal.db-wal"), audit: size(audit::CHAIN) }
    }

    /// Where it is kept.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    fn trail(&self) -> MutexGuard<'_, Audit> {
        self.inner.audit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, message: Message) {
        let refused = match &self.inner.queue {
            Some(queue) => queue.try_send(message).err(),
            None => return,
        };
        if let Some(TrySendError::Full(message) | TrySendError::Disconnected(message)) = refused {
            self.inner.shared.lose([&message]);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends when the queue has no more senders.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
