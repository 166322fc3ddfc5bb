//! Frames from fields: Ethernet with tags, IPv4 or IPv6, TCP, UDP or anything. Checksums stay 0, see [`super::checksum`].

/// One end of a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) mac: [u8; 6],
    pub(crate) v4: [u8; 4],
    pub(crate) v6: [u8; 16],
    pub(crate) port: u16,
}

/// The layers below the transport.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Below {
    pub(crate) six: bool,
    /// VLAN tags, of which the first `tags` count.
    pub(crate) tags: usize,
}

pub(crate) fn ethernet(from: &End, to: &End, tags: usize, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to.mac, from.mac].concat();
    for tag in 0..tags {
        frame.extend(if tag == 0 && tags > 1 { [0x88, 0xa8] } else { [0x81, 0x00] });
        frame.extend([0x60, 10 + u8::try_from(tag).expect("few")]);
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

pub(crate) fn ip(from: &End, to: &End, below: Below, transport: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    if below.six {
        packet.extend([0x60, 0, 0, 0]);
        packet.extend(u16::try_from(payload.len()).expect("short").to_be_bytes());
        packet.extend([transport, 64]);
        packet.extend(from.v6);
        packet.extend(to.v6);
    } else {
        packet.extend([0x45, 0]);
        packet.extend(u16::try_from(payload.len() + 20).expect("short").to_be_bytes());
        packet.extend([0x12, 0x34, 0x40, 0, 64, transport, 0, 0]);
        packet.extend(from.v4);
        packet.extend(to.v4);
    }
    packet.extend(payload);
    ethernet(from, to, below.tags, if below.six { 0x86dd } else { 0x0800 }, &packet)
}

pub(crate) fn udp(from: &End, to: &End, below: Below, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).expect("short");
    let head = [from.port, to.port, length, 0].map(u16::to_be_bytes).concat();
    ip(from, to, below, 17, &[&head[..], payload].concat())
}

/// What a TCP header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    /// Words of options, no operation each.
    pub(crate) options: u8,
    pub(crate) window: u16,
}

pub(crate) fn tcp(from: &End, to: &End, below: Below, segment: Segment, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [from.port, to.port].map(u16::to_be_bytes).concat();
    bytes.extend([segment.sequence, segment.acknowledgement].map(u32::to_be_bytes).concat());
    bytes.extend([(5 + segment.options) << 4, segment.flags]);
    bytes.extend([segment.window.to_be_bytes(), [0, 0], [0, 0]].concat());
    bytes.extend(std::iter::repeat_n(1, usize::from(segment.options) * 4));
    bytes.extend(payload);
    ip(from, to, below, 6, &bytes)
}
