//! What a client can ask for, and how it is carried out.

use enforcer_common::abi::loss;
use enforcer_common::observation::{Observation, ObservationKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::memory::Applied;
use super::{Daemon, Refusal, Shared, mode, status};
use crate::dataplane::{counters, flows, publish};
use crate::learn;
use crate::policy::explain::{self, Question};
use crate::policy::{self};

/// A request on the control socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The state of the box.
    Status,
    /// Shows or switches the mode of the box or of one conduit.
    Mode {
        /// learn, shadow, enforce or bypass; absent: show.
        mode: Option<String>,
        /// Only this conduit.
        conduit: Option<String>,
        /// Why.
        reason: Option<String>,
        /// Do it although the box is not ready for it. This version measures no readiness, so it changes nothing yet.
        #[serde(default)]
        force: bool,
    },
    /// The text of the policy in force.
    PolicyShow,
    /// Puts a policy in force.
    PolicyApply {
        /// What errors call it.
        name: String,
        /// The text.
        text: String,
        /// Why.
        reason: Option<String>,
    },
    /// The policy in words, or the verdict on one operation.
    PolicyExplain {
        /// The operation.
        question: Option<Question>,
    },
    /// Kept events, and with `follow` those to come.
    Events {
        /// Only events at or after this time, as text of the form they carry.
        since: Option<String>,
        /// Go on with events as they come.
        #[serde(default)]
        follow: bool,
    },
    /// What was seen while learning, in numbers.
    LearnStatus,
    /// A policy made of what was seen.
    LearnPropose,
    /// Takes the programs off and ends the daemon.
    Detach {
        /// Remove the bridge too, if the enforcer made it.
        #[serde(default)]
        remove_bridge: bool,
    },
}

/// What became of a request.
pub(super) enum Outcome {
    /// The answer.
    Result(Value),
    /// Kept events, then those to come.
    Follow(Vec<Value>, broadcast::Receiver<Value>),
    /// The answer, and the daemon ends.
    Stop(Value),
}

/// Carries out a request.
pub(super) async fn carry_out(daemon: &Shared, request: Request) -> Result<Outcome, Refusal> {
    let daemon = &mut *daemon.lock().await;
    let result = match request {
        Request::Status => status::document(daemon).await?,
        Request::Mode { mode: None, conduit, .. } => shown_mode(daemon, conduit.as_deref())?,
        Request::Mode { mode: Some(word), conduit: Some(conduit), reason, .. } => {
            switch_conduit(daemon, &conduit, &word, reason)?
        }
        Request::Mode { mode: Some(word), conduit: None, reason, .. } => switch_box(daemon, &word, reason)?,
        Request::PolicyShow => json!({"name": daemon.policy.name, "text": daemon.policy.loaded.text}),
        Request::PolicyApply { name, text, reason } => apply(daemon, name, text, reason)?,
        Request::PolicyExplain { question: None } => {
            json!({"text": explain::describe(&daemon.policy.loaded.valid)})
        }
        Request::PolicyExplain { question: Some(question) } => {
            let answer = explain::answer(&daemon.policy.loaded.valid, &daemon.policy.compiled, &question)
                .map_err(Refusal::usage)?;
            json!({"text": answer.to_string(), "answer": answer})
        }
        Request::Events { since, follow: true } => {
            // Under one lock: nothing falls between what is kept and what comes.
            return Ok(Outcome::Follow(kept(daemon, since.as_deref()), daemon.events.follow()));
        }
        Request::Events { since, follow: false } => Value::Array(kept(daemon, since.as_deref())),
        Request::LearnStatus => learn_status(daemon)?,
        Request::LearnPropose => {
            let observed = observed(daemon)?;
            let proposal =
                learn::propose(&observed, Some(&daemon.policy.loaded.valid), clock(), learn::Reach::default());
            json!({"text": proposal.text, "undecided": proposal.undecided})
        }
        Request::Detach { remove_bridge } => {
            daemon.detach(remove_bridge).await?;
            return Ok(Outcome::Stop(json!({"detached": true, "bridge_removed": remove_bridge})));
        }
    };
    Ok(Outcome::Result(result))
}

/// Kept events at or after a moment, oldest first.
fn kept(daemon: &Daemon, since: Option<&str>) -> Vec<Value> {
    let wanted = |event: &&Value| since.is_none_or(|since| event["time"].as_str().is_some_and(|time| time >= since));
    daemon.events.kept().filter(wanted).cloned().collect()
}

/// What is in the kernel's table.
fn observed(daemon: &Daemon) -> Result<Vec<(ObservationKey, Observation)>, Refusal> {
    let entries = daemon.object.maps.observed.iter().map(|entry| entry.map(|(key, value)| (key.0, value.0)));
    entries.collect::<Result<_, _>>().map_err(Refusal::failed)
}

fn clock() -> learn::Clock {
    learn::Clock::new(std::time::SystemTime::now(), flows::now())
}

fn learn_status(daemon: &Daemon) -> Result<Value, Refusal> {
    let summary = learn::summary(&observed(daemon)?);
    let last_new = summary.last_new.map(|moment| clock().text(moment));
    let kinds: Vec<Value> = summary
        .kinds
        .iter()
        .map(|((protocol, class), kind)| {
            json!({"protocol": protocol, "access": class, "distinct": kind.distinct, "count": kind.count})
        })
        .collect();
    let lost = counters::lost(&daemon.object.maps, loss::OBSERVATIONS).map_err(Refusal::failed)?;
    Ok(json!({
        "mode": daemon.memory.mode,
        "distinct": summary.distinct,
        "count": summary.count,
        "clients": summary.clients,
        "servers": summary.servers,
        "pairs": summary.pairs,
        "exceptions": summary.exceptions,
        "last_new": last_new,
        "lost": lost,
        "kinds": kinds,
    }))
}

fn shown_mode(daemon: &Daemon, conduit: Option<&str>) -> Result<Value, Refusal> {
    let Some(name) = conduit else {
        return Ok(json!({"mode": daemon.memory.mode}));
    };
    known_conduit(daemon, name)?;
    Ok(json!({"conduit": name, "mode": status::mode_of(daemon, name)}))
}

fn known_conduit(daemon: &Daemon, name: &str) -> Result<u16, Refusal> {
    let names = &daemon.policy.compiled.names;
    names.conduit_id(name).ok_or_else(|| {
        let known: Vec<&str> = names.conduits().map(|(_, name)| name).collect();
        Refusal::usage(format!("there is no conduit {name:?}; the policy has {}", known.join(", ")))
    })
}

fn switch_box(daemon: &mut Daemon, word: &str, reason: Option<String>) -> Result<Value, Refusal> {
    if word != "bypass" && mode(word).is_none() {
        return Err(Refusal::usage(format!("unknown mode {word:?}; possible are learn, shadow, enforce, bypass")));
    }
    if word == "enforce" && !daemon.blockers.is_empty() {
        return Err(Refusal::failed(format!("enforce is not possible on these ports: {}", daemon.blockers.join("; "))));
    }
    let before = daemon.memory.clone();
    if word == "bypass" && daemon.memory.mode != "bypass" {
        daemon.memory.mode_before_bypass = Some(daemon.memory.mode.clone());
    }
    word.clone_into(&mut daemon.memory.mode);
    daemon.memory.note(format!("mode {word}"), reason);
    if let Err(refusal) = daemon.write_settings() {
        daemon.memory = before;
        return Err(refusal);
    }
    daemon.report_change("mode", word);
    daemon.remember()?;
    Ok(json!({"mode": word, "before": before.mode}))
}

fn switch_conduit(daemon: &mut Daemon, name: &str, word: &str, reason: Option<String>) -> Result<Value, Refusal> {
    let id = known_conduit(daemon, name)?;
    let Some(asked) = mode(word) else {
        return Err(Refusal::usage(format!("a conduit's mode is learn, shadow or enforce, not {word:?}")));
    };
    let bank = daemon.policy.compiled.image.header.bank;
    publish::set_conduit_mode(&mut daemon.object.maps, bank, id, asked as u8).map_err(Refusal::failed)?;
    daemon.memory.conduits.insert(name.to_owned(), word.to_owned());
    daemon.memory.note(format!("mode {word} of conduit {name}"), reason);
    daemon.report_change("mode", &format!("{name}: {word}"));
    daemon.remember()?;
    Ok(json!({"conduit": name, "mode": word, "effective": status::mode_of(daemon, name)}))
}

fn apply(daemon: &mut Daemon, name: String, text: String, reason: Option<String>) -> Result<Value, Refusal> {
    let loaded = policy::parse(&name, &text).map_err(Refusal::usage)?;
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    daemon.apply(&name, loaded)?;
    daemon.memory.policy = Some(Applied { name: name.clone(), text });
    let policy = &daemon.policy.loaded.valid;
    let (label, revision) = (policy.name.clone(), policy.revision);
    daemon.memory.note(format!("policy {label} revision {revision} from {name}"), reason);
    daemon.report_change("policy", &format!("{label} revision {revision}"));
    daemon.remember()?;
    let generation = daemon.memory.generation;
    Ok(json!({"name": label, "revision": revision, "generation": generation, "warnings": warnings}))
}
