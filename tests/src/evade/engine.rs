//! A small TCP end of our own: it opens, answers and acknowledges as one should, and says whatever it is told to.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::packet::{ACK, PSH, Packet, RST, SYN, Spoilt};
use super::wire::Wire;

/// After how long an unanswered segment is sent again, as a TCP should.
const AGAIN: Duration = Duration::from_millis(200);

/// One end of one conversation.
pub struct Conversation<'wire> {
    wire: &'wire Wire,
    pub here: SocketAddrV4,
    pub there: SocketAddrV4,
    macs: ([u8; 6], [u8; 6]),
    /// Sequence number of the next byte to say.
    pub next: u32,
    /// Sequence number of the next byte to hear.
    pub heard: u32,
    /// How far the other end has acknowledged.
    pub acknowledged: u32,
    /// What the other end said, in order.
    pub answers: Vec<u8>,
    /// The other end has reset the conversation.
    pub reset: bool,
    /// The other end has closed its direction.
    pub closed: bool,
    /// Nothing that is heard is acknowledged by itself.
    pub silent: bool,
    /// The window we tell.
    pub window: u16,
    /// TCP options of every segment.
    pub options: Vec<u8>,
    /// How long an answer through the box may take.
    pub patience: Duration,
}

impl<'wire> Conversation<'wire> {
    /// An end that has said nothing yet. `macs` are our own and the other's.
    pub fn new(
        wire: &'wire Wire,
        here: SocketAddrV4,
        there: SocketAddrV4,
        macs: ([u8; 6], [u8; 6]),
        first: u32,
    ) -> Self {
        Conversation {
            wire,
            here,
            there,
            macs,
            next: first,
            heard: 0,
            acknowledged: first,
            answers: Vec::new(),
            reset: false,
            closed: false,
            silent: false,
            window: 64_000,
            options: Vec::new(),
            patience: Duration::from_millis(1500),
        }
    }

    /// The segment a well-behaved end would send now with this payload.
    pub fn packet(&self, payload: &[u8]) -> Packet {
        Packet {
            source_mac: self.macs.0,
            target_mac: self.macs.1,
            tags: Vec::new(),
            source: self.here,
            target: self.there,
            id: 0,
            ttl: 64,
            network_options: Vec::new(),
            sequence: self.next,
            acknowledgement: self.heard,
            flags: if payload.is_empty() { ACK } else { ACK | PSH },
            window: self.window,
            urgent: 0,
            options: self.options.clone(),
            payload: payload.to_vec(),
            spoilt: Spoilt::Nothing,
        }
    }

    /// The SYN that opens the conversation, with a maximum segment size.
    pub fn syn(&self) -> Packet {
        let mut options = vec![2, 4, 5, 0xb4];
        options.extend(&self.options);
        Packet { flags: SYN, acknowledgement: 0, options, ..self.packet(&[]) }
    }

    /// Opens the conversation; false when nobody answers.
    pub fn open(&mut self) -> bool {
        let syn = self.syn();
        let first = self.next.wrapping_add(1);
        let opened = self.repeat(&syn, |me| me.acknowledged == first || me.reset);
        self.next = first;
        opened && !self.reset && {
            self.send(&self.packet(&[]));
            true
        }
    }

    pub fn send(&self, packet: &Packet) {
        self.wire.send(&packet.frame());
    }

    pub fn send_frame(&self, frame: &[u8]) {
        self.wire.send(frame);
    }

    /// Says these bytes in one segment and goes on behind them.
    pub fn say(&mut self, payload: &[u8]) -> Packet {
        let packet = self.packet(payload);
        self.send(&packet);
        self.next = packet.end();
        packet
    }

    /// Sends the packet until the condition holds; false when it did not in time.
    pub fn repeat(&mut self, packet: &Packet, mut until: impl FnMut(&Self) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < self.patience {
            self.send(packet);
            if self.listen(AGAIN, &mut until) {
                return true;
            }
        }
        false
    }

    /// Says these bytes and waits until they are acknowledged, sending them again as often as needed.
    pub fn deliver(&mut self, payload: &[u8]) -> bool {
        let packet = self.packet(payload);
        self.next = packet.end();
        let end = self.next;
        self.repeat(&packet, |me| me.reset || reached(me.acknowledged, end)) && !self.reset
    }

    /// Takes what comes in until the condition holds; false when it did not in time.
    pub fn listen(&mut self, patience: Duration, mut until: impl FnMut(&Self) -> bool) -> bool {
        let end = Instant::now() + patience;
        loop {
            if until(self) {
                return true;
            }
            let Some(packet) = self.wire.next(self.here, end.saturating_duration_since(Instant::now())) else {
                return until(self);
            };
            self.take(&packet);
        }
    }

    /// Takes what comes in until the condition holds; false when it did not in the time that an answer may take.
    pub fn wait(&mut self, until: impl FnMut(&Self) -> bool) -> bool {
        self.listen(self.patience, until)
    }

    /// The next packet as it came; state follows it.
    pub fn receive(&mut self, patience: Duration) -> Option<Packet> {
        let packet = self.wire.next(self.here, patience)?;
        self.take(&packet);
        Some(packet)
    }

    /// Follows a packet of the other end.
    pub fn take(&mut self, packet: &Packet) {
        if packet.source != self.there {
            return;
        }
        if packet.has(RST) {
            self.reset = true;
            return;
        }
        if packet.has(SYN) {
            self.heard = packet.end();
        }
        if packet.has(ACK) && reached(packet.acknowledgement, self.acknowledged) {
            self.acknowledged = packet.acknowledgement;
        }
        let new = packet.sequence == self.heard && packet.end() != self.heard;
        if new {
            self.heard = packet.end();
            self.answers.extend(&packet.payload);
            self.closed |= packet.has(super::packet::FIN);
        }
        if !self.silent && !packet.has(SYN) && packet.end() != packet.sequence {
            self.send(&self.packet(&[]));
        }
    }

    /// Whether an answer to this transaction has come.
    pub fn answered(&self, transaction: u16) -> bool {
        let mut rest = self.answers.as_slice();
        while let [a, b, _, _, c, d, ..] = *rest {
            if u16::from_be_bytes([a, b]) == transaction {
                return true;
            }
            rest = rest.get(6 + usize::from(u16::from_be_bytes([c, d]))..).unwrap_or_default();
        }
        false
    }
}

/// Whether sequence number `a` is at or behind `b`.
pub fn reached(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() >= 0
}
