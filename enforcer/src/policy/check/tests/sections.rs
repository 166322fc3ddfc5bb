//! Mistakes in `[zones]`, `[devices]` and `[[ethernet]]`, names, and keys that are missing.

use super::super::super::parse;
use super::{GOOD, errors, one, with};

#[test]
fn missing_required_key() {
    one("name = \"p\"", "", "1: [policy]: the key \"name\" is missing");
    one("name = \"c\"", "", "12: conduit 1: the key \"name\" is missing");
    one("from = [\"hmi\"]", "", "12: conduit \"c\": the key \"from\" is missing");
    one("to = [\"plc\"]", "", "12: conduit \"c\": the key \"to\" is missing");
    one("protocol = \"modbus\"", "", "12: conduit \"c\": the key \"protocol\" is missing");
    one("name = \"r\"", "", "17: rule 1 of conduit \"c\": the key \"name\" is missing");
    one("functions = [\"@read\"]", "", "17: rule \"r\" of conduit \"c\": the key \"functions\" is missing");
    one(
        "functions = [\"@read\"]\naction = \"allow\"",
        "functions = [\"@read\"]",
        "17: rule \"r\" of conduit \"c\": the key \"action\" is missing",
    );
    one("types = [\"arp\"]", "", "9: ethernet entry 1: the key \"types\" is missing");
    one(
        "types = [\"arp\"]\naction = \"allow\"",
        "types = [\"arp\"]",
        "9: ethernet entry 1: the key \"action\" is missing",
    );
    one(
        "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = {}",
        "8: device \"plc\": the key \"ip\" or \"mac\" is missing",
    );
}

#[test]
fn overlapping_zones() {
    one(
        "plc = [\"10.0.0.2\"]",
        "plc = [\"10.0.0.2\", \"10.0.0.0/30\"]",
        "6: zone \"plc\": 10.0.0.1 is in zone \"hmi\" already (line 5); an address can be in one zone only",
    );
}

#[test]
fn one_zone_may_repeat_itself() {
    let text = with("plc = [\"10.0.0.2\"]", "plc = [\"10.0.0.2\", \"10.0.0.2-10.0.0.9\", \"10.0.0.10\"]");
    let valid = parse("p", &text).unwrap().valid;
    assert_eq!(valid.zones[1].ranges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.2-10.0.0.10"]);
}

#[test]
fn zone_any_is_reserved() {
    one(
        "hmi = [\"10.0.0.1\"]",
        "hmi = [\"10.0.0.1\"]\nany = [\"10.0.0.3\"]",
        "6: zone \"any\": this name is taken, it stands for every address",
    );
}

#[test]
fn empty_zone() {
    one("hmi = [\"10.0.0.1\"]", "hmi = []", "5: zone \"hmi\" is empty; a zone needs at least one address");
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
    one(
        "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }",
        "plc = { ip = \"10.0.0.2\" }\nother = { ip = \"10.0.0.2\" }",
        "9: device \"other\": 10.0.0.2 is device \"plc\" already (line 8)",
    );
    one(
        "types = [\"arp\"]",
        "types = [\"arp\", 0x806]",
        "10: ethernet entry 1: type \"arp\" is decided already (line 9)",
    );
}

#[test]
fn names_must_be_usable() {
    one("name = \"c\"", "name = \" \"", "13: conduit \" \": a name must not be empty");
    one(
        "name = \"p\"",
        "name = \"a\\nb\"",
        "2: [policy]: the name \"a\\nb\" must not contain quotes or control characters",
    );
    let long = "x".repeat(64);
    one(
        "name = \"p\"",
        &format!("name = \"{long}\""),
        &format!("2: [policy]: the name \"{long}\" is longer than 63 bytes"),
    );
}

#[test]
fn bad_device() {
    let device = "plc = { ip = \"10.0.0.2\", mac = \"00:1b:1b:12:34:56\" }";
    one(
        device,
        "plc = { mac = \"00:1b:1b:12:34\" }",
        "8: device \"plc\": \"00:1b:1b:12:34\" is not a MAC address; write \"00:1b:1b:12:34:56\"",
    );
    one(
        device,
        "plc = { mac = \"ff:ff:ff:ff:ff:ff\" }",
        "8: device \"plc\": \"ff:ff:ff:ff:ff:ff\" is a group or empty address, not that of one device",
    );
    one(
        device,
        "plc = { ip = \"10.0.0.0/24\" }",
        "8: device \"plc\": \"10.0.0.0/24\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \"10.0.0.1-10.0.0.9\"",
    );
    one(device, "plc = \"10.0.0.2\"", "8: device \"plc\": a table is wanted here, such as { key = \"value\" }");
}

#[test]
fn bad_ethernet_type() {
    let types = "types = [\"arp\"]";
    one(types, "types = [\"arpp\"]", "10: ethernet entry 1: unknown type \"arpp\"; did you mean \"arp\"?");
    one(
        types,
        "types = [\"ipv4\"]",
        "10: ethernet entry 1: type \"ipv4\" is IP and is decided by conduits, not by [[ethernet]]",
    );
    one(
        types,
        "types = [0x86dd]",
        "10: ethernet entry 1: type 34525 is IP and is decided by conduits, not by [[ethernet]]",
    );
    one(types, "types = [\"0x8100\"]", "10: ethernet entry 1: type 0x8100 is a VLAN tag; name the type behind the tag");
    one(
        types,
        "types = [70000]",
        "10: ethernet entry 1: type 70000 is no ethertype; possible are 0x0600 to 0xffff, or an LLC address below 0x100",
    );
    one(types, "types = []", "10: ethernet entry 1: \"types\" is empty");
}
