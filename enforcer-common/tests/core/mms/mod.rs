//! MMS: what it says by service and name, every layer's lengths, and the ways around them.

mod association;
mod framing;
mod names;
mod policy;
mod responses;
mod segments;
mod services;

use enforcer_common::operation::{Access, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::mms::functions::unit;
use enforcer_common::protocol::tables::name_number;
use enforcer_common::verdict::Reason;

use crate::support::dissect::{self, CLIENT, From};

/// The client of a conversation, whose units may be split as those of this protocol are.
const CALLER: From = From { whole: false, ..CLIENT };

fn read(bytes: &[u8]) -> Vec<Operation> {
    dissect::read(Protocol::Mms, CALLER, bytes)
}

fn fault(bytes: &[u8]) -> Option<Reason> {
    dissect::fault(Protocol::Mms, CALLER, bytes)
}

/// Function, class, kind of object and object of every record of a sound request.
fn fields(bytes: &[u8]) -> Vec<(u32, Access, u32, u32)> {
    let records = read(bytes);
    for (index, one) in records.iter().enumerate() {
        assert_eq!((one.fault, one.protocol, one.is_asked()), (0, Protocol::Mms as u8, true), "{one:?}");
        // The contract counts everything but confirmed services as messages.
        let role = if one.function < unit::PDU { Role::Request } else { Role::Message };
        assert_eq!(one.role, role as u8, "{one:?}");
        assert_eq!((one.first, one.has(Operation::CONTINUES)), (one.last, index > 0), "{one:?}");
    }
    records.iter().map(|one| (one.function, Access::from_code(one.access), one.space, one.first)).collect()
}

/// The number of `domain/item`.
fn named(name: &str) -> u32 {
    name_number(name.as_bytes(), Some(b'/'))
}
