//! A sound client over a bad line: all that it asks for arrives in the end.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::environment::Limits;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::verdict::Mode;

use super::guard::{Guard, Setup};
use super::receiver::{Cable, Kind, Receiver};
use super::{Script, Segment, unit};
use crate::support::frames::{ACK, SYN};

const PORT: u16 = 40_000;
/// Longest segment it puts together: not more units than are inspected in one.
const LONGEST: usize = 360;
/// Segments on the way while the mode changes: shadow lets more through than it can remember.
const FLIGHT: usize = 8;
/// Rounds of repetition after which everything must have arrived.
const ROUNDS: usize = 40;

struct World {
    guard: Guard,
    /// First number of the client's stream, and its stream.
    first: u32,
    stream: Vec<u8>,
    /// Where the segments begin that were sent and not acknowledged; how far the device has acknowledged.
    flight: Vec<usize>,
    acknowledged: usize,
    /// The handshake is complete; what the device sends next.
    open: bool,
    theirs: u32,
    /// Between client and box: anything can happen.
    wild: Vec<Segment>,
    toward: Cable,
    from: Cable,
    receiver: Receiver,
    /// The mode changes on the way. Only reads are asked for then: where shadow lost its place, nothing else would pass.
    changing: bool,
}

pub(crate) fn run(script: &mut Script) {
    let mut world = World::new(script);
    while let Some(code) = script.next() {
        world.step(code, script);
    }
    world.finish();
}

impl World {
    fn new(script: &mut Script) -> Self {
        let choice = script.byte();
        let setup =
            Setup { stream: choice & 1 != 0, on_deny: OnDeny::Reset, on_unsynchronised: OnUnsynchronised::Resync };
        let kind =
            Kind { last_wins: choice & 2 != 0, keeps: choice & 4 != 0, careless: false, prompt: true, window: 8_192 };
        let mut guard = Guard::new(setup, if choice & 0x60 == 0x60 { Mode::Shadow } else { Mode::Enforce });
        guard.host.limits =
            Limits { resets: 1, connection_interval: 1_000_000_000, connection_burst: 4, ..guard.host.limits };
        Self {
            guard,
            first: if choice & 8 == 0 { 5_000 } else { 0xffff_fff0 },
            stream: Vec::new(),
            flight: Vec::new(),
            acknowledged: 0,
            open: false,
            theirs: 0,
            wild: Vec::new(),
            toward: Cable::new(),
            from: Cable::new(),
            receiver: Receiver::new(kind, 90_000),
            changing: choice & 0x40 != 0,
        }
    }

    fn step(&mut self, code: u8, script: &mut Script) {
        match code & 0x0f {
            0 | 1 => self.ask(script.byte()),
            2 | 3 => self.arrive(script.byte()),
            4 => self.wild.extend(self.picked(script.byte()).cloned()),
            5 => drop(self.pick(script.byte())),
            6 => self.repeat(script.byte(), script.byte()),
            7 => self.take(),
            8 => drop(self.toward.pop_front()),
            9 => self.acknowledge(),
            10 => self.answer(),
            11 => self.pass(),
            // What the device says is not lost: it would repeat it.
            12 => drop(self.from.pop_front_if(|segment| segment.payload.is_empty())),
            13 => self.guard.host.now += u64::from(script.byte()) * 4_000_000,
            14 if self.changing => self.guard.host.mode = [Mode::Enforce, Mode::Shadow][usize::from(script.byte() & 1)],
            _ => self.repeat(0, 0xff),
        }
    }

    fn pick(&mut self, index: u8) -> Option<Segment> {
        let count = self.wild.len();
        (count != 0).then(|| self.wild.remove(usize::from(index) % count))
    }

    fn picked(&self, index: u8) -> Option<&Segment> {
        self.wild.get(usize::from(index).checked_rem(self.wild.len())?)
    }

    /// Sends up to three units in a segment.
    fn ask(&mut self, choice: u8) {
        if !self.open {
            let sequence = self.first.wrapping_sub(1);
            self.wild.push(Segment { sequence, flags: SYN, window: 8_192, ..Segment::default() });
            return;
        }
        if self.changing && self.flight.len() >= FLIGHT {
            return;
        }
        self.flight.push(self.stream.len());
        let kind = if self.changing { choice & 1 } else { choice & 3 };
        for number in 0..=u16::from(choice >> 6).min(2) {
            self.stream.extend(unit(kind, self.stream.len() as u16 + number));
        }
        let last = self.flight.len() - 1;
        self.repeat(last as u8, 1);
    }

    /// Sends `count` segments in one, from the one with this index on.
    fn repeat(&mut self, index: u8, count: u8) {
        if !self.open {
            return self.ask(0);
        }
        let Some(index) = usize::from(index).checked_rem(self.flight.len()) else {
            return self.send(self.stream.len(), self.stream.len());
        };
        let count = if self.changing { 1 } else { count };
        let begin = self.flight[index];
        let end = |index: usize| self.flight.get(index + 1).copied().unwrap_or(self.stream.len());
        let mut ends = (index..self.flight.len()).take(usize::from(count).max(1)).map(end);
        let end = ends.rfind(|end| end - begin <= LONGEST).unwrap_or(begin);
        // Once put together, they stay together; and the pieces are no longer on the way.
        self.flight.retain(|other| *other <= begin || *other >= end);
        if count > 1 {
            let first = self.first;
            self.wild.retain(|one| {
                let at = one.sequence.wrapping_sub(first) as usize;
                one.flags & SYN != 0 || at.saturating_add(one.payload.len()) <= begin || at >= end
            });
        }
        self.send(begin, end);
    }

    fn send(&mut self, begin: usize, end: usize) {
        let segment = Segment {
            sequence: self.first.wrapping_add(begin as u32),
            acknowledgement: self.theirs,
            flags: ACK,
            window: 8_192,
            payload: self.stream[begin..end].to_vec(),
            ..Segment::default()
        };
        self.wild.push(segment);
    }

    /// A segment reaches the box.
    fn arrive(&mut self, index: u8) {
        let Some(segment) = self.pick(index) else { return };
        let decided = self.guard.judge(Side::Network, PORT, &segment);
        assert_ne!(decided.action, Action::Reset, "{:?}: {segment:?}", decided.reason);
        if decided.action == Action::Forward {
            self.toward.push_back(segment);
        }
    }

    fn take(&mut self) {
        let Some(segment) = self.toward.pop_front() else { return };
        self.receiver.take(&segment, usize::MAX);
        if self.receiver.is_open() {
            self.receiver.offered = None;
        }
        self.from.extend(self.receiver.answer_handshake(70_000));
    }

    fn acknowledge(&mut self) {
        if self.receiver.is_open() {
            let segment = self.receiver.acknowledge(u32::MAX, 8_192);
            self.from.push_back(segment);
        }
    }

    fn answer(&mut self) {
        self.from.extend(self.receiver.answer());
    }

    /// A segment of the device passes the box and reaches the client.
    fn pass(&mut self) {
        let Some(segment) = self.from.pop_front() else { return };
        let decided = self.guard.judge(Side::Device, PORT, &segment);
        assert_eq!(decided.action, Action::Forward, "{:?}: {segment:?}", decided.reason);
        if segment.flags & SYN != 0 && !self.open {
            self.open = true;
            self.theirs = segment.sequence.wrapping_add(1);
            self.send(0, 0);
        }
        let end = segment.sequence.wrapping_add(segment.payload.len() as u32);
        if segment.flags & SYN == 0 && segment.sequence == self.theirs {
            self.theirs = end;
        }
        let acknowledged = segment.acknowledgement.wrapping_sub(self.first) as usize;
        if acknowledged <= self.stream.len() {
            self.acknowledged = self.acknowledged.max(acknowledged);
            let ends: Vec<usize> = self.flight.iter().skip(1).copied().chain([self.stream.len()]).collect();
            let left = self.flight.iter().zip(ends).filter(|(_, end)| *end > self.acknowledged);
            self.flight = left.map(|(begin, _)| (*begin).max(self.acknowledged)).collect();
        }
    }

    /// The line is sound again: the client repeats until everything is acknowledged.
    fn finish(&mut self) {
        self.guard.host.mode = Mode::Enforce;
        for _ in 0..ROUNDS {
            while !self.wild.is_empty() {
                self.arrive(0);
            }
            while !self.toward.is_empty() {
                self.take();
            }
            self.acknowledge();
            while !self.from.is_empty() {
                self.pass();
            }
            if self.open && self.acknowledged == self.stream.len() {
                break;
            }
            self.guard.host.now += 1_000_000_000;
            for index in 0..self.flight.len().max(1) {
                self.repeat(index as u8, 1);
            }
        }
        let delivered: Vec<u8> = self.receiver.delivered().collect();
        assert!(self.open, "the handshake was never completed");
        assert_eq!(delivered, self.stream, "what was asked for did not arrive");
    }
}
