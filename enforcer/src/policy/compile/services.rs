//! Zone pairs and their services, expanded so that the first pair found decides.
//!
//! The search tries (from, to), (from, any), (any, to), (any, any) and stops at the first pair that has an entry. So
//! each entry also holds what the less specific ones hold, as far as the more specific ones leave room for it.

use std::collections::BTreeMap;

use enforcer_common::policy::{Image, Pair, Service, capacity};

use super::super::names::claims;
use super::super::valid::{Party, Policy};
use super::pool::Pool;
use super::{Full, conduit_id, place, zone_id};

/// What one zone pair itself claims on one transport.
#[derive(Debug, Default)]
struct Claims {
    ports: BTreeMap<u16, u16>,
    rest: Option<u16>,
}

type Level = BTreeMap<u8, Claims>;

pub(super) fn fill(policy: &Policy, image: &mut Image) -> Result<(), Full> {
    let mut levels: BTreeMap<(Party, Party), Level> = BTreeMap::new();
    for (index, conduit) in policy.conduits.iter().enumerate() {
        let id = conduit_id(index).map_err(|full| full.at(conduit.line))?;
        for from in &conduit.from {
            for to in &conduit.to {
                let level = levels.entry((*from, *to)).or_default();
                for (transport, port) in claims(conduit) {
                    let claims = level.entry(transport).or_default();
                    match port {
                        Some(port) => _ = claims.ports.insert(port, id),
                        None => claims.rest = Some(id),
                    }
                }
            }
        }
    }

    let ends = |side: fn(&(Party, Party)) -> Party| {
        let mut all: Vec<Party> = levels.keys().map(side).chain([Party::Any]).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (froms, tos) = (ends(|pair| pair.0), ends(|pair| pair.1));
    let mut services = Pool::new(capacity::SERVICES, "port ranges");
    let mut pairs: Vec<Pair> = Vec::new();
    for from in &froms {
        for to in &tos {
            let order = [(*from, *to), (*from, Party::Any), (Party::Any, *to), (Party::Any, Party::Any)];
            let run = services.run(expand(order.iter().filter_map(|pair| levels.get(pair))))?;
            if run.count != 0 {
                let key = u32::from(zone_id(*from)) << 16 | u32::from(zone_id(*to));
                pairs.push(Pair { key, services: run });
                if pairs.len() > capacity::PAIRS {
                    return Err(Full::of("zone pairs", capacity::PAIRS));
                }
            }
        }
    }
    pairs.sort_unstable_by_key(|pair| pair.key);
    image.header.pairs = place(&mut image.pairs, &pairs, "zone pairs")?;
    let rows =
        services.rows(|(first, last, conduit)| Service { first: *first, last: *last, conduit: *conduit, padding: 0 });
    place(&mut image.services, &rows, "port ranges")?;
    Ok(())
}

/// The services of a pair: levels from the most to the least specific; within a level a listed port before the rest.
/// A level that claims all other ports leaves nothing to the levels behind it.
fn expand<'l>(levels: impl Iterator<Item = &'l Level>) -> Vec<(u32, u32, u16)> {
    let mut merged: BTreeMap<u8, Claims> = BTreeMap::new();
    for level in levels {
        for (transport, claims) in level {
            let whole = merged.entry(*transport).or_default();
            if whole.rest.is_some() {
                continue;
            }
            for (port, conduit) in &claims.ports {
                whole.ports.entry(*port).or_insert(*conduit);
            }
            whole.rest = claims.rest;
        }
    }
    merged.iter().flat_map(|(transport, claims)| ranges(*transport, claims)).collect()
}

/// Port ranges in ascending order, disjoint; ports that no conduit claims are left out.
fn ranges(transport: u8, claims: &Claims) -> Vec<(u32, u32, u16)> {
    let service = |port: u16| u32::from(transport) << 16 | u32::from(port);
    let mut list: Vec<(u32, u32, u16)> = Vec::new();
    let mut free = Some(0u16);
    for (port, conduit) in &claims.ports {
        if let (Some(start), Some(end), Some(rest)) = (free, port.checked_sub(1), claims.rest)
            && start <= end
        {
            list.push((service(start), service(end), rest));
        }
        list.push((service(*port), service(*port), *conduit));
        free = port.checked_add(1);
    }
    if let (Some(start), Some(rest)) = (free, claims.rest) {
        list.push((service(start), service(u16::MAX), rest));
    }
    list
}
