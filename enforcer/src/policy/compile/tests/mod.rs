//! The image says what the policy means: addresses, conduit choice, rules, limits, names.

mod limits;
mod places;
mod rules;

use super::super::{Compiled, compile, parse};

fn compiled(text: &str) -> Compiled {
    let loaded = parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    compile(&loaded.valid, 12, 1).unwrap_or_else(|errors| panic!("{errors}"))
}

const RULES: &str = r#"
[policy]
name = "p"
[zones]
hmi = ["10.0.0.1"]
plc = ["10.0.1.1"]
[[conduits]]
name = "other"
from = ["plc"]
to = ["hmi"]
protocol = "modbus"
mode = "learn"
on_deny = "drop"
[[conduits.rules]]
name = "any"
functions = ["@any"]
action = "allow"
[[conduits]]
name = "c"
from = ["hmi"]
to = ["plc"]
protocol = "modbus"
"#;

/// The image of RULES with these rules on conduit "c".
fn rules(text: &str) -> Compiled {
    compiled(&format!("{RULES}{text}"))
}

fn rule(name: &str, functions: &str, rest: &str, action: &str) -> String {
    format!("[[conduits.rules]]\nname = \"{name}\"\nfunctions = [{functions}]\n{rest}\naction = \"{action}\"\n")
}
