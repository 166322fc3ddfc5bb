//! The other end of a denied conversation. The kernel turns the denied segment into a reset for its sender; the end that
//! never saw the segment gets its own from here. With the daemon away it gets one from the kernel, as the answer to its
//! next frame.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use enforcer_common::action::Action;
use enforcer_common::event::Event;
use enforcer_common::flow::NO_FLOW;
use enforcer_common::link;
use enforcer_common::port::Side;
use enforcer_common::scratch::Frame;
use enforcer_common::verdict::Reason;

use crate::dataplane::reset::{Reset, ResetSocket, Tag};

/// Sends resets out of both ports.
pub(super) struct FarSide {
    /// The network and the device port's.
    sockets: [Option<ResetSocket>; 2],
    /// Time and headers of the frame that was answered last: a frame with several denials is several events.
    last: Option<(u64, Frame)>,
}

impl FarSide {
    /// Opens a socket on the network and the device port, given by their interface indices. A port without one is warned
    /// of; its resets are left to the kernel.
    pub(super) fn open(ports: [u32; 2]) -> Self {
        let open = |index| ResetSocket::open(index).inspect_err(|error| tracing::warn!(%error)).ok();
        Self { sockets: ports.map(open), last: None }
    }

    /// Resets the end that the denied frame was for.
    pub(super) fn reset(&mut self, event: &Event) {
        let Some(reset) = reset_for(event) else {
            return;
        };
        if self.last.replace((event.time, event.frame)) == Some((event.time, event.frame)) {
            return;
        }
        let [network, device] = &self.sockets;
        let socket = match Side::from_code(event.frame.side) {
            Side::Network => device,
            Side::Device => network,
        };
        if let Some(Err(error)) = socket.as_ref().map(|socket| socket.send(&reset)) {
            tracing::warn!(%error, "the far side was not reset");
        }
    }
}

/// The reset for the end that a denied frame was for. `None` where there is nothing to reset: the frame was not answered
/// with a reset, no conversation is known, or this end has been told already and the kernel answers whatever it says.
fn reset_for(event: &Event) -> Option<Reset> {
    let known = event.path.slot != NO_FLOW && event.operation.reason != Reason::FlowKilled as u8;
    if event.action != Action::Reset as u8 || !known {
        return None;
    }
    let frame = &event.frame;
    Some(Reset {
        source_mac: frame.source_mac,
        destination_mac: frame.destination_mac,
        tags: tags(frame),
        source: end(frame.source, frame.source_port),
        destination: end(frame.destination, frame.destination_port),
        // Not the frame's own number: it may begin with bytes that were forwarded before.
        sequence: event.path.expected,
        acknowledgement: Some(frame.acknowledgement),
    })
}

fn tags(frame: &Frame) -> Vec<Tag> {
    let each = (0..frame.tags).zip(frame.vlan);
    each.map(|(index, control)| Tag { kind: link::tag_type(frame, index), control }).collect()
}

fn end(address: [u8; 16], port: u16) -> SocketAddr {
    let address = Ipv6Addr::from(address);
    let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
    SocketAddr::new(address, port)
}

#[cfg(test)]
mod tests {
    use enforcer_common::action::Action;
    use enforcer_common::event::Event;
    use enforcer_common::flow::NO_FLOW;
    use enforcer_common::network::mapped;
    use enforcer_common::operation::Operation;
    use enforcer_common::port::Side;
    use enforcer_common::scratch::{Frame, Path};
    use enforcer_common::verdict::Reason;

    use super::reset_for;
    use crate::dataplane::reset::Tag;

    /// A denied segment that begins with 12 bytes that were forwarded before, on a QinQ line.
    fn event() -> Event {
        let frame = Frame {
            source: mapped([10, 10, 1, 20]),
            destination: mapped([10, 10, 2, 5]),
            source_port: 50_000,
            destination_port: 502,
            sequence: 1_000,
            acknowledgement: 77,
            vlan: [0x0064, 0xe00a],
            tags: 2,
            tag_types: 1,
            side: Side::Network as u8,
            ..Frame::EMPTY
        };
        let path = Path { slot: 3, expected: 1_012, ..Path::EMPTY };
        let operation = Operation { reason: Reason::ObjectNotAllowed as u8, ..Operation::EMPTY };
        Event { frame, path, operation, action: Action::Reset as u8, ..Event::EMPTY }
    }

    #[test]
    fn a_reset_has_the_number_that_the_far_side_expects_and_the_tags_of_its_line() {
        let reset = reset_for(&event()).unwrap();
        assert_eq!((reset.sequence, reset.acknowledgement), (1_012, Some(77)));
        assert_eq!(reset.tags, [Tag { kind: 0x88a8, control: 0x0064 }, Tag { kind: 0x8100, control: 0xe00a }]);
        assert_eq!(reset.destination, "10.10.2.5:502".parse().unwrap());
    }

    #[test]
    fn no_reset_where_there_is_nothing_to_reset() {
        let mut dropped = event();
        dropped.action = Action::Drop as u8;
        let mut unknown = event();
        unknown.path.slot = NO_FLOW;
        let mut told = event();
        told.operation.reason = Reason::FlowKilled as u8;
        assert_eq!([dropped, unknown, told].map(|event| reset_for(&event)), [None, None, None]);
    }
}
