//! A cable that loses, delays, reorders and repeats frames, by a seed; for kernels without netem.
//!
//! Two sockets and a queue per direction in a namespace of their own, spliced into one of the lab's two cables. Frames
//! arrive as they were sent, checksums and tags included, or not at all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Result;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::capture::{self, Direction};
use crate::lab::{self, DEVICE_PORT, NETWORK_PORT, STATION_PORT};
use crate::random::Random;
use crate::{Lab, Namespace, sys};

/// The end of the line that faces the station, once the box's port; the other end is the line's own [`STATION_PORT`].
const FAR: &str = "far";
const FAR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// How long a direction may sleep before it looks whether it is told to end.
const NAP: Duration = Duration::from_millis(20);

/// Which cable is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between the operator station and the box.
    Network,
    /// Between the box and the controller.
    Device,
}

/// How bad, the same in each direction. The parts are of one.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    pub lost: f64,
    /// Held back long enough that every frame of the next `jitter` overtakes it.
    pub reordered: f64,
    pub duplicated: f64,
    /// Each frame is delayed by anything up to this, and may overtake or be overtaken by it.
    pub jitter: Duration,
}

impl Quality {
    /// As bad as a plant's radio link on a bad day.
    pub const BAD: Quality =
        Quality { lost: 0.05, reordered: 0.05, duplicated: 0.02, jitter: Duration::from_millis(20) };
}

/// What became of the frames of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub came: u64,
    pub lost: u64,
    pub reordered: u64,
    pub duplicated: u64,
}

/// A running bad line. It ends when dropped, and then the cable is cut.
pub struct BadLine {
    end: Arc<AtomicBool>,
    ways: Vec<JoinHandle<Result<Carried>>>,
    _link: OwnedFd,
    _namespace: Namespace,
}

impl BadLine {
    /// Puts the line into a cable of the lab, before anything is attached to the box's ports.
    pub fn splice(lab: &Lab, place: Place, quality: Quality, seed: u64) -> BadLine {
        let port = match place {
            Place::Network => NETWORK_PORT,
            Place::Device => DEVICE_PORT,
        };
        let namespace = Namespace::new(format!("{}-line", lab.name()));
        // The line itself must never speak.
        namespace.sysctl("ipv6/conf/default/disable_ipv6", "1");
        lab.cabinet.ip(&format!("link set dev {port} netns {} name {FAR}", namespace.name()));
        namespace.ip(&format!("link set dev {FAR} up"));
        lab::plain(&namespace, FAR);
        let link = lab::plug(&namespace, FAR_MAC, &lab.cabinet, port, 1500);
        let end = Arc::new(AtomicBool::new(false));
        let ways = [(FAR, STATION_PORT, seed), (STATION_PORT, FAR, !seed)];
        let ways = ways.map(|(from, to, seed)| {
            let way = namespace.run(|| Way::open(from, to, quality, seed)).expect("open the line");
            let end = Arc::clone(&end);
            thread::spawn(move || way.carry(&end))
        });
        BadLine { end, ways: ways.into(), _link: link, _namespace: namespace }
    }

    /// Ends the line; what was under way is lost. Returns what it did away from the station, then towards it, and panics
    /// when it did anything that the seed did not ask for.
    pub fn stop(&mut self) -> Vec<Carried> {
        self.end.store(true, Ordering::Relaxed);
        let ways = self.ways.drain(..).map(|way| way.join().expect("the line's thread"));
        ways.map(|carried| carried.expect("the line's sockets")).collect()
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        for way in self.ways.drain(..) {
            let _ = way.join();
        }
    }
}

/// One direction. Frames wait in order of the time they are due; among equals the first goes first.
struct Way {
    input: OwnedFd,
    output: OwnedFd,
    quality: Quality,
    random: Random,
    waiting: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    carried: Carried,
}

impl Way {
    fn open(from: &str, to: &str, quality: Quality, seed: u64) -> Result<Way> {
        Ok(Way {
            input: capture::open(from, Direction::Incoming)?,
            output: sys::packet_socket(sys::interface_index(to)?, 0)?,
            quality,
            random: Random::new(seed),
            waiting: BinaryHeap::new(),
            carried: Carried::default(),
        })
    }

    fn carry(mut self, end: &AtomicBool) -> Result<Carried> {
        let mut buffer = capture::buffer();
        while !end.load(Ordering::Relaxed) {
            let now = Instant::now();
            while let Some(Reverse((due, ..))) = self.waiting.peek()
                && *due <= now
                && let Some(Reverse((_, _, frame))) = self.waiting.pop()
            {
                sys::send(&self.output, &frame)?;
            }
            let due = self.waiting.peek().map_or(NAP, |Reverse((due, ..))| due.saturating_duration_since(now).min(NAP));
            sys::wait_readable(&self.input, due)?;
            while let Some(frame) = capture::read_one(&self.input, &mut buffer)? {
                self.take(frame.bytes);
            }
        }
        capture::dropped(&self.input)?;
        Ok(self.carried)
    }

    /// Decides the fate of a frame. Every frame draws as often, so that the fate of the n-th does not depend on others'.
    fn take(&mut self, frame: Vec<u8>) {
        let [lost, reordered, duplicated, first, second] = std::array::from_fn(|_| self.random.part());
        let Quality { jitter, .. } = self.quality;
        self.carried.came += 1;
        if lost < self.quality.lost {
            self.carried.lost += 1;
            return;
        }
        let mut delay = jitter.mul_f64(first);
        if reordered < self.quality.reordered {
            self.carried.reordered += 1;
            delay = jitter.mul_f64(1.0 + first);
        }
        let now = Instant::now();
        if duplicated < self.quality.duplicated {
            self.carried.duplicated += 1;
            self.waiting.push(Reverse((now + jitter.mul_f64(second), self.carried.came, frame.clone())));
        }
        self.waiting.push(Reverse((now + delay, self.carried.came, frame)));
    }
}
