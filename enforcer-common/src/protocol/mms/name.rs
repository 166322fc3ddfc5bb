//! Names: the numbers that stand for them, and what IEC 61850 says by them (IEC 61850-8-1 7.3): logical node, functional
//! constraint, data objects and attributes with `$` between.

use core::hint::black_box;

use super::functions::{access_of, service, space};
use super::grammar::{state, step};
use super::{broken, limits, seen};
use crate::bytes::Bytes;
use crate::protocol::framing;
use crate::protocol::tables::{NAME_START, name_part, name_piece};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// What functional constraints make of a write.
mod constraint {
    /// Nothing of its own.
    pub(super) const OTHER: u32 = 0;
    /// A control.
    pub(super) const CONTROL: u32 = 1;
}

/// A functional constraint as its two letters.
const fn letters([first, second]: [u8; 2]) -> u32 {
    (first as u32 & 31) << 5 | second as u32 & 31
}

/// Kinds of objects by functional constraint: [`constraint`], or the kind itself.
static CONSTRAINTS: [u32; 1024] = {
    let rows: [([u8; 2], u32); 13] = [
        (*b"CO", constraint::CONTROL),
        (*b"SP", space::SETTING),
        (*b"SG", space::SETTING),
        (*b"SE", space::SETTING),
        (*b"CF", space::SETTING),
        (*b"BR", space::CONTROL_BLOCK),
        (*b"RP", space::CONTROL_BLOCK),
        (*b"LG", space::CONTROL_BLOCK),
        (*b"GO", space::CONTROL_BLOCK),
        (*b"GS", space::CONTROL_BLOCK),
        (*b"MS", space::CONTROL_BLOCK),
        (*b"US", space::CONTROL_BLOCK),
        (*b"SV", space::SUBSTITUTION),
    ];
    let mut all = [constraint::OTHER; 1024];
    let mut rest = &rows as &[([u8; 2], u32)];
    while let [(name, kind), tail @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            all[letters(*name) as usize] = *kind;
        }
        rest = tail;
    }
    all
};

static READS: [u8; 16] = access_of(service::READ);
static WRITES: [u8; 16] = access_of(service::WRITE);

/// Begins the part of a name whose identifier stands from `nesting.from` to `nesting.number`.
#[inline(always)]
pub(super) fn begin(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    let row = nesting.index;
    let length = nesting.number.wrapping_sub(nesting.from);
    if length > limits::NAME || nesting.number > nesting.until {
        broken(scratch, Reason::BeyondInspection);
        return;
    }
    if length == 0 {
        broken(scratch, Reason::OutOfRange);
        return;
    }
    if row & step::FIRST != 0 {
        nesting.name = NAME_START;
    }
    if row & step::OWN != 0 {
        nesting.name = name_piece(name_part(NAME_START, 1), b'@' as u64);
    }
    nesting.name = name_part(nesting.name, length);
    nesting.left = length;
    let last = if row & step::LAST == 0 { 0 } else { seen::LAST };
    let kept = nesting.seen & (1u32 << seen::THEN).wrapping_sub(1);
    let kept = kept & !(seen::LAST | seen::DIVIDED | seen::CONSTRAINT);
    nesting.seen = kept | last | (row & step::NEXT) << seen::THEN;
    nesting.purpose = state::NAME;
}

/// Takes up to eight characters of it.
#[inline(always)]
pub(super) fn piece<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let count = scratch.nesting.left.min(8);
    let end = scratch.nesting.at.wrapping_add(count);
    // More than as many bytes stand in front of any name.
    let word = black_box(match bytes.read::<8>(end.wrapping_sub(8)) {
        Some(word) => u64::from_be_bytes(word),
        None => 0,
    });
    let word = if count >= 8 { word } else { word & (1u64 << (count << 3 & 63)).wrapping_sub(1) };
    let nesting = &mut scratch.nesting;
    nesting.name = name_piece(nesting.name, word);
    nesting.left = nesting.left.wrapping_sub(count);
    nesting.at = end;
    if nesting.seen & seen::DIVIDED == 0 {
        divide(bytes, end, word, scratch.anew());
    }
}

/// Looks for the first `$` in the characters in front of `end`.
#[inline(always)]
fn divide<B: Bytes + ?Sized>(bytes: &B, end: u32, word: u64, scratch: &mut Scratch) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let other = word ^ 0x2424_2424_2424_2424;
    // The top bit of each character that is one, without carries between them.
    let found = !((other & LOW).wrapping_add(LOW) | other | LOW);
    if found == 0 {
        return;
    }
    let at = end.wrapping_sub(8).wrapping_add(found.leading_zeros() >> 3);
    let letters = black_box(bytes.u16(at.wrapping_add(1)).unwrap_or(0)) as u32 & 0xdfdf;
    let behind = at.wrapping_add(3);
    let next = black_box(bytes.u8(behind).unwrap_or(0));
    let nesting = &mut scratch.nesting;
    let constraint = behind == nesting.number || behind < nesting.number && next == b'$';
    let [_, _, first, second] = letters.to_be_bytes();
    let letters = self::letters([first, second]) << seen::LETTERS;
    let kept = nesting.seen & (1u32 << seen::LETTERS).wrapping_sub(1);
    nesting.seen = kept | seen::DIVIDED | if constraint { seen::CONSTRAINT | letters } else { 0 };
}

/// Gives the last record the object whose name was read.
#[inline(always)]
pub(super) fn end<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let number = scratch.nesting.name;
    let write = scratch.nesting.seen & seen::WRITE != 0;
    let end = scratch.nesting.number;
    let mut space = scratch.nesting.unit;
    if space == space::VARIABLE {
        let kind = constraint(scratch);
        if kind == constraint::CONTROL {
            space = control(bytes, end, write);
        } else if kind != constraint::OTHER && write {
            space = kind;
        }
    }
    let scratch = scratch.anew();
    let accessed = scratch.nesting.seen & seen::ACCESS != 0;
    let Some(operation) = framing::last(scratch) else {
        return;
    };
    operation.space = black_box(space);
    operation.first = number;
    operation.last = number;
    if accessed {
        let classes = if write { &WRITES } else { &READS };
        if let Some(class) = classes.get(black_box(space) as usize & 15) {
            operation.access = *class;
        }
    }
}

/// What the functional constraint of the name that was read makes of it.
#[inline(always)]
fn constraint(scratch: &Scratch) -> u32 {
    if scratch.nesting.seen & seen::CONSTRAINT == 0 {
        return constraint::OTHER;
    }
    match CONSTRAINTS.get(black_box(scratch.nesting.seen >> seen::LETTERS) as usize & 1023) {
        Some(kind) => *kind,
        None => constraint::OTHER,
    }
}

/// True where the name that was read has a functional constraint, and not that of controls.
#[inline(always)]
pub(super) fn is_divided(scratch: &Scratch) -> bool {
    scratch.nesting.seen & seen::CONSTRAINT != 0 && constraint(scratch) != constraint::CONTROL
}

/// What a read or a write of something with functional constraint CO is, by the last component of the name
/// (IEC 61850-8-1 clause 20). What is none of them operates, as far as anyone knows.
#[inline(always)]
fn control<B: Bytes + ?Sized>(bytes: &B, end: u32, write: bool) -> u32 {
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let word = black_box(match bytes.read::<8>(end.wrapping_sub(8)) {
        Some(word) => u64::from_be_bytes(word) | SMALL,
        None => 0,
    });
    if !write {
        return if word & 0xffff_ffff == 0x2473_626f { space::SELECT } else { space::VARIABLE };
    }
    if word & 0xff_ffff_ffff == 0x24_7362_6f77 {
        space::SELECT_WITH_VALUE
    } else if word & 0xff_ffff_ffff_ffff == 0x24_6361_6e63_656c {
        space::CANCEL
    } else {
        space::OPERATE
    }
}
