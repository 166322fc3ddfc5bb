//! What a vector acts with: clients, units that are allowed or denied, and a record of what was promised.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::engine::Conversation;
use super::field::{CLIENT_MAC, Field, Setting, Zone};
use super::packet::{ACK, Packet, SYN};
use super::servers::{PUPPET, SINK};
use crate::frames::{modbus, read_holding, write_multiple, write_single};
use crate::lab::PLC_MAC;

/// One vector in one setting against one server.
pub struct Scene<'field> {
    pub field: &'field Field,
    pub server: Ipv4Addr,
    /// The allowed units each client has sent, in their order: what the server may take is a beginning of it.
    pub(super) promised: BTreeMap<SocketAddrV4, Vec<u8>>,
    /// Bytes that must not be seen in a frame towards the device.
    pub(super) forbidden: Vec<Vec<u8>>,
    pub(super) leaks: Vec<String>,
    pub(super) broken: Vec<String>,
    /// The polling clients are cut off by what the vector does to the box, and come back.
    pub(super) interrupts: bool,
    /// The reasons counted so far, where the vector starts the counters anew.
    pub(super) recounted: Option<BTreeMap<String, u64>>,
    /// Not played, because the box does not know what it is about.
    pub(super) skipped: bool,
}

impl<'field> Scene<'field> {
    pub fn new(field: &'field Field, server: Ipv4Addr) -> Scene<'field> {
        Scene {
            field,
            server,
            promised: BTreeMap::new(),
            forbidden: Vec::new(),
            leaks: Vec::new(),
            broken: Vec::new(),
            interrupts: false,
            recounted: None,
            skipped: false,
        }
    }

    /// A client that nobody has heard of, with a conversation that is not open.
    pub fn stranger(&mut self, zone: Zone, first: u32) -> Conversation<'field> {
        let number = self.field.number();
        let here = SocketAddrV4::new(zone.address(number), 40_000 + (number % 20_000) as u16);
        self.promised.entry(here).or_default();
        let there = SocketAddrV4::new(self.server, 502);
        let mut client = Conversation::new(&self.field.network, here, there, (CLIENT_MAC, PLC_MAC), first);
        if self.field.setting != Setting::Enforce {
            // Where denied requests are answered, allowed ones in their place never are, and it matters to nobody.
            client.patience = Duration::from_millis(250);
        }
        client
    }

    /// An open conversation of a new client whose denied requests are answered by a reset.
    pub fn open(&mut self) -> Conversation<'field> {
        self.open_in(Zone::Reset)
    }

    pub fn open_in(&mut self, zone: Zone) -> Conversation<'field> {
        let mut client = self.stranger(zone, 0x1000_0000 ^ self.field.number().wrapping_mul(0x9e37_79b9));
        if !client.open() {
            self.broken("a new client cannot connect");
        }
        client
    }

    /// An open conversation that has had one answer, where what is denied is dropped and nothing more.
    pub fn begin(&mut self) -> Conversation<'field> {
        let mut client = self.open_in(Zone::Drop);
        self.goes_on(&mut client);
        client
    }

    /// One more read, which must be answered.
    pub fn goes_on(&mut self, client: &mut Conversation<'_>) {
        let read = self.read();
        self.ask(client, &read);
    }

    /// The puppet's end of a client's conversation: the device that does what the vector wants.
    pub fn puppet(&self, client: &Conversation<'_>) -> Conversation<'field> {
        let there = client.here;
        let here = SocketAddrV4::new(PUPPET, 502);
        Conversation::new(&self.field.device, here, there, (PLC_MAC, CLIENT_MAC), 0x7000_0000)
    }

    /// An open conversation between a new client and the puppet, which acknowledges nothing by itself.
    pub fn pair(&mut self, zone: Zone) -> (Conversation<'field>, Conversation<'field>) {
        let mut client = self.stranger(zone, 0x2000_0000 ^ self.field.number().wrapping_mul(0x9e37_79b9));
        let mut device = self.puppet(&client);
        device.silent = true;
        client.send(&client.syn());
        if !device.wait(|device| device.heard != 0) {
            self.broken("no SYN reaches the device");
        }
        device.send(&Packet { flags: SYN | ACK, options: vec![2, 4, 5, 0xb4], ..device.packet(&[]) });
        device.next = device.next.wrapping_add(1);
        client.next = client.next.wrapping_add(1);
        if !client.wait(|client| client.acknowledged == client.next) {
            self.broken("no SYN-ACK reaches the client");
        }
        client.send(&client.packet(&[]));
        self.settle();
        while device.receive(Duration::ZERO).is_some() {}
        (client, device)
    }

    /// A transaction number of its own. Small enough to be an allowed value of a register too.
    pub fn transaction(&self) -> u16 {
        (self.field.number() % 1000) as u16
    }

    /// An allowed read, other than those of the polling clients.
    pub fn read(&self) -> Vec<u8> {
        modbus(self.transaction(), 1, &read_holding(3, 9))
    }

    /// An allowed write of a value to register 41.
    pub fn write(&self, value: u16) -> Vec<u8> {
        modbus(self.transaction(), 1, &write_single(41, value))
    }

    /// An allowed write of several registers from 40.
    pub fn write_many(&self, values: &[u16]) -> Vec<u8> {
        modbus(self.transaction(), 1, &write_multiple(40, values))
    }

    /// A write to register 50, which no rule allows. It must not be seen in one piece on the device's cable.
    pub fn denied(&mut self) -> Vec<u8> {
        let number = self.field.number();
        // The value tells it from every other unit, also when it travels inside other data.
        let unit = modbus((number % 1000) as u16, 1, &write_single(50, (number / 1000) as u16));
        self.forbid(&unit);
        unit
    }

    /// These bytes must not be seen in a frame towards the device.
    pub fn forbid(&mut self, bytes: &[u8]) {
        self.forbidden.push(bytes.to_vec());
    }

    /// From now on the server may take these bytes behind what was promised before.
    pub fn promise(&mut self, client: &Conversation<'_>, bytes: &[u8]) {
        self.promised.entry(client.here).or_default().extend(bytes);
    }

    /// Says an allowed unit (or several); the session is broken when the server does not take and answer it.
    pub fn ask(&mut self, client: &mut Conversation<'_>, bytes: &[u8]) {
        self.promise(client, bytes);
        if !client.deliver(bytes) {
            return self.broken("an allowed request is not acknowledged");
        }
        self.wait_answer(client, bytes);
    }

    /// The session is broken when no answer comes to the last of these units.
    pub fn wait_answer(&mut self, client: &mut Conversation<'_>, bytes: &[u8]) {
        let last = super::operation::units(bytes).last().map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
        let Some(last) = last.filter(|_| self.server != SINK && self.server != PUPPET) else { return };
        if !client.wait(|client| client.answered(last)) {
            self.broken("an allowed request is not answered");
        }
    }

    /// Sends bytes that must be denied as the client's next segment, and does not go on behind them.
    pub fn attempt(&mut self, client: &Conversation<'_>, bytes: &[u8]) {
        client.send(&client.packet(bytes));
        self.settle();
    }

    /// Sends a frame that must not reach the device's cable.
    pub fn refuse(&mut self, frame: &[u8]) {
        self.forbid(frame);
        self.field.network.send(frame);
        self.settle();
    }

    /// Waits until what was sent has reached the servers or never will.
    pub fn settle(&self) {
        self.field.barrier();
        std::thread::sleep(Duration::from_millis(10));
    }

    /// What the device's cable carried first of the segment that the client says next.
    pub fn first_at(&self, client: &Conversation<'_>) -> Option<Vec<u8>> {
        let frames = self.field.cable.since(0);
        let packets = frames.iter().filter(|frame| !frame.outgoing).filter_map(|frame| Packet::parse(&frame.bytes));
        let mine = |packet: &Packet| packet.source == client.here && packet.sequence == client.next;
        packets.into_iter().find(|packet| mine(packet) && !packet.payload.is_empty()).map(|packet| packet.payload)
    }

    /// The polling clients may lose their connections; they must come back.
    pub fn interrupts(&mut self) {
        self.interrupts = true;
    }

    /// The counters have begun anew: what is expected must be counted from now on.
    pub fn recount(&mut self) {
        self.recounted = Some(self.field.reasons());
    }

    pub fn skip(&mut self) {
        self.skipped = true;
    }

    pub fn leak(&mut self, what: impl Into<String>) {
        self.leaks.push(what.into());
    }

    pub fn broken(&mut self, what: impl Into<String>) {
        self.broken.push(what.into());
    }
}
