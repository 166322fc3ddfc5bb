//! OpenDNP3 with OpenDNP3.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\", \"@session\", \"enable_unsolicited\", \"disable_unsolicited\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"restart seen\"
  functions = [\"write\"]
  objects = [\"g80v1:7\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"switch\"
  functions = [\"direct_operate\"]
  objects = [\"g12v1:0-3\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"level\"
  functions = [\"select\", \"operate\"]
  objects = [\"g41v3:2\"]
  values = [\"0-100\"]
  action = \"log\"
";

#[test]
fn commands_pass_as_far_as_the_policy_goes() {
    let peers = Peers::new("dnp3", "dnp3", "", RULES);
    let steps = ["read", "direct", "beside", "read", "select", "too_high", "read", "restart", "read"];
    let told = peers.client("dnp3", &steps);
    let went: Vec<(&str, bool)> =
        told.iter().filter_map(|line| Some((line["step"].as_str()?, line["ok"] == true))).collect();
    let expected = steps.map(|step| (step, !matches!(step, "beside" | "too_high" | "restart")));
    assert_eq!(went, expected, "{told:?}\n{}", peers.state());
    assert_eq!(told[0]["values"][0], 21.0, "{told:?}");

    let served = peers.served();
    let count = |key: &str| served.iter().filter(|line| line.get(key).is_some()).count();
    let operated: Vec<_> = served.iter().filter_map(|line| line["operated"].as_u64()).collect();
    assert_eq!((operated, count("selected"), count("restarted")), (vec![1, 2], 1, 0), "{}", peers.state());
    // Each denial resets the conversation on both sides, and the master opens another one: the outstation takes one master
    // at a time, and sends a second one away as long as it believes in the first.
    let closed = told.iter().filter(|line| line["line"] == "closed").count();
    let opened = served.iter().filter(|line| line["line"] == "open").count();
    assert!(closed >= 3 && opened > closed, "{told:?}\n{}", peers.state());
    for reason in ["object_not_allowed", "value_not_allowed", "function_not_allowed"] {
        assert_eq!(peers.reason(reason), 1, "{reason}: {}", peers.state());
    }
    assert_eq!((peers.counted("deny"), peers.counted("log")), (3, 2), "{}", peers.state());
}
