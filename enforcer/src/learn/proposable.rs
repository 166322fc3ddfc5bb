//! What may be proposed, and what is left to a person.

use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::{Access, NO_OBJECT};
use enforcer_common::protocol::{Function, Protocol};

use crate::policy::operation_code;
use crate::policy::valid::Objects;

/// True for an operation that a proposal lists for decision and does not allow.
#[must_use]
pub fn is_left(key: &ObservationKey) -> bool {
    // Their types are proposed as a whole.
    if is_layer_2(key) {
        return false;
    }
    let objects = objects(key);
    let row = Protocol::from_code(key.protocol).and_then(|protocol| row(protocol, key.function, objects));
    row.is_none_or(|row| key.port == 0 || !is_proposed(row, objects))
}

/// True where the table lets a program propose it. A rule for a write without object would allow it on every object.
pub(super) fn is_proposed(row: &Function, objects: Option<Objects>) -> bool {
    !row.dangerous && row.access != Access::Unknown && (row.access != Access::Write || objects.is_some())
}

/// True for protocols in frames without IP.
pub(super) fn is_layer_2(key: &ObservationKey) -> bool {
    Protocol::from_code(key.protocol).is_some_and(|one| one.outer().unwrap_or(one).tables().ethertype.is_some())
}

/// What an operation touches.
pub(super) fn objects(key: &ObservationKey) -> Option<Objects> {
    (key.space != NO_OBJECT).then_some(Objects { space: key.space, first: key.first, last: key.last })
}

/// The row that names an operation: that of its sub-function where the table divides the code, else the code's own.
pub(super) fn row(protocol: Protocol, code: u32, objects: Option<Objects>) -> Option<&'static Function> {
    let mut rows = protocol.tables().functions.iter().filter(|row| operation_code(protocol, row.code) == code);
    if rows.clone().any(|row| row.object.is_some()) {
        let objects = objects?;
        let own = rows.clone().find(|row| {
            row.object
                .is_some_and(|own| own.space == objects.space && own.first <= objects.first && objects.last <= own.last)
        });
        // Rules for functions of objects name the objects, so that the whole code's row lets in nothing else.
        return own.or_else(|| rows.find(|row| row.object.is_none() && of_objects(protocol)));
    }
    rows.next()
}

/// True when the rows with objects are functions of those, which a rule's `objects` narrow.
pub(super) fn of_objects(protocol: Protocol) -> bool {
    protocol.outer().unwrap_or(protocol).tables().rows_of_objects
}
