//! Right checksums for frames that were built without: RFC 1071, 791, 9293 3.1, 768, 792, 8200 8.1.

/// The frame with its IPv4, TCP, UDP and ICMP checksums filled in. What is no whole IP packet stays as it is.
pub(crate) fn repaired(mut frame: Vec<u8>) -> Vec<u8> {
    let _ = repair(&mut frame);
    frame
}

/// Fills in the checksums of a frame. `None`: it is no whole IP packet.
pub(crate) fn repair(frame: &mut [u8]) -> Option<()> {
    let mut at = 12;
    while let [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] = frame.get(at..at + 2)? {
        at += 4;
    }
    let four = match frame.get(at..at + 2)? {
        [0x08, 0x00] => true,
        [0x86, 0xdd] => false,
        _ => return None,
    };
    let packet = frame.get_mut(at + 2..)?;
    let length =
        |packet: &[u8], at: usize| Some(usize::from(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?])));
    let (header, total, protocol, addresses) = if four {
        let header = usize::from(packet.first()? & 0x0f) * 4;
        packet.get_mut(10..12)?.fill(0);
        let header_sum = finish(sum(packet.get(..header)?));
        packet.get_mut(10..12)?.copy_from_slice(&header_sum);
        (header, length(packet, 2)?, *packet.get(9)?, sum(packet.get(12..20)?))
    } else {
        (40, 40 + length(packet, 4)?, *packet.get(6)?, sum(packet.get(8..40)?))
    };
    let segment = packet.get_mut(header..total)?;
    let place = match protocol {
        6 => 16,
        17 => 6,
        1 | 58 => 2,
        _ => return None,
    };
    segment.get_mut(place..place + 2)?.fill(0);
    let pseudo = if protocol == 1 { 0 } else { addresses + u64::from(protocol) + segment.len() as u64 };
    let mut found = finish(pseudo + sum(segment));
    if protocol == 17 && found == [0, 0] {
        found = [0xff, 0xff];
    }
    segment.get_mut(place..place + 2)?.copy_from_slice(&found);
    Some(())
}

/// The sum of 16-bit words, an odd byte padded with zero.
fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low))).sum()
}

fn finish(mut sum: u64) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!(sum as u16)).to_be_bytes()
}
