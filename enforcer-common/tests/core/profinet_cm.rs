//! PROFINET's remote procedure calls.

use enforcer_common::operation::Role;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{HMI, PLC, be, ethernet, ipv4, udp};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire};

const LITTLE: u8 = 0x10;

/// A packet: type, byte order, interface number, procedure.
fn packet(kind: u8, format: u8, interface: u8, procedure: u16, body: &[u8]) -> Vec<u8> {
    let word = |number: u16| if format == LITTLE { number.to_le_bytes() } else { number.to_be_bytes() };
    let mut bytes = vec![4, kind, 0x20, 0, format, 0, 0, 0];
    bytes.extend([0; 16]);
    let first = [0xde, 0xa0, 0, interface];
    bytes.extend(if format == LITTLE { [interface, 0, 0xa0, 0xde] } else { first });
    bytes.extend([word(0x6c97), word(0x11d1)].concat());
    bytes.extend([0x82, 0x71, 0, 0xa0, 0x24, 0x42, 0xdf, 0x7d]);
    bytes.extend([0; 28]);
    bytes.extend([word(procedure), [0xff; 2], [0xff; 2], word(body.len() as u16), [0; 2], [0; 2]].concat());
    assert_eq!(bytes.len(), 80);
    [&bytes[..], body].concat()
}

fn wire(functions: &[u32]) -> Wire {
    let policy = Policy { protocol: Protocol::ProfinetCm, ..Policy::new(&[rule(Effect::Allow, functions)]) };
    Wire::new(&policy, Mode::Enforce)
}

fn asked(wire: &mut Wire, payload: &[u8]) -> Seen {
    let datagram = udp((40_000, 502), payload);
    wire.frame(Side::Network, &ethernet(Side::Network, &[], 0x0800, &ipv4(HMI, PLC, 17, &[], &datagram)))
}

#[test]
fn the_number_of_the_procedure_is_read_in_either_byte_order() {
    for format in [LITTLE, 0] {
        let mut wire = wire(&[2]);
        let seen = asked(&mut wire, &packet(0, format, 1, 2, &[0; 4]));
        assert_eq!((seen.reason, seen.operations[0].function), (Reason::RuleAllow, 2), "{format:#x}");
        let seen = asked(&mut wire, &packet(0, format, 1, 3, &[0; 4]));
        assert_eq!((seen.reason, seen.operations[0].first), (Reason::FunctionNotAllowed, 1), "{format:#x}");
    }
}

#[test]
fn a_header_that_cannot_be_believed_is_denied() {
    let mut wire = wire(&[2]);
    let good = packet(0, LITTLE, 1, 2, &[0; 4]);
    let changed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    for (bytes, reason) in [
        (changed(0, 5), Reason::MalformedFraming),
        (changed(1, 11), Reason::MalformedFraming),
        (changed(4, 0x20), Reason::MalformedFraming),
        (changed(74, 5), Reason::LengthMismatch),
        (changed(30, 9), Reason::InvalidFunction),
        (good[..79].to_vec(), Reason::MalformedFraming),
        ([&good[..], &be(0)].concat(), Reason::LengthMismatch),
    ] {
        assert_eq!(asked(&mut wire, &bytes).reason, reason, "{bytes:02x?}");
    }
}

#[test]
fn who_answers_is_told_by_the_packet_and_what_keeps_alive_asks_nothing() {
    let mut wire = wire(&[2]);
    let seen = asked(&mut wire, &packet(2, LITTLE, 1, 3, &[]));
    assert_eq!((seen.reason, seen.operations[0].role), (Reason::Response, Role::Response as u8));
    assert_eq!(asked(&mut wire, &packet(1, LITTLE, 1, 3, &[])).reason, Reason::NoPayload);
}
