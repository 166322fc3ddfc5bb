//! IP protocols other than TCP, UDP and ICMP: what is inside cannot be inspected, so learning does not open them. A conduit
//! of the policy in force that carries one already stays in the proposal.

use enforcer_common::protocol::Protocol;

use super::traffic::{Service, Traffic};
use crate::policy::valid::{Party, Policy};

impl Traffic {
    /// Leaves the tunnels to an engineer that `policy` does not carry.
    pub(super) fn leave_tunnels(&mut self, policy: Option<&Policy>) {
        let tunnels: Vec<Service> = self.services.keys().copied().filter(|one| one.protocol == Protocol::Ip).collect();
        for one in tunnels {
            if policy.is_some_and(|policy| carries(policy, &one)) {
                continue;
            }
            if let Some(evidence) = self.services.remove(&one) {
                let what = format!(
                    "{} -> {}: IP protocol {}, whose inside is not inspected; a conduit with protocol = \"ip\" would pass it",
                    one.client, one.server, one.port
                );
                self.undecided(what, evidence);
            }
        }
    }
}

fn carries(policy: &Policy, one: &Service) -> bool {
    let holds = |parties: &[Party], address| {
        parties.iter().any(|party| match party {
            Party::Any => true,
            Party::Zone(index) => {
                policy.zones.get(*index).is_some_and(|zone| zone.ranges.iter().any(|range| range.contains(address)))
            }
        })
    };
    policy.conduits.iter().any(|conduit| {
        conduit.protocol == Protocol::Ip
            && conduit.ports.contains(&one.port)
            && holds(&conduit.from, one.client)
            && holds(&conduit.to, one.server)
    })
}
