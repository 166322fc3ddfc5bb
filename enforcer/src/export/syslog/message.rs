//! The syslog message around a CEF record: RFC 5424, section 6.

use serde_json::Value;

use super::cef;
use crate::config::Facility;
use crate::export::microseconds;
use crate::journal::time;

/// Longest HOSTNAME and MSGID of the RFC.
const LONGEST_HOST: usize = 255;
const LONGEST_ID: usize = 32;

/// Severities of the RFC.
const CRITICAL: u8 = 2;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFORMATIONAL: u8 = 6;

/// Writes messages of one host.
pub(super) struct Writer {
    facility: u8,
    host: String,
    process: u32,
}

impl Writer {
    pub(super) fn new(facility: Facility) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { facility: facility.code(), host: printable(host.trim(), LONGEST_HOST), process: std::process::id() }
    }

    /// The message of an event. The text carries no byte order mark: what reads CEF does not expect one.
    pub(super) fn message(&self, event: &Value, number: u64) -> String {
        let kind = event.get("event").and_then(Value::as_str).unwrap_or("event");
        let moment = event.get("time").and_then(Value::as_str).and_then(time::parse);
        let time = microseconds(moment.unwrap_or_else(time::now));
        // The RFC's sequenceId is 1 to 2147483647 and begins again.
        let number = (number.wrapping_sub(1) % 2_147_483_647) + 1;
        format!(
            "<{}>1 {time} {} enforcer {} {} [meta sequenceId=\"{number}\"] {}",
            self.facility * 8 + severity(kind),
            self.host,
            self.process,
            printable(kind, LONGEST_ID),
            cef::record(event),
        )
    }
}

fn severity(kind: &str) -> u8 {
    match kind {
        "alarm" => CRITICAL,
        "deny" | "malformed" | "unsynchronised" | "health" => WARNING,
        "log" | "allow" | "asset" => INFORMATIONAL,
        // would_deny, mode, policy, grant.
        _ => NOTICE,
    }
}

/// A header field: printable ASCII without spaces, "-" for nothing.
fn printable(text: &str, longest: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Writer, printable};
    use crate::config::Facility;

    #[test]
    fn a_message_has_the_header_of_the_rfc() {
        let writer = Writer { facility: Facility::Local0.code(), host: "box-7".into(), process: 42 };
        let event = json!({"event": "deny", "time": "2026-11-23T06:00:00.123456789Z", "reason": "rule", "count": 1});
        assert_eq!(
            writer.message(&event, 3),
            format!(
                "<132>1 2026-11-23T06:00:00.123456Z box-7 enforcer 42 deny [meta sequenceId=\"3\"] {}",
                super::cef::record(&event)
            )
        );
        assert!(writer.message(&event, 2_147_483_648).contains("sequenceId=\"1\""));
    }

    #[test]
    fn header_fields_are_printable_ascii() {
        assert_eq!(printable("", 5), "-");
        assert_eq!(printable("bös e\n", 10), "bse");
        assert_eq!(printable("123456", 5), "12345");
    }
}
