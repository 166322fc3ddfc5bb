//! Every field of a policy wrong in turn: each mistake is one sentence with file, line and cause.

use std::path::Path;

use enforcer_common::protocol::Protocol;

mod conduits;
mod rules;
mod sections;
mod warnings;

use super::super::{load, parse};

/// Lines 1 to 20 of most tests: a policy without a fault, whose parts the tests replace.
const GOOD: &str = r#"[policy]
name = "p"
default = "deny"
[zones]
hmi = ["10.0.0.1"]
plc = ["10.0.0.2"]
[devices]
plc = { ip = "10.0.0.2", mac = "00:1b:1b:12:34:56" }
[[ethernet]]
types = ["arp"]
action = "allow"
[[conduits]]
name = "c"
from = ["hmi"]
to = ["plc"]
protocol = "modbus"
[[conduits.rules]]
name = "r"
functions = ["@read"]
action = "allow"
"#;

/// The sentences about `text`, one per line.
fn errors(text: &str) -> String {
    parse("policy.toml", text).map(|_| String::new()).unwrap_or_else(|errors| errors.to_string())
}

fn warnings(text: &str) -> Vec<String> {
    parse("policy.toml", text).unwrap().warnings.iter().map(ToString::to_string).collect()
}

/// GOOD with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert_eq!(GOOD.matches(&format!("{line}\n")).count(), 1, "{line}");
    GOOD.replace(&format!("{line}\n"), &format!("{replacement}\n"))
}

/// Asserts that GOOD with `line` replaced has exactly one mistake, which reads `sentence`.
#[track_caller]
fn one(line: &str, replacement: &str, sentence: &str) {
    assert_eq!(errors(&with(line, replacement)), format!("policy.toml:{sentence}"));
}

/// The same for a rule with one more or another key; line 18 is the rule's first key.
#[track_caller]
fn rule(addition: &str, sentence: &str) {
    one("name = \"r\"", &format!("name = \"r\"\n{addition}"), &format!("19: rule \"r\" of conduit \"c\": {sentence}"));
}

/// Protocols that a conduit can name, as errors list them.
fn known_protocols() -> String {
    let all = Protocol::ALL.iter().filter(|one| **one != Protocol::Ethernet && one.outer().is_none());
    all.map(|one| one.as_str()).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_good_policy_is_good() {
    assert_eq!(errors(GOOD), "");
    assert_eq!(warnings(GOOD), [""; 0]);
}

#[test]
fn missing_file() {
    assert_eq!(load(Path::new("no/policy.toml")).unwrap_err().to_string(), "no/policy.toml: no such file");
}

#[test]
fn a_directory_is_not_a_file() {
    let error = load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err().to_string();
    assert!(error.ends_with(": this is a directory, not a file"), "{error}");
}

#[test]
fn not_utf8() {
    let path = std::env::temp_dir().join(format!("enforcer-not-utf8-{}.toml", std::process::id()));
    std::fs::write(&path, b"[policy]\nname = \"\xff\"\n").unwrap();
    let error = load(&path).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error, format!("{}:2: not UTF-8 text (byte 17 of the file)", path.display()));
}

#[test]
fn toml_syntax() {
    one("name = \"p\"", "name = \"p", "2: not valid TOML: invalid basic string, expected `\"`");
    one("name = \"c\"", "name = c", "13: not valid TOML: string values must be quoted, expected literal string");
}

#[test]
fn empty_file() {
    assert_eq!(errors(""), "policy.toml:1: the section [policy] is missing");
}

#[test]
fn unknown_section() {
    one("[devices]", "[device]", "7: unknown section \"device\"; did you mean \"devices\"?");
    one(
        "[policy]",
        "extra = 1\n[policy]",
        "1: unknown key \"extra\"; possible are policy, zones, devices, ethernet, conduits",
    );
}

#[test]
fn unknown_key_anywhere() {
    one("default = \"deny\"", "defualt = \"deny\"", "3: [policy]: unknown key \"defualt\"; did you mean \"default\"?");
    one(
        "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = { ip = \"10.0.0.2\", vlan = 3 }",
        "8: device \"plc\": unknown key \"vlan\"; possible are ip, mac",
    );
    one(
        "action = \"allow\"\n[[conduits]]",
        "acton = \"allow\"\naction = \"allow\"\n[[conduits]]",
        "11: ethernet entry 1: unknown key \"acton\"; did you mean \"action\"?",
    );
    one(
        "to = [\"plc\"]",
        "to = [\"plc\"]\nport = [502]",
        "16: conduit \"c\": unknown key \"port\"; did you mean \"ports\"?",
    );
    rule("object = [\"coil:1\"]", "unknown key \"object\"; did you mean \"objects\"?");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text =
        with("to = [\"plc\"]", "to = [\"pcl\"]\nx = 1\ny = 2").replace("@read", "@raed").replace("10.0.0.1", "10.0.0");
    assert_eq!(
        errors(&text),
        "policy.toml:5: zone \"hmi\": \"10.0.0\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \
         \"10.0.0.1-10.0.0.9\"\n\
         policy.toml:15: conduit \"c\": unknown zone \"pcl\" in \"to\"; did you mean \"plc\"?\n\
         policy.toml:16: conduit \"c\": unknown key \"x\"; possible are name, from, to, protocol, ports, mode, on_deny, segmentation, rules\n\
         policy.toml:17: conduit \"c\": unknown key \"y\"; possible are name, from, to, protocol, ports, mode, on_deny, segmentation, rules\n\
         policy.toml:21: rule \"r\" of conduit \"c\": unknown class \"@raed\"; did you mean \"@read\"?"
    );
}

#[test]
fn wrong_type() {
    one("name = \"p\"", "name = 3", "2: [policy]: \"name\": a text in quotes is wanted here, not the number 3");
    one(
        "hmi = [\"10.0.0.1\"]",
        "hmi = \"10.0.0.1\"",
        "5: zone \"hmi\": a list is wanted here, not the text \"10.0.0.1\"",
    );
    one(
        "from = [\"hmi\"]",
        "from = \"hmi\"",
        "14: conduit \"c\": \"from\": a list is wanted here, not the text \"hmi\"",
    );
    rule("values = [true]", "\"values\": a text or a whole number is wanted here, not boolean true");
    one(
        "protocol = \"modbus\"",
        "protocol = \"modbus\"\nports = [\"502\"]",
        "17: conduit \"c\": \"ports\": a whole number is wanted here, not the text \"502\"",
    );
}
