//! bacpypes3 with bacpypes3.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\", \"@discover\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"setpoint\"
  functions = [\"write_property\"]
  objects = [\"analog-value:1/85\"]
  values = [\"0-100\"]
  action = \"allow\"
";

#[test]
fn reads_and_a_setpoint_within_its_range_pass_and_nothing_else() {
    let peers = Peers::new("bacnet", "bacnet", "", RULES);
    let told = peers.client("bacnet", &[]);
    let went = |step: &str| told.iter().any(|line| line["step"] == step && line["ok"] == true);
    for step in ["who_is", "read", "read_multiple", "write"] {
        assert!(went(step), "{step}: {told:?}\n{}", peers.state());
    }
    for step in ["write_beyond", "restart"] {
        assert!(!went(step), "{step}: {told:?}\n{}", peers.state());
    }
    let written: Vec<_> = peers.served().iter().filter_map(|line| line["value"].as_f64()).collect();
    assert_eq!(written, [42.25], "{}", peers.state());
    assert!(peers.reason("value_not_allowed") > 0, "{}", peers.state());
    assert!(peers.reason("function_not_allowed") > 0, "{}", peers.state());
}
