//! Everything the controller does to the machine it runs on: the two ports, the bridge between them, what their
//! drivers are told, and what the kernel must be able to do.
//!
//! Order of use at start, each step refusing before the next one changes anything:
//! [`kernel`] and [`bpffs`] (can this machine do it) -> [`ports`] (are these the two ports) -> [`bridge`] (make the wire)
//! -> [`offload`] (make the drivers show every frame as it was on the cable) -> [`attach`] -> [`across`] (past the bridge,
//! where both drivers take that).
//!
//! Nothing here reads `/sys`: inside a network namespace it may show the devices of another one. Netlink, the ethtool
//! ioctl and `/proc/sys` always speak of the namespace of the calling thread.

pub mod across;
pub mod adopt;
pub mod attach;
pub mod bpffs;
pub mod bridge;
pub mod coalesce;
pub mod counters;
pub mod drivers;
pub mod ethtool;
pub mod flows;
pub mod functions;
pub mod kernel;
mod link;
pub mod maps;
pub mod netlink;
pub mod object;
pub mod offload;
pub mod plain;
mod port;
pub mod ports;
pub mod publish;
pub mod reset;
pub mod steps;
pub mod sysctl;
mod unhook;
mod wire;
