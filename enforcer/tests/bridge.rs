//! The bridge against a real kernel: created, adopted, refused, released. What is in force is read back by `ip`, not by
//! our own reader. Needs root.

#[expect(dead_code, reason = "each test file uses its own part of the shared helpers")]
mod netns;

use enforcer::dataplane::{
    bridge::{self, Bridge, BridgeError, Released},
    netlink::Netlink,
    ports,
};
use netns::{cables, in_namespace, ip, show, snapshot};

async fn establish(netlink: &Netlink) -> Result<Bridge, BridgeError> {
    let pair = ports::validate(netlink, "wan", "cell", "br0", &[]).await.expect("good ports");
    bridge::establish(netlink, "br0", &pair).await
}

/// Every setting of PLATFORM 1.3 and the ones that an adopted bridge could have against them.
fn assert_is_a_wire(bridge: &str) {
    let link = show(bridge);
    assert!(link["flags"].as_array().is_some_and(|flags| flags.contains(&"UP".into())), "{link}");
    let data = &link["linkinfo"]["info_data"];
    let zero = [
        "stp_state",
        "forward_delay",
        "mcast_snooping",
        "mcast_querier",
        "vlan_filtering",
        "nf_call_iptables",
        "nf_call_ip6tables",
        "nf_call_arptables",
    ];
    for name in zero {
        assert!(data[name].is_null() || data[name] == 0, "{bridge}: {name} is {}", data[name]);
    }
    assert_eq!(data["group_fwd_mask"], "0xfff8");
    for port in ["wan", "cell"] {
        let link = show(port);
        assert_eq!(link["master"], bridge);
        let data = &link["linkinfo"]["info_slave_data"];
        for name in ["flood", "mcast_flood", "bcast_flood"] {
            assert_eq!(data[name], true, "{port}: {name} in {data}");
        }
        let off = [
            "learning",
            "hairpin",
            "guard",
            "root_block",
            "proxy_arp",
            "proxy_arp_wifi",
            "isolated",
            "locked",
            "neigh_suppress",
            "vlan_tunnel",
            "mcast_to_unicast",
        ];
        for name in off {
            assert!(data[name].is_null() || data[name] == false, "{port}: {name} is {}", data[name]);
        }
        assert_eq!(data["group_fwd_mask"], "0xfffd");
    }
    for interface in [bridge, "wan", "cell"] {
        assert_eq!(sysctl(&format!("net/ipv6/conf/{interface}/disable_ipv6")), "1", "{interface}");
    }
    for kind in ["ip", "ip6", "arp"] {
        assert_eq!(sysctl(&format!("net/bridge/bridge-nf-call-{kind}tables")), "0", "{kind}");
    }
}

/// Read here, in the namespace's own thread, not through a program.
fn sysctl(key: &str) -> String {
    enforcer::dataplane::sysctl::read(key).expect("readable").unwrap_or_else(|| "0".to_owned())
}

#[test]
fn a_created_bridge_is_a_wire_and_goes_at_release() {
    in_namespace(|netlink| async move {
        cables();
        let made = establish(&netlink).await.expect("a bridge");
        assert_eq!((made.ours, &made.attention), (true, &Vec::new()));
        assert_eq!(made.index, show("br0")["ifindex"]);
        assert_is_a_wire("br0");
        assert_eq!(bridge::release(&netlink, "br0", true).await.expect("released"), Released::Kept);
        assert_is_a_wire("br0");
        assert_eq!(bridge::release(&netlink, "br0", false).await.expect("released"), Released::Removed);
        assert_eq!(bridge::release(&netlink, "br0", false).await.expect("released"), Released::Absent);
        assert!(show("wan")["master"].is_null());
    });
}

#[test]
fn an_existing_bridge_with_everything_wrong_is_adopted_and_never_removed() {
    in_namespace(|netlink| async move {
        cables();
        ip("link add br0 type bridge stp_state 1 mcast_querier 1 nf_call_iptables 1");
        ip("link set wan master br0");
        ip("link set wan type bridge_slave learning on flood off isolated on hairpin on guard on neigh_suppress on");
        let made = establish(&netlink).await.expect("adopted");
        assert_eq!((made.ours, &made.attention), (false, &Vec::new()));
        assert_is_a_wire("br0");
        assert_eq!(bridge::release(&netlink, "br0", false).await.expect("released"), Released::Kept);
        assert_eq!(show("cell")["master"], "br0");
    });
}

#[test]
fn a_second_start_changes_nothing_and_keeps_the_mark() {
    in_namespace(|netlink| async move {
        cables();
        let first = establish(&netlink).await.expect("a bridge");
        let before = snapshot();
        let second = establish(&netlink).await.expect("the same bridge");
        assert_eq!((first, before), (second, snapshot()));
    });
}

#[test]
fn a_bridge_with_foreign_ports_is_refused_before_anything_changes() {
    in_namespace(|netlink| async move {
        cables();
        ip("link add br0 type bridge");
        ip("link add office type veth peer name desk");
        ip("link set office master br0");
        let before = snapshot();
        let error = establish(&netlink).await.expect_err("refused");
        assert!(matches!(&error, BridgeError::Foreign { foreign, .. } if foreign == "office"), "{error}");
        assert_eq!(snapshot(), before);
    });
}

#[test]
fn a_name_that_is_something_else_is_refused() {
    in_namespace(|netlink| async move {
        cables();
        ip("link add br0 type veth peer name elsewhere");
        let error = establish(&netlink).await.expect_err("refused");
        assert!(matches!(error, BridgeError::NotABridge { .. }), "{error}");
    });
}

#[test]
fn a_port_that_cannot_join_leaves_nothing_behind() {
    in_namespace(|netlink| async move {
        cables();
        let pair = ports::validate(&netlink, "wan", "cell", "br0", &[]).await.expect("good ports");
        // Between the check and the use the second port disappears.
        ip("link del cell");
        let error = bridge::establish(&netlink, "br0", &pair).await.expect_err("refused");
        assert!(error.to_string().contains("put cell in bridge br0"), "{error}");
        assert!(show("wan")["master"].is_null());
        assert!(netlink.link("br0").await.expect("answered").is_none());
    });
}

#[test]
fn an_ipv6_management_address_is_not_taken_away() {
    in_namespace(|netlink| async move {
        cables();
        ip("link add br0 type bridge");
        ip("addr add fd00::1/64 dev br0");
        let made = establish(&netlink).await.expect("adopted");
        assert!(made.attention.iter().any(|text| text.contains("IPv6 address")), "{:?}", made.attention);
        assert!(ip("-6 addr show dev br0").contains("fd00::1"));
    });
}

#[test]
fn link_local_groups_and_unknown_stations_pass_both_ways() {
    in_namespace(|netlink| async move {
        cables();
        establish(&netlink).await.expect("a bridge");
        // Spanning tree, LACP, PTP and LLDP, GVRP, PROFINET discovery, and a station nobody has heard of.
        let to: [[u8; 6]; 6] = [
            [0x01, 0x80, 0xc2, 0, 0, 0x00],
            [0x01, 0x80, 0xc2, 0, 0, 0x02],
            [0x01, 0x80, 0xc2, 0, 0, 0x0e],
            [0x01, 0x80, 0xc2, 0, 0, 0x21],
            [0x01, 0x0e, 0xcf, 0, 0, 0x00],
            [0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee],
        ];
        for (from, towards) in [("plant", "plc"), ("plc", "plant")] {
            for destination in to {
                let mut frame = vec![0x5a; 60];
                frame[..6].copy_from_slice(&destination);
                frame[6..14].copy_from_slice(&[2, 1, 2, 3, 4, 5, 0x88, 0xb5]);
                let seen = netns::listen(towards);
                netns::send(from, &frame);
                assert!(seen.until(&frame), "{destination:02x?} does not pass from {from} to {towards}");
            }
        }
    });
}
