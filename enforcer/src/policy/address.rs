//! Addresses of zones as people write them: `10.10.1.20`, `10.10.1.64/28`, `10.0.0.1-10.0.0.9`, the same for IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressRange {
    V4(u32, u32),
    V6(u128, u128),
}

impl AddressRange {
    /// Reads one entry of a zone. The error is the rest of a sentence that begins with the quoted text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some((address, length)) = text.split_once('/') {
            return Self::network(text, address, length);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (address(first)?, address(last)?) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => Ok(Self::V4(first.to_bits(), last.to_bits())),
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => Ok(Self::V6(first.to_bits(), last.to_bits())),
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                Err(format!("\"{text}\" ends before it begins"))
            }
            _ => Err(format!("\"{text}\" mixes IPv4 and IPv6")),
        }
    }

    fn network(text: &str, address_text: &str, length: &str) -> Result<Self, String> {
        let address = address(address_text)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length.parse() {
            Ok(length) if length <= most => length,
            _ => return Err(format!("\"{text}\" has a bad prefix length; possible are 0 to {most}")),
        };
        let (range, base) = match address {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(length).unwrap_or(0);
                let first = address.to_bits() & !host;
                (Self::V4(first, first | host), IpAddr::V4(Ipv4Addr::from_bits(first)))
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(length).unwrap_or(0);
                let first = address.to_bits() & !host;
                (Self::V6(first, first | host), IpAddr::V6(Ipv6Addr::from_bits(first)))
            }
        };
        if base != address {
            return Err(format!("\"{text}\" has bits behind the prefix; did you mean \"{base}/{length}\"?"));
        }
        Ok(range)
    }

    /// The first address that two ranges share.
    pub fn overlap(&self, other: &Self) -> Option<IpAddr> {
        match (*self, *other) {
            (Self::V4(a, b), Self::V4(c, d)) if a <= d && c <= b => Some(Ipv4Addr::from_bits(a.max(c)).into()),
            (Self::V6(a, b), Self::V6(c, d)) if a <= d && c <= b => Some(Ipv6Addr::from_bits(a.max(c)).into()),
            _ => None,
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (*self, address) {
            (Self::V4(first, last), IpAddr::V4(address)) => (first..=last).contains(&address.to_bits()),
            (Self::V6(first, last), IpAddr::V6(address)) => (first..=last).contains(&address.to_bits()),
            _ => false,
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last): (IpAddr, IpAddr) = match *self {
            Self::V4(first, last) => (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(last).into()),
            Self::V6(first, last) => (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(last).into()),
        };
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

/// One address. IPv4 mapped into IPv6 is refused: no such packet is on the wire, it would match nothing.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            Err(format!("\"{text}\" is an IPv4 address written as IPv6; write it as IPv4"))
        }
        Ok(address) => Ok(address),
        Err(_) => {
            Err(format!("\"{text}\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \"10.0.0.1-10.0.0.9\""))
        }
    }
}

/// A station's MAC address, `00:1b:1b:12:34:56` or with dashes.
pub(super) fn mac(text: &str) -> Result<[u8; 6], String> {
    let unreadable = || format!("\"{text}\" is not a MAC address; write \"00:1b:1b:12:34:56\"");
    let mut octets = [0; 6];
    let mut parts = text.trim().split([':', '-']);
    for octet in &mut octets {
        let part = parts.next().ok_or_else(unreadable)?;
        if part.len() != 2 || !part.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(unreadable());
        }
        *octet = u8::from_str_radix(part, 16).map_err(|_| unreadable())?;
    }
    if parts.next().is_some() {
        return Err(unreadable());
    }
    let [first, ..] = octets;
    if first & 1 == 1 || octets == [0; 6] {
        return Err(format!("\"{text}\" is a group or empty address, not that of one device"));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::{AddressRange, mac};

    #[test]
    fn single_addresses_networks_and_ranges_read() {
        let v4 = |a: [u8; 4], b: [u8; 4]| Ok(AddressRange::V4(u32::from_be_bytes(a), u32::from_be_bytes(b)));
        assert_eq!(AddressRange::parse("10.0.0.1"), v4([10, 0, 0, 1], [10, 0, 0, 1]));
        assert_eq!(AddressRange::parse("10.10.1.64/28"), v4([10, 10, 1, 64], [10, 10, 1, 79]));
        assert_eq!(AddressRange::parse("0.0.0.0/0"), v4([0; 4], [255; 4]));
        assert_eq!(AddressRange::parse("10.0.0.1 - 10.0.0.9"), v4([10, 0, 0, 1], [10, 0, 0, 9]));
        assert_eq!(AddressRange::parse("::/0"), Ok(AddressRange::V6(0, u128::MAX)));
        assert_eq!(AddressRange::parse("fe80::1-fe80::f").map(|range| range.to_string()), Ok("fe80::1-fe80::f".into()));
    }

    #[test]
    fn what_is_no_address_says_why() {
        let cases = [
            ("10.0.0.9-10.0.0.1", "\"10.0.0.9-10.0.0.1\" ends before it begins"),
            ("10.0.0.1-::1", "\"10.0.0.1-::1\" mixes IPv4 and IPv6"),
            ("10.0.0.0/33", "\"10.0.0.0/33\" has a bad prefix length; possible are 0 to 32"),
            ("10.0.0.5/24", "\"10.0.0.5/24\" has bits behind the prefix; did you mean \"10.0.0.0/24\"?"),
            ("::ffff:10.0.0.1", "\"::ffff:10.0.0.1\" is an IPv4 address written as IPv6; write it as IPv4"),
            ("plc", "\"plc\" is not an address; write \"10.0.0.1\", \"10.0.0.0/24\" or \"10.0.0.1-10.0.0.9\""),
        ];
        for (text, sentence) in cases {
            assert_eq!(AddressRange::parse(text).unwrap_err(), sentence);
        }
    }

    #[test]
    fn mac_addresses_read_and_group_addresses_are_refused() {
        assert_eq!(mac("00:1b:1B:12-34-56"), Ok([0, 0x1b, 0x1b, 0x12, 0x34, 0x56]));
        for text in ["00:1b:1b:12:34", "00:1b:1b:12:34:56:78", "0:1b:1b:12:34:56", "00:1b:1b:12:34:5g", ""] {
            assert!(mac(text).unwrap_err().contains("is not a MAC address"), "{text}");
        }
        for text in ["01:80:c2:00:00:0e", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"] {
            assert!(mac(text).unwrap_err().contains("is a group or empty address"), "{text}");
        }
    }
}
