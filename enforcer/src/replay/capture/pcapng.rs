//! The block format: sections, interfaces and packets of three kinds.
//!
//! Enters: a window on the file. Leaves: a record at a time; every packet block is one, as Wireshark counts them.
//! pcap-file frames the blocks (`RawBlock` checks both lengths). The bodies are read here, because its block readers
//! refuse valid files (if_tzone of four bytes, options without an end mark, a comment that is not UTF-8), take every tick
//! for a nanosecond, and leave the padding on a simple packet.

use std::borrow::Cow;
use std::io::Read;

use byteorder_slice::{BigEndian, LittleEndian};
use pcap_file::pcapng::RawBlock;

use super::window::Window;
use super::{Fault, Record};
use crate::replay::time::Timestamp;

/// Wireshark's bound; no packet and no table of names comes near it.
const LONGEST_BLOCK: usize = 16 << 20;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn u16(self, raw: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(raw),
            Self::Little => u16::from_le_bytes(raw),
        }
    }

    fn u32(self, raw: [u8; 4]) -> u32 {
        match self {
            Self::Big => u32::from_be_bytes(raw),
            Self::Little => u32::from_le_bytes(raw),
        }
    }

    /// The word at `at`, counted in bytes.
    fn word(self, body: &[u8], at: usize) -> Option<u32> {
        body.get(at..)?.first_chunk().map(|raw| self.u32(*raw))
    }
}

#[derive(Clone, Copy)]
struct Interface {
    link: u32,
    snap_length: u32,
    resolution: u8,
    offset: i64,
}

/// What the current section has said so far.
pub(super) struct Blocks {
    order: Order,
    interfaces: Vec<Interface>,
}

/// A packet as its block holds it: interface, ticks, captured length, original length, where its bytes begin.
struct Packet {
    interface: usize,
    ticks: Option<u64>,
    captured: usize,
    original: u32,
    at: usize,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self { order: Order::Little, interfaces: Vec::new() }
    }

    /// The next packet, `None` at the end of the file.
    pub(super) fn next<'w, R: Read>(&mut self, window: &'w mut Window<R>) -> Result<Option<Record<'w>>, Fault> {
        let (length, packet) = loop {
            let Some((kind, length)) = self.header(window)? else {
                return Ok(None);
            };
            let left = window.peek(length)?.len();
            if left < length {
                return Err(Fault::Cut { what: "block", needed: length, left });
            }
            window.advance(length);
            let block = self.framed(window.taken(length))?;
            let order = self.order;
            match kind {
                SECTION => self.interfaces.clear(),
                INTERFACE => self.interfaces.push(interface(order, &block.body)?),
                OBSOLETE_PACKET => break (length, obsolete(order, &block.body)?),
                SIMPLE_PACKET => break (length, self.simple(&block.body)?),
                ENHANCED_PACKET => break (length, enhanced(order, &block.body)?),
                // Names, statistics, secrets, comments: nothing that was on the wire.
                _ => {}
            }
        };
        let described = self.interfaces.len();
        let Some(interface) = self.interfaces.get(packet.interface) else {
            return Err(Fault::Interface { number: packet.interface, described });
        };
        let time = packet.ticks.map(|ticks| Timestamp::from_ticks(ticks, interface.resolution, interface.offset));
        let link = interface.link;
        let body = self.framed(window.taken(length))?.body;
        let end = packet.at.saturating_add(packet.captured);
        let bytes = match body {
            Cow::Borrowed(body) => body.get(packet.at..end).map(Cow::Borrowed),
            Cow::Owned(body) => body.get(packet.at..end).map(|bytes| Cow::Owned(bytes.to_vec())),
        };
        let bytes = bytes.ok_or(Fault::Block("a packet longer than its block"))?;
        Ok(Some(Record { link, time, original: packet.original, bytes }))
    }

    /// Kind and length of the next block; a section header also sets the byte order.
    fn header<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<(u32, usize)>, Fault> {
        let header = window.peek(12)?;
        let left = header.len();
        if left == 0 {
            return Ok(None);
        }
        let (Some(kind), Some(length), Some(magic)) =
            (self.order.word(header, 0), header.get(4..8), Order::Big.word(header, 8))
        else {
            return Err(Fault::Cut { what: "block", needed: 12, left });
        };
        // The type of a section header reads the same in both orders; its magic says which one holds from here.
        if kind == SECTION {
            self.order = match magic {
                0x1A2B_3C4D => Order::Big,
                0x4D3C_2B1A => Order::Little,
                _ => {
                    return Err(Fault::Block("a section header without its byte-order magic"));
                }
            };
        }
        let length = self.order.word(length, 0).unwrap_or_default() as usize;
        if length > LONGEST_BLOCK {
            return Err(Fault::TooLong { claimed: length });
        }
        if length < 12 {
            return Err(Fault::Block("a block shorter than its own header"));
        }
        Ok(Some((kind, length)))
    }

    fn framed<'b>(&self, bytes: &'b [u8]) -> Result<RawBlock<'b>, Fault> {
        let (_, block) = match self.order {
            Order::Big => RawBlock::from_slice::<BigEndian>(bytes)?,
            Order::Little => RawBlock::from_slice::<LittleEndian>(bytes)?,
        };
        Ok(block)
    }

    /// Simple packets belong to the first interface, have no time, and are cut at its snap length.
    fn simple(&self, body: &[u8]) -> Result<Packet, Fault> {
        let original = self.order.word(body, 0).ok_or(Fault::Block("a simple packet block without a length"))?;
        let limit = match self.interfaces.first().map(|interface| interface.snap_length) {
            None | Some(0) => u32::MAX,
            Some(limit) => limit,
        };
        let held = body.len().saturating_sub(4);
        let captured = (original.min(limit) as usize).min(held);
        Ok(Packet { interface: 0, ticks: None, captured, original, at: 4 })
    }
}

fn enhanced(order: Order, body: &[u8]) -> Result<Packet, Fault> {
    let fields = || {
        let (high, low) = (order.word(body, 4)?, order.word(body, 8)?);
        Some(Packet {
            interface: order.word(body, 0)? as usize,
            ticks: Some(u64::from(high) << 32 | u64::from(low)),
            captured: order.word(body, 12)? as usize,
            original: order.word(body, 16)?,
            at: 20,
        })
    };
    fields().ok_or(Fault::Block("an enhanced packet block shorter than its fields"))
}

/// The packet block that the enhanced one replaced: a shorter interface number and a drop counter, the rest alike.
fn obsolete(order: Order, body: &[u8]) -> Result<Packet, Fault> {
    let packet = enhanced(order, body)?;
    let interface = body.first_chunk().map(|raw| order.u16(*raw)).unwrap_or_default();
    Ok(Packet { interface: usize::from(interface), ..packet })
}

fn interface(order: Order, body: &[u8]) -> Result<Interface, Fault> {
    let (Some(raw), Some(snap_length)) = (body.first_chunk(), order.word(body, 4)) else {
        return Err(Fault::Block("an interface description shorter than its fields"));
    };
    let mut interface = Interface { link: u32::from(order.u16(*raw)), snap_length, resolution: 6, offset: 0 };
    let mut options = body.get(8..).unwrap_or_default();
    // Options end with code 0 or with the block; one that runs past the block ends them too.
    while let [a, b, c, d, rest @ ..] = options {
        let (code, length) = (order.u16([*a, *b]), usize::from(order.u16([*c, *d])));
        let Some(value) = rest.get(..length) else {
            break;
        };
        match (code, value) {
            (0, _) => break,
            (9, [resolution]) => interface.resolution = *resolution,
            (14, value) => {
                if let Ok(raw) = <[u8; 8]>::try_from(value) {
                    interface.offset = match order {
                        Order::Big => i64::from_be_bytes(raw),
                        Order::Little => i64::from_le_bytes(raw),
                    };
                }
            }
            _ => {}
        }
        options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(interface)
}
