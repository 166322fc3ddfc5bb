//! fins with a responder of our own: there is no other server.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\"]
  objects = [\"d:0-199\"]
  action = \"allow\"
";

fn over(transport: &str) {
    let peers = Peers::new("fins", "fins", "", RULES);
    let told = peers.client("fins", &[transport]);
    assert_eq!((&told[0]["step"], &told[0]["ok"]), (&"read".into(), &true.into()), "{told:?}\n{}", peers.state());
    assert_eq!(told[1]["ok"], false, "{told:?}\n{}", peers.state());
    assert!(peers.served().iter().all(|line| line.get("written").is_none()), "{}", peers.state());
    assert!(peers.reason("function_not_allowed") > 0 && peers.counted("allow") > 0, "{}", peers.state());
}

#[test]
fn a_read_passes_and_a_write_does_not_in_datagrams() {
    over("udp");
}

#[test]
fn a_read_passes_and_a_write_does_not_over_tcp() {
    over("tcp");
}
