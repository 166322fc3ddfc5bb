//! What the service manager hears: that the box is ready, in which state the line is, and that the daemon is alive.
//!
//! Alive means that a request could be answered and the kernel be told something: the lock was had, and the kernel's cell
//! says what this daemon wrote last. A timer alone would go on ticking in a daemon that hangs.

use std::time::Duration;

use sd_notify::NotifyState;

use super::{Daemon, Shared};

/// Tells the service manager the state, with the line's in words.
pub(super) fn say(state: NotifyState<'_>, line: &str) {
    // Nobody listens where no service manager started this.
    let _ = sd_notify::notify(false, &[state, NotifyState::Status(line)]);
}

/// Runs until the daemon ends; at once when no watchdog waits for it.
pub(super) async fn feed(daemon: Shared) {
    let mut limit = 0;
    if !sd_notify::watchdog_enabled(false, &mut limit) {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_micros(limit / 4).max(Duration::from_millis(50)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let daemon = daemon.lock().await;
        match daemon.proof() {
            Ok(()) => say(NotifyState::Watchdog, &daemon.line()),
            Err(why) => tracing::error!(why, "not alive"),
        }
    }
}

impl Daemon {
    /// Whether the kernel's cell can be read and says what was written last.
    fn proof(&self) -> Result<(), String> {
        let cell = self.object.maps.settings.get(&0, 0).map_err(|error| format!("the settings: {error}"))?.0;
        if cell == self.settings {
            Ok(())
        } else {
            Err(format!("the kernel's settings are not those of this daemon: {cell:?}, {:?}", self.settings))
        }
    }
}
