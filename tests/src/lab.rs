//! Three namespaces and two cables.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::namespace::{Namespace, run_ip};
use crate::xdp::{self, Answer};
use crate::{require_root, sweep};

/// The operator station that polls.
pub const HMI: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 20);
/// A second operator station on the same machine.
pub const HMI_SECOND: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 21);
/// The engineering station.
pub const ENGINEERING: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 66);
/// The controller to be protected.
pub const PLC: Ipv4Addr = Ipv4Addr::new(10, 10, 2, 5);
pub const HMI_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0x20);
pub const PLC_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0x5);
pub const HMI_MAC: [u8; 6] = [0x00, 0x0e, 0x8c, 0x00, 0x00, 0x20];
pub const PLC_MAC: [u8; 6] = [0x00, 0x1b, 0x1b, 0x12, 0x34, 0x56];

/// The only interface of hmi and plc, and the box's port towards the plant.
pub const NETWORK_PORT: &str = "eth0";
/// The box's port towards the controller.
pub const DEVICE_PORT: &str = "eth1";
/// The interface of the hmi and plc namespaces.
pub const STATION_PORT: &str = "eth0";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// hmi, box and plc with their cables plugged in; the box has a BPF file system of its own.
///
/// Nothing forwards in the box until a bridge or the enforcer is there.
pub struct Lab {
    pub hmi: Namespace,
    pub cabinet: Namespace,
    pub plc: Namespace,
    name: String,
    /// The programs at the stations' ends of the cables.
    links: Vec<OwnedFd>,
}

impl Lab {
    /// A lab with the usual Ethernet frame size.
    pub fn new() -> Lab {
        Lab::with_mtu(1500)
    }

    /// A lab whose cables carry packets of up to `mtu` bytes.
    pub fn with_mtu(mtu: u32) -> Lab {
        require_root();
        sweep::stale();
        let name = sweep::lab_name(next());
        let make = |role: &str| Namespace::new(format!("{name}-{role}"));
        let mut lab = {
            let cabinet = Namespace::with_own_bpf(format!("{name}-box"));
            Lab { hmi: make("hmi"), cabinet, plc: make("plc"), name, links: Vec::new() }
        };
        fs::create_dir_all(lab.folder()).expect("make the lab's folder");
        for namespace in [&lab.hmi, &lab.cabinet, &lab.plc] {
            // Duplicate address detection would keep the addresses unusable for a second or two.
            namespace.sysctl("ipv6/conf/all/accept_dad", "0");
            namespace.sysctl("ipv6/conf/default/accept_dad", "0");
            namespace.sysctl("ipv6/conf/default/router_solicitations", "0");
        }
        // The box itself must never speak on the cable.
        lab.cabinet.sysctl("ipv6/conf/default/disable_ipv6", "1");
        let network = plug(&lab.hmi, HMI_MAC, &lab.cabinet, NETWORK_PORT, mtu);
        let device = plug(&lab.plc, PLC_MAC, &lab.cabinet, DEVICE_PORT, mtu);
        lab.links.extend([network, device]);
        for address in [HMI, HMI_SECOND, ENGINEERING] {
            lab.hmi.ip(&format!("address add {address}/16 dev {STATION_PORT}"));
        }
        lab.plc.ip(&format!("address add {PLC}/16 dev {STATION_PORT}"));
        lab.hmi.ip(&format!("address add {HMI_V6}/64 dev {STATION_PORT} nodad"));
        lab.plc.ip(&format!("address add {PLC_V6}/64 dev {STATION_PORT} nodad"));
        lab
    }

    /// Takes the program off the controller's end of its cable, which from then on loses frames that are redirected to it,
    /// as a driver does that knows no such frames.
    pub fn without_the_controllers_program(&mut self) {
        self.links.pop();
        plain(&self.plc, STATION_PORT);
    }

    /// The word that all names of this lab start with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A folder for configuration, state and sockets; removed with the lab.
    pub fn folder(&self) -> PathBuf {
        sweep::folder(&self.name)
    }

    /// Writes a file into the lab's folder and returns its path.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.folder().join(file);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Whether a ping from hmi gets through, tried a few times until address resolution is done.
    pub fn can_reach(&self, address: IpAddr) -> bool {
        let target = std::net::SocketAddr::new(address, 9);
        // No ping program is needed: a closed TCP port that refuses has answered.
        self.hmi.run(|| {
            (0..3).any(|_| {
                let answer = std::net::TcpStream::connect_timeout(&target, std::time::Duration::from_secs(1));
                match answer {
                    Ok(_) => true,
                    Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
                }
            })
        })
    }
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The namespaces go first, as fields do not: the processes in them use the files.
        for namespace in [&self.hmi, &self.cabinet, &self.plc] {
            sweep::remove_namespace(namespace.name());
        }
        sweep::remove_files(&self.name);
    }
}

/// A number that no other lab of this process has.
pub(crate) fn next() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Puts a cable between a station and a port of the box, with no cleverness left on either end.
pub(crate) fn plug(station: &Namespace, mac: [u8; 6], cabinet: &Namespace, port: &str, mtu: u32) -> OwnedFd {
    let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
    // One queue per port, as the data plane asks of real ports.
    let queues = "numtxqueues 1 numrxqueues 1";
    let station_end = format!("{STATION_PORT} netns {} address {mac} mtu {mtu} {queues}", station.name());
    let box_end = format!("{port} netns {} mtu {mtu} {queues}", cabinet.name());
    run_ip(&format!("link add {station_end} type veth peer name {box_end}"));
    cabinet.ip(&format!("link set dev {port} up"));
    station.ip(&format!("link set dev {STATION_PORT} up"));
    // A program on the box's port may send a frame back (XDP_TX) or across (redirect). A veth end takes such frames
    // only when it polls for them, and for XDP_TX only when it has a program of its own.
    let link = station.run(|| xdp::attach(STATION_PORT, Answer::Pass)).expect("attach to the station's end");
    // After the attachment, which switches receive aggregation on.
    plain(station, STATION_PORT);
    plain(cabinet, port);
    link
}

/// Switches off what would hide or change frames: checksums left to hardware, segmentation, tags kept beside the frame.
pub(crate) fn plain(namespace: &Namespace, port: &str) {
    let features =
        "tx off tso off gso off gro off rxvlan off txvlan off rx-vlan-stag-hw-parse off tx-vlan-stag-hw-insert off";
    let mut arguments = vec!["-K", port];
    arguments.extend(features.split_whitespace());
    namespace.output("ethtool", &arguments);
}

/// The folder with other people's captures beside the project, when there is one.
pub fn captures() -> Option<PathBuf> {
    let folder = crate::project_root().join("../shared/captures");
    Path::is_dir(&folder).then_some(folder)
}
