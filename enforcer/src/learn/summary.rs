//! Learning in numbers, for `learn status`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;

use super::traffic::{address, split};

/// What was learned so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Distinct operations and kinds of traffic.
    pub distinct: usize,
    /// How often they were seen in all.
    pub count: u64,
    /// Addresses that opened a conversation, and those called.
    pub clients: usize,
    pub servers: usize,
    /// Pairs of a client and a server.
    pub pairs: usize,
    /// Distinct operations by protocol and class, `-` for traffic without inspection inside.
    pub kinds: BTreeMap<(&'static str, &'static str), Kind>,
    /// Pairs of a client and a server whose units do not begin and end where segments do.
    pub exceptions: usize,
    /// Boot time at which something was seen for the first time, most recently.
    pub last_new: Option<u64>,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    pub distinct: usize,
    pub count: u64,
}

/// Counts what is in the kernel's table.
pub fn summary(observations: &[(ObservationKey, Observation)]) -> Summary {
    let mut summary = Summary::default();
    let mut exceptions: BTreeSet<(IpAddr, IpAddr)> = BTreeSet::new();
    let mut pairs: BTreeSet<(IpAddr, IpAddr)> = BTreeSet::new();
    for (key, seen) in &super::passed(observations) {
        if let Some(one) = split(key) {
            exceptions.insert((one.client, one.server));
            continue;
        }
        summary.distinct = summary.distinct.saturating_add(1);
        let protocol = Protocol::from_code(key.protocol);
        let class = match protocol {
            Some(known) if known as u8 >= Protocol::FIRST_INSPECTED => Access::from_code(key.access).as_str(),
            Some(_) | None => "-",
        };
        let kind = summary.kinds.entry((protocol.map_or("unknown", Protocol::as_str), class)).or_default();
        kind.distinct = kind.distinct.saturating_add(1);
        kind.count = kind.count.saturating_add(seen.count);
        summary.count = summary.count.saturating_add(seen.count);
        summary.last_new = summary.last_new.max(Some(seen.first_seen));
        if protocol != Some(Protocol::Ethernet) {
            pairs.insert((address(key.client), address(key.server)));
        }
    }
    summary.clients = pairs.iter().map(|(client, _)| client).collect::<BTreeSet<_>>().len();
    summary.servers = pairs.iter().map(|(_, server)| server).collect::<BTreeSet<_>>().len();
    summary.pairs = pairs.len();
    summary.exceptions = exceptions.len();
    summary
}
