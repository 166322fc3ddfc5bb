//! An encoder of MMS and the layers around it, written from the standards and not from the parser.

use super::cotp::{data, tpkt};

/// An element in its shortest form, X.690 8.1.3.
pub(crate) fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut all = vec![tag];
    match length {
        0..=0x7f => all.push(length as u8),
        0x80..=0xff => all.extend([0x81, length as u8]),
        _ => all.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    [all, contents.to_vec()].concat()
}

/// The same around several elements.
pub(crate) fn seq(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

/// An element whose tag number is in a second octet.
pub(crate) fn long(first: u8, number: u8, contents: &[u8]) -> Vec<u8> {
    [vec![first], tlv(number, contents)].concat()
}

/// Session and presentation around a protocol data unit.
pub(crate) fn carried(pdu: &[u8]) -> Vec<u8> {
    let value = seq(0x30, &[tlv(0x02, &[3]), tlv(0xa0, pdu)]);
    [vec![1, 0, 1, 0], tlv(0x61, &value)].concat()
}

/// A protocol data unit in a TPKT.
pub(crate) fn pdu(pdu: &[u8]) -> Vec<u8> {
    data(&carried(pdu))
}

/// A confirmed request of this invocation.
pub(crate) fn request(invocation: u8, service: &[u8]) -> Vec<u8> {
    tlv(0xa0, &[tlv(0x02, &[invocation]), service.to_vec()].concat())
}

/// One of invocation 9, in a TPKT.
pub(crate) fn ask(service: &[u8]) -> Vec<u8> {
    pdu(&request(9, service))
}

/// The name of an object of a domain.
pub(crate) fn object(domain: &str, item: &str) -> Vec<u8> {
    seq(0xa1, &[tlv(0x1a, domain.as_bytes()), tlv(0x1a, item.as_bytes())])
}

/// A variable of a list, with what stands behind its name.
pub(crate) fn variable(name: &[u8], behind: &[u8]) -> Vec<u8> {
    seq(0x30, &[tlv(0xa0, name), behind.to_vec()])
}

/// A list of variables by domain and item.
pub(crate) fn variables(names: &[(&str, &str)]) -> Vec<u8> {
    seq(0xa0, &names.iter().map(|(domain, item)| variable(&object(domain, item), &[])).collect::<Vec<_>>())
}

/// A read of these variables.
pub(crate) fn read(names: &[(&str, &str)]) -> Vec<u8> {
    tlv(0xa4, &tlv(0xa1, &variables(names)))
}

/// A write of these values to as many variables.
pub(crate) fn write(names: &[(&str, &str)], values: &[Vec<u8>]) -> Vec<u8> {
    seq(0xa5, &[variables(names), seq(0xa0, values)])
}

/// A session's unit with parameters, ISO 8327-1 8.2.
pub(crate) fn spdu(identifier: u8, parameters: &[Vec<u8>]) -> Vec<u8> {
    parameter(identifier, &parameters.concat())
}

/// A parameter of one.
pub(crate) fn parameter(identifier: u8, value: &[u8]) -> Vec<u8> {
    let length = if value.len() < 255 {
        vec![value.len() as u8]
    } else {
        vec![255, (value.len() >> 8) as u8, value.len() as u8]
    };
    [vec![identifier], length, value.to_vec()].concat()
}

/// The initiate request of a client in use.
pub(crate) const INITIATE: &[u8] = &[
    0xa8, 0x26, 0x80, 3, 0, 0xfd, 0xe8, 0x81, 1, 5, 0x82, 1, 5, 0x83, 1, 10, 0xa4, 0x16, 0x80, 1, 1, 0x81, 3, 5, 0xf1,
    0, 0x82, 12, 3, 0xee, 0x1c, 0, 0, 4, 8, 0, 0, 0x79, 0xef, 0x18,
];

/// The request of an association that carries this.
pub(crate) fn associate(pdu: &[u8]) -> Vec<u8> {
    let external = seq(0x28, &[tlv(0x02, &[3]), tlv(0xa0, pdu)]);
    let name = tlv(0xa1, &tlv(0x06, &[0x28, 0xca, 0x22, 2, 3]));
    seq(0x60, &[name, tlv(0xbe, &external)])
}

/// Presentation and session connect around one.
pub(crate) fn connect(association: &[u8]) -> Vec<u8> {
    let contexts = tlv(0xa4, &seq(0x30, &[tlv(0x02, &[1]), tlv(0x06, &[0x52, 1, 0, 1])]));
    let user = tlv(0x61, &seq(0x30, &[tlv(0x02, &[1]), tlv(0xa0, association)]));
    let set = seq(0xa2, &[tlv(0x81, &[0, 0, 0, 1]), contexts, user]);
    let user = seq(0x31, &[tlv(0xa0, &[0x80, 1, 1]), set]);
    let parameters = [
        parameter(5, &[0x13, 1, 0, 0x16, 1, 2]),
        parameter(20, &[0, 2]),
        parameter(0x34, &[0, 1]),
        parameter(0xc1, &user),
    ];
    data(&spdu(13, &parameters))
}

/// What ends the session, with the request to release the association.
pub(crate) fn finish(release: &[u8]) -> Vec<u8> {
    let user = tlv(0x61, &seq(0x30, &[tlv(0x02, &[1]), tlv(0xa0, &tlv(0x62, release))]));
    data(&spdu(9, &[parameter(0xc1, &user)]))
}

/// One payload over as many data TPDUs as there are ends in it, each in a TPKT.
pub(crate) fn split(payload: &[u8], ends: &[usize]) -> Vec<Vec<u8>> {
    let mut start = 0;
    let mut parts = Vec::new();
    for end in ends.iter().copied().chain([payload.len()]) {
        let mark = if end == payload.len() { 0x80 } else { 0 };
        parts.push(tpkt(&[&[2, 0xf0, mark], &payload[start..end]].concat()));
        start = end;
    }
    parts
}
