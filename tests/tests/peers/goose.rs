//! A publisher and a subscriber on libiec61850.

use enforcer_tests::Peers;
use enforcer_tests::lab::STATION_PORT;

const ENTRY: &str = "
[[ethernet]]
types = [\"goose\"]
action = \"allow\"
";

/// What three events become under these sections: those that reach the subscriber's application, and the box's counters.
fn published(sections: &str) -> (Peers, Vec<String>) {
    let peers = Peers::under("goose", sections);
    let told = peers.client("goose", &[STATION_PORT]);
    assert_eq!(told[0]["ok"], true, "{told:?}");
    let served = peers.served();
    let events = served.iter().filter(|line| line.get("event").is_some()).map(|line| line["values"].to_string());
    let events = events.collect();
    (peers, events)
}

#[test]
fn events_reach_the_subscriber() {
    let (peers, events) = published(ENTRY);
    assert_eq!(events, ["[false,0]", "[true,1]", "[false,2]"], "{}", peers.state());
    assert_eq!(peers.uncovered("allow"), 3, "{}", peers.state());
}

/// Rules judge what is asked; what is published passes, and is no operation that the entry would count.
#[test]
fn events_pass_a_rule_that_denies_them() {
    let rule = "\n  [[ethernet.rules]]\n  name = \"none\"\n  functions = [\"publish\"]\n  action = \"deny\"\n";
    let (peers, events) = published(&format!("{ENTRY}{rule}"));
    assert_eq!(events.len(), 3, "{}", peers.state());
    assert_eq!((peers.counted("deny"), peers.uncovered("deny")), (0, 0), "{}", peers.state());
}

#[test]
fn events_of_a_type_that_no_entry_names_do_not() {
    let (peers, events) = published("[[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n");
    assert_eq!((events.len(), peers.reason("not_covered")), (0, 3), "{}", peers.state());
}

/// A publisher in the plant that speaks from the address of the station behind the box.
#[test]
fn events_in_the_name_of_the_device_do_not() {
    let spoofed = enforcer_tests::lab::HMI_MAC.map(|byte| format!("{byte:02x}")).join(":");
    let (peers, events) = published(&format!("[devices]\nstation = {{ mac = \"{spoofed}\" }}\n{ENTRY}"));
    assert_eq!((events.len(), peers.reason("spoofed_device")), (0, 3), "{}", peers.state());
}
