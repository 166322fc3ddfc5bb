//! Playing the vectors: a fresh field for each class, every vector against whom it is for, and the outcome of each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use super::field::{CLIENT_MAC, Field, Setting};
use super::packet::{ACK, Packet, RST};
use super::scene::Scene;
use super::servers::{LIBMODBUS, PUPPET, SINK, TOKIO};
use super::{Against, CLASSES, Class, Vector, judge};
use crate::lab::PLC_MAC;
use crate::{Crossing, Frame, compare};

/// What to play.
#[derive(Clone, Debug)]
pub struct Choice {
    pub setting: Setting,
    /// Only classes and vectors whose name holds these words.
    pub words: String,
}

/// What came of the vectors of one class in one setting.
#[derive(Clone, Debug)]
pub struct Tally {
    pub class: &'static str,
    pub vectors: usize,
    pub runs: usize,
    /// Runs in which something denied reached the device.
    pub leaked: usize,
    /// Runs in which something legitimate did not work.
    pub broken: usize,
    /// Runs whose expected reason was not counted.
    pub reasons: usize,
    /// In learn and shadow: whether what arrived was not what was sent.
    pub changed: usize,
    /// Runs that were not made because the box does not know what they are about.
    pub skipped: usize,
    /// One line for each finding.
    pub notes: Vec<String>,
}

/// Plays what is chosen. `progress` hears about every class.
pub fn run(choice: &Choice, mut progress: impl FnMut(&Tally)) -> Vec<Tally> {
    let mut tallies = Vec::new();
    for class in CLASSES {
        let wanted = |vector: &&Vector| class.name.contains(&choice.words) || vector.name.contains(&choice.words);
        let vectors: Vec<&Vector> = class.vectors.iter().filter(wanted).collect();
        // What changes the box needs one, and changes it into what it is to be.
        if vectors.is_empty() || class.only_enforce && choice.setting != Setting::Enforce {
            continue;
        }
        let tally = play_class(class, &vectors, choice.setting);
        progress(&tally);
        tallies.push(tally);
    }
    tallies
}

fn play_class(class: &'static Class, vectors: &[&Vector], setting: Setting) -> Tally {
    // Frames larger than usual are among what is tried.
    let mtu = if class.name == "link" { 9000 } else { 1500 };
    let field = Field::start(setting, mtu);
    let untouched = matches!(setting, Setting::Shadow | Setting::Learn);
    let crossing = untouched.then(|| Crossing::start(&field.lab.hmi, &field.lab.plc));
    let mut tally = Tally {
        class: class.name,
        vectors: vectors.len(),
        runs: 0,
        leaked: 0,
        broken: 0,
        reasons: 0,
        changed: 0,
        skipped: 0,
        notes: Vec::new(),
    };
    let mut promised = Vec::new();
    for vector in vectors {
        let servers: &[Ipv4Addr] = match vector.against {
            Against::Servers => &[LIBMODBUS, TOKIO, SINK],
            Against::Puppet => &[PUPPET],
            Against::Cable => &[LIBMODBUS],
        };
        for server in servers {
            let name = format!("{}: {} ({server})", class.name, vector.name);
            promised.push((name.clone(), *server, play(&field, vector, *server, &name, &mut tally)));
        }
    }
    if setting == Setting::Enforce {
        // What a server did late, after it had waited for more.
        std::thread::sleep(Duration::from_millis(700));
        for (name, server, promised) in &promised {
            for leak in judge::taken(&field, *server, promised) {
                if !tally.notes.iter().any(|note| note.starts_with(&format!("LEAK {name}"))) {
                    tally.leaked += 1;
                    tally.notes.push(format!("LEAK {name}: late: {leak}"));
                }
            }
        }
    }
    if let Some(crossing) = crossing {
        let (sent, received) = crossing.stop();
        if let Some(difference) = compare::difference(&sent, &received) {
            tally.changed += 1;
            tally.notes.push(format!("CHANGED {}: {difference}", class.name));
        }
    }
    tally
}

/// Plays one vector against one server and adds its outcome. Returns what the server may have taken.
fn play(
    field: &Field,
    vector: &Vector,
    server: Ipv4Addr,
    name: &str,
    tally: &mut Tally,
) -> BTreeMap<SocketAddrV4, Vec<u8>> {
    let (from, before) = (field.cable.count(), field.reasons());
    let mut scene = Scene::new(field, server);
    // One that fails halfway is a finding, and the others are still to be played.
    if std::panic::catch_unwind(AssertUnwindSafe(|| (vector.play)(&mut scene))).is_err() {
        scene.broken("the vector could not be played to its end");
    }
    scene.settle();
    if scene.skipped {
        tally.skipped += 1;
        return BTreeMap::new();
    }
    let frames = field.cable.since(from);
    tally.runs += 1;

    let mut leaks = judge::taken(field, server, &scene.promised);
    leaks.extend(judge::carried(&scene, &frames));
    leaks.append(&mut scene.leaks);
    let mut broken = std::mem::take(&mut scene.broken);
    for poller in &field.pollers {
        // One whose connection was cut off waits for an answer first, and then makes a new one.
        let alive = poller.wait_for_good(1, Duration::from_secs(6));
        let polled = poller.tally();
        if !alive || !scene.interrupts && polled.errors + polled.reconnects > 0 {
            broken.push(format!("legitimate polling: {polled:?}"));
        }
        poller.reset();
    }
    let before = scene.recounted.take().unwrap_or(before);
    let after = field.reasons();
    let moved: Vec<&String> =
        after.iter().filter(|(key, count)| before.get(*key) != Some(count)).map(|(key, _)| key).collect();
    let expected =
        vector.reasons.is_empty() || vector.reasons.iter().any(|reason| moved.iter().any(|key| key == reason));

    // On a bare cable only what would have reached the device is of interest; in learn and shadow only that nothing
    // was changed, and in shadow the reasons.
    let judged = field.setting == Setting::Enforce;
    if !leaks.is_empty() && (judged || field.setting == Setting::Bare) {
        tally.leaked += 1;
        tally.notes.push(format!("LEAK {name}: {}", leaks.join(" AND ")));
    }
    // What is wholly legitimate must work on a bare cable, or the vector itself is wrong.
    let legitimate = field.setting == Setting::Bare && vector.reasons.is_empty();
    if (judged || legitimate) && !broken.is_empty() {
        tally.broken += 1;
        tally.notes.push(format!("BROKEN {name}: {}; counted meanwhile {moved:?}", broken.join("; ")));
    }
    // Where nobody is reset, nobody is held for it.
    let follows = vector.reasons.iter().all(|reason| *reason == "held_after_resets");
    if !expected && (judged || field.setting == Setting::Shadow && !follows) {
        tally.reasons += 1;
        tally.notes.push(format!("REASON {name}: expected one of {:?}, counted {moved:?}", vector.reasons));
    }
    let promised = std::mem::take(&mut scene.promised);
    close(field, server, &promised, &frames);
    promised
}

/// Ends what the clients left open: a reset exactly where the device expects the next byte.
fn close(field: &Field, server: Ipv4Addr, clients: &BTreeMap<SocketAddrV4, Vec<u8>>, frames: &[Frame]) {
    let there = SocketAddrV4::new(server, 502);
    let said = frames.iter().filter(|frame| frame.outgoing).filter_map(|frame| Packet::parse(&frame.bytes));
    let last: BTreeMap<SocketAddrV4, Packet> = said
        .filter(|packet| packet.source == there && packet.has(ACK) && clients.contains_key(&packet.target))
        .map(|packet| (packet.target, packet))
        .collect();
    for (client, last) in last.into_iter().filter(|(_, last)| !last.has(RST)) {
        let reset = Packet {
            source_mac: CLIENT_MAC,
            target_mac: PLC_MAC,
            source: client,
            target: there,
            sequence: last.acknowledgement,
            acknowledgement: 0,
            flags: RST,
            options: Vec::new(),
            payload: Vec::new(),
            ..last
        };
        field.network.send(&reset.frame());
    }
    field.barrier();
    field.network.clear();
    field.device.clear();
}
