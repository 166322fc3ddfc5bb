//! The two ports: what they are, and whether they can be the ports of the enforcer.
//!
//! In: interface names of the configuration. Out: [`Port`]s as the kernel reports them, or a refusal before anything is
//! changed. Nothing here changes anything.

use std::fmt;

use rtnetlink::packet_route::link::{LinkMessage, XdpAttached};
use serde::Serialize;

use super::{
    drivers,
    ethtool::{Ethtool, MAX_NAME},
    link,
    netlink::{Netlink, NetlinkError},
};

/// How an XDP program is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    /// In the driver.
    Native,
    /// In the kernel's receive path, for any driver.
    Generic,
    /// On the network card.
    Hardware,
    /// A mode this version does not know.
    Other,
}

impl From<XdpAttached> for XdpMode {
    fn from(mode: XdpAttached) -> Self {
        if mode == XdpAttached::Driver {
            Self::Native
        } else if mode == XdpAttached::SocketBuffer {
            Self::Generic
        } else if mode == XdpAttached::Hardware {
            Self::Hardware
        } else {
            Self::Other
        }
    }
}

/// A program on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct XdpProgram {
    /// The kernel's number of the program.
    pub id: u32,
    /// How it is attached.
    pub mode: XdpMode,
}

/// An interface as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The kernel's number of it.
    pub index: u32,
    /// Its own MAC address.
    pub mac: [u8; 6],
    /// Largest packet, without the Ethernet header.
    pub mtu: u32,
    /// Set up by the administrator.
    pub up: bool,
    /// A cable partner is there.
    pub carrier: bool,
    /// Mbit/s, where the driver knows.
    pub speed: Option<u32>,
    /// The driver's name, where it has one.
    pub driver: Option<String>,
    /// The bridge or bond it belongs to.
    pub master: Option<String>,
    /// The XDP programs on it.
    pub xdp: Vec<XdpProgram>,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Two ports that may be used, and what is worth knowing about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Toward the plant.
    pub network: Port,
    /// Toward the protected device.
    pub device: Port,
    /// What does not stand in the way but should be seen, one sentence each.
    pub attention: Vec<String>,
}

/// Why interfaces cannot be the ports of the enforcer.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Not a name the kernel would take.
    #[error("{name:?} is not an interface name: 1 to 15 characters without spaces, slashes or colons are")]
    BadName {
        /// The name.
        name: String,
    },
    /// Nothing of that name.
    #[error("there is no interface {name}: `ip link` lists those that are there")]
    Missing {
        /// The name.
        name: String,
    },
    /// One interface in two roles.
    #[error("{first} and {second} are both {name}: the two ports and the bridge are three different interfaces")]
    Identical {
        /// The first role.
        first: &'static str,
        /// The second role.
        second: &'static str,
        /// The interface.
        name: String,
    },
    /// Not a port a cable could be in.
    #[error("{name} is not an Ethernet port: it cannot be put in a bridge")]
    NotEthernet {
        /// The interface.
        name: String,
    },
    /// Set down.
    #[error("{name} is down: bring it up with `ip link set {name} up`")]
    Down {
        /// The interface.
        name: String,
    },
    /// In another bridge or bond.
    #[error(
        "{name} belongs to {master}: take it out with `ip link set {name} nomaster`, or name {master} as the bridge"
    )]
    Enslaved {
        /// The interface.
        name: String,
        /// Where it is.
        master: String,
    },
    /// Someone else's program is there.
    #[error(
        "{name} runs another XDP program (number {id}): detach it first, `ip link set {name} xdp off` or its owner does"
    )]
    Taken {
        /// The interface.
        name: String,
        /// The program's number.
        id: u32,
    },
    /// The kernel could not be asked.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
}

/// What the kernel says of the interface `name`.
///
/// # Errors
/// [`PortError::BadName`], [`PortError::Missing`], [`PortError::NotEthernet`], [`PortError::Netlink`].
pub async fn inspect(netlink: &Netlink, name: &str) -> Result<Port, PortError> {
    check_name(name)?;
    let found = netlink.link(name).await?.ok_or_else(|| PortError::Missing { name: name.to_owned() })?;
    let mac = link::mac(&found).filter(|_| link::is_ethernet(&found) && !link::is_bridge(&found));
    let mac = mac.ok_or_else(|| PortError::NotEthernet { name: name.to_owned() })?;
    let master = master_name(netlink, &found).await?;
    // The driver's name and the speed serve reports and advice; a driver that tells neither is still usable.
    let ethtool = Ethtool::open().ok();
    Ok(Port {
        name: name.to_owned(),
        index: found.header.index,
        mac,
        mtu: link::mtu(&found),
        up: link::is_up(&found),
        carrier: link::has_carrier(&found),
        speed: ethtool.as_ref().and_then(|ethtool| ethtool.speed(name).ok().flatten()),
        driver: ethtool.as_ref().and_then(|ethtool| ethtool.driver(name).ok()),
        master,
        xdp: link::xdp(&found),
    })
}

/// Whether `network` and `device` can be the ports, with `bridge` between them. `own_programs` are the numbers of the
/// programs behind the enforcer's own pinned links, which may be on the ports already.
///
/// # Errors
/// [`PortError`], before anything is changed.
pub async fn validate(
    netlink: &Netlink,
    network: &str,
    device: &str,
    bridge: &str,
    own_programs: &[u32],
) -> Result<Pair, PortError> {
    check_name(bridge)?;
    distinct(("ports.network", network), ("ports.device", device))?;
    distinct(("ports.network", network), ("ports.bridge", bridge))?;
    distinct(("ports.device", device), ("ports.bridge", bridge))?;
    let network = inspect(netlink, network).await?;
    let device = inspect(netlink, device).await?;
    let mut attention = Vec::new();
    for port in [&network, &device] {
        check(port, bridge, own_programs)?;
        attention.extend(remarks(port));
        if port.master.is_none() && netlink.has_address(port.index).await? {
            attention.push(format!(
                "{port}: it has an address of its own, which will not be reachable once it is in {bridge}: move it there"
            ));
        }
    }
    attention.extend(pair_remarks(&network, &device));
    Ok(Pair { network, device, attention })
}

fn check(port: &Port, bridge: &str, own_programs: &[u32]) -> Result<(), PortError> {
    let name = port.name.clone();
    if !port.up {
        return Err(PortError::Down { name });
    }
    if let Some(master) = port.master.clone().filter(|master| master != bridge) {
        return Err(PortError::Enslaved { name, master });
    }
    if let Some(foreign) = port.xdp.iter().find(|program| !own_programs.contains(&program.id)) {
        return Err(PortError::Taken { name, id: foreign.id });
    }
    Ok(())
}

fn remarks(port: &Port) -> Vec<String> {
    let mut remarks = Vec::new();
    if !port.carrier {
        remarks.push(format!("{port}: no link partner (is the cable in?)"));
    }
    remarks.extend(drivers::mtu_warning(&port.name, port.driver.as_deref(), port.mtu));
    remarks
}

fn pair_remarks(network: &Port, device: &Port) -> Option<String> {
    (network.mtu != device.mtu).then(|| {
        format!(
            "{network} has an MTU of {} and {device} one of {}: frames too large for the smaller are lost",
            network.mtu, device.mtu
        )
    })
}

fn check_name(name: &str) -> Result<(), PortError> {
    let odd = |byte: u8| byte.is_ascii_whitespace() || byte == b'/' || byte == b':' || byte == 0;
    if name.is_empty() || name.len() > MAX_NAME || name == "." || name == ".." || name.bytes().any(odd) {
        return Err(PortError::BadName { name: name.to_owned() });
    }
    Ok(())
}

fn distinct(first: (&'static str, &str), second: (&'static str, &str)) -> Result<(), PortError> {
    if first.1 == second.1 {
        return Err(PortError::Identical { first: first.0, second: second.0, name: first.1.to_owned() });
    }
    Ok(())
}

async fn master_name(netlink: &Netlink, found: &LinkMessage) -> Result<Option<String>, NetlinkError> {
    let Some(index) = link::controller(found) else { return Ok(None) };
    Ok(netlink.link_at(index).await?.map(|master| link::name(&master)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str) -> Port {
        Port {
            name: name.to_owned(),
            index: 1,
            mac: [2, 0, 0, 0, 0, 1],
            mtu: 1500,
            up: true,
            carrier: true,
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
        let down = check(&Port { up: false, ..port("eth0") }, "br0", &[]).expect_err("down");
        assert_eq!(down.to_string(), "eth0 is down: bring it up with `ip link set eth0 up`");
    }

    #[test]
    fn a_cable_that_is_out_and_unequal_sizes_are_remarks_only() {
        let out = Port { carrier: false, mtu: 9000, ..port("eth0") };
        assert_eq!(remarks(&out).len(), 2);
        assert!(pair_remarks(&out, &port("eth1")).is_some());
        assert!(pair_remarks(&port("eth0"), &port("eth1")).is_none());
    }
}
