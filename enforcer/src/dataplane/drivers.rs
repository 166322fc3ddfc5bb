//! What is known of the network drivers: from which kernel they run XDP natively, and the traps of each.
//!
//! Taken from the kernel sources 6.1, 6.12 and 7.2 (who implements `ndo_bpf`, and what it refuses). A driver that is not
//! listed may still work: the list serves advice, never a decision.

use super::kernel::Version;

/// What is known of one driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    /// The name as the driver gives it.
    pub name: &'static str,
    /// The kernel since which it runs XDP natively; `None` for generic mode only.
    pub native_since: Option<Version>,
    /// The largest MTU with which it accepts a program that takes no fragments.
    pub max_mtu: Option<u32>,
    /// The one thing to know about it; empty when there is none.
    pub note: &'static str,
}

/// The largest MTU with which a driver that keeps a frame in one page of 4 KiB accepts a program.
pub const ONE_PAGE_MTU: u32 = 3506;

const fn native(name: &'static str, major: u32, minor: u32, max_mtu: Option<u32>, note: &'static str) -> Driver {
    Driver { name, native_since: Some(Version { major, minor }), max_mtu, note }
}

const fn generic(name: &'static str) -> Driver {
    Driver { name, native_since: None, max_mtu: None, note: "no native XDP up to kernel 7.2: generic mode" }
}

const LIST: &[Driver] = &[
    native("mvneta", 5, 5, Some(3520), "refuses XDP when hardware buffer management is in use"),
    native("mvpp2", 5, 9, None, "needs two transmit queues per CPU"),
    native("fsl_dpa", 5, 11, None, ""),
    native("fsl_dpaa2_eth", 5, 0, None, ""),
    native("fsl_enetc", 5, 13, None, "one transmit ring per CPU must be spare"),
    native("fec", 6, 2, None, "the link drops for a moment each time a program is attached"),
    native("st_gmac", 5, 13, Some(1500), ""),
    native("stmmac", 5, 13, Some(1500), ""),
    native("igb", 5, 10, Some(3046), "the link drops for a second when a program is attached or detached"),
    native("igc", 5, 13, Some(1500), "the link drops for a moment each time a program is attached"),
    native("cpsw", 5, 3, None, ""),
    native("cpsw-switch", 5, 3, None, ""),
    native("am65-cpsw-nuss", 6, 10, None, "the link drops for a moment each time a program is attached"),
    native("icssg-prueth", 6, 15, None, ""),
    native("lan966x-switch", 6, 2, None, "only with frame DMA"),
    native("mtk_soc_eth", 6, 0, Some(3520), "one program is shared by all ports of the chip"),
    native("netsec", 5, 3, Some(1500), "the link drops for a moment each time a program is attached"),
    native("tsnep", 6, 3, None, ""),
    native("atlantic", 5, 19, None, ""),
    native("ixgbe", 4, 12, None, "the link drops for a moment when a program is attached or detached"),
    native("i40e", 4, 13, None, ""),
    native("ice", 5, 5, None, ""),
    native("virtio_net", 4, 10, None, "the host must leave guest checksum and segmentation offloads off"),
    native("hv_netvsc", 5, 6, None, ""),
    native("veth", 4, 19, Some(ONE_PAGE_MTU), "a virtual pair: good for tests, not for measuring"),
    native("tun", 4, 14, None, ""),
    generic("e1000e"),
    generic("r8169"),
    generic("bcmgenet"),
    generic("macb"),
    generic("lan743x"),
    generic("airoha_eth"),
    generic("sparx5-switch"),
];

/// What is known of the driver of that name.
pub fn known(name: &str) -> Option<&'static Driver> {
    LIST.iter().find(|driver| driver.name == name)
}

/// Why a port with this driver and MTU may not take the program natively; `None` when nothing speaks against it.
pub fn mtu_warning(interface: &str, driver: Option<&str>, mtu: u32) -> Option<String> {
    let limit = driver.and_then(known).and_then(|driver| driver.max_mtu).unwrap_or(ONE_PAGE_MTU);
    (mtu > limit).then(|| {
        format!("{interface}: an MTU of {mtu} is more than the {limit} with which its driver runs XDP natively")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_driver_is_listed_once() {
        for (index, driver) in LIST.iter().enumerate() {
            assert!(LIST[index + 1..].iter().all(|other| other.name != driver.name), "{}", driver.name);
        }
    }

    #[test]
    fn the_limit_is_the_drivers_own_or_one_page() {
        assert_eq!(mtu_warning("eth0", Some("igc"), 1500), None);
        assert!(mtu_warning("eth0", Some("igc"), 1506).is_some_and(|text| text.contains("1500")));
        assert_eq!(mtu_warning("eth0", None, 3506), None);
        assert!(mtu_warning("eth0", Some("no-such-driver"), 9000).is_some());
    }
}
