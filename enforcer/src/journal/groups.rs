//! Which group an event belongs to. Groups have exact totals, whatever becomes of the single records.

use std::net::SocketAddr;

use serde_json::Value;

/// Stands in a group for ends that are not told apart.
pub const ANY: &str = "*";

/// What the events of one group have in common. Empty text and -1 stand for what an event does not have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Group {
    /// Kind: deny, would_deny, log, asset, health, ...
    pub event: String,
    /// Conduit.
    pub conduit: String,
    /// Reason of the verdict.
    pub reason: String,
    /// Protocol.
    pub protocol: String,
    /// Function; -1 for none.
    pub function: i64,
    /// Who sent it, without the port; [`ANY`] where there were too many groups.
    pub src: String,
    /// Where to, with the port; [`ANY`] as well.
    pub dst: String,
}

impl Group {
    /// The group of an event record.
    #[must_use]
    pub fn of(record: &Value) -> Self {
        let text = |name| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let src = text("src");
        Self {
            event: text("event").to_owned(),
            conduit: text("conduit").to_owned(),
            reason: text("reason").to_owned(),
            protocol: text("protocol").to_owned(),
            function: record.get("function").and_then(Value::as_i64).unwrap_or(-1),
            src: src.parse().map_or_else(|_| src.to_owned(), |end: SocketAddr| end.ip().to_string()),
            dst: text("dst").to_owned(),
        }
    }

    /// The group that takes its place where there are too many. A sender can make up addresses and functions without end,
    /// but not conduits and reasons.
    pub(super) fn coarse(&self) -> Self {
        Self { function: -1, src: ANY.to_owned(), dst: ANY.to_owned(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Group;

    #[test]
    fn a_group_has_no_source_port() {
        let src = |src: &str| Group::of(&json!({"src": src, "dst": "10.0.0.2:502", "function": 3})).src;
        assert_eq!(src("10.0.0.1:34567"), "10.0.0.1");
        assert_eq!(src("[fe80::1]:34567"), "fe80::1");
        assert_eq!(src("fe80::1"), "fe80::1");
        assert_eq!(src("00:1b:1b:12:34:56"), "00:1b:1b:12:34:56");
        assert_eq!(Group::of(&json!({"event": "mode"})).function, -1);
    }
}
