//! Floods: whoever polls over a connection that is there must not notice, and whoever comes new must still get in.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::current;
use enforcer_tests::flood::{Load, Sent, spoofed};
use enforcer_tests::frames::{Flags, Segment, modbus, read_holding};
use enforcer_tests::lab::{HMI, HMI_MAC, HMI_SECOND, PLC, STATION_PORT};
use enforcer_tests::poller::{Plan, Poller};
use enforcer_tests::{Capture, Client, Direction, Enforcer, Flood, Frame, Lab, Server, Tally, say};
use serde_json::Value;

const POLICY: &str = r#"[policy]
name = "flooded"
revision = 1
default = "deny"

[zones]
hmi   = ["10.10.1.20-10.10.1.47"]
press = ["10.10.2.5"]

[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }

[[ethernet]]
types  = ["arp"]
action = "allow"

[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"

  [[conduits.rules]]
  name      = "poll"
  functions = ["@read"]
  objects   = ["holding:0-99"]
  action    = "allow"
"#;

/// Addresses inside the zone that no station has: nobody there answers a SYN-ACK, not even by a reset.
const NOBODY: std::ops::Range<u8> = 32..48;
/// Every so many spoofed SYNs come from inside the zone.
const INSIDE: u64 = 16;
/// Conversations that a table may hold of a flood in which none ever was one.
const FEW: u64 = 1000;
/// How soon after a flood a new connection must be possible.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn spoofed_syns_disturb_no_polling_and_reach_the_device_only_as_the_policy_lets_them() {
    let plant = Plant::new();
    let asked = std::env::var("FLOOD_SECONDS").map(|text| text.parse().expect("FLOOD_SECONDS is a number"));
    let seconds = asked.unwrap_or(10).min(60);
    let (per_second, limit) = (100_000, Duration::from_secs(seconds));
    let load = Load { frames: u64::from(per_second) * seconds, per_second, limit };
    if seconds < 60 {
        say!("{seconds} of 60 seconds; FLOOD_SECONDS=60 runs the whole minute");
    }
    let (sent, syns) = plant.endure(&syn(), load, spoofed(7, nobody(), INSIDE));
    let (inside, refused) = (sent.frames.div_ceil(INSIDE), plant.moved("connection_rate"));
    let (ours, others): (Vec<Ipv4Addr>, Vec<_>) = syns.into_iter().partition(|address| nobody().contains(address));
    say!("SYNs that reached the device: {} of {inside} from inside, {} from elsewhere", ours.len(), others.len());
    plant.was_not_disturbed();
    plant.takes_new_connections();
    let state = plant.state();
    assert!(others.is_empty(), "{:?}\n{state}", &others[..others.len().min(20)]);
    assert!(refused > 0, "nothing limited {inside} SYNs of {} stations\n{state}", nobody().len());
    // Some of those denied may be of the connections tried meanwhile: five a second, of at most three SYNs each.
    let most = (inside + 15 * seconds).saturating_sub(refused);
    assert!(ours.len() as u64 <= most, "{refused} were denied\n{state}");
}

#[test]
fn half_open_connections_keep_nobody_out() {
    let plant = Plant::new();
    let load = Load { frames: 20_000, per_second: 5000, limit: Duration::from_secs(10) };
    let source = nobody()[0];
    let (_, syns) = plant.endure(&syn(), load, move |number| (source, 2000 + number as u16));
    say!("SYNs that reached the device: {}", syns.len());
    plant.was_not_disturbed();
    plant.takes_new_connections();
}

#[test]
fn segments_of_no_conversation_fill_nothing() {
    let plant = Plant::new();
    let load = Load { frames: 100_000, per_second: 20_000, limit: Duration::from_secs(10) };
    let read = Segment::to_plc(40_000, 1_000_000, 2_000_000, &modbus(1, 1, &read_holding(0, 10)));
    plant.endure(&read, load, spoofed(9, nobody()[..1].to_vec(), 1));
    let flows = plant.flows();
    plant.was_not_disturbed();
    plant.takes_new_connections();
    assert!(flows < FEW, "{flows} conversations, none of which is one\n{}", plant.state());
}

/// One flood at a time: two would share the processors and prove half as much.
static TURN: Mutex<()> = Mutex::new(());

/// A box in enforce with a controller behind it that several stations poll.
struct Plant {
    pollers: Vec<Poller>,
    before: Value,
    enforcer: Enforcer,
    _server: Server,
    lab: Lab,
    _turn: MutexGuard<'static, ()>,
}

impl Plant {
    fn new() -> Plant {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let lab = Lab::new();
        // The controller answers nobody's SYNs too, and waits for no address resolution before it does.
        let mac = HMI_MAC.map(|byte| format!("{byte:02x}")).join(":");
        for address in nobody() {
            lab.plc.ip(&format!("neigh replace {address} lladdr {mac} dev {STATION_PORT} nud permanent"));
        }
        let server = Server::start(&lab.plc);
        let enforcer = Enforcer::start(&lab, &current(), POLICY, "enforce").expect("the enforcer starts");
        let poll = |source: Ipv4Addr| {
            let every = Duration::from_millis(5);
            let plan = Plan { source: source.into(), server: PLC.into(), first: 0, count: 10, every };
            Poller::start(&lab.hmi, plan)
        };
        let pollers: Vec<Poller> = [HMI, HMI, HMI_SECOND, HMI_SECOND].map(poll).into();
        let mut plant = Plant { pollers, before: Value::Null, enforcer, _server: server, lab, _turn: turn };
        for poller in &plant.pollers {
            assert!(poller.wait_for_good(20, SOON), "{:?}\n{}", poller.tally(), plant.state());
            poller.reset();
        }
        plant.before = plant.status();
        plant
    }

    /// Lets a flood pass by, trying new connections meanwhile, and tells how it went. Returns what was sent, and the
    /// senders of the SYNs that reached the device, but for the stations that there are.
    fn endure(
        &self,
        model: &Segment,
        load: Load,
        vary: impl FnMut(u64) -> (Ipv4Addr, u16) + Send + 'static,
    ) -> (Sent, Vec<Ipv4Addr>) {
        let capture = Capture::start(&self.lab.plc, STATION_PORT, Direction::Incoming);
        let flood = Flood::start(&self.lab.hmi, STATION_PORT, model, load, vary);
        let (mut tries, mut made) = (0, 0);
        while !flood.is_over() {
            std::thread::sleep(Duration::from_millis(200));
            tries += 1;
            made += u32::from(self.new_connection().is_ok());
        }
        let sent = flood.join();
        let status = self.status();
        say!(
            "sent {} frames in {:.1} s: {:.0} a second of the {} asked for; {} found no room on the cable",
            sent.frames,
            sent.took.as_secs_f64(),
            sent.rate(),
            load.per_second,
            sent.refused,
        );
        say!("new connections meanwhile: {made} of {tries}; flows after: {}", status["flows"]);
        for (reason, _) in status["reasons"].as_object().into_iter().flatten() {
            say!("  {reason}: {}", self.moved(reason));
        }
        for Tally { good, errors, reconnects, longest_gap, .. } in self.pollers.iter().map(Poller::tally) {
            let gap = longest_gap.as_millis();
            say!("  polling: {good} answers, {errors} errors, {reconnects} reconnects, longest gap {gap} ms");
        }
        assert!(sent.rate() > f64::from(load.per_second) / 10.0, "{sent:?} is no flood of {load:?}");
        let mut syns: Vec<_> = capture.stop().iter().filter_map(sender_of_syn).collect();
        syns.retain(|sender| ![HMI, HMI_SECOND].contains(sender));
        (sent, syns)
    }

    fn new_connection(&self) -> Result<(), String> {
        let mut client = Client::connect(&self.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
        client.read_holding(0, 10).map(|_| ()).map_err(|failure| failure.to_string())
    }

    fn takes_new_connections(&self) {
        let start = Instant::now();
        while let Err(error) = self.new_connection() {
            assert!(start.elapsed() < SOON, "no new connection after the flood: {error}\n{}", self.state());
        }
        say!("a new connection took {} ms after the flood", start.elapsed().as_millis());
    }

    fn was_not_disturbed(&self) {
        for tally in self.pollers.iter().map(Poller::tally) {
            assert_eq!((tally.errors, tally.reconnects), (0, 0), "{tally:?}\n{}", self.state());
        }
        let status = self.status();
        assert_eq!(status["lost"]["flows"], self.before["lost"]["flows"], "conversations found no room\n{status:#}");
    }

    /// By how much a reason's counter moved since the plant stood.
    fn moved(&self, reason: &str) -> u64 {
        let count = |status: &Value| status["reasons"][reason].as_u64().unwrap_or_default();
        count(&self.status()) - count(&self.before)
    }

    /// Conversations in the table, whatever is known of them.
    fn flows(&self) -> u64 {
        let status = self.status();
        status["flows"].as_object().expect("flows").values().filter_map(Value::as_u64).sum()
    }

    fn status(&self) -> Value {
        self.enforcer.status().unwrap_or_else(|error| panic!("{error}"))
    }

    fn state(&self) -> String {
        format!("{:#}", self.status())
    }
}

fn nobody() -> Vec<Ipv4Addr> {
    NOBODY.map(|last| Ipv4Addr::new(10, 10, 1, last)).collect()
}

fn syn() -> Segment {
    Segment { flags: Flags { syn: true, ..Flags::default() }, ..Segment::to_plc(1, 1_000_000, 0, &[]) }
}

/// Who sent the frame, when it is an untagged IPv4 TCP SYN.
fn sender_of_syn(frame: &Frame) -> Option<Ipv4Addr> {
    let bytes = &frame.bytes;
    let is_tcp = bytes.get(12..14)? == [8, 0] && bytes.get(23) == Some(&6);
    let is_syn = bytes.get(47)? & 0x12 == 0x02;
    let address: [u8; 4] = bytes.get(26..30)?.try_into().ok()?;
    (is_tcp && is_syn).then(|| address.into())
}
