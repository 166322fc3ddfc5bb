//! python-snap7 with python-snap7.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"connection_request\", \"setup_communication\", \"read_szl\", \"read_var\"]
  action = \"allow\"
  [[conduits.rules]]
  name = \"setpoint\"
  functions = [\"write_var\"]
  objects = [\"DB1:0-3\"]
  action = \"allow\"
";

#[test]
fn reads_and_one_block_s_first_bytes_are_open_and_nothing_else() {
    let peers = Peers::new("s7comm", "s7comm", "", RULES);
    for (last, passes) in [("write", true), ("beside", false), ("stop", false), ("clock", false)] {
        let told = peers.client("s7comm", &["read", "catalogue", last]);
        for step in &told[..told.len() - 1] {
            assert_eq!(step["ok"], true, "{told:?}\n{}", peers.state());
        }
        let end = told.last().expect("a last step");
        assert_eq!((&end["step"], &end["ok"]), (&last.into(), &passes.into()), "{told:?}\n{}", peers.state());
    }
    let served = peers.served();
    let written: Vec<&str> = served.iter().filter_map(|line| line["written"].as_str()).collect();
    assert!(written.len() == 1 && written[0].starts_with("cafe0000"), "{}", peers.state());
    assert!(served.iter().all(|line| line.get("state").is_none()), "{}", peers.state());
    assert!(peers.reason("function_not_allowed") >= 2 && peers.reason("object_not_allowed") >= 1, "{}", peers.state());
}
