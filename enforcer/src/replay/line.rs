//! What replay says about one frame: a line per operation, or one for the frame.
//!
//! Enters: a judged frame in the core's scratch record, and the policy's names. Leaves: [`Line`]s, whose fields stand in
//! the order and under the names that `CONTRACT.md` fixes. Fields beyond it come last and only where they say something.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use enforcer_common::action::Action;
use enforcer_common::network::protocol;
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::protocol::{Function, Protocol, Space};
use enforcer_common::scratch::{self, Scratch};
use enforcer_common::verdict::Reason;
use serde::Serialize;

use super::capture;
use crate::policy::{Names, ethertype_name, operation_code, space_name, space_of};

/// One line of `enforcer replay --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    pub frame: u64,
    pub time: Option<String>,
    pub src: String,
    pub dst: String,
    pub protocol: Cow<'static, str>,
    pub role: Option<&'static str>,
    pub function: Option<u32>,
    pub name: Option<&'static str>,
    pub access: Option<&'static str>,
    pub unit: Option<u32>,
    pub objects: Option<Vec<Object>>,
    pub values: Option<Values>,
    pub exception: Option<u8>,
    pub conduit: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub verdict: &'static str,
    pub reason: &'static str,
    pub action: &'static str,
    pub technique: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retransmission: bool,
    /// What is wrong with the unit or the frame, where `reason` says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// Enforce would not have seen the bytes in this place: what is said of them holds for when they come again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
    /// Both lengths, where the snap length cut the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
}

/// A range of objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    pub space: String,
    pub first: u32,
    pub last: u32,
    /// Which parts of the objects, where not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<(u32, u32)>,
}

/// The smallest and the largest value written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Values {
    pub min: i64,
    pub max: i64,
}

/// How much of a frame the capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Truncated {
    pub captured: usize,
    pub original: usize,
}

/// The lines of one judged frame, in the order of its bytes. Empty for frames that hold no operation and get no verdict
/// of their own: bare acknowledgements, and parts of a unit whose decision falls later.
pub fn lines<'a>(captured: &capture::Frame, scratch: &Scratch, names: &'a Names) -> Vec<Line<'a>> {
    let count = (scratch.count as usize).min(scratch.operations.len());
    let operations = scratch.operations.get(..count).unwrap_or_default();
    if operations.is_empty() {
        return whole_frame(captured, scratch, names).into_iter().collect();
    }
    // A unit with several object ranges is one operation, so one line.
    units(operations).map(|parts| unit(captured, scratch, names, parts)).collect()
}

/// Splits behind each range that the next one does not continue.
fn units(operations: &[Operation]) -> impl Iterator<Item = &[Operation]> {
    operations.chunk_by(|_, next| next.has(Operation::CONTINUES))
}

fn whole_frame<'a>(captured: &capture::Frame, scratch: &Scratch, names: &'a Names) -> Option<Line<'a>> {
    let reason = Reason::from_code(scratch.outcome)?;
    if matches!(reason, Reason::NoPayload | Reason::Partial) {
        return None;
    }
    Some(blank(captured, scratch, names, reason))
}

fn unit<'a>(captured: &capture::Frame, scratch: &Scratch, names: &'a Names, parts: &[Operation]) -> Line<'a> {
    // The judge writes its finding about the unit into one of its parts.
    let decisive = parts.iter().find(|part| part.reason != 0).unwrap_or(&Operation::EMPTY);
    let reason = Reason::from_code(decisive.reason).unwrap_or(Reason::BeyondInspection);
    let mut line = blank(captured, scratch, names, reason);
    line.rule = names.rule(decisive.rule);
    let Some(first) = parts.first() else { return line };
    let spoken = Protocol::from_code(first.protocol);
    if let Some(protocol) = spoken {
        line.protocol = protocol.as_str().into();
    }
    line.role = Some(Role::from_code(first.role).as_str());
    line.uncertain = parts.iter().any(|part| part.has(Operation::UNCERTAIN));
    line.fault = parts
        .iter()
        .find_map(|part| Reason::from_code(part.fault))
        .filter(|fault| *fault != reason)
        .map(Reason::as_str);
    if first.function == NO_FUNCTION {
        return line;
    }
    let row = spoken.and_then(|protocol| row(protocol, first));
    // A unit that reads and writes is what its writing part is.
    let access = parts.iter().map(|part| Access::from_code(part.access)).find(|access| *access != Access::Read);
    line.function = Some(Protocol::standard(first.function));
    line.name = row.map(|row| row.name);
    line.access = Some(access.unwrap_or(Access::Read).as_str());
    line.unit = Some(first.unit);
    line.objects = objects(spoken, parts);
    line.values = values(parts);
    line.exception = first.has(Operation::HAS_EXCEPTION).then_some(first.exception);
    // The technique is what was asked for; the answer is no second use of it.
    let asked = first.role != Role::Response as u8;
    line.technique = row.map(|row| row.technique).filter(|technique| asked && !technique.is_empty());
    line
}

/// A line that says all about the frame and nothing about an operation.
fn blank<'a>(captured: &capture::Frame, scratch: &Scratch, names: &'a Names, reason: Reason) -> Line<'a> {
    let (frame, path) = (&scratch.frame, &scratch.path);
    let (src, dst) = ends(frame);
    let inspected = path.protocol >= Protocol::FIRST_INSPECTED;
    let truncated = Truncated { captured: captured.captured_length(), original: captured.original_length };
    Line {
        frame: captured.number,
        time: captured.time.map(|time| time.to_string()),
        src,
        dst,
        protocol: frame_protocol(scratch),
        role: inspected.then(|| Role::from_code(path.role).as_str()),
        function: None,
        name: None,
        access: None,
        unit: None,
        objects: None,
        values: None,
        exception: None,
        conduit: names.conduit(path.conduit),
        rule: None,
        verdict: reason.verdict().as_str(),
        reason: reason.as_str(),
        action: Action::from_code(scratch.action).as_str(),
        technique: None,
        retransmission: scratch.stream.retransmission != 0,
        fault: wrong_checksum(frame).filter(|_| reason == Reason::BadChecksum),
        uncertain: false,
        truncated: captured.is_truncated().then_some(truncated),
    }
}

/// The outermost checksum that is wrong.
fn wrong_checksum(frame: &scratch::Frame) -> Option<&'static str> {
    if frame.wrong_checksum & scratch::Frame::WRONG_NETWORK != 0 {
        return Some("ipv4_checksum");
    }
    match frame.transport_protocol {
        _ if frame.wrong_checksum == 0 => None,
        protocol::TCP => Some("tcp_checksum"),
        protocol::UDP => Some("udp_checksum"),
        protocol::ICMP | protocol::ICMPV6 => Some("icmp_checksum"),
        _ => None,
    }
}

/// How far up the frame could be read. Frames that are not IP have the policy's word for their type.
fn frame_protocol(scratch: &Scratch) -> Cow<'static, str> {
    let frame = &scratch.frame;
    if frame.version == 0 {
        // Where the link header is wrong, what stands in its type field is no type.
        return match Reason::from_code(scratch.outcome) {
            Some(Reason::Truncated | Reason::VlanDepth | Reason::MalformedLink) => Protocol::Ethernet.as_str().into(),
            _ => ethertype_name(frame.ethertype).into(),
        };
    }
    // The payload's offset is the last thing that the transport stage writes.
    let carried = match (frame.payload, frame.transport_protocol) {
        (0, _) => Protocol::Ip,
        (_, protocol::TCP) => Protocol::Tcp,
        (_, protocol::UDP) => Protocol::Udp,
        (_, protocol::ICMP | protocol::ICMPV6) => Protocol::Icmp,
        _ => Protocol::Ip,
    };
    Protocol::from_code(scratch.path.protocol).unwrap_or(carried).as_str().into()
}

/// Sender and receiver: address and port, an address alone where there is no port, else the hardware address.
fn ends(frame: &scratch::Frame) -> (String, String) {
    if frame.version == 0 {
        return (hardware(frame.source_mac), hardware(frame.destination_mac));
    }
    let ports = matches!(frame.transport_protocol, protocol::TCP | protocol::UDP) && frame.payload != 0;
    let end = |address: [u8; 16], port: u16| {
        let address = Ipv6Addr::from(address);
        match (address.to_ipv4_mapped().filter(|_| frame.version == 4), ports) {
            (Some(address), true) => format!("{address}:{port}"),
            (Some(address), false) => address.to_string(),
            (None, true) => format!("[{address}]:{port}"),
            (None, false) => address.to_string(),
        }
    };
    (end(frame.source, frame.source_port), end(frame.destination, frame.destination_port))
}

fn hardware([a, b, c, d, e, f]: [u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// The row of the function table: the one for the sub-function, else the one for the whole code.
fn row(protocol: Protocol, operation: &Operation) -> Option<&'static Function> {
    let code = |row: &&Function| operation_code(protocol, row.code) == operation.function;
    let rows = || protocol.tables().functions.iter().filter(code);
    let sub = rows().find(|row| {
        row.object.is_some_and(|object| {
            object.space == operation.space && (object.first..=object.last).contains(&operation.first)
        })
    });
    sub.or_else(|| rows().find(|row| row.object.is_none()))
}

fn objects(protocol: Option<Protocol>, parts: &[Operation]) -> Option<Vec<Object>> {
    let named = parts.iter().filter(|part| part.space != NO_OBJECT);
    let objects: Vec<Object> = named.map(|part| object(protocol, part)).collect();
    (!objects.is_empty()).then_some(objects)
}

fn object(protocol: Option<Protocol>, part: &Operation) -> Object {
    let bits = protocol.and_then(|protocol| space_of(protocol, part.space)).map_or(0, Space::member_bits);
    let top = (1u32 << bits) - 1;
    let members = (part.first & top, part.last & top);
    Object {
        space: protocol.map_or_else(|| part.space.to_string(), |protocol| space_name(protocol, part.space)),
        first: part.first >> bits,
        last: part.last >> bits,
        members: (members != (0, top)).then_some(members),
    }
}

fn values(parts: &[Operation]) -> Option<Values> {
    let written = || parts.iter().filter(|part| part.has(Operation::HAS_VALUE));
    let min = written().map(|part| part.value_min).min()?;
    let max = written().map(|part| part.value_max).max()?;
    Some(Values { min, max })
}
