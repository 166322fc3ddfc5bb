//! The bridge between the two ports: create or adopt it, make it a true wire, and take it away again.
//!
//! In: two validated ports and the bridge's name. Out: [`Bridge`], with a sentence of attention for each setting that is
//! not in force. What must hold for frames to pass at all (the bridge is there, both ports are in it and up) is an error,
//! and then the bridge and its membership are as they were before.
//!
//! A bridge that the enforcer creates carries an interface alias that says so. The mark lives in the kernel beside the
//! bridge, so a later `detach`, from another process, knows whose it is.

use rtnetlink::{LinkBridge, LinkBridgePort, LinkMessageBuilder, packet_route::link::LinkMessage};

use super::{
    link,
    netlink::{Netlink, NetlinkError, change_of},
    ports::{Pair, Port},
    sysctl, wire,
};

/// The interface alias of a bridge that the enforcer created.
const MARK: &str = "created by enforcer";

/// The bridge between the two ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// The kernel's number of it.
    pub index: u32,
    /// The bridge's own MAC address: frames to it are for the box itself.
    pub mac: [u8; 6],
    /// The enforcer created it, now or in an earlier life.
    pub ours: bool,
    /// What keeps it from being a true wire, one sentence each.
    pub attention: Vec<String>,
}

/// Why there is no bridge between the ports.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The name belongs to something else.
    #[error("{name} is there but is not a bridge: choose another name for the bridge")]
    NotABridge {
        /// The interface.
        name: String,
    },
    /// Someone else's ports are in it.
    #[error(
        "bridge {name} holds {foreign} beside the two ports: it would be a way around the enforcer; \
         take it out with `ip link set {foreign} nomaster`, or choose another bridge"
    )]
    Foreign {
        /// The bridge.
        name: String,
        /// The first port that is not one of the two.
        foreign: String,
    },
    /// The bridge vanished while it was set up.
    #[error("bridge {name} is gone: something else removed it while it was being set up")]
    Gone {
        /// The bridge.
        name: String,
    },
    /// The kernel refused.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
}

/// What became of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It was not there.
    Absent,
    /// It is there still and joins the ports.
    Kept,
    /// It was ours and is removed: the ports are apart.
    Removed,
}

/// Refuses a bridge name that cannot be used, without changing anything: another kind of interface, or a bridge with
/// foreign ports in it. `None` when there is no such bridge yet.
///
/// # Errors
/// [`BridgeError::NotABridge`], [`BridgeError::Foreign`], [`BridgeError::Netlink`].
pub async fn check(netlink: &Netlink, name: &str, pair: &Pair) -> Result<Option<LinkMessage>, BridgeError> {
    let Some(found) = netlink.link(name).await? else { return Ok(None) };
    if !link::is_bridge(&found) {
        return Err(BridgeError::NotABridge { name: name.to_owned() });
    }
    let index = found.header.index;
    let foreign = netlink.links().await?.into_iter().find(|other| {
        link::controller(other) == Some(index)
            && other.header.index != pair.network.index
            && other.header.index != pair.device.index
    });
    match foreign {
        Some(other) => Err(BridgeError::Foreign { name: name.to_owned(), foreign: link::name(&other) }),
        None => Ok(Some(found)),
    }
}

/// Creates or adopts the bridge `name`, puts both ports in it, and makes it a true wire. Ports that are in it already
/// stay in without interruption; settings that are right already are not touched.
///
/// # Errors
/// [`BridgeError`]; then a bridge created here is removed and a port put in here is taken out again.
pub async fn establish(netlink: &Netlink, name: &str, pair: &Pair) -> Result<Bridge, BridgeError> {
    let existing = check(netlink, name, pair).await?;
    let created = existing.is_none();
    if created {
        let message = LinkMessageBuilder::<LinkBridge>::new(name).build();
        netlink.create(&format!("create bridge {name}"), message).await?;
    }
    let mut joined = Vec::new();
    match build(netlink, name, pair, created, &mut joined).await {
        Ok(bridge) => Ok(bridge),
        Err(error) => {
            undo(netlink, name, created, &joined).await;
            Err(error)
        }
    }
}

/// Lets go of the bridge `name`. With `keep` it stays in any case; without, it is removed only if the enforcer created
/// it. A bridge that was there before us is never removed, and stays as it is.
///
/// # Errors
/// [`BridgeError::Netlink`].
pub async fn release(netlink: &Netlink, name: &str, keep: bool) -> Result<Released, BridgeError> {
    let Some(found) = netlink.link(name).await? else { return Ok(Released::Absent) };
    if keep || !is_ours(&found) {
        return Ok(Released::Kept);
    }
    netlink.delete(&format!("remove bridge {name}"), found.header.index).await?;
    Ok(Released::Removed)
}

/// What keeps the bridge `name` between the two ports from being a true wire, one sentence each. Changes nothing.
///
/// # Errors
/// [`BridgeError::Gone`], [`BridgeError::Netlink`].
pub async fn complaints(netlink: &Netlink, name: &str, ports: [&Port; 2]) -> Result<Vec<String>, BridgeError> {
    let found = present(netlink, name).await?;
    let mut all = wire::complaints(name, &wire::bridge(), link::bridge_settings(&found), &[]);
    for port in ports {
        let found = present(netlink, &port.name).await?;
        all.extend(wire::complaints(&port.name, &wire::port(), link::port_settings(&found), &[]));
    }
    Ok(all)
}

async fn build(
    netlink: &Netlink,
    name: &str,
    pair: &Pair,
    created: bool,
    joined: &mut Vec<u32>,
) -> Result<Bridge, BridgeError> {
    let mut attention = Vec::new();
    let found = present(netlink, name).await?;
    let index = found.header.index;
    if created {
        netlink.change(&format!("mark bridge {name}"), change_of(index).alias(MARK).build()).await?;
    }
    // Before the ports are in it: a bridge that still speaks spanning tree would be heard by the plant.
    attention.extend(settle_bridge(netlink, name, index).await?);
    attention.extend(quiet_host(netlink, name, index, pair).await?);
    for port in [&pair.network, &pair.device] {
        join(netlink, name, index, port, joined).await?;
        attention.extend(settle_port(netlink, port).await?);
    }
    netlink.change(&format!("bring bridge {name} up"), change_of(index).up().build()).await?;
    let found = present(netlink, name).await?;
    let mac = link::mac(&found).unwrap_or_default();
    Ok(Bridge { name: name.to_owned(), index, mac, ours: is_ours(&found), attention })
}

/// Takes back what was done. Its own failures add nothing to the error that led here.
async fn undo(netlink: &Netlink, name: &str, created: bool, joined: &[u32]) {
    for port in joined {
        let _ = netlink.change("take a port out of the bridge", change_of(*port).nocontroller().build()).await;
    }
    if created && let Ok(Some(found)) = netlink.link(name).await {
        let _ = netlink.delete("remove the bridge", found.header.index).await;
    }
}

async fn join(
    netlink: &Netlink,
    bridge: &str,
    index: u32,
    port: &Port,
    joined: &mut Vec<u32>,
) -> Result<(), BridgeError> {
    if port.master.as_deref() != Some(bridge) {
        let message = change_of(port.index).controller(index).build();
        netlink.change(&format!("put {port} in bridge {bridge}"), message).await?;
        joined.push(port.index);
    }
    netlink.change(&format!("bring {port} up"), change_of(port.index).up().build()).await?;
    Ok(())
}

async fn settle_bridge(netlink: &Netlink, name: &str, index: u32) -> Result<Vec<String>, BridgeError> {
    let wanted = wire::bridge();
    let mut refusals = Vec::new();
    for setting in wire::missing(&wanted, link::bridge_settings(&present(netlink, name).await?)) {
        let message = LinkMessageBuilder::<LinkBridge>::new(name).index(index).append_info_data(setting.value.clone());
        if let Err(error) = netlink.change(&format!("set {} on {name}", setting.name), message.build()).await {
            refusals.push((setting.name, error.to_string()));
        }
    }
    let found = present(netlink, name).await?;
    Ok(wire::complaints(name, &wanted, link::bridge_settings(&found), &refusals))
}

async fn settle_port(netlink: &Netlink, port: &Port) -> Result<Vec<String>, BridgeError> {
    let wanted = wire::port();
    let mut refusals = Vec::new();
    for setting in wire::missing(&wanted, link::port_settings(&present(netlink, &port.name).await?)) {
        let message = LinkBridgePort::new(port.index).append_info_data(setting.value.clone()).build();
        if let Err(error) = netlink.change(&format!("set {} on {port}", setting.name), message).await {
            refusals.push((setting.name, error.to_string()));
        }
    }
    let found = present(netlink, &port.name).await?;
    Ok(wire::complaints(&port.name, &wanted, link::port_settings(&found), &refusals))
}

/// Keeps the host itself out of the wire: no packet filter on bridged frames, no IPv6 chatter of its own.
async fn quiet_host(netlink: &Netlink, bridge: &str, index: u32, pair: &Pair) -> Result<Vec<String>, BridgeError> {
    let mut keys: Vec<String> =
        ["ip", "ip6", "arp"].iter().map(|kind| format!("net/bridge/bridge-nf-call-{kind}tables")).collect();
    let mut attention = Vec::new();
    let mut silent = vec![pair.network.name.as_str(), pair.device.name.as_str()];
    if netlink.has_ipv6_address(index).await? {
        attention.push(format!(
            "{bridge}: it has an IPv6 address, so IPv6 stays on there and the box sends neighbour discovery of its own"
        ));
    } else {
        silent.push(bridge);
    }
    keys.extend(silent.iter().map(|interface| format!("net/ipv6/conf/{interface}/disable_ipv6")));
    // Frames to the bridge's own address are the box's and not judged: it must not route them on to the device.
    keys.extend(["ipv4", "ipv6"].map(|version| format!("net/{version}/conf/{bridge}/forwarding")));
    for key in keys {
        let wanted = if key.ends_with("disable_ipv6") { "1" } else { "0" };
        if let Err(error) = sysctl::set(&key, wanted) {
            attention.push(error.to_string());
        }
    }
    Ok(attention)
}

fn is_ours(found: &LinkMessage) -> bool {
    link::alias(found).as_deref() == Some(MARK)
}

async fn present(netlink: &Netlink, name: &str) -> Result<LinkMessage, BridgeError> {
    netlink.link(name).await?.ok_or_else(|| BridgeError::Gone { name: name.to_owned() })
}
