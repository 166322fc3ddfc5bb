//! `enforcer status`: one document that says how the box is.

use enforcer_common::abi::loss;
use enforcer_common::verdict::Mode;
use serde_json::{Value, json};

use super::{Daemon, Refusal, conversations, mode};
use crate::dataplane::counters::{self, Tally};
use crate::dataplane::netlink::Netlink;
use crate::dataplane::{bridge, flows, ports};

/// The document of the contract.
pub(super) async fn document(daemon: &mut Daemon) -> Result<Value, Refusal> {
    let (readiness, by_conduit) = match daemon.recent_readiness() {
        Ok(found) => found,
        // The journal is in trouble, which is said below.
        Err(_) => (Value::Null, Default::default()),
    };
    let grants = daemon.grant_list()?;
    let daemon = &*daemon;
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
            let ready = by_conduit.get(name).map(|one| one.ready);
            merged(
                json!({"name": name, "mode": mode_of(daemon, name)}),
                &tally,
                json!({"rules": rules, "ready": ready}),
            )
        })
        .collect();
    let lost = |what| counters::lost(maps, what).map_err(Refusal::failed);
    let Look { ports, census, attention } = look(daemon, &totals).await?;
    let now = flows::now();
    let policy = &daemon.policy.loaded.valid;
    Ok(json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "mode": daemon.memory.mode,
        "policy": {
            "name": policy.name,
            "revision": policy.revision,
            "generation": compiled.image.header.generation,
            "candidate": daemon.candidate.as_ref().map(|one| {
                json!({"name": one.loaded.valid.name, "revision": one.loaded.valid.revision})
            }),
        },
        "ports": ports,
        "forwarding": daemon.way.word(),
        "forwarding_reason": daemon.way.why,
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
        "unconfirmed": daemon.memory.unconfirmed.as_ref().map(|waiting| json!({
            "what": waiting.what,
            "seconds_left": daemon.seconds_left(),
            "back_to": waiting.mode,
        })),
        "gone_back": daemon.memory.gone_back,
        "health": daemon.health_document(),
        "readiness": readiness,
        "grants": grants["grants"],
        "exports": daemon.events.exports.states(),
        "journal": {"bytes": daemon.journal.sizes(), "lost": daemon.journal.losses()},
        "attention": attention,
    }))
}

/// What is looked up each time anew.
pub(super) struct Look {
    /// Both ports as they are now.
    pub(super) ports: Value,
    pub(super) census: flows::Census,
    /// Everything that a person should know.
    pub(super) attention: Vec<String>,
}

/// Looks at ports, bridge and conversations, and gathers what needs attention.
pub(super) async fn look(daemon: &Daemon, totals: &counters::Totals) -> Result<Look, Refusal> {
    let maps = &daemon.object.maps;
    let census = flows::census(maps, flows::now()).map_err(Refusal::failed)?;
    let (ports, mut attention) = ports_and_attention(daemon).await;
    let lost = counters::lost(maps, loss::FLOWS).map_err(Refusal::failed)?;
    attention.extend(conversations::attention(&census, lost));
    attention.extend(daemon.journal.troubles());
    attention.extend(daemon.events.exports.attention());
    attention.extend(silent_conduits(daemon, totals));
    attention.extend(daemon.forwarding_attention());
    let missed = counters::lost(maps, loss::EVENTS).map_err(Refusal::failed)?;
    if missed > 0 {
        attention.push(format!("{missed} events found the ring full and were not reported; the counters have them"));
    }
    if let (Some(waiting), Some(left)) = (&daemon.memory.unconfirmed, daemon.seconds_left()) {
        attention.push(format!(
            "{} is not confirmed: it goes back in {left} s unless `enforcer confirm` comes",
            waiting.what
        ));
    }
    if let Some(what) = &daemon.memory.gone_back {
        attention.push(format!("went back by itself: {what}"));
    }
    Ok(Look { ports, census, attention })
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
    attention.extend(daemon.troubles());
    if daemon.memory.mode == "bypass" {
        attention.insert(0, "BYPASS: everything is forwarded and nothing is judged".into());
    }
    let mut live = serde_json::Map::new();
    match Netlink::connect() {
        Ok(netlink) => {
            for ((side, port), attached) in ["network", "device"].into_iter().zip(&daemon.ports).zip(daemon.attached) {
                let (mut link, mut program) = ("gone", false);
                // One that is gone is said with the ports' troubles.
                if let Ok(now) = ports::inspect(&netlink, &port.name).await {
                    link = if now.up && now.carrier { "up" } else { "down" };
                    program = now.index == port.index && !now.xdp.is_empty();
                }
                live.insert(
                    side.into(),
                    json!({"name": port.name, "link": link, "attach": attached, "program": program}),
                );
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

/// Conduits in shadow whose policy was never asked anything: they look green and prove nothing.
fn silent_conduits(daemon: &Daemon, totals: &counters::Totals) -> Vec<String> {
    let since = crate::journal::time::now().saturating_sub(daemon.started) / 1_000_000_000;
    if since < SILENT {
        return Vec::new();
    }
    let names = daemon.policy.compiled.names.conduits().map(|(_, name)| name);
    names
        .filter(|name| mode_of(daemon, name) == "shadow" && totals.tally(name).evaluated == 0)
        .map(|name| format!("conduit {name} is in shadow and has evaluated nothing: nothing is known of it"))
        .collect()
}

/// Seconds after which a conduit in shadow should have been asked something.
const SILENT: i64 = 300;
