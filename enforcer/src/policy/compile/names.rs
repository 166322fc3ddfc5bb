//! From the numbers of an image back to the words of its policy: for events, status and replay.

use enforcer_common::policy::{ANY_ZONE, UNCOVERED};
use enforcer_common::protocol::Protocol;

use super::super::valid::Policy;

/// Names of one generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub policy: String,
    pub revision: u32,
    zones: Vec<String>,
    conduits: Vec<(String, Protocol)>,
    rules: Vec<(u16, String)>,
}

impl Names {
    pub(super) fn of(policy: &Policy) -> Self {
        let mut rules = Vec::new();
        for (id, conduit) in (UNCOVERED.saturating_add(1)..).zip(&policy.conduits) {
            rules.extend(conduit.rules.iter().map(|rule| (id, rule.name.clone())));
        }
        Self {
            policy: policy.name.clone(),
            revision: policy.revision,
            zones: policy.zones.iter().map(|zone| zone.name.clone()).collect(),
            conduits: policy.conduits.iter().map(|conduit| (conduit.name.clone(), conduit.protocol)).collect(),
            rules,
        }
    }

    /// `None` for traffic that no conduit covers, and for ids of another generation.
    pub fn conduit(&self, id: u16) -> Option<&str> {
        self.conduits.get(behind(id, UNCOVERED)?).map(|(name, _)| name.as_str())
    }

    /// The protocol that a conduit names.
    pub fn protocol(&self, id: u16) -> Option<Protocol> {
        self.conduits.get(behind(id, UNCOVERED)?).map(|(_, protocol)| *protocol)
    }

    /// The id of a conduit, for commands that name one.
    pub fn conduit_id(&self, name: &str) -> Option<u16> {
        self.conduits().find(|(_, conduit)| *conduit == name).map(|(id, _)| id)
    }

    /// Every conduit with its id, in the order of the file.
    pub fn conduits(&self) -> impl Iterator<Item = (u16, &str)> {
        (UNCOVERED.saturating_add(1)..).zip(self.conduits.iter().map(|(name, _)| name.as_str()))
    }

    /// `None` for an operation that no rule decided.
    pub fn rule(&self, id: u16) -> Option<&str> {
        self.rules.get(usize::from(id)).map(|(_, name)| name.as_str())
    }

    /// Every rule as (rule id, conduit id, name), in the order of the file.
    pub fn rules(&self) -> impl Iterator<Item = (u16, u16, &str)> {
        (0u16..).zip(&self.rules).map(|(id, (conduit, name))| (id, *conduit, name.as_str()))
    }

    /// "any" for addresses in no named zone.
    pub fn zone(&self, id: u16) -> Option<&str> {
        match behind(id, ANY_ZONE) {
            None => Some("any"),
            Some(index) => self.zones.get(index).map(String::as_str),
        }
    }
}

/// Position in a list whose first entry has the id after `reserved`.
fn behind(id: u16, reserved: u16) -> Option<usize> {
    id.checked_sub(reserved)?.checked_sub(1).map(usize::from)
}
