//! Commands of the rollout: confirm, rollback, candidates, the shadow report.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::Live;
use super::live::{ask, field, moment, seconds, unconfirmed};
use super::show::{complain, print};
use crate::client::Client;
use crate::daemon::Request;
use crate::journal::time;

pub(super) fn confirm(live: &Live, reason: Option<String>) -> u8 {
    ask(live, &Request::Confirm { reason }, |answer| format!("confirmed: {}", field(answer, "confirmed")))
}

pub(super) fn rollback(live: &Live, to: Option<u32>, reason: Option<String>) -> u8 {
    ask(live, &Request::Rollback { to, reason }, |answer| {
        format!(
            "rolled back: {}; mode {}, generation {}",
            field(answer, "rolled_back"),
            field(answer, "mode"),
            answer["generation"]
        )
    })
}

fn read(file: &Path) -> Result<(String, String), u8> {
    // Checked here first: mistakes are named as the person typed the file's name.
    match crate::policy::check(file) {
        Ok(loaded) => Ok((file.display().to_string(), loaded.text)),
        Err(errors) => Err(complain(errors, 2)),
    }
}

pub(super) fn stage(live: &Live, file: &Path, reason: Option<String>) -> u8 {
    let (name, text) = match read(file) {
        Ok(policy) => policy,
        Err(code) => return code,
    };
    ask(live, &Request::PolicyStage { name, text, reason }, |answer| {
        format!(
            "policy {} revision {} is tried beside the one in force; `enforcer policy diff` shows where they differ",
            field(answer, "name"),
            answer["revision"]
        )
    })
}

pub(super) fn promote(live: &Live, confirm_within: Option<&str>, reason: Option<String>) -> u8 {
    let confirm_within = match seconds("--confirm-within", confirm_within) {
        Ok(seconds) => seconds,
        Err(error) => return complain(error, 2),
    };
    ask(live, &Request::PolicyPromote { confirm_within, reason }, |answer| {
        let (name, revision) = (field(answer, "name"), &answer["revision"]);
        let line = format!("policy {name} revision {revision} is in force as generation {}", answer["generation"]);
        line + &unconfirmed(answer)
    })
}

pub(super) fn discard(live: &Live, reason: Option<String>) -> u8 {
    ask(live, &Request::PolicyDiscard { reason }, |answer| {
        format!("the candidate {} revision {} is gone", field(answer, "discarded"), answer["revision"])
    })
}

pub(super) fn history(live: &Live) -> u8 {
    ask(live, &Request::PolicyHistory, |answer| {
        let mut page = String::new();
        for one in answer["generations"].as_array().into_iter().flatten() {
            let mark = if one["number"] == answer["in_force"] { "*" } else { " " };
            let when = one["time"].as_i64().map(time::text).unwrap_or_default();
            let _ = writeln!(
                page,
                "{mark} generation {:<5} {} {} revision {}  by {}{}{}",
                one["number"].as_u64().unwrap_or_default(),
                when,
                field(one, "name"),
                one["revision"],
                field(one, "who"),
                one["why"].as_str().map(|why| format!("  ({why})")).unwrap_or_default(),
                if one["confirmed"].is_null() { "  not confirmed" } else { "" },
            );
        }
        page.trim_end().to_owned()
    })
}

/// A moment in nanoseconds since 1970.
pub(super) fn since(text: Option<&str>) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let moment = moment(text)?;
    match time::parse(&moment).or_else(|| time::parse(&format!("{moment}T00:00:00Z"))) {
        Some(nanoseconds) => Ok(Some(nanoseconds)),
        None => Err(format!("--since {text}: give a time such as 2026-11-23T06:00:00Z, or how long ago, such as 7d")),
    }
}

/// Exits 1 when something differs, as `diff` does.
pub(super) fn diff(live: &Live, file: Option<&Path>, back: Option<&str>) -> u8 {
    let policy = match file.map(read).transpose() {
        Ok(policy) => policy,
        Err(code) => return code,
    };
    let since = match since(back) {
        Ok(since) => since,
        Err(error) => return complain(error, 2),
    };
    let request = Request::PolicyDiff { policy, since };
    let answer = match Client::connect(&live.socket).and_then(|mut client| client.ask(&request)) {
        Ok(answer) => answer,
        Err(error) => return complain(&error, error.code()),
    };
    print(if live.json { answer.to_string() } else { differences(&answer) });
    u8::from(answer["flips"].as_array().is_some_and(|flips| !flips.is_empty()))
}

fn differences(answer: &Value) -> String {
    let mut page = String::new();
    for one in answer["flips"].as_array().into_iter().flatten() {
        let words = |side: &str| format!("{} ({})", field(&one[side], "verdict"), field(&one[side], "reason"));
        let objects: Vec<&str> = one["objects"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let _ = writeln!(
            page,
            "{:>9} x  {} > {} {} {}{} {}\n                 {} -> {}, last {}",
            one["count"].as_u64().unwrap_or_default(),
            field(one, "client"),
            field(one, "server"),
            field(one, "protocol"),
            field(one, "name"),
            one["unit"].as_u64().map(|unit| format!(" unit {unit}")).unwrap_or_default(),
            objects.join(", "),
            words("active"),
            words("candidate"),
            field(one, "last"),
        );
    }
    let flips = answer["flips"].as_array().map_or(0, Vec::len);
    let differ = if flips == 1 { "1 operation differs".to_owned() } else { format!("{flips} operations differ") };
    let _ = write!(page, "{differ}; {} compared", answer["compared"]);
    if let Some(not @ 1..) = answer["not_compared"].as_u64() {
        let _ = write!(page, ", {not} could not be");
    }
    page
}

pub(super) fn report(live: &Live, html: Option<&Path>, back: Option<&str>) -> u8 {
    let since = match since(back) {
        Ok(since) => since,
        Err(error) => return complain(error, 2),
    };
    let request = Request::ShadowReport { since, html: html.is_some() };
    let answer = match Client::connect(&live.socket).and_then(|mut client| client.ask(&request)) {
        Ok(answer) => answer,
        Err(error) => return complain(&error, error.code()),
    };
    if let Some(file) = html
        && let Err(error) = std::fs::write(file, answer["html"].as_str().unwrap_or_default())
    {
        return complain(format!("{}: cannot write: {error}", file.display()), 2);
    }
    print(if live.json { answer["report"].to_string() } else { field(&answer, "text") });
    0
}
