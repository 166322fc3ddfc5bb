//! ASDUs for a device: exact lengths, one object, causes of the control direction, values and S/E.

use super::elements::{self, Element, Form};
use super::functions::{LAST_ADDRESS, space};
use super::{ALL_STATIONS, Identifier, Unit, address, expected, limits, objects};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::verdict::Reason;

/// Select instead of execute, in the qualifier of a command or set point, 101 7.2.6.26 and 7.2.6.39.
const SELECT: u8 = 0x80;

/// Command "delete file" in the lower half of a file command, 101 7.2.6.30.
const DELETE: u8 = 4;

/// Fills the record with one ASDU.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, identifier: &Identifier, operation: &mut Operation) {
    let element = elements::of(identifier.kind);
    if element.causes == 0 {
        // Process information is a device's to send; a type that nobody knows is nobody's.
        fault(operation, Reason::InvalidFunction);
    }
    let known = element.form != Form::Unknown as u8;
    let secured = element.form == Form::Authentication as u8 || element.form == Form::Wrapped as u8;
    let behind = unit.length.wrapping_sub(limits::LENGTH_IDENTIFIED);
    if secured {
        authentication(element, behind, operation);
    } else if behind >= limits::ADDRESS {
        let address = address(bytes, unit.objects());
        objects(operation, identifier.kind, address, address);
        operation.transaction |= address;
        if known {
            length(bytes, unit, identifier, element, operation);
        }
    } else {
        fault(operation, Reason::LengthMismatch);
    }
    rules(identifier, element, operation);
    if operation.fault == 0 && !secured {
        value(bytes, unit.objects().wrapping_add(limits::ADDRESS), element, operation);
    }
}

#[inline(always)]
fn fault(operation: &mut Operation, reason: Reason) {
    if operation.fault == 0 {
        operation.fault = reason as u8;
    }
}

/// IEC 60870-5-7: at least the octet that numbers the segments. What is around another ASDU is not looked into, and so may
/// hold any command.
#[inline(always)]
fn authentication(element: &Element, behind: u32, operation: &mut Operation) {
    if behind == 0 {
        fault(operation, Reason::LengthMismatch);
    }
    if element.form == Form::Wrapped as u8 {
        fault(operation, Reason::BeyondInspection);
    }
}

/// The length must be the one that count and type say, then the count one that a device may be sent, 101 7.3.
#[inline(always)]
fn length<B: Bytes + ?Sized>(
    bytes: &B,
    unit: &Unit,
    identifier: &Identifier,
    element: &Element,
    operation: &mut Operation,
) {
    let mut size = element.size as u32;
    if element.form == Form::Segment as u8 {
        // Name of the file, name of the section, length of the segment.
        size = size.wrapping_add(bytes.u8(unit.objects().wrapping_add(6)).unwrap_or(0) as u32);
    }
    if unit.length != limits::LENGTH_IDENTIFIED.wrapping_add(expected(identifier, size)) {
        fault(operation, Reason::LengthMismatch);
    }
    if identifier.count != 1 || identifier.sequence {
        fault(operation, Reason::OutOfRange);
    }
}

/// Cause and station, 101 7.2.3 and 7.2.4: only what interrogates, sets clocks, resets or tests goes to all.
#[inline(always)]
fn rules(identifier: &Identifier, element: &Element, operation: &mut Operation) {
    let causes = if identifier.cause < 32 { element.causes >> identifier.cause & 1 } else { 0 };
    if causes == 0 {
        fault(operation, Reason::OutOfRange);
    }
    if operation.unit == ALL_STATIONS && element.global == 0 {
        fault(operation, Reason::OutOfRange);
    }
}

/// Decodes what stands behind the object address.
#[inline(always)]
fn value<B: Bytes + ?Sized>(bytes: &B, at: u32, element: &Element, operation: &mut Operation) {
    const SINGLE: u8 = Form::Single as u8;
    const DOUBLE: u8 = Form::Double as u8;
    const WORD: u8 = Form::Word as u8;
    const PARAMETER_WORD: u8 = Form::ParameterWord as u8;
    const FLOAT: u8 = Form::Float as u8;
    const PARAMETER_FLOAT: u8 = Form::ParameterFloat as u8;
    const BITS: u8 = Form::Bits as u8;
    const QUALIFIER: u8 = Form::Qualifier as u8;
    const COUNTER: u8 = Form::Counter as u8;
    const FILE: u8 = Form::File as u8;
    // A command has at least one element octet; reading from the object on finds the length checked.
    let first = bytes.u8(at).unwrap_or(0);
    match element.form {
        SINGLE => {
            one(operation, (first & 1) as i64);
            select(first, operation);
        }
        DOUBLE => {
            let state = first & 3;
            if state == 0 || state == 3 {
                fault(operation, Reason::OutOfRange);
            }
            one(operation, state as i64);
            select(first, operation);
        }
        WORD | PARAMETER_WORD => {
            let [low, high, qualifier] = bytes.read::<3>(at).unwrap_or([0; 3]);
            one(operation, i16::from_le_bytes([low, high]) as i64);
            if element.form == WORD {
                select(qualifier, operation);
            }
        }
        FLOAT | PARAMETER_FLOAT => {
            let [a, b, c, d, qualifier] = bytes.read::<5>(at).unwrap_or([0; 5]);
            float(u32::from_le_bytes([a, b, c, d]), operation);
            if element.form == FLOAT {
                select(qualifier, operation);
            }
        }
        BITS => one(operation, u32::from_le_bytes(bytes.read::<4>(at).unwrap_or([0; 4])) as i64),
        QUALIFIER => one(operation, first as i64),
        COUNTER => counter(first, operation),
        FILE => file(bytes, at, operation),
        _ => {}
    }
}

#[inline(always)]
fn one(operation: &mut Operation, value: i64) {
    operation.value_min = value;
    operation.value_max = value;
    operation.flags |= Operation::HAS_VALUE;
}

/// What is no number stays without value, and no rule with values covers it.
#[inline(always)]
fn float(bits: u32, operation: &mut Operation) {
    let (mut low, mut high) = (0, 0);
    if elements::whole(bits, &mut low, &mut high) {
        operation.value_min = low;
        operation.value_max = high;
        operation.flags |= Operation::HAS_VALUE;
    }
}

/// A command that only selects touches nothing but the member "select" of its object.
#[inline(always)]
fn select(qualifier: u8, operation: &mut Operation) {
    if qualifier & SELECT != 0 {
        operation.first = operation.last;
    }
}

/// 101 7.2.6.23: the upper two bits freeze, freeze and reset, or reset the counters.
#[inline(always)]
fn counter(qualifier: u8, operation: &mut Operation) {
    let freeze = qualifier >> 6;
    if freeze == 0 {
        one(operation, qualifier as i64);
        return;
    }
    instead(space::COUNTER_FREEZE, operation);
    one(operation, freeze as i64);
}

/// 101 7.2.6.30: name of the file, name of the section, select and call qualifier.
#[inline(always)]
fn file<B: Bytes + ?Sized>(bytes: &B, at: u32, operation: &mut Operation) {
    let [low, high, _, qualifier] = bytes.read::<4>(at).unwrap_or([0; 4]);
    if qualifier & 0x0f == DELETE {
        instead(space::FILE_DELETE, operation);
    }
    one(operation, u16::from_le_bytes([low, high]) as i64);
}

/// The object is of another kind: what is asked for writes.
#[inline(always)]
fn instead(space: u32, operation: &mut Operation) {
    let address = operation.transaction & LAST_ADDRESS;
    operation.space = space;
    operation.first = address;
    operation.last = address;
    operation.access = Access::Write as u8;
}
