//! The one shape every protocol yields, and all that policy ever sees.
//!
//! A protocol data unit becomes one [`Operation`] per object range it touches; the second and later ranges of the same
//! unit carry [`Operation::CONTINUES`]. The record is plain old data: kernel, replay and event log share it.

/// What an operation does to the device, the word rules use as `@class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Access {
    /// Not in the function table.
    Unknown = 0,
    /// Reads process data.
    Read = 1,
    /// Writes values or parameters.
    Write = 2,
    /// Runs, stops, restarts, forces.
    Control = 3,
    /// Loads or reads logic.
    Program = 4,
    /// Firmware, boot or flash configuration.
    Firmware = 5,
    /// Diagnostics, counters, logs.
    Diagnose = 6,
    /// Identity and discovery.
    Discover = 7,
    /// Sessions and authentication.
    Session = 8,
}

impl Access {
    /// Every class that a rule can name.
    pub const NAMED: &'static [Self] = &[
        Self::Read,
        Self::Write,
        Self::Control,
        Self::Program,
        Self::Firmware,
        Self::Diagnose,
        Self::Discover,
        Self::Session,
    ];

    /// The class with this code; an unknown code is `Unknown`.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::Control,
            4 => Self::Program,
            5 => Self::Firmware,
            6 => Self::Diagnose,
            7 => Self::Discover,
            8 => Self::Session,
            _ => Self::Unknown,
        }
    }

    /// The word used in rules (behind `@`), events and replay.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Read => "read",
            Self::Write => "write",
            Self::Control => "control",
            Self::Program => "program",
            Self::Firmware => "firmware",
            Self::Diagnose => "diagnose",
            Self::Discover => "discover",
            Self::Session => "session",
        }
    }
}

/// Which end of a conversation speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// The side that opened the conversation asks.
    Request = 0,
    /// The other side answers.
    Response = 1,
    /// Neither: publications, cyclic data.
    Message = 2,
}

impl Role {
    /// The role with this code; an unknown code is `Request`, the one that is judged.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Response,
            2 => Self::Message,
            _ => Self::Request,
        }
    }

    /// The word used in events and replay.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Message => "message",
        }
    }
}

/// The `space` of an operation that touches no object.
pub const NO_OBJECT: u32 = u32::MAX;

/// The `function` of a record that stands for bytes in which no function could be read.
pub const NO_FUNCTION: u32 = u32::MAX;

/// Bits of [`Operation::function`] that hold the function; those above tell a protocol within another one from that other one.
pub const FUNCTION_BITS: u32 = 24;

/// The `rule` of an operation that no rule decided.
pub const NO_RULE: u16 = u16::MAX;

/// One operation on one object range. Integers are in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Operation {
    /// Smallest and largest value written, when [`Self::HAS_VALUE`] is set.
    pub value_min: i64,
    /// See `value_min`.
    pub value_max: i64,
    /// The protocol's function number, numbered as the contract's table says, or [`NO_FUNCTION`].
    pub function: u32,
    /// Unit, station, common address or connection, as the protocol has it.
    pub unit: u32,
    /// Kind of object in the protocol's own numbering, or [`NO_OBJECT`].
    pub space: u32,
    /// First object of the range.
    pub first: u32,
    /// Last object of the range, inclusive.
    pub last: u32,
    /// Transaction number, for pairing requests and responses.
    pub transaction: u32,
    /// [`crate::protocol::Protocol`] code.
    pub protocol: u8,
    /// [`Role`] code.
    pub role: u8,
    /// [`Access`] code.
    pub access: u8,
    /// The `HAS_` and `CONTINUES` bits.
    pub flags: u8,
    /// [`crate::verdict::Reason`] code of what is wrong with the unit itself, or 0.
    pub fault: u8,
    /// Exception code of a response, when [`Self::HAS_EXCEPTION`] is set.
    pub exception: u8,
    /// [`crate::verdict::Reason`] code that the judge found.
    pub reason: u8,
    /// Always 0.
    pub padding2: u8,
    /// Rule that decided, or [`NO_RULE`].
    pub rule: u16,
    /// [`crate::verdict::Reason`] code of what the candidate policy says, where it is another verdict; else 0.
    pub candidate: u8,
    /// Always 0.
    pub padding: u8,
    /// How many sightings this one stands for, after judging; 0: it is not written down.
    pub repeats: u32,
}

impl Operation {
    /// `value_min` and `value_max` hold what is written.
    pub const HAS_VALUE: u8 = 1;
    /// The response is an exception, `exception` holds its code.
    pub const HAS_EXCEPTION: u8 = 2;
    /// A further object range of the unit before it.
    pub const CONTINUES: u8 = 4;
    /// The record holds the judge's finding for its unit.
    pub const DECIDED: u8 = 8;
    /// Enforce would not have seen the bytes here: the finding is the one it would have when they come again.
    pub const UNCERTAIN: u8 = 16;
    /// Rules treat it other than its role says. A message with it is judged as a request is: it makes its receiver do
    /// something, though nobody answers. A request with it passes as an answer does: the device itself asks, in a
    /// conversation that is the network's.
    pub const TURNED: u8 = 32;
    /// The answer to a request, or the request of an answer, has another function.
    pub const OTHER_FUNCTION: u8 = 64;
    /// It has another unit.
    pub const OTHER_UNIT: u8 = 128;

    /// A record with nothing in it.
    pub const EMPTY: Self = Self {
        value_min: 0,
        value_max: 0,
        function: NO_FUNCTION,
        unit: 0,
        space: NO_OBJECT,
        first: 0,
        last: 0,
        transaction: 0,
        protocol: 0,
        role: 0,
        access: 0,
        flags: 0,
        fault: 0,
        exception: 0,
        reason: 0,
        padding2: 0,
        rule: NO_RULE,
        candidate: 0,
        padding: 0,
        repeats: 0,
    };

    /// True when every bit of `flag` is set.
    #[must_use]
    #[inline(always)]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag == flag
    }

    /// True for what rules judge: a request, unless [`Self::TURNED`], and what is no request, if it is.
    #[must_use]
    #[inline(always)]
    pub const fn is_asked(&self) -> bool {
        // In bits, without a branch for the verifier to follow: of the roles, the request alone is 0.
        ((self.role | self.role >> 1) ^ (self.flags >> const { Self::TURNED.trailing_zeros() })) & 1 == 0
    }
}

const _: () = assert!(core::mem::size_of::<Operation>() == 56);
const _: () = assert!(Role::Request as u8 == 0 && Role::Response as u8 == 1 && Role::Message as u8 == 2);
