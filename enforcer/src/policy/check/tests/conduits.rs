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
        "16: conduit \"c\": unknown protocol \"banana\"; possible are ip, tcp, udp, icmp, PROTOCOLS",
    );
    one(
        "protocol = \"modbus\"",
        "protocol = \"ethernet\"",
        "16: conduit \"c\": unknown protocol \"ethernet\"; possible are ip, tcp, udp, icmp, PROTOCOLS",
    );
}

#[test]
fn known_protocol_that_is_not_built_in_yet() {
    one("protocol = \"modbus\"", "protocol = \"ads\"", "16: conduit \"c\": protocol \"ads\" is not in this version");
    one(
        "protocol = \"modbus\"",
        "protocol = \"umas\"",
        "16: conduit \"c\": protocol \"umas\" is inspected within \"modbus\"; write protocol = \"modbus\"",
    );
}

#[test]
fn ip_conduits_list_the_protocols_they_carry() {
    assert_eq!(errors(&TUNNEL.replace("PORTS", "ports = [47, 50]")), "");
    let said = |ports: &str, sentence: &str| {
        assert_eq!(errors(&TUNNEL.replace("PORTS", ports)), format!("policy.toml:{sentence}"), "{ports}");
    };
    said("", "4: conduit \"c\": the key \"ports\" is missing: an ip conduit lists IP protocol numbers in it");
    said("ports = []", "9: conduit \"c\": \"ports\" is empty; list IP protocol numbers in it");
    for number in ["0", "256", "-1"] {
        let sentence = format!("9: conduit \"c\": IP protocol {number} is out of range; possible are 1 to 255");
        said(&format!("ports = [{number}]"), &sentence);
    }
    said(
        "ports = [6]",
        "9: conduit \"c\": IP protocol 6 is TCP; write protocol = \"tcp\", or a protocol that is inspected",
    );
    said(
        "ports = [17]",
        "9: conduit \"c\": IP protocol 17 is UDP; write protocol = \"udp\", or a protocol that is inspected",
    );
    for number in [1, 58] {
        let sentence = format!("9: conduit \"c\": IP protocol {number} is ICMP; write protocol = \"icmp\"");
        said(&format!("ports = [{number}]"), &sentence);
    }
    for number in [43, 44, 60, 135] {
        let what = "is an extension header of IPv6, which never passes";
        said(&format!("ports = [{number}]"), &format!("9: conduit \"c\": IP protocol {number} {what}"));
    }
    let twice = TUNNEL.replace("PORTS", "ports = [47, 50]");
    let twice = format!("{twice}{}", TUNNEL[TUNNEL.find("[[conduits]]").unwrap()..].replace("\"c\"", "\"d\""));
    assert_eq!(
        errors(&twice.replace("PORTS", "ports = [50]")),
        "policy.toml:10: conduit \"d\" claims IP protocol 50 from any to any as conduit \"c\" does already (line 4)"
    );
}

const TUNNEL: &str = r#"[policy]
name = "p"
default = "allow"
[[conduits]]
name = "c"
from = ["any"]
to = ["any"]
protocol = "ip"
PORTS
"#;

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
