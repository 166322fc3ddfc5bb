//! The ground of one run: a lab with the real servers behind the box, raw ends on both cables, and clients that poll.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::servers::{LIBMODBUS, PUPPET, SINK, Servers, TOKIO};
use super::wire::Wire;
use crate::lab::{HMI, HMI_MAC, HMI_SECOND, PLC_MAC, STATION_PORT};
use crate::poller::{Plan, Poller};
use crate::{Capture, Direction, Enforcer, Lab, bridge, enforcer, frames};

/// The hardware address of all raw clients, as if they stood behind one router.
pub const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0x20, 0x01];
/// The address that the controllers know as the way to the raw clients' network 10.20.0.0/16.
const ROUTER: &str = "10.10.1.250";

const POLICY: &str = r#"[policy]
name = "evasion"
revision = 1
default = "deny"
on_unsynchronised = "deny"
fragments = "deny"

[zones]
hmi    = ["10.10.1.20", "10.10.1.21"]
reset  = ["10.20.0.0/18"]
drop   = ["10.20.64.0/18"]
stream = ["10.20.128.0/18"]
plcs   = ["10.10.2.5-10.10.2.8"]

[devices]
libmodbus = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }
tokio     = { ip = "10.10.2.6", mac = "00:1b:1b:12:34:56" }
sink      = { ip = "10.10.2.7", mac = "00:1b:1b:12:34:56" }
puppet    = { ip = "10.10.2.8", mac = "00:1b:1b:12:34:56" }

[[ethernet]]
types  = ["arp"]
action = "allow"
"#;

/// The same rules for each of the zones.
const CONDUIT: &str = r#"
[[conduits]]
name     = "NAME"
from     = ["NAME"]
to       = ["plcs"]
protocol = "modbus"
on_deny  = "ON_DENY"
SEGMENTATION
  [[conduits.rules]]
  name      = "poll"
  functions = ["read_holding_registers"]
  objects   = ["holding:0-99"]
  action    = "allow"

  [[conduits.rules]]
  name      = "setpoint"
  functions = ["write_single_register", "write_multiple_registers"]
  objects   = ["holding:40-47"]
  values    = ["0-1000"]
  action    = "log"
"#;

/// What stands in the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A plain bridge: what the vectors would do.
    Bare,
    Learn,
    Shadow,
    Enforce,
}

pub struct Field {
    // Dropped in this order: what lives in the namespaces goes before the namespaces.
    pub pollers: Vec<Poller>,
    pub cable: Capture,
    enforcer: Mutex<Option<Enforcer>>,
    pub network: Wire,
    pub device: Wire,
    pub servers: Servers,
    pub lab: Lab,
    pub setting: Setting,
    /// Whether conduits know `segmentation`, so that the variants that need it can run.
    pub knows_segmentation: bool,
    next: AtomicU32,
}

/// The vectors' clients leave their connections as they are: a device would have no room for the later ones.
const ROOMY: &str = "[flows]\nper_device = 256\n";

impl Field {
    pub fn start(setting: Setting, mtu: u32) -> Field {
        let lab = Lab::with_mtu(mtu);
        let network = Wire::new(&lab.hmi, STATION_PORT, |packet| packet.target_mac == CLIENT_MAC);
        let device = Wire::new(&lab.plc, STATION_PORT, |packet| *packet.target.ip() == PUPPET);
        let servers = Servers::start(&lab);
        know_each_other(&lab);
        let (policy, knows_segmentation) = policy(&lab);
        let enforcer = match setting {
            Setting::Bare => {
                bridge::join(&lab);
                None
            }
            Setting::Learn | Setting::Shadow | Setting::Enforce => {
                let mode = format!("{setting:?}").to_lowercase();
                let started = Enforcer::start_more(&lab, &enforcer::current(), &policy, &mode, ROOMY);
                Some(started.unwrap_or_else(|error| panic!("{error}")))
            }
        };
        let cable = Capture::start(&lab.plc, STATION_PORT, Direction::Both);
        let next = AtomicU32::new(1);
        let (pollers, enforcer) = (Vec::new(), Mutex::new(enforcer));
        let mut field =
            Field { pollers, cable, enforcer, network, device, servers, lab, setting, knows_segmentation, next };
        field.poll();
        field
    }

    /// Starts the legitimate clients: one at each Modbus server.
    fn poll(&mut self) {
        for (source, server) in [(HMI, LIBMODBUS), (HMI_SECOND, TOKIO)] {
            let every = Duration::from_millis(20);
            let plan = Plan { source: source.into(), server: server.into(), first: 0, count: 10, every };
            let poller = Poller::start(&self.lab.hmi, plan);
            assert!(poller.wait_for_good(2, Duration::from_secs(5)), "{:?} {}", poller.tally(), self.state());
            poller.reset();
            self.pollers.push(poller);
        }
    }

    /// A number that no other vector of this field gets.
    pub fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// How often each reason was given so far.
    pub fn reasons(&self) -> BTreeMap<String, u64> {
        let status = self.enforcer().as_ref().and_then(|enforcer| enforcer.status().ok()).unwrap_or_default();
        let reasons = status["reasons"].as_object().into_iter().flatten();
        reasons.map(|(reason, count)| (reason.clone(), count.as_u64().unwrap_or_default())).collect()
    }

    /// The whole status, for messages.
    pub fn state(&self) -> String {
        self.enforcer().as_ref().map_or_else(String::new, |enforcer| match enforcer.status() {
            Ok(status) => format!("{status:#}"),
            Err(error) => error,
        })
    }

    fn enforcer(&self) -> MutexGuard<'_, Option<Enforcer>> {
        self.enforcer.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Runs a live command that must succeed.
    pub fn must(&self, arguments: &[&str]) {
        let enforcer = self.enforcer();
        let enforcer = enforcer.as_ref().expect("an enforcer in the box");
        enforcer.must(arguments).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Kills the controller as a crash would. The programs stay.
    pub fn kill_controller(&self) {
        if let Some(enforcer) = self.enforcer().as_mut() {
            enforcer.process().kill();
        }
    }

    /// Starts a controller where one was before.
    pub fn start_controller(&self) {
        let mut enforcer = self.enforcer();
        let before = enforcer.take().expect("an enforcer was in the box");
        let (config, socket) = (before.config().to_owned(), before.socket().to_owned());
        drop(before);
        let started = Enforcer::start_with(&self.lab, &enforcer::current(), &config, &socket);
        *enforcer = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }

    /// Waits until everything sent so far has left the box or never will: a frame that passes is sent behind it.
    pub fn barrier(&self) {
        let from = self.cable.count();
        let mut last = frames::arp_request();
        last[6..12].copy_from_slice(&CLIENT_MAC);
        last[22..28].copy_from_slice(&CLIENT_MAC);
        last[28..32].copy_from_slice(&(0x0a14_c000 + self.number() % 0x3ffe).to_be_bytes());
        last[38..42].copy_from_slice(&[10, 20, 255, 254]);
        for round in 0..3000 {
            // Again now and then: the cable may just have been plugged in.
            if round % 300 == 0 {
                self.network.send(&last);
            }
            if self.cable.since(from).iter().any(|frame| frame.bytes == last) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing passes the box any more: {}", self.state());
    }

    /// The controllers' TCP connections with this client that are not over: its address and port, and the state.
    pub fn sockets(&self, client: std::net::SocketAddrV4) -> usize {
        let table = self.lab.plc.run(|| std::fs::read_to_string("/proc/thread-self/net/tcp")).expect("the TCP table");
        let address = u32::from_ne_bytes(client.ip().octets());
        let wanted = format!("{address:08X}:{:04X}", client.port());
        // Established, close-wait and the two states before it.
        let alive = |words: &[&str]| words.get(2) == Some(&wanted.as_str()) && matches!(words[3], "01" | "03" | "08");
        table.lines().filter(|line| alive(&line.split_whitespace().collect::<Vec<_>>())).count()
    }
}

/// Nobody has to ask for addresses: the cables carry what the vectors send and the legitimate polling.
fn know_each_other(lab: &Lab) {
    let text = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
    let known = |address: String, mac: [u8; 6]| {
        format!("neigh replace {address} lladdr {} dev {STATION_PORT} nud permanent", text(mac))
    };
    for station in [&lab.hmi, &lab.plc] {
        station.sysctl("ipv6/conf/all/disable_ipv6", "1");
    }
    for server in [LIBMODBUS, TOKIO, SINK] {
        lab.hmi.ip(&known(server.to_string(), PLC_MAC));
    }
    for client in [HMI, HMI_SECOND] {
        lab.plc.ip(&known(client.to_string(), HMI_MAC));
    }
    lab.plc.ip(&known(ROUTER.to_owned(), CLIENT_MAC));
    lab.plc.ip(&format!("route add 10.20.0.0/16 via {ROUTER} dev {STATION_PORT}"));
}

/// The policy, and whether this enforcer knows `segmentation`.
pub(super) fn policy(lab: &Lab) -> (String, bool) {
    let text = |segmentation: &str| {
        let conduit = |name: &str| {
            let on_deny = if name == "drop" { "drop" } else { "reset" };
            let segmentation = if name == "stream" { segmentation } else { "" };
            CONDUIT.replace("NAME", name).replace("ON_DENY", on_deny).replace("SEGMENTATION", segmentation)
        };
        POLICY.to_owned() + &["hmi", "reset", "drop", "stream"].map(conduit).concat()
    };
    let whole = text("segmentation = \"stream\"\n");
    let file = lab.write("check.toml", &whole);
    let check = enforcer::command(&enforcer::current()).arg("check").arg(&file).output().expect("enforcer check");
    if check.status.success() { (whole, true) } else { (text(""), false) }
}

/// Where the raw clients of a zone live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Denied conversations are reset.
    Reset,
    /// What is denied is dropped and nothing more.
    Drop,
    /// Units may come in pieces.
    Stream,
}

impl Zone {
    /// The client of this number in the zone.
    pub fn address(self, number: u32) -> Ipv4Addr {
        let base: u32 = match self {
            Zone::Reset => 0x0a14_0000,
            Zone::Drop => 0x0a14_4000,
            Zone::Stream => 0x0a14_8000,
        };
        Ipv4Addr::from(base + 256 + number % 0x3e00)
    }
}
