//! (source zone, destination zone, transport, port) -> conduit.
//!
//! Enters: the headers in [`Frame`] and the policy. Leaves: [`Path`]. A TCP conversation keeps its conduit in the flow with
//! the generation that it was looked up in; a newer generation looks it up again, and no flow is ever flushed.

use crate::action::OnDeny;
use crate::environment::Environment;
use crate::flow::{FlowKey, NO_FLOW};
use crate::network::protocol;
use crate::operation::Role;
use crate::policy::grant;
use crate::policy::{ALL_VALUES, Image, NO_VALUES, Terms, UNCOVERED, lookup};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Path, Scratch};
use crate::transport::flag;
use crate::verdict::{Mode, Reason};

/// The conduit of a frame and which end opened the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Conduit id.
    pub conduit: u16,
    /// Protocol to inspect with.
    pub protocol: u8,
    /// The side of the client.
    pub client: Side,
}

impl Resolved {
    /// Notes it in the path of a frame from `side`.
    #[inline(always)]
    pub(crate) fn put(self, side: Side, path: &mut Path) {
        path.conduit = self.conduit;
        path.protocol = self.protocol;
        path.role = if self.client as u8 == side as u8 { Role::Request as u8 } else { Role::Response as u8 };
    }
}

/// Fills `scratch.path` from the flow of a TCP segment. False when there is no flow, or when its conduit was looked up in
/// another generation: [`resolve`] is next.
#[inline(always)]
pub fn recall<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch, side: Side) -> bool {
    let Some(slot) = environment.find_flow(&FlowKey::from(side, &scratch.frame)) else {
        return false;
    };
    scratch.path.slot = slot;
    let asks = scratch.path.granted == grant::NOT_ASKED && environment.has_grants();
    let Some(flow) = environment.flow(slot) else {
        return false;
    };
    // A grant may have come or ended since.
    if flow.generation != policy.header.generation || (flow.conduit == UNCOVERED && asks) {
        return false;
    }
    let resolved = Resolved { conduit: flow.conduit, protocol: flow.protocol, client: Side::from_code(flow.client) };
    let terms = flow.terms;
    if side as u8 == Side::Network as u8 && policy.is_device_mac(scratch.frame.source_mac) {
        return false;
    }
    resolved.put(side, &mut scratch.path);
    let terms = if resolved.conduit == UNCOVERED { self::terms(policy, &scratch.path) } else { terms };
    agree(policy, environment, scratch, terms);
    true
}

/// Finds the conduit of a frame in the policy, and renews it in the flow of a TCP segment that has one.
///
/// # Errors
/// `spoofed_device`.
#[inline(always)]
pub fn resolve<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Result<(), Reason> {
    let resolved = match look_up(policy, scratch) {
        Ok(resolved) => resolved,
        Err(reason) => {
            finish(policy, environment, scratch, UNCOVERED);
            return Err(reason);
        }
    };
    resolved.put(Side::from_code(scratch.frame.side), &mut scratch.path);
    finish(policy, environment, scratch, resolved.conduit);
    let scratch = scratch.anew();
    if scratch.path.slot == NO_FLOW {
        return Ok(());
    }
    if let Some(flow) = environment.flow(scratch.path.slot) {
        let terms = self::terms(policy, &scratch.path);
        flow.settle(policy.header.generation, scratch.path.conduit, scratch.path.protocol, terms);
        // The client stays the client: a port number must not turn a conversation round.
        scratch.path.role = if flow.client == scratch.frame.side { Role::Request as u8 } else { Role::Response as u8 };
    }
    Ok(())
}

/// Traffic that will be dropped anyway must not fill the flow table.
#[must_use]
#[inline(always)]
pub fn worth_a_flow(policy: &Image, path: &Path) -> bool {
    path.conduit != UNCOVERED
        || path.granted == grant::GRANTED
        || path.mode != Mode::Enforce as u8
        || policy.uncovered().verdict() != crate::verdict::Verdict::Deny
}

/// Fills in what the conduit says.
#[inline(always)]
pub fn finish<E: Environment>(policy: &Image, environment: &E, scratch: &mut Scratch, conduit: u16) {
    scratch.path.conduit = conduit;
    let terms = terms(policy, &scratch.path);
    agree(policy, environment, scratch, terms);
}

/// What the path's conduit says; for what none covers, what a grant does.
#[must_use]
#[inline(always)]
pub fn terms(policy: &Image, path: &Path) -> Terms {
    match lookup::get(&policy.conduits, path.conduit as u32) {
        Some(entry) if path.conduit != UNCOVERED => Terms::new(entry.mode, entry.on_deny, entry.stream == 0),
        _ => {
            let on_deny = if path.granted == grant::GRANTED { OnDeny::Reset } else { OnDeny::Drop };
            Terms::new(Mode::Enforce as u8, on_deny as u8, true)
        }
    }
}

/// The same where the conduit and its terms are known.
#[inline(always)]
pub(crate) fn agree<E: Environment>(policy: &Image, environment: &E, scratch: &mut Scratch, terms: Terms) {
    let mode = environment.mode(scratch.now, policy.header.bank, scratch.path.conduit, terms.mode());
    agree_in(mode as u8, policy, environment, scratch, terms);
}

/// The same where the mode's code is known too.
#[inline(always)]
pub(crate) fn agree_in<E: Environment>(mode: u8, policy: &Image, environment: &E, scratch: &mut Scratch, terms: Terms) {
    let path = &mut scratch.path;
    path.generation = policy.header.generation;
    path.bank = policy.header.bank;
    path.uncovered = policy.header.uncovered;
    path.whole = terms.whole();
    path.on_deny = terms.on_deny();
    path.mode = mode;
    let enforced = mode == Mode::Enforce as u8;
    // What no conduit covers gets the policy's default, whatever its place.
    path.holds = (enforced && path.conduit != UNCOVERED) as u8;
    // Evidence is kept with values where nothing is stopped; and the candidate may look at other values.
    path.valued = if !enforced || environment.has_candidate() {
        ALL_VALUES
    } else {
        match lookup::get(&policy.conduits, path.conduit as u32) {
            Some(entry) if path.conduit != UNCOVERED => entry.valued,
            _ => NO_VALUES,
        }
    };
}

/// Looks up both directions of a conversation.
///
/// # Errors
/// `spoofed_device`.
#[inline(always)]
pub fn look_up(policy: &Image, scratch: &mut Scratch) -> Result<Resolved, Reason> {
    let frame = &scratch.frame;
    if frame.side == Side::Network as u8 && policy.is_device_mac(frame.source_mac) {
        return Err(Reason::SpoofedDevice);
    }
    let source = policy.place(&frame.source);
    if frame.side == Side::Network as u8 && source.device {
        return Err(Reason::SpoofedDevice);
    }
    scratch.path.zones = [source.zone, policy.place(&frame.destination).zone];

    let scratch = scratch.anew();
    let frame = &scratch.frame;
    let [source, destination] = scratch.path.zones;
    let transport = match frame.transport_protocol {
        protocol::ICMPV6 => protocol::ICMP,
        other => other,
    };
    let service = (transport as u32) << 16;
    let synchronise = frame.tcp_flags & (flag::SYN | flag::ACK);
    let forth = Asked {
        client: source,
        server: destination,
        service: service | frame.destination_port as u32,
        skip: transport == protocol::TCP && synchronise == flag::SYN | flag::ACK,
    };
    let back = Asked {
        client: destination,
        server: source,
        service: service | frame.source_port as u32,
        skip: transport == protocol::TCP && synchronise == flag::SYN,
    };
    scratch.path.found = [ask(policy, forth), NOT_FOUND];
    let scratch = scratch.anew();
    let [found, _] = scratch.path.found;
    scratch.path.found = [found, ask(policy, back)];
    Ok(choose(policy, scratch.anew()))
}

/// A question to the table of conduits.
struct Asked {
    client: u16,
    server: u16,
    service: u32,
    skip: bool,
}

/// No conduit.
const NOT_FOUND: u16 = u16::MAX;

#[inline(always)]
fn ask(policy: &Image, asked: Asked) -> u16 {
    if asked.skip {
        return NOT_FOUND;
    }
    match policy.conduit_of(asked.client, asked.server, asked.service) {
        Some(conduit) => conduit,
        None => NOT_FOUND,
    }
}

/// Of the conduits of both directions the one that holds. Both fit: the device is the server, as it nearly always is.
#[inline(always)]
fn choose(policy: &Image, scratch: &Scratch) -> Resolved {
    let side = Side::from_code(scratch.frame.side);
    let [forth, back] = scratch.path.found;
    let (conduit, client) = if forth != NOT_FOUND && (back == NOT_FOUND || side as u8 == Side::Network as u8) {
        (forth, side)
    } else if back != NOT_FOUND {
        (back, side.other())
    } else {
        return uncovered(&scratch.frame, side);
    };
    let protocol = match lookup::get(&policy.conduits, conduit as u32) {
        Some(entry) => entry.protocol,
        None => 0,
    };
    Resolved { conduit, protocol, client }
}

/// Uncovered traffic is still read where its port tells the protocol, so that reports and learning can name it.
#[inline(always)]
fn uncovered(frame: &Frame, side: Side) -> Resolved {
    if frame.transport_protocol == protocol::ICMP || frame.transport_protocol == protocol::ICMPV6 {
        return Resolved { conduit: UNCOVERED, protocol: 0, client: side };
    }
    let to = Protocol::by_port(frame.transport_protocol, frame.destination_port);
    let from = Protocol::by_port(frame.transport_protocol, frame.source_port);
    match (to, from) {
        (Some(protocol), None) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: side },
        (None, Some(protocol)) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: side.other() },
        (Some(protocol), Some(_)) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: Side::Network },
        (None, None) => Resolved { conduit: UNCOVERED, protocol: 0, client: side },
    }
}
