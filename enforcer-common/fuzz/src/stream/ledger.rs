//! What went by, and what must be true of it.

use std::collections::HashMap;

use enforcer_common::flow::distance;

use super::Segment;
use super::receiver::{Receiver, next_unit};

/// A byte that was forwarded toward the device.
#[derive(Clone, Copy, Debug)]
struct Byte {
    value: u8,
    /// Number of the segment that brought it.
    serial: u64,
    /// When.
    since: u64,
}

/// The book of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Forwarded and not acknowledged.
    open: HashMap<u32, Byte>,
    /// Judged and forwarded as new.
    judged: HashMap<u32, u8>,
    /// Highest acknowledgement of the device.
    acknowledged: Option<u32>,
    /// A byte was forwarded that only learn or shadow let through: what the device makes of it is not the box's doing.
    tainted: bool,
    /// The device has forgotten the conversation, and takes nothing.
    closed: bool,
    /// The device was heard since bytes passed that the box knew no conversation for.
    known: bool,
    /// Where units begin is not known: the box came in the middle of one, or looked away.
    pub(crate) unframed: bool,
}

impl Ledger {
    /// A segment toward the device was forwarded at this time, of a conversation that the box knows or not. `fresh` are its
    /// bytes that were judged as new.
    pub(crate) fn forwarded(&mut self, segment: &Segment, now: u64, known: bool, fresh: Option<(u32, u32)>) {
        if !known {
            self.known = false;
            self.age(now);
        }
        let serial = segment.serial;
        for (sequence, value) in numbered(segment).filter(|_| !self.closed) {
            if self.acknowledged.is_some_and(|acknowledged| distance(sequence, acknowledged) < 0) {
                continue;
            }
            match self.open.get(&sequence) {
                Some(before) if !self.tainted => {
                    assert_eq!(before.value, value, "two values for one byte, at {sequence}: {segment:?}");
                }
                Some(_) | None => {
                    self.open.insert(sequence, Byte { value, serial, since: now });
                }
            }
        }
        let Some((first, length)) = fresh else { return };
        for (sequence, value) in numbered(segment) {
            let old = self.acknowledged.is_some_and(|acknowledged| distance(sequence, acknowledged) < 0);
            if !old && distance(sequence, first) >= 0 && distance(sequence, first.wrapping_add(length)) < 0 {
                self.judged.insert(sequence, value);
            }
        }
    }

    /// What was sent so long before, while the box did not know the conversation, was lost.
    fn age(&mut self, now: u64) {
        self.open.retain(|_, byte| now - byte.since < 75_000_000_000);
    }

    /// A segment was forwarded by a mode that keeps nothing back: nothing holds for what `denied` or contradicts.
    pub(crate) fn let_through(&mut self, segment: &Segment, denied: bool) {
        let contradicts = |(sequence, value)| self.open.get(&sequence).is_some_and(|before| before.value != value);
        if denied || numbered(segment).any(contradicts) {
            self.tainted = true;
            for (sequence, _) in numbered(segment) {
                self.open.remove(&sequence);
            }
        }
    }

    /// The device acknowledged: the box knows the conversation from now on.
    pub(crate) fn heard(&mut self, acknowledgement: u32, now: u64) {
        if !self.known {
            self.age(now);
        }
        self.known = true;
        if self.acknowledged.is_none_or(|before| distance(acknowledgement, before) > 0) {
            self.acknowledged = Some(acknowledgement);
            self.open.retain(|sequence, _| distance(*sequence, acknowledgement) >= 0);
        }
    }

    /// The device has forgotten the conversation.
    pub(crate) fn ended(&mut self) {
        self.open.clear();
        self.acknowledged = None;
        self.closed = true;
    }

    /// The device began anew at `first`, when the segment before the one with number `serial` had arrived: what was on the
    /// cable then may still be taken.
    pub(crate) fn began(&mut self, first: u32, serial: u64) {
        self.acknowledged = Some(first);
        self.closed = false;
        self.open.retain(|sequence, byte| byte.serial >= serial && (0..65_536).contains(&distance(*sequence, first)));
    }

    /// What the application gets is what was judged, and no denied operation.
    pub(crate) fn check(&self, receiver: &Receiver) {
        if self.tainted {
            return;
        }
        let delivered: Vec<u8> = receiver.delivered().collect();
        for (index, byte) in (0u32..).zip(&delivered) {
            let judged = self.judged.get(&receiver.first.wrapping_add(index));
            assert_eq!(judged, Some(byte), "byte {index} of the stream was not judged: {receiver:?}");
        }
        if self.unframed {
            return;
        }
        let mut rest = &*delivered;
        while let Some(unit) = next_unit(rest) {
            assert!(is_allowed(unit), "a denied operation arrived: {unit:02x?}");
            rest = rest.split_at(unit.len()).1;
        }
    }
}

/// What the policy of the model may allow: reads, and writes of several registers up to 99.
fn is_allowed(unit: &[u8]) -> bool {
    match unit.get(7..) {
        Some([1..=4, ..]) => true,
        Some([16, high, low, ..]) => u16::from_be_bytes([*high, *low]) < 100,
        _ => false,
    }
}

fn numbered(segment: &Segment) -> impl Iterator<Item = (u32, u8)> {
    let first = segment.sequence;
    (0u32..).zip(&segment.payload).map(move |(index, byte)| (first.wrapping_add(index), *byte))
}
