//! What may stand where, as data: for each state the elements that it takes, and what becomes of them. The walk itself is in
//! [`super::walk`].

/// Where the walk is, in `nesting.purpose`. Below 64.
pub(super) mod state {
    /// Nowhere.
    pub(in super::super) const NOTHING: u32 = 0;
    /// A name, piece by piece.
    pub(in super::super) const NAME: u32 = 1;
    /// Contents of a read.
    pub(in super::super) const READ: u32 = 2;
    /// What a read is of.
    pub(in super::super) const VARIABLES: u32 = 3;
    /// What a write is of.
    pub(in super::super) const WRITE: u32 = 4;
    /// The next variable of a list.
    pub(in super::super) const ITEM: u32 = 5;
    /// What says which variable it is.
    pub(in super::super) const SPECIFICATION: u32 = 6;
    /// The name of an object, which is all that there is.
    pub(in super::super) const OBJECT: u32 = 7;
    /// The same with more behind it.
    pub(in super::super) const OBJECT_FIRST: u32 = 8;
    /// The domain of a name.
    pub(in super::super) const DOMAIN: u32 = 9;
    /// The item behind it.
    pub(in super::super) const ITEM_NAME: u32 = 10;
    /// What follows the specification of a variable.
    pub(in super::super) const ALTERNATE: u32 = 11;
    /// The data of a write.
    pub(in super::super) const DATA: u32 = 12;
    /// The only value of a write.
    pub(in super::super) const VALUE: u32 = 13;
    /// The first component of a control's structure.
    pub(in super::super) const COMPONENT: u32 = 14;
    /// The values of a write, which are counted.
    pub(in super::super) const COUNT: u32 = 15;
    /// A field that is an identifier.
    pub(in super::super) const FIELD: u32 = 16;
    /// A field that is the name of an object.
    pub(in super::super) const FIELD_OBJECT: u32 = 17;
    /// A field that is the name of a file.
    pub(in super::super) const FIELD_FILE: u32 = 18;
    /// The name of a file, in one part.
    pub(in super::super) const FILE: u32 = 19;
    /// User data of the session's connect.
    pub(in super::super) const CONNECT: u32 = 20;
    /// Inside it.
    pub(in super::super) const CONNECT_SET: u32 = 21;
    /// Its parameters.
    pub(in super::super) const CONNECT_PARAMETERS: u32 = 22;
    /// Presentation data of a connect.
    pub(in super::super) const CONNECT_LIST: u32 = 23;
    /// A value in it.
    pub(in super::super) const CONNECT_VALUE: u32 = 24;
    /// The request of an association.
    pub(in super::super) const ASSOCIATE: u32 = 25;
    /// Its fields.
    pub(in super::super) const ASSOCIATE_FIELDS: u32 = 26;
    /// User information in it.
    pub(in super::super) const INFORMATION: u32 = 27;
    /// What it holds.
    pub(in super::super) const EXTERNAL: u32 = 28;
    /// The initiate request.
    pub(in super::super) const INITIATE: u32 = 29;
    /// User data of the session's finish.
    pub(in super::super) const FINISH: u32 = 30;
    /// The list of values in it.
    pub(in super::super) const FINISH_LIST: u32 = 31;
    /// A value.
    pub(in super::super) const FINISH_VALUE: u32 = 32;
    /// The request to release the association.
    pub(in super::super) const RELEASE: u32 = 33;
    /// Its fields.
    pub(in super::super) const RELEASE_FIELDS: u32 = 34;
    /// User data of an abort, in which there is nothing to judge.
    pub(in super::super) const ABORT: u32 = 35;
    /// The identifier is all the contents: no element begins it.
    pub(in super::super) const WHOLE: u32 = 63;
}

/// What becomes of an element: the lower six bits say which state is next.
pub(super) mod step {
    /// Bits of the next state.
    pub(in super::super) const NEXT: u32 = 63;
    /// The element is taken at all.
    pub(in super::super) const TAKEN: u32 = 1 << 6;
    /// Go in; else behind it.
    pub(in super::super) const ENTER: u32 = 1 << 7;
    /// It must end where what is around it does.
    pub(in super::super) const EXACT: u32 = 1 << 8;
    /// It is a list of variables.
    pub(in super::super) const LIST: u32 = 1 << 9;
    /// It is a variable of one.
    pub(in super::super) const VARIABLE: u32 = 1 << 10;
    /// It is an identifier: read it, then go on with the next state.
    pub(in super::super) const NAME: u32 = 1 << 11;
    /// The first part of a name.
    pub(in super::super) const FIRST: u32 = 1 << 12;
    /// The name is one of the association's own.
    pub(in super::super) const OWN: u32 = 1 << 13;
    /// The last part of a name.
    pub(in super::super) const LAST: u32 = 1 << 14;
    /// A named list of variables, whose contents are not known.
    pub(in super::super) const NAMED_LIST: u32 = 1 << 15;
    /// A variable that has no name.
    pub(in super::super) const UNNAMED: u32 = 1 << 16;
    /// The parts of a variable that are meant.
    pub(in super::super) const PARTS: u32 = 1 << 17;
    /// What is written.
    pub(in super::super) const VALUE: u32 = 1 << 18;
    /// One of several values.
    pub(in super::super) const ONE: u32 = 1 << 19;
    /// A structure.
    pub(in super::super) const STRUCTURE: u32 = 1 << 20;
    /// What is in it changes the meaning, and is not read.
    pub(in super::super) const UNREAD: u32 = 1 << 21;
    /// The data of a write: what is read of them depends on how many variables there are.
    pub(in super::super) const VALUES: u32 = 1 << 23;
    /// The walk ends well here.
    pub(in super::super) const END: u32 = 1 << 22;
}

/// Kinds of tags.
const KINDS: usize = 32;
const STATES: usize = 64;

/// Tags that some state takes; whatever is none of them is of kind 0.
const TAGS: [u8; 24] = [
    0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0x80, 0x82, 0x1a, 0x30, 0x19, 0x31, 0x61, 0x60, 0x62, 0xbe, 0x28, 0xa8, 0x06, 0x02,
    0x83, 0x84, 0x85, 0x86, 0x81,
];

const fn kind_of(tag: u8) -> usize {
    let (mut kind, mut rest) = (1, &TAGS as &[u8]);
    while let [first, tail @ ..] = rest {
        if *first == tag {
            return kind;
        }
        kind = kind.wrapping_add(1);
        rest = tail;
    }
    0
}

/// A row of the grammar: in this state an element with this tag (0: any other) is taken so.
struct Row(u32, u8, u32);

use step::{
    END, ENTER, EXACT, FIRST, LAST, LIST, NAME, NAMED_LIST, ONE, OWN, PARTS, STRUCTURE, TAKEN, UNNAMED, UNREAD, VALUE,
    VALUES, VARIABLE,
};

/// Going into an element that is all there is.
const INTO: u32 = TAKEN | ENTER | EXACT;
/// An identifier that is all of a name, or the end of one.
const LAST_NAME: u32 = TAKEN | NAME | LAST;

const ROWS: &[Row] = &[
    // Read-Request, ISO 9506-2 14.5.1: whether the answer repeats the names, then what is read.
    Row(state::READ, 0x80, TAKEN | state::READ),
    Row(state::READ, 0xa1, INTO | state::VARIABLES),
    // VariableAccessSpecification, 14.4.
    Row(state::VARIABLES, 0xa0, INTO | LIST | state::ITEM),
    Row(state::VARIABLES, 0xa1, INTO | NAMED_LIST | state::OBJECT),
    // Write-Request, 14.6.1: the same, then the data.
    Row(state::WRITE, 0xa0, TAKEN | ENTER | LIST | state::ITEM),
    Row(state::WRITE, 0xa1, TAKEN | ENTER | NAMED_LIST | state::OBJECT),
    Row(state::ITEM, 0x30, TAKEN | ENTER | VARIABLE | state::SPECIFICATION),
    // VariableSpecification, 14.5.2: name, address, description, scattered access, invalidated.
    Row(state::SPECIFICATION, 0xa0, TAKEN | ENTER | state::OBJECT),
    Row(state::SPECIFICATION, 0xa1, TAKEN | UNNAMED | state::ALTERNATE),
    Row(state::SPECIFICATION, 0xa2, TAKEN | UNNAMED | state::ALTERNATE),
    Row(state::SPECIFICATION, 0xa3, TAKEN | UNNAMED | state::ALTERNATE),
    Row(state::SPECIFICATION, 0x84, TAKEN | UNNAMED | state::ALTERNATE),
    Row(state::ALTERNATE, 0xa5, TAKEN | EXACT | PARTS | state::ALTERNATE),
    // ObjectName, 7.5.2.
    Row(state::OBJECT, 0x80, LAST_NAME | EXACT | FIRST),
    Row(state::OBJECT, 0xa1, INTO | state::DOMAIN),
    Row(state::OBJECT, 0x82, LAST_NAME | EXACT | FIRST | OWN),
    Row(state::OBJECT_FIRST, 0x80, LAST_NAME | FIRST),
    Row(state::OBJECT_FIRST, 0xa1, TAKEN | ENTER | state::DOMAIN),
    Row(state::OBJECT_FIRST, 0x82, LAST_NAME | FIRST | OWN),
    Row(state::DOMAIN, 0x1a, TAKEN | NAME | FIRST | state::ITEM_NAME),
    Row(state::ITEM_NAME, 0x1a, LAST_NAME | EXACT),
    // Data, 14.4.2: structure, boolean, integer, unsigned.
    Row(state::DATA, 0xa0, INTO | VALUES),
    Row(state::VALUE, 0x83, TAKEN | EXACT | VALUE | END),
    Row(state::VALUE, 0x85, TAKEN | EXACT | VALUE | END),
    Row(state::VALUE, 0x86, TAKEN | EXACT | VALUE | END),
    Row(state::VALUE, 0xa2, INTO | STRUCTURE | state::COMPONENT),
    Row(state::VALUE, 0, TAKEN | EXACT | END),
    Row(state::COMPONENT, 0x83, TAKEN | VALUE | END),
    Row(state::COMPONENT, 0x85, TAKEN | VALUE | END),
    Row(state::COMPONENT, 0x86, TAKEN | VALUE | END),
    Row(state::COMPONENT, 0, TAKEN | END),
    Row(state::COUNT, 0, TAKEN | ONE | state::COUNT),
    // Fields of other services that name what they are about.
    Row(state::FIELD, 0x80, LAST_NAME | FIRST),
    Row(state::FIELD_OBJECT, 0xa0, TAKEN | ENTER | state::OBJECT),
    Row(state::FIELD_OBJECT, 0xa1, TAKEN | END),
    Row(state::FIELD_FILE, 0xa0, TAKEN | ENTER | state::FILE),
    Row(state::FIELD_FILE, 0, TAKEN | END),
    Row(state::FILE, 0x19, LAST_NAME | EXACT | FIRST),
    // CP-type, ISO 8823-1 8.2: mode, then parameters with the user data at their end.
    Row(state::CONNECT, 0x31, INTO | state::CONNECT_SET),
    Row(state::CONNECT_SET, 0xa0, TAKEN | state::CONNECT_SET),
    Row(state::CONNECT_SET, 0xa2, INTO | state::CONNECT_PARAMETERS),
    Row(state::CONNECT_PARAMETERS, 0x61, INTO | state::CONNECT_LIST),
    Row(state::CONNECT_PARAMETERS, 0, TAKEN | state::CONNECT_PARAMETERS),
    Row(state::CONNECT_LIST, 0x30, INTO | state::CONNECT_VALUE),
    Row(state::CONNECT_VALUE, 0x06, TAKEN | state::CONNECT_VALUE),
    Row(state::CONNECT_VALUE, 0x02, TAKEN | state::CONNECT_VALUE),
    Row(state::CONNECT_VALUE, 0xa0, INTO | state::ASSOCIATE),
    // AARQ-apdu and RLRQ-apdu, ISO 8650-1 clause 9: user information is the last field. Servers in use execute any request
    // that stands in it; nothing but initiate may.
    Row(state::ASSOCIATE, 0x60, INTO | state::ASSOCIATE_FIELDS),
    Row(state::ASSOCIATE_FIELDS, 0xbe, INTO | state::INFORMATION),
    Row(state::ASSOCIATE_FIELDS, 0, TAKEN | state::ASSOCIATE_FIELDS),
    Row(state::INFORMATION, 0x28, INTO | state::EXTERNAL),
    Row(state::EXTERNAL, 0x06, TAKEN | state::EXTERNAL),
    Row(state::EXTERNAL, 0x02, TAKEN | state::EXTERNAL),
    Row(state::EXTERNAL, 0xa0, INTO | state::INITIATE),
    Row(state::INITIATE, 0xa8, TAKEN | EXACT | END),
    Row(state::FINISH, 0x61, INTO | state::FINISH_LIST),
    Row(state::FINISH_LIST, 0x30, INTO | state::FINISH_VALUE),
    Row(state::FINISH_VALUE, 0x02, TAKEN | state::FINISH_VALUE),
    Row(state::FINISH_VALUE, 0xa0, INTO | state::RELEASE),
    Row(state::RELEASE, 0x62, INTO | state::RELEASE_FIELDS),
    Row(state::RELEASE_FIELDS, 0x80, TAKEN | state::RELEASE_FIELDS),
    Row(state::RELEASE_FIELDS, 0xbe, UNREAD | TAKEN),
    Row(state::ABORT, 0, TAKEN | EXACT | END),
];

/// The rows by state and kind of tag.
pub(super) static STEPS: [u32; STATES * KINDS] = {
    let mut all = [0; STATES * KINDS];
    let mut rest = ROWS;
    while let [Row(at, tag, step), tail @ ..] = rest {
        let mut kind = 0;
        while kind < KINDS {
            let place = *at as usize * KINDS + kind;
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                // Rows for any other tag come last.
                if kind == kind_of(*tag) && *tag != 0 || *tag == 0 && all[place] == 0 {
                    all[place] = *step;
                }
            }
            kind += 1;
        }
        rest = tail;
    }
    all
};

/// Kinds of tags.
pub(super) static TAG_KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut tag = 0u8;
    loop {
        #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
        {
            kinds[tag as usize] = kind_of(tag) as u8;
        }
        if tag == 255 {
            break;
        }
        tag += 1;
    }
    kinds
};

/// States in which what is around may end: bits.
pub(super) const ENDS: u64 = 1 << state::RELEASE_FIELDS | 1 << state::FIELD_FILE;

/// States that read written values, which may lie beyond the segment: they only say how much, not what.
pub(super) const WRITTEN: u64 = 1 << state::VALUE | 1 << state::COMPONENT | 1 << state::COUNT;
