//! A plain Linux bridge in the box: the cable without an enforcer, to compare with.

use crate::Lab;
use crate::lab::{DEVICE_PORT, NETWORK_PORT};

/// Joins the two ports by a bridge that is as transparent as Linux can make it.
pub fn join(lab: &Lab) {
    let cabinet = &lab.cabinet;
    cabinet.ip("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0 group_fwd_mask 0xfff8");
    for port in [NETWORK_PORT, DEVICE_PORT] {
        cabinet.ip(&format!("link set dev {port} master br0"));
        cabinet.ip(&format!("link set dev {port} type bridge_slave group_fwd_mask 0xfffd learning off"));
    }
    for family in ["ip", "ip6", "arp"] {
        let key = format!("bridge/bridge-nf-call-{family}tables");
        // Absent when the kernel has no bridge netfilter, and then there is nothing to switch off.
        if std::path::Path::new("/proc/sys/net").join(&key).exists() {
            cabinet.sysctl(&key, "0");
        }
    }
    cabinet.ip("link set dev br0 up");
}
