//! c104 with c104, both on lib60870.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\", \"@session\", \"@diagnose\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"switch\"
  functions = [\"c_sc_na_1\", \"c_dc_na_1\"]
  units = [\"47\"]
  objects = [\"type 45:12\", \"type 46:14\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"level\"
  functions = [\"c_se_nc_1\"]
  objects = [\"type 50:13\"]
  values = [\"0-10\"]
  action = \"log\"
";

#[test]
fn commands_pass_as_far_as_the_policy_goes() {
    let peers = Peers::new("iec104", "iec104", "", RULES);
    let told = peers.client("iec104", &["interrogation", "read", "clock"]);
    let ok = |step: &str| told.iter().find(|line| line["step"] == step).map(|line| line["ok"] == true);
    for step in ["interrogation", "read"] {
        assert_eq!(ok(step), Some(true), "{step}: {told:?}\n{}", peers.state());
    }
    // No rule names the clock; the connection is reset, and comes again.
    assert_eq!(ok("clock"), Some(false), "{told:?}\n{}", peers.state());
    assert!(peers.reason("function_not_allowed") > 0, "{}", peers.state());
}

#[test]
fn a_set_point_too_high_is_refused_where_one_in_range_is_not() {
    let rules = format!(
        "{RULES}\n  [[conduits.rules]]\n  name = \"clock\"\n  functions = [\"c_cs_na_1\"]\n  action = \"allow\"\n"
    );
    let peers = Peers::new("iec104", "iec104", "", &rules);
    let told = peers.client("iec104", &["interrogation", "read", "clock", "single", "double", "level", "too_high"]);
    let steps = told.iter().filter(|line| line["ok"] == true).filter_map(|line| line["step"].as_str());
    let passed: Vec<&str> = steps.collect();
    let expected = ["interrogation", "read", "clock", "single", "double", "level"];
    assert_eq!(passed, expected, "{told:?}\n{}", peers.state());
    let served = peers.served();
    let asked: Vec<&str> =
        served.iter().filter(|line| line["command"] == 13).filter_map(|line| line["value"].as_str()).collect();
    assert_eq!(asked, ["3.25"], "{}", peers.state());
    assert_eq!(served.iter().filter(|line| line["command"] == 14).count(), 1, "selected, then executed");
    assert_eq!((peers.reason("value_not_allowed"), peers.counted("log")), (1, 1), "{}", peers.state());
}
