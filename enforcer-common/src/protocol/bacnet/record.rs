//! Records of one message, and what they say about objects.

use super::spaces::{INSTANCES, OTHER_PROPERTIES, PROPERTY_BITS};
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{MOST, Scratch};
use crate::verdict::Reason;

/// Property identifiers that stand for many, 21 (BACnetPropertyIdentifier): all, optional, required.
const ALL: u32 = 8;
const OPTIONAL: u32 = 80;
const REQUIRED: u32 = 105;

/// Adds the record of a message. What is wrong with the datagram is wrong with it. `None` when there is no room.
#[inline(always)]
pub(super) fn add(scratch: &mut Scratch, protocol: Protocol, function: u32, role: Role) -> Option<&mut Operation> {
    let fault = (scratch.stream.context & 0xff) as u8;
    let unit = scratch.walking.seen;
    let asks = role as u8 != Role::Response as u8 && !is_devices_own(scratch);
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = protocol as u8;
    operation.function = function;
    operation.role = role as u8;
    operation.unit = unit;
    operation.fault = fault;
    if asks != (role as u8 == Role::Request as u8) {
        operation.flags = Operation::TURNED;
    }
    Some(operation)
}

/// The device asks or tells something in a conversation that the policy has as the network's: it does itself no harm.
#[inline(always)]
fn is_devices_own(scratch: &Scratch) -> bool {
    scratch.frame.side == Side::Device as u8 && scratch.path.role == Role::Response as u8
}

/// Adds a record for a further object of the last one's message. False when there is no room.
#[inline(always)]
pub(super) fn continued(scratch: &mut Scratch) -> bool {
    let last = scratch.count.wrapping_sub(1);
    if scratch.count >= MOST {
        return false;
    }
    let Some(&Operation { function, unit, transaction, protocol, role, access, flags, .. }) = scratch.operation(last)
    else {
        return false;
    };
    let Some(part) = scratch.add() else {
        return false;
    };
    *part = Operation::EMPTY;
    part.function = function;
    part.unit = unit;
    part.transaction = transaction;
    part.protocol = protocol;
    part.role = role;
    part.access = access;
    part.flags = flags & Operation::TURNED | Operation::CONTINUES;
    true
}

/// The record that was added last.
#[inline(always)]
pub(super) fn last(scratch: &mut Scratch) -> Option<&mut Operation> {
    scratch.operation_mut(scratch.count.wrapping_sub(1))
}

/// Notes what is wrong with the last record, unless something was wrong before.
#[inline(always)]
pub(super) fn fault(scratch: &mut Scratch, reason: Reason) {
    if let Some(operation) = last(scratch)
        && operation.fault == 0
    {
        operation.fault = reason as u8;
    }
}

/// The operation touches one object whole. `identifier` holds type and instance, 20.2.14.
#[inline(always)]
pub(super) fn object(operation: &mut Operation, identifier: u32) {
    operation.space = identifier >> 22;
    operation.first = (identifier & INSTANCES) << PROPERTY_BITS;
    operation.last = operation.first | OTHER_PROPERTIES;
}

/// The operation touches one property of an object; a property that stands for many touches the object whole.
#[inline(always)]
pub(super) fn property(operation: &mut Operation, identifier: u32, property: u32) {
    object(operation, identifier);
    if property != ALL && property != OPTIONAL && property != REQUIRED {
        operation.first |= property.min(OTHER_PROPERTIES);
        operation.last = operation.first;
    }
}

/// The operation touches one number of a kind without properties.
#[inline(always)]
pub(super) fn number(operation: &mut Operation, space: u32, number: u32) {
    operation.space = space;
    operation.first = number;
    operation.last = number;
}
