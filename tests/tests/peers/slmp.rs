//! pymcprotocol with a responder of our own: there is no other server.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\"]
  objects = [\"D:0-199\"]
  action = \"allow\"
";

fn in_frames(kind: &str) {
    let peers = Peers::new("slmp", "slmp", "ports = [5007]", RULES);
    let told = peers.client("slmp", &[kind]);
    let went: Vec<bool> = told.iter().map(|step| step["ok"] == true).collect();
    assert_eq!(went, [true, true, false, false], "{told:?}\n{}", peers.state());
    assert!(peers.served().iter().all(|line| line.get("written").is_none()), "{}", peers.state());
    assert!(peers.reason("function_not_allowed") > 1 && peers.counted("allow") > 1, "{}", peers.state());
}

#[test]
fn reads_pass_and_a_write_and_a_stop_do_not_in_3e_frames() {
    in_frames("3E");
}

#[test]
fn reads_pass_and_a_write_and_a_stop_do_not_in_4e_frames() {
    in_frames("4E");
}
