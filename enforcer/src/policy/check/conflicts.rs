//! Two conduits that claim the same traffic with the same right: no order decides between them, so it is a mistake.

use std::collections::BTreeMap;

use super::super::names::{claims, transport_name};
use super::super::valid::{Conduit, Party, Policy};
use crate::document::{Problem, Reader};

/// Zone pair, transport, and the port where one is listed.
type Claim = (Party, Party, u8, Option<u16>);

pub(super) fn report(reader: &mut Reader<'_>, policy: &Policy) {
    let mut claims: BTreeMap<Claim, usize> = BTreeMap::new();
    for (index, conduit) in policy.conduits.iter().enumerate() {
        // One sentence for each other conduit, however many claims they share.
        let mut told: Vec<usize> = Vec::new();
        for claim in claims_of(conduit) {
            let holder = *claims.entry(claim).or_insert(index);
            let Some(other) = policy.conduits.get(holder).filter(|_| holder != index && !told.contains(&holder)) else {
                continue;
            };
            told.push(holder);
            reader.push(Problem {
                file: policy.file.clone(),
                line: conduit.line,
                cause: format!(
                    "conduit \"{}\" claims {} as conduit \"{}\" does already (line {})",
                    conduit.name,
                    words(policy, claim),
                    other.name,
                    other.line
                ),
            });
        }
    }
}

fn claims_of(conduit: &Conduit) -> Vec<Claim> {
    let (what, mut list) = (claims(conduit), Vec::new());
    for from in &conduit.from {
        for to in &conduit.to {
            list.extend(what.iter().map(|(transport, port)| (*from, *to, *transport, *port)));
        }
    }
    list
}

fn words(policy: &Policy, (from, to, transport, port): Claim) -> String {
    let what = match port {
        Some(port) => format!("{} port {port}", transport_name(transport)),
        None => transport_name(transport),
    };
    format!("{what} from {} to {}", policy.party_name(from), policy.party_name(to))
}
