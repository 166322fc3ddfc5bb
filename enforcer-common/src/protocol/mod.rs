//! The registry of protocols, and what each of them must offer.
//!
//! A protocol is a folder here, one program in `enforcer-ebpf` and one row in [`Protocol`]. Its dissector takes bytes in
//! stream order and adds [`crate::operation::Operation`]s to the scratch record; its function table is the only place
//! where codes, names, classes and techniques stand.

pub mod modbus;

use crate::operation::Access;

macro_rules! protocols {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, [$($port:literal),*];)*) => {
        /// Protocols, and what stands in for one where nothing inside is inspected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Protocol {
            $($(#[$doc])* $name = $code,)*
        }

        impl Protocol {
            /// Every protocol.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The protocol with this code.
            #[must_use]
            #[inline(always)]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name in policies, events and replay.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The protocol's own server ports.
            #[must_use]
            pub const fn ports(self) -> &'static [u16] {
                match self {
                    $(Self::$name => &[$($port),*],)*
                }
            }

            /// The protocol that a server port stands for.
            #[must_use]
            #[inline(always)]
            pub const fn by_port(port: u16) -> Option<Self> {
                match port {
                    $($($port => Some(Self::$name),)*)*
                    _ => None,
                }
            }
        }
    };
}

protocols! {
    /// Frames that are not IP.
    Ethernet = 1, "ethernet", [];
    /// IP, where the frame ends before its transport is known (fragments, options); and IP protocols other than TCP, UDP and
    /// ICMP, which a conduit can carry without inspection inside.
    Ip = 2, "ip", [];
    /// TCP without inspection inside.
    Tcp = 3, "tcp", [];
    /// UDP without inspection inside.
    Udp = 4, "udp", [];
    /// ICMP and ICMPv6.
    Icmp = 5, "icmp", [];
    /// Modbus/TCP, and the same frames over UDP.
    Modbus = 16, "modbus", [502];
}

impl Protocol {
    /// Codes from here on are protocols whose payload is inspected.
    pub const FIRST_INSPECTED: u8 = 16;

    /// The function table of an inspected protocol; empty for the others.
    #[must_use]
    pub const fn functions(self) -> &'static [Function] {
        match self {
            Self::Ethernet | Self::Ip | Self::Tcp | Self::Udp | Self::Icmp => &[],
            Self::Modbus => modbus::functions::FUNCTIONS,
        }
    }

    /// The kinds of objects of an inspected protocol.
    #[must_use]
    pub const fn spaces(self) -> &'static [Space] {
        match self {
            Self::Ethernet | Self::Ip | Self::Tcp | Self::Udp | Self::Icmp => &[],
            Self::Modbus => modbus::functions::SPACES,
        }
    }

    /// Largest function number that can stand in a policy.
    #[must_use]
    pub const fn last_function(self) -> u32 {
        match self {
            Self::Ethernet | Self::Ip | Self::Tcp | Self::Udp | Self::Icmp => 0,
            Self::Modbus => 255,
        }
    }

    /// Largest unit number.
    #[must_use]
    pub const fn last_unit(self) -> u32 {
        match self {
            Self::Ethernet | Self::Ip | Self::Tcp | Self::Udp | Self::Icmp => 0,
            Self::Modbus => 255,
        }
    }
}

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

/// A kind of object that rules can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Number in [`crate::operation::Operation::space`]. With `numbered`, the number of the first one.
    pub space: u32,
    /// The word in front of the colon.
    pub name: &'static str,
    /// Largest object number.
    pub last: u32,
    /// Some(last): the word is followed by a number from 0 to `last` that is added to `space` ("file3:0-99").
    pub numbered: Option<u32>,
}
