//! Whole TCP conversations: a device that answers what it is asked, and a client that repeats, cuts, overlaps and ends as
//! clients do, and as they never do.

use std::collections::VecDeque;

use enforcer_common::port::Side;

use super::dice::Dice;
use super::units;
use super::wire::{self, Below, End, Segment};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 0x10;

/// Window that an end offers when it has room.
const ROOM: u16 = 0x2000;

/// What an end does next.
struct Act {
    by_client: bool,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    window: u16,
    payload: Vec<u8>,
}

/// One conversation.
pub(crate) struct Talk {
    client: End,
    server: End,
    below: Below,
    /// Side of the client.
    side: Side,
    /// Next sequence numbers of client and server, as they see them.
    next: [u32; 2],
    /// What the client sent and the server has not acknowledged.
    flight: Vec<(u32, Vec<u8>)>,
    transaction: u16,
    acts: VecDeque<Act>,
}

impl Talk {
    /// Begins with a handshake, or is met in the middle.
    pub(crate) fn new(dice: &mut Dice, client: End, server: End) -> Self {
        let below = Below { six: dice.once_in(3), tags: dice.one_of(&[0, 0, 0, 1, 2]) };
        let side = if dice.once_in(8) { Side::Device } else { Side::Network };
        // The device's addresses are the device's, whoever begins.
        let (client, server) = if side == Side::Network {
            (client, server)
        } else {
            (End { port: client.port, ..server }, End { port: server.port, ..client })
        };
        let first = if dice.once_in(3) { u32::MAX - dice.long() % 200 } else { dice.long() };
        let mut talk = Self {
            client,
            server,
            below,
            side,
            next: [first, dice.long()],
            flight: Vec::new(),
            transaction: dice.word(),
            acts: VecDeque::new(),
        };
        if !dice.once_in(4) {
            talk.handshake(dice);
        }
        talk
    }

    /// The next frame and the port it enters by.
    pub(crate) fn frame(&mut self, dice: &mut Dice) -> (Side, Vec<u8>) {
        loop {
            if let Some(act) = self.acts.pop_front() {
                return self.make(&act, dice);
            }
            self.plan(dice);
        }
    }

    fn make(&self, act: &Act, dice: &mut Dice) -> (Side, Vec<u8>) {
        let (from, to, side) = if act.by_client {
            (&self.client, &self.server, self.side)
        } else {
            (&self.server, &self.client, self.side.other())
        };
        let Act { sequence, acknowledgement, flags, window, .. } = *act;
        // Now and then a segment wears another tag than the conversation.
        let below = if dice.once_in(60) { Below { tags: 1, ..self.below } } else { self.below };
        let segment = Segment { sequence, acknowledgement, flags, options: 0, window };
        (side, wire::tcp(from, to, below, segment, &act.payload))
    }

    fn act(&mut self, by_client: bool, sequence: u32, flags: u8, payload: Vec<u8>) {
        let acknowledgement = self.next[usize::from(by_client)];
        self.acts.push_back(Act { by_client, sequence, acknowledgement, flags, window: ROOM, payload });
    }

    /// The server acknowledges up to `acknowledgement` and offers `window`.
    fn acknowledge(&mut self, acknowledgement: u32, window: u16) {
        let sequence = self.next[1];
        self.acts.push_back(Act {
            by_client: false,
            sequence,
            acknowledgement,
            flags: ACK,
            window,
            payload: Vec::new(),
        });
    }

    fn handshake(&mut self, dice: &mut Dice) {
        self.flight.clear();
        let [client, server] = self.next;
        self.act(true, client, SYN, Vec::new());
        if dice.once_in(6) {
            self.act(true, client, SYN, Vec::new());
        }
        self.next[0] = client.wrapping_add(1);
        if dice.once_in(12) {
            // It asks with another number before it is answered.
            self.act(true, client.wrapping_add(dice.long() % 100), SYN, Vec::new());
        }
        self.act(false, server, SYN | ACK, Vec::new());
        self.next[1] = server.wrapping_add(1);
        if dice.once_in(8) {
            let _ = self.acts.pop_back();
            self.act(false, server, SYN | ACK, Vec::new());
        }
        if !dice.once_in(8) {
            self.act(true, self.next[0], ACK, Vec::new());
        }
    }

    /// The next bytes of the client.
    fn fresh(&mut self, dice: &mut Dice) -> Vec<u8> {
        let many = dice.one_of(&[1, 1, 1, 2, 3, 12]);
        let mut bytes = Vec::new();
        for _ in 0..many {
            self.transaction = self.transaction.wrapping_add(1);
            let mut unit = units::request(dice);
            if let Some(place) = unit.get_mut(..2) {
                place.copy_from_slice(&self.transaction.to_be_bytes());
            }
            bytes.extend(unit);
        }
        bytes
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let sequence = self.next[0];
        self.act(true, sequence, ACK | PSH, bytes.clone());
        self.next[0] = sequence.wrapping_add(u32::try_from(bytes.len()).expect("short"));
        self.flight.push((sequence, bytes));
    }

    /// The server answers the last unit and acknowledges everything.
    fn answer(&mut self) {
        let asked = self.flight.last().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        let function = asked.get(7).copied().unwrap_or(3);
        let unit = asked.get(6).copied().unwrap_or(1);
        let pdu: &[u8] = if function <= 4 { &[2, 0, 7] } else { &[0, 1, 0, 1] };
        let length = u16::try_from(pdu.len() + 2).expect("short");
        let head = [self.transaction, 0, length].map(u16::to_be_bytes).concat();
        let bytes = [&head[..], &[unit, function], pdu].concat();
        let sequence = self.next[1];
        self.next[1] = sequence.wrapping_add(u32::try_from(bytes.len()).expect("short"));
        // What it acknowledges is what the client sent, not what it is about to.
        let acknowledgement = self.next[0];
        self.acts.push_back(Act {
            by_client: false,
            sequence,
            acknowledgement,
            flags: ACK | PSH,
            window: ROOM,
            payload: bytes,
        });
        self.flight.clear();
    }

    fn plan(&mut self, dice: &mut Dice) {
        let [client, server] = self.next;
        match dice.below(40) {
            0..=13 => {
                let bytes = self.fresh(dice);
                self.send(bytes);
                self.answer();
            }
            14..=17 => {
                let bytes = self.fresh(dice);
                self.send(bytes);
            }
            18..=24 => self.repeat(dice),
            25 => {
                // A gap that is filled, or never.
                let (one, two) = (self.fresh(dice), self.fresh(dice));
                let behind = client.wrapping_add(u32::try_from(one.len()).expect("short"));
                self.act(true, behind, ACK, two.clone());
                if !dice.once_in(4) {
                    self.send(one);
                    self.send(two);
                }
            }
            26 => self.acknowledge(client.wrapping_sub(dice.long() % 20), ROOM),
            27 => {
                let size = dice.index(2);
                let byte = dice.bytes(size);
                self.act(true, client.wrapping_sub(1), ACK, byte);
                self.acknowledge(client, ROOM);
            }
            28 | 29 => self.probe(dice),
            30 => self.cut(dice),
            31 => {
                self.act(true, client, FIN | ACK, Vec::new());
                self.next[0] = client.wrapping_add(1);
                if !dice.once_in(3) {
                    self.act(false, server, FIN | ACK, Vec::new());
                    self.next[1] = server.wrapping_add(1);
                }
            }
            32 => {
                let place = client.wrapping_add(dice.one_of(&[0, 0, 1, u32::MAX, 500]));
                self.act(dice.once_in(2), place, RST, Vec::new());
            }
            33 => {
                let far = dice.long();
                // Asks again on a live conversation: with the old number, one close by, or any.
                self.next[0] = dice.one_of(&[client, client.wrapping_sub(13), client.wrapping_add(400), far]);
                self.handshake(dice);
            }
            34 => {
                let place = dice.one_of(&[client, client.wrapping_add(50)]);
                self.act(true, place, SYN | ACK, Vec::new());
            }
            35 => self.act(false, server.wrapping_add(dice.long() % 3), ACK, vec![0; 5]),
            36 => {
                self.next[0] = client.wrapping_add(dice.long() % 30);
                self.acknowledge(self.next[0], ROOM);
            }
            _ => self.acknowledge(client, ROOM),
        }
    }

    /// Sends again: the same, different, several in one, a part, or with new bytes behind it.
    fn repeat(&mut self, dice: &mut Dice) {
        let Some((sequence, bytes)) = self.flight.get(dice.index(self.flight.len())).cloned() else { return };
        match dice.below(6) {
            0 | 1 => self.act(true, sequence, ACK, bytes),
            2 => {
                let mut other = bytes;
                let at = dice.index(other.len());
                if let Some(byte) = other.get_mut(at) {
                    *byte ^= 1;
                }
                self.act(true, sequence, ACK, other);
            }
            3 => {
                let (first, _) = self.flight[0];
                let all: Vec<u8> = self.flight.iter().flat_map(|(_, bytes)| bytes.clone()).take(1_400).collect();
                self.act(true, first, ACK, all);
            }
            4 => {
                let at = dice.index(bytes.len());
                let (head, tail) = bytes.split_at(at);
                self.act(true, sequence, ACK, head.to_vec());
                self.act(true, sequence.wrapping_add(u32::try_from(at).expect("short")), ACK, tail.to_vec());
            }
            _ => {
                let Some((sequence, bytes)) = self.flight.last().cloned() else { return };
                let more = self.fresh(dice);
                let both = [&bytes[..], &more].concat();
                if both.len() < 1_400 {
                    self.act(true, sequence, ACK, both);
                    self.next[0] = self.next[0].wrapping_add(u32::try_from(more.len()).expect("short"));
                    self.flight.push((sequence.wrapping_add(u32::try_from(bytes.len()).expect("short")), more));
                }
            }
        }
    }

    /// A window of none, one byte to ask, and the rest.
    fn probe(&mut self, dice: &mut Dice) {
        let client = self.next[0];
        self.acknowledge(client, 0);
        let mut bytes = self.fresh(dice);
        let rest = bytes.split_off(1);
        self.send(bytes);
        if dice.once_in(2) {
            self.acknowledge(self.next[0], ROOM);
        }
        self.send(rest);
        self.answer();
    }

    /// A unit in pieces.
    fn cut(&mut self, dice: &mut Dice) {
        let bytes = self.fresh(dice);
        let at = 1 + dice.index(bytes.len() - 1);
        let (head, tail) = bytes.split_at(at);
        self.send(head.to_vec());
        self.send(tail.to_vec());
        self.answer();
    }
}
