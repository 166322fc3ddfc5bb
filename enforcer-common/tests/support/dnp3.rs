//! An encoder of DNP3 written from the standard, not from the parser: checksums bit by bit.

/// IEEE 1815 9.2.4.3.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut rest = 0u16;
    for byte in bytes {
        rest ^= u16::from(*byte);
        for _ in 0..8 {
            rest = if rest & 1 != 0 { rest >> 1 ^ 0xa6bc } else { rest >> 1 };
        }
    }
    (!rest).to_le_bytes()
}

/// A link frame with any length octet.
pub(crate) fn raw(length: u8, control: u8, destination: u16, source: u16, user: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x05, 0x64, length, control];
    frame.extend([destination.to_le_bytes(), source.to_le_bytes()].concat());
    frame.extend(checksum(&frame));
    for block in user.chunks(16) {
        frame.extend(block);
        frame.extend(checksum(block));
    }
    frame
}

/// A link frame.
pub(crate) fn link(control: u8, destination: u16, source: u16, user: &[u8]) -> Vec<u8> {
    raw((user.len() + 5) as u8, control, destination, source, user)
}

/// A transport segment of master 1 for outstation 10.
pub(crate) fn segment(transport: u8, rest: &[u8]) -> Vec<u8> {
    link(0xc4, 10, 1, &[&[transport][..], rest].concat())
}

/// A request of master 1 for outstation 10, in one segment: function and objects.
pub(crate) fn request(function: u8, objects: &[u8]) -> Vec<u8> {
    segment(0xc0, &[&[0xc3, function][..], objects].concat())
}

/// An answer of outstation 10 for master 1.
pub(crate) fn response(transport: u8, function: u8, indications: [u8; 2], objects: &[u8]) -> Vec<u8> {
    link(0x44, 1, 10, &[&[transport, 0xc3, function][..], &indications, objects].concat())
}

/// A control relay output block for one point, with this control code: group 12 variation 1, one-byte index.
pub(crate) fn relay(index: u8, control: u8) -> Vec<u8> {
    [&[12, 1, 0x17, 1, index, control, 1][..], &[0x64, 0, 0, 0], &[0; 4], &[0]].concat()
}
