//! Confirmed services: ISO 9506-2 7.3. Exactly one in a request; a server in use executes every one that it finds.

use core::hint::black_box;

use super::functions::{FUNCTIONS, service, space};
use super::grammar::{state, step};
use super::{add, ber, broken, context, name, phase, seen};
use crate::bytes::Bytes;
use crate::operation::{Access, NO_OBJECT};
use crate::protocol::tables::{class, classes};
use crate::scratch::Scratch;
use crate::verdict::Reason;

static CLASSES: [u8; 128] = {
    let mut all = classes(FUNCTIONS);
    // Both are divided; what they are is said by their variables.
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    {
        all[service::READ as usize] = Access::Read as u8;
        all[service::WRITE as usize] = Access::Control as u8;
    }
    all
};

/// How the contents of a service begin.
#[derive(Clone, Copy)]
struct Shape {
    /// One that is not constructed.
    primitive: bool,
    /// The state in which the walk begins; [`state::NOTHING`] where no object is read.
    state: u32,
    /// What the name that is found there is of.
    space: u32,
}

const fn contents(state: u32, space: u32) -> Shape {
    Shape { primitive: false, state, space }
}

const fn primitive(state: u32, space: u32) -> Shape {
    Shape { primitive: true, state, space }
}

/// Shapes of the services whose contents are read, and of those that are primitive.
const SHAPES: &[(u32, Shape)] = &[
    (0, primitive(state::NOTHING, NO_OBJECT)),
    (2, primitive(state::NOTHING, NO_OBJECT)),
    (4, contents(state::READ, space::VARIABLE)),
    (5, contents(state::WRITE, space::VARIABLE)),
    (6, contents(state::FIELD_OBJECT, space::VARIABLE)),
    (11, contents(state::OBJECT_FIRST, space::LIST)),
    (12, contents(state::OBJECT, space::LIST)),
    (26, contents(state::FIELD, space::DOMAIN)),
    (27, primitive(state::WHOLE, space::DOMAIN)),
    (28, contents(state::FIELD, space::DOMAIN)),
    (29, primitive(state::WHOLE, space::DOMAIN)),
    (30, primitive(state::NOTHING, NO_OBJECT)),
    (31, primitive(state::NOTHING, NO_OBJECT)),
    (32, contents(state::FIELD, space::DOMAIN)),
    (33, contents(state::FIELD, space::DOMAIN)),
    (34, contents(state::FIELD, space::DOMAIN)),
    (35, contents(state::FIELD, space::DOMAIN)),
    (36, primitive(state::WHOLE, space::DOMAIN)),
    (37, primitive(state::WHOLE, space::DOMAIN)),
    (38, contents(state::FIELD, space::PROGRAM)),
    (39, primitive(state::WHOLE, space::PROGRAM)),
    (40, contents(state::FIELD, space::PROGRAM)),
    (41, contents(state::FIELD, space::PROGRAM)),
    (42, contents(state::FIELD, space::PROGRAM)),
    (43, contents(state::FIELD, space::PROGRAM)),
    (44, contents(state::FIELD, space::PROGRAM)),
    (45, primitive(state::WHOLE, space::PROGRAM)),
    (65, contents(state::FIELD_OBJECT, space::JOURNAL)),
    (66, contents(state::FIELD_OBJECT, space::JOURNAL)),
    (67, contents(state::FIELD_OBJECT, space::JOURNAL)),
    (68, contents(state::OBJECT, space::JOURNAL)),
    (69, contents(state::FIELD_OBJECT, space::JOURNAL)),
    (70, contents(state::FIELD_OBJECT, space::JOURNAL)),
    (72, contents(state::FIELD_FILE, space::FILE)),
    (73, primitive(state::NOTHING, NO_OBJECT)),
    (74, primitive(state::NOTHING, NO_OBJECT)),
    (75, contents(state::FIELD_FILE, space::FILE)),
    (76, contents(state::FILE, space::FILE)),
    (77, contents(state::FIELD_FILE, space::FILE)),
];

/// State, kind of object and whether a service is primitive, by its number: bits 0 to 7, 8 to 15, 16.
static BEGINNINGS: [u32; 128] = {
    let mut all = [0; 128];
    let mut rest = SHAPES;
    while let [(number, shape), tail @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            all[*number as usize] = shape.state | (shape.space & 0xff) << 8 | (shape.primitive as u32) << 16;
        }
        rest = tail;
    }
    all
};

/// Bit of a tag that is constructed, X.690 8.1.2.5.
const CONSTRUCTED: u32 = 0x20;
/// A tag whose number is in the octets behind it, X.690 8.1.2.4.
const LONG: u32 = 0x1f;
/// A list of modifiers in front of the service, ISO 9506-2 7.3: they make its execution depend on events.
const MODIFIERS: u32 = 0x30;

/// Reads the service at `nesting.at`, which must end where the request does.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let at = scratch.nesting.at;
    // The shortest service has two octets: nothing is in it.
    if at.wrapping_add(2) > scratch.nesting.until {
        let cut = scratch.nesting.until < scratch.nesting.end;
        broken(scratch, if cut { Reason::BeyondInspection } else { Reason::LengthMismatch });
        return;
    }
    let tag = black_box(bytes.u8(at).unwrap_or(0)) as u32;
    let long = tag & LONG == LONG;
    let second = black_box(bytes.u8(at.wrapping_add(1)).unwrap_or(0)) as u32;
    let number = if long { second } else { tag & LONG };
    if !add(scratch, number, class(&CLASSES, number)) {
        return;
    }
    if tag == MODIFIERS {
        broken(scratch, Reason::BeyondInspection);
        return;
    }
    // A context's tag, in its shortest form.
    if tag & 0xc0 != 0x80 || long && !(LONG..128).contains(&number) {
        broken(scratch, Reason::MalformedFraming);
        return;
    }
    scratch.stream.context =
        scratch.stream.context & !context::SERVICE_MASK | number.wrapping_add(1) << context::SERVICE;
    // The length stands behind the last octet of the tag.
    scratch.nesting.at = if long { at.wrapping_add(1) } else { at };
    scratch.nesting.unit = number;
    scratch.nesting.index = tag;
    if ber::head(bytes, scratch.anew()) {
        begin(scratch.anew());
    }
}

/// Goes into the contents of the service in `nesting.unit`, whose tag is in `nesting.index`.
#[inline(always)]
fn begin(scratch: &mut Scratch) {
    let (number, tag) = (scratch.nesting.unit, scratch.nesting.index);
    let shape = match BEGINNINGS.get(black_box(number) as usize & 127) {
        Some(shape) => *shape,
        None => 0,
    };
    if scratch.nesting.number != scratch.nesting.end {
        // Something follows: another service, or the detail of a companion standard.
        broken(scratch, Reason::MalformedFraming);
        return;
    }
    let known = number <= service::LAST;
    if known && (tag & CONSTRUCTED == 0) != (shape >> 16 & 1 != 0) {
        broken(scratch, Reason::MalformedFraming);
        return;
    }
    ber::enter(scratch);
    let nesting = &mut scratch.nesting;
    nesting.size = nesting.end;
    nesting.count = 0;
    nesting.purpose = shape & 0xff;
    nesting.unit = shape >> 8 & 0xff;
    if number == service::WRITE {
        nesting.seen |= seen::WRITE;
    }
    if number == service::READ || number == service::WRITE {
        nesting.seen |= seen::ACCESS;
    }
    if nesting.purpose == state::NOTHING {
        return;
    }
    nesting.state = phase::WALK;
    if nesting.purpose == state::WHOLE {
        nesting.index = step::FIRST | step::LAST;
        name::begin(scratch);
    }
}
