//! Requests of every service: what they touch, what they write, and lengths where the service fixes them. Clauses 13 to
//! 17; the productions stand in 21.

use super::tag::{self, Number};
use super::{list, record, spaces, value};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Priorities of a command, 19.2.1.
const PRIORITIES: u32 = 16;

/// Reads the parameters of a confirmed service into the last record. True when a list is left to be walked.
#[inline(always)]
pub(super) fn confirmed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, service: u32) -> bool {
    match service {
        14 | 16 => {
            list::begin(scratch, service == 16);
            return true;
        }
        1 | 2 => notification(bytes, scratch),
        _ => {
            let (at, end) = (scratch.stream.start, scratch.stream.end);
            let Some(operation) = record::last(scratch) else {
                return false;
            };
            let next = parameters(bytes, at, end, service, operation);
            conclude(operation, next, end);
        }
    }
    false
}

/// Reads the parameters of an unconfirmed service into the last record.
#[inline(always)]
pub(super) fn unconfirmed<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, service: u32) {
    if service == 2 || service == 3 {
        notification(bytes, scratch);
        return;
    }
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let Some(operation) = record::last(scratch) else {
        return;
    };
    let next = match service {
        4 => private_transfer(bytes, at, end, operation),
        6 | 9 => date_and_time(bytes, at, end),
        10 => {
            let group = tag::unsigned(bytes, at, end, 0);
            record::number(operation, spaces::GROUP, group.value);
            more(group.next, end)
        }
        11 => more(identified(bytes, at, end, operation), end),
        _ => end,
    };
    conclude(operation, next, end);
}

/// `next` is the offset behind the last parameter, or 0 where one was missing.
#[inline(always)]
fn conclude(operation: &mut Operation, next: u32, end: u32) {
    if operation.fault != 0 {
        return;
    }
    if next == 0 {
        operation.fault = Reason::MalformedFraming as u8;
    } else if next != end {
        operation.fault = Reason::LengthMismatch as u8;
    }
}

/// Behind `next` further parameters may follow, which change nothing about what is touched.
#[inline(always)]
const fn more(next: u32, end: u32) -> u32 {
    if next == 0 { 0 } else { end }
}

#[inline(always)]
fn parameters<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, service: u32, operation: &mut Operation) -> u32 {
    match service {
        0 | 31 => more(identified(bytes, at, end, operation), end),
        5 => {
            let next = identified(bytes, at, end, operation);
            lifetime(bytes, next, end)
        }
        6 | 7 => more(application_object(bytes, at, end, operation), end),
        8 | 9 | 26 => more(reference(bytes, at, end, operation), end),
        10 => create_object(bytes, at, end, operation),
        11 => application_object(bytes, at, end, operation),
        12 => reference(bytes, at, end, operation),
        15 => write_property(bytes, at, end, operation),
        17 => {
            let duration = tag::optional(bytes, at, end, 0);
            let asked = following(bytes, duration, end, 1);
            record::number(operation, spaces::COMMUNICATION, asked.value);
            password(bytes, asked.next, end, 2)
        }
        18 => private_transfer(bytes, at, end, operation),
        20 => {
            let state = tag::unsigned(bytes, at, end, 0);
            record::number(operation, spaces::REINITIALIZE, state.value);
            password(bytes, state.next, end, 1)
        }
        27 => life_safety_operation(bytes, at, end, operation),
        28 => subscribe_property(bytes, at, end, operation),
        _ => end,
    }
}

/// A further number with context tag `number` behind another one.
#[inline(always)]
fn following<B: Bytes + ?Sized>(bytes: &B, before: Number, end: u32, number: u32) -> Number {
    if before.next == 0 { before } else { tag::unsigned(bytes, before.next, end, number) }
}

/// The same, which may be left out.
#[inline(always)]
fn left_out<B: Bytes + ?Sized>(bytes: &B, before: Number, end: u32, number: u32) -> Number {
    if before.next == 0 { before } else { tag::optional(bytes, before.next, end, number) }
}

/// \[0\] a process, \[1\] an object.
#[inline(always)]
fn identified<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let process = tag::unsigned(bytes, at, end, 0);
    if process.next == 0 {
        return 0;
    }
    let object = tag::object(bytes, process.next, end, tag::identifier(1));
    record::object(operation, object.value);
    object.next
}

/// An object in application class.
#[inline(always)]
fn application_object<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let object = tag::object(bytes, at, end, tag::OBJECT_IDENTIFIER);
    record::object(operation, object.value);
    object.next
}

/// \[0\] an object, \[1\] a property, \[2\] an index or none.
#[inline(always)]
fn reference<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let object = tag::object(bytes, at, end, tag::identifier(0));
    let property = following(bytes, object, end, 1);
    record::property(operation, object.value, property.value);
    left_out(bytes, property, end, 2).next
}

/// \[2\] whether confirmed, \[3\] a lifetime; both may be left out, 13.14.
#[inline(always)]
fn lifetime<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32) -> u32 {
    let confirmed = left_out(bytes, Number { value: 0, next: at }, end, 2);
    left_out(bytes, confirmed, end, 3).next
}

/// 13.15: as SubscribeCOV, then \[4\] a property and \[5\] an increment.
#[inline(always)]
fn subscribe_property<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let next = identified(bytes, at, end, operation);
    let next = lifetime(bytes, next, end);
    if next == 0 || tag::octet(bytes, next, end) != tag::opening(4) {
        return 0;
    }
    let property = tag::unsigned(bytes, next.wrapping_add(1), end, 0);
    operation.first |= property.value.min(spaces::OTHER_PROPERTIES);
    operation.last = operation.first;
    let index = left_out(bytes, property, end, 1);
    if index.next == 0 || tag::octet(bytes, index.next, end) != tag::closing(4) {
        return 0;
    }
    let next = index.next.wrapping_add(1);
    // A real number of four octets.
    if tag::octet(bytes, next, end) == tag::identifier(5) { next.wrapping_add(5) } else { next }
}

/// 13.8 to 13.13: \[0\] a process, \[1\] the device that tells, \[2\] the object that it tells of. Both are touched.
#[inline(always)]
fn notification<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let (at, end) = (scratch.stream.start, scratch.stream.end);
    let Some(operation) = record::last(scratch) else {
        return;
    };
    let next = identified(bytes, at, end, operation);
    let object =
        if next == 0 { Number { value: 0, next: 0 } } else { tag::object(bytes, next, end, tag::identifier(2)) };
    conclude(operation, more(object.next, end), end);
    let fault = operation.fault;
    if !record::continued(scratch) {
        return;
    }
    if let Some(operation) = record::last(scratch.anew()) {
        operation.fault = fault;
        record::object(operation, object.value);
    }
}

/// 15.3: \[0\] what is made, \[0\] a type or \[1\] an object, then \[1\] first values.
#[inline(always)]
fn create_object<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    if tag::octet(bytes, at, end) != tag::opening(0) {
        return 0;
    }
    let inside = at.wrapping_add(1);
    let kind = tag::unsigned(bytes, inside, end, 0);
    let object = tag::object(bytes, inside, end, tag::identifier(1));
    let next = if kind.next != 0 {
        operation.space = kind.value;
        operation.first = 0;
        operation.last = u32::MAX;
        if kind.value > 1023 {
            operation.fault = Reason::OutOfRange as u8;
        }
        kind.next
    } else {
        record::object(operation, object.value);
        object.next
    };
    if next == 0 || tag::octet(bytes, next, end) != tag::closing(0) { 0 } else { end }
}

/// 15.9: \[0\] object, \[1\] property, \[2\] index, \[3\] value, \[4\] priority. A constructed value is taken as a whole:
/// what it ends with is fixed from behind.
#[inline(always)]
fn write_property<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let at = reference(bytes, at, end, operation);
    if at == 0 || tag::octet(bytes, at, end) != tag::opening(3) {
        return 0;
    }
    let inside = at.wrapping_add(1);
    let element = tag::element(bytes, inside, end);
    let single = element.next != 0 && element.is_primitive_value();
    let next = if single && tag::octet(bytes, element.next, end) == tag::closing(3) {
        value::read(bytes, &element, operation);
        element.next
    } else {
        constructed(bytes, inside, end)
    };
    if next == 0 {
        return 0;
    }
    let priority = tag::optional(bytes, next.wrapping_add(1), end, 4);
    if priority.next != next.wrapping_add(1) && (priority.value == 0 || priority.value > PRIORITIES) {
        operation.fault = Reason::OutOfRange as u8;
    }
    priority.next
}

/// Offset of the closing tag of a value that begins at `inside`: the last octet, or the third last in front of a priority.
#[inline(always)]
fn constructed<B: Bytes + ?Sized>(bytes: &B, inside: u32, end: u32) -> u32 {
    let last = end.wrapping_sub(1);
    let third = end.wrapping_sub(3);
    if last >= inside && tag::octet(bytes, last, end) == tag::closing(3) {
        last
    } else if third >= inside && tag::octet(bytes, third, end) == tag::closing(3) {
        third
    } else {
        0
    }
}

/// 16.2: \[0\] vendor, \[1\] the number of its service.
#[inline(always)]
fn private_transfer<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let vendor = tag::unsigned(bytes, at, end, 0);
    let number = following(bytes, vendor, end, 1);
    record::number(operation, spaces::VENDOR.wrapping_add(vendor.value & 0xffff), number.value);
    if vendor.value > 0xffff {
        operation.fault = Reason::OutOfRange as u8;
    }
    more(number.next, end)
}

/// 16.7 and 16.8: a date and a time of four octets each.
#[inline(always)]
fn date_and_time<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32) -> u32 {
    let time = at.wrapping_add(5);
    if tag::octet(bytes, at, end) == 0xa4 && tag::octet(bytes, time, end) == 0xb4 { time.wrapping_add(5) } else { 0 }
}

/// A string with context tag `number`, or nothing.
#[inline(always)]
fn password<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, number: u32) -> u32 {
    if at == 0 || at == end {
        return at;
    }
    let element = tag::element(bytes, at, end);
    if element.head & !7 == tag::opening(number) & !7 && !element.opens() && !element.closes() {
        element.next
    } else {
        0
    }
}

/// 13.13: \[0\] a process, \[1\] who asks, \[2\] what, \[3\] an object; without it every one is touched.
#[inline(always)]
fn life_safety_operation<B: Bytes + ?Sized>(bytes: &B, at: u32, end: u32, operation: &mut Operation) -> u32 {
    let process = tag::unsigned(bytes, at, end, 0);
    if process.next == 0 || process.next == end {
        return 0;
    }
    let asked = Number { value: 0, next: password(bytes, process.next, end, 1) };
    let asked = following(bytes, asked, end, 2);
    if asked.next == 0 || asked.next == end {
        return asked.next;
    }
    let object = tag::object(bytes, asked.next, end, tag::identifier(3));
    record::object(operation, object.value);
    object.next
}
