//! Traffic by chance: conversations that are cut, repeated, overlapped and lost, and everything else a port can see.

use enforcer_common::port::Side;

use super::dice::Dice;
use super::stand::MANAGEMENT;
use super::talk::Talk;
use super::wire::{self, Below, End, Segment};
use super::{checksum, odd, units};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 0x10;

/// One TCP conversation, as its two ends see it.
struct Conversation {
    client: End,
    server: End,
    below: Below,
    /// Side of the client.
    side: Side,
    /// Next sequence numbers of client and server.
    next: [u32; 2],
    /// Bytes that are to be sent.
    pending: [Vec<u8>; 2],
    /// Segments that were sent: sequence number and bytes.
    sent: [Vec<(u32, Vec<u8>)>; 2],
    handshake: u8,
}

/// All that happens on the two ports.
pub(crate) struct Traffic {
    dice: Dice,
    conversations: Vec<Conversation>,
    talks: Vec<Talk>,
}

/// A client: an operator, an engineer, a stranger.
fn client(dice: &mut Dice) -> End {
    let (operator, engineer) = ([10, 10, 1, 20], [10, 10, 1, 66]);
    let stranger = dice.one_of(&[[10, 10, 1, 30], [192, 168, 3, 4]]);
    let v4 =
        dice.one_of(&[operator, operator, operator, [10, 10, 1, 29], [10, 10, 1, 29], engineer, engineer, stranger]);
    let mut v6 = [0xfd, 0, 0, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    v6[5] = dice.one_of(&[1, 1, 1, 1, 1, 9]);
    End { mac: [2, 0, v4[0], v4[1], v4[2], v4[3]], v4, v6, port: 40_000 + dice.word() % 64 }
}

/// A device, or something that is none.
fn server(dice: &mut Dice) -> End {
    let (v4, mac) = dice.one_of(&[
        ([10, 10, 2, 5], [0, 0x1b, 0x1b, 0x12, 0x34, 0x56]),
        ([10, 10, 2, 5], [0, 0x1b, 0x1b, 0x12, 0x34, 0x56]),
        ([10, 10, 2, 5], [0, 0x1b, 0x1b, 0x12, 0x34, 0x56]),
        ([10, 10, 2, 5], [0, 0x1b, 0x1b, 0x12, 0x34, 0x56]),
        ([10, 10, 2, 6], [2, 0, 10, 10, 2, 6]),
        ([10, 10, 2, 6], [2, 0, 10, 10, 2, 6]),
        ([10, 10, 2, 7], [2, 0, 10, 10, 2, 7]),
    ]);
    let v6 = [0xfd, 0, 0, 0x10, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
    End { mac, v4, v6, port: dice.one_of(&[502, 502, 502, 502, 502, 502, 1502, 80, 8080]) }
}

impl Traffic {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), conversations: Vec::new(), talks: Vec::new() }
    }

    /// The next frame and the port it enters by. Few have a wrong checksum.
    pub(crate) fn frame(&mut self) -> (Side, Vec<u8>) {
        let (side, frame) = if self.dice.once_in(2) { self.talk() } else { self.any() };
        (side, if self.dice.once_in(40) { frame } else { checksum::repaired(frame) })
    }

    fn talk(&mut self) -> (Side, Vec<u8>) {
        if self.talks.len() < 3 || self.dice.once_in(80) {
            let (client, server) = (client(&mut self.dice), server(&mut self.dice));
            self.talks.push(Talk::new(&mut self.dice, client, server));
        }
        let index = self.dice.index(self.talks.len());
        self.talks[index].frame(&mut self.dice)
    }

    fn any(&mut self) -> (Side, Vec<u8>) {
        if self.conversations.len() < 3 || self.dice.once_in(40) {
            let conversation = Conversation::new(&mut self.dice);
            self.conversations.push(conversation);
        }
        if self.dice.once_in(9) {
            return noise(&mut self.dice);
        }
        let index = self.dice.index(self.conversations.len());
        let (side, mut frame) = self.conversations[index].segment(&mut self.dice);
        match self.dice.below(80) {
            0 => {
                let at = self.dice.index(frame.len());
                frame[at] = self.dice.byte();
            }
            1 => {
                let length = 14 + self.dice.index(frame.len() - 14);
                frame.truncate(length);
            }
            2 | 3 => {
                let padding = self.dice.index(30);
                let padding = self.dice.bytes(padding);
                frame.extend(padding);
            }
            4 => return (side.other(), frame),
            5..=7 => frame = odd::segment(&mut self.dice, &frame),
            _ => {}
        }
        (side, frame)
    }
}

impl Conversation {
    fn new(dice: &mut Dice) -> Self {
        let (client, server) = (client(dice), server(dice));
        Self {
            client,
            server,
            below: Below { six: dice.once_in(3), tags: dice.one_of(&[0, 0, 0, 0, 1, 2]) },
            side: if dice.once_in(12) { Side::Device } else { Side::Network },
            next: [if dice.once_in(4) { u32::MAX - 200 } else { dice.long() }, dice.long()],
            pending: Default::default(),
            sent: Default::default(),
            // Some conversations are met in the middle.
            handshake: if dice.once_in(5) { 3 } else { 0 },
        }
    }

    fn make(&self, from_client: bool, sequence: u32, flags: u8, options: u8, payload: &[u8]) -> (Side, Vec<u8>) {
        let (from, to, side) = if from_client {
            (&self.client, &self.server, self.side)
        } else {
            (&self.server, &self.client, self.side.other())
        };
        let acknowledgement = self.next[usize::from(from_client)];
        let segment = Segment { sequence, acknowledgement, flags, options, window: 0x2000 };
        (side, wire::tcp(from, to, self.below, segment, payload))
    }

    fn segment(&mut self, dice: &mut Dice) -> (Side, Vec<u8>) {
        if self.handshake < 3 {
            self.handshake += 1;
            return match self.handshake {
                1 => {
                    let first = self.next[0];
                    self.next[0] = first.wrapping_add(1);
                    self.make(true, first, SYN, 3, &[])
                }
                2 => {
                    let first = self.next[1];
                    self.next[1] = first.wrapping_add(1);
                    self.make(false, first, SYN | ACK, 3, &[])
                }
                _ => self.make(true, self.next[0], ACK, 0, &[]),
            };
        }
        let from_client = !dice.once_in(3);
        let end = usize::from(!from_client);
        let options = dice.one_of(&[0, 0, 3]);
        match dice.below(200) {
            0 => self.handshake = 0,
            1 => return self.make(from_client, self.next[end], RST, 0, &[]),
            2 => return self.make(from_client, self.next[end], FIN | ACK, 0, &[]),
            3..=8 => return self.make(from_client, self.next[end], ACK, options, &[]),
            9 => {
                let (flags, size) = (dice.byte(), dice.index(4));
                return self.make(from_client, self.next[end], flags, 0, &dice.bytes(size));
            }
            // Sent before: the same, in other pieces, or beyond its end.
            10..=24 => {
                if let Some((sequence, mut bytes)) = self.sent[end].last().cloned() {
                    match dice.below(4) {
                        0 => {
                            let extra = dice.index(40);
                            bytes.extend(dice.bytes(extra));
                        }
                        1 => bytes.truncate(1 + dice.index(bytes.len())),
                        _ => {}
                    }
                    return self.make(from_client, sequence, ACK, options, &bytes);
                }
            }
            // Lost on the way: what comes next lies behind a gap.
            25..=27 => {
                let lost = dice.long() % 1500;
                self.next[end] = self.next[end].wrapping_add(lost);
                if dice.once_in(2) {
                    self.pending[end].clear();
                }
            }
            _ => {}
        }
        self.data(dice, from_client, options)
    }

    /// The next bytes of the stream, cut anywhere or at the end of a unit.
    fn data(&mut self, dice: &mut Dice, from_client: bool, options: u8) -> (Side, Vec<u8>) {
        let end = usize::from(!from_client);
        if self.pending[end].is_empty() {
            let many = dice.one_of(&[1, 1, 1, 1, 2, 3, 10, 33, 45]);
            for _ in 0..many {
                let unit = if from_client { units::request(dice) } else { units::response(dice) };
                self.pending[end].extend(unit);
            }
        }
        let whole = self.pending[end].len();
        let most = dice.one_of(&[1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 3000, 6000, 536]);
        let length = match dice.below(8) {
            0 => 1 + dice.index(whole),
            1 => 1 + dice.index(20),
            _ => whole,
        };
        let bytes: Vec<u8> = self.pending[end].drain(..length.min(whole).min(most)).collect();
        let sequence = self.next[end];
        self.next[end] = sequence.wrapping_add(u32::try_from(bytes.len()).expect("short"));
        self.sent[end].push((sequence, bytes.clone()));
        let flags = if dice.once_in(300) { ACK | FIN } else { ACK | 8 };
        self.make(from_client, sequence, flags, options, &bytes)
    }
}

/// Everything that is no TCP conversation.
fn noise(dice: &mut Dice) -> (Side, Vec<u8>) {
    let (mut client, mut server) = (client(dice), server(dice));
    let side = dice.one_of(&[Side::Network, Side::Network, Side::Device]);
    if side == Side::Device {
        (client, server) = (server, client);
    }
    let below = Below { six: dice.once_in(2), tags: dice.one_of(&[0, 0, 1, 2, 3]) };
    let size = dice.one_of(&[0, 1, 3, 20, 46, 200]);
    let payload = dice.bytes(size);
    let frame = match dice.below(19) {
        0 => wire::ethernet(&client, &server, below.tags, 0x0806, &dice.bytes(28)),
        13 => wire::ethernet(&client, &server, below.tags, 0x0806, &odd::arp(dice, &client, &server)),
        14 | 15 => odd::discovery(dice, &client, &server, below.tags),
        16 => odd::icmp(dice, &client, &server, below),
        17 => odd::address(dice, &client, &server, below),
        1 => wire::ethernet(&client, &server, below.tags, dice.one_of(&[0x88cc, 0x8892, 0x88e1, 0x88b8]), &payload),
        2 => wire::ethernet(&client, &server, below.tags, dice.word(), &payload),
        3 => {
            let length = dice.word() % 0x600;
            wire::ethernet(
                &client,
                &server,
                below.tags,
                length,
                &[&[dice.one_of(&[0xaa, 0x42, 0xe0])], &payload[..]].concat(),
            )
        }
        4 => wire::ip(&client, &server, below, if below.six { 58 } else { 1 }, &payload),
        5 => wire::ip(&client, &server, below, dice.byte(), &payload),
        6 | 7 => {
            let many = dice.one_of(&[1, 1, 2, 5, 40]);
            let mut units: Vec<u8> = (0..many).flat_map(|_| units::request(dice)).collect();
            if dice.once_in(4) {
                let left = dice.index(units.len());
                units.truncate(left);
            }
            wire::udp(&client, &server, below, &units)
        }
        8 => {
            server.port = 123;
            wire::udp(&client, &server, below, &payload)
        }
        9 => {
            // A fragment, options, a broken version or length.
            let mut frame = wire::udp(&client, &server, Below { six: false, tags: 0 }, &payload);
            let (at, byte) = dice.one_of(&[(20, 0x20), (21, 5), (14, 0x46), (14, 0x44), (14, 0x65), (16, 9), (17, 3)]);
            frame[at] = byte;
            frame
        }
        10 => wire::ip(&client, &server, Below { six: true, ..below }, dice.one_of(&[0, 43, 44, 60, 135]), &payload),
        11 => {
            server.mac = MANAGEMENT;
            wire::udp(&client, &server, below, &payload)
        }
        12 => {
            // Longer than one buffer of the test run.
            let size = 3000 + dice.index(6000);
            let payload = dice.bytes(size);
            wire::tcp(
                &client,
                &server,
                below,
                Segment { sequence: dice.long(), acknowledgement: 0, flags: ACK, options: 0, window: 0x2000 },
                &payload,
            )
        }
        _ => {
            let size = 14 + dice.index(200);
            dice.bytes(size)
        }
    };
    (side, frame)
}
