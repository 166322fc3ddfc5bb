//! What a client can ask for, and how it is carried out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::grants::Wish;
use super::memory::Applied;
use super::roles::Peer;
use super::switch::Asked;
use super::{Daemon, Refusal, Shared, status};
use crate::journal::audit;
use crate::learn;
use crate::policy::explain::{self, Question};

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
        /// Seconds in which a flip to enforce must be confirmed.
        #[serde(default)]
        confirm_within: Option<u64>,
        /// Do it although the box is not ready for it.
        #[serde(default)]
        force: bool,
    },
    /// The change that waits stays.
    Confirm {
        /// Why.
        reason: Option<String>,
    },
    /// Back: from an unconfirmed change, or to an earlier policy.
    Rollback {
        /// The generation; absent: the one before.
        to: Option<u32>,
        /// Why.
        reason: Option<String>,
    },
    /// The text of the policy in force.
    PolicyShow,
    /// Puts a policy in force.
    PolicyApply {
        /// What errors call it.
        name: String,
        /// The text.
        text: String,
        /// Seconds in which it must be confirmed where something is enforced.
        #[serde(default)]
        confirm_within: Option<u64>,
        /// Why.
        reason: Option<String>,
    },
    /// Tries a policy beside the one in force.
    PolicyStage {
        /// What errors call it.
        name: String,
        /// The text.
        text: String,
        /// Why.
        reason: Option<String>,
    },
    /// What another policy would do otherwise: the candidate on live traffic, or a text on what the journal has.
    PolicyDiff {
        /// What errors call it, and the text; absent: the candidate.
        policy: Option<(String, String)>,
        /// Nanoseconds since 1970.
        since: Option<i64>,
    },
    /// Puts the candidate in force.
    PolicyPromote {
        /// Seconds in which it must be confirmed.
        #[serde(default)]
        confirm_within: Option<u64>,
        /// Why.
        reason: Option<String>,
    },
    /// Takes the candidate away.
    PolicyDiscard {
        /// Why.
        reason: Option<String>,
    },
    /// Policies that were in force.
    PolicyHistory,
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
    /// Events from before, a page of them, and with `follow` those to come behind the last page.
    EventsPast {
        /// Only events at or after this time, nanoseconds since 1970.
        since: i64,
        /// Number of the page's last event, of the page before; 0 at first.
        #[serde(default)]
        after: i64,
        /// Go on with events as they come.
        #[serde(default)]
        follow: bool,
    },
    /// What was seen, in numbers.
    LearnStatus,
    /// A policy made of what was seen.
    LearnPropose {
        /// Allow what is dangerous as well.
        #[serde(default)]
        include_dangerous: bool,
        /// Nanoseconds since 1970.
        #[serde(default)]
        since: Option<i64>,
    },
    /// What enforce would have denied.
    ShadowReport {
        /// Nanoseconds since 1970.
        since: Option<i64>,
        /// As a page too.
        #[serde(default)]
        html: bool,
    },
    /// Allows something for a while.
    GrantAdd {
        /// What.
        wish: Wish,
    },
    /// Grants in force.
    GrantList,
    /// Ends a grant.
    GrantRevoke {
        /// Its number.
        id: u32,
        /// Why.
        reason: Option<String>,
    },
    /// The newest records of the audit trail.
    AuditShow {
        /// How many.
        limit: usize,
    },
    /// Checks the audit trail.
    AuditVerify {
        /// A head that was written down: `seq:hash`.
        expected: Option<String>,
    },
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

/// Carries out a request of `peer`.
pub(super) async fn carry_out(daemon: &Shared, peer: &Peer, request: Request) -> Result<Outcome, Refusal> {
    let daemon = &mut *daemon.lock().await;
    if let Err(refusal) = peer.may(&request) {
        let detail = json!({"request": serde_json::to_value(&request).ok().map(|value| value["command"].clone())});
        daemon.record_if_possible(peer, "denied_attempt", detail, None);
        return Err(refusal);
    }
    let within = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let usual = daemon.config.rollout.confirm_within;
    let result = match request {
        Request::Status => status::document(daemon).await?,
        Request::Mode { mode: None, conduit, .. } => daemon.shown_mode(conduit.as_deref())?,
        Request::Mode { mode: Some(word), conduit, reason, confirm_within, force } => {
            let asked = Asked { word, within: within(confirm_within), reason, force };
            match conduit {
                Some(name) => daemon.switch_conduit(peer, &name, asked)?,
                None => daemon.switch_box(peer, asked)?,
            }
        }
        Request::Confirm { reason } => daemon.confirm(peer, reason)?,
        Request::Rollback { to, reason } => daemon.rollback(peer, to, reason)?,
        Request::PolicyShow => json!({"name": daemon.policy.name, "text": daemon.policy.loaded.text}),
        Request::PolicyApply { name, text, confirm_within, reason } => {
            let within = within(confirm_within).unwrap_or(usual);
            daemon.change_policy(peer, "policy_apply", &Applied { name, text }, Some(within), reason)?
        }
        Request::PolicyStage { name, text, reason } => {
            let answer = daemon.stage(&name, &text)?;
            let detail = json!({"policy": answer["name"], "revision": answer["revision"], "file": name});
            daemon.record_if_possible(peer, "policy_stage", detail, reason);
            daemon.remember()?;
            answer
        }
        Request::PolicyDiff { policy: None, .. } => daemon.difference()?,
        Request::PolicyDiff { policy: Some((name, text)), since } => {
            daemon.fold()?;
            let _ = daemon.journal.flush(Duration::from_secs(2));
            daemon.look_back(&name, &text, since.unwrap_or(0))?
        }
        Request::PolicyPromote { confirm_within, reason } => {
            daemon.promote(peer, within(confirm_within).unwrap_or(usual), reason)?
        }
        Request::PolicyDiscard { reason } => {
            let answer = daemon.discard()?;
            daemon.record_if_possible(peer, "policy_discard", answer.clone(), reason);
            daemon.remember()?;
            answer
        }
        Request::PolicyHistory => {
            let generations = daemon.journal.reader().and_then(|reader| reader.generations());
            let generations = generations.map_err(Refusal::failed)?;
            json!({"in_force": daemon.memory.generation, "generations": generations})
        }
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
        Request::EventsPast { since, after, follow } => {
            let page = daemon.past(since, after)?;
            if follow && page.after.is_none() {
                return Ok(Outcome::Follow(page.events, daemon.events.follow()));
            }
            json!({"events": page.events, "after": page.after})
        }
        Request::LearnStatus => daemon.learn_status()?,
        Request::LearnPropose { include_dangerous, since } => {
            daemon.propose(since, learn::Reach { dangerous: include_dangerous })?
        }
        Request::ShadowReport { since, html } => daemon.shadow_report(since, html)?,
        Request::GrantAdd { wish } => daemon.grant_add(peer, wish)?,
        Request::GrantList => daemon.grant_list()?,
        Request::GrantRevoke { id, reason } => daemon.grant_revoke(peer, id, reason)?,
        Request::AuditShow { limit } => {
            let records = audit::read(daemon.journal.directory(), limit).map_err(Refusal::failed)?;
            json!({"records": records})
        }
        Request::AuditVerify { expected } => verified(daemon, expected.as_deref())?,
        Request::Detach { remove_bridge } => {
            daemon.record_if_possible(peer, "detach", json!({"remove_bridge": remove_bridge}), None);
            daemon.detach(remove_bridge).await?;
            return Ok(Outcome::Stop(json!({"detached": true, "bridge_removed": remove_bridge})));
        }
    };
    Ok(Outcome::Result(result))
}

/// What checking the audit trail found.
fn verified(daemon: &Daemon, expected: Option<&str>) -> Result<Value, Refusal> {
    let expected = expected.map(str::parse::<audit::Head>).transpose().map_err(Refusal::usage)?;
    match audit::verify(daemon.journal.directory(), expected.as_ref()) {
        Ok(found) => Ok(json!({
            "records": found.records, "first": found.first, "last": found.last, "head": found.head.to_string(),
            "unfinished": found.unfinished,
        })),
        Err(broken) => Err(Refusal::failed(broken)),
    }
}

/// Kept events at or after a moment, oldest first.
fn kept(daemon: &Daemon, since: Option<&str>) -> Vec<Value> {
    let wanted = |event: &Value| since.is_none_or(|since| event["time"].as_str().is_some_and(|time| time >= since));
    daemon.events.kept().filter(wanted).collect()
}
