//! Link types: whatever a capture was taken on, the core gets an Ethernet frame.
//!
//! Enters: a record's link type and bytes. Leaves: an Ethernet frame; Ethernet passes untouched, all others get a
//! synthetic header whose ethertype is the right one and whose addresses are `02:00` and the last four bytes of the IP
//! address (the same that the lab puts on the wire). A link type that is not known is an error; a record too short for
//! its own link header is not: its bytes follow under an ethertype that nobody speaks, so the core judges it.

use std::borrow::Cow;

use thiserror::Error;

const ETHERNET_HEADER: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
/// Reserved by IANA: what the record carries can't be told.
const UNSPOKEN: u16 = 0xFFFF;

/// The link types of captures that replay reads (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    /// BSD loopback, the address family in the byte order of the machine that captured.
    Null,
    /// OpenBSD loopback, the address family in network byte order.
    Loop,
    /// An IP packet, its version in the first nibble.
    Raw,
    /// Linux "any" device.
    Cooked,
    /// Linux "any" device, second header.
    CookedV2,
}

/// A link type that replay can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "link type {0} is not supported (supported: Ethernet 1, BSD loopback 0 and 108, raw IP 12, 14, 101, 228, 229, \
     Linux cooked 113 and 276)"
)]
pub struct UnknownLink(pub u32);

impl TryFrom<u32> for Link {
    type Error = UnknownLink;

    fn try_from(number: u32) -> Result<Self, UnknownLink> {
        match number {
            1 => Ok(Self::Ethernet),
            0 => Ok(Self::Null),
            108 => Ok(Self::Loop),
            12 | 14 | 101 | 228 | 229 => Ok(Self::Raw),
            113 => Ok(Self::Cooked),
            276 => Ok(Self::CookedV2),
            other => Err(UnknownLink(other)),
        }
    }
}

impl Link {
    /// The record as an Ethernet frame, and how many bytes longer it became (negative: shorter).
    pub fn ethernet(self, bytes: &[u8]) -> (Cow<'_, [u8]>, i64) {
        let (ethertype, skip, source) = match self {
            Self::Ethernet => return (Cow::Borrowed(bytes), 0),
            Self::Null | Self::Loop => (self.family(bytes), 4, None),
            Self::Raw => (ip_version(bytes), 0, None),
            Self::Cooked => (cooked_type(bytes, 14), 16, hardware(bytes, 4, 6)),
            Self::CookedV2 => (cooked_type(bytes, 0), 20, hardware(bytes, 11, 12)),
        };
        let payload = bytes.get(skip..).unwrap_or_default();
        let (from_ip, to_ip) = addresses(ethertype, payload);
        let mut frame = Vec::with_capacity(ETHERNET_HEADER + payload.len());
        frame.extend(to_ip);
        frame.extend(source.unwrap_or(from_ip));
        frame.extend(ethertype.to_be_bytes());
        frame.extend(payload);
        (Cow::Owned(frame), ETHERNET_HEADER as i64 - skip.min(bytes.len()) as i64)
    }

    /// The ethertype of an address family: 2 is IPv4 everywhere, IPv6 has a number per system.
    fn family(self, bytes: &[u8]) -> u16 {
        let Some(raw) = bytes.first_chunk() else {
            return UNSPOKEN;
        };
        let family = match self {
            Self::Loop => u32::from_be_bytes(*raw),
            // The capturing machine's order: a family is below 65536, so the half that holds it tells.
            Self::Null | Self::Ethernet | Self::Raw | Self::Cooked | Self::CookedV2 => match u32::from_le_bytes(*raw) {
                family @ 0..=0xFFFF => family,
                _ => u32::from_be_bytes(*raw),
            },
        };
        match family {
            2 => IPV4,
            // Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS
            10 | 23 | 24 | 28 | 30 => IPV6,
            _ => UNSPOKEN,
        }
    }
}

fn ip_version(packet: &[u8]) -> u16 {
    match packet.first().map(|first| first >> 4) {
        Some(4) => IPV4,
        Some(6) => IPV6,
        _ => UNSPOKEN,
    }
}

/// The protocol of a cooked header. Below 1536 it is not an ethertype but the kernel's name for a frame without one;
/// as the length of an 802.3 frame it would be read wrongly, so it becomes one that nobody speaks.
fn cooked_type(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(raw) if u16::from_be_bytes(*raw) >= 0x0600 => u16::from_be_bytes(*raw),
        _ => UNSPOKEN,
    }
}

/// The sender's hardware address of a cooked header, if it has six bytes and is not all zero (the loopback device).
fn hardware(bytes: &[u8], length_at: usize, at: usize) -> Option<[u8; 6]> {
    let length = match length_at {
        // v1 has two bytes of length, v2 one.
        4 => u16::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?]),
        other => u16::from(*bytes.get(other)?),
    };
    let address: [u8; 6] = bytes.get(at..)?.first_chunk().copied()?;
    (length == 6 && address != [0; 6]).then_some(address)
}

/// Hardware addresses for a packet that has none: sender's and receiver's.
fn addresses(ethertype: u16, packet: &[u8]) -> ([u8; 6], [u8; 6]) {
    let tail =
        |at: usize| -> [u8; 4] { packet.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default() };
    let (source, destination) = match ethertype {
        IPV4 => (tail(12), tail(16)),
        IPV6 => (tail(20), tail(36)),
        _ => ([0, 0, 0, 1], [0, 0, 0, 2]),
    };
    let local = |[a, b, c, d]: [u8; 4]| [2, 0, a, b, c, d];
    (local(source), local(destination))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 1, 2, 3, 10, 4, 5, 6];

    fn built(link: u32, header: &[u8]) -> (Vec<u8>, i64) {
        let record = [header, &PACKET[..]].concat();
        let (frame, grown) = Link::try_from(link).expect("a known link type").ethernet(&record);
        (frame.into_owned(), grown)
    }

    fn expected(source: [u8; 6], ethertype: [u8; 2]) -> Vec<u8> {
        [&[2, 0, 10, 4, 5, 6], &source[..], &ethertype, &PACKET].concat()
    }

    #[test]
    fn every_link_type_gives_the_same_packet() {
        let by_ip = expected([2, 0, 10, 1, 2, 3], [8, 0]);
        assert_eq!(built(0, &[2, 0, 0, 0]), (by_ip.clone(), 10));
        assert_eq!(built(0, &[0, 0, 0, 2]), (by_ip.clone(), 10));
        assert_eq!(built(108, &[0, 0, 0, 2]), (by_ip.clone(), 10));
        for raw in [12, 14, 101, 228, 229] {
            assert_eq!(built(raw, &[]), (by_ip.clone(), 14));
        }
        let cooked = [0, 0, 0, 1, 0, 6, 0, 0x1b, 0x1b, 1, 2, 3, 0, 0, 8, 0];
        assert_eq!(built(113, &cooked), (expected([0, 0x1b, 0x1b, 1, 2, 3], [8, 0]), -2));
        let loopback = [0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0];
        assert_eq!(built(113, &loopback), (by_ip.clone(), -2));
        let second = [8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 0, 0x1b, 0x1b, 1, 2, 3, 0, 0];
        assert_eq!(built(276, &second), (expected([0, 0x1b, 0x1b, 1, 2, 3], [8, 0]), -6));
    }

    #[test]
    fn ethernet_is_untouched_and_ipv6_is_found() {
        assert_eq!(Link::Ethernet.ethernet(&[1, 2, 3]), (Cow::Borrowed(&[1, 2, 3][..]), 0));
        let mut six = vec![30, 0, 0, 0, 0x60];
        six.resize(44, 7);
        let (frame, _) = Link::Null.ethernet(&six);
        assert_eq!(frame.get(12..14), Some(&[0x86, 0xDD][..]));
        assert_eq!(frame.get(..6), Some(&[2, 0, 7, 7, 7, 7][..]));
    }

    #[test]
    fn a_record_shorter_than_its_header_is_no_ip() {
        for link in [Link::Null, Link::Loop, Link::Raw, Link::Cooked, Link::CookedV2] {
            for bytes in [&[][..], &[2], &[2, 0, 0]] {
                let (frame, grown) = link.ethernet(bytes);
                assert_eq!(frame.get(12..14), Some(&[0xFF, 0xFF][..]), "{link:?}");
                assert_eq!(frame.len() as i64, bytes.len() as i64 + grown, "{link:?}");
            }
        }
    }

    #[test]
    fn an_unknown_link_type_says_what_is_known() {
        let error = Link::try_from(105).expect_err("802.11");
        assert!(error.to_string().starts_with("link type 105 is not supported"), "{error}");
    }
}
