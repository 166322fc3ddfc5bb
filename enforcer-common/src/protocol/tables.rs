//! The shape of a protocol's tables: plain data, from which policies are read and written, events named and pages made.

use core::hint::black_box;

use super::Protocol;
use crate::operation::Access;

/// All that the policy language has to know of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// IP protocol numbers that it travels on.
    pub transports: &'static [u8],
    /// Ethertype, for a protocol that travels in frames without IP.
    pub ethertype: Option<u16>,
    /// Its own server ports.
    pub ports: &'static [u16],
    /// Names of its functions.
    pub functions: &'static [Function],
    /// Kinds of its objects.
    pub spaces: &'static [Space],
    /// Largest function number that can stand in a policy.
    pub last_function: u32,
    /// Largest unit number.
    pub last_unit: u32,
    /// Protocols that travel in it, whose functions its conduits name too.
    pub inner: &'static [Protocol],
    /// True when its units are longer than segments as a rule, so that conduits let them be split unless they say otherwise.
    pub streams: bool,
    /// True when no request is read by what was answered before, so that in enforce its answers need not be read at all.
    pub lone_answers: bool,
    /// Functions that read their first range of objects and write the second, in one request.
    pub reads_then_writes: &'static [u32],
    /// True when rows with an object are functions of that kind of object, and a rule's `objects` say on which of them; so
    /// too in the protocols that travel in it. Otherwise the objects of such rows only stand for sub-functions.
    pub rows_of_objects: bool,
}

/// No function, no object.
pub const NONE: Tables = Tables {
    transports: &[],
    ethertype: None,
    ports: &[],
    functions: &[],
    spaces: &[],
    last_function: 0,
    last_unit: 0,
    inner: &[],
    streams: false,
    lone_answers: false,
    reads_then_writes: &[],
    rows_of_objects: false,
};

/// One row of a protocol's function table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Function number as the contract counts it.
    pub code: u32,
    /// For a sub-function: the object that stands for it.
    pub object: Option<FunctionObject>,
    /// The standard's name, in lower case with underscores.
    pub name: &'static str,
    /// What it does.
    pub access: Access,
    /// ATT&CK for ICS technique, or "" where none fits.
    pub technique: &'static str,
    /// True when learning must not propose to allow it: an engineer decides.
    pub dangerous: bool,
}

impl Function {
    /// A row for a whole function code.
    #[must_use]
    pub const fn new(code: u32, name: &'static str, access: Access, technique: &'static str, dangerous: bool) -> Self {
        Self { code, object: None, name, access, technique, dangerous }
    }
}

/// A sub-function seen as an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionObject {
    /// Kind of object.
    pub space: u32,
    /// First sub-function.
    pub first: u32,
    /// Last sub-function.
    pub last: u32,
}

/// Class of each function code below `N`, a power of two, made from the rows for whole codes: the kernel can't search a table
/// of strings.
#[must_use]
pub const fn classes<const N: usize>(functions: &[Function]) -> [u8; N] {
    let mut classes = [Access::Unknown as u8; N];
    let mut row = 0;
    while row < functions.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &functions[row];
        if function.object.is_none() && (function.code as usize) < N {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[function.code as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

/// The entry of a table made by [`classes`]; a code beyond it is of no class.
#[must_use]
#[inline(always)]
pub fn class<const N: usize>(classes: &'static [u8; N], code: u32) -> u8 {
    if code as usize >= N {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match classes.get(black_box(code) as usize & const { N.wrapping_sub(1) }) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

/// The same for codes of two bytes of which each is below 64, folded: six bits of each.
#[must_use]
pub const fn folded_classes(functions: &[Function]) -> [u8; 4096] {
    let mut classes = [Access::Unknown as u8; 4096];
    let mut row = 0;
    while row < functions.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &functions[row];
        let place = fold(function.code);
        if function.object.is_none() && place < 4096 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[place as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

/// The entry of a table made by [`folded_classes`]; a code that does not fold is of no class.
#[must_use]
#[inline(always)]
pub fn folded_class(classes: &'static [u8; 4096], code: u32) -> u8 {
    class(classes, fold(code))
}

/// Where a code stands in a folded table; beyond it where it does not fold.
const fn fold(code: u32) -> u32 {
    let (upper, lower) = (code >> 8, code & 0xff);
    if upper < 64 && lower < 64 { upper << 6 | lower } else { u32::MAX }
}

/// A kind of object that rules can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Number in [`crate::operation::Operation::space`]; the first one where `form` has several.
    pub space: u32,
    /// The word in front of the colon, or what it begins with.
    pub name: &'static str,
    /// Largest object number, without member.
    pub last: u32,
    /// How the word continues.
    pub form: Form,
    /// What an object is divided into.
    pub member: Option<Member>,
}

/// How the word for a kind of object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The name alone: `holding`.
    Plain,
    /// The name and a number from 0 to `last` that is added to `space`: `DB10`, `file3`, `type 45`.
    Numbered {
        /// Largest number.
        last: u32,
    },
    /// The name and a number from `first` to `last`; what it is more than `first` is added to `space`: `type 130`.
    NumberedFrom {
        /// Smallest number, that of `space`.
        first: u32,
        /// Largest number.
        last: u32,
    },
    /// The name, a number from 0 to 255, `v`, and another one; 256 times the first plus the second is added to `space`:
    /// `g12v1`.
    Variation,
    /// A number alone, decimal or with 0x, from 0 to `last`; it is added to `space`: `0x6B`. The name is what
    /// documentation calls it.
    Number {
        /// Largest number.
        last: u32,
    },
    /// The name alone; behind it stands the name of an object, or the number that [`name_number`] makes of it: `tag:Speed`.
    Named {
        /// What divides names into parts; without it they are whole.
        divider: Option<u8>,
    },
    /// The name and a number from 0 to `last` that is added to `space`; behind it stands an identifier as the device writes
    /// it, or `#` and the number that [`text_number`] makes of it: `string2:Machine.Speed`, `string2:#305419896`.
    Identified {
        /// Largest number.
        last: u32,
    },
}

/// Number that stands for an identifier's bytes, every one of which counts.
#[must_use]
pub fn text_number(text: &[u8]) -> u32 {
    let mut number = text_start(u32::try_from(text.len()).unwrap_or(u32::MAX));
    for piece in text.chunks(8) {
        let padded = piece.iter().rev().fold(0u64, |word, byte| word << 8 | *byte as u64);
        number = text_piece(number, padded);
    }
    number
}

/// The number of an identifier of `length` bytes, before any of them.
#[must_use]
#[inline(always)]
pub const fn text_start(length: u32) -> u32 {
    name_part(NAME_START, length)
}

/// The number of an identifier with up to eight more bytes, the first one in the lowest bits.
#[must_use]
#[inline(always)]
pub const fn text_piece(number: u32, bytes: u64) -> u32 {
    let number = (number ^ (bytes & 0xffff_ffff) as u32).wrapping_mul(0x85eb_ca6b);
    let number = (number ^ number >> 15 ^ (bytes >> 32) as u32).wrapping_mul(0xc2b2_ae35);
    number ^ number >> 13
}

/// Number that stands for an object's name: its parts between dividers, large letters as small ones. Longer parts than
/// [`NAME_PART`] are cut.
#[must_use]
pub fn name_number(name: &[u8], divider: Option<u8>) -> u32 {
    let mut number = NAME_START;
    for part in name.split(|byte| Some(*byte) == divider) {
        let part = part.get(..NAME_PART as usize).unwrap_or(part);
        number = name_part(number, part.len().to_le_bytes()[0] as u32);
        for piece in part.chunks(8) {
            let padded = piece.iter().fold(0u64, |word, byte| word << 8 | *byte as u64);
            number = name_piece(number, padded);
        }
    }
    number
}

/// The number of a name without parts.
pub const NAME_START: u32 = 0x811c_9dc5;

/// Longest part of a name.
pub const NAME_PART: u32 = 64;

/// The number of a name behind which a part of `length` characters begins.
#[must_use]
#[inline(always)]
pub const fn name_part(number: u32, length: u32) -> u32 {
    (number ^ length).wrapping_mul(0x0100_0193)
}

/// The number of a name with up to eight more characters, the last one in the lowest byte.
#[must_use]
#[inline(always)]
pub const fn name_piece(number: u32, characters: u64) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // Eight characters at a time: the top bit of each says whether it is behind Z, and whether it is A or behind it.
    let low = characters & !TOPS;
    let behind = low.wrapping_add(ONES.wrapping_mul(0x7f_u64.wrapping_sub(b'Z' as u64)));
    let at_least = low.wrapping_add(ONES.wrapping_mul(0x80_u64.wrapping_sub(b'A' as u64)));
    text_piece(number, characters | (!characters & TOPS & (behind ^ at_least)) >> 2)
}

/// A part of an object that rules can name behind it: `0x6B/1/3`, `analog-output:1/85`. It is held in the lower bits of
/// [`crate::operation::Operation::first`] and `last`, the object's number above it. An operation on the whole object
/// covers all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called.
    pub name: &'static str,
    /// How many bits it has.
    pub bits: u32,
}

impl Space {
    /// A kind of object without members, whose word is its name.
    #[must_use]
    pub const fn plain(space: u32, name: &'static str, last: u32) -> Self {
        Self { space, name, last, form: Form::Plain, member: None }
    }

    /// Kinds of objects without members that a number behind the name tells apart.
    #[must_use]
    pub const fn numbered(space: u32, name: &'static str, numbers: u32, last: u32) -> Self {
        Self { space, name, last, form: Form::Numbered { last: numbers }, member: None }
    }

    /// First and last value of [`crate::operation::Operation::space`] that are of this kind.
    #[must_use]
    pub const fn numbers(&self) -> (u32, u32) {
        let more = match self.form {
            Form::Plain | Form::Named { .. } => 0,
            Form::Numbered { last } | Form::Number { last } | Form::Identified { last } => last,
            Form::NumberedFrom { first, last } => last.saturating_sub(first),
            Form::Variation => 0xffff,
        };
        (self.space, self.space.saturating_add(more))
    }

    /// Bits of an object number that hold its member.
    #[must_use]
    pub const fn member_bits(&self) -> u32 {
        match self.member {
            Some(member) => member.bits,
            None => 0,
        }
    }
}
