//! Permission for a while: it acts at once, ends when it is revoked, and ends by itself.

use enforcer_tests::lab::{HMI, PLC};
use serde_json::Value;

use super::plant::Plant;

impl Plant {
    pub(super) fn grants(&self) {
        let granted = self.grant("@write", "1h", "vendor");
        assert!(self.modbus.write(&self.lab, 800), "granted\n{}", self.state());
        assert_eq!(self.modbus.holds(), 800);
        let list = self.json(&["grant", "list"]);
        let first = &list["grants"][0];
        assert_eq!((&first["used"], &first["reason"]), (&1.into(), &"vendor".into()), "{list:#}");
        let events = self.enforcer.json_lines(&["events"]).expect("events");
        assert!(events.iter().any(|event| event["reason"] == "grant" && event["event"] == "log"), "recorded");
        self.must(&["grant", "revoke", &granted["id"].to_string()]);
        assert!(!self.modbus.write(&self.lab, 801), "revoked\n{}", self.state());
        self.grant("6", "1s", "short");
        self.until("the end of the grant", || {
            self.json(&["grant", "list"])["grants"].as_array()?.is_empty().then_some(())
        });
        assert!(!self.modbus.write(&self.lab, 802), "it has ended\n{}", self.state());
        assert_eq!(self.modbus.holds(), 800);
    }

    fn grant(&self, functions: &str, length: &str, reason: &str) -> Value {
        let (from, to) = (HMI.to_string(), PLC.to_string());
        let who = ["grant", "add", "--from", &from, "--to", &to];
        self.json(&[&who[..], &["--functions", functions, "--for", length, "--reason", reason]].concat())
    }
}
