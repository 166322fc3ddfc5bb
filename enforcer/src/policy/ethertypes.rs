//! The words of `[[ethernet]]`: names and numbers of frames that are not IP.

use super::range;
use crate::document::nearest;

/// Frames that are not IP, by name. Below 0x600: the DSAP of an 802.3 frame.
const ETHERNET: &[(&str, u16)] = &[
    ("arp", 0x0806),
    ("lldp", 0x88cc),
    ("stp", 0x0042),
    ("profinet", 0x8892),
    ("goose", 0x88b8),
    ("sv", 0x88ba),
    ("ethercat", 0x88a4),
];

/// The ethertype that an entry of `types` stands for.
pub(super) fn ethertype(word: &str) -> Result<u16, String> {
    if let Some((_, number)) = ETHERNET.iter().find(|(name, _)| *name == word) {
        return Ok(*number);
    }
    if matches!(word, "ip" | "ipv4" | "ipv6") {
        return Err(format!("type \"{word}\" is IP and is decided by conduits, not by [[ethernet]]"));
    }
    match range::number(word) {
        Some(0x0800 | 0x86dd) => Err(format!("type {word} is IP and is decided by conduits, not by [[ethernet]]")),
        Some(0x8100 | 0x88a8 | 0x9100) => Err(format!("type {word} is a VLAN tag; name the type behind the tag")),
        Some(number @ (1..=0xff | 0x0600..=0xffff)) => Ok(u16::try_from(number).unwrap_or(u16::MAX)),
        Some(_) => {
            Err(format!("type {word} is no ethertype; possible are 0x0600 to 0xffff, or an LLC address below 0x100"))
        }
        None => {
            let known: Vec<&str> = ETHERNET.iter().map(|(name, _)| *name).collect();
            let end = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("possible are {}, or a number", known.join(", ")),
            };
            Err(format!("unknown type \"{word}\"; {end}"))
        }
    }
}

/// The word for an ethertype, its number when it has none.
pub fn ethertype_name(number: u16) -> String {
    match ETHERNET.iter().find(|(_, known)| *known == number) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("0x{number:04x}"),
    }
}
