//! Object headers of a request, and the objects behind them. IEEE 1815 4.2.2.7.
//!
//! A record is added for each range of indexes. Where the request names no index (all objects, or a number of them) the
//! range is all there are. Objects with an index in front have a record each.

use core::hint::black_box;

use super::user::{Addresses, Frame};
use super::{abandon, add, blame, context, finish, functions, last, limits, link, sizes, state, values};
use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Group of authentication, whose objects stand in requests of every function, A.45.
const AUTHENTICATION: u32 = 120;
/// Group of time and date, A.28.
const TIME: u32 = 50;

/// The qualifier octet: how objects are counted, and what stands in front of each, 4.2.2.7.3.
#[derive(Clone, Copy)]
struct Qualifier(u32);

/// What each range specifier code has, from 0 to 15: bytes of one number of its range field in the lower four bits, 16 where
/// there are two, and 32 for each kind of prefix that goes with it: none, an index, a size.
static RANGES: [u8; 16] = [0x31, 0x32, 0x34, 0x31, 0x32, 0x34, 0x20, 0x61, 0x62, 0x64, 0, 0x81, 0, 0, 0, 0];

impl Qualifier {
    /// All objects: no range field.
    const ALL: u32 = 6;

    const fn specifier(self) -> u32 {
        self.0 & 15
    }

    const fn prefix(self) -> u32 {
        self.0 >> 4 & 7
    }

    /// Prefixes are sizes, not indexes.
    const fn is_sized(self) -> bool {
        self.prefix() > 3
    }

    /// Bytes of each prefix: codes 1 to 3 and 4 to 6.
    const fn prefix_width(self) -> u32 {
        0x0421_4210 >> (self.prefix() << 2) & 15
    }

    /// No prefix, an index, a size.
    const fn prefix_kind(self) -> u32 {
        0x3222_1110 >> (self.prefix() << 2) & 3
    }

    /// The row of [`RANGES`]. A load, not a choice: the paths of one would multiply those behind it.
    #[inline(always)]
    fn row(self) -> u32 {
        match RANGES.get(black_box(self.0) as usize & 15) {
            Some(row) => *row as u32,
            None => 0,
        }
    }
}

/// Reads the next object header. At the end of the objects the fragment ends too, or waits for its next segment.
#[inline(always)]
pub(super) fn header<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let frame = Frame::of(scratch);
    let at = scratch.walking.at;
    let function = context::function(scratch.stream.context);
    if at >= frame.length {
        return end(function, scratch);
    }
    let Some(three) = frame.four(bytes, at) else {
        return link::stop(scratch, Reason::Truncated);
    };
    let qualifier = Qualifier(three >> 16 & 0xff);
    let row = qualifier.row();
    let (width, spans) = (row & 7, row & 16);
    let data = at.wrapping_add(3).wrapping_add(width << (spans >> 4 & 1));
    let group = three & 0xff;
    let Some(operation) = next(bytes, function, scratch) else {
        return false;
    };
    operation.space = group << 8 | three >> 8 & 0xff;
    operation.last = u32::MAX;
    let kind = qualifier.prefix_kind();
    let known = qualifier.0 < 0x70 && row >> 5 >> kind & 1 != 0;
    let head = at.wrapping_add(3);
    let bare = function == functions::code::READ && qualifier.0 == Qualifier::ALL && group != AUTHENTICATION;
    if bare && head <= frame.length {
        // What most polls are made of: no field of the header is left to read, and no object follows.
        return advance(scratch, head, 0);
    }
    // Written down, and read back below: the paths join.
    scratch.walking.found = if head > frame.length || (known && data > frame.length) {
        1
    } else if !known {
        2
    } else if functions::is_without_objects(function) && group != AUTHENTICATION {
        3
    } else if scratch.walking.seen & state::LATER != 0 && functions::is_control(function) {
        // What an output does stands in the first segment, or is not read.
        4
    } else {
        0
    };
    let scratch = scratch.anew();
    match scratch.walking.found {
        0 => {}
        1 => return cut(scratch),
        2 => return fail(scratch, Reason::OutOfRange),
        3 => return fail(scratch, Reason::LengthMismatch),
        _ => return fail(scratch, Reason::SplitUnit),
    }
    let (Some(low), Some(high)) = (frame.four(bytes, head), frame.four(bytes, head.wrapping_add(4))) else {
        return link::stop(scratch, Reason::Truncated);
    };
    let numbers = (high as u64) << 32 | low as u64;
    let mask = (1u64 << (width << 3 & 63)).wrapping_sub(1);
    let number = |at: u32| (numbers >> (at & 63) & mask & 0xffff_ffff) as u32;
    let (first, second) = (number(0), number(width << 3));
    let scratch = scratch.anew();
    let Some(operation) = last(scratch) else {
        return false;
    };
    let mut count = first;
    if spans != 0 {
        operation.first = first;
        operation.last = second;
        count = second.wrapping_sub(first).wrapping_add(1);
    }
    let all = qualifier.specifier() == Qualifier::ALL;
    if (spans != 0 && second < first) || (count == 0 && !all) {
        return fail(scratch, Reason::OutOfRange);
    }
    scratch.walking.found = count;
    scratch.walking.at = data;
    if has_data(group, function) {
        scratch.walking.seen |= state::WRITTEN;
    }
    let scratch = scratch.anew();
    if qualifier.prefix() != 0 {
        return prefixed(qualifier, scratch);
    }
    if scratch.walking.seen & state::WRITTEN == 0 {
        return advance(scratch, data, 0);
    }
    if qualifier.specifier() == Qualifier::ALL {
        return fail(scratch, Reason::OutOfRange);
    }
    plain(bytes, scratch)
}

/// True where objects are written out behind their header.
#[inline(always)]
const fn has_data(group: u32, function: u32) -> bool {
    (function >= functions::code::WRITE && function <= functions::code::DIRECT_OPERATE_NO_ACK)
        || group == AUTHENTICATION
        || (group == TIME && functions::freezes_at_time(function))
}

/// Objects with a prefix, which the next turns read one by one.
#[inline(always)]
fn prefixed(qualifier: Qualifier, scratch: &mut Scratch) -> bool {
    let count = scratch.walking.found;
    let sized = qualifier.is_sized();
    let space = match last(scratch) {
        Some(operation) => operation.space,
        None => 0,
    };
    scratch.walking.found = 0;
    if !sized && scratch.walking.seen & state::WRITTEN != 0 {
        let size = sizes::of(space >> 8, space & 0xff);
        if size == sizes::UNKNOWN {
            return fail(scratch, Reason::BeyondInspection);
        }
        if size >= sizes::ONE_BIT {
            return fail(scratch, Reason::OutOfRange);
        }
        scratch.walking.found = size;
    }
    if count > limits::PREFIXED {
        return fail(scratch, Reason::BeyondInspection);
    }
    let scratch = scratch.anew();
    let size = scratch.walking.found;
    let kept = scratch.walking.seen & (state::FINAL | state::LATER);
    let kind = if sized { state::SIZED } else { state::EMPTY };
    let each = qualifier.prefix_width() << state::PREFIX | size << state::SIZE;
    scratch.walking.seen = kept | kind | state::OBJECT | each | count << state::LEFT;
    true
}

/// Objects without prefix: all their bytes, at once.
#[inline(always)]
fn plain<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let frame = Frame::of(scratch);
    let (count, data) = (scratch.walking.found, scratch.walking.at);
    let space = match last(scratch) {
        Some(operation) => operation.space,
        None => 0,
    };
    let size = sizes::of(space >> 8, space & 0xff);
    if size == sizes::UNKNOWN || count > 0xffff || (size == sizes::ATTRIBUTE && count != 1) {
        return fail(scratch, Reason::BeyondInspection);
    }
    let Some(four) = frame.four(bytes, data) else {
        return link::stop(scratch, Reason::Truncated);
    };
    scratch.walking.found = data.wrapping_add(match size {
        sizes::ONE_BIT => count.wrapping_add(7) >> 3,
        sizes::TWO_BITS => count.wrapping_add(3) >> 2,
        // Type, length, and as many bytes.
        sizes::ATTRIBUTE => (four >> 8 & 0xff).wrapping_add(2),
        _ => count.wrapping_mul(size),
    });
    let scratch = scratch.anew();
    let behind = scratch.walking.found;
    if count == 1
        && behind <= frame.length
        && let Some(operation) = last(scratch)
    {
        values::read(bytes, &frame, space, data, operation);
    }
    advance(scratch.anew(), behind, 0)
}

/// Reads the next object with a prefix.
#[inline(always)]
pub(super) fn object<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let frame = Frame::of(scratch);
    let (at, seen) = (scratch.walking.at, scratch.walking.seen);
    let function = context::function(scratch.stream.context);
    let width = seen >> state::PREFIX & 7;
    let data = at.wrapping_add(width);
    let left = (seen >> state::LEFT).saturating_sub(1);
    let space = match last(scratch) {
        Some(last) => last.space,
        None => 0,
    };
    if data > frame.length {
        return cut(scratch);
    }
    // One, two or four bytes: all bits of four where there are as many.
    let mask = (1u64 << (width << 3 & 63)).wrapping_sub(1);
    let Some(four) = frame.four(bytes, at) else {
        return link::stop(scratch, Reason::Truncated);
    };
    let prefix = (four as u64 & mask & 0xffff_ffff) as u32;
    let sized = seen & state::SIZED != 0;
    let size = if sized { prefix } else { seen >> state::SIZE & 0xff };
    let behind = data.saturating_add(size);
    let operation = if sized { last(scratch) } else { next(bytes, function, scratch) };
    let Some(operation) = operation else {
        return false;
    };
    if !sized {
        operation.space = space;
        operation.first = prefix;
        operation.last = prefix;
    }
    if size != 0 && behind <= frame.length {
        values::read(bytes, &frame, space, data, operation);
    }
    scratch.walking.seen = seen & !state::EMPTY & !(0xff << state::LEFT) | left << state::LEFT;
    advance(scratch.anew(), behind, left)
}

/// The record for the next range: the request's own while it has none, else a further one.
#[inline(always)]
fn next<'a, B: Bytes + ?Sized>(bytes: &B, function: u32, scratch: &'a mut Scratch) -> Option<&'a mut Operation> {
    if scratch.walking.seen & state::EMPTY != 0 {
        scratch.walking.seen &= !state::EMPTY;
        return last(scratch);
    }
    let addresses = Addresses::of(bytes, scratch)?;
    // Between two segments of a fragment there are only messages: a request in front of this one is the same.
    let (mut flags, mut transaction) = (0, addresses.source << 5);
    if scratch.count != 0
        && let Some(before) = last(scratch)
        && before.role == Role::Request as u8
        && before.function == function
    {
        flags = Operation::CONTINUES;
        transaction = before.transaction;
    }
    let operation = add(scratch, Role::Request, function)?;
    operation.unit = addresses.destination;
    operation.transaction = transaction;
    operation.access = functions::access(function);
    operation.flags |= flags;
    Some(operation)
}

/// What is missing stands in the next segment; behind the last one, nowhere.
#[inline(always)]
fn cut(scratch: &mut Scratch) -> bool {
    if scratch.walking.seen & state::FINAL != 0 {
        return fail(scratch, Reason::LengthMismatch);
    }
    fail(scratch, Reason::SplitUnit)
}

/// Goes on at `to`, with `left` objects of the header that is being read. An object may end in the next segments; one that
/// begins there may not.
#[inline(always)]
fn advance(scratch: &mut Scratch, to: u32, left: u32) -> bool {
    let length = scratch.walking.end;
    if to <= length {
        scratch.walking.at = to;
        if left == 0 {
            let kept = scratch.walking.seen & (state::FINAL | state::LATER);
            scratch.walking.seen = kept | state::HEADER;
        }
        return true;
    }
    let rest = to.wrapping_sub(length);
    if left != 0 || scratch.walking.seen & state::FINAL != 0 {
        return cut(scratch);
    }
    if rest > limits::REST {
        return fail(scratch, Reason::BeyondInspection);
    }
    scratch.stream.context = context::with_rest(scratch.stream.context, rest);
    finish(scratch)
}

/// The last record bears the fault, and the rest of its fragment is not read.
#[inline(always)]
fn fail(scratch: &mut Scratch, reason: Reason) -> bool {
    if let Some(operation) = last(scratch) {
        blame(operation, reason);
    }
    abandon(scratch)
}

/// Behind the last object of the segment.
#[inline(always)]
fn end(function: u32, scratch: &mut Scratch) -> bool {
    if scratch.walking.seen & state::FINAL != 0 {
        return abandon(scratch);
    }
    if scratch.walking.seen & state::EMPTY != 0 && functions::is_control(function) {
        return fail(scratch, Reason::SplitUnit);
    }
    finish(scratch)
}
