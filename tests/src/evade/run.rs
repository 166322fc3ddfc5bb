//! Playing the vectors: a fresh field for each class, every vector against whom it is for, and the outcome of each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::field::{Field, Setting};
use super::packet::{ACK, Packet, RST, Spoilt};
use super::scene::Scene;
use super::servers::{LIBMODBUS, PUPPET, SINK, TOKIO};
use super::{Against, CLASSES, Class, Vector, judge};
use crate::lab::PLC_MAC;
use crate::{Crossing, compare};

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
    /// One line for each finding.
    pub notes: Vec<String>,
}

/// Plays what is chosen. `progress` hears about every class.
pub fn run(choice: &Choice, mut progress: impl FnMut(&Tally)) -> Vec<Tally> {
    let mut tallies = Vec::new();
    for class in CLASSES {
        let wanted = |vector: &&Vector| class.name.contains(&choice.words) || vector.name.contains(&choice.words);
        let vectors: Vec<&Vector> = class.vectors.iter().filter(wanted).collect();
        if vectors.is_empty() {
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
        compare::assert_same(&sent, &received);
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
    (vector.play)(&mut scene);
    scene.settle();
    let frames = field.cable.since(from);
    tally.runs += 1;

    let mut leaks = judge::taken(field, server, &scene.promised);
    leaks.extend(judge::carried(&scene, &frames));
    leaks.append(&mut scene.leaks);
    let mut broken = std::mem::take(&mut scene.broken);
    for poller in &field.pollers {
        let alive = poller.wait_for_good(1, Duration::from_secs(2));
        let polled = poller.tally();
        if !alive || polled.errors + polled.reconnects > 0 {
            broken.push(format!("legitimate polling: {polled:?}"));
        }
        poller.reset();
    }
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
        tally.notes.push(format!("LEAK {name}: {}", leaks[0]));
    }
    // What is wholly legitimate must work on a bare cable, or the vector itself is wrong.
    let legitimate = field.setting == Setting::Bare && vector.reasons.is_empty();
    if (judged || legitimate) && !broken.is_empty() {
        tally.broken += 1;
        tally.notes.push(format!("BROKEN {name}: {}", broken.join("; ")));
    }
    if !expected && (judged || field.setting == Setting::Shadow) {
        tally.reasons += 1;
        tally.notes.push(format!("REASON {name}: expected one of {:?}, counted {moved:?}", vector.reasons));
    }
    let promised = std::mem::take(&mut scene.promised);
    close(field, server, promised.keys());
    promised
}

/// Ends what the clients left open: a reset exactly where the device expects the next byte.
fn close<'a>(field: &Field, server: Ipv4Addr, clients: impl Iterator<Item = &'a SocketAddrV4>) {
    let there = SocketAddrV4::new(server, 502);
    let frames = field.cable.since(0);
    for client in clients {
        let last = frames.iter().rev().filter(|frame| frame.outgoing).filter_map(|frame| Packet::parse(&frame.bytes));
        let Some(last) =
            last.into_iter().find(|packet| packet.target == *client && packet.source == there && packet.has(ACK))
        else {
            continue;
        };
        let reset = Packet {
            source_mac: super::field::CLIENT_MAC,
            target_mac: PLC_MAC,
            source: *client,
            target: there,
            sequence: last.acknowledgement,
            acknowledgement: 0,
            flags: RST,
            options: Vec::new(),
            payload: Vec::new(),
            spoilt: Spoilt::Nothing,
            tags: Vec::new(),
            ..last
        };
        field.network.send(&reset.frame());
    }
    field.barrier();
}
