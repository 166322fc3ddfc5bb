//! The judgement of [`super::check`] and its neighbours on made-up ports.

use super::*;

fn port(name: &str) -> Port {
    Port {
        name: name.to_owned(),
        index: 1,
        mac: [2, 0, 0, 0, 0, 1],
        mtu: 1500,
        up: true,
        carrier: true,
        carrier_changes: 2,
        speed: None,
        driver: Some("igb".to_owned()),
        master: None,
        xdp: Vec::new(),
    }
}

#[test]
fn names_the_kernel_refuses_are_refused_here() {
    for name in ["", ".", "..", "a b", "a/b", "a:b", "sixteen-letters.", "a\0b"] {
        assert!(matches!(check_name(name), Err(PortError::BadName { .. })), "{name:?}");
    }
    for name in ["e", "eth0.100", "fifteen-letters"] {
        assert!(check_name(name).is_ok(), "{name:?}");
    }
}

#[test]
fn our_own_program_and_our_own_bridge_are_no_obstacle() {
    let xdp = vec![XdpProgram { id: 7, mode: XdpMode::Native }];
    let mine = Port { master: Some("br0".to_owned()), xdp, ..port("eth0") };
    assert!(check(&mine, "br0", &[7]).is_ok());
    assert!(matches!(check(&mine, "br0", &[8]), Err(PortError::Taken { id: 7, .. })));
    assert!(matches!(check(&mine, "br1", &[7]), Err(PortError::Enslaved { .. })));
}

#[test]
fn refusals_tell_what_to_type() {
    let elsewhere = Port { master: Some("br7".to_owned()), ..port("eth0") };
    let text = check(&elsewhere, "br0", &[]).expect_err("in another bridge").to_string();
    assert_eq!(text, "eth0 belongs to br7: take it out with `ip link set eth0 nomaster`, or name br7 as the bridge");
}

#[test]
fn a_port_that_is_down_can_be_used() {
    assert!(check(&Port { up: false, ..port("eth0") }, "br0", &[]).is_ok());
}

#[test]
fn a_cable_that_is_out_and_unequal_sizes_are_remarks_only() {
    let out = Port { carrier: false, mtu: 9000, ..port("eth0") };
    assert_eq!(remarks(&out).len(), 2);
    assert!(pair_remarks(&out, &port("eth1")).is_some());
    assert!(pair_remarks(&port("eth0"), &port("eth1")).is_none());
}
