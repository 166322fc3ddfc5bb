//! The registry of protocols, and what each of them must offer.
//!
//! A protocol is a folder here and a row in each of the two lists below; `docs/adding-a-protocol.md` goes through it. Its
//! dissector takes bytes in stream order and adds [`crate::operation::Operation`]s to the scratch record; its [`Tables`]
//! are the only place where codes, names, classes and techniques stand.

pub mod bacnet;
pub mod cotp;
pub mod dnp3;
pub mod enip;
pub mod fins;
pub(crate) mod floating;
pub(crate) mod framing;
pub mod ge_srtp;
pub mod goose;
pub mod hart_ip;
pub mod iec104;
pub mod mms;
pub mod modbus;
pub mod opcua;
pub mod profinet;
pub mod profinet_cm;
pub mod s7comm;
pub mod s7commplus;
pub mod slmp;
pub mod sv;
pub mod tables;
pub mod umas;

pub use tables::{Form, Function, FunctionObject, Member, Space, Tables};

use crate::network::protocol::{TCP, UDP};

macro_rules! protocols {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $tables:expr;)*) => {
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

            /// Its tables; empty where nothing is inspected.
            #[must_use]
            pub const fn tables(self) -> &'static Tables {
                match self {
                    $(Self::$name => &$tables,)*
                }
            }
        }
    };
}

protocols! {
    /// Frames that are not IP.
    Ethernet = 1, "ethernet", tables::NONE;
    /// IP, where the frame ends before its transport is known (fragments, options); and IP protocols other than TCP, UDP and
    /// ICMP, which a conduit can carry without inspection inside.
    Ip = 2, "ip", tables::NONE;
    /// TCP without inspection inside.
    Tcp = 3, "tcp", tables::NONE;
    /// UDP without inspection inside.
    Udp = 4, "udp", tables::NONE;
    /// ICMP and ICMPv6.
    Icmp = 5, "icmp", tables::NONE;
    /// Modbus/TCP, and the same frames over UDP.
    Modbus = 16, "modbus", modbus::functions::TABLES;
    /// EtherNet/IP encapsulation: frames that carry no CIP.
    Enip = 22, "enip", enip::functions::TABLES;
    /// CIP services, in EtherNet/IP.
    Cip = 23, "cip", enip::services::TABLES;
    /// Implicit I/O of CIP connections, in UDP.
    CipIo = 24, "cip_io", enip::functions::IMPLICIT;
    /// PCCC commands, in the CIP service that executes them.
    Pccc = 25, "pccc", enip::commands::TABLES;
    /// UMAS, inside Modbus function 90.
    Umas = 30, "umas", umas::functions::TABLES;
    /// Omron FINS.
    Fins = 31, "fins", fins::functions::TABLES;
    /// Mitsubishi SLMP, the MC protocol of 3E and 4E frames.
    Slmp = 32, "slmp", slmp::functions::TABLES;
    /// HART-IP.
    HartIp = 33, "hart_ip", hart_ip::functions::TABLES;
    /// GE-SRTP.
    GeSrtp = 34, "ge_srtp", ge_srtp::functions::TABLES;
    /// DNP3, IEEE 1815, over TCP and UDP.
    Dnp3 = 17, "dnp3", dnp3::functions::TABLES;
    /// BACnet/IP.
    Bacnet = 26, "bacnet", bacnet::functions::TABLES;
    /// The virtual link and the network layer of BACnet.
    Bvlc = 60, "bvlc", bacnet::link_functions::TABLES;
    /// S7comm over TPKT and COTP.
    S7comm = 19, "s7comm", s7comm::functions::TABLES;
    /// S7comm-plus, in the data TPDUs of the same conversations.
    S7commplus = 20, "s7commplus", s7commplus::functions::TABLES;
    /// MMS, the protocol of IEC 61850's clients and of TASE.2, in the same transport connections.
    Mms = 28, "mms", mms::functions::TABLES;
    /// The transport connection that carries them.
    Cotp = 21, "cotp", cotp::functions::TABLES;
    /// IEC 60870-5-104, telecontrol over TCP.
    Iec104 = 18, "iec104", iec104::functions::TABLES;
    /// OPC UA binary over TCP.
    Opcua = 27, "opcua", opcua::functions::TABLES;
    /// PROFINET's discovery and configuration, in frames of type 0x8892.
    ProfinetDcp = 40, "profinet_dcp", profinet::functions::TABLES;
    /// The rest of the frames of that type: cyclic data, alarms, synchronisation.
    ProfinetRt = 41, "profinet_rt", profinet::functions::REAL_TIME;
    /// IEC 61850-8-1 events.
    Goose = 42, "goose", goose::TABLES;
    /// IEC 61850-9-2 sampled values.
    Sv = 43, "sv", sv::TABLES;
    /// PROFINET's connections: DCE/RPC over UDP.
    ProfinetCm = 44, "profinet_cm", profinet_cm::functions::TABLES;
}

/// Hands the protocols that a conduit can inspect to another macro: variant of [`Protocol`], folder, name of the program
/// that reads frames, name of the one that reads carry + payload.
#[macro_export]
macro_rules! with_dissectors {
    ($then:ident) => {
        $then! {
            Modbus modbus modbus_assembled;
            Enip enip enip_assembled;
            Fins fins fins_assembled;
            Slmp slmp slmp_assembled;
            HartIp hart_ip hart_ip_assembled;
            GeSrtp ge_srtp ge_srtp_assembled;
            Dnp3 dnp3 dnp3_assembled;
            Bacnet bacnet bacnet_assembled;
            S7comm s7comm s7comm_assembled;
            Mms mms mms_assembled;
            Iec104 iec104 iec104_assembled;
            Opcua opcua opcua_assembled;
            ProfinetDcp profinet profinet_assembled;
            Goose goose goose_assembled;
            Sv sv sv_assembled;
            ProfinetCm profinet_cm profinet_cm_assembled;
        }
    };
}

/// A dissector: where its programs are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dissector {
    /// What it reads.
    pub protocol: Protocol,
    /// Program for the frame.
    pub program: &'static str,
    /// Program for carry + payload.
    pub assembled: &'static str,
}

macro_rules! list_dissectors {
    ($($name:ident $folder:ident $assembled:ident;)*) => {
        /// Every dissector.
        pub const DISSECTORS: &[Dissector] = &[$(Dissector {
            protocol: Protocol::$name,
            program: stringify!($folder),
            assembled: stringify!($assembled),
        },)*];

        /// Runs the next step of a protocol's dissector over the bytes that `scratch.stream` marks. True when there is
        /// more: the caller comes again.
        #[inline(always)]
        pub fn dissect<B: $crate::bytes::Bytes + ?Sized>(
            protocol: Option<Protocol>,
            bytes: &B,
            scratch: &mut $crate::scratch::Scratch,
        ) -> bool {
            $(if protocol == Some(Protocol::$name) {
                return $folder::dissect(bytes, scratch);
            })*
            scratch.outcome = $crate::verdict::Reason::BeyondInspection as u8;
            false
        }
    };
}
with_dissectors!(list_dissectors);

impl Protocol {
    /// Codes from here on are protocols whose payload is inspected.
    pub const FIRST_INSPECTED: u8 = 16;

    /// See [`crate::operation::FUNCTION_BITS`].
    pub const FUNCTION_BITS: u32 = crate::operation::FUNCTION_BITS;

    /// True when payload of this protocol is dissected.
    #[must_use]
    #[inline(always)]
    pub const fn is_inspected(self) -> bool {
        self as u8 >= Self::FIRST_INSPECTED
    }

    /// The protocol's own server ports.
    #[must_use]
    pub const fn ports(self) -> &'static [u16] {
        self.tables().ports
    }

    /// The protocol that this one travels in, where it is no conduit's own.
    #[must_use]
    pub fn outer(self) -> Option<Self> {
        Self::ALL.iter().copied().find(|outer| outer.tables().inner.contains(&self))
    }

    /// This protocol, and those that travel in it.
    pub fn family(self) -> impl Iterator<Item = Self> {
        core::iter::once(self).chain(self.tables().inner.iter().copied())
    }

    /// The protocol that a server port stands for.
    #[must_use]
    #[inline(always)]
    pub const fn by_port(transport: u8, port: u16) -> Option<Self> {
        match (transport, port) {
            (TCP | UDP, 502) => Some(Self::Modbus),
            (TCP | UDP, 44818 | 2222) => Some(Self::Enip),
            (TCP | UDP, 5094) => Some(Self::HartIp),
            (TCP | UDP, 9600) => Some(Self::Fins),
            (TCP, 18245) => Some(Self::GeSrtp),
            (TCP | UDP, 20000) => Some(Self::Dnp3),
            (UDP, 47808) => Some(Self::Bacnet),
            (TCP, 102) => Some(Self::S7comm),
            (TCP, 2404) => Some(Self::Iec104),
            (TCP, 4840) => Some(Self::Opcua),
            (UDP, 34964) => Some(Self::ProfinetCm),
            _ => None,
        }
    }

    /// The protocol that an ethertype stands for.
    #[must_use]
    #[inline(always)]
    pub const fn by_ethertype(ethertype: u16) -> Option<Self> {
        match ethertype {
            0x8892 => Some(Self::ProfinetDcp),
            0x88b8 => Some(Self::Goose),
            0x88ba => Some(Self::Sv),
            _ => None,
        }
    }

    /// What [`crate::operation::Operation::function`] holds for a function number of this protocol: the number itself, or
    /// for a protocol that travels in another one a number that is none of that other one's.
    #[must_use]
    #[inline(always)]
    pub const fn within(self, function: u32) -> u32 {
        (self as u32) << Self::FUNCTION_BITS | function
    }

    /// The function number that the standard gives to what an operation holds.
    #[must_use]
    #[inline(always)]
    pub const fn standard(function: u32) -> u32 {
        function & ((1 << Self::FUNCTION_BITS) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{DISSECTORS, Protocol};
    use crate::network::protocol::{TCP, UDP};

    fn inspected() -> impl Iterator<Item = Protocol> {
        Protocol::ALL.iter().copied().filter(|protocol| protocol.is_inspected())
    }

    #[test]
    fn ports_are_found_where_the_tables_have_them() {
        for transport in [TCP, UDP] {
            for port in 0..=u16::MAX {
                let found = Protocol::by_port(transport, port);
                // Of several protocols on one port, the first is the one that reports and learning begin with.
                let first = inspected().find(|protocol| {
                    protocol.tables().transports.contains(&transport) && protocol.ports().contains(&port)
                });
                assert_eq!(found, first, "IP protocol {transport}, port {port}");
            }
        }
    }

    #[test]
    fn ethertypes_are_found_where_the_tables_have_them() {
        for number in 0..=u16::MAX {
            let first = inspected().find(|protocol| protocol.tables().ethertype == Some(number));
            assert_eq!(Protocol::by_ethertype(number), first, "{number:#x}");
        }
    }

    #[test]
    fn names_are_unique_in_a_family_and_every_function_has_a_class() {
        for protocol in inspected().filter(|protocol| protocol.outer().is_none()) {
            let rows = || protocol.family().flat_map(|one| one.tables().functions.iter().map(move |row| (one, row)));
            for (index, (one, row)) in rows().enumerate() {
                assert!(Protocol::standard(row.code) == row.code, "{} {}", one.as_str(), row.name);
                assert!(
                    rows().skip(index + 1).all(|(_, other)| {
                        // A function inside another one may bear the name that it has by itself.
                        other.name != row.name || other.object.is_some() && other.code != row.code
                    }),
                    "{}",
                    row.name
                );
            }
            let spaces = || protocol.family().flat_map(|one| one.tables().spaces.iter());
            for (index, space) in spaces().enumerate() {
                let (first, last) = space.numbers();
                for other in spaces().skip(index + 1) {
                    let (from, to) = other.numbers();
                    assert!(last < from || to < first, "{} and {} share numbers", space.name, other.name);
                    assert!(space.name != other.name, "{}", space.name);
                }
            }
        }
    }

    #[test]
    fn every_inspected_protocol_has_a_dissector_or_travels_in_one_that_has() {
        for protocol in inspected() {
            let own = DISSECTORS.iter().filter(|one| one.protocol == protocol).count();
            assert_eq!(own + usize::from(protocol.outer().is_some()), 1, "{}", protocol.as_str());
        }
    }
}
