//! Every metric there is. `docs/metrics.md` has the same table, and a test holds the two against each other.

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, over policy changes and restarts of the controller too unless the help says otherwise.
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// The word of the text format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric without its samples.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Definition =
                Definition { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };
        )*
        /// All of them, in the order in which they are served.
        pub const ALL: &[&Definition] = &[$(&$constant,)*];
    };
}

metrics! {
    BUILD = Gauge "enforcer_build_info" ["version"] "1, with the version of the controller.";
    START = Gauge "enforcer_start_time_seconds" [] "When the controller came up, in seconds since 1970.";
    MODE = Gauge "enforcer_mode" ["mode"] "1 for the mode that the box is in, 0 for the others.";
    CONDUIT_MODE = Gauge "enforcer_conduit_mode" ["conduit", "mode"]
        "1 for the mode that a conduit is in, capped by the box's; other modes are absent.";
    POLICY = Gauge "enforcer_policy_info" ["name", "revision"] "1, with name and revision of the policy in force.";
    GENERATION = Gauge "enforcer_policy_generation" [] "Number of the policy's generation; each change of policy raises it.";
    CANDIDATE = Gauge "enforcer_policy_candidate" [] "1 while a candidate policy is tried beside the one in force.";
    UNCONFIRMED = Gauge "enforcer_unconfirmed_seconds"  []
        "Seconds until an unconfirmed change goes back by itself; absent when none waits.";
    OUTCOMES = Counter "enforcer_outcomes_total" ["conduit", "verdict", "reason"]
        "Operations, and frames without one, by verdict: allow, log, deny (stopped) or would_deny (let through by the mode). Exact. The empty conduit is traffic that no conduit covers.";
    OPERATIONS = Counter "enforcer_operations_total" ["conduit", "function", "verdict", "reason"]
        "Requests and messages by function; answers are not among them. Exact while enforcer_lost_total{what=\"function_counters\"} is 0. Function @any is what a rule for every function decided.";
    RULES = Counter "enforcer_rule_operations_total" ["conduit", "rule"] "Operations that a rule decided. Exact.";
    FLOWS = Gauge "enforcer_flows" ["state"]
        "TCP conversations: established, half_open (waiting for the device's answer), unsynchronised (taken up in the middle and not proved).";
    FLOWS_ROOM = Gauge "enforcer_flows_limit" ["state"] "How many of them the tables have room for.";
    LOST = Counter "enforcer_lost_total" ["what"]
        "What found no room in the kernel's tables: events, observations, function_counters, flows, half_open, comparisons; and stages: frames that met an empty program slot.";
    EVENTS = Counter "enforcer_events_read_total" [] "Events read from the kernel's ring since the controller came up.";
    JOURNAL_LOST = Counter "enforcer_journal_lost_total" ["what"]
        "Records that did not reach the journal since the controller came up.";
    JOURNAL_BYTES = Gauge "enforcer_journal_bytes" ["file"] "Size of the journal's files.";
    EXPORT_SENT = Counter "enforcer_export_sent_total" ["export"]
        "Events written, or taken by the server, since the controller came up.";
    EXPORT_LOST = Counter "enforcer_export_lost_total" ["export"]
        "Events that an export dropped since the controller came up.";
    EXPORT_QUEUED = Gauge "enforcer_export_queued" ["export"] "Events that wait to be exported.";
    EXPORT_CONNECTED = Gauge "enforcer_export_connected" ["export"] "1 while the file is open or the server connected.";
    PROCESSING = Histogram "enforcer_processing_seconds" ["side"]
        "How long the kernel's programs took for a frame that came in on this side, of one frame in so many of each CPU (metrics.sample).";
    HEALTH = Gauge "enforcer_health" ["state"]
        "1 for how the devices do, held against shadow: ok, worse or unknown; 0 for the others.";
    PORT_UP = Gauge "enforcer_port_up" ["side", "port"] "1 while the port has a link.";
    PORT_ATTACHED = Gauge "enforcer_port_attached" ["side", "port"] "1 while the enforcer's program is on the port.";
    DEADMAN = Gauge "enforcer_deadman_seconds" ["action"]
        "How long the controller may be silent, and what the kernel then does: hold, shadow or block.";
    DEADMAN_LEFT = Gauge "enforcer_deadman_left_seconds" []
        "Seconds until the kernel counts the controller as silent; absent with action hold.";
    ATTENTION = Gauge "enforcer_attention" [] "How many sentences `enforcer status` has under attention.";
    SNAPSHOT = Gauge "enforcer_snapshot_seconds" [] "How long it took to gather these numbers.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, Kind};

    #[test]
    fn names_follow_the_conventions() {
        let names: BTreeSet<&str> = ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len(), "{names:?}");
        for one in ALL {
            assert!(one.name.starts_with("enforcer_"), "{one:?}");
            assert_eq!(one.kind == Kind::Counter, one.name.ends_with("_total"), "{one:?}");
            let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(plain(one.name) && one.labels.iter().all(|label| plain(label)), "{one:?}");
        }
    }

    #[test]
    fn the_page_lists_every_metric_as_it_is() {
        let page = include_str!("../../../docs/metrics.md");
        let row = |one: &&super::Definition| {
            let labels: Vec<String> = one.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {} | {} | {} |", one.name, one.kind.as_str(), labels.join(", "), one.help)
        };
        let wanted: Vec<String> = ALL.iter().map(row).collect();
        let found: Vec<&str> = page.lines().filter(|line| line.starts_with("| `enforcer_")).collect();
        assert_eq!(found, wanted, "docs/metrics.md should have:\n{}", wanted.join("\n"));
    }
}
