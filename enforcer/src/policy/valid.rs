//! The policy in which every word has been checked: what the compiler, `explain` and the naive evaluator of the tests
//! take. Lists that say "any" by being absent are `None`; lists that are there are not empty.

use std::net::IpAddr;

use enforcer_common::action::OnDeny;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Verdict};

use super::address::AddressRange;

/// A whole policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What errors call the file it came from.
    pub file: String,
    pub name: String,
    pub revision: u32,
    /// For traffic that no conduit covers.
    pub default: Verdict,
    pub on_unsynchronised: OnUnsynchronised,
    /// `Allow` or `Deny`.
    pub fragments: Verdict,
    /// `Allow` or `Deny`: IPv4 packets with options, which are inspected like others when they are allowed.
    pub ip_options: Verdict,
    pub zones: Vec<Zone>,
    pub devices: Vec<Device>,
    pub ethernet: Vec<Ethernet>,
    pub conduits: Vec<Conduit>,
}

/// A named set of addresses. No address is in two zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    /// Sorted, disjoint, not adjacent.
    pub ranges: Vec<AddressRange>,
    pub line: usize,
}

/// What may appear on the device port only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub name: String,
    pub address: Option<IpAddr>,
    pub mac: Option<[u8; 6]>,
    pub line: usize,
}

/// What is done with frames that are not IP. No type is in two entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// Ethertypes; below 0x600 the DSAP of an 802.3 frame.
    pub types: Vec<u16>,
    pub action: Verdict,
    /// Index into [`Policy::conduits`] of the one whose rules judge what is asked in such frames. It joins no zones.
    pub conduit: Option<usize>,
    pub line: usize,
}

/// One end of a conduit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Every address.
    Any,
    /// Index into [`Policy::zones`].
    Zone(usize),
}

/// Where in TCP segments protocol data units may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// Where segments do.
    Whole,
    /// Anywhere.
    Stream,
}

/// A permitted conversation between zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conduit {
    pub name: String,
    /// Who opens the conversation. Sorted, without repetition; so are `to` and `ports`.
    pub from: Vec<Party>,
    pub to: Vec<Party>,
    pub protocol: Protocol,
    /// Server ports; IP protocol numbers of an ip conduit. Empty means every port, which only tcp, udp and icmp have.
    pub ports: Vec<u16>,
    pub mode: Mode,
    pub on_deny: OnDeny,
    pub segmentation: Segmentation,
    pub rules: Vec<Rule>,
    pub line: usize,
}

/// One rule: covers an operation when each of its lists does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: String,
    pub action: Verdict,
    pub functions: Vec<Functions>,
    /// Sorted, disjoint, not adjacent.
    pub units: Option<Vec<(u32, u32)>>,
    /// Sorted; within a space disjoint and not adjacent.
    pub objects: Option<Vec<Objects>>,
    /// Sorted, disjoint, not adjacent.
    pub values: Option<Vec<(i64, i64)>>,
    pub rate: Option<Rate>,
    /// Largest distance of a written value from the last one.
    pub max_step: Option<u32>,
    pub line: usize,
}

/// What one entry of `functions` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Functions {
    /// `@any`: every function, also those without a name.
    Any,
    /// A name, a number or a class: these functions.
    These { written: String, list: Vec<Function> },
}

/// A function number. With `own`, only its operations on those objects; what the rule's `objects` say narrows them where
/// the protocol's tables say so ([`enforcer_common::protocol::Tables::rows_of_objects`]), and is nothing to them elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    pub code: u32,
    pub own: Option<Objects>,
}

/// A range of objects of one kind, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objects {
    pub space: u32,
    pub first: u32,
    pub last: u32,
}

/// `count` operations in each `period` nanoseconds, all of which may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub period: u64,
}

impl Rule {
    /// The functions of a rule as single entries; `None` stands for `@any`.
    pub fn single_functions(&self) -> Vec<Option<Function>> {
        let mut all = Vec::new();
        for entry in &self.functions {
            match entry {
                Functions::Any => all.push(None),
                Functions::These { list, .. } => all.extend(list.iter().copied().map(Some)),
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Policy {
    /// What errors, events and `explain` call one end of a conduit.
    pub fn party_name(&self, party: Party) -> &str {
        match party {
            Party::Any => "any",
            Party::Zone(index) => self.zones.get(index).map_or("?", |zone| zone.name.as_str()),
        }
    }
}

impl Objects {
    /// What is in both, where something is.
    pub(crate) fn within(&self, other: &Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.space == other.space && first <= last).then_some(Self { space: self.space, first, last })
    }

    /// Sorted by space; within a space, ranges that overlap or touch are one.
    pub(crate) fn merged(mut list: Vec<Self>) -> Vec<Self> {
        list.sort_unstable();
        let mut merged: Vec<Self> = Vec::new();
        for next in list {
            match merged.last_mut() {
                Some(before) if before.space == next.space && next.first <= before.last.saturating_add(1) => {
                    before.last = before.last.max(next.last);
                }
                _ => merged.push(next),
            }
        }
        merged
    }
}
