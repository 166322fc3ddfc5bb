//! Why, and what follows from it: one reason per outcome, and one exhaustive match from reason to verdict.

use core::hint::black_box;

/// What the policy says about an operation or a frame. The mode decides what is done with it (see [`crate::action`]).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// Passes.
    Allow = 0,
    /// Passes and is reported.
    Log = 1,
    /// Does not pass in enforce; is reported in every mode.
    Deny = 2,
}

impl Verdict {
    /// The word used in events and replay.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Log => "log",
            Self::Deny => "deny",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $verdict:ident;)*) => {
        /// Why a frame or an operation got its verdict. The codes are part of the ABI between kernel and controller.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[$doc])* $name = $code,)*
        }

        impl Reason {
            /// Every reason, for tables and reports.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The reason with this code; `None` for 0 (not decided yet) and for codes of another version.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The word used in events, counters and replay. Reasons that differ in verdict only share a word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The one place where a reason becomes a verdict.
            #[inline(always)]
            pub const fn verdict(self) -> Verdict {
                match self {
                    $(Self::$name => Verdict::$verdict,)*
                }
            }
        }
    };
}

reasons! {
    /// An allow rule covers the operation.
    RuleAllow = 1, "rule", Allow;
    /// A log rule covers the operation.
    RuleLog = 2, "rule", Log;
    /// A deny rule touches the operation.
    RuleDeny = 3, "rule", Deny;
    /// The conduit passes this traffic without inspection inside (tcp, udp, icmp).
    Conduit = 4, "conduit", Allow;
    /// Answer of a server, or a publication, on a conduit that allows the conversation.
    Response = 5, "response", Allow;
    /// A TCP segment without payload on a conduit.
    NoPayload = 6, "no_payload", Allow;
    /// TCP bytes that were forwarded before.
    Retransmission = 7, "retransmission", Allow;
    /// A segment that holds only a part of a protocol data unit; the decision falls with the rest.
    Partial = 8, "partial", Allow;
    /// A frame for the box's own management address.
    Management = 9, "management", Allow;
    /// An `[[ethernet]]` entry allows the type.
    EthernetAllow = 10, "ethernet", Allow;
    /// An `[[ethernet]]` entry logs the type.
    EthernetLog = 11, "ethernet", Log;
    /// An `[[ethernet]]` entry denies the type.
    EthernetDeny = 12, "ethernet", Deny;
    /// No conduit covers the traffic and the policy's default is allow.
    UncoveredAllow = 13, "not_covered", Allow;
    /// No conduit covers the traffic and the policy's default is log.
    UncoveredLog = 14, "not_covered", Log;
    /// No conduit covers the traffic and the policy's default is deny.
    UncoveredDeny = 15, "not_covered", Deny;
    /// No rule of the conduit names the function.
    FunctionNotAllowed = 16, "function_not_allowed", Deny;
    /// Rules name the function, none for this unit.
    UnitNotAllowed = 17, "unit_not_allowed", Deny;
    /// Rules name the function and unit, none covers all objects.
    ObjectNotAllowed = 18, "object_not_allowed", Deny;
    /// Rules cover function, unit and objects, none covers the values.
    ValueNotAllowed = 19, "value_not_allowed", Deny;
    /// A rule covers the operation, and its rate is used up.
    RateExceeded = 20, "rate_exceeded", Deny;
    /// The frame ends before its headers or the length they state.
    Truncated = 21, "truncated", Deny;
    /// An Ethernet header that cannot be right (SNAP, a length instead of a type).
    MalformedLink = 22, "malformed_link", Deny;
    /// More VLAN tags than the two that are inspected.
    VlanDepth = 23, "vlan_depth", Deny;
    /// An IP header that contradicts itself.
    MalformedNetwork = 24, "malformed_network", Deny;
    /// IPv4 options.
    NetworkOptions = 25, "ip_options", Deny;
    /// IPv6 extension headers other than a fragment.
    ExtensionHeader = 26, "extension_header", Deny;
    /// An IP fragment.
    Fragment = 27, "fragment", Deny;
    /// A TCP or UDP header that contradicts itself.
    MalformedTransport = 28, "malformed_transport", Deny;
    /// The frame lies in several buffers, of which only the first can be read.
    MultiBuffer = 29, "multi_buffer", Deny;
    /// A wrong IPv4, TCP or UDP checksum.
    BadChecksum = 30, "bad_checksum", Deny;
    /// The device's address or MAC came from the network side.
    SpoofedDevice = 31, "spoofed_device", Deny;
    /// TCP bytes after a gap: not inspected in their right place.
    SequenceGap = 32, "sequence_gap", Deny;
    /// TCP bytes that begin before and end after what was forwarded.
    Overlap = 33, "overlap", Deny;
    /// A conversation whose beginning was not seen.
    Unsynchronised = 34, "unsynchronised", Deny;
    /// No room for another conversation.
    FlowTableFull = 35, "flow_table_full", Deny;
    /// Bytes that are not a frame of the conduit's protocol.
    MalformedFraming = 36, "malformed_framing", Deny;
    /// A frame whose length is not the one its function implies.
    LengthMismatch = 37, "length_mismatch", Deny;
    /// A quantity, address or code outside what the standard allows.
    OutOfRange = 38, "out_of_range", Deny;
    /// A function code that cannot stand in a request.
    InvalidFunction = 39, "invalid_function", Deny;
    /// More units, items or nesting than the inspection can walk.
    BeyondInspection = 40, "beyond_inspection", Deny;
    /// TCP flags that belong to no conversation (SYN with FIN, data in a SYN, none at all).
    InvalidFlags = 41, "invalid_flags", Deny;
    /// An IPv4 fragment or another exception that the policy allows in so many words.
    FragmentAllow = 42, "fragment", Allow;
    /// A conversation that was reset after a denied operation.
    FlowKilled = 43, "flow_killed", Deny;
    /// An IP protocol that is neither TCP, UDP nor ICMP.
    UnknownTransport = 44, "unknown_transport", Deny;
    /// An address that no sender or no receiver of this traffic can have (source and destination alike, a group as source,
    /// TCP to a group).
    InvalidAddress = 45, "invalid_address", Deny;
    /// An IP packet longer than a cable's 1,500 bytes: several frames put together, or a jumbo frame.
    FrameTooLarge = 46, "frame_too_large", Deny;
    /// A TCP option that is malformed, out of place, or changes what the stream means (MPTCP, Fast Open, MD5).
    TcpOption = 47, "tcp_option", Deny;
    /// An acknowledgement of bytes that were never sent.
    InvalidAcknowledgement = 48, "invalid_acknowledgement", Deny;
    /// TCP bytes sent again with other contents.
    DuplicateDiffers = 49, "duplicate_differs", Deny;
    /// TCP bytes sent again in other pieces than before, so that they cannot be compared.
    DuplicateUnverified = 50, "duplicate_unverified", Deny;
    /// A segment that does not begin and end where protocol data units do.
    SplitUnit = 51, "split_unit", Deny;
    /// New TCP bytes while as many segments as can be compared wait for the device's acknowledgement.
    BackPressure = 52, "back_pressure", Deny;
    /// A reset that is not exactly where the receiver expects it.
    InexactReset = 53, "inexact_reset", Deny;
    /// TCP bytes behind the end that the sender announced.
    DataAfterClose = 54, "data_after_close", Deny;
    /// An answer to a handshake that the other side did not begin.
    UnexpectedHandshake = 55, "unexpected_handshake", Deny;
    /// More new connections than one source may open.
    ConnectionRate = 56, "connection_rate", Deny;
    /// A new connection of a client whose connections had to be reset again and again.
    HeldAfterResets = 57, "held_after_resets", Deny;
    /// A segment in another VLAN than the conversation it claims to belong to.
    VlanMismatch = 58, "vlan_mismatch", Deny;
    /// An ICMP message that redirects, maps or narrows the way to the device.
    IcmpType = 59, "icmp_type", Deny;
    /// More ICMP echo requests than a person or a monitor sends.
    IcmpRate = 60, "icmp_rate", Deny;
    /// Urgent data, whose place in the stream receivers disagree about.
    UrgentData = 61, "urgent_data", Deny;
    /// A protocol data unit whose rest did not come in time.
    StalledUnit = 62, "stalled_unit", Deny;
    /// Another protocol than the one that the conversation carried so far.
    ProtocolChanged = 63, "protocol_changed", Deny;
    /// The policy denies the operation, and a grant that is in force allows it.
    Grant = 64, "grant", Log;
    /// A rule covers the operation, and the value is too far from the last one.
    StepTooLarge = 65, "step_too_large", Deny;
}

impl Reason {
    /// True for outcomes of frames without inspection inside about which a policy has a word to say.
    #[must_use]
    #[inline(always)]
    pub const fn is_of_policy(self) -> bool {
        match self {
            Self::Conduit
            | Self::EthernetAllow
            | Self::EthernetLog
            | Self::EthernetDeny
            | Self::UncoveredAllow
            | Self::UncoveredLog
            | Self::UncoveredDeny
            | Self::UnknownTransport => true,
            Self::RuleAllow
            | Self::RuleLog
            | Self::RuleDeny
            | Self::Response
            | Self::NoPayload
            | Self::Retransmission
            | Self::Partial
            | Self::Management
            | Self::FunctionNotAllowed
            | Self::UnitNotAllowed
            | Self::ObjectNotAllowed
            | Self::ValueNotAllowed
            | Self::RateExceeded
            | Self::Truncated
            | Self::MalformedLink
            | Self::VlanDepth
            | Self::MalformedNetwork
            | Self::NetworkOptions
            | Self::ExtensionHeader
            | Self::Fragment
            | Self::MalformedTransport
            | Self::MultiBuffer
            | Self::BadChecksum
            | Self::SpoofedDevice
            | Self::SequenceGap
            | Self::Overlap
            | Self::Unsynchronised
            | Self::FlowTableFull
            | Self::MalformedFraming
            | Self::LengthMismatch
            | Self::OutOfRange
            | Self::InvalidFunction
            | Self::BeyondInspection
            | Self::InvalidFlags
            | Self::FragmentAllow
            | Self::FlowKilled
            | Self::InvalidAddress
            | Self::FrameTooLarge
            | Self::TcpOption
            | Self::InvalidAcknowledgement
            | Self::DuplicateDiffers
            | Self::DuplicateUnverified
            | Self::SplitUnit
            | Self::BackPressure
            | Self::InexactReset
            | Self::DataAfterClose
            | Self::UnexpectedHandshake
            | Self::ConnectionRate
            | Self::HeldAfterResets
            | Self::VlanMismatch
            | Self::IcmpType
            | Self::IcmpRate
            | Self::UrgentData
            | Self::StalledUnit
            | Self::ProtocolChanged
            | Self::Grant
            | Self::StepTooLarge => false,
        }
    }
}

/// Size of tables indexed by reason code.
pub const REASONS: usize = 128;

/// Verdict codes by reason code. A table, because the kernel's verifier follows every arm of a match.
static VERDICTS: [u8; REASONS] = {
    let mut verdicts = [Verdict::Deny as u8; REASONS];
    let mut rest = Reason::ALL;
    while let [reason, tail @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            verdicts[*reason as usize] = reason.verdict() as u8;
        }
        rest = tail;
    }
    verdicts
};

/// The code of the [`Verdict`] that a reason's code stands for; of 0 and of unknown codes that of `Deny`.
#[must_use]
#[inline(always)]
pub fn verdict_of(reason: u8) -> u8 {
    match VERDICTS.get(black_box(reason as usize) & (REASONS - 1)) {
        Some(verdict) => *verdict,
        None => Verdict::Deny as u8,
    }
}

/// What the box does with verdicts. Ordered: the box's mode caps the mode of a conduit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Observe and record what would make rules; forward everything.
    Learn = 0,
    /// Judge and report; forward everything.
    Shadow = 1,
    /// Judge and act.
    Enforce = 2,
}

impl Mode {
    /// The mode with this code; an unknown code is `Learn`, which touches nothing.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u8) -> Self {
        match code {
            2 => Self::Enforce,
            1 => Self::Shadow,
            _ => Self::Learn,
        }
    }

    /// The word used in configuration and `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learn => "learn",
            Self::Shadow => "shadow",
            Self::Enforce => "enforce",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{REASONS, Reason};

    #[test]
    fn codes_round_trip_and_fit_the_tables() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(*reason as u8), Some(*reason));
            assert!((*reason as usize) < REASONS, "{reason:?}");
        }
        assert_eq!(Reason::from_code(0), None);
    }
}
