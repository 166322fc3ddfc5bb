//! pnio_dcp with a device of our own: there is no other one.

use enforcer_tests::Peers;

const POLICY: &str = "
[[ethernet]]
types = [\"profinet\"]
action = \"allow\"

  [[ethernet.rules]]
  name = \"find devices\"
  functions = [\"dcp_identify\", \"dcp_get\", \"dcp_signal\"]
  action = \"allow\"

[[ethernet]]
types = [\"arp\"]
action = \"allow\"
";

#[test]
fn a_device_is_found_and_asked_and_nothing_is_set_in_it() {
    let peers = Peers::under("profinet", POLICY);
    let told = peers.client("profinet", &["get", "blink", "name", "address", "reset", "get"]);
    let went: Vec<bool> = told.iter().map(|line| line["ok"] == true).collect();
    assert_eq!(went, [true, true, true, false, false, false, true], "{told:?}\n{}", peers.state());
    assert_eq!(told[0]["name"][0], "press1", "{told:?}");
    let served = peers.served();
    let set: Vec<String> = served.iter().filter_map(|line| line.get("set")).map(ToString::to_string).collect();
    assert_eq!(set, ["[5,3]"], "the signal alone: {}", peers.state());
    // Four requests pass, one of them a signal, which is a set by its code: the others of this code miss by their object.
    let counted = (peers.counted("allow"), peers.counted("deny"), peers.reason("object_not_allowed"));
    assert_eq!(counted, (4, 3, 3), "{}", peers.state());
}
