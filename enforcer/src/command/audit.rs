//! `enforcer audit`: the record of every change.

use std::fmt::Write as _;

use serde_json::Value;

use super::Live;
use super::live::{ask, field};
use crate::daemon::Request;

pub(super) fn show(live: &Live, limit: usize) -> u8 {
    ask(live, &Request::AuditShow { limit }, |answer| {
        let mut page = String::new();
        for record in answer["records"].as_array().into_iter().flatten() {
            let who = &record["who"];
            let name = who["user"].as_str().map_or_else(|| format!("uid {}", who["uid"]), str::to_owned);
            let why = record["why"].as_str().map(|why| format!("  ({why})")).unwrap_or_default();
            let _ = writeln!(
                page,
                "{:>5} {} {} ({}) {} {}{why}",
                record["seq"],
                field(record, "time"),
                name,
                field(who, "role"),
                field(record, "what"),
                detail(&record["detail"])
            );
        }
        page.trim_end().to_owned()
    })
}

fn detail(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let words = fields.map(|(key, value)| format!("{key}={}", value.as_str().map_or(value.to_string(), str::to_owned)));
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn verify(live: &Live, expected: Option<String>) -> u8 {
    ask(live, &Request::AuditVerify { expected }, |answer| {
        let mut line = format!(
            "{} records, whole and in order, {} to {}; head {}",
            answer["records"],
            field(answer, "first"),
            field(answer, "last"),
            field(answer, "head")
        );
        if let Some(unfinished @ 1..) = answer["unfinished"].as_u64() {
            let _ = write!(line, "; {unfinished} bytes behind it belong to a record that was never acknowledged");
        }
        line
    })
}
