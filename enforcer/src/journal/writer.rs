//! The writer: one thread that takes messages from the queue, a batch to a transaction, and that goes on whatever happens
//! to the file.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{JournalError, Kind};
use super::limits::Limits;
use super::losses::Losses;
use super::message::Message;
use super::store::{Store, set_aside};

/// A batch is written when it has this many records, or its first one waited this long.
const BATCH: usize = 1000;
const WAIT: Duration = Duration::from_secs(1);

/// How often old hours and the file's size are looked after.
const TIDY: Duration = Duration::from_secs(60);

/// What the writer and the handles share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lost: Losses,
    trouble: Option<String>,
    notice: Option<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts messages as lost.
    pub(super) fn lose<'a>(&self, messages: impl IntoIterator<Item = &'a Message>) {
        let mut state = self.state();
        messages.into_iter().for_each(|message| state.lost.add(message));
    }

    /// What this run lost.
    pub(super) fn lost(&self) -> Losses {
        self.state().lost.clone()
    }

    /// What is wrong now, and what was found and set right.
    pub(super) fn troubles(&self) -> Vec<String> {
        let state = self.state();
        state.trouble.iter().chain(&state.notice).cloned().collect()
    }

    /// Notes that nothing can be written.
    pub(super) fn trouble(&self, error: &JournalError) {
        self.state().trouble =
            Some(format!("{error}; until then nothing is recorded there, and what the firewall does goes on"));
    }

    fn mended(&self) {
        self.state().trouble = None;
    }

    fn note(&self, notice: String) {
        self.state().notice = Some(notice);
    }
}

/// The thread's own.
pub(super) struct Writer {
    path: PathBuf,
    limits: Limits,
    shared: Arc<Shared>,
    store: Option<Store>,
    /// When the database is tried again, or probed.
    retry: Instant,
    tidy: Instant,
    /// When a damaged file was last set aside. A disk that damages each new file is not given ever more of them.
    renewed: Option<Instant>,
}

impl Writer {
    pub(super) fn new(path: PathBuf, limits: Limits, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self { path, limits, shared, store: None, retry: now, tidy: now, renewed: None }
    }

    /// Works until the last handle is gone, then writes what is left.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() == 0) {
            self.shared.note(format!("{}: the journal was empty; a new one was begun", self.path.display()));
        }
        self.look_after();
        loop {
            let pause = self.retry.min(self.tidy).saturating_duration_since(Instant::now());
            match queue.recv_timeout(pause.max(Duration::from_millis(1))) {
                Ok(first) => {
                    let batch = gather(first, queue);
                    self.look_after();
                    let done = self.write(&batch);
                    for message in batch {
                        if let Message::Flush(answer) = message {
                            // Who asked may have gone.
                            let _ = answer.try_send(done);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.look_after(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(store) = &self.store {
            // The next start does it otherwise.
            let _ = store.checkpoint();
        }
    }

    /// Opens what is not open, and does what is due.
    fn look_after(&mut self) {
        let now = Instant::now();
        if now >= self.retry {
            self.retry = now + self.limits.retry;
            if self.store.is_none() {
                self.open();
            } else if self.shared.state().trouble.is_some() {
                // Whether there is room again.
                self.write(&[]);
            }
        }
        if now >= self.tidy {
            self.tidy = now + TIDY;
            let answer = self.store.as_mut().map_or(Ok(()), Store::tidy);
            self.settle(answer);
        }
    }

    fn open(&mut self) {
        let mut answer = Store::open(&self.path, &self.limits);
        if let Err(error) = &answer
            && error.kind == Kind::Corrupt
        {
            answer = self.begin_anew(&error.clone());
        }
        match answer {
            Ok(store) => {
                self.store = Some(store);
                self.shared.mended();
            }
            Err(error) => self.shared.trouble(&error),
        }
    }

    /// Sets the damaged file aside and opens a new one.
    fn begin_anew(&mut self, error: &JournalError) -> Result<Store, JournalError> {
        self.store = None;
        let soon = self.limits.retry * 6;
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < soon) {
            return Err(error.clone());
        }
        self.renewed = Some(Instant::now());
        let aside = set_aside(&self.path)?;
        let name = aside.file_name().unwrap_or_default().to_string_lossy();
        self.shared.note(format!(
            "{}: {}; it was set aside as {name} and a new journal begun",
            self.path.display(),
            error.cause
        ));
        Store::open(&self.path, &self.limits)
    }

    /// Writes a batch; what cannot be written is counted. True when it is on the disk.
    fn write(&mut self, batch: &[Message]) -> bool {
        let lost = self.shared.lost();
        let mut answer = self.store.as_mut().map(|store| store.write(batch, &lost));
        if let Some(Err(error)) = &answer
            && error.kind == Kind::Corrupt
        {
            let error = error.clone();
            answer = Some(self.begin_anew(&error).and_then(|mut store| {
                let answer = store.write(batch, &lost);
                self.store = Some(store);
                answer
            }));
        }
        let done = matches!(answer, Some(Ok(())));
        if !done {
            self.shared.lose(batch);
        }
        if let Some(answer) = answer {
            let thinned = answer.and_then(|()| self.store.as_mut().map_or(Ok(()), Store::thin));
            self.settle(thinned);
        }
        done
    }

    /// Tells of what went wrong. A full disk may have room again for the next batch; after all else the file is opened anew.
    fn settle(&mut self, answer: Result<(), JournalError>) {
        match answer {
            Ok(()) if self.store.is_some() => self.shared.mended(),
            Ok(()) => {}
            Err(error) if error.kind == Kind::Full => self.shared.trouble(&error),
            Err(error) => {
                self.shared.trouble(&error);
                self.store = None;
                self.retry = Instant::now() + self.limits.retry;
                if error.kind == Kind::Corrupt
                    && let Ok(store) = self.begin_anew(&error)
                {
                    self.store = Some(store);
                    self.shared.mended();
                }
            }
        }
    }
}

/// A batch: what is in the queue, and what comes within a second of the first.
fn gather(first: Message, queue: &Receiver<Message>) -> Vec<Message> {
    let end = Instant::now() + WAIT;
    let mut weight = first.weight();
    let mut urgent = first.is_urgent();
    let mut batch = vec![first];
    while weight < BATCH && !urgent {
        let Ok(next) = queue.recv_timeout(end.saturating_duration_since(Instant::now())) else { break };
        weight += next.weight();
        urgent = next.is_urgent();
        batch.push(next);
    }
    batch
}
