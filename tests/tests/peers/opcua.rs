//! asyncua with asyncua, on a channel without security.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\", \"@session\", \"@discover\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"speed\"
  functions = [\"write\"]
  objects = [\"string2:Machine.Speed\"]
  values = [\"0-10\"]
  action = \"log\"
";

fn passed(told: &[serde_json::Value]) -> Vec<&str> {
    told.iter().filter(|line| line["ok"] == true).filter_map(|line| line["step"].as_str()).collect()
}

#[test]
fn a_read_and_a_write_pass_and_another_node_is_out_of_reach() {
    let peers = Peers::new("opcua", "opcua", "", RULES);
    let told = peers.client("opcua", &["read", "browse", "write", "limit", "read"]);
    // The connection is reset with the write that no rule covers, and nothing goes on behind it.
    assert_eq!(passed(&told), ["connect", "read", "browse", "write"], "{told:?}\n{}", peers.state());
    let written = |node: &str| {
        let served = peers.served();
        let values = served.iter().filter(|line| line["node"] == node).filter_map(|line| line["value"].as_str());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(written("Machine.Speed"), ["1.5", "7.25"], "{}", peers.state());
    assert_eq!(written("Machine.Limit"), ["100.0"], "{}", peers.state());
    assert_eq!((peers.reason("object_not_allowed"), peers.counted("log")), (1, 1), "{}", peers.state());
    // A new session is let in again.
    let told = peers.client("opcua", &["read"]);
    assert_eq!(passed(&told), ["connect", "read"], "{told:?}\n{}", peers.state());
}

#[test]
fn neither_a_value_out_of_range_nor_a_method_reaches_the_server() {
    let peers = Peers::new("opcua", "opcua", "", RULES);
    for (step, reason) in [("too_high", "value_not_allowed"), ("call", "function_not_allowed")] {
        let told = peers.client("opcua", &[step]);
        assert_eq!(passed(&told), ["connect"], "{told:?}\n{}", peers.state());
        assert!(peers.reason(reason) > 0, "{reason}: {}", peers.state());
    }
    let served = peers.served();
    assert!(served.iter().all(|line| line["called"].is_null() && line["value"] != "50.0"), "{}", peers.state());
}
