//! A conversation is found where it was found before, and nowhere once it was given up.

use enforcer_common::abi::FlowKeyV4;
use enforcer_common::flow::{NO_FLOW, State};
use enforcer_common::port::Side;
use enforcer_common::verdict::Mode;

use super::stand::{self, Stand, plain_flow, plain_key};
use super::support::modbus::{Request, adu};
use super::wire::{self, Below, End, Segment};
use super::{checksum, compiled};

const STATION: End = End { mac: [2, 0, 10, 10, 1, 20], v4: [10, 10, 1, 20], v6: [0; 16], port: 41_000 };
const DEVICE: End = End { mac: [0, 0x1b, 0x1b, 0x12, 0x34, 0x56], v4: [10, 10, 2, 5], v6: [0; 16], port: 502 };
const KEY: FlowKeyV4 =
    FlowKeyV4 { network: STATION.v4, device: DEVICE.v4, network_port: STATION.port, device_port: DEVICE.port };

/// Sends a segment of the conversation, and says in which slot it was found.
fn send(stand: &mut Stand, side: Side, [sequence, acknowledgement]: [u32; 2], flags: u8, payload: &[u8]) -> u32 {
    let (from, to) = if side == Side::Network { (STATION, DEVICE) } else { (DEVICE, STATION) };
    let segment = Segment { sequence, acknowledgement, flags, options: 0, window: 0x2000 };
    let bytes = checksum::repaired(wire::tcp(&from, &to, Below { six: false, tags: 0 }, segment, payload));
    stand.run(side, &bytes);
    stand.scratch().path.slot
}

#[test]
fn a_slot_that_was_given_up_holds_the_conversation_no_more() {
    stand::require_root();
    let policy = compiled("wide.toml", include_str!("wide.toml"), 0);
    let mut stand = Stand::new();
    stand.publish(&policy.image);
    stand.mode(Mode::Enforce);
    send(&mut stand, Side::Network, [1000, 0], 2, &[]);
    send(&mut stand, Side::Device, [5000, 1001], 0x12, &[]);
    send(&mut stand, Side::Network, [1001, 5001], 0x10, &[]);
    let request = adu(1, 1, &Request::Read(3, 0, 1).pdu());
    let mut next = 1001;
    let mut ask = |stand: &mut Stand| {
        let slot = send(stand, Side::Network, [next, 5001], 0x18, &request);
        next += u32::try_from(request.len()).expect("short");
        slot
    };
    let slot = ask(&mut stand);
    assert_eq!((ask(&mut stand), slot == NO_FLOW), (slot, false));

    let mut flow = stand.flow(slot);
    flow.enter(State::Retired);
    stand.object.maps.flow_table.set(slot, plain_flow(flow), 0).expect("the flow");
    assert_eq!(ask(&mut stand), slot, "the table still says so");
    stand.object.maps.flows_v4.remove(&plain_key(KEY)).expect("the conversation");
    assert_eq!(ask(&mut stand), NO_FLOW, "and nobody remembers it");
    flow.renew();
    stand.object.maps.flow_table.set(slot, plain_flow(flow), 0).expect("the flow");
    assert_eq!(ask(&mut stand), NO_FLOW, "while another one is filled in");
    flow.enter(State::Live);
    stand.object.maps.flow_table.set(slot, plain_flow(flow), 0).expect("the flow");
    assert_eq!(ask(&mut stand), NO_FLOW, "another one, though it has the same ends");
    stand.object.maps.flows_v4.insert(plain_key(KEY), slot, 0).expect("the conversation");
    assert_eq!([ask(&mut stand), ask(&mut stand)], [slot; 2]);
}
