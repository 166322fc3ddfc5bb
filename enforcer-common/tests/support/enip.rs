//! An encoder of EtherNet/IP and CIP written from the standard, not from the parser.

/// A little-endian word.
pub(crate) fn le(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("16 bits").to_le_bytes()
}

/// An encapsulation frame.
pub(crate) fn frame(command: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        [&command.to_le_bytes()[..], &le(body.len()), &[1, 2, 3, 4], &[0; 4], b"context!", &[0; 4]].concat();
    bytes.extend(body);
    bytes
}

/// A common packet format of any items.
pub(crate) fn items(command: u16, items: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&[0; 6][..], &le(items.len())].concat();
    for (kind, data) in items {
        body.extend([&kind.to_le_bytes()[..], &le(data.len()), data].concat());
    }
    frame(command, &body)
}

/// `SendRRData` with an unconnected message.
pub(crate) fn unconnected(message: &[u8]) -> Vec<u8> {
    items(0x6f, &[(0, &[]), (0xb2, message)])
}

/// `SendUnitData` with a message of a connection.
pub(crate) fn connected(sequence: u16, message: &[u8]) -> Vec<u8> {
    items(0x70, &[(0xa1, &[9, 8, 7, 6]), (0xb1, &[&sequence.to_le_bytes()[..], message].concat())])
}

/// A request: service, path, data.
pub(crate) fn request(service: u8, path: &[u8], data: &[u8]) -> Vec<u8> {
    [&[service, u8::try_from(path.len() / 2).expect("a short path")], path, data].concat()
}

/// A path of a class and an instance.
pub(crate) fn object(class: u8, instance: u8) -> Vec<u8> {
    vec![0x20, class, 0x24, instance]
}

/// A path of a symbol.
pub(crate) fn symbol(name: &str) -> Vec<u8> {
    let mut path = vec![0x91, u8::try_from(name.len()).expect("a short name")];
    path.extend(name.bytes());
    path.resize(path.len().next_multiple_of(2), 0);
    path
}

/// A Multiple Service Packet.
pub(crate) fn several(requests: &[Vec<u8>]) -> Vec<u8> {
    let mut data = le(requests.len()).to_vec();
    let mut offset = 2 + 2 * requests.len();
    for one in requests {
        data.extend(le(offset));
        offset += one.len();
    }
    data.extend(requests.concat());
    request(0x0a, &object(2, 1), &data)
}

/// An `Unconnected_Send` by this route.
pub(crate) fn sent_on(message: &[u8], route: &[u8]) -> Vec<u8> {
    let mut data = [&[5, 0x9d][..], &le(message.len()), message].concat();
    if message.len() % 2 == 1 {
        data.push(0);
    }
    data.extend([u8::try_from(route.len() / 2).expect("a short route"), 0]);
    data.extend(route);
    request(0x52, &object(6, 1), &data)
}
