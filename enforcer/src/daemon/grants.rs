//! What somebody may do for a while. The kernel holds the end; this is the list that people see.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use enforcer_common::policy::grant::{CONVERSATION, Grant, GrantKey};
use enforcer_common::protocol::Protocol;
use serde_json::{Value, json};

use super::confirm::boot;
use super::memory::Granted;
use super::roles::Peer;
use super::{Daemon, Refusal, nanoseconds};
use crate::dataplane::flows;
use crate::dataplane::plain::Plain;
use crate::journal::{self, time};
use crate::policy::trial::core_address;
use crate::policy::{self};

/// The longest that a grant may last.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// What a person asks for.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    pub from: IpAddr,
    pub to: IpAddr,
    pub protocol: Option<String>,
    pub functions: Vec<String>,
    /// Seconds.
    pub seconds: u64,
    pub reason: String,
    /// It outlives a reboot.
    #[serde(default)]
    pub lasting: bool,
}

impl Daemon {
    /// Adds a grant.
    pub(super) fn grant_add(&mut self, peer: &Peer, wish: Wish) -> Result<Value, Refusal> {
        if wish.reason.trim().is_empty() {
            return Err(Refusal::usage("a grant needs a reason: --reason TEXT"));
        }
        let length = Duration::from_secs(wish.seconds);
        if length.is_zero() || length > LONGEST {
            return Err(Refusal::usage("a grant lasts between 1s and 30d"));
        }
        let (protocol, functions) = functions(wish.protocol.as_deref(), &wish.functions)?;
        let detail = json!({
            "from": wish.from, "to": wish.to, "protocol": protocol.as_str(), "functions": wish.functions,
            "seconds": wish.seconds, "lasting": wish.lasting,
        });
        self.record(peer, "grant_add", detail, Some(wish.reason.clone()))?;
        let now = flows::now();
        let wall = time::now() / 1_000_000_000;
        let id = self.memory.last_grant.wrapping_add(1);
        let granted = Granted {
            id,
            from: wish.from,
            to: wish.to,
            protocol: protocol.as_str().to_owned(),
            functions: wish.functions,
            boot: boot(),
            until: now.saturating_add(nanoseconds(length)),
            until_wall: u64::try_from(wall).unwrap_or(0).saturating_add(wish.seconds),
            lasting: wish.lasting,
            reason: wish.reason,
            who: peer.name(),
        };
        let before = self.memory.clone();
        self.memory.last_grant = id;
        self.memory.grants.push(granted.clone());
        // Whoever was held off for trying is let in to use it.
        self.settings.forgiven = now;
        if let Err(refusal) = self.write_grants() {
            self.memory = before;
            let _ = self.write_grants();
            return Err(refusal);
        }
        self.keep_grant(&granted, "granted");
        let what = format!("grant {id}: {} to {}, {} {}", granted.from, granted.to, granted.protocol, functions.len());
        self.report_change("grant", &format!("{what} functions for {} s", wish.seconds));
        self.remember()?;
        Ok(shown(&granted, now, 0))
    }

    /// Ends a grant at once.
    pub(super) fn grant_revoke(&mut self, peer: &Peer, id: u32, reason: Option<String>) -> Result<Value, Refusal> {
        let Some(place) = self.memory.grants.iter().position(|one| one.id == id) else {
            return Err(Refusal::failed(format!("there is no grant {id} in force; see `enforcer grant list`")));
        };
        let granted = self.memory.grants.remove(place);
        self.write_grants()?;
        self.record_if_possible(peer, "grant_revoke", json!({"grant": id}), reason);
        self.keep_grant(&granted, "revoked");
        self.report_change("grant", &format!("grant {id} revoked"));
        self.remember()?;
        Ok(json!({"revoked": id}))
    }

    /// Grants in force, with the time left and how often they were used.
    pub(super) fn grant_list(&self) -> Result<Value, Refusal> {
        let now = flows::now();
        let mut list = Vec::new();
        for granted in self.memory.grants.iter().filter(|granted| granted.until > now) {
            let mut used = 0_u64;
            let (_, list_of) = functions(Some(&granted.protocol), &granted.functions)?;
            for function in &list_of {
                if let Ok(Plain(grant)) = self.object.maps.granted.get(&Plain(key(granted, *function)), 0) {
                    used = used.saturating_add(grant.count);
                }
            }
            list.push(shown(granted, now, used));
        }
        Ok(json!({"grants": list}))
    }

    /// Forgets grants that have ended. True when there were some.
    pub(super) fn end_grants(&mut self) -> Result<bool, Refusal> {
        let now = flows::now();
        let (ended, left): (Vec<Granted>, Vec<Granted>) =
            std::mem::take(&mut self.memory.grants).into_iter().partition(|granted| granted.until <= now);
        self.memory.grants = left;
        if ended.is_empty() {
            return Ok(false);
        }
        self.write_grants()?;
        for granted in &ended {
            self.keep_grant(granted, "ended");
            self.report_change("grant", &format!("grant {} ended", granted.id));
        }
        self.remember()?;
        Ok(true)
    }

    /// What a restart finds: grants of this boot go on, lasting ones get the time that is left by the wall clock, others end.
    pub(super) fn renew_grants(&mut self) -> Result<(), Refusal> {
        let (boot, now) = (boot(), flows::now());
        let wall = u64::try_from(time::now() / 1_000_000_000).unwrap_or(0);
        self.memory.grants.retain_mut(|granted| {
            if granted.boot == boot {
                return granted.until > now;
            }
            let left = granted.until_wall.saturating_sub(wall);
            granted.boot.clone_from(&boot);
            granted.until = now.saturating_add(left.saturating_mul(1_000_000_000));
            granted.lasting && left > 0
        });
        self.write_grants()
    }

    /// Makes the kernel's table what the memory says. New ends are written over old ones; counts go on.
    fn write_grants(&mut self) -> Result<(), Refusal> {
        let mut wanted: BTreeMap<Vec<u8>, (GrantKey, u64)> = BTreeMap::new();
        for granted in &self.memory.grants {
            let (_, list) = functions(Some(&granted.protocol), &granted.functions)?;
            for function in list.into_iter().chain([CONVERSATION]) {
                let key = key(granted, function);
                let place =
                    [&key.client[..], &key.server, &function.to_be_bytes(), &key.protocol.to_be_bytes()].concat();
                let entry = wanted.entry(place).or_insert((key, 0));
                entry.1 = entry.1.max(granted.until);
            }
        }
        let map = &mut self.object.maps.granted;
        let old: Vec<GrantKey> = map.keys().filter_map(Result::ok).map(|Plain(key)| key).collect();
        for key in old.iter().filter(|key| !wanted.values().any(|(wanted, _)| wanted == *key)) {
            let _ = map.remove(&Plain(*key));
        }
        for (key, until) in wanted.values() {
            let count = map.get(&Plain(*key), 0).map_or(0, |Plain(grant)| grant.count);
            map.insert(Plain(*key), Plain(Grant { until: *until, count }), 0)
                .map_err(|error| Refusal::failed(format!("the kernel's table of grants takes no more: {error}")))?;
        }
        self.write_settings()
    }

    fn keep_grant(&self, granted: &Granted, state: &str) {
        self.journal.grant(journal::Grant {
            id: granted.id.to_string(),
            time: time::now(),
            from: granted.from.to_string(),
            to: granted.to.to_string(),
            functions: granted.functions.join(", "),
            until: i64::try_from(granted.until_wall).unwrap_or(0).saturating_mul(1_000_000_000),
            reason: granted.reason.clone(),
            who: granted.who.clone(),
            state: state.to_owned(),
        });
    }
}

fn key(granted: &Granted, function: u32) -> GrantKey {
    let protocol = policy::inspected_protocol(&granted.protocol).map_or(0, |protocol| protocol as u32);
    GrantKey { client: core_address(granted.from), server: core_address(granted.to), function, protocol }
}

fn shown(granted: &Granted, now: u64, used: u64) -> Value {
    json!({
        "id": granted.id, "from": granted.from, "to": granted.to, "protocol": granted.protocol,
        "functions": granted.functions, "seconds_left": granted.until.saturating_sub(now).div_ceil(1_000_000_000),
        "used": used, "reason": granted.reason, "who": granted.who, "lasting": granted.lasting,
    })
}

/// The protocol and the numbers that words stand for.
fn functions(protocol: Option<&str>, words: &[String]) -> Result<(Protocol, Vec<u32>), Refusal> {
    let protocol = protocol.unwrap_or("modbus");
    let known = policy::inspected_protocol(protocol).map_err(Refusal::usage)?;
    if words.is_empty() {
        return Err(Refusal::usage("a grant needs --functions: names, numbers or classes such as @write"));
    }
    let mut numbers = Vec::new();
    for word in words {
        let codes = policy::function_codes(known, word);
        numbers.extend(codes.map_err(|error| {
            Refusal::usage(format!("{error} (asked of {protocol}; --protocol names another protocol)"))
        })?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok((known, numbers))
}
