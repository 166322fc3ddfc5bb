//! `enforcer grant`: extra permission for a while.

use std::fmt::Write as _;

use serde_json::Value;

use super::Live;
use super::live::{ask, field, seconds};
use super::show::complain;
use crate::daemon::{Request, Wish};

pub(super) fn add(live: &Live, length: &str, wish: Wish) -> u8 {
    let seconds = match seconds("--for", Some(length)) {
        Ok(seconds) => seconds.unwrap_or_default(),
        Err(error) => return complain(error, 2),
    };
    let request = Request::GrantAdd { wish: Wish { seconds, ..wish } };
    ask(live, &request, |answer| format!("grant {}", line(answer)))
}

pub(super) fn list(live: &Live) -> u8 {
    ask(live, &Request::GrantList, |answer| {
        let lines: Vec<String> = answer["grants"].as_array().into_iter().flatten().map(line).collect();
        if lines.is_empty() { "no grant is in force".to_owned() } else { lines.join("\n") }
    })
}

pub(super) fn revoke(live: &Live, id: u32, reason: Option<String>) -> u8 {
    ask(live, &Request::GrantRevoke { id, reason }, |answer| format!("grant {} is revoked", answer["revoked"]))
}

fn line(grant: &Value) -> String {
    let functions: Vec<&str> = grant["functions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut line = format!(
        "{}: {} > {} {} {}, {} s left, used {} times, by {}: {}",
        grant["id"],
        field(grant, "from"),
        field(grant, "to"),
        field(grant, "protocol"),
        functions.join(","),
        grant["seconds_left"],
        grant["used"],
        field(grant, "who"),
        field(grant, "reason")
    );
    if grant["lasting"] == true {
        let _ = write!(line, " (outlives a reboot)");
    }
    line
}
