//! How the protected devices and the conduits do: samples of health by minute, later by hour, and tallies by hour.

use rusqlite::{Connection, TransactionBehavior, params};
use serde::Serialize;

use super::time;

/// How a device answered in the time since the sample before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// The device.
    pub device: String,
    /// A change waited to be confirmed; else the sample is one of shadow.
    pub trial: bool,
    /// How long it was looked at.
    pub seconds: u64,
    /// Requests to it.
    pub polls: u64,
    /// Those it answered.
    pub answered: u64,
    /// Answers that were exceptions of the protocol.
    pub exceptions: u64,
    /// Connections reset.
    pub resets: u64,
    /// Segments sent again.
    pub retransmissions: u64,
    /// Half of the answers came within this, microseconds.
    pub p50: u64,
    /// 99 of a hundred answers came within this, microseconds.
    pub p99: u64,
}

/// What a conduit did in an hour, or since the call before: calls of one hour add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The hour, counted from 1970 (see [`super::time::hour`]). 0: hours older than the configured bound, together.
    pub hour: i64,
    /// The conduit.
    pub conduit: String,
    /// Seconds in each mode.
    pub learn: u64,
    pub shadow: u64,
    pub enforce: u64,
    /// Operations judged, and what came of it.
    pub evaluated: u64,
    pub allow: u64,
    pub log: u64,
    pub deny: u64,
    pub would_deny: u64,
}

/// Samples are told apart by the minute for this long.
const BY_MINUTE: i64 = 48 * time::HOUR;

/// Samples of one span are one: counts add up, the median is weighed by the answers, of the 99 % the worst stays.
const MERGE: &str = "ON CONFLICT DO UPDATE SET \
    p50 = CASE WHEN answered + excluded.answered = 0 THEN max(p50, excluded.p50) \
          ELSE (p50 * answered + excluded.p50 * excluded.answered) / (answered + excluded.answered) END, \
    p99 = max(p99, excluded.p99), seconds = seconds + excluded.seconds, polls = polls + excluded.polls, answered = answered + excluded.answered, \
    exceptions = exceptions + excluded.exceptions, resets = resets + excluded.resets, \
    retransmissions = retransmissions + excluded.retransmissions";

pub(super) fn sample(connection: &Connection, sample: &Health) -> rusqlite::Result<()> {
    let Health { time, device, trial, seconds, polls, answered, exceptions, resets, retransmissions, p50, p99 } =
        sample;
    let minute = time.div_euclid(time::MINUTE) * time::MINUTE;
    let text = format!("INSERT INTO health VALUES (60, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) {MERGE}");
    let counts =
        params![minute, device, trial, seconds, polls, answered, exceptions, resets, retransmissions, p50, p99];
    connection.prepare_cached(&text)?.execute(counts)?;
    Ok(())
}

pub(super) fn tally(connection: &Connection, tally: &Tally) -> rusqlite::Result<()> {
    let Tally { hour, conduit, learn, shadow, enforce, evaluated, allow, log, deny, would_deny } = tally;
    let text = format!("INSERT INTO tallies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) {ADD_TALLIES}");
    let all = params![hour, conduit, learn, shadow, enforce, evaluated, allow, log, deny, would_deny];
    connection.prepare_cached(&text)?.execute(all)?;
    Ok(())
}

/// Adds a row of tallies to the one that is there.
pub(super) const ADD_TALLIES: &str = "ON CONFLICT DO UPDATE SET learn = learn + excluded.learn, \
    shadow = shadow + excluded.shadow, enforce = enforce + excluded.enforce, evaluated = evaluated + excluded.evaluated, \
    allow = allow + excluded.allow, log = log + excluded.log, deny = deny + excluded.deny, \
    would_deny = would_deny + excluded.would_deny";

/// Merges the minutes of two days ago to hours, and drops the hours before `oldest`.
pub(super) fn merge(connection: &mut Connection, now: i64, oldest: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let edge = time::hour(now.saturating_sub(BY_MINUTE)) * time::HOUR;
    transaction.execute(
        &format!(
            "INSERT INTO health SELECT 3600, time / ?2 * ?2, device, trial, sum(seconds), sum(polls), sum(answered), \
             sum(exceptions), sum(resets), sum(retransmissions), \
             CASE WHEN sum(answered) = 0 THEN max(p50) ELSE sum(p50 * answered) / sum(answered) END, max(p99) \
             FROM health WHERE span = 60 AND time < ?1 GROUP BY time / ?2, device, trial {MERGE}"
        ),
        [edge, time::HOUR],
    )?;
    transaction.execute("DELETE FROM health WHERE span = 60 AND time < ?1", [edge])?;
    transaction.execute("DELETE FROM health WHERE span = 3600 AND time < ?1", [oldest.saturating_mul(time::HOUR)])?;
    transaction.commit()
}
