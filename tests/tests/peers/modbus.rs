//! pymodbus with pymodbus.

use enforcer_tests::Peers;

const RULES: &str = "
  [[conduits.rules]]
  name = \"poll\"
  functions = [\"@read\"]
  action = \"allow\"
";

#[test]
fn a_read_passes_and_a_write_does_not() {
    let peers = Peers::new("modbus", "modbus", "", RULES);
    let told = peers.client("modbus", &[]);
    assert_eq!((&told[0]["step"], &told[0]["ok"]), (&"read".into(), &true.into()), "{told:?}\n{}", peers.state());
    assert_eq!(told[1]["ok"], false, "{told:?}\n{}", peers.state());
    assert!(peers.served().iter().all(|line| line.get("written").is_none()), "{}", peers.state());
    assert!(peers.reason("function_not_allowed") > 0 && peers.counted("allow") > 0, "{}", peers.state());
}
