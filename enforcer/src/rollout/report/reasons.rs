//! What the reasons mean to somebody who runs a plant.

use enforcer_common::verdict::Reason;

/// True for what a rule, a conduit or an `[[ethernet]]` entry decides; the other reasons are about how frames and
/// conversations are made.
pub fn is_policy(reason: Reason) -> bool {
    about(reason).1.is_empty()
}

/// The reason in a sentence.
pub(super) fn meaning(reason: Reason) -> &'static str {
    about(reason).0
}

/// What can be done about it; empty where rules decide.
pub(super) fn advice(reason: Reason) -> &'static str {
    about(reason).1
}

const BROKEN: &str = "Find the sender: equipment in order does not send this. There is no switch to let it pass.";
const STREAM: &str = "A few of them are ordinary loss: TCP sends the bytes again in their place. Many point to a bad line, or to an evasion.";
const TAKEN_UP: &str = "Conversations that were open before the box are proved by their own traffic; wait, or let the client \
                        reconnect. [policy] on_unsynchronised decides what happens to those that are not.";
const FLOOD: &str =
    "Find the sender: this is more than a station in order opens. The limits stand in the box's configuration.";

/// Meaning, and advice.
fn about(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Grant => ("a grant allows it for a while", ""),
        Reason::StepTooLarge => ("a rule covers it, and the value is further from the last one than max_step", ""),
        Reason::RuleAllow | Reason::RuleLog => ("a rule allows it", ""),
        Reason::Conduit => ("its conduit passes it without inspection", ""),
        Reason::EthernetAllow | Reason::EthernetLog => ("an [[ethernet]] entry allows it", ""),
        Reason::UncoveredAllow | Reason::UncoveredLog => ("no conduit covers it, and the default lets it pass", ""),
        Reason::Response
        | Reason::NoPayload
        | Reason::Retransmission
        | Reason::Partial
        | Reason::Management
        | Reason::FragmentAllow => ("it passes", ""),
        Reason::RuleDeny => ("a deny rule touches it", ""),
        Reason::EthernetDeny => ("an [[ethernet]] entry denies this type of frame", ""),
        Reason::UncoveredDeny => ("no conduit covers it, and the policy's default is deny", ""),
        Reason::UnknownTransport => ("no conduit carries this IP protocol, which can't be inspected", ""),
        Reason::FunctionNotAllowed => ("no rule of its conduit names the function", ""),
        Reason::UnitNotAllowed => ("rules name the function, none for this unit", ""),
        Reason::ObjectNotAllowed => ("rules name function and unit, none covers all objects", ""),
        Reason::ValueNotAllowed => ("rules cover the objects, none covers the values", ""),
        Reason::RateExceeded => ("a rule covers it, and it came more often than the rule lets pass", ""),
        Reason::Fragment => (
            "an IP fragment",
            "Set the sender's MTU so that it sends none. [policy] fragments = \"allow\" lets them pass uninspected.",
        ),
        Reason::NetworkOptions => (
            "an IPv4 header with options",
            "Find out who sets them. [policy] ip_options = \"allow\" inspects such packets like others.",
        ),
        Reason::SplitUnit => (
            "a segment that does not begin and end where the protocol's units do",
            "If this client always sends so, its conduit needs segmentation = \"stream\".",
        ),
        Reason::Unsynchronised => ("a conversation whose beginning was not seen", TAKEN_UP),
        Reason::FlowKilled => (
            "the rest of a conversation that was reset after a denied operation",
            "It follows from the denial before it; decide about that one.",
        ),
        Reason::SpoofedDevice => (
            "a device's address or MAC came from the network side",
            "Look at the cabling first: a second way around the box does this too. Otherwise somebody pretends to be the device.",
        ),
        Reason::SequenceGap => ("TCP bytes after a gap", STREAM),
        Reason::Overlap => ("TCP bytes that overlap what was forwarded", STREAM),
        Reason::DuplicateDiffers => (
            "TCP bytes sent again with other contents",
            "Equipment in order never does this: it is a defect of the sender, or an evasion.",
        ),
        Reason::DuplicateUnverified => ("TCP bytes sent again in other pieces", STREAM),
        Reason::BackPressure => ("new bytes while too many wait for the device's acknowledgement", STREAM),
        Reason::InexactReset => ("a reset that is not where its receiver expects it", STREAM),
        Reason::DataAfterClose => ("bytes behind the end that the sender announced", STREAM),
        Reason::StalledUnit => ("a unit of the protocol whose rest did not come in time", STREAM),
        Reason::InvalidAcknowledgement => ("an acknowledgement of bytes that were never sent", STREAM),
        Reason::FlowTableFull => (
            "no room for another conversation with this device",
            "More conversations than the box's configuration gives each device: see [flows].",
        ),
        Reason::ConnectionRate => ("more new connections than one source may open", FLOOD),
        Reason::HeldAfterResets => ("a client whose connections had to be reset again and again", FLOOD),
        Reason::IcmpRate => ("more echo requests than a person or a monitor sends", FLOOD),
        Reason::IcmpType => (
            "an ICMP message that redirects or narrows the way to the device",
            "Routers send these rarely; nothing toward a device needs them.",
        ),
        Reason::UnexpectedHandshake => ("an answer to a handshake that the other side did not begin", BROKEN),
        Reason::VlanMismatch => ("a segment in another VLAN than its conversation", BROKEN),
        Reason::ProtocolChanged => ("another protocol than the conversation carried so far", BROKEN),
        Reason::Truncated => ("a frame that ends before its headers say", BROKEN),
        Reason::MalformedLink => ("an Ethernet header that can't be right", BROKEN),
        Reason::VlanDepth => ("more VLAN tags than are inspected", BROKEN),
        Reason::MalformedNetwork => ("an IP header that contradicts itself", BROKEN),
        Reason::ExtensionHeader => ("IPv6 extension headers", BROKEN),
        Reason::MalformedTransport => ("a TCP or UDP header that contradicts itself", BROKEN),
        Reason::MultiBuffer | Reason::FrameTooLarge => (
            "a frame larger than a cable carries",
            "Switch off the receive offloads of the ports; `enforcer doctor` shows them.",
        ),
        Reason::BadChecksum => ("a wrong checksum", BROKEN),
        Reason::MalformedFraming => ("bytes that are not a frame of the conduit's protocol", BROKEN),
        Reason::LengthMismatch => ("a length other than the function implies", BROKEN),
        Reason::OutOfRange => ("a quantity, address or code outside the standard", BROKEN),
        Reason::InvalidFunction => ("a function code that can't stand in a request", BROKEN),
        Reason::BeyondInspection => ("more units, items or nesting than inspection walks", BROKEN),
        Reason::InvalidFlags => ("TCP flags that belong to no conversation", BROKEN),
        Reason::InvalidAddress => ("an address that no sender or receiver can have", BROKEN),
        Reason::TcpOption => ("a TCP option that changes what the stream means", BROKEN),
        Reason::UrgentData => ("urgent data, whose place receivers disagree about", BROKEN),
    }
}
