//! (source zone, destination zone, transport, port) -> conduit.
//!
//! Enters: the headers in [`Frame`] and the policy. Leaves: [`Path`]. A TCP conversation keeps its conduit in the flow with
//! the generation that it was looked up in; a newer generation looks it up again, and no flow is ever flushed.

use crate::action::OnDeny;
use crate::environment::Environment;
use crate::flow::{FlowKey, NO_FLOW};
use crate::network::protocol;
use crate::operation::Role;
use crate::policy::{Image, UNCOVERED, lookup};
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

/// Fills `scratch.path` for a frame whose headers are known.
///
/// # Errors
/// `spoofed_device`, `flow_table_full`, or the policy's reason for uncovered traffic when nothing more is to be inspected.
#[inline(always)]
pub fn resolve<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) -> Result<(), Reason> {
    let frame = &scratch.frame;
    let path = &mut scratch.path;
    path.slot = NO_FLOW;

    if frame.side == Side::Network as u8 && policy.is_device_mac(frame.source_mac) {
        finish(policy, environment, path, UNCOVERED);
        return Err(Reason::SpoofedDevice);
    }
    if frame.transport_protocol != protocol::TCP {
        let resolved = look_up(policy, frame);
        return take(policy, environment, frame, path, resolved);
    }

    let key = FlowKey::of(frame);
    if let Some(slot) = environment.find_flow(&key) {
        path.slot = slot;
        if let Some(flow) = environment.flow(slot) {
            let cached = if flow.generation == policy.header.generation {
                Some(Resolved { conduit: flow.conduit, protocol: flow.protocol, client: Side::from_code(flow.client) })
            } else {
                None
            };
            let resolved = match cached {
                Some(resolved) => resolved,
                None => match look_up(policy, frame) {
                    Ok(mut resolved) => {
                        // The client stays the client: a port number must not turn the conversation round.
                        resolved.client = Side::from_code(flow.client);
                        flow.generation = policy.header.generation;
                        flow.conduit = resolved.conduit;
                        flow.protocol = resolved.protocol;
                        resolved
                    }
                    Err(reason) => {
                        finish(policy, environment, path, UNCOVERED);
                        return Err(reason);
                    }
                },
            };
            return take(policy, environment, frame, path, Ok(resolved));
        }
    }

    let resolved = look_up(policy, frame);
    take(policy, environment, frame, path, resolved)?;
    if path.protocol < Protocol::FIRST_INSPECTED || !worth_a_flow(policy, path) {
        return Ok(());
    }
    let Ok(resolved) = resolved else {
        return Ok(());
    };
    let Some(slot) = environment.create_flow(&key) else {
        return Err(Reason::FlowTableFull);
    };
    path.slot = slot;
    if let Some(flow) = environment.flow(slot) {
        flow.generation = policy.header.generation;
        flow.conduit = resolved.conduit;
        flow.protocol = resolved.protocol;
        flow.client = resolved.client as u8;
    }
    Ok(())
}

/// Traffic that will be dropped anyway must not fill the flow table.
#[inline(always)]
fn worth_a_flow(policy: &Image, path: &Path) -> bool {
    path.conduit != UNCOVERED
        || path.mode != Mode::Enforce as u8
        || policy.uncovered().verdict() != crate::verdict::Verdict::Deny
}

#[inline(always)]
fn take<E: Environment>(
    policy: &Image,
    environment: &E,
    frame: &Frame,
    path: &mut Path,
    resolved: Result<Resolved, Reason>,
) -> Result<(), Reason> {
    match resolved {
        Ok(resolved) => {
            path.protocol = resolved.protocol;
            path.role = if resolved.client as u8 == frame.side { Role::Request as u8 } else { Role::Response as u8 };
            finish(policy, environment, path, resolved.conduit);
            Ok(())
        }
        Err(reason) => {
            finish(policy, environment, path, UNCOVERED);
            Err(reason)
        }
    }
}

/// Fills in what the conduit says.
#[inline(always)]
pub fn finish<E: Environment>(policy: &Image, environment: &E, path: &mut Path, conduit: u16) {
    path.conduit = conduit;
    path.generation = policy.header.generation;
    path.bank = policy.header.bank;
    let (asked, on_deny, values) = match lookup::get(&policy.conduits, conduit as u32) {
        Some(entry) if conduit != UNCOVERED => (Mode::from_code(entry.mode), entry.on_deny, entry.values),
        _ => (Mode::Enforce, OnDeny::Drop as u8, 0),
    };
    let mode = environment.mode(policy.header.bank, conduit, asked);
    path.mode = mode as u8;
    path.on_deny = on_deny;
    path.values = if mode as u8 == Mode::Learn as u8 { 1 } else { values };
}

/// Looks up both directions of a conversation. Err: a spoofed source.
#[inline(always)]
fn look_up(policy: &Image, frame: &Frame) -> Result<Resolved, Reason> {
    let source = policy.place(&frame.source);
    let destination = policy.place(&frame.destination);
    let side = Side::from_code(frame.side);
    if side as u8 == Side::Network as u8 && source.device {
        return Err(Reason::SpoofedDevice);
    }
    let transport = match frame.transport_protocol {
        protocol::ICMPV6 => protocol::ICMP,
        other => other,
    };
    let service = (transport as u32) << 16;
    let to = service | frame.destination_port as u32;
    let from = service | frame.source_port as u32;

    let synchronise = frame.tcp_flags & (flag::SYN | flag::ACK);
    let opening = transport == protocol::TCP && synchronise == flag::SYN;
    let answering = transport == protocol::TCP && synchronise == flag::SYN | flag::ACK;
    let as_client = if answering { None } else { policy.conduit_of(source.zone, destination.zone, to) };
    let as_server = if opening { None } else { policy.conduit_of(destination.zone, source.zone, from) };

    // Both fit: the device is the server, as it nearly always is.
    let (conduit, client) = match (as_client, as_server) {
        (Some(conduit), None) => (conduit, side),
        (None, Some(conduit)) => (conduit, side.other()),
        (Some(forth), Some(back)) => match side {
            Side::Network => (forth, side),
            Side::Device => (back, side.other()),
        },
        (None, None) => return Ok(uncovered(frame, side, transport)),
    };
    let protocol = match lookup::get(&policy.conduits, conduit as u32) {
        Some(entry) => entry.protocol,
        None => 0,
    };
    Ok(Resolved { conduit, protocol, client })
}

/// Uncovered traffic is still read where its port tells the protocol, so that reports and learning can name it.
#[inline(always)]
fn uncovered(frame: &Frame, side: Side, transport: u8) -> Resolved {
    if transport == protocol::ICMP {
        return Resolved { conduit: UNCOVERED, protocol: 0, client: side };
    }
    let to = Protocol::by_port(frame.destination_port);
    let from = Protocol::by_port(frame.source_port);
    match (to, from) {
        (Some(protocol), None) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: side },
        (None, Some(protocol)) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: side.other() },
        (Some(protocol), Some(_)) => Resolved { conduit: UNCOVERED, protocol: protocol as u8, client: Side::Network },
        (None, None) => Resolved { conduit: UNCOVERED, protocol: 0, client: side },
    }
}
