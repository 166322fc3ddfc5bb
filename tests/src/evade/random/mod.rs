//! Random mutations by the hundred thousand: cuts, copies, other orders, overlaps with other bytes, flipped bits, wrong
//! checksums, and a device that loses and trims. Whatever comes together, the servers must only take what policy allows,
//! and the cable must never carry two values for one place.

mod dice;
mod line;

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dice::Dice;
use line::Line;

use super::field::{Field, Setting, Zone};
use super::judge::Watch;
use super::operation::{Operation, units};
use super::scene::Scene;
use super::servers::{Heard, LIBMODBUS, SINK, TOKIO};

/// Clients at each server at a time.
const CLIENTS: usize = 6;
/// Honest repetitions without an acknowledgement after which a client gives up and connects anew.
const GIVES_UP: usize = 40;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub seed: u64,
    pub mutations: usize,
    /// Conversations, of which those that were reset or went nowhere were followed by another.
    pub conversations: usize,
    /// Allowed requests that the servers took, so that it is seen that the runs do get through.
    pub taken: usize,
    pub leaks: Vec<String>,
    pub broken: Vec<String>,
}

/// The seed of `EVADE_SEED`, or one of the time.
pub fn seed() -> u64 {
    let given = std::env::var("EVADE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64 % 1_000_000_000)
    })
}

/// How many: `EVADE_MUTATIONS`, or the hundred thousand that a run has at least.
pub fn mutations() -> usize {
    std::env::var("EVADE_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

/// Plays so many mutations against the servers with the box in enforce.
pub fn run(seed: u64, mutations: usize) -> Outcome {
    let field = Field::start(Setting::Enforce, 1500);
    let mut dice = Dice::new(seed);
    let mut outcome = Outcome { seed, mutations, ..Outcome::default() };
    let mut watch = Watch::default();
    let mut scenes = [LIBMODBUS, TOKIO, SINK].map(|server| Scene::new(&field, server));
    let mut lines: Vec<(usize, Option<Line<'_>>)> = (0..scenes.len() * CLIENTS).map(|n| (n % 3, None)).collect();

    let mut done = 0;
    let mut round = 0_u64;
    while done < mutations {
        round += 1;
        for (server, line) in &mut lines {
            let current = line.take_if(|line| line.client.reset || line.client.closed || line.waits > GIVES_UP);
            if let Some(left) = current {
                field.network.forget(left.client.here);
            }
            let line = line.get_or_insert_with(|| {
                outcome.conversations += 1;
                connect(&mut scenes[*server], &mut dice)
            });
            line.step(&mut dice);
            done += 1;
            while line.client.receive(Duration::ZERO).is_some() {}
            line.follow();
            if round.is_multiple_of(4) {
                line.repeat();
            }
        }
        // The servers get a moment, on a machine with few processors.
        std::thread::sleep(Duration::from_micros(300));
        if round.is_multiple_of(200) {
            outcome.leaks.extend(field.cable.drain().iter().filter_map(|frame| watch.see(frame)));
        }
    }
    field.barrier();
    std::thread::sleep(Duration::from_millis(700));
    outcome.leaks.extend(field.cable.drain().iter().filter_map(|frame| watch.see(frame)));
    for scene in &mut scenes {
        outcome.broken.append(&mut scene.broken);
        taken(&field, scene, &mut outcome);
    }
    registers(&field, &mut outcome);
    for poller in &field.pollers {
        let alive = poller.wait_for_good(3, Duration::from_secs(3));
        let tally = poller.tally();
        if !alive || tally.errors + tally.reconnects > 0 {
            outcome.broken.push(format!("legitimate polling: {tally:?}"));
        }
    }
    outcome
}

/// A new client; where a denial resets it, it will be followed by another soon.
fn connect<'field>(scene: &mut Scene<'field>, dice: &mut Dice) -> Line<'field> {
    let zone = if dice.once_in(8) { Zone::Reset } else { Zone::Drop };
    let mut client = scene.stranger(zone, dice.number() as u32);
    if !client.open() {
        scene.broken(format!("a new client cannot connect: {}", client.here));
    }
    Line::new(client)
}

/// Every unit that a server took must be one that policy allows, in the shape that the standard gives it.
fn taken(field: &Field, scene: &Scene<'_>, outcome: &mut Outcome) {
    for client in scene.promised.keys() {
        let (operations, whole) = match field.servers.heard(scene.server, *client) {
            Heard::Operations(list) => (list, true),
            Heard::Units(list) => {
                let plain = list.iter().all(|unit| unit.get(2..4) == Some(&[0, 0]));
                (list.iter().map(|unit| Operation::read(unit.get(7..).unwrap_or_default())).collect(), plain)
            }
            Heard::Bytes(bytes) => {
                let list = units(&bytes);
                let plain = list.iter().all(|unit| unit.get(2..4) == Some(&[0, 0]));
                (list.iter().map(|unit| Operation::read(unit.get(7..).unwrap_or_default())).collect(), plain)
            }
        };
        if !whole {
            outcome.leaks.push(format!("{} took a unit of another protocol from {client}", scene.server));
        }
        for operation in operations {
            outcome.taken += 1;
            if !operation.allowed() {
                outcome.leaks.push(format!("{} took {operation:?} from {client}", scene.server));
            }
        }
    }
}

/// What the policy does not allow to be written holds what it held.
fn registers(field: &Field, outcome: &mut Outcome) {
    let mut look = |server: Ipv4Addr, number: usize| {
        let value = usize::from(field.servers.register(server, number));
        let good = if (40..48).contains(&number) { value <= 1000 } else { value == number };
        if !good {
            outcome.leaks.push(format!("register {number} of {server} holds {value}"));
        }
    };
    for number in 0..crate::server::SIZE {
        look(LIBMODBUS, number);
        look(TOKIO, number);
    }
}
