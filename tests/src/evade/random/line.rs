//! One client that says its requests and, between them, everything that comes to its mind.

use std::collections::VecDeque;

use super::dice::Dice;
use crate::evade::engine::{Conversation, reached};
use crate::evade::filter::{LOST, trimmed};
use crate::evade::packet::{ACK, PSH, Packet, RST, SYN, Spoilt, URG};
use crate::frames::{modbus, read_holding, write_multiple, write_single};

/// Segments said and not yet acknowledged.
const WINDOW: usize = 8;

pub(super) struct Line<'field> {
    pub(super) client: Conversation<'field>,
    /// What the client means to say: the segments that the device has not acknowledged.
    open: VecDeque<(u32, Vec<u8>)>,
    transaction: u16,
    /// Honest repetitions since the device acknowledged something new.
    pub(super) waits: usize,
}

impl<'field> Line<'field> {
    pub(super) fn new(client: Conversation<'field>) -> Line<'field> {
        Line { client, open: VecDeque::new(), transaction: 0, waits: 0 }
    }

    /// Follows what the device has acknowledged.
    pub(super) fn follow(&mut self) {
        let acknowledged = self.client.acknowledged;
        while let Some((at, bytes)) = self.open.front()
            && reached(acknowledged, at.wrapping_add(bytes.len() as u32))
        {
            self.open.pop_front();
            self.waits = 0;
        }
        if reached(acknowledged, self.client.next) && acknowledged != self.client.next {
            // The box let other bytes pass first, and the device took them.
            self.client.next = acknowledged;
            self.open.clear();
            self.waits = 0;
        }
    }

    /// Says again what is not acknowledged, in the pieces it was said in, as a TCP would.
    pub(super) fn repeat(&mut self) {
        self.waits += 1;
        if let Some((at, bytes)) = self.open.front() {
            self.client.send(&Packet { sequence: *at, ..self.client.packet(bytes) });
        }
    }

    fn allowed(&mut self, dice: &mut Dice) -> Vec<u8> {
        self.transaction = self.transaction.wrapping_add(1);
        let value = dice.below(1001) as u16;
        let pdu = match dice.below(4) {
            0 => write_single(40 + dice.below(8) as u16, value),
            1 => {
                // The values of a write may be a denied write when they are read from another place.
                let values = [value, self.transaction % 1000, 0, 6, 0x0106, 50, 77, 7];
                write_multiple(40, &values[..=dice.below(8)])
            }
            _ => read_holding(dice.below(50) as u16, 1 + dice.below(10) as u16),
        };
        modbus(self.transaction, 1, &pdu)
    }

    fn denied(&mut self, dice: &mut Dice) -> Vec<u8> {
        self.transaction = self.transaction.wrapping_add(1);
        let pdu = match dice.below(6) {
            0 => write_single(40 + dice.below(8) as u16, 1001 + dice.below(60_000) as u16),
            1 => write_multiple(44, &[7; 5]),
            2 => vec![5, 0, 40, 0xff, 0],
            3 => read_holding(95, 10),
            4 => read_holding(0, 126),
            _ => write_single(50 + dice.below(500) as u16, 7),
        };
        let mut unit = modbus(self.transaction, 1, &pdu);
        match dice.below(12) {
            0 => unit[2] = 0x12,
            1 => unit[5] = unit[5].wrapping_add(12),
            _ => {}
        }
        unit
    }

    /// One or several allowed units.
    fn units(&mut self, dice: &mut Dice) -> Vec<u8> {
        (0..=dice.below(3)).flat_map(|_| self.allowed(dice)).collect()
    }

    /// Now and then the device loses the segment or takes only a part of it.
    fn with_loss(packet: Packet, dice: &mut Dice) -> Packet {
        let id = match dice.below(8) {
            0 => LOST,
            1 if (2..=56).contains(&packet.payload.len()) => trimmed(1 + dice.below(packet.payload.len() - 1) as u8),
            _ => 0,
        };
        Packet { id, ..packet }
    }

    /// Says bytes as the next of the stream.
    fn say(&mut self, bytes: Vec<u8>, dice: &mut Dice) {
        let packet = Self::with_loss(self.client.packet(&bytes), dice);
        self.client.send(&packet);
        self.open.push_back((self.client.next, bytes));
        self.client.next = packet.end();
    }

    /// A random segment that is open, or none.
    fn one_open(&self, dice: &mut Dice) -> Option<(u32, Vec<u8>)> {
        (!self.open.is_empty()).then(|| self.open[dice.below(self.open.len())].clone())
    }

    /// Everything that is open, in one piece.
    fn all_open(&self) -> Option<(u32, Vec<u8>)> {
        let at = self.open.front()?.0;
        Some((at, self.open.iter().flat_map(|(_, bytes)| bytes.clone()).collect()))
    }

    fn send_at(&self, at: u32, bytes: &[u8], dice: &mut Dice) {
        let packet = Packet { sequence: at, ..self.client.packet(bytes) };
        self.client.send(&Self::with_loss(packet, dice));
    }

    /// Does one thing. Some say what they should, most say what they should not.
    pub(super) fn step(&mut self, dice: &mut Dice) {
        let next = self.client.next;
        match dice.below(20) {
            0..=3 if self.open.len() < WINDOW => {
                let units = self.units(dice);
                self.say(units, dice);
            }
            4 => self.spoilt(dice),
            5 => {
                let denied = self.denied(dice);
                self.send_at(next, &denied, dice);
            }
            6 => {
                let both = [self.units(dice), self.denied(dice)].concat();
                self.send_at(next, &both, dice);
            }
            7 => self.changed(dice),
            8 => {
                let unit = if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) };
                self.send_at(next.wrapping_add(1 + dice.below(40) as u32), &unit, dice);
            }
            9 => self.overlap(dice),
            10 => self.cut(dice),
            11 => {
                if let Some((at, bytes)) = self.all_open() {
                    self.send_at(at, &bytes[..bytes.len().min(1400)], dice);
                }
            }
            12 => {
                // What is open and something new in one segment.
                if let Some((at, mut bytes)) = self.all_open().filter(|(_, bytes)| bytes.len() < 1000) {
                    let more = if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) };
                    if dice.once_in(3) {
                        let place = dice.below(bytes.len());
                        bytes[place] ^= 1 << dice.below(8);
                    }
                    bytes.extend(more);
                    self.send_at(at, &bytes, dice);
                }
            }
            13 => self.flags(dice),
            14 => {
                let tags = vec![(dice.pick(&[0x8100, 0x88a8]), dice.pick(&[0, 0, 5]))];
                let (at, bytes) = self.one_open(dice).unwrap_or((next, self.denied(dice)));
                let bytes = if dice.once_in(2) { self.same_length(&bytes, dice) } else { bytes };
                self.client.send(&Packet { sequence: at, tags, ..self.client.packet(&bytes) });
            }
            15 => {
                // A bit anywhere in the frame, checksums as they were.
                let unit = if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) };
                let mut frame = self.client.packet(&unit).frame();
                let place = 12 + dice.below(frame.len() - 12);
                frame[place] ^= 1 << dice.below(8);
                self.client.send_frame(&frame);
            }
            16 => {
                let unit = self.denied(dice);
                for frame in self.client.packet(&unit).fragments(8 * (1 + dice.below(3))) {
                    if !dice.once_in(4) {
                        self.client.send_frame(&frame);
                    }
                }
            }
            17 => {
                let options = match dice.below(3) {
                    0 => vec![30, 4, 1, 2],
                    1 => vec![8, 0, 1, 1],
                    _ => vec![1; 4 * (1 + dice.below(10))],
                };
                let unit = self.denied(dice);
                self.client.send(&Packet { options, ..self.client.packet(&unit) });
            }
            _ => {
                if let Some((at, bytes)) = self.one_open(dice) {
                    self.send_at(at, &bytes, dice);
                }
            }
        }
    }

    fn spoilt(&mut self, dice: &mut Dice) {
        let unit = if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) };
        let spoilt = match dice.below(4) {
            0 => Spoilt::NetworkChecksum,
            1 => Spoilt::DataOffset(dice.below(16) as u8),
            2 => Spoilt::TotalLength(dice.below(40) as i16 - 20),
            _ => Spoilt::TransportChecksum,
        };
        self.client.send(&Packet { spoilt, ..self.client.packet(&unit) });
    }

    /// Other bytes of the same length, framed otherwise where there is room.
    fn same_length(&mut self, bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
        let mut other = Vec::new();
        while other.len() < bytes.len() {
            other.extend(if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) });
        }
        other.truncate(bytes.len());
        other
    }

    /// What is open, said again with other contents.
    fn changed(&mut self, dice: &mut Dice) {
        let Some((at, mut bytes)) = self.one_open(dice) else { return };
        if dice.once_in(2) {
            let place = dice.below(bytes.len());
            bytes[place] ^= 1 << dice.below(8);
        } else {
            bytes = self.same_length(&bytes, dice);
        }
        self.send_at(at, &bytes, dice);
    }

    /// A piece of what is open, from anywhere to anywhere, true or not.
    fn overlap(&mut self, dice: &mut Dice) {
        let Some((at, bytes)) = self.all_open() else { return };
        let from = dice.below(bytes.len());
        let to = from + 1 + dice.below((bytes.len() - from).min(1400));
        let piece = if dice.once_in(2) { bytes[from..to].to_vec() } else { self.same_length(&bytes[from..to], dice) };
        self.send_at(at.wrapping_add(from as u32), &piece, dice);
    }

    /// A new unit in two pieces, in one order or the other.
    fn cut(&mut self, dice: &mut Dice) {
        let unit = if dice.once_in(2) { self.allowed(dice) } else { self.denied(dice) };
        let at = 1 + dice.below(unit.len() - 1);
        let next = self.client.next;
        let pieces = [(next, &unit[..at]), (next.wrapping_add(at as u32), &unit[at..])];
        let order = if dice.once_in(2) { [0, 1] } else { [1, 0] };
        for piece in order {
            self.send_at(pieces[piece].0, pieces[piece].1, dice);
        }
    }

    fn flags(&mut self, dice: &mut Dice) {
        let unit = self.denied(dice);
        let packet = self.client.packet(&unit);
        let near = packet.sequence.wrapping_add(dice.below(100) as u32).wrapping_sub(50);
        let packet = match dice.below(5) {
            0 => Packet { flags: RST, sequence: near, payload: Vec::new(), ..packet },
            1 => Packet { flags: SYN, sequence: near, payload: Vec::new(), ..packet },
            2 => Packet { flags: ACK | PSH | URG, urgent: dice.below(20) as u16, ..packet },
            3 => Packet { flags: dice.below(4096) as u16, ..packet },
            _ => Packet { acknowledgement: packet.acknowledgement.wrapping_add(dice.below(1 << 20) as u32), ..packet },
        };
        self.client.send(&packet);
    }
}
