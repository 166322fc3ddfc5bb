//! TPKT, COTP and what travels in them, byte by byte.

use super::frames::be;

/// A TPKT around a TPDU.
pub(crate) fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &be(4 + tpdu.len()), tpdu].concat()
}

/// A data TPDU that ends what it carries.
pub(crate) fn data(payload: &[u8]) -> Vec<u8> {
    tpkt(&[&[2, 0xf0, 0x80], payload].concat())
}

/// A connection request with these parameters.
pub(crate) fn request(parameters: &[u8]) -> Vec<u8> {
    let fixed = [&[6 + parameters.len() as u8, 0xe0, 0, 0, 0, 1, 0][..], parameters].concat();
    tpkt(&fixed)
}

/// What S7 clients ask for: size, calling and called selector.
pub(crate) fn connect(called: u16) -> Vec<u8> {
    request(&[&[0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2][..], &called.to_be_bytes()].concat())
}

/// A message of S7comm.
pub(crate) fn s7(kind: u8, parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let head = [0x32, kind, 0, 0, 0x12, 0x34];
    let error: &[u8] = if kind == 2 || kind == 3 { &[0, 0] } else { &[] };
    self::data(&[&head[..], &be(parameters.len()), &be(data.len()), error, parameters, data].concat())
}

/// A job.
pub(crate) fn job(parameters: &[u8], data: &[u8]) -> Vec<u8> {
    s7(1, parameters, data)
}

/// An address of syntax S7ANY.
pub(crate) fn item(kind: u8, count: u16, block: u16, area: u8, place: u32) -> Vec<u8> {
    let [_, a, b, c] = place.to_be_bytes();
    [&[0x12, 10, 0x10, kind][..], &count.to_be_bytes(), &block.to_be_bytes(), &[area, a, b, c]].concat()
}

pub(crate) fn read(items: &[Vec<u8>]) -> Vec<u8> {
    job(&[&[4, items.len() as u8][..], &items.concat()].concat(), &[])
}

/// A write of these items, each with the type and the octets of its data; filled up as the protocol wants it.
pub(crate) fn write(items: &[(Vec<u8>, u8, Vec<u8>)]) -> Vec<u8> {
    let mut values = Vec::new();
    for (index, (_, kind, octets)) in items.iter().enumerate() {
        let length = if matches!(kind, 4 | 5) { octets.len() * 8 } else { octets.len() };
        values.extend([&[0, *kind][..], &be(length), octets].concat());
        if octets.len() % 2 == 1 && index + 1 < items.len() {
            values.push(0);
        }
    }
    let addresses: Vec<u8> = items.iter().flat_map(|(address, ..)| address.clone()).collect();
    job(&[&[5, items.len() as u8][..], &addresses].concat(), &values)
}

/// A request of userdata.
pub(crate) fn userdata(group: u8, subfunction: u8, data: &[u8]) -> Vec<u8> {
    let data = [&[0xff, 9][..], &be(data.len()), data].concat();
    s7(7, &[0, 1, 0x12, 4, 0x11, 0x40 | group, subfunction, 0], &data)
}

/// A program invocation with a block of parameters.
pub(crate) fn invocation(block: &[u8], name: &[u8]) -> Vec<u8> {
    let head = [&[0x28, 0, 0, 0, 0, 0, 0, 0xfd][..], &be(block.len()), block].concat();
    job(&[&head[..], &[name.len() as u8], name].concat(), &[])
}

/// A request of S7comm-plus in a session, about an object.
pub(crate) fn plus(function: u16, session: u32, object: u32) -> Vec<u8> {
    let head = [&[0x31, 0, 0][..], &function.to_be_bytes(), &[0, 0, 0, 7]].concat();
    let rest = [&session.to_be_bytes()[..], &[0x34], &object.to_be_bytes(), &[1, 2, 3, 4]].concat();
    data(&part(2, &[head, rest].concat(), true))
}

/// A part of a message of S7comm-plus, the last one with its trailer.
pub(crate) fn part(version: u8, octets: &[u8], last: bool) -> Vec<u8> {
    let trailer: &[u8] = if last { &[0x72, version, 0, 0] } else { &[] };
    [&[0x72, version][..], &be(octets.len()), octets, trailer].concat()
}
