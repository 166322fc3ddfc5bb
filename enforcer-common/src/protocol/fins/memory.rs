//! Memory areas: which objects a command reads or writes. W342 5-2-2 gives the codes.
//!
//! One area has several codes (its words, its bits, both with forced status), and some codes exist in several series. An
//! object is a word of 16 bits with its bits as members, whatever code names it, so that a rule holds for all of them.

use core::hint::black_box;

use super::functions::space;

/// What a memory area code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// Kind of object.
    pub space: u32,
    /// 1 where an element is a bit of a word, else 0.
    pub bits: u32,
    /// Bytes of an element.
    pub size: u32,
    /// 1 where the code is one of the table, so that the rest is sure, else 0.
    pub named: u32,
}

/// Reads a memory area code. From a table: the kernel's verifier follows every arm of a match by itself.
#[inline(always)]
pub(super) fn area(code: u8) -> Area {
    let entry = match AREAS.get(black_box(code) as usize & 255) {
        Some(entry) => *entry,
        None => 0,
    };
    Area { space: entry & 0xffff, bits: entry >> 16 & 1, size: entry >> SIZE & 15, named: entry >> 17 & 1 }
}

/// How an entry is packed: the space below, then these.
const BITS: u32 = 1 << 16;
const NAMED: u32 = 1 << 17;
const SIZE: u32 = 20;

static AREAS: [u32; 256] = {
    let mut areas = [0; 256];
    let mut code = 0u8;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    loop {
        areas[code as usize] = entry(code);
        if code == u8::MAX {
            break;
        }
        code = code.wrapping_add(1);
    }
    areas
};

const fn entry(code: u8) -> u32 {
    let space = space(code);
    let forced = matches!(code, 0xf0..=0xf3);
    // Flags are a list of their own, one a word.
    let flags = space == space::TIMER_FLAG;
    let single = match code {
        0xe0..=0xe8 => true,
        0x60..=0x68 => false,
        _ => code & 0x80 == 0,
    };
    // Words with their forced status and index registers have four bytes.
    let size = if single {
        1
    } else if forced || code == 0xdc {
        4
    } else {
        2
    };
    let bits = if single && !flags { BITS } else { 0 };
    let named = if space < space::AREA { NAMED } else { 0 };
    space | bits | named | size << SIZE
}

const fn space(code: u8) -> u32 {
    match code {
        0x30 | 0x70 | 0xb0 | 0xf0 => space::CIO,
        0x31 | 0x71 | 0xb1 | 0xf1 => space::WORK,
        0x32 | 0x72 | 0xb2 | 0xf2 => space::HOLDING,
        0x33 | 0x73 | 0xb3 | 0xf3 => space::AUXILIARY,
        0x02 | 0x82 => space::DATA,
        0x89 | 0x81 => space::TIMER,
        0x09 | 0x49 | 0x01 | 0x41 => space::TIMER_FLAG,
        0x0a | 0x98 => space::EXTENDED,
        0x20..=0x2f | 0xa0..=0xaf => space::BANK.wrapping_add((code & 0x0f) as u32),
        0x60..=0x68 | 0xe0..=0xe8 => space::BANK.wrapping_add(16).wrapping_add((code & 0x0f) as u32),
        _ => space::AREA.wrapping_add(code as u32),
    }
}
