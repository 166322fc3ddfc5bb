//! The device's TCP: any receiver that delivers each sequence number once and never before those below it.

use std::collections::{BTreeMap, VecDeque};

use enforcer_common::flow::distance;

use super::Segment;
use crate::support::frames::{ACK, RST, SYN};
use crate::support::modbus::{adu, words};

/// What kinds of receivers differ in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// What came last counts for bytes that are not acknowledged; else what came first.
    pub(crate) last_wins: bool,
    /// Bytes behind a gap are kept.
    pub(crate) keeps: bool,
    /// Wrong checksums are not noticed.
    pub(crate) careless: bool,
    /// An answer acknowledges all that has come; else what it answers.
    pub(crate) prompt: bool,
    /// Bytes behind the acknowledgement that are taken.
    pub(crate) window: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Listening,
    /// A SYN is answered, and the answer not acknowledged.
    Answered,
    /// Data passes.
    Open,
}

/// One end of a conversation in the device.
#[derive(Debug)]
pub(crate) struct Receiver {
    kind: Kind,
    state: State,
    /// Sequence number of the first byte of the stream.
    pub(crate) first: u32,
    /// What it holds, by distance from `first`.
    held: BTreeMap<u32, u8>,
    /// Bytes acknowledged or given to the application: these stay as they are.
    pub(crate) settled: u32,
    /// Highest acknowledgement that it sent.
    acked: u32,
    /// Next sequence number of its own.
    pub(crate) own: u32,
    /// First sequence number that a SYN offered which it has not answered.
    pub(crate) offered: Option<u32>,
    /// Bytes of units that were answered.
    answered: u32,
}

impl Receiver {
    /// Listens.
    pub(crate) fn new(kind: Kind, own: u32) -> Self {
        Self {
            kind,
            state: State::Listening,
            first: 0,
            held: BTreeMap::new(),
            settled: 0,
            acked: 0,
            own,
            offered: None,
            answered: 0,
        }
    }

    /// In the middle of a conversation, everything before `first` delivered.
    pub(crate) fn amid(kind: Kind, own: u32, first: u32) -> Self {
        Self { state: State::Open, first, ..Self::new(kind, own) }
    }

    /// Takes at most `most` bytes of a segment.
    pub(crate) fn take(&mut self, segment: &Segment, most: usize) {
        if segment.wrong && !self.kind.careless {
            return;
        }
        if segment.flags & SYN != 0 {
            self.offered = (segment.flags & ACK == 0).then_some(segment.sequence.wrapping_add(1));
            return;
        }
        // It answers a SYN before it looks at what follows, or not at all.
        self.offered = None;
        if segment.flags & RST != 0 {
            // It goes on: the most that a device may do with a reset.
            return;
        }
        // The handshake is completed by whoever knows its number; afterwards acknowledgements are believed.
        if self.state == State::Answered && segment.flags & ACK != 0 && segment.acknowledgement == self.own {
            self.state = State::Open;
        }
        if self.state != State::Open {
            return;
        }
        for (index, byte) in (0u32..).zip(segment.payload.iter().take(most)) {
            let place = distance(segment.sequence.wrapping_add(index), self.first);
            let Ok(place) = u32::try_from(place) else { continue };
            let behind = self.delivered_length();
            let fits = place >= self.settled
                && place < self.settled.saturating_add(self.kind.window)
                && (self.kind.keeps || place <= behind);
            if fits && (self.kind.last_wins || !self.held.contains_key(&place)) {
                self.held.insert(place, *byte);
            }
        }
    }

    /// Answers the SYN that was offered: what it held of the conversation before is gone.
    pub(crate) fn answer_handshake(&mut self, isn: u32) -> Option<Segment> {
        let first = self.offered.take()?;
        *self = Self { state: State::Answered, first, ..Self::new(self.kind, isn.wrapping_add(1)) };
        Some(Segment { flags: SYN | ACK, sequence: isn, acknowledgement: first, ..Segment::default() })
    }

    /// Forgets the conversation.
    pub(crate) fn close(&mut self) {
        *self = Self::new(self.kind, self.own);
    }

    /// True when there is anything to acknowledge, old or new.
    pub(crate) fn has_heard(&self) -> bool {
        self.state == State::Open && !self.held.is_empty()
    }

    /// True when data passes.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Acknowledges at most `most` bytes more.
    pub(crate) fn acknowledge(&mut self, most: u32, window: u16) -> Segment {
        self.acked = self.delivered_length().min(self.acked.saturating_add(most)).max(self.acked);
        self.settled = self.settled.max(self.acked);
        self.segment(window, Vec::new())
    }

    fn segment(&mut self, window: u16, payload: Vec<u8>) -> Segment {
        let sequence = self.own;
        self.own = sequence.wrapping_add(payload.len() as u32);
        let acknowledgement = self.first.wrapping_add(self.acked);
        Segment { flags: ACK, sequence, acknowledgement, window, payload, ..Segment::default() }
    }

    /// The application reads the next unit and answers it.
    pub(crate) fn answer(&mut self) -> Option<Segment> {
        let unread: Vec<u8> = self.delivered().skip(self.answered as usize).collect();
        let unit = next_unit(&unread)?;
        self.answered += unit.len() as u32;
        self.acked = self.acked.max(if self.kind.prompt { self.delivered_length() } else { self.answered });
        self.settled = self.settled.max(self.acked);
        let transaction = u16::from_be_bytes([*unit.first()?, *unit.get(1)?]);
        let (address, function) = (*unit.get(6)?, *unit.get(7)?);
        let pdu = match function {
            1..=4 => vec![function, 2, 0, 0],
            _ => words(function, &[0, 1]),
        };
        Some(self.segment(8192, adu(transaction, address, &pdu)))
    }

    /// The bytes that its application gets, as it would get them now.
    pub(crate) fn delivered(&self) -> impl Iterator<Item = u8> {
        (0..self.delivered_length()).filter_map(|place| self.held.get(&place).copied())
    }

    fn delivered_length(&self) -> u32 {
        (0u32..).zip(self.held.keys()).take_while(|(index, place)| index == *place).count() as u32
    }
}

/// The first unit of a stream as the device reads it, when it is complete. What is no frame it does not read.
pub(crate) fn next_unit(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [_, _, 0, 0, 0, length @ 2..=254, ..] => bytes.get(..6 + usize::from(*length)),
        _ => None,
    }
}

/// Segments on a cable, in order.
pub(crate) type Cable = VecDeque<Segment>;
