//! From what the kernel observed to a policy that a person would have written.
//!
//! Enters: the table of observations, the policy in force. Leaves: a policy as text, in which every rule carries its
//! evidence. What must not be decided by a program (dangerous functions, codes without a name, traffic that a policy
//! can't name) stands in it as comments, for an engineer to decide.

mod clock;
mod conduits;
mod evidence;
mod places;
mod proposable;
mod rules;
mod summary;
mod traffic;
mod tunnels;
mod write;

pub use clock::Clock;
pub(crate) use evidence::times;
pub use proposable::is_left;
pub use summary::{Kind, Summary, summary};

use std::collections::HashMap;

use enforcer_common::observation::{Observation, ObservationKey};

use crate::policy::valid::Policy;

/// A proposed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The text of the policy.
    pub text: String,
    /// How many entries the text lists for decision, not allowed by it.
    pub undecided: usize,
}

/// How far a proposal goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Allow what is dangerous as well, instead of listing it for an engineer to decide.
    pub dangerous: bool,
}

/// Proposes a policy for what was observed. What `policy`, the one in force, gave a name keeps it.
pub fn propose(
    observations: &[(ObservationKey, Observation)],
    policy: Option<&Policy>,
    clock: Clock,
    reach: Reach,
) -> Proposal {
    propose_by_hour(observations, &HashMap::new(), policy, clock, reach)
}

/// The same where it is known how often each operation was seen in the hour with most; its key has no reason, as [`passed`]
/// gives it.
pub fn propose_by_hour(
    observations: &[(ObservationKey, Observation)],
    busiest: &HashMap<ObservationKey, u64>,
    policy: Option<&Policy>,
    clock: Clock,
    reach: Reach,
) -> Proposal {
    let mut traffic = traffic::Traffic::of(&passed(observations), busiest, reach);
    traffic.leave_tunnels(policy);
    let places = places::Places::of(&traffic, policy);
    let drafts = conduits::drafts(&mut traffic, &places, policy);
    write::proposal(&traffic, &places, &drafts, policy, clock)
}

/// What went through, whatever the policies of the time said of it: one entry per operation, in no order.
#[must_use]
pub fn passed(observations: &[(ObservationKey, Observation)]) -> Vec<(ObservationKey, Observation)> {
    let mut merged: HashMap<ObservationKey, Observation> = HashMap::new();
    for (key, seen) in observations.iter().filter(|(key, _)| !key.is_stopped()) {
        let known = merged.entry(ObservationKey { reason: 0, ..*key });
        known.and_modify(|known| known.add(seen)).or_insert(*seen);
    }
    merged.into_iter().collect()
}

/// True for the sighting of a client whose units do not begin and end where segments do.
#[must_use]
pub fn splits(key: &ObservationKey) -> bool {
    traffic::split(key).is_some()
}

#[cfg(test)]
mod tests;
