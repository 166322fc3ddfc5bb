//! The two ports: what they are, and whether they can be the ports of the enforcer.
//!
//! In: interface names of the configuration. Out: [`Port`]s as the kernel reports them, or a refusal before anything is
//! changed. Nothing here changes anything.

use rtnetlink::packet_route::link::LinkMessage;

pub use super::port::{Port, Seen, XdpMode, XdpProgram};
use super::{
    drivers,
    ethtool::{Ethtool, MAX_NAME},
    link,
    netlink::{Netlink, NetlinkError},
};

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
        carrier_changes: link::carrier_changes(&found),
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

/// Whether this one port can be used, see [`validate`]. One that is down can: it is brought up once the program is on it.
///
/// # Errors
/// [`PortError::Enslaved`], [`PortError::Taken`].
pub fn check(port: &Port, bridge: &str, own_programs: &[u32]) -> Result<(), PortError> {
    let name = port.name.clone();
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
    if port.up && !port.carrier {
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
#[path = "ports_tests.rs"]
mod tests;
