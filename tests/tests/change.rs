//! Policy and mode changes under load: a client that never pauses must not notice, and no operation may be lost from,
//! or counted twice in, the sums over all generations.

use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{PATIENT, binary};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::namespace::wait_until;
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Enforcer, Lab, Server, require_root};
use serde_json::Value;

/// Policy changes, each followed by a mode change.
const ROUNDS: u32 = 40;
const LIMIT: Duration = Duration::from_secs(30);

/// Two policies that agree on the client's reads and differ in everything around them.
fn policy(revision: u32) -> String {
    let other = if revision.is_multiple_of(2) {
        "\n  [[conduits.rules]]\n  name = \"setpoint\"\n  functions = [\"write_single_register\"]\n  \
         objects = [\"holding:40-47\"]\n  action = \"log\"\n"
    } else {
        ""
    };
    let objects = if revision.is_multiple_of(2) { "holding:0-99" } else { "holding:0-199" };
    format!(
        r#"[policy]
name = "press-line"
revision = {revision}
default = "deny"

[zones]
hmi   = ["10.10.1.20", "10.10.1.21"]
press = ["10.10.2.5"]

[devices]
press = {{ ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }}

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"
mode     = "enforce"
{other}
  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  objects   = ["{objects}"]
  action    = "allow"
"#
    )
}

/// The numbers of the one conduit.
fn counts(enforcer: &Enforcer) -> (u64, u64, u64, u64, Value) {
    let status = enforcer.status().expect("status");
    let conduit = &status["conduits"][0];
    let count = |what: &str| conduit[what].as_u64().unwrap_or_else(|| panic!("{what} is missing: {status:#}"));
    let (evaluated, allow, deny, would_deny) = (count("evaluated"), count("allow"), count("deny"), count("would_deny"));
    (evaluated, allow, deny, would_deny, status)
}

#[test]
fn changes_under_load_disturb_nothing_and_lose_no_count() {
    require_root();
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let enforcer = Enforcer::start_more(&lab, &binary("debug"), &policy(1), "enforce", PATIENT).expect("start");
    let first = enforcer.status().expect("status")["policy"]["generation"].as_u64().expect("a generation");
    let files = [2, 3].map(|n| lab.write(&format!("policy-{n}.toml"), &policy(n)).display().to_string());
    let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::from_millis(1) };
    let poller = Poller::start(&lab.hmi, plan);
    assert!(poller.wait_for_good(50, Duration::from_secs(5)), "polling: {:?}", poller.tally());

    let start = Instant::now();
    for round in 0..ROUNDS {
        let file = &files[round as usize % 2];
        enforcer.must(&["policy", "apply", file]).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let mode = if round % 2 == 0 { "shadow" } else { "enforce" };
        enforcer.must(&["mode", mode, "--force"]).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(poller.wait_for_good(1, Duration::from_secs(3)), "round {round}: {:?}", poller.tally());
        assert!(start.elapsed() < LIMIT, "only {round} rounds in {LIMIT:?}");
    }

    let took = start.elapsed();
    let tally = poller.stop();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}");
    let rate = tally.good as f64 / took.as_secs_f64();
    assert!(rate > 100.0, "{rate:.0} transactions per second are no load: {tally:?} in {took:?}");
    let (evaluated, allow, deny, would_deny, status) = counts(&enforcer);
    assert_eq!(server.memory().requests, tally.good, "the server decoded every request once: {tally:?}");
    assert_eq!(allow, tally.good, "allowed operations over all generations: {status:#}");
    assert_eq!((evaluated, deny, would_deny), (allow, 0, 0), "{status:#}");
    assert_eq!(status["conduits"][0]["rules"]["poll"], tally.good, "by rule: {status:#}");
    assert_eq!(status["policy"]["generation"], first + u64::from(ROUNDS), "{status:#}");
    assert_eq!((&status["policy"]["revision"], &status["mode"]), (&3.into(), &"enforce".into()), "{status:#}");
    assert_eq!(status["events"]["lost"], 0, "{status:#}");
}

#[test]
fn what_two_policies_disagree_on_changes_with_the_policy() {
    require_root();
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let enforcer = Enforcer::start_more(&lab, &binary("debug"), &policy(1), "enforce", PATIENT).expect("start");
    let wide = lab.write("policy-2.toml", &policy(2)).display().to_string();
    let narrow = lab.write("policy-3.toml", &policy(3)).display().to_string();
    let write = |value: u16| {
        let mut client = enforcer_tests::Client::connect(&lab.hmi, HMI, PLC).expect("connect");
        client.write_single(41, value)
    };
    for (file, value) in [(&wide, 1001), (&wide, 1002), (&wide, 1003)] {
        let before = server.holding(41);
        enforcer.must(&["policy", "apply", &narrow]).expect("apply");
        write(value).expect_err("no rule for it");
        assert_eq!(server.holding(41), before, "a denied write arrived");
        enforcer.must(&["policy", "apply", file]).expect("apply");
        write(value).expect("a rule for it");
        assert_eq!(server.holding(41), value);
    }
    assert_eq!(server.memory().writes, 3);
    wait_until("three denials are on record", || {
        let status = enforcer.status().expect("status");
        status["events"]["emitted"].as_u64().is_some_and(|count| count >= 3)
    });
    let status = enforcer.status().expect("status");
    let conduit = &status["conduits"][0];
    assert_eq!((&conduit["deny"], &conduit["log"]), (&3.into(), &3.into()), "{status:#}");
    assert_eq!(conduit["rules"]["setpoint"], 3, "{status:#}");
    assert_eq!(status["reasons"]["function_not_allowed"], 3, "{status:#}");
}
