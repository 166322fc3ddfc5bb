//! A change that makes the protected device do worse goes back by itself; one that does not waits for its person.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{AT_ONCE, configuration, current};
use enforcer_tests::lab::{HMI, HMI_SECOND, PLC};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Client, Enforcer, Lab, Server, require_root};
use serde_json::Value;

/// Reads of the registers 0 to 99 are allowed.
const GOOD: &str = r#"[policy]
name = "line"
revision = 1

[zones]
hmi   = ["10.10.1.20-10.10.1.21"]
press = ["10.10.2.5"]

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"

  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  objects   = ["holding:0-99"]
  action    = "allow"
"#;

/// True as soon as the condition holds; false when it does not in this time.
fn within(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(100));
    }
    true
}

struct Plant {
    enforcer: Enforcer,
    poller: Poller,
    _server: Server,
    lab: Lab,
}

impl Plant {
    /// A box in shadow with a policy, and a station that polls the registers 0 to 9. Changes wait a minute to be confirmed,
    /// and how fast the machine under the test answers says nothing.
    fn new(policy: &str) -> Self {
        require_root();
        let lab = Lab::new();
        let server = Server::start(&lab.plc);
        let file = lab.write("policy.toml", policy);
        let patient = AT_ONCE.replace(
            "confirm_within = \"0s\"",
            "confirm_within = \"60s\"\nworse_response = 100000\nworse_errors = 500",
        );
        let text = configuration(&lab, &file, "shadow").replace(AT_ONCE, &patient);
        let config = lab.write("enforcer.toml", &text);
        let socket = lab.folder().join("control.sock");
        let enforcer = Enforcer::start_with(&lab, &current(), &config, &socket).expect("start");
        let every = Duration::from_millis(20);
        let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every };
        let poller = Poller::start(&lab.hmi, plan);
        let plant = Plant { enforcer, poller, _server: server, lab };
        assert!(within(Duration::from_secs(20), || plant.health()["state"] == "ok"), "{}", plant.state());
        plant
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    fn state(&self) -> String {
        format!("{:?}\n{:#}", self.poller.tally(), self.status())
    }

    fn health(&self) -> Value {
        self.status()["health"].clone()
    }

    fn enforce(&self) {
        self.enforcer.must(&["mode", "enforce", "--reason", "test"]).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until the box is back in shadow, and returns what it says about that.
    fn goes_back(&self, mode: &str) -> String {
        let start = Instant::now();
        let back = || self.status()["unconfirmed"].is_null();
        assert!(within(Duration::from_secs(25), back), "{}", self.state());
        println!("back after {:?}", start.elapsed());
        let status = self.status();
        assert_eq!(status["mode"], mode, "{status:#}");
        let why = status["gone_back"].as_str().unwrap_or_default().to_owned();
        let attention = status["attention"].to_string();
        assert!(attention.contains("went back by itself: "), "{attention}");
        why
    }
}

#[test]
fn a_policy_that_stops_the_polls_goes_back_by_itself_and_says_why() {
    let plant = Plant::new(&GOOD.replace("holding:0-99", "holding:50-99"));
    let device = plant.health()["devices"][0].clone();
    assert_eq!(device["device"], "10.10.2.5", "{device:#}");
    assert!(device["polls_per_s"].as_f64().is_some_and(|rate| rate > 5.0), "{device:#}");
    assert!(device["answered"].as_f64().is_some_and(|part| part > 0.9), "{device:#}");
    assert!(device["response_us_p50"].as_u64().is_some_and(|time| time > 0), "{device:#}");
    assert!(device["baseline"]["polls"].as_u64().is_some_and(|polls| polls >= 50), "{device:#}");

    plant.enforce();
    let why = plant.goes_back("shadow");
    assert!(why.starts_with("mode enforce (the devices' health got worse: 10.10.2.5 "), "{why}");
    assert!(why.contains("stopped by the policy"), "{why}");
    let stopped = plant.status()["conduits"][0]["deny"].as_u64();
    assert!(stopped.is_some_and(|count| count > 0), "{}", plant.state());

    let events = plant.enforcer.json_lines(&["events"]).expect("events");
    let alarm = events.iter().find(|event| event["event"] == "alarm").expect("an alarm");
    assert!(alarm["what"].as_str().is_some_and(|what| what.contains("health got worse")), "{alarm}");
    let health = events.iter().find(|event| event["event"] == "health").expect("a health event");
    assert_eq!(health["health"]["state"], "worse", "{health:#}");
    assert!(health["health"]["devices"][0]["baseline"]["polls"].as_u64() >= Some(50), "{health:#}");
    let audit = plant.enforcer.must(&["audit", "show"]).expect("audit");
    assert!(audit.contains("auto_return") && audit.contains("health got worse"), "{audit}");

    assert!(plant.poller.wait_for_good(10, Duration::from_secs(15)), "production goes on: {}", plant.state());
}

#[test]
fn a_promoted_policy_that_stops_the_polls_goes_back_to_the_one_before() {
    let mut plant = Plant::new(GOOD);
    plant.enforce();
    plant.enforcer.must(&["confirm"]).expect("confirm");
    assert!(within(Duration::from_secs(5), || plant.health()["state"] == "unknown"), "{}", plant.state());
    // Nobody counts while all is enforced and confirmed; what was usual is still known, to the next daemon as well.
    thread::sleep(Duration::from_secs(3));
    plant.enforcer.process().kill();
    let (config, socket) = (plant.enforcer.config().to_owned(), plant.enforcer.socket().to_owned());
    plant.enforcer = Enforcer::start_with(&plant.lab, &current(), &config, &socket).expect("start");
    let baseline = plant.health()["devices"][0]["baseline"]["polls"].as_u64();
    assert!(baseline >= Some(50), "{}", plant.state());
    let bad = GOOD.replace("holding:0-99", "holding:50-99").replace("revision = 1", "revision = 2");
    let file = plant.lab.write("bad.toml", &bad).display().to_string();
    plant.enforcer.must(&["policy", "stage", &file]).expect("stage");
    plant.enforcer.must(&["policy", "promote", "--reason", "test"]).expect("promote");
    assert_eq!(plant.status()["policy"]["revision"], 2);
    let why = plant.goes_back("enforce");
    assert!(why.starts_with("policy line revision 2 (the devices' health got worse"), "{why}");
    assert_eq!(plant.status()["policy"]["revision"], 1, "{}", plant.state());
}

#[test]
fn a_good_policy_stays_though_writes_are_stopped() {
    let plant = Plant::new(GOOD);
    plant.enforce();
    let start = Instant::now();
    // One who writes what is not allowed can't calm the box.
    while start.elapsed() < Duration::from_secs(12) {
        if let Ok(mut other) = Client::connect(&plant.lab.hmi, HMI_SECOND, PLC) {
            assert!(other.write_single(40, 1).is_err());
        }
        thread::sleep(Duration::from_millis(200));
    }
    let status = plant.status();
    assert_eq!(
        (status["mode"].as_str(), status["health"]["state"].as_str()),
        (Some("enforce"), Some("ok")),
        "{status:#}"
    );
    assert!(status["unconfirmed"]["seconds_left"].as_u64() > Some(20), "{status:#}");
    plant.enforcer.must(&["confirm"]).expect("confirm");
    let tally = plant.poller.tally();
    assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}");
    assert!(plant.status()["unconfirmed"].is_null());
}
