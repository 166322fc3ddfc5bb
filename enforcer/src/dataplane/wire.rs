//! The settings that make a Linux bridge a true wire, as data, and the comparison of what was asked with what is.
//!
//! Pure. In: what the kernel reports of a bridge and of its ports. Out: the settings still to be made, and a sentence for
//! each that is not in force.
//!
//! Beyond the masks, storm and learning settings of a fresh bridge, everything is listed that an adopted bridge may have
//! and that would make it more than a wire: VLAN filtering, port isolation, proxies that answer for others.

use rtnetlink::{
    packet_core::Nla,
    packet_route::link::{BridgeStpState, InfoBridge, InfoBridgePort},
};

/// Link-local groups 01:80:C2:00:00:03 to 0F. The kernel refuses 00 (always passes without STP), 01 and 02 here.
const BRIDGE_GROUPS: u16 = 0xfff8;
/// Per port all but 01 (pause frames, which the hardware consumes): adds 02, LACP.
const PORT_GROUPS: u16 = 0xfffd;

/// One setting: what to ask for, its name in `ip` and `bridge`, and what it costs when it is not in force.
#[derive(Debug, Clone)]
pub(super) struct Setting<T> {
    pub(super) value: T,
    pub(super) name: &'static str,
    cost: &'static str,
    /// Kernels built without the facility do not report the setting, and then need none.
    optional: bool,
}

fn must<T>(value: T, name: &'static str, cost: &'static str) -> Setting<T> {
    Setting { value, name, cost, optional: false }
}

fn if_there<T>(value: T, name: &'static str, cost: &'static str) -> Setting<T> {
    Setting { value, name, cost, optional: true }
}

/// The settings of the bridge itself, in the order in which the kernel takes them (no delay only without STP).
pub(super) fn bridge() -> Vec<Setting<InfoBridge>> {
    let netfilter = "the host's packet filter may drop plant traffic";
    vec![
        must(InfoBridge::StpState(BridgeStpState::Disabled), "stp_state 0", "the bridge speaks spanning tree itself"),
        must(InfoBridge::ForwardDelay(0), "forward_delay 0", "a port that comes up stays silent for a while"),
        must(InfoBridge::GroupFwdMask(BRIDGE_GROUPS), "group_fwd_mask 0xfff8", "LLDP and its like do not pass"),
        if_there(InfoBridge::MulticastSnooping(false), "mcast_snooping 0", "multicast may not pass"),
        if_there(InfoBridge::MulticastQuerier(false), "mcast_querier 0", "the bridge sends queries of its own"),
        if_there(InfoBridge::VlanFiltering(false), "vlan_filtering 0", "tagged frames may not pass"),
        if_there(InfoBridge::NfCallIpTables(false), "nf_call_iptables 0", netfilter),
        if_there(InfoBridge::NfCallIp6Tables(false), "nf_call_ip6tables 0", netfilter),
        if_there(InfoBridge::NfCallArpTables(false), "nf_call_arptables 0", netfilter),
    ]
}

/// The settings of each of the two ports.
pub(super) fn port() -> Vec<Setting<InfoBridgePort>> {
    use InfoBridgePort as P;
    let answers = "the bridge answers for other stations";
    vec![
        must(P::Learning(false), "learning off", "a forged source address may pull traffic away"),
        must(P::UnicastFlood(true), "flood on", "unknown unicast does not pass"),
        must(P::MulticastFlood(true), "mcast_flood on", "multicast does not pass"),
        must(P::BroadcastFlood(true), "bcast_flood on", "broadcast does not pass"),
        must(P::GroupFwdMask(PORT_GROUPS), "group_fwd_mask 0xfffd", "LACP does not pass"),
        must(P::HairpinMode(false), "hairpin off", "frames come back on the port they entered"),
        must(P::Guard(false), "guard off", "a spanning-tree frame shuts the port"),
        must(P::Protect(false), "root_block off", "a spanning-tree frame blocks the port"),
        if_there(P::Isolated(false), "isolated off", "the two ports do not reach each other"),
        if_there(P::Locked(false), "locked off", "frames of unknown stations do not pass"),
        if_there(P::NeighSupress(false), "neigh_suppress off", answers),
        if_there(P::ProxyARP(false), "proxy_arp off", answers),
        if_there(P::ProxyARPWifi(false), "proxy_arp_wifi off", answers),
        if_there(P::MulticastToUnicast(false), "mcast_to_unicast off", "multicast frames are changed"),
        if_there(P::VlanTunnel(false), "vlan_tunnel off", "VLAN tags are changed"),
    ]
}

/// Which of `wanted` are not in force. What the kernel does not report and may do without is not among them.
pub(super) fn missing<'a, T: Nla + PartialEq>(wanted: &'a [Setting<T>], found: &[T]) -> Vec<&'a Setting<T>> {
    wanted
        .iter()
        .filter(|setting| match found.iter().find(|value| value.kind() == setting.value.kind()) {
            Some(value) => *value != setting.value,
            None => !setting.optional,
        })
        .collect()
}

/// One sentence for each of `wanted` that is not in force on `interface`. `refusals` are the names of settings the kernel
/// was asked for and what it answered.
pub(super) fn complaints<T: Nla + PartialEq>(
    interface: &str,
    wanted: &[Setting<T>],
    found: &[T],
    refusals: &[(&str, String)],
) -> Vec<String> {
    let sentence = |Setting { name, cost, .. }: &Setting<T>| {
        let answer = refusals.iter().find(|(refused, _)| refused == name);
        let answer = answer.map(|(_, answer)| format!(" ({answer})")).unwrap_or_default();
        format!("{interface}: {name} is not in force, so {cost}{answer}")
    };
    missing(wanted, found).into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_that_is_right_misses_nothing() {
        let wanted = bridge();
        let found: Vec<InfoBridge> = wanted.iter().map(|setting| setting.value.clone()).collect();
        assert!(missing(&wanted, &found).is_empty());
    }

    #[test]
    fn a_wrong_value_is_missing_and_named() {
        let wanted = port();
        let mut found: Vec<InfoBridgePort> = wanted.iter().map(|setting| setting.value.clone()).collect();
        found[0] = InfoBridgePort::Learning(true);
        let told = complaints("eth0", &wanted, &found, &[("learning off", "not permitted".to_owned())]);
        let expected =
            "eth0: learning off is not in force, so a forged source address may pull traffic away (not permitted)";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn only_what_the_kernel_may_lack_can_go_unreported() {
        let wanted = bridge();
        let names: Vec<&str> = missing(&wanted, &[]).iter().map(|setting| setting.name).collect();
        assert_eq!(names, ["stp_state 0", "forward_delay 0", "group_fwd_mask 0xfff8"]);
    }
}
