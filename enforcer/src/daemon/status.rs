//! `enforcer status`: one document that says how the box is.

use enforcer_common::abi::loss;
use enforcer_common::verdict::Mode;
use serde_json::{Value, json};

use super::{Daemon, Refusal, conversations, mode};
use crate::dataplane::counters::{self, Tally};
use crate::dataplane::netlink::Netlink;
use crate::dataplane::{bridge, flows, ports};

/// The document of the contract.
pub(super) async fn document(daemon: &Daemon) -> Result<Value, Refusal> {
    let maps = &daemon.object.maps;
    let mut totals = daemon.past.clone();
    let compiled = &daemon.policy.compiled;
    totals.add(maps, compiled.image.header.bank, &compiled.names).map_err(Refusal::failed)?;
    let conduits: Vec<Value> = compiled
        .names
        .conduits()
        .map(|(_, name)| {
            let tally = totals.tally(name);
            let rules: serde_json::Map<String, Value> = totals
                .rules
                .iter()
                .filter(|((conduit, _), _)| conduit == name)
                .map(|((_, rule), count)| (rule.clone(), (*count).into()))
                .collect();
            merged(json!({"name": name, "mode": mode_of(daemon, name)}), &tally, json!({"rules": rules}))
        })
        .collect();
    let lost = |what| counters::lost(maps, what).map_err(Refusal::failed);
    let now = flows::now();
    let census = flows::census(maps, now).map_err(Refusal::failed)?;
    let (live, mut attention) = ports_and_attention(daemon).await;
    attention.extend(conversations::attention(&census, lost(loss::FLOWS)?));
    let policy = &daemon.policy.loaded.valid;
    Ok(json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "mode": daemon.memory.mode,
        "policy": {
            "name": policy.name,
            "revision": policy.revision,
            "generation": compiled.image.header.generation,
            "candidate": Value::Null,
        },
        "ports": live,
        "forwarding": "bridge",
        "conduits": conduits,
        "uncovered": merged(json!({}), &totals.tally(""), json!({})),
        "reasons": totals.reasons(),
        "flows": census,
        "grace_left": daemon.settings.grace_until.saturating_sub(now).div_ceil(1_000_000_000),
        "events": {
            "emitted": daemon.events.read,
            "lost": lost(loss::EVENTS)?,
        },
        "lost": {
            "observations": lost(loss::OBSERVATIONS)?,
            "flows": lost(loss::FLOWS)?,
            "half_open": lost(loss::HALF_OPEN)?,
            "stages": lost(loss::STAGES)?,
            "function_counters": lost(loss::FUNCTIONS)?,
        },
        "attention": attention,
    }))
}

fn merged(mut first: Value, tally: &Tally, last: Value) -> Value {
    if let Value::Object(fields) = &mut first {
        fields.insert("evaluated".into(), tally.evaluated.into());
        fields.insert("allow".into(), tally.allow.into());
        fields.insert("log".into(), tally.log.into());
        fields.insert("deny".into(), tally.deny.into());
        fields.insert("would_deny".into(), tally.would_deny.into());
        if let Value::Object(more) = last {
            fields.extend(more);
        }
    }
    first
}

/// The mode that a conduit's frames are handled in: its own, capped by the box's.
pub(super) fn mode_of(daemon: &Daemon, conduit: &str) -> &'static str {
    let switched = daemon.memory.conduits.get(conduit).and_then(|word| mode(word));
    let policy = daemon.policy.loaded.valid.conduits.iter().find(|entry| entry.name == conduit).map(|entry| entry.mode);
    let own = switched.or(policy).unwrap_or(Mode::Enforce);
    match mode(&daemon.memory.mode) {
        Some(cap) => own.min(cap).as_str(),
        None => "bypass",
    }
}

/// Both ports as they are now, and everything that a person should know.
async fn ports_and_attention(daemon: &Daemon) -> (Value, Vec<String>) {
    let mut attention = daemon.attention.clone();
    if daemon.memory.mode == "bypass" {
        attention.insert(0, "BYPASS: everything is forwarded and nothing is judged".into());
    }
    let mut live = serde_json::Map::new();
    match Netlink::connect() {
        Ok(netlink) => {
            for ((side, port), attached) in ["network", "device"].into_iter().zip(&daemon.ports).zip(daemon.attached) {
                let mut link = "gone";
                match ports::inspect(&netlink, &port.name).await {
                    Ok(now) => {
                        link = if now.up && now.carrier { "up" } else { "down" };
                        if now.index != port.index || now.xdp.is_empty() {
                            attention
                                .push(format!("{}: the enforcer's program is not on this port any more", port.name));
                        }
                    }
                    Err(error) => attention.push(error.to_string()),
                }
                live.insert(side.into(), json!({"name": port.name, "link": link, "attach": attached}));
            }
            let ports = [&daemon.ports[0], &daemon.ports[1]];
            match bridge::complaints(&netlink, &daemon.bridge.name, ports).await {
                Ok(complaints) => attention.extend(complaints),
                Err(error) => attention.push(error.to_string()),
            }
        }
        Err(error) => attention.push(error.to_string()),
    }
    attention.sort();
    attention.dedup();
    (Value::Object(live), attention)
}
