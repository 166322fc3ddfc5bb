//! What stands between the daemon and an export: a bounded queue with a ledger.
//!
//! Enters: events, from whoever holds the daemon's lock; that never waits. Leaves: lines, to the one thread that writes
//! them. An event that finds the queue full is counted as lost: the newest is dropped, so what arrives has no hole before
//! the first loss, and the line behind a hole says how large it was. At any time
//! `offered == sent + lost + queued`, counted in what the events stand for (`count`).

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::journal::time;

/// So long after a loss a person should still know of it.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A line that waits to be written.
#[derive(Debug)]
pub(super) struct Record {
    /// How many happenings it stands for; 0 for the exporter's own notes.
    pub(super) count: u64,
    pub(super) line: Box<str>,
}

/// What the writer is told when it asks for work.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) records: Vec<Record>,
    /// The file was moved away: open it anew.
    pub(super) reopen: bool,
    /// The daemon ends: write what there is, and return.
    pub(super) closing: bool,
}

/// How an export does.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The export's name.
    pub name: &'static str,
    /// Happenings written or handed over.
    pub sent: u64,
    /// Happenings that were dropped.
    pub lost: u64,
    /// Happenings that wait.
    pub queued: u64,
    /// The file is open, or the server connected.
    pub connected: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
struct Ledger {
    waiting: VecDeque<Record>,
    offered: u64,
    sent: u64,
    lost: u64,
    /// Lost since the last line that was taken in.
    hole: u64,
    /// Number of the last event offered.
    number: u64,
    connected: bool,
    last_error: Option<String>,
    last_loss: Option<Instant>,
    reopen: bool,
    closing: bool,
}

/// How an event becomes a line: the event, and its number, counted from 1 and never repeated in this run.
pub(super) type Form = Box<dyn Fn(&Value, u64) -> String + Send + Sync>;

/// The queue of one export.
pub(super) struct Queue {
    name: &'static str,
    room: usize,
    form: Form,
    ledger: Mutex<Ledger>,
    wake: Condvar,
}

impl Queue {
    pub(super) fn new(name: &'static str, room: usize, form: Form) -> Self {
        Self { name, room, form, ledger: Mutex::default(), wake: Condvar::new() }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an event, or counts it as lost. Never waits for the writer.
    pub(super) fn offer(&self, event: &Value) {
        let count = event.get("count").and_then(Value::as_u64).unwrap_or(1);
        let (number, hole) = {
            let mut ledger = self.ledger();
            ledger.offered += count;
            ledger.number += 1;
            if ledger.closing || ledger.waiting.len() >= self.room {
                ledger.lost += count;
                ledger.hole += count;
                ledger.last_loss = Some(Instant::now());
                return;
            }
            let number = ledger.number;
            // The note about a hole is an event of its own, with a number of its own.
            ledger.number += u64::from(ledger.hole != 0);
            (number, std::mem::take(&mut ledger.hole))
        };
        // Formed outside of the ledger's lock: the writer need not wait for it.
        let note = (hole != 0).then(|| self.note(hole, number));
        let line = (self.form)(event, number + u64::from(hole != 0)).into();
        let mut ledger = self.ledger();
        ledger.waiting.extend(note);
        ledger.waiting.push_back(Record { count, line });
        self.wake.notify_all();
    }

    fn note(&self, hole: u64, number: u64) -> Record {
        let what = format!("export {}: {hole} events before this one found the queue full and are not here", self.name);
        let note = json!({
            "schema": 1,
            "event": "alarm",
            "time": super::microseconds(time::now()),
            "reason": "export_lost",
            "what": what,
            "lost": hole,
            "count": 1,
        });
        Record { count: 0, line: (self.form)(&note, number).into() }
    }

    /// Waits for work, at most for `wait`.
    pub(super) fn take(&self, most: usize, wait: Duration) -> Taken {
        let ledger = self.ledger();
        let idle = |ledger: &mut Ledger| ledger.waiting.is_empty() && !ledger.reopen && !ledger.closing;
        let (mut ledger, _) = self.wake.wait_timeout_while(ledger, wait, idle).unwrap_or_else(PoisonError::into_inner);
        let most = most.min(ledger.waiting.len());
        Taken {
            records: ledger.waiting.drain(..most).collect(),
            reopen: std::mem::take(&mut ledger.reopen),
            closing: ledger.closing,
        }
    }

    /// Waits before another try; shorter when the daemon ends. True when it ends.
    pub(super) fn pause(&self, wait: Duration) -> bool {
        let ledger = self.ledger();
        let open = |ledger: &mut Ledger| !ledger.closing;
        let (ledger, _) = self.wake.wait_timeout_while(ledger, wait, open).unwrap_or_else(PoisonError::into_inner);
        ledger.closing
    }

    /// Happenings have arrived.
    pub(super) fn sent(&self, count: u64) {
        self.ledger().sent += count;
    }

    /// Lines that were taken and will not be written.
    pub(super) fn give_up(&self, records: impl IntoIterator<Item = Record>) {
        let count: u64 = records.into_iter().map(|record| record.count).sum();
        let mut ledger = self.ledger();
        ledger.lost += count;
        if count != 0 {
            ledger.last_loss = Some(Instant::now());
        }
    }

    /// The file is open, the server connected.
    pub(super) fn connected(&self) {
        self.ledger().connected = true;
    }

    /// Something is wrong; the log is told once for each new cause.
    pub(super) fn failing(&self, error: &dyn std::fmt::Display) {
        let error = error.to_string();
        let mut ledger = self.ledger();
        if ledger.connected || ledger.last_error.as_ref() != Some(&error) {
            tracing::warn!(export = self.name, error, "an export fails; the firewall goes on");
        }
        ledger.connected = false;
        ledger.last_error = Some(error);
    }

    /// The file was moved away.
    pub(super) fn reopen(&self) {
        self.ledger().reopen = true;
        self.wake.notify_all();
    }

    /// The daemon ends: nothing more is taken in.
    pub(super) fn close(&self) {
        self.ledger().closing = true;
        self.wake.notify_all();
    }

    pub(super) fn state(&self) -> State {
        let ledger = self.ledger();
        State {
            name: self.name,
            sent: ledger.sent,
            lost: ledger.lost,
            queued: ledger.offered - ledger.sent - ledger.lost,
            connected: ledger.connected,
            last_error: ledger.last_error.clone(),
        }
    }

    /// What a person should know: that it fails, or that it lost something not long ago.
    pub(super) fn attention(&self) -> Option<String> {
        let ledger = self.ledger();
        let lost = ledger.lost;
        let recent = ledger.last_loss.is_some_and(|at| at.elapsed() < REMEMBERED);
        match &ledger.last_error {
            Some(error) if !ledger.connected => Some(format!("export {}: {error}; {lost} events lost", self.name)),
            _ if recent => Some(format!("export {}: {lost} events lost", self.name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::Queue;

    fn queue(room: usize) -> Queue {
        Queue::new("test", room, Box::new(|event: &Value, number| format!("{number} {event}")))
    }

    #[test]
    fn every_event_is_sent_lost_or_queued_and_a_hole_is_said() {
        let queue = queue(2);
        for _ in 0..5 {
            queue.offer(&json!({"event": "deny", "count": 3}));
        }
        let state = queue.state();
        assert_eq!((state.sent, state.lost, state.queued), (0, 9, 6), "{state:?}");
        let taken = queue.take(10, Duration::ZERO);
        assert_eq!(taken.records.len(), 2);
        queue.sent(taken.records.iter().map(|record| record.count).sum());
        queue.offer(&json!({"event": "deny"}));
        let taken = queue.take(10, Duration::ZERO);
        let lines: Vec<&str> = taken.records.iter().map(|record| &*record.line).collect();
        assert!(lines[0].starts_with("6 ") && lines[0].contains(r#""lost":9"#), "{lines:?}");
        assert_eq!(lines[1], r#"7 {"event":"deny"}"#);
        queue.give_up(taken.records);
        let state = queue.state();
        assert_eq!((state.sent, state.lost, state.queued), (6, 10, 0), "{state:?}");
        assert_eq!(queue.attention().as_deref(), Some("export test: 10 events lost"));
    }

    #[test]
    fn what_comes_after_the_end_is_lost_and_counted() {
        let queue = queue(2);
        queue.close();
        queue.offer(&json!({"event": "deny"}));
        assert!(queue.take(1, Duration::from_secs(60)).closing);
        assert!(queue.pause(Duration::from_secs(60)));
        assert_eq!(queue.state().lost, 1);
    }

    #[test]
    fn a_failing_export_asks_for_attention_until_it_is_well() {
        let queue = queue(2);
        assert_eq!(queue.attention(), None);
        queue.failing(&"no such server");
        assert_eq!(queue.attention().as_deref(), Some("export test: no such server; 0 events lost"));
        queue.connected();
        assert_eq!(queue.attention(), None);
        assert_eq!(queue.state().last_error.as_deref(), Some("no such server"));
    }
}
