//! What the shadow report is made from: what was counted and noted, and the policy it was judged by.

use enforcer_common::observation::ObservationKey;
use enforcer_common::verdict::Reason;
use serde_json::Value;

use crate::dataplane::counters::Tally;
use crate::policy::{Compiled, Loaded};
use crate::replay::time::Timestamp;

/// All of it. Lists may be empty, and what is `None` is not known; the report says so instead of failing.
#[derive(Clone, Debug)]
pub struct Input<'p> {
    /// The box.
    pub state: State,
    /// The policy that the evidence was judged by, as written and as it means.
    pub policy: &'p Loaded,
    /// The same as the core judges by it.
    pub compiled: &'p Compiled,
    /// Conduits in the order in which the report shows them.
    pub conduits: Vec<ConduitCounts>,
    /// Traffic that no conduit covers.
    pub uncovered: Tally,
    /// Evaluated and would-denied over time, for traffic that no conduit covers.
    pub uncovered_hours: Vec<Hour>,
    /// Denials of operations, and of frames that a policy can name.
    pub evidence: Vec<Evidence>,
    /// Denials of frames for reasons that no rule decides.
    pub frames: Vec<Frames>,
    /// Events as the contract has them, of which the report picks one sample for each group.
    pub events: Vec<Value>,
    /// How many operations were new in each hour, oldest first.
    pub discovery: Vec<(Timestamp, u64)>,
    /// `{"ready": bool, "missing": ["..."], "measures": [{"name", "value", "threshold", "ok"}]}` for the box.
    pub readiness: Option<Value>,
    /// What was lost, by name: events, observations, conversations.
    pub losses: Vec<(String, u64)>,
    /// What a person should know, one sentence each.
    pub attention: Vec<String>,
}

/// The box, and the time that the report speaks of.
#[derive(Clone, Debug)]
pub struct State {
    pub generation: u32,
    /// learn, shadow, enforce or bypass.
    pub mode: String,
    /// The enforcer's version.
    pub version: String,
    pub since: Timestamp,
    pub until: Timestamp,
    /// When the report was made.
    pub made: Timestamp,
}

/// A conduit in numbers.
#[derive(Clone, Debug)]
pub struct ConduitCounts {
    pub name: String,
    /// The mode its frames are handled in.
    pub mode: String,
    pub tally: Tally,
    /// Operations decided per rule. A rule that is not named here was never hit.
    pub rules: Vec<(String, u64)>,
    /// Oldest first; hours without traffic may be missing.
    pub hours: Vec<Hour>,
    /// As [`Input::readiness`], for this conduit.
    pub readiness: Option<Value>,
}

/// One hour of one conduit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub start: Timestamp,
    pub evaluated: u64,
    pub would_denied: u64,
}

/// Denials of one operation for one reason.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub key: ObservationKey,
    pub reason: Reason,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Smallest value written; above `value_max` when none was.
    pub value_min: i64,
    pub value_max: i64,
}

/// Denials of frames of one sender and receiver for one reason.
#[derive(Clone, Debug)]
pub struct Frames {
    pub reason: Reason,
    pub conduit: Option<String>,
    /// Sender and receiver as events name them.
    pub src: String,
    pub dst: String,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// One of them, as the contract's event.
    pub sample: Option<Value>,
}
