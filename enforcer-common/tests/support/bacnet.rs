//! An encoder of BACnet/IP written from the standard, not from the parser.

/// A datagram of this virtual link function, with the length that it has.
pub(crate) fn link(function: u8, rest: &[u8]) -> Vec<u8> {
    let length = (rest.len() + 4) as u16;
    [&[0x81, function], &length.to_be_bytes()[..], rest].concat()
}

/// A message of the application layer for one station on the local network.
pub(crate) fn unicast(apdu: &[u8]) -> Vec<u8> {
    link(0x0a, &[&[1, 4], apdu].concat())
}

/// A confirmed request, invoke identifier 9.
pub(crate) fn confirmed(service: u8, parameters: &[u8]) -> Vec<u8> {
    [&[0x02, 0x75, 9, service], parameters].concat()
}

/// An unconfirmed request.
pub(crate) fn unconfirmed(service: u8, parameters: &[u8]) -> Vec<u8> {
    [&[0x10, service], parameters].concat()
}

/// An object identifier with this tag.
pub(crate) fn object(tag: u8, kind: u32, instance: u32) -> Vec<u8> {
    [&[tag][..], &(kind << 22 | instance).to_be_bytes()].concat()
}

/// A number of context class in as few octets as it takes.
pub(crate) fn number(tag: u8, value: u32) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let zeros = octets.iter().take(3).take_while(|octet| **octet == 0).count();
    [&[tag << 4 | 8 | (4 - zeros) as u8][..], &octets[zeros..]].concat()
}

/// ReadProperty without index.
pub(crate) fn read_property(kind: u32, instance: u32, property: u32) -> Vec<u8> {
    confirmed(12, &[object(0x0c, kind, instance), number(1, property)].concat())
}

/// WriteProperty of a value in its tags, at priority 8.
pub(crate) fn write_property(kind: u32, instance: u32, property: u32, value: &[u8]) -> Vec<u8> {
    let target = [object(0x0c, kind, instance), number(1, property)].concat();
    confirmed(15, &[&target, &[0x3e][..], value, &[0x3f, 0x49, 8]].concat())
}

/// One object of ReadPropertyMultiple.
pub(crate) fn read_list(kind: u32, instance: u32, properties: &[u32]) -> Vec<u8> {
    let numbers: Vec<u8> = properties.iter().flat_map(|property| number(0, *property)).collect();
    [&object(0x0c, kind, instance)[..], &[0x1e], &numbers, &[0x1f]].concat()
}

/// One object of WritePropertyMultiple: property and value in its tags.
pub(crate) fn write_list(kind: u32, instance: u32, properties: &[(u32, &[u8])]) -> Vec<u8> {
    let one = |(property, value): &(u32, &[u8])| [&number(0, *property)[..], &[0x2e], value, &[0x2f, 0x39, 8]].concat();
    let all: Vec<u8> = properties.iter().flat_map(one).collect();
    [&object(0x0c, kind, instance)[..], &[0x1e], &all, &[0x1f]].concat()
}
