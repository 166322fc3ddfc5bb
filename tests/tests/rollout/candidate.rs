//! Policies that are tried beside the one in force: one that would break a poll, and one that is wanted.

use serde_json::Value;

use super::plant::Plant;
use super::s7comm;
use super::way::Proposal;

/// What S7 stations may do under a proposal of reads, and with writes.
const READS: &str = "functions = [\"read_var\"]";
const WRITES: &str = "functions = [\"read_var\", \"write_var\"]";

impl Plant {
    /// A candidate that denies the S7 reads shows it before it does. Promoted all the same, and the controller killed: the kernel
    /// goes back alone.
    pub(super) fn narrows_by_mistake(&mut self, proposal: &Proposal) {
        let bad = self.policy("bad.toml", &proposal.text, s7comm::OBJECT, "DB1:0-7");
        self.must(&["policy", "stage", &bad]);
        let live = self.flips(&["policy", "diff"]);
        let back = self.flips(&["policy", "diff", &bad, "--since", "1h"]);
        for (flips, way) in [(&live, "live"), (&back, "from the journal")] {
            let read = flips.iter().find(|flip| flip["name"] == "read_var");
            let read = read.unwrap_or_else(|| panic!("{way}: {flips:#?}"));
            assert_eq!((&read["active"]["verdict"], &read["candidate"]["verdict"]), (&"allow".into(), &"deny".into()));
            assert_eq!(read["objects"][0], s7comm::OBJECT, "{way}: {read:#}");
        }
        assert!(live.iter().all(|flip| flip["name"] == "read_var"), "nothing else differs: {live:#?}");
        self.unbroken("a candidate acts on nothing");

        self.must(&["policy", "promote", "--confirm-within", "4s", "--reason", "a mistake"]);
        self.enforcer.process().kill();
        self.until("the candidate acts", || (self.s7.tally().errors > 0).then_some(()));
        self.s7.reset();
        assert!(!self.modbus.write(&self.lab, 704), "what came back enforces\n{:?}", self.s7.tally());
        self.again();
        let status = self.status();
        assert_eq!((&status["mode"], &status["unconfirmed"]), (&"enforce".into(), &Value::Null), "{status:#}");
        assert!(self.must(&["audit", "show"]).contains("auto_return"));
        self.unbroken("the kernel has gone back, and another controller has come");
    }

    /// A candidate that lets S7 write is promoted and confirmed, and acts from the promotion on.
    pub(super) fn widens(&self, proposal: &Proposal) {
        let wider = self.policy("wider.toml", &proposal.text, READS, WRITES);
        self.must(&["policy", "stage", &wider]);
        self.until("live traffic is compared", || {
            let output = self.enforcer.cli(&["policy", "diff", "--json"]);
            let diff: Value = serde_json::from_slice(&output.stdout).ok()?;
            assert_eq!((&diff["flips"], output.status.code()), (&Value::Array(Vec::new()), Some(0)), "{diff:#}");
            (diff["compared"].as_u64()? > 100).then_some(())
        });
        self.must(&["policy", "promote", "--confirm-within", "20s"]);
        self.lets_write_s7("promoted", 705);
        self.must(&["confirm", "--reason", "operators may set it"]);
        self.lets_write_s7("confirmed", 706);
        assert!(!self.modbus.write(&self.lab, 706), "Modbus is as before\n{}", self.state());
        self.unbroken("a promotion and its confirmation");
    }

    /// Takes the policy before back.
    pub(super) fn rolls_back(&self) {
        self.must(&["rollback", "--reason", "not today"]);
        let shown = self.must(&["policy", "show"]);
        assert!(shown.contains(READS) && !shown.contains(WRITES), "{shown}");
        assert_eq!(self.status()["mode"], "enforce");
        assert!(self.must(&["policy", "history"]).contains("generation"));
        self.unbroken("the policy before");
    }

    /// The operations that differ; the command must say by its exit code that there are some.
    fn flips(&self, arguments: &[&str]) -> Vec<Value> {
        self.until("flips", || {
            let output = self.enforcer.cli(&[arguments, &["--json"]].concat());
            let diff: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
            let flips = diff["flips"].as_array().filter(|flips| !flips.is_empty())?;
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            Some(flips.clone())
        })
    }
}
