//! Every field of a policy wrong in turn: each mistake is one sentence with file, line and cause.

use std::path::Path;

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
    one("[policy]", "extra = 1\n[policy]", "1: unknown key \"extra\"; possible are policy, zones, devices, ethernet, conduits");
}

#[test]
fn unknown_key_anywhere() {
    one("default = \"deny\"", "defualt = \"deny\"", "3: [policy]: unknown key \"defualt\"; did you mean \"default\"?");
    one(
        "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = { ip = \"10.0.0.2\", vlan = 3 }",
        "8: device \"plc\": unknown key \"vlan\"; possible are ip, mac",
    );
    one("action = \"allow\"\n[[conduits]]", "acton = \"allow\"\naction = \"allow\"\n[[conduits]]",
        "11: ethernet entry 1: unknown key \"acton\"; did you mean \"action\"?");
    one("to = [\"plc\"]", "to = [\"plc\"]\nport = [502]", "16: conduit \"c\": unknown key \"port\"; did you mean \"ports\"?");
    rule("object = [\"coil:1\"]", "unknown key \"object\"; did you mean \"objects\"?");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = with("to = [\"plc\"]", "to = [\"pcl\"]\nx = 1\ny = 2").replace("@read", "@raed").replace("10.0.0.1", "10.0.0");
    assert_eq!(
        errors(&text),
        "policy.toml:5: zone \"hmi\": \"10.0.0\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \
         \"10.0.0.1-10.0.0.9\"\n\
         policy.toml:15: conduit \"c\": unknown zone \"pcl\" in \"to\"; did you mean \"plc\"?\n\
         policy.toml:16: conduit \"c\": unknown key \"x\"; possible are name, from, to, protocol, ports, mode, on_deny, rules\n\
         policy.toml:17: conduit \"c\": unknown key \"y\"; possible are name, from, to, protocol, ports, mode, on_deny, rules\n\
         policy.toml:21: rule \"r\" of conduit \"c\": unknown class \"@raed\"; did you mean \"@read\"?"
    );
}

#[test]
fn missing_required_key() {
    one("name = \"p\"", "", "1: [policy]: the key \"name\" is missing");
    one("name = \"c\"", "", "12: conduit 1: the key \"name\" is missing");
    one("from = [\"hmi\"]", "", "12: conduit \"c\": the key \"from\" is missing");
    one("to = [\"plc\"]", "", "12: conduit \"c\": the key \"to\" is missing");
    one("protocol = \"modbus\"", "", "12: conduit \"c\": the key \"protocol\" is missing");
    one("name = \"r\"", "", "17: rule 1 of conduit \"c\": the key \"name\" is missing");
    one("functions = [\"@read\"]", "", "17: rule \"r\" of conduit \"c\": the key \"functions\" is missing");
    one("functions = [\"@read\"]\naction = \"allow\"", "functions = [\"@read\"]",
        "17: rule \"r\" of conduit \"c\": the key \"action\" is missing");
    one("types = [\"arp\"]", "", "9: ethernet entry 1: the key \"types\" is missing");
    one("types = [\"arp\"]\naction = \"allow\"", "types = [\"arp\"]", "9: ethernet entry 1: the key \"action\" is missing");
    one(
        "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = {}",
        "8: device \"plc\": the key \"ip\" or \"mac\" is missing",
    );
}

#[test]
fn wrong_type() {
    one("name = \"p\"", "name = 3", "2: [policy]: \"name\": a text in quotes is wanted here, not the number 3");
    one("hmi = [\"10.0.0.1\"]", "hmi = \"10.0.0.1\"", "5: zone \"hmi\": a list is wanted here, not the text \"10.0.0.1\"");
    one("from = [\"hmi\"]", "from = \"hmi\"", "14: conduit \"c\": \"from\": a list is wanted here, not the text \"hmi\"");
    rule("values = [true]", "\"values\": a text or a whole number is wanted here, not boolean true");
    one("protocol = \"modbus\"", "protocol = \"modbus\"\nports = [\"502\"]",
        "17: conduit \"c\": \"ports\": a whole number is wanted here, not the text \"502\"");
}

#[test]
fn overlapping_zones() {
    one("plc = [\"10.0.0.2\"]", "plc = [\"10.0.0.2\", \"10.0.0.0/30\"]",
        "6: zone \"plc\": 10.0.0.1 is in zone \"hmi\" already (line 5); an address can be in one zone only");
}

#[test]
fn one_zone_may_repeat_itself() {
    let text = with("plc = [\"10.0.0.2\"]", "plc = [\"10.0.0.2\", \"10.0.0.2-10.0.0.9\", \"10.0.0.10\"]");
    let valid = parse("p", &text).unwrap().valid;
    assert_eq!(valid.zones[1].ranges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.2-10.0.0.10"]);
}

#[test]
fn zone_any_is_reserved() {
    one("hmi = [\"10.0.0.1\"]", "hmi = [\"10.0.0.1\"]\nany = [\"10.0.0.3\"]",
        "6: zone \"any\": this name is taken, it stands for every address");
}

#[test]
fn empty_zone() {
    one("hmi = [\"10.0.0.1\"]", "hmi = []", "5: zone \"hmi\" is empty; a zone needs at least one address");
}

#[test]
fn unknown_zone() {
    one("from = [\"hmi\"]", "from = [\"hmii\"]", "14: conduit \"c\": unknown zone \"hmii\" in \"from\"; did you mean \"hmi\"?");
    one("to = [\"plc\"]", "to = [\"banana\"]", "15: conduit \"c\": unknown zone \"banana\" in \"to\" (see [zones])");
    one("from = [\"hmi\"]", "from = []", "14: conduit \"c\": \"from\" is empty; write [\"any\"] for every address");
}

#[test]
fn duplicate_names() {
    one("hmi = [\"10.0.0.1\"]", "hmi = [\"10.0.0.1\"]\nhmi = [\"10.0.0.3\"]", "6: zone \"hmi\" is there twice");
    one("[devices]", "[devices]\nplc = { ip = \"10.0.0.9\" }", "9: device \"plc\" is there twice");
    one("name = \"p\"", "name = \"p\"\nname = \"q\"", "3: \"name\" is there twice");
    let conduit = "[[conduits]]\nname = \"c\"\nfrom = [\"plc\"]\nto = [\"hmi\"]\nprotocol = \"tcp\"\n";
    assert_eq!(
        errors(&format!("{GOOD}{conduit}")),
        "policy.toml:21: conduit \"c\" is there twice (line 12); names of conduits must differ"
    );
    let rule = "[[conduits.rules]]\nname = \"r\"\nfunctions = [\"@write\"]\naction = \"log\"\n";
    assert_eq!(
        errors(&format!("{GOOD}{rule}")),
        "policy.toml:21: rule \"r\" of conduit \"c\" is there twice (line 17); names of rules in one conduit must differ"
    );
    one("plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = { ip = \"10.0.0.2\" }\nother = { ip = \"10.0.0.2\" }",
        "9: device \"other\": 10.0.0.2 is device \"plc\" already (line 8)");
    one("types = [\"arp\"]", "types = [\"arp\", 0x806]", "10: ethernet entry 1: type \"arp\" is decided already (line 9)");
}

#[test]
fn names_must_be_usable() {
    one("name = \"c\"", "name = \" \"", "13: conduit \" \": a name must not be empty");
    one("name = \"p\"", "name = \"a\\nb\"", "2: [policy]: the name \"a\\nb\" must not contain quotes or control characters");
    let long = "x".repeat(64);
    one("name = \"p\"", &format!("name = \"{long}\""), &format!("2: [policy]: the name \"{long}\" is longer than 63 bytes"));
}

#[test]
fn conflicting_conduits() {
    let other = |body: &str| errors(&format!("{GOOD}[[conduits]]\nname = \"d\"\n{body}\n"));
    assert_eq!(
        other("from = [\"any\", \"hmi\"]\nto = [\"plc\"]\nprotocol = \"tcp\"\nports = [502, 503]"),
        "policy.toml:21: conduit \"d\" claims tcp port 502 from hmi to plc as conduit \"c\" does already (line 12)"
    );
    assert_eq!(
        other("from = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"icmp\"\n[[conduits]]\nname = \"e\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\n\
               protocol = \"icmp\""),
        "policy.toml:26: conduit \"e\" claims icmp from hmi to plc as conduit \"d\" does already (line 21)"
    );
    // A less specific claim is no conflict: the more specific one wins.
    assert_eq!(other("from = [\"any\"]\nto = [\"plc\"]\nprotocol = \"modbus\""), "");
    assert_eq!(other("from = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"tcp\""), "");
}

#[test]
fn unknown_protocol() {
    one("protocol = \"modbus\"", "protocol = \"modbuz\"", "16: conduit \"c\": unknown protocol \"modbuz\"; did you mean \"modbus\"?");
    one("protocol = \"modbus\"", "protocol = \"banana\"",
        "16: conduit \"c\": unknown protocol \"banana\"; possible are tcp, udp, icmp, modbus");
    one("protocol = \"modbus\"", "protocol = \"ethernet\"",
        "16: conduit \"c\": unknown protocol \"ethernet\"; possible are tcp, udp, icmp, modbus");
}

#[test]
fn known_protocol_that_is_not_built_in_yet() {
    one("protocol = \"modbus\"", "protocol = \"s7comm\"", "16: conduit \"c\": protocol \"s7comm\" is not in this version");
    one("protocol = \"modbus\"", "protocol = \"umas\"",
        "16: conduit \"c\": protocol \"umas\" is inspected within \"modbus\"; write protocol = \"modbus\"");
}

#[test]
fn bad_port() {
    let with_ports = |ports: &str| format!("protocol = \"modbus\"\nports = {ports}");
    one("protocol = \"modbus\"", &with_ports("[0]"), "17: conduit \"c\": port 0 is out of range; possible are 1 to 65535");
    one("protocol = \"modbus\"", &with_ports("[65536]"), "17: conduit \"c\": port 65536 is out of range; possible are 1 to 65535");
    one("protocol = \"modbus\"", &with_ports("[]"), "17: conduit \"c\": \"ports\" is empty; leave it out for the protocol's own");
}

#[test]
fn bad_mode_action_and_default() {
    one("to = [\"plc\"]", "to = [\"plc\"]\nmode = \"bypass\"",
        "16: conduit \"c\": unknown mode \"bypass\"; possible are learn, shadow, enforce");
    one("to = [\"plc\"]", "to = [\"plc\"]\non_deny = \"rst\"", "16: conduit \"c\": unknown on_deny \"rst\"; possible are drop, reset");
    one("default = \"deny\"", "default = \"dney\"", "3: [policy]: unknown default \"dney\"; did you mean \"deny\"?");
    one("default = \"deny\"", "fragments = \"log\"", "3: [policy]: unknown fragments \"log\"; possible are allow, deny");
    one("default = \"deny\"", "on_unsynchronised = \"rsync\"",
        "3: [policy]: unknown on_unsynchronised \"rsync\"; did you mean \"resync\"?");
    one("default = \"deny\"", "revision = -1", "3: [policy]: revision -1 is out of range; possible are 0 to 4294967295");
    one("types = [\"arp\"]\naction = \"allow\"", "types = [\"arp\"]\naction = \"pass\"",
        "11: ethernet entry 1: unknown action \"pass\"; possible are allow, log, deny");
}

#[test]
fn empty_rule() {
    one("functions = [\"@read\"]", "functions = []",
        "19: rule \"r\" of conduit \"c\": \"functions\" is empty, so the rule covers nothing; write [\"@any\"] for every function");
    rule("objects = []", "\"objects\" is empty, so the rule covers nothing; leave it out for any");
    rule("units = []", "\"units\" is empty, so the rule covers nothing; leave it out for any");
    rule("values = []", "\"values\" is empty, so the rule covers nothing; leave it out for any");
}

#[test]
fn unknown_function() {
    one("functions = [\"@read\"]", "functions = [\"write_singel_register\"]",
        "19: rule \"r\" of conduit \"c\": unknown function \"write_singel_register\"; did you mean \"write_single_register\"?");
    one("functions = [\"@read\"]", "functions = [\"banana\"]",
        "19: rule \"r\" of conduit \"c\": unknown function \"banana\"; a name of the standard, a number or a class such as \
         \"@read\" is wanted");
    one("functions = [\"@read\"]", "functions = [256]", "19: rule \"r\" of conduit \"c\": function 256 is out of range; modbus has 0 to 255");
}

#[test]
fn unknown_class() {
    one("functions = [\"@read\"]", "functions = [\"@banana\"]",
        "19: rule \"r\" of conduit \"c\": unknown class \"@banana\"; possible are @any, @read, @write, @control, @program, \
         @firmware, @diagnose, @discover, @session");
    one("functions = [\"@read\"]", "functions = [\"@session\"]",
        "19: rule \"r\" of conduit \"c\": modbus has no function of class \"@session\"");
}

#[test]
fn unknown_object_space() {
    rule("objects = [\"holdin:0-9\"]", "unknown kind of object \"holdin\" in \"holdin:0-9\"; did you mean \"holding\"?");
    rule("objects = [\"DB10:0-9\"]",
        "unknown kind of object \"DB10\" in \"DB10:0-9\"; possible are coil, discrete, input, holding, fifo, diagnostic, mei, file");
    rule("objects = [\"file:0-9\"]", "\"file\" needs a number from 0 to 65535, such as \"file1:0-99\"");
}

#[test]
fn bad_range() {
    rule("objects = [\"holding:9-3\"]", "in \"holding:9-3\", \"9-3\" ends before it begins");
    rule("objects = [\"holding:a-b\"]",
        "in \"holding:a-b\", \"a-b\" is not a range; write a number or two with a dash, such as \"0-199\"");
    rule("objects = [\"holding:0-65536\"]", "in \"holding:0-65536\", \"0-65536\" is out of range; possible are 0 to 65535");
    rule("units = [\"0-256\"]", "in \"units\", \"0-256\" is out of range; possible are 0 to 255");
    rule("units = [\"one\"]", "in \"units\", \"one\" is not a range; write a number or two with a dash, such as \"0-199\"");
    rule("values = [\"1000-0\"]", "in \"values\", \"1000-0\" ends before it begins");
}

#[test]
fn bad_rate() {
    rule("rate = \"fast\"", "\"fast\" is not a rate; write a number and s, min or h, such as \"5/s\" or \"30/min\"");
    rule("rate = \"0/s\"", "\"0/s\" is out of range; possible are 1 to 1000000 in a period");
    let text = with("name = \"r\"", "name = \"r\"\nrate = \"5/s\"").replace("[\"@read\"]\naction = \"allow\"", "[\"@read\"]\naction = \"deny\"");
    assert_eq!(
        errors(&text),
        "policy.toml:19: rule \"r\" of conduit \"c\": a deny rule has no rate; it denies every time"
    );
}

#[test]
fn bad_device() {
    let device = "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }";
    one(device, "plc = { mac = \"00:1b:1b:12:34\" }",
        "8: device \"plc\": \"00:1b:1b:12:34\" is not a MAC address; write \"00:1b:1b:12:34:56\"");
    one(device, "plc = { mac = \"ff:ff:ff:ff:ff:ff\" }",
        "8: device \"plc\": \"ff:ff:ff:ff:ff:ff\" is a group or empty address, not that of one device");
    one(device, "plc = { ip = \"10.0.0.0/24\" }",
        "8: device \"plc\": \"10.0.0.0/24\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \"10.0.0.1-10.0.0.9\"");
    one(device, "plc = \"10.0.0.2\"", "8: device \"plc\": a table is wanted here, such as { key = \"value\" }");
}

#[test]
fn rules_on_an_uninspected_conduit() {
    one("protocol = \"modbus\"", "protocol = \"tcp\"",
        "17: rule \"r\" of conduit \"c\": a tcp conduit has no functions, so it can have no rules; it passes as a whole");
    let text = GOOD.replace("\"modbus\"\n[[conduits.rules]]\nname = \"r\"\nfunctions = [\"@read\"]\naction = \"allow\"\n", "\"icmp\"\nports = [1]\n");
    assert_eq!(errors(&text), "policy.toml:17: conduit \"c\": icmp has no ports");
}

#[test]
fn bad_ethernet_type() {
    let types = "types = [\"arp\"]";
    one(types, "types = [\"arpp\"]", "10: ethernet entry 1: unknown type \"arpp\"; did you mean \"arp\"?");
    one(types, "types = [\"ipv4\"]", "10: ethernet entry 1: type \"ipv4\" is IP and is decided by conduits, not by [[ethernet]]");
    one(types, "types = [0x86dd]", "10: ethernet entry 1: type 34525 is IP and is decided by conduits, not by [[ethernet]]");
    one(types, "types = [\"0x8100\"]", "10: ethernet entry 1: type 0x8100 is a VLAN tag; name the type behind the tag");
    one(types, "types = [70000]",
        "10: ethernet entry 1: type 70000 is no ethertype; possible are 0x0600 to 0xffff, or an LLC address below 0x100");
    one(types, "types = []", "10: ethernet entry 1: \"types\" is empty");
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
        ["policy.toml: no [[ethernet]] entry allows \"arp\" and the default is deny: in enforce, IPv4 hosts will not find each \
          other across the box"]
    );
    assert_eq!(warnings(&with("types = [\"arp\"]", "types = [\"lldp\"]").replace("default = \"deny\"", "default = \"log\"")), [""; 0]);
}

#[test]
fn warning_about_a_zone_that_nobody_uses() {
    let text = with("hmi = [\"10.0.0.1\"]", "hmi = [\"10.0.0.1\"]\neng = [\"10.0.0.3\"]");
    assert_eq!(warnings(&text), ["policy.toml:6: zone \"eng\" is in no conduit"]);
}

#[test]
fn warning_about_a_rule_that_never_decides() {
    let second = |action: &str| format!("{GOOD}[[conduits.rules]]\nname = \"s\"\nfunctions = [1, 2, 3, 4, 20, 24]\naction = \"{action}\"\n");
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
fn warning_about_values_of_reads() {
    assert_eq!(
        warnings(&with("name = \"r\"", "name = \"r\"\nvalues = [\"0-9\"]")),
        ["policy.toml:17: rule \"r\" of conduit \"c\" has \"values\", but its functions only read: they never matter"]
    );
}
