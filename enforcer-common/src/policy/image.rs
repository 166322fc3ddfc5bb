//! Layout of a compiled policy. Numbers are in host order; every table is sorted as its entry says.

use crate::action::OnDeny;
use crate::verdict::Mode;

/// Conduit id of traffic that no conduit covers. Entry 0 of the conduit table describes it.
pub const UNCOVERED: u16 = 0;

/// No object's values matter.
pub const NO_VALUES: [u32; 2] = [u32::MAX, 0];

/// Every object's values matter.
pub const ALL_VALUES: [u32; 2] = [0, u32::MAX];

/// Zone id of addresses in no named zone; also the zone `any` as a rule for conduits.
pub const ANY_ZONE: u16 = 0;

/// `function` of a node that holds the rules for every function without a node of its own.
pub const ANY_FUNCTION: u32 = u32::MAX;

/// `space` of a deny range without objects: it touches every operation.
pub const ANY_SPACE: u32 = u32::MAX;

/// Most allow and log candidates that one object can have.
pub const CANDIDATES_PER_SEGMENT: u32 = 8;

/// Most denied ranges that one function and unit can have.
pub const DENIALS_PER_UNIT: u32 = 16;

macro_rules! capacities {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        /// How much one generation can hold; the compiler refuses more. Powers of two, so that an index can be masked.
        pub mod capacity {
            $($(#[$doc])* pub const $name: usize = $value;
            const _: () = assert!($name.is_power_of_two());)*
        }
    };
}

capacities! {
    /// IPv4 address ranges of zones.
    ADDRESSES_V4 = 8192;
    /// IPv6 address ranges of zones.
    ADDRESSES_V6 = 2048;
    /// MAC addresses of devices.
    MACS = 256;
    /// `[[ethernet]]` types.
    ETHERTYPES = 64;
    /// Zone pairs.
    PAIRS = 8192;
    /// Port ranges over all zone pairs.
    SERVICES = 16384;
    /// Conduits, entry 0 included.
    CONDUITS = 1024;
    /// (conduit, function) nodes.
    FUNCTIONS = 16384;
    /// Unit segments.
    UNITS = 16384;
    /// Object segments.
    SEGMENTS = 32768;
    /// Allow and log candidates.
    CANDIDATES = 65536;
    /// Denied ranges.
    DENIALS = 8192;
    /// Rules.
    RULES = 8192;
}

/// A run of entries in another table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Run {
    /// Index of the first entry.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// An IPv4 range and its zone. Sorted by `first`, disjoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct AddressesV4 {
    /// First address.
    pub first: u32,
    /// Last address, inclusive.
    pub last: u32,
    /// Zone id; [`ANY_ZONE`] for a device's address that lies in no named zone.
    pub zone: u16,
    /// Non-zero: the address of a device, valid from the device port only (the range is that one address).
    pub device: u16,
}

/// An IPv6 range and its zone. Sorted by `first`, disjoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct AddressesV6 {
    /// First address: the two halves, high then low.
    pub first: [u64; 2],
    /// Last address, inclusive.
    pub last: [u64; 2],
    /// See [`AddressesV4::zone`].
    pub zone: u16,
    /// See [`AddressesV4::device`].
    pub device: u16,
    /// Always 0.
    pub padding: [u8; 4],
}

/// What is done with frames of one ethertype. Sorted by `ethertype`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Ethertype {
    /// Ethertype, or DSAP below 0x600.
    pub ethertype: u16,
    /// [`crate::verdict::Reason`] code: `EthernetAllow`, `EthernetLog` or `EthernetDeny`.
    pub reason: u8,
    /// Always 0.
    pub padding: u8,
    /// Conduit whose rules judge what is asked in such frames; [`UNCOVERED`] where the reason is all there is.
    pub conduit: u16,
}

/// Services between two zones. Sorted by `key`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pair {
    /// Client zone in the upper, server zone in the lower 16 bits. [`ANY_ZONE`] stands for zones without an entry of
    /// their own: an entry for named zones holds what the entries for any hold as well.
    pub key: u32,
    /// Entries of the service table.
    pub services: Run,
}

/// Ports of one transport that belong to a conduit. Within one pair sorted by `first`, disjoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Service {
    /// Transport in the upper 16 bits (IP protocol number; ICMPv6 counts as ICMP), first server port in the lower.
    pub first: u32,
    /// Same, last server port.
    pub last: u32,
    /// Conduit id.
    pub conduit: u16,
    /// Always 0.
    pub padding: u16,
}

/// One conduit. Index = conduit id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Conduit {
    /// Entries of the function table, sorted by `function`, the node for [`ANY_FUNCTION`] last.
    pub functions: Run,
    /// [`crate::protocol::Protocol`] code; tcp, udp and icmp pass without inspection inside.
    pub protocol: u8,
    /// [`crate::verdict::Mode`] code that the policy asks for.
    pub mode: u8,
    /// [`crate::action::OnDeny`] code.
    pub on_deny: u8,
    /// Non-zero: units may begin and end anywhere in a segment.
    pub stream: u8,
    /// First and last object, of whatever kind, at whose values some rule looks; [`NO_VALUES`] when none does.
    pub valued: [u32; 2],
}

/// What a conduit says of every frame in it, in one byte: a conversation keeps it with its conduit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Terms(u8);

impl Terms {
    const MODE: u8 = 3;
    const RESETS: u8 = 4;
    const WHOLE: u8 = 8;

    /// See the fields of [`Conduit`]; `whole` is the opposite of its `stream`.
    #[must_use]
    #[inline(always)]
    pub const fn new(mode: u8, on_deny: u8, whole: bool) -> Self {
        let resets = if on_deny == OnDeny::Reset as u8 { Self::RESETS } else { 0 };
        Self(mode & Self::MODE | resets | if whole { Self::WHOLE } else { 0 })
    }

    /// Nothing known.
    pub const EMPTY: Self = Self(0);

    /// See [`Conduit::mode`].
    #[must_use]
    #[inline(always)]
    pub const fn mode(self) -> Mode {
        Mode::from_code(self.0 & Self::MODE)
    }

    /// True for [`Mode::Enforce`].
    #[must_use]
    #[inline(always)]
    pub const fn enforces(self) -> bool {
        self.0 & Self::MODE == Mode::Enforce as u8
    }

    /// See [`Conduit::on_deny`].
    #[must_use]
    #[inline(always)]
    pub const fn on_deny(self) -> u8 {
        const _: () = assert!(OnDeny::Reset as u8 == 1 && OnDeny::Drop as u8 == 0);
        (self.0 & Self::RESETS) >> 2
    }

    /// Non-zero: segments must begin and end where units do.
    #[must_use]
    #[inline(always)]
    pub const fn whole(self) -> u8 {
        self.0 & Self::WHOLE
    }
}

/// The rules of one function in one conduit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Function {
    /// Function number, or [`ANY_FUNCTION`].
    pub function: u32,
    /// Entries of the unit table: they cover every unit from 0 to `u32::MAX` without gap.
    pub units: Run,
}

/// The rules of one function for units from `first` up to the next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Unit {
    /// First unit.
    pub first: u32,
    /// Entries of the segment table, for spaces that some rule names. Sorted by (`space`, `first`); within a space they
    /// cover every object from 0 to `u32::MAX` without gap.
    pub segments: Run,
    /// Candidates for operations without object, and for spaces that no rule names: rules without `objects`.
    pub candidates: Run,
    /// Entries of the denial table that can touch this unit, at most [`DENIALS_PER_UNIT`].
    pub denials: Run,
}

/// The candidates for objects from `first` up to the next entry of the same space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Segment {
    /// Kind of object.
    pub space: u32,
    /// First object.
    pub first: u32,
    /// Candidates, at most [`CANDIDATES_PER_SEGMENT`].
    pub candidates: Run,
}

/// An allow or log rule that covers the segment, up to `last`. A rule with several value ranges has several candidates.
/// Within one run sorted: log before allow, then by rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Candidate {
    /// Smallest allowed value.
    pub value_min: i64,
    /// Largest allowed value.
    pub value_max: i64,
    /// Last object that this interval of the rule covers; `u32::MAX` for rules without `objects`.
    pub last: u32,
    /// Rule id.
    pub rule: u16,
    /// Non-zero: log.
    pub log: u8,
    /// Non-zero: the rule has `values`.
    pub has_values: u8,
}

/// A range that a deny rule takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Denial {
    /// Smallest value that the rule touches.
    pub value_min: i64,
    /// Largest value that the rule touches.
    pub value_max: i64,
    /// Kind of object, or [`ANY_SPACE`].
    pub space: u32,
    /// First object.
    pub first: u32,
    /// Last object.
    pub last: u32,
    /// Rule id.
    pub rule: u16,
    /// Non-zero: the rule has `values`; it then touches writes that carry a value in the range, or none that is decoded.
    pub has_values: u8,
    /// Always 0.
    pub padding: u8,
}

/// What a rule says beside its ranges. Index = rule id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rule {
    /// Nanoseconds between two operations at the rule's rate; 0 when it has none.
    pub interval: u64,
    /// Operations that may come at once: the number of the rate ("5/s" is 5).
    pub burst: u32,
    /// Conduit id.
    pub conduit: u16,
    /// Always 0.
    pub padding: u16,
    /// One more than the largest distance of a written value from the last one, see [`crate::step`]; 0 when it has none.
    pub max_step: u32,
    /// Always 0.
    pub padding2: u32,
}

/// What holds for the whole generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Header {
    /// [`crate::abi::LAYOUT`] of the compiler.
    pub layout: u64,
    /// Number of this generation, from 1.
    pub generation: u32,
    /// IPv4 ranges in use. From 0.
    pub addresses_v4: Run,
    /// IPv6 ranges in use. From 0.
    pub addresses_v6: Run,
    /// MAC addresses in use. From 0.
    pub macs: Run,
    /// Ethertypes in use. From 0.
    pub ethertypes: Run,
    /// Zone pairs in use. From 0.
    pub pairs: Run,
    /// Counter bank, 0 or 1, alternating with the generation.
    pub bank: u8,
    /// [`crate::verdict::Reason`] code for traffic that no conduit covers: `UncoveredAllow`, `UncoveredLog` or
    /// `UncoveredDeny`.
    pub uncovered: u8,
    /// [`crate::verdict::Reason`] code for fragments: `Fragment` or `FragmentAllow`.
    pub fragments: u8,
    /// [`OnUnsynchronised`] code.
    pub on_unsynchronised: u8,
    /// Non-zero: IPv4 packets with options are inspected like others; else they are denied.
    pub ip_options: u8,
    /// Always 0.
    pub padding: [u8; 3],
}

/// What happens to a conversation whose beginning was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OnUnsynchronised {
    /// Take it up where it is.
    Resync = 0,
    /// Deny and reset it.
    Reset = 1,
    /// Deny it.
    Deny = 2,
}

/// One compiled policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Image {
    /// What holds for the whole generation.
    pub header: Header,
    /// See [`AddressesV4`].
    pub addresses_v4: [AddressesV4; capacity::ADDRESSES_V4],
    /// See [`AddressesV6`].
    pub addresses_v6: [AddressesV6; capacity::ADDRESSES_V6],
    /// Device MAC addresses as numbers, see [`super::mac_number`], ascending.
    pub macs: [u64; capacity::MACS],
    /// See [`Ethertype`].
    pub ethertypes: [Ethertype; capacity::ETHERTYPES],
    /// See [`Pair`].
    pub pairs: [Pair; capacity::PAIRS],
    /// See [`Service`].
    pub services: [Service; capacity::SERVICES],
    /// See [`Conduit`].
    pub conduits: [Conduit; capacity::CONDUITS],
    /// See [`Function`].
    pub functions: [Function; capacity::FUNCTIONS],
    /// See [`Unit`].
    pub units: [Unit; capacity::UNITS],
    /// See [`Segment`].
    pub segments: [Segment; capacity::SEGMENTS],
    /// See [`Candidate`].
    pub candidates: [Candidate; capacity::CANDIDATES],
    /// See [`Denial`].
    pub denials: [Denial; capacity::DENIALS],
    /// See [`Rule`].
    pub rules: [Rule; capacity::RULES],
}
