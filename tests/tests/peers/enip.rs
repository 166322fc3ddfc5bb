//! cpppo and pycomm3 with cpppo.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\", \"@session\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"setpoint\"
  functions = [\"write_tag\"]
  objects = [\"tag:SCADA\"]
  action = \"allow\"
";

/// Steps in sessions of their own, and which of them go well.
const STEPS: [(&str, bool); 7] = [
    ("SCADA[0-3]", true),
    ("identity", true),
    ("SCADA[1]=(INT)77", true),
    ("RECIPE[2]=(INT)9", false),
    // A Multiple Service Packet with one write too many: none of its services is carried out.
    ("SCADA[0];RECIPE[2]=(INT)9;SCADA[2]=(INT)5", false),
    ("reset", false),
    ("SCADA[0-3]", true),
];

#[test]
fn reads_and_writes_to_one_tag_pass_and_nothing_else() {
    let peers = Peers::new("enip", "enip", "", RULES);
    let told = peers.client("enip", &STEPS.map(|(step, _)| step));
    let went: Vec<(&str, bool)> =
        told.iter().filter_map(|line| Some((line["step"].as_str()?, line["ok"] == true))).collect();
    assert_eq!(went, STEPS, "{told:?}\n{}", peers.state());
    assert_eq!(told[6]["values"].to_string(), "[[0,77,0,0]]", "{told:?}");

    let served = peers.served();
    let written: Vec<String> =
        served.iter().filter_map(|line| Some(format!("{} {}", line["written"].as_str()?, line["values"]))).collect();
    assert_eq!(written, ["SCADA [77]"], "{}", peers.state());
    let asked: Vec<_> = served.iter().filter_map(|line| line["identity"].as_u64()).collect();
    assert_eq!(asked, [1], "get_attributes_all, and no reset: {}", peers.state());
    // Nobody closes what a denial resets but the box.
    let left = || peers.served().iter().rev().find_map(|line| line["connections"].as_u64());
    let start = Instant::now();
    while left() != Some(0) {
        assert!(start.elapsed() < Duration::from_secs(5), "{}", peers.state());
        thread::sleep(Duration::from_millis(20));
    }
    let counted = (peers.reason("object_not_allowed"), peers.reason("function_not_allowed"), peers.counted("deny"));
    assert_eq!(counted, (2, 1, 3), "{}", peers.state());
}
