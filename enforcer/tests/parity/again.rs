//! A client that asks the same again and again, and nearly the same: what the kernel knows by its bytes, the host reads.

use enforcer_common::port::Side;

use super::dice::Dice;
use super::pair::Pair;
use super::units;
use super::wire::{self, Below, End, Segment};
use super::{checksum, told};

const SYN: u8 = 2;
const ACK: u8 = 0x10;
const STATION: End = End { mac: [2, 0, 10, 10, 1, 20], v4: [10, 10, 1, 20], v6: [0; 16], port: 0 };
const DEVICE: End = End { mac: [0, 0x1b, 0x1b, 0x12, 0x34, 0x56], v4: [10, 10, 2, 5], v6: [0; 16], port: 502 };
/// Requests of one conversation, before another one is opened.
const REQUESTS: u32 = 60;

/// The station's side of one conversation.
struct Line<'a, 'p> {
    pair: &'a mut Pair<'p>,
    station: End,
    /// Next sequence numbers of station and device.
    next: [u32; 2],
    below: Below,
}

impl Line<'_, '_> {
    fn send(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let (from, to, [mine, theirs]) = match side {
            Side::Network => (self.station, DEVICE, self.next),
            Side::Device => (DEVICE, self.station, [self.next[1], self.next[0]]),
        };
        let segment = Segment { sequence: mine, acknowledgement: theirs, flags, options: 0, window: 0x2000 };
        let bytes = checksum::repaired(wire::tcp(&from, &to, self.below, segment, payload));
        self.pair.frame(side, &bytes, &|| format!("{side:?} {payload:02x?}"));
    }

    /// Opens the conversation.
    fn open(&mut self) {
        self.send(Side::Network, SYN, &[]);
        self.next[0] = self.next[0].wrapping_add(1);
        self.send(Side::Device, SYN | ACK, &[]);
        self.next[1] = self.next[1].wrapping_add(1);
        self.send(Side::Network, ACK, &[]);
    }
}

/// Plays `count` conversations in the mode at hand.
pub(crate) fn play(pair: &mut Pair<'_>, count: u16) {
    let mut dice = Dice::new(7);
    for number in 0..count {
        let below = Below { six: false, tags: dice.one_of(&[0, 0, 0, 1, 2]) };
        let station = End { port: 41_000 + number, ..STATION };
        let mut line = Line { pair, station, next: [dice.long(), dice.long()], below };
        line.open();
        let asked: Vec<Vec<u8>> = (0..6).map(|_| units::read(&mut dice)).collect();
        for transaction in 0..REQUESTS {
            let mut request = asked[dice.index(asked.len())].clone();
            request[..2].copy_from_slice(&dice.word().to_be_bytes());
            if dice.once_in(25) {
                let at = dice.index(request.len() * 8);
                request[at / 8] ^= 1 << (at % 8);
            }
            line.send(Side::Network, ACK, &request);
            if !line.pair.has_passed() {
                break;
            }
            line.next[0] = line.next[0].wrapping_add(u32::try_from(request.len()).expect("short"));
            if transaction % 3 == 0 {
                line.send(Side::Device, ACK, &[]);
            }
        }
        pair.forget_flows();
    }
    told(pair, "requests again");
}
