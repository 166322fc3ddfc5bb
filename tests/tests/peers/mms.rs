//! pyiec61850-ng with pyiec61850-ng, both on libiec61850.

use enforcer_tests::Peers;

const READS: &str = "
  [[conduits.rules]]
  name = \"watch\"
  functions = [\"@read\", \"@discover\", \"@session\"]
  action = \"allow\"
";

fn passed(told: &[serde_json::Value]) -> Vec<&str> {
    told.iter().filter(|line| line["ok"] == true).filter_map(|line| line["step"].as_str()).collect()
}

#[test]
fn a_client_reads_and_browses_and_may_not_write() {
    let peers = Peers::new("mms", "mms", "", READS);
    let told = peers.client("mms", &["read", "browse", "set", "read"]);
    // The session is reset with the write, 21.4: nothing passes in it any more.
    assert_eq!(passed(&told), ["connect", "read", "browse"], "{told:?}\n{}", peers.state());
    assert!(!peers.served().iter().any(|line| line["set"].is_number()), "{}", peers.state());
    assert_eq!(peers.reason("object_not_allowed") + peers.reason("function_not_allowed"), 1, "{}", peers.state());
    // A new one is served.
    assert_eq!(passed(&peers.client("mms", &["read", "close"])), ["connect", "read", "close"], "{}", peers.state());
}

#[test]
fn a_control_passes_by_name() {
    let rules = format!(
        "{READS}
  [[conduits.rules]]
  name = \"set point\"
  functions = [\"write_setting\"]
  objects = [\"setting:peerLD1/GGIO1$SP$AnOut1$setMag$f\"]
  action = \"allow\"

  [[conduits.rules]]
  name = \"breaker 1\"
  functions = [\"control_operate\"]
  objects = [\"operate:peerLD1/GGIO1$CO$SPCSO1$Oper\"]
  values = [\"1\"]
  action = \"log\"
"
    );
    let peers = Peers::new("mms", "mms", "", &rules);
    let told = peers.client("mms", &["set", "operate", "operate_other"]);
    assert_eq!(passed(&told), ["connect", "set", "operate"], "{told:?}\n{}", peers.state());
    let served = peers.served();
    let controls: Vec<&str> = served.iter().filter_map(|line| line["control"].as_str()).collect();
    assert_eq!(controls, ["SPCSO1"], "{}", peers.state());
    assert!(served.iter().any(|line| line["set"] == 5.5), "{}", peers.state());
    assert_eq!((peers.reason("object_not_allowed"), peers.counted("log")), (1, 1), "{}", peers.state());
}
