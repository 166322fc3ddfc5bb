//! Events on their way out of the box: JSON lines into a file, syslog to a server.
//!
//! Enters: every event, once ([`Exports::offer`]). Each export has a bounded queue and a thread of its own, which may wait
//! for disks and servers as long as it likes; what finds the queue full is counted, never silently gone. Nothing of this
//! keeps the daemon from starting, holds its lock, or reaches a packet.

mod eve;
mod queue;
mod syslog;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config;
use crate::replay::time::Timestamp;
use queue::Queue;

pub use queue::State;

/// How long the end of the daemon waits for what is queued.
pub const LAST_WAIT: Duration = Duration::from_secs(2);

/// The exports of a box; none when none is configured.
#[derive(Default)]
pub struct Exports {
    running: Vec<(Arc<Queue>, Option<JoinHandle<()>>)>,
}

impl Exports {
    /// Starts what is configured.
    #[must_use]
    pub fn start(config: &config::Exports) -> Self {
        let mut exports = Self::default();
        if let Some(settings) = config.eve.clone() {
            let queue = Queue::new("eve", settings.queue, Box::new(|event, _| event.to_string()));
            exports.spawn(queue, move |queue| eve::run(queue, &settings));
        }
        if let Some(settings) = config.syslog.clone() {
            let queue = Queue::new("syslog", settings.queue, syslog::form(settings.facility));
            exports.spawn(queue, move |queue| syslog::run(queue, &settings));
        }
        exports
    }

    fn spawn(&mut self, queue: Queue, work: impl FnOnce(&Queue) + Send + 'static) {
        let queue = Arc::new(queue);
        let own = Arc::clone(&queue);
        let name = format!("export-{}", queue.state().name);
        let thread = std::thread::Builder::new().name(name).spawn(move || work(&own));
        if let Err(error) = &thread {
            queue.failing(&format!("no thread for it: {error}"));
        }
        self.running.push((queue, thread.ok()));
    }

    /// Hands an event to every export. Never waits.
    pub fn offer(&self, event: &Value) {
        for (queue, _) in &self.running {
            queue.offer(event);
        }
    }

    /// How each export does.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        self.running.iter().map(|(queue, _)| queue.state()).collect()
    }

    /// What a person should know.
    #[must_use]
    pub fn attention(&self) -> Vec<String> {
        self.running.iter().filter_map(|(queue, _)| queue.attention()).collect()
    }

    /// Files are opened anew: somebody has moved them away.
    pub fn reopen(&self) {
        for (queue, _) in &self.running {
            queue.reopen();
        }
    }

    /// Takes nothing more, and waits a little until what is queued is out. What is not is said in the log.
    pub fn finish(&mut self) {
        for (queue, _) in &self.running {
            queue.close();
        }
        let end = Instant::now() + LAST_WAIT;
        for (queue, thread) in &mut self.running {
            while thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            // A thread that hangs in a write ends with the process.
            if let Some(thread) = thread.take_if(|thread| thread.is_finished()) {
                // A panic there has been printed.
                let _ = thread.join();
            }
            let state = queue.state();
            if state.lost + state.queued != 0 {
                tracing::warn!(
                    export = state.name,
                    state.sent,
                    state.lost,
                    unsent = state.queued,
                    "not all was exported"
                );
            }
        }
    }
}

/// Nanoseconds since 1970 as text with microseconds: syslog takes no finer time.
fn microseconds(nanoseconds: i64) -> String {
    let part = u64::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0);
    Timestamp::new(nanoseconds.div_euclid(1_000_000_000), part).to_string()
}
