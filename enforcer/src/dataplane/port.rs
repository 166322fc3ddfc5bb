//! One interface as the kernel reports it. Pure data, shared by the checks, the bridge and the reports.

use std::fmt;

use rtnetlink::packet_route::link::{LinkMessage, XdpAttached};
use serde::Serialize;

use super::link;

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
    /// How often one came or went.
    pub carrier_changes: u32,
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

/// What can change about a link while the box is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// The kernel's number of it.
    pub index: u32,
    /// The kernel's number of the bridge it is in.
    pub controller: Option<u32>,
    /// The kernel's numbers of the programs on it.
    pub programs: Vec<u32>,
}

impl Seen {
    /// As the kernel's message says.
    pub(super) fn of(found: &LinkMessage) -> Self {
        Self {
            name: link::name(found),
            index: found.header.index,
            controller: link::controller(found),
            programs: link::xdp(found).iter().map(|program| program.id).collect(),
        }
    }
}
