//! A client that does what it likes.

use std::collections::HashMap;

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::environment::{Limits, Trust};
use enforcer_common::flow::distance;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Verdict};

use super::guard::{Guard, Setup};
use super::ledger::Ledger;
use super::receiver::{Cable, Kind, Receiver};
use super::{Script, Segment, unit};
use crate::support::frames::{ACK, FIN, RST, SYN};

/// One conversation: the client's mind, the cables, the device's end, and the book of what went by.
struct Talk {
    port: u16,
    /// Where the client sends next.
    cursor: u32,
    /// What it has queued.
    queue: Vec<u8>,
    /// What it sent last at each number.
    sent: HashMap<u32, u8>,
    /// First number that its last SYN offered.
    offered: u32,
    toward: Cable,
    from: Cable,
    receiver: Receiver,
    ledger: Ledger,
}

struct World {
    guard: Guard,
    talks: Vec<Talk>,
    serial: u64,
    transaction: u16,
    /// The client's next segment has a wrong checksum.
    wrong: bool,
    /// Added to the next segment's acknowledgement.
    astray: u32,
    strangers: u16,
}

pub(crate) fn run(script: &mut Script) {
    let mut world = World::new(script);
    while let Some(code) = script.next() {
        world.step(code, script);
    }
}

impl World {
    fn new(script: &mut Script) -> Self {
        let (policy, kind, limits) = (script.byte(), script.byte(), script.byte());
        let setup = Setup {
            stream: policy & 1 != 0,
            on_deny: if policy & 2 == 0 { OnDeny::Drop } else { OnDeny::Reset },
            on_unsynchronised: match policy >> 2 & 7 {
                0 => OnUnsynchronised::Deny,
                1 => OnUnsynchronised::Reset,
                _ => OnUnsynchronised::Resync,
            },
        };
        let kind = Kind {
            last_wins: kind & 1 != 0,
            keeps: kind & 2 != 0,
            careless: kind & 4 != 0,
            prompt: kind & 0x20 != 0,
            window: [4096, 40, 17, 64][usize::from(kind >> 3 & 3)],
        };
        let mode = if policy & 0xe0 == 0xe0 { Mode::Shadow } else { Mode::Enforce };
        let mut guard = Guard::new(setup, mode);
        guard.host.limits = Limits {
            trust: if limits & 1 == 0 { Trust::Reading } else { Trust::Nothing },
            resets: u32::from(limits >> 1 & 3),
            connection_interval: u64::from(limits >> 3 & 1) * 100_000_000,
            connection_burst: 4,
            ..guard.host.limits
        };
        let first = if limits & 0x10 == 0 { 5_000 } else { 0xffff_fff0 };
        let talk = |port, amid: bool| Talk {
            port,
            cursor: first,
            queue: Vec::new(),
            sent: HashMap::new(),
            offered: first,
            toward: Cable::new(),
            from: Cable::new(),
            receiver: if amid { Receiver::amid(kind, 90_000, first) } else { Receiver::new(kind, 90_000) },
            ledger: Ledger::default(),
        };
        let talks = vec![talk(40_000, limits & 0x20 != 0), talk(40_001, limits & 0x40 != 0)];
        let mut world = Self { guard, talks, serial: 0, transaction: 1, wrong: false, astray: 0, strangers: 0 };
        if limits & 0x80 == 0 && limits & 0x20 == 0 {
            world.handshake(0);
        }
        world
    }

    fn step(&mut self, code: u8, script: &mut Script) {
        let at = usize::from(code >> 7);
        match code & 0x1f {
            0 => self.queue(at, script.byte()),
            1 => self.send_next(at, script.byte()),
            2 => self.send_astray(at, script),
            3 => self.resend(at, script.byte(), script.byte(), None),
            4 => self.resend(at, script.byte(), script.byte(), Some(script.byte())),
            5 => self.control(at, script),
            6 => self.offer(at, script.shift()),
            7 => self.adopt(at),
            8 => self.take(at, script.byte()),
            9 => drop(self.talks[at].toward.pop_front()),
            10 => self.acknowledge(at, script.byte(), script.byte()),
            11 => self.answer(at),
            12 => self.answer_handshake(at, script.shift()),
            13 => self.pass(at),
            14 => self.lose(at),
            15 => self.wait(1 << (script.byte() % 48)),
            16 => self.guard.generation ^= 1,
            17 => self.guard.host.mode = [Mode::Enforce, Mode::Shadow, Mode::Learn][usize::from(script.byte() % 3)],
            18 => self.look_away(),
            19 => self.trust(script.byte()),
            20 => self.wrong = true,
            21 => self.astray = script.shift(),
            22 => self.end(at, script.byte()),
            23 => self.exchange(at, script.byte()),
            24 => self.handshake(at),
            25 => self.stranger(),
            26 => self.queue(at, 0),
            27 => self.send_next(at, 0),
            28 => self.take(at, 0xff),
            29 => self.acknowledge(at, 0xff, 0xff),
            _ => {}
        }
    }

    /// A cable is short, and a device acknowledges what it has, until it is heard.
    fn wait(&mut self, nanoseconds: u64) {
        if nanoseconds > 10_000_000 {
            self.wrong = false;
            for at in 0..self.talks.len() {
                self.drain(at);
                self.talks[at].receiver.offered = None;
                if self.talks[at].receiver.has_heard() {
                    self.acknowledge(at, 0xff, 0xff);
                    self.drain(at);
                }
            }
        }
        self.guard.host.now += nanoseconds;
    }

    fn queue(&mut self, at: usize, kind: u8) {
        self.transaction = self.transaction.wrapping_add(1);
        self.talks[at].queue.extend(unit(kind, self.transaction));
    }

    fn send_next(&mut self, at: usize, length: u8) {
        let talk = &mut self.talks[at];
        let length = if length == 0 { talk.queue.len() } else { talk.queue.len().min(length.into()) };
        let payload: Vec<u8> = talk.queue.drain(..length).collect();
        let sequence = talk.cursor;
        talk.cursor = sequence.wrapping_add(payload.len() as u32);
        self.send(at, Segment { sequence, flags: ACK, payload, ..Segment::default() });
    }

    /// What is queued, in another place.
    fn send_astray(&mut self, at: usize, script: &mut Script) {
        let talk = &mut self.talks[at];
        let length = talk.queue.len().min(script.byte().into());
        let sequence = talk.cursor.wrapping_add(script.shift());
        let payload = talk.queue[..length].to_vec();
        self.send(at, Segment { sequence, flags: ACK, payload, ..Segment::default() });
    }

    /// Bytes from `back` before the cursor on, the queue's behind it; with one of them changed.
    fn resend(&mut self, at: usize, back: u8, length: u8, change: Option<u8>) {
        let talk = &mut self.talks[at];
        let sequence = talk.cursor.wrapping_sub(back.into());
        let old = (0..u32::from(back)).map(|index| talk.sent.get(&sequence.wrapping_add(index)).copied().unwrap_or(0));
        let mut payload: Vec<u8> = old.chain(talk.queue.iter().copied()).take(length.into()).collect();
        let new = payload.len().saturating_sub(back.into());
        talk.queue.drain(..new);
        talk.cursor = talk.cursor.wrapping_add(new as u32);
        if let (Some(change), false) = (change, payload.is_empty()) {
            let place = usize::from(change) % payload.len();
            payload[place] ^= (change >> 4) | 1;
        }
        self.send(at, Segment { sequence, flags: ACK, payload, ..Segment::default() });
    }

    fn control(&mut self, at: usize, script: &mut Script) {
        let (code, shift) = (script.byte(), script.shift());
        let talk = &mut self.talks[at];
        let sequence = talk.cursor.wrapping_add(shift);
        let (flags, payload) = match code & 7 {
            0 => (FIN | ACK, Vec::new()),
            1 => (FIN | ACK, talk.queue.clone()),
            2 => (RST, Vec::new()),
            3 => (ACK, Vec::new()),
            4 => (ACK, vec![0]),
            5 => (SYN | ACK, Vec::new()),
            6 => (0, talk.queue.clone()),
            _ => (SYN, talk.queue.clone()),
        };
        self.send(at, Segment { sequence, flags, payload, ..Segment::default() });
    }

    /// A SYN whose first data number lies `shift` behind the cursor.
    fn offer(&mut self, at: usize, shift: u32) {
        let talk = &mut self.talks[at];
        talk.offered = talk.cursor.wrapping_add(shift);
        let sequence = talk.offered.wrapping_sub(1);
        self.send(at, Segment { sequence, flags: SYN, ..Segment::default() });
    }

    /// Goes on where the last SYN offered.
    fn adopt(&mut self, at: usize) {
        let talk = &mut self.talks[at];
        talk.cursor = talk.offered;
        talk.queue.clear();
    }

    /// From the client through the box to the cable.
    fn send(&mut self, at: usize, mut segment: Segment) {
        let talk = &mut self.talks[at];
        for (index, byte) in (0u32..).zip(&segment.payload) {
            talk.sent.insert(segment.sequence.wrapping_add(index), *byte);
        }
        if segment.flags & ACK != 0 {
            segment.acknowledgement = talk.receiver.own.wrapping_add(self.astray);
        }
        segment.window = 8192;
        segment.wrong = self.wrong;
        (self.wrong, self.astray) = (false, 0);
        let decided = self.guard.judge(Side::Network, talk.port, &segment);
        if decided.action != Action::Forward {
            return;
        }
        self.serial += 1;
        segment.serial = self.serial;
        let denied = decided.reason.verdict() == Verdict::Deny;
        if self.guard.host.mode != Mode::Enforce {
            talk.ledger.let_through(&segment, denied);
        }
        if decided.stateless && distance(segment.sequence, talk.receiver.first) < 0 {
            // Reads of a conversation from before the box came, of which the device has a part already: it takes the rest
            // from the middle of a unit on. `reset` and `deny` let none of them pass.
            talk.ledger.unframed = true;
        }
        if !denied {
            talk.ledger.forwarded(&segment, self.guard.host.now, !decided.stateless, decided.fresh);
        }
        talk.toward.push_back(segment);
    }

    fn take(&mut self, at: usize, most: u8) {
        let talk = &mut self.talks[at];
        if let Some(segment) = talk.toward.pop_front() {
            talk.receiver.take(&segment, if most == 0xff { usize::MAX } else { most.into() });
            talk.ledger.check(&talk.receiver);
        }
    }

    fn acknowledge(&mut self, at: usize, most: u8, window: u8) {
        let talk = &mut self.talks[at];
        if !talk.receiver.is_open() {
            return;
        }
        let most = if most == 0xff { u32::MAX } else { most.into() };
        let segment = talk.receiver.acknowledge(most, u16::from(window) * 32);
        talk.from.push_back(segment);
    }

    fn answer(&mut self, at: usize) {
        let talk = &mut self.talks[at];
        talk.from.extend(talk.receiver.answer());
    }

    fn answer_handshake(&mut self, at: usize, shift: u32) {
        let serial = self.serial + 1;
        let talk = &mut self.talks[at];
        let isn = talk.receiver.own.wrapping_add(shift);
        let serial = talk.toward.front().map_or(serial, |segment| segment.serial);
        if let Some(answer) = talk.receiver.answer_handshake(isn) {
            talk.from.push_back(Segment { serial, ..answer });
        }
    }

    /// The device says FIN or RST.
    fn end(&mut self, at: usize, code: u8) {
        let talk = &mut self.talks[at];
        if !talk.receiver.is_open() {
            return;
        }
        let segment = talk.receiver.acknowledge(0, 8192);
        let flags = if code & 1 == 0 { FIN | ACK } else { RST | ACK };
        if flags & RST != 0 {
            talk.receiver.close();
        }
        talk.from.push_back(Segment { flags, ..segment });
    }

    /// The next segment of the device passes the box.
    fn pass(&mut self, at: usize) {
        let talk = &mut self.talks[at];
        let Some(mut segment) = talk.from.pop_front() else { return };
        // A handshake's answer would be repeated until it comes.
        segment.wrong = self.wrong && segment.flags & SYN == 0;
        self.wrong = false;
        let decided = self.guard.judge(Side::Device, talk.port, &segment);
        if decided.action == Action::Reset {
            // The kernel turns the segment round: the device gets a reset for it.
            talk.receiver.close();
            talk.ledger.ended();
            return;
        }
        if segment.wrong {
            return;
        }
        if segment.flags & RST != 0 {
            talk.ledger.ended();
        } else if segment.flags & SYN != 0 {
            talk.ledger.began(segment.acknowledgement, segment.serial);
        } else if segment.flags & ACK != 0 {
            talk.ledger.heard(segment.acknowledgement, self.guard.host.now);
        }
    }

    /// A segment of the device is lost before the box; its handshakes are not.
    fn lose(&mut self, at: usize) {
        self.talks[at].from.pop_front_if(|segment| segment.flags & SYN == 0);
    }

    /// The box did not see what passed.
    fn look_away(&mut self) {
        self.guard.host.limits.sync += 1;
        for talk in &mut self.talks {
            talk.ledger.unframed = true;
        }
    }

    fn trust(&mut self, code: u8) {
        self.guard.host.limits.trust = if code & 1 == 0 { Trust::Reading } else { Trust::Nothing };
    }

    fn drain(&mut self, at: usize) {
        while !self.talks[at].toward.is_empty() {
            self.take(at, 0xff);
        }
        while !self.talks[at].from.is_empty() {
            self.pass(at);
        }
    }

    /// A whole exchange.
    fn exchange(&mut self, at: usize, kind: u8) {
        self.queue(at, kind & 3);
        self.send_next(at, 0);
        self.drain(at);
        self.answer(at);
        self.acknowledge(at, 0xff, 0xff);
        self.drain(at);
    }

    /// A whole handshake.
    fn handshake(&mut self, at: usize) {
        self.offer(at, 0);
        self.drain(at);
        self.answer_handshake(at, 0x1000);
        self.drain(at);
        self.adopt(at);
        self.send_next(at, 0);
        self.drain(at);
    }

    /// Another conversation of the same device comes and is reset by it.
    fn stranger(&mut self) {
        self.strangers = self.strangers.wrapping_add(1);
        let port = 50_000 + self.strangers % 1_000;
        let segment =
            |flags, sequence, acknowledgement| Segment { flags, sequence, acknowledgement, ..Segment::default() };
        for (side, segment) in [
            (Side::Network, segment(SYN, 100, 0)),
            (Side::Device, segment(SYN | ACK, 200, 101)),
            (Side::Network, segment(ACK, 101, 201)),
            (Side::Device, segment(RST | ACK, 201, 101)),
        ] {
            let _ = self.guard.judge(side, port, &segment);
        }
    }
}
