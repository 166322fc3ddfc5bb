//! What link and network admission looks at: addresses that nobody has, TCP options, ICMP, ARP, neighbour discovery.

use super::dice::Dice;
use super::wire::{self, Below, End, Segment};

/// A segment with other flags, urgent data or options than a sound one has. Frames that hold none stay as they are.
pub(crate) fn segment(dice: &mut Dice, frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let network = [14, 18, 22].into_iter().find(|at| {
        let tag = frame.get(at - 2..*at);
        tag == Some(&[0x08, 0x00]) || tag == Some(&[0x86, 0xdd])
    });
    let Some(network) = network else { return frame };
    let transport = network + if frame[network] >> 4 == 4 { 20 } else { 40 };
    if frame.len() < transport + 20 {
        return frame;
    }
    match dice.below(8) {
        6 | 7 if transport == network + 20 => ipv4_options(dice, &mut frame, network),
        0 => frame[transport + 12] |= dice.one_of(&[1, 2, 4, 8]),
        1 => frame[transport + 13] = dice.byte(),
        2 => frame[transport + 13] |= 0x20,
        3 => frame[transport + 19] = 1,
        4 => frame[0] |= 1,
        _ => options(dice, &mut frame, network, transport),
    }
    frame
}

/// Puts options between header and payload.
fn options(dice: &mut Dice, frame: &mut Vec<u8>, network: usize, transport: usize) {
    let mut list = Vec::new();
    for _ in 0..1 + dice.below(6) {
        match dice.below(12) {
            0 => list.push(0),
            1..=3 => list.push(1),
            4 => list.extend([2, 4, 5, 180]),
            5 => list.extend([3, 3, 7]),
            6 => list.extend([4, 2]),
            7 => list.extend([&[8, 10][..], &dice.bytes(8)].concat()),
            8 => list.extend([&[5, 10][..], &dice.bytes(8)].concat()),
            9 => list.extend([dice.one_of(&[19, 29, 30, 34, 254, 7]), 4, 0, 0]),
            10 => list.extend([dice.byte(), dice.byte() % 8]),
            _ => list.extend([2, dice.byte() % 5]),
        }
    }
    list.truncate(40);
    list.resize(list.len().next_multiple_of(4), dice.one_of(&[0, 1, 1]));
    let behind = transport + 20;
    frame[transport + 12] = u8::try_from(5 + list.len() / 4).expect("at most 15") << 4;
    let grown = u16::try_from(list.len()).expect("short");
    frame.splice(behind..behind, list);
    let at = network + if frame[network] >> 4 == 4 { 2 } else { 4 };
    let length = u16::from_be_bytes([frame[at], frame[at + 1]]).wrapping_add(grown);
    frame[at..at + 2].copy_from_slice(&length.to_be_bytes());
}

/// Puts a word or more of options behind the IPv4 header.
fn ipv4_options(dice: &mut Dice, frame: &mut Vec<u8>, network: usize) {
    let words = 1 + dice.index(10);
    frame.splice(network + 20..network + 20, [0x94, 4, 0, 0].repeat(words));
    frame[network] += u8::try_from(words).expect("at most ten");
    let length = u16::from_be_bytes([frame[network + 2], frame[network + 3]])
        .wrapping_add(4 * u16::try_from(words).expect("few"));
    frame[network + 2..network + 4].copy_from_slice(&length.to_be_bytes());
}

/// ARP, right or nearly so, of the client or in the device's name.
pub(crate) fn arp(dice: &mut Dice, client: &End, server: &End) -> Vec<u8> {
    let (hardware, address) = (dice.one_of(&[client.mac, server.mac]), dice.one_of(&[client.v4, server.v4]));
    let mut message = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &hardware, &address, &[0; 6], &server.v4].concat();
    match dice.below(8) {
        0 => message[dice.index(6)] ^= 1,
        1 => message.truncate(dice.index(28)),
        _ => message.extend([0; 18]),
    }
    message
}

/// Neighbour discovery with options, of the client or in the device's name.
pub(crate) fn discovery(dice: &mut Dice, client: &End, server: &End, tags: usize) -> Vec<u8> {
    let kind = dice.one_of(&[133, 134, 135, 135, 136, 136, 137]);
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    if kind != 133 {
        message.extend(dice.one_of(&[client.v6, server.v6]));
    }
    for _ in 0..dice.below(6) {
        let length = dice.one_of(&[1, 1, 1, 1, 1, 0, 2]);
        message.extend([dice.one_of(&[1, 2, 3]), length]);
        message.extend(dice.one_of(&[client.mac, [0, 0x1b, 0x1b, 0x12, 0x34, 0x56]]));
        message.extend([0; 8].iter().take(usize::from(length).saturating_sub(1) * 8));
    }
    if dice.once_in(6) {
        message.truncate(dice.index(message.len()));
    }
    let v6 = if dice.once_in(4) { [0; 16] } else { client.v6 };
    wire::ip(&End { v6, ..*client }, server, Below { six: true, tags }, 58, &message)
}

/// ICMP: a type by chance, or an error that quotes a conversation.
pub(crate) fn icmp(dice: &mut Dice, client: &End, server: &End, below: Below) -> Vec<u8> {
    let transport = if below.six != dice.once_in(20) { 58 } else { 1 };
    let mut message = vec![dice.one_of(&[0, 3, 5, 8, 9, 13, 17, 1, 2, 4, 128, 129, 134]), 0, 0, 0];
    message.extend([0, 0, dice.one_of(&[1, 2, 5, 6]), dice.byte()]);
    if dice.once_in(2) {
        let payload = [1; 10];
        wire::ip(client, server, below, transport, &[&message[..], &payload].concat())
    } else {
        (message[0], message[1]) = if below.six { (2, 0) } else { (3, 4) };
        let from = if dice.once_in(8) { client } else { server };
        let sequence = Segment { sequence: 1, acknowledgement: 1, flags: 0x10, options: 0, window: 0x2000 };
        let quoted = wire::tcp(from, client, Below { tags: 0, ..below }, sequence, &[]);
        let size = dice.one_of(&[8, 28, 40, 60]);
        let quoted = quoted.get(14..).unwrap_or_default().iter().take(size);
        wire::ip(client, server, below, transport, &message.iter().chain(quoted).copied().collect::<Vec<_>>())
    }
}

/// A datagram from or to an address that nobody has.
pub(crate) fn address(dice: &mut Dice, client: &End, server: &End, below: Below) -> Vec<u8> {
    let odd = dice.one_of(&[[0, 0, 0, 0], [0, 0, 0, 9], [127, 0, 0, 1], [224, 0, 0, 1], [255; 4], [240, 0, 0, 1]]);
    let mut odd6 = [0; 16];
    (odd6[0], odd6[15]) = dice.one_of(&[(0, 0), (0, 1), (0xff, 1), (0xfe, 1)]);
    let (mut from, mut to) = (*client, *server);
    match dice.below(4) {
        0 => (to.v4, to.v6) = (odd, odd6),
        1 => (to.v4, to.v6) = (from.v4, from.v6),
        _ => (from.v4, from.v6) = (odd, odd6),
    }
    if dice.once_in(3) {
        (from.port, to.port) = (68, 67);
    }
    match dice.below(4) {
        0 => wire::ip(&from, &to, below, 2, &[0x16; 8]),
        1 => {
            let segment = Segment { sequence: 1, acknowledgement: 1, flags: 0x10, options: 0, window: 0x2000 };
            wire::tcp(&from, &to, below, segment, &[])
        }
        _ => wire::udp(&from, &to, below, &[1, 2, 3]),
    }
}
