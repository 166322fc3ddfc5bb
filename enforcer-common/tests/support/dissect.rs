//! One dissector by itself: bytes in, records out, without stream and policy.

use enforcer_common::network::protocol::{TCP, UDP};
use enforcer_common::operation::{Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::{self, Protocol};
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Reason;

/// Most steps that a dissector may take for one segment.
const STEPS: usize = 64;

/// Where the bytes come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From {
    pub transport: u8,
    pub role: Role,
    pub side: Side,
    /// Units must be whole.
    pub whole: bool,
    /// What the direction remembers, and what the other one does.
    pub context: (u32, u32),
}

/// A client on the network side, over TCP.
pub(crate) const CLIENT: From =
    From { transport: TCP, role: Role::Request, side: Side::Network, whole: true, context: (0, 0) };
/// The same in a datagram.
pub(crate) const DATAGRAM: From = From { transport: UDP, ..CLIENT };
/// The device's answer, over TCP.
pub(crate) const DEVICE: From = From { role: Role::Response, side: Side::Device, whole: false, ..CLIENT };
/// The same in a datagram.
pub(crate) const DEVICE_DATAGRAM: From = From { transport: UDP, ..DEVICE };

/// Runs the dissector over the bytes.
pub(crate) fn run(protocol: Protocol, from: From, bytes: &[u8]) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.frame.transport_protocol = from.transport;
    scratch.frame.side = from.side as u8;
    scratch.path.protocol = protocol as u8;
    scratch.path.role = from.role as u8;
    scratch.stream.whole = from.whole.into();
    scratch.stream.end = bytes.len() as u32;
    (scratch.stream.context, scratch.stream.peer_context) = from.context;
    for _ in 0..STEPS {
        if !protocol::dissect(Some(protocol), bytes, &mut scratch) {
            return scratch;
        }
    }
    panic!("{protocol:?} does not come to an end over {bytes:02x?}");
}

/// The records that it leaves.
pub(crate) fn read(protocol: Protocol, from: From, bytes: &[u8]) -> Vec<Operation> {
    let scratch = run(protocol, from, bytes);
    scratch.operations[..scratch.count as usize].to_vec()
}

/// The first thing that is wrong.
pub(crate) fn fault(protocol: Protocol, from: From, bytes: &[u8]) -> Option<Reason> {
    read(protocol, from, bytes).iter().find_map(|one| Reason::from_code(one.fault))
}

/// Every cut and every flipped byte of a unit is read to an end; a whole unit that is cut is never taken for a sound one.
pub(crate) fn mutilate(protocol: Protocol, bytes: &[u8]) {
    for from in [CLIENT, DATAGRAM, DEVICE, DEVICE_DATAGRAM, From { whole: false, ..CLIENT }] {
        for length in 0..bytes.len() {
            read(protocol, from, &bytes[..length]);
            for flip in [0x01, 0x80, 0xff] {
                let mut other = bytes.to_vec();
                other[length] ^= flip;
                read(protocol, from, &other);
            }
        }
    }
    for from in [CLIENT, DATAGRAM] {
        for length in 1..bytes.len() {
            assert!(fault(protocol, from, &bytes[..length]).is_some(), "cut to {length}: {bytes:02x?}");
        }
    }
}
