//! What is right and still unlikely to be meant; and the whole example of the contract.

use super::super::super::{compile, parse};
use super::{GOOD, warnings, with};

/// The whole example of the contract.
#[test]
fn the_contract_example_is_good() {
    let loaded = parse("policy.toml", include_str!("contract.toml")).unwrap_or_else(|errors| panic!("{errors}"));
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["policy.toml:10: zone \"eng\" is in no conduit"]);
    let compiled = compile(&loaded.valid, 1, 0).unwrap();
    assert_eq!((compiled.image.rules[1].interval, compiled.image.rules[1].burst), (200_000_000, 5));
}

#[test]
fn warning_about_a_conduit_without_rules() {
    let text = GOOD.split("[[conduits.rules]]").next().unwrap();
    assert_eq!(warnings(text), ["policy.toml:12: conduit \"c\" has no rules: it denies every operation"]);
    let text = with("functions = [\"@read\"]\naction = \"allow\"", "functions = [\"@read\"]\naction = \"deny\"");
    assert_eq!(warnings(&text), ["policy.toml:12: conduit \"c\" has deny rules only: it denies every operation"]);
}

#[test]
fn warning_about_arp() {
    assert_eq!(
        warnings(&with("types = [\"arp\"]", "types = [\"lldp\"]")),
        [
            "policy.toml: no [[ethernet]] entry allows \"arp\" and the default is deny: in enforce, IPv4 hosts will not find each \
          other across the box"
        ]
    );
    assert_eq!(
        warnings(&with("types = [\"arp\"]", "types = [\"lldp\"]").replace("default = \"deny\"", "default = \"log\"")),
        [""; 0]
    );
}

#[test]
fn warning_about_a_zone_that_nobody_uses() {
    let text = with("hmi = [\"10.0.0.1\"]", "hmi = [\"10.0.0.1\"]\neng = [\"10.0.0.3\"]");
    assert_eq!(warnings(&text), ["policy.toml:6: zone \"eng\" is in no conduit"]);
}

#[test]
fn warning_about_a_rule_that_never_decides() {
    let second = |action: &str| {
        format!("{GOOD}[[conduits.rules]]\nname = \"s\"\nfunctions = [\"@read\", 1, 20]\naction = \"{action}\"\n")
    };
    assert_eq!(
        warnings(&second("allow")),
        ["policy.toml:21: rule \"s\" of conduit \"c\" never decides: rule \"r\" (line 17) covers the same operations"]
    );
    assert_eq!(
        warnings(&second("deny")).last().unwrap(),
        "policy.toml:17: rule \"r\" of conduit \"c\" never decides: rule \"s\" (line 21) covers the same operations"
    );
}

#[test]
fn the_rule_that_decides_is_named_also_among_three() {
    let rule = |name: &str, action: &str| {
        format!("[[conduits.rules]]\nname = \"{name}\"\nfunctions = [\"@read\"]\naction = \"{action}\"\n")
    };
    let text = format!("{GOOD}{}{}", rule("s", "log"), rule("t", "allow"));
    assert_eq!(
        warnings(&text),
        [
            "policy.toml:17: rule \"r\" of conduit \"c\" never decides: rule \"s\" (line 21) covers the same operations",
            "policy.toml:25: rule \"t\" of conduit \"c\" never decides: rule \"s\" (line 21) covers the same operations",
        ]
    );
}

#[test]
fn warning_about_values_of_reads() {
    assert_eq!(
        warnings(&with("name = \"r\"", "name = \"r\"\nvalues = [\"0-9\"]")),
        ["policy.toml:17: rule \"r\" of conduit \"c\" has \"values\", but its functions only read: they never matter"]
    );
}
