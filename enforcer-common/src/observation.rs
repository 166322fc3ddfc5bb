//! What learning keeps of an operation: who, to whom, what; how often, when, with which values.

use crate::operation::{NO_FUNCTION, NO_OBJECT, Operation, Role};
use crate::policy::step::UNKNOWN;
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Scratch};
use crate::verdict::{Mode, Reason, Verdict, verdict_of};

/// In [`ObservationKey::reason`]: the operation did not pass.
pub const STOPPED: u8 = 0x80;

/// What makes two observations the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ObservationKey {
    /// The end that opened the conversation; for frames that are not IP the MAC address in the last six bytes.
    pub client: [u8; 16],
    /// The other end.
    pub server: [u8; 16],
    /// Function, or [`NO_FUNCTION`].
    pub function: u32,
    /// Unit.
    pub unit: u32,
    /// Kind of object, or [`NO_OBJECT`].
    pub space: u32,
    /// First object.
    pub first: u32,
    /// Last object.
    pub last: u32,
    /// Server port; for frames that are not IP the ethertype.
    pub port: u16,
    /// [`Protocol`] code.
    pub protocol: u8,
    /// [`Role`] code.
    pub role: u8,
    /// [`crate::operation::Access`] code.
    pub access: u8,
    /// [`Side`] code of the client.
    pub side: u8,
    /// IP protocol number.
    pub transport: u8,
    /// [`Reason`] code of what the policy in force said of it, with [`STOPPED`] where the denial was carried out.
    pub reason: u8,
}

/// What is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Observation {
    /// How often.
    pub count: u64,
    /// Boot time of the first, nanoseconds.
    pub first_seen: u64,
    /// Boot time of the last, nanoseconds.
    pub last_seen: u64,
    /// Smallest value written; above `value_max` when none was.
    pub value_min: i64,
    /// Largest value written.
    pub value_max: i64,
    /// Value that was written last to the one object that the key names; [`UNKNOWN`] before the first.
    pub value_last: i64,
    /// Largest change from one value to the next.
    pub step: u64,
}

impl Observation {
    /// The first sighting of `operation`.
    #[must_use]
    #[inline(always)]
    pub const fn first(now: u64, operation: Option<&Operation>) -> Self {
        let (value_min, value_max) = match operation {
            Some(operation) if operation.has(Operation::HAS_VALUE) => (operation.value_min, operation.value_max),
            _ => (i64::MAX, i64::MIN),
        };
        let value_last = match operation {
            Some(operation) => single(operation),
            None => UNKNOWN,
        };
        Self { count: repeats(operation), first_seen: now, last_seen: now, value_min, value_max, value_last, step: 0 }
    }

    /// The sum of two.
    pub fn add(&mut self, other: &Self) {
        self.count = self.count.wrapping_add(other.count);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.value_min = self.value_min.min(other.value_min);
        self.value_max = self.value_max.max(other.value_max);
        self.step = self.step.max(other.step);
    }

    /// One more sighting.
    #[inline(always)]
    pub fn again(&mut self, now: u64, operation: Option<&Operation>) {
        self.count = self.count.wrapping_add(repeats(operation));
        self.last_seen = now;
        if let Some(operation) = operation
            && operation.has(Operation::HAS_VALUE)
        {
            self.value_min = self.value_min.min(operation.value_min);
            self.value_max = self.value_max.max(operation.value_max);
            let value = single(operation);
            if value != UNKNOWN {
                if self.value_last != UNKNOWN {
                    self.step = self.step.max(self.value_last.abs_diff(value));
                }
                self.value_last = value;
            }
        }
    }
}

/// The value that goes to a single object, else [`UNKNOWN`].
#[inline(always)]
const fn single(operation: &Operation) -> i64 {
    if operation.has(Operation::HAS_VALUE) && operation.first == operation.last { operation.value_max } else { UNKNOWN }
}

/// How many sightings a record stands for.
#[inline(always)]
const fn repeats(operation: Option<&Operation>) -> u64 {
    match operation {
        Some(operation) if operation.repeats > 1 => operation.repeats as u64,
        Some(_) | None => 1,
    }
}

impl ObservationKey {
    /// What the policy in force said; `None` for a code of another version.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        Reason::from_code(self.reason & !STOPPED)
    }

    /// True for what did not pass.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.reason & STOPPED != 0
    }

    /// An empty key.
    pub const EMPTY: Self = Self {
        client: [0; 16],
        server: [0; 16],
        function: NO_FUNCTION,
        unit: 0,
        space: NO_OBJECT,
        first: 0,
        last: 0,
        port: 0,
        protocol: 0,
        role: 0,
        access: 0,
        side: 0,
        transport: 0,
        reason: 0,
    };

    /// Fills the key in place for the operation at `index`, or for a frame without inspection inside. False for what a
    /// policy does not name: responses and faults. One fault it names, that of a client which splits its units: such a key
    /// has an inspected protocol and no function. In place, because the kernel's stack has no room for it.
    #[must_use]
    #[inline(always)]
    pub fn fill(&mut self, scratch: &Scratch, index: Option<u32>) -> bool {
        let operation = index.and_then(|index| scratch.operation(index));
        let calls = match operation {
            Some(record) => record.fault == 0 && record.role != Role::Response as u8 && calls(record, scratch),
            None => false,
        };
        // Who calls is the client, though both ends may use the server's port.
        let role = if calls { Role::Request as u8 } else { scratch.path.role };
        self.frame(&scratch.frame, role);
        self.role = role;
        // Ranges of one unit share the finding that stands in one of their records.
        let reason = match operation {
            Some(record) if record.has(Operation::DECIDED) => record.reason,
            Some(_) | None => scratch.outcome,
        };
        let stopped = scratch.path.mode == Mode::Enforce as u8 && verdict_of(reason) == Verdict::Deny as u8;
        self.reason = reason | (stopped as u8) << const { STOPPED.trailing_zeros() };
        let Some(operation) = operation else {
            self.nothing();
            return role != Role::Response as u8;
        };
        if operation.fault != 0 {
            self.nothing();
            self.protocol = scratch.path.protocol;
            return operation.fault == Reason::SplitUnit as u8 && role != Role::Response as u8;
        }
        self.function = operation.function;
        self.unit = operation.unit;
        self.space = operation.space;
        self.first = operation.first;
        self.last = operation.last;
        self.protocol = operation.protocol;
        self.access = operation.access;
        calls
    }

    /// No operation.
    #[inline(always)]
    const fn nothing(&mut self) {
        self.function = NO_FUNCTION;
        self.unit = 0;
        self.space = NO_OBJECT;
        self.first = 0;
        self.last = 0;
        self.access = 0;
    }

    #[inline(always)]
    fn frame(&mut self, frame: &Frame, role: u8) {
        self.side = frame.side;
        self.transport = frame.transport_protocol;
        if frame.version == 0 {
            let [a, b, c, d, e, f] = frame.source_mac;
            self.client = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f];
            let [a, b, c, d, e, f] = frame.destination_mac;
            self.server = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f];
            self.port = frame.ethertype;
            self.protocol = Protocol::Ethernet as u8;
            return;
        }
        self.protocol = Protocol::Ip as u8;
        if role == Role::Response as u8 {
            self.client = frame.destination;
            self.server = frame.source;
            self.port = frame.source_port;
            self.side = Side::from_code(frame.side).other() as u8;
        } else {
            self.client = frame.source;
            self.server = frame.destination;
            self.port = frame.destination_port;
        }
    }
}

/// A policy has to name what is no answer: all that the client's end says, and of the server's end what goes to a server's
/// port as well.
#[inline(always)]
fn calls(record: &Operation, scratch: &Scratch) -> bool {
    let frame = &scratch.frame;
    record.is_asked()
        || scratch.path.role != Role::Response as u8
        || Protocol::by_port(frame.transport_protocol, frame.destination_port)
            .is_some_and(|protocol| protocol as u8 == scratch.path.protocol)
}

/// An operation about which the candidate policy says something else than the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Difference {
    /// The operation, with what the active policy said.
    pub key: ObservationKey,
    /// [`Reason`] code of what the candidate says.
    pub candidate: u8,
    /// Always 0.
    pub padding: [u8; 3],
}

const _: () = assert!(core::mem::size_of::<Difference>() == 64);
const _: () = assert!(core::mem::size_of::<ObservationKey>() == 60);
const _: () = assert!(core::mem::size_of::<Observation>() == 56);
