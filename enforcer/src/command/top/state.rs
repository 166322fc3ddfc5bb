//! What is known of the box: its last status, rates over the last seconds, the newest denials.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::feed::News;
use super::row::{self, Row};

/// Rates are taken over this time.
const SPAN: Duration = Duration::from_secs(5);

/// Rows kept: what fits on a screen, and some to scroll back.
const ROWS: usize = 500;

/// Evaluated, denied and would-denied of one conduit; "" is traffic without conduit.
type Counts = BTreeMap<String, [u64; 3]>;

/// The same per second.
pub(super) type Rates = [f64; 3];

/// Everything that the page is drawn from. Times are since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The last status and when it came.
    pub status: Option<(Duration, Value)>,
    /// Since when the daemon does not answer, and why.
    pub lost: Option<(Duration, String)>,
    /// Newest first.
    pub rows: VecDeque<Row>,
    pub help: bool,
    pub colours: bool,
    /// Rows scrolled down, and columns to the right.
    pub down: usize,
    pub right: usize,
    history: VecDeque<(Duration, Counts)>,
    /// What is shown while paused.
    frozen: Option<(Duration, Box<State>)>,
}

impl State {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours, ..Self::default() }
    }

    /// Nothing was heard yet.
    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none() && self.lost.is_none()
    }

    pub(super) fn take(&mut self, now: Duration, news: News) {
        match news {
            News::Status(status) => {
                self.history.push_back((now, counts(&status)));
                while self.history.get(1).is_some_and(|(then, _)| now.saturating_sub(*then) >= SPAN) {
                    self.history.pop_front();
                }
                self.status = Some((now, status));
                self.lost = None;
            }
            News::Event(event) => self.event(&event),
            News::Lost(why) => {
                // A daemon that comes back counts from 0.
                self.history.clear();
                self.lost.get_or_insert((now, String::new())).1 = why;
            }
        }
    }

    fn event(&mut self, event: &Value) {
        let Some(row) = row::of(event) else { return };
        match self.rows.front_mut() {
            Some(newest) if newest.is_like(&row) => {
                newest.count = newest.count.saturating_add(row.count);
                newest.time = row.time;
            }
            _ => {
                self.rows.push_front(row);
                self.rows.truncate(ROWS);
                // Who reads further down goes on reading there.
                if self.down > 0 {
                    self.down = self.down.saturating_add(1);
                }
            }
        }
    }

    /// Per second over the last seconds; `None` until two statuses are there.
    pub(super) fn rates(&self, conduit: &str) -> Option<Rates> {
        let ((then, before), (now, after)) = (self.history.front()?, self.history.back()?);
        let seconds = now.saturating_sub(*then).as_secs_f64();
        let (before, after) = (before.get(conduit)?, after.get(conduit)?);
        if seconds <= 0.0 {
            return None;
        }
        let mut rates = [0.0; 3];
        for ((rate, after), before) in rates.iter_mut().zip(after).zip(before) {
            *rate = after.checked_sub(*before)? as f64 / seconds;
        }
        Some(rates)
    }

    /// Shows what is, or what was when the key was pressed.
    pub(super) fn pause(&mut self) {
        if self.frozen.take().is_none() {
            let mut now = self.clone();
            now.frozen = None;
            let at = self.status.as_ref().map_or(Duration::ZERO, |(at, _)| *at);
            self.frozen = Some((at, Box::new(now)));
        }
    }

    /// What to draw and the time to draw it for; with true while paused.
    pub(super) fn shown(&self, now: Duration) -> (&Self, Duration, bool) {
        match &self.frozen {
            Some((at, frozen)) => (frozen, *at, true),
            None => (self, now, false),
        }
    }

    /// Moves over the rows; `isize::MIN` goes to the beginning.
    pub(super) fn scroll(&mut self, down: isize, right: isize) {
        let state = self.frozen.as_mut().map(|(_, frozen)| &mut **frozen);
        let state = match state {
            Some(state) => state,
            None => self,
        };
        let last = state.rows.len().saturating_sub(1);
        state.down = state.down.saturating_add_signed(down).min(last);
        state.right = state.right.saturating_add_signed(right).min(400);
    }
}

fn counts(status: &Value) -> Counts {
    let of = |one: &Value| ["evaluated", "deny", "would_deny"].map(|key| one[key].as_u64().unwrap_or_default());
    let conduits = status["conduits"].as_array().into_iter().flatten();
    let named = conduits.filter_map(|one| Some((one["name"].as_str()?.to_owned(), of(one))));
    named.chain(std::iter::once((String::new(), of(&status["uncovered"])))).collect()
}
