//! Header, addresses, ethernet types, and which conduit a conversation belongs to.

use std::net::IpAddr;

use enforcer_common::abi;
use enforcer_common::verdict::Reason;

use super::super::super::Compiled;
use super::super::super::trial::{conduit, core_address};
use super::compiled;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Name of the conduit for a conversation, "-" when none covers it.
fn choose<'c>(compiled: &'c Compiled, from: &str, to: &str, transport: u8, port: u16) -> &'c str {
    let id = conduit(&compiled.image, ip(from), ip(to), transport, port);
    compiled.names.conduit(id).unwrap_or("-")
}

const ZONES: &str = r#"
[policy]
name = "p"
revision = 7
default = "log"
fragments = "allow"
ip_options = "allow"
on_unsynchronised = "deny"
[zones]
hmi = ["10.0.0.1", "10.0.0.16/28"]
plc = ["10.0.1.0-10.0.1.9", "fd00::/64"]
[devices]
a = { ip = "10.0.1.5", mac = "00:1b:1b:12:34:56" }
b = { ip = "192.168.0.9" }
c = { ip = "fd00::5", mac = "00:00:00:00:00:01" }
[[ethernet]]
types = ["arp", "stp", 0x88e1]
action = "allow"
[[ethernet]]
types = ["lldp"]
action = "log"
"#;

#[test]
fn the_header_says_what_holds_for_all() {
    let header = compiled(ZONES).image.header;
    assert_eq!((header.layout, header.generation, header.bank), (abi::LAYOUT, 12, 1));
    assert_eq!(header.uncovered, Reason::UncoveredLog as u8);
    assert_eq!(header.fragments, Reason::FragmentAllow as u8);
    assert_eq!(header.ip_options, 1);
    assert_eq!(header.on_unsynchronised, enforcer_common::policy::OnUnsynchronised::Deny as u8);
}

#[test]
fn tunnels_go_by_their_protocol_number() {
    let conduits = "[[conduits]]\nname = \"vpn\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"ip\"\nports = [50, 47]\n\
                    [[conduits]]\nname = \"all\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"tcp\"\n";
    let compiled = compiled(&format!("{ZONES}{conduits}"));
    for number in 0..=255 {
        let expected = match number {
            47 | 50 => "vpn",
            TCP => "all",
            _ => "-",
        };
        assert_eq!(choose(&compiled, "10.0.0.1", "10.0.1.5", number, 0), expected, "{number}");
    }
    assert_eq!(choose(&compiled, "10.0.0.9", "10.0.1.5", 47, 0), "-");
}

#[test]
fn addresses_find_their_zone_and_devices_are_marked() {
    let compiled = compiled(ZONES);
    let place = |address: &str| {
        let place = compiled.image.place(&core_address(ip(address)));
        (compiled.names.zone(place.zone).unwrap_or("?"), place.device)
    };
    let cases = [
        ("10.0.0.0", "any", false),
        ("10.0.0.1", "hmi", false),
        ("10.0.0.2", "any", false),
        ("10.0.0.16", "hmi", false),
        ("10.0.0.31", "hmi", false),
        ("10.0.0.32", "any", false),
        ("10.0.1.0", "plc", false),
        ("10.0.1.4", "plc", false),
        ("10.0.1.5", "plc", true),
        ("10.0.1.6", "plc", false),
        ("10.0.1.9", "plc", false),
        ("10.0.1.10", "any", false),
        ("192.168.0.9", "any", true),
        ("255.255.255.255", "any", false),
        ("fd00::4", "plc", false),
        ("fd00::5", "plc", true),
        ("fd00::ffff:ffff:ffff:ffff", "plc", false),
        ("fd00:0:0:1::", "any", false),
        ("::", "any", false),
    ];
    for (address, zone, device) in cases {
        assert_eq!(place(address), (zone, device), "{address}");
    }
    assert!(compiled.image.is_device_mac([0, 0x1b, 0x1b, 0x12, 0x34, 0x56]));
    assert!(compiled.image.is_device_mac([0, 0, 0, 0, 0, 1]));
    assert!(!compiled.image.is_device_mac([0, 0, 0, 0, 0, 2]));
}

#[test]
fn ethernet_types_find_their_action() {
    let image = compiled(ZONES).image;
    assert_eq!(image.ethernet(0x0806).0, Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x0042).0, Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x88e1).0, Reason::EthernetAllow);
    assert_eq!(image.ethernet(0x88cc).0, Reason::EthernetLog);
    assert_eq!(image.ethernet(0x8892).0, Reason::UncoveredLog);
}

/// A conduit without rules.
fn bare(name: &str, from: &str, to: &str, rest: &str) -> String {
    format!("[[conduits]]\nname = \"{name}\"\nfrom = [\"{from}\"]\nto = [\"{to}\"]\n{rest}\n")
}

#[test]
fn the_most_specific_conduit_wins() {
    let compiled = compiled(
        &[
            ZONES.to_owned(),
            bare("exact", "hmi", "plc", "protocol = \"modbus\""),
            bare("from-hmi", "hmi", "any", "protocol = \"tcp\"\nports = [502, 80]"),
            bare("from-hmi-all-udp", "hmi", "any", "protocol = \"udp\""),
            bare("to-plc", "any", "plc", "protocol = \"tcp\"\nports = [80, 443, 502]"),
            bare("to-plc-udp", "any", "plc", "protocol = \"udp\"\nports = [53]"),
            bare("all", "any", "any", "protocol = \"tcp\""),
            bare("all-22", "any", "any", "protocol = \"tcp\"\nports = [22]"),
            bare("ping", "any", "plc", "protocol = \"icmp\""),
        ]
        .concat(),
    );
    let (hmi, plc, other) = ("10.0.0.1", "10.0.1.5", "172.16.0.1");
    let cases = [
        (hmi, plc, TCP, 502, "exact"),
        (hmi, plc, UDP, 502, "exact"),
        (hmi, plc, TCP, 80, "from-hmi"),
        (hmi, plc, TCP, 443, "to-plc"),
        (hmi, plc, TCP, 22, "all-22"),
        (hmi, plc, TCP, 0, "all"),
        (hmi, plc, TCP, 65535, "all"),
        // A level that claims every port leaves nothing to less specific levels.
        (hmi, plc, UDP, 53, "from-hmi-all-udp"),
        (hmi, other, TCP, 502, "from-hmi"),
        (hmi, other, TCP, 443, "all"),
        (other, plc, TCP, 502, "to-plc"),
        (other, plc, UDP, 53, "to-plc-udp"),
        (other, plc, UDP, 54, "-"),
        (other, other, TCP, 22, "all-22"),
        (other, other, TCP, 502, "all"),
        (other, other, UDP, 502, "-"),
        (plc, hmi, TCP, 502, "all"),
        (hmi, plc, ICMP, 0, "ping"),
        (plc, hmi, ICMP, 0, "-"),
        (hmi, plc, 132, 0, "-"),
    ];
    for (from, to, transport, port, name) in cases {
        assert_eq!(choose(&compiled, from, to, transport, port), name, "{from} -> {to} {transport}/{port}");
    }
}
