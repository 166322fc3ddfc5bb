//! Mistakes in `[policy]` and `[[conduits]]`, and conduits that contradict each other.

use super::{GOOD, errors, one};

#[test]
fn unknown_zone() {
    one(
        "from = [\"hmi\"]",
        "from = [\"hmii\"]",
        "14: conduit \"c\": unknown zone \"hmii\" in \"from\"; did you mean \"hmi\"?",
    );
    one("to = [\"plc\"]", "to = [\"banana\"]", "15: conduit \"c\": unknown zone \"banana\" in \"to\" (see [zones])");
    one("from = [\"hmi\"]", "from = []", "14: conduit \"c\": \"from\" is empty; write [\"any\"] for every address");
}

#[test]
fn conflicting_conduits() {
    let other = |body: &str| errors(&format!("{GOOD}[[conduits]]\nname = \"d\"\n{body}\n"));
    assert_eq!(
        other("from = [\"any\", \"hmi\"]\nto = [\"plc\"]\nprotocol = \"tcp\"\nports = [502, 503]"),
        "policy.toml:21: conduit \"d\" claims tcp port 502 from hmi to plc as conduit \"c\" does already (line 12)"
    );
    assert_eq!(
        other(
            "from = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"icmp\"\n[[conduits]]\nname = \"e\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\n\
               protocol = \"icmp\""
        ),
        "policy.toml:26: conduit \"e\" claims icmp from hmi to plc as conduit \"d\" does already (line 21)"
    );
    // A less specific claim is no conflict: the more specific one wins.
    assert_eq!(other("from = [\"any\"]\nto = [\"plc\"]\nprotocol = \"modbus\""), "");
    assert_eq!(other("from = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"tcp\""), "");
}

#[test]
fn unknown_protocol() {
    one(
        "protocol = \"modbus\"",
        "protocol = \"modbuz\"",
        "16: conduit \"c\": unknown protocol \"modbuz\"; did you mean \"modbus\"?",
    );
    one(
        "protocol = \"modbus\"",
        "protocol = \"banana\"",
        "16: conduit \"c\": unknown protocol \"banana\"; possible are tcp, udp, icmp, modbus",
    );
    one(
        "protocol = \"modbus\"",
        "protocol = \"ethernet\"",
        "16: conduit \"c\": unknown protocol \"ethernet\"; possible are tcp, udp, icmp, modbus",
    );
}

#[test]
fn known_protocol_that_is_not_built_in_yet() {
    one(
        "protocol = \"modbus\"",
        "protocol = \"s7comm\"",
        "16: conduit \"c\": protocol \"s7comm\" is not in this version",
    );
    one(
        "protocol = \"modbus\"",
        "protocol = \"umas\"",
        "16: conduit \"c\": protocol \"umas\" is inspected within \"modbus\"; write protocol = \"modbus\"",
    );
}

#[test]
fn bad_port() {
    let with_ports = |ports: &str| format!("protocol = \"modbus\"\nports = {ports}");
    one(
        "protocol = \"modbus\"",
        &with_ports("[0]"),
        "17: conduit \"c\": port 0 is out of range; possible are 1 to 65535",
    );
    one(
        "protocol = \"modbus\"",
        &with_ports("[65536]"),
        "17: conduit \"c\": port 65536 is out of range; possible are 1 to 65535",
    );
    one(
        "protocol = \"modbus\"",
        &with_ports("[]"),
        "17: conduit \"c\": \"ports\" is empty; leave it out for the protocol's own",
    );
}

#[test]
fn bad_mode_action_and_default() {
    one(
        "to = [\"plc\"]",
        "to = [\"plc\"]\nmode = \"bypass\"",
        "16: conduit \"c\": unknown mode \"bypass\"; possible are learn, shadow, enforce",
    );
    one(
        "to = [\"plc\"]",
        "to = [\"plc\"]\non_deny = \"rst\"",
        "16: conduit \"c\": unknown on_deny \"rst\"; possible are drop, reset",
    );
    one("default = \"deny\"", "default = \"dney\"", "3: [policy]: unknown default \"dney\"; did you mean \"deny\"?");
    one(
        "default = \"deny\"",
        "fragments = \"log\"",
        "3: [policy]: unknown fragments \"log\"; possible are allow, deny",
    );
    one(
        "default = \"deny\"",
        "on_unsynchronised = \"rsync\"",
        "3: [policy]: unknown on_unsynchronised \"rsync\"; did you mean \"resync\"?",
    );
    one(
        "default = \"deny\"",
        "revision = -1",
        "3: [policy]: revision -1 is out of range; possible are 0 to 4294967295",
    );
    one(
        "types = [\"arp\"]\naction = \"allow\"",
        "types = [\"arp\"]\naction = \"pass\"",
        "11: ethernet entry 1: unknown action \"pass\"; possible are allow, log, deny",
    );
}
