//! The walk through elements, one of them or one piece of a name in each turn.

use core::hint::black_box;

use super::functions::{service, space};
use super::grammar::{ENDS, STEPS, TAG_KINDS, WRITTEN, state, step};
use super::{ber, broken, limits, name, phase, seen, value};
use crate::bytes::Bytes;
use crate::protocol::framing;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Takes one turn.
#[inline(always)]
pub(super) fn turn<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.purpose == state::NAME {
        name::piece(bytes, scratch);
        let scratch = scratch.anew();
        if scratch.nesting.left == 0 && scratch.nesting.state == phase::WALK {
            named(bytes, scratch);
        }
        return;
    }
    let nesting = &scratch.nesting;
    if nesting.at >= nesting.end {
        ended(scratch);
        return;
    }
    // Values that are not here are not needed.
    let beyond = nesting.at.wrapping_add(10) > nesting.until && nesting.until < nesting.size;
    if WRITTEN >> (nesting.purpose & 63) & 1 != 0 && beyond {
        scratch.nesting.state = phase::DONE;
        return;
    }
    if ber::head(bytes, scratch) {
        element(bytes, scratch.anew());
    }
}

/// Does with the element that was read what the grammar says.
#[inline(always)]
fn element<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let kind = match TAG_KINDS.get(black_box(scratch.nesting.list) as usize & 0xff) {
        Some(kind) => *kind as u32,
        None => 0,
    };
    let place = scratch.nesting.purpose << 5 | kind & 31;
    let row = match STEPS.get(black_box(place) as usize & 2047) {
        Some(row) => *row,
        None => 0,
    };
    if row & step::TAKEN == 0 {
        broken(scratch, Reason::MalformedFraming);
        return;
    }
    if row & step::UNREAD != 0 {
        broken(scratch, Reason::BeyondInspection);
        return;
    }
    let nesting = &mut scratch.nesting;
    if row & step::EXACT != 0 && nesting.number != nesting.end {
        // Names of files may have several parts.
        let parts = nesting.purpose == state::FILE;
        broken(scratch, if parts { Reason::BeyondInspection } else { Reason::LengthMismatch });
        return;
    }
    nesting.purpose = row & step::NEXT;
    // Kept for what follows, of which each part begins with nothing known.
    nesting.index = row;
    let scratch = scratch.anew();
    moved(scratch);
    let scratch = scratch.anew();
    if scratch.nesting.index & step::NAME != 0 {
        name::begin(scratch);
        return;
    }
    let scratch = scratch.anew();
    if scratch.nesting.index & (step::LIST | step::VARIABLE | step::NAMED_LIST | step::UNNAMED) != 0 {
        variable(scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.index & step::PARTS != 0 {
        parts(scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.index & (step::VALUE | step::STRUCTURE) != 0 {
        value::read(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.index & step::VALUES != 0 {
        values(scratch);
    }
    let scratch = scratch.anew();
    if scratch.nesting.index & step::ONE != 0 {
        scratch.nesting.count = scratch.nesting.count.wrapping_sub(1);
    }
    if scratch.nesting.index & step::END != 0 {
        scratch.nesting.state = phase::DONE;
    }
}

/// Goes into the element, or behind it.
#[inline(always)]
const fn moved(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    if nesting.index & step::NAME != 0 {
        nesting.at = nesting.from;
    } else if nesting.index & step::ENTER != 0 {
        nesting.at = nesting.from;
        // A variable's end, where that of a list or a name is known again behind it.
        if nesting.index & step::VARIABLE != 0 {
            nesting.path_end = nesting.number;
        }
        if nesting.index & step::LIST != 0 {
            nesting.list_end = nesting.number;
        }
        nesting.end = nesting.number;
    } else {
        nesting.at = nesting.number;
    }
}

/// A list of variables, a variable in it, or one that has no name.
#[inline(always)]
fn variable(scratch: &mut Scratch) {
    let row = scratch.nesting.index;
    let write = scratch.nesting.seen & seen::WRITE != 0;
    if row & step::LIST != 0 {
        scratch.nesting.seen |= seen::LISTED;
    } else if row & step::NAMED_LIST != 0 {
        scratch.nesting.unit = space::LIST;
        // The data of a write follow.
        scratch.nesting.list_end = scratch.nesting.number;
    } else if row & step::VARIABLE != 0 {
        scratch.nesting.unit = space::VARIABLE;
        scratch.nesting.seen &= !(seen::DIVIDED | seen::CONSTRAINT);
        let count = scratch.nesting.count;
        scratch.nesting.count = count.wrapping_add(1);
        if count != 0 && framing::continued(scratch).is_none() {
            scratch.nesting.state = phase::DONE;
        }
    } else if write {
        // Anything may lie at an address.
        broken(scratch, Reason::BeyondInspection);
    } else {
        if let Some(operation) = framing::last(scratch) {
            operation.space = space::ADDRESS;
        }
        scratch.nesting.end = scratch.nesting.path_end;
    }
}

/// Parts of a variable: which of them says a path that is not walked. Harmless where the name says already that no control
/// can be among them, IEC 61850-8-1 7.3.
#[inline(always)]
fn parts(scratch: &mut Scratch) {
    if !name::is_divided(scratch) {
        framing::fault(scratch, Reason::BeyondInspection);
    }
}

/// The data of a write: as many as there are variables. Of a named list nobody knows how many that are.
#[inline(always)]
const fn values(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    match nesting.count {
        0 => nesting.state = phase::DONE,
        1 => nesting.purpose = state::VALUE,
        _ => nesting.purpose = state::COUNT,
    }
}

/// A part of a name was read; the last one makes an object.
#[inline(always)]
fn named<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    if scratch.nesting.seen & seen::LAST == 0 {
        scratch.nesting.purpose = scratch.nesting.seen >> seen::THEN & step::NEXT;
        return;
    }
    name::end(bytes, scratch);
    let scratch = scratch.anew();
    let nesting = &mut scratch.nesting;
    if nesting.seen & seen::LISTED != 0 {
        nesting.purpose = state::ALTERNATE;
        nesting.end = nesting.path_end;
    } else if nesting.seen & seen::WRITE != 0 {
        nesting.purpose = state::DATA;
        nesting.at = nesting.list_end;
        nesting.end = nesting.size;
    } else {
        nesting.state = phase::DONE;
    }
}

/// What is around ends here.
#[inline(always)]
fn ended(scratch: &mut Scratch) {
    let nesting = &mut scratch.nesting;
    let write = nesting.seen & seen::WRITE != 0;
    if nesting.purpose == state::ALTERNATE {
        nesting.purpose = state::ITEM;
        nesting.end = nesting.list_end;
    } else if nesting.purpose == state::ITEM && nesting.count == 0 {
        broken(scratch, Reason::OutOfRange);
    } else if nesting.purpose == state::ITEM && write {
        nesting.purpose = state::DATA;
        nesting.end = nesting.size;
    } else if nesting.purpose == state::ITEM
        || ENDS >> (nesting.purpose & 63) & 1 != 0
        || nesting.purpose == state::COUNT && nesting.count == 0
    {
        nesting.state = phase::DONE;
    } else {
        broken(scratch, Reason::LengthMismatch);
    }
}

const _: () = assert!(service::LAST < 128 && limits::NAME < 256);
