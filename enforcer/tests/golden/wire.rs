//! Frames as a Modbus client and server would put them on the wire, and the capture they end up in.

use etherparse::{PacketBuilder, TcpHeader};

pub(crate) type Packet = Vec<u8>;

/// Where a host is.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(crate) mac: [u8; 6],
    pub(crate) ip: [u8; 4],
}

pub(crate) const HMI: Host = Host { mac: [0x02, 0, 0, 0, 1, 20], ip: [10, 10, 1, 20] };
pub(crate) const ENGINEER: Host = Host { mac: [0x02, 0, 0, 0, 1, 66], ip: [10, 10, 1, 66] };
pub(crate) const STRANGER: Host = Host { mac: [0x02, 0, 0, 0, 1, 99], ip: [10, 10, 1, 99] };
pub(crate) const PRESS: Host = Host { mac: [0x00, 0x1b, 0x1b, 0x12, 0x34, 0x56], ip: [10, 10, 2, 5] };

pub(crate) const MODBUS: u16 = 502;

/// A capture in the making: a frame each millisecond.
#[derive(Default)]
pub(crate) struct Wire {
    frames: Vec<(u64, Packet)>,
    millis: u64,
}

impl Wire {
    pub(crate) fn put(&mut self, mut frame: Packet) -> &mut Self {
        // Ethernet pads to 60 bytes; what it pads is not payload.
        frame.resize(frame.len().max(60), 0);
        self.put_exact(frame)
    }

    /// A frame that is not padded.
    pub(crate) fn put_exact(&mut self, frame: Packet) -> &mut Self {
        self.frames.push((self.millis, frame));
        self.millis += 1;
        self
    }

    pub(crate) fn wait(&mut self, millis: u64) -> &mut Self {
        self.millis += millis;
        self
    }

    /// A classic little-endian pcap that begins at 2026-01-01T00:00:00Z.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            file.extend(word.to_le_bytes());
        }
        for (millis, frame) in &self.frames {
            let seconds = 1_767_225_600 + millis / 1000;
            let length = frame.len() as u32;
            for word in [seconds as u32, (millis % 1000) as u32 * 1000, length, length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }
}

/// A Modbus/TCP unit: MBAP header and PDU.
pub(crate) fn adu(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = pdu.len() as u16 + 1;
    [&transaction.to_be_bytes()[..], &[0, 0], &length.to_be_bytes(), &[unit], pdu].concat()
}

/// Function, then 16-bit words.
pub(crate) fn pdu(function: u8, words: &[u16]) -> Vec<u8> {
    std::iter::once(function).chain(words.iter().flat_map(|word| word.to_be_bytes())).collect()
}

/// Function 16: address and values.
pub(crate) fn write_registers(first: u16, values: &[u16]) -> Vec<u8> {
    let mut bytes = pdu(16, &[first, values.len() as u16]);
    bytes.push(values.len() as u8 * 2);
    bytes.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    bytes
}

/// One TCP conversation with its sequence numbers.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) client: Host,
    pub(crate) server: Host,
    pub(crate) port: u16,
    pub(crate) service: u16,
    /// Next sequence number of each end.
    pub(crate) sent: u32,
    pub(crate) answered: u32,
    pub(crate) transaction: u16,
}

impl Talk {
    /// A conversation that was opened before the capture began.
    pub(crate) fn running(client: Host, server: Host, port: u16) -> Self {
        Self { client, server, port, service: MODBUS, sent: 1_001, answered: 5_001, transaction: 1 }
    }

    /// A conversation with its handshake.
    pub(crate) fn open(wire: &mut Wire, client: Host, server: Host, port: u16) -> Self {
        let talk = Self::running(client, server, port);
        talk.handshake(wire);
        talk
    }

    pub(crate) fn handshake(&self, wire: &mut Wire) {
        wire.put(tcp(
            self.client,
            self.server,
            self.client_header(1_000, |header| (header.syn, header.ack) = (true, false)),
            &[],
        ));
        wire.put(tcp(self.server, self.client, self.server_header(5_000, |header| header.syn = true), &[]));
        wire.put(self.client_segment(0, &[]));
    }

    fn client_header(&self, sequence: u32, change: impl Fn(&mut TcpHeader)) -> TcpHeader {
        header(self.port, self.service, sequence, self.answered, change)
    }

    fn server_header(&self, sequence: u32, change: impl Fn(&mut TcpHeader)) -> TcpHeader {
        header(self.service, self.port, sequence, self.sent, change)
    }

    /// A segment of the client, `ahead` bytes from where it should be; moves nothing.
    pub(crate) fn client_segment(&self, ahead: i32, bytes: &[u8]) -> Packet {
        let sequence = self.sent.wrapping_add_signed(ahead);
        tcp(self.client, self.server, self.client_header(sequence, |header| header.psh = !bytes.is_empty()), bytes)
    }

    /// A segment of the client with a header of its own making.
    pub(crate) fn client_odd(&self, bytes: &[u8], change: impl Fn(&mut TcpHeader)) -> Packet {
        tcp(self.client, self.server, self.client_header(self.sent, change), bytes)
    }

    pub(crate) fn server_segment(&self, ahead: i32, bytes: &[u8]) -> Packet {
        let sequence = self.answered.wrapping_add_signed(ahead);
        tcp(self.server, self.client, self.server_header(sequence, |header| header.psh = !bytes.is_empty()), bytes)
    }

    /// Bytes of the client in their place.
    pub(crate) fn send(&mut self, wire: &mut Wire, bytes: &[u8]) {
        wire.put(self.client_segment(0, bytes));
        self.sent = self.sent.wrapping_add(bytes.len() as u32);
    }

    /// Bytes of the server in their place.
    pub(crate) fn reply(&mut self, wire: &mut Wire, bytes: &[u8]) {
        wire.put(self.server_segment(0, bytes));
        self.answered = self.answered.wrapping_add(bytes.len() as u32);
    }

    /// A request in one segment. The next one has the next transaction number.
    pub(crate) fn ask(&mut self, wire: &mut Wire, unit: u8, pdu: &[u8]) {
        self.transaction += 1;
        self.send(wire, &adu(self.transaction, unit, pdu));
    }

    /// The answer to the last request.
    pub(crate) fn answer(&mut self, wire: &mut Wire, unit: u8, pdu: &[u8]) {
        self.reply(wire, &adu(self.transaction, unit, pdu));
    }
}

fn header(from: u16, to: u16, sequence: u32, acknowledged: u32, change: impl Fn(&mut TcpHeader)) -> TcpHeader {
    let mut header = TcpHeader::new(from, to, sequence, 8_192);
    header.ack = true;
    change(&mut header);
    header.acknowledgment_number = if header.ack { acknowledged } else { 0 };
    header
}

pub(crate) fn tcp(from: Host, to: Host, header: TcpHeader, bytes: &[u8]) -> Packet {
    let mut frame = Packet::new();
    let builder = PacketBuilder::ethernet2(from.mac, to.mac).ipv4(from.ip, to.ip, 64).tcp_header(header);
    builder.write(&mut frame, bytes).expect("memory");
    frame
}

pub(crate) fn udp(from: (Host, u16), to: (Host, u16), bytes: &[u8]) -> Packet {
    let mut frame = Packet::new();
    let builder = PacketBuilder::ethernet2(from.0.mac, to.0.mac).ipv4(from.0.ip, to.0.ip, 64).udp(from.1, to.1);
    builder.write(&mut frame, bytes).expect("memory");
    frame
}

/// A frame that is not IP.
pub(crate) fn ethernet(from: [u8; 6], to: [u8; 6], ethertype: u16, bytes: &[u8]) -> Packet {
    [&to[..], &from, &ethertype.to_be_bytes(), bytes].concat()
}

/// The same frame with tags behind the addresses, outermost first.
pub(crate) fn tagged(frame: &[u8], tags: &[(u16, u16)]) -> Packet {
    let mut tagged = frame[..12].to_vec();
    for (ethertype, tag) in tags {
        tagged.extend(ethertype.to_be_bytes());
        tagged.extend(tag.to_be_bytes());
    }
    tagged.extend(&frame[12..]);
    tagged
}

/// The same frame with bytes written over it.
pub(crate) fn patched(mut frame: Packet, at: usize, bytes: &[u8]) -> Packet {
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}
