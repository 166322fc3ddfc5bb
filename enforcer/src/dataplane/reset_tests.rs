//! The frames of [`super::Reset`], byte by byte and by checksums computed here.

use super::*;

fn reset(source: &str, destination: &str) -> Reset {
    Reset {
        source_mac: [2, 0, 0, 0, 0, 1],
        destination_mac: [2, 0, 0, 0, 0, 2],
        tags: Vec::new(),
        source: source.parse().expect("an address"),
        destination: destination.parse().expect("an address"),
        sequence: 0x0102_0304,
        acknowledgement: None,
    }
}

/// The Internet checksum; 0 over a header that carries the right one.
fn fold(parts: &[&[u8]]) -> u16 {
    let bytes: Vec<u8> = parts.concat();
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn ipv4_byte_by_byte() {
    let frame = reset("10.10.1.20:34567", "10.10.2.5:502").frame().expect("a frame");
    assert_eq!(frame.len(), 60);
    assert_eq!(&frame[..14], [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);
    // Version 4, 20 bytes of header, 40 in all, not to be fragmented, 64 hops, TCP.
    assert_eq!(&frame[14..24], [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6]);
    assert_eq!(&frame[26..34], [10, 10, 1, 20, 10, 10, 2, 5]);
    assert_eq!(fold(&[&frame[14..34]]), 0);
    // Ports, sequence, no acknowledgement, 20 bytes of header, RST alone, no window.
    assert_eq!(&frame[34..50], [0x87, 0x07, 0x01, 0xf6, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x04, 0, 0]);
    assert_eq!(fold(&[&frame[26..34], &[0, 6, 0, 20], &frame[34..54]]), 0);
    assert!(frame[54..].iter().all(|byte| *byte == 0));
}

#[test]
fn ipv6_byte_by_byte() {
    let mut reset = reset("[fd00::1]:34567", "[fd00::2]:502");
    reset.acknowledgement = Some(0xa0b0_c0d0);
    let frame = reset.frame().expect("a frame");
    assert_eq!(frame.len(), 74);
    assert_eq!(&frame[12..22], [0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64]);
    // The acknowledgement, then RST and ACK.
    assert_eq!(&frame[62..70], [0xa0, 0xb0, 0xc0, 0xd0, 0x50, 0x14, 0, 0]);
    assert_eq!(fold(&[&frame[22..54], &[0, 0, 0, 20, 0, 0, 0, 6], &frame[54..74]]), 0);
}

#[test]
fn tags_stand_in_front_of_the_ethertype_in_their_order() {
    let mut reset = reset("10.0.0.1:1", "10.0.0.2:2");
    reset.tags = vec![Tag { kind: 0x88a8, control: 0x0064 }, Tag { kind: 0x8100, control: 0xe00a }];
    let frame = reset.frame().expect("a frame");
    assert_eq!(&frame[12..22], [0x88, 0xa8, 0x00, 0x64, 0x81, 0x00, 0xe0, 0x0a, 0x08, 0x00]);
    assert_eq!(frame.len(), 62);
    assert_eq!(fold(&[&frame[22..42]]), 0);
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    assert!(matches!(reset("10.0.0.1:1", "[fd00::2]:2").frame(), Err(ResetError::Mixed { .. })));
    let mut reset = reset("10.0.0.1:1", "10.0.0.2:2");
    reset.tags = vec![Tag { kind: 0x8100, control: 1 }; 3];
    assert!(matches!(reset.frame(), Err(ResetError::Tags { count: 3 })));
}
