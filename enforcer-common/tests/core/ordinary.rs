//! What takes its ordinary course is found out at once, and is what is found out stage by stage.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::decide::decide;
use enforcer_common::digest::{Digest, Short};
use enforcer_common::flow::{ECHOES, Flow};
use enforcer_common::known::{ENTRIES, Known};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::checksum;
use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::Effect::{Allow, Log};
use crate::support::policy::{Policy, rule};
use crate::support::wire::Wire;

/// A box that knows the ordinary, and one that goes through all stages for every frame.
struct Two {
    both: [Wire; 2],
}

impl Two {
    fn new(policy: &Policy, mode: Mode) -> Self {
        let both = [true, false].map(|knows| {
            let mut wire = Wire::new(policy, mode);
            wire.host.limits.checksums = true;
            wire.host.known = vec![Known::default(); ENTRIES];
            wire.host.memos = vec![Memo::default(); MEMOS];
            if !knows {
                wire.host.found = None;
            }
            wire
        });
        Self { both }
    }

    /// With a handshake, and a request and its answer behind it.
    fn under_way(policy: &Policy, mode: Mode) -> Self {
        let mut two = Self::new(policy, mode);
        for (side, numbers, flags) in [
            (Side::Network, [999, 0], SYN),
            (Side::Device, [4999, 1000], SYN | ACK),
            (Side::Network, [1000, 5000], ACK),
            (Side::Device, [5000, 1000], ACK),
        ] {
            two.see(side, &segment(side, numbers, flags, &[]));
        }
        two
    }

    /// Both see a frame, and find the same. True when it was ordinary.
    fn see(&mut self, side: Side, frame: &[u8]) -> bool {
        let [found, plain] = self.both.each_mut().map(|wire| {
            wire.host.frame = frame.to_vec();
            wire.host.counted.clear();
            wire.host.events.clear();
            let action = decide(frame, side, &wire.policy, &mut wire.host, &mut wire.scratch);
            let host = (&wire.host.flows, &wire.host.counted, &wire.host.events, &wire.host.observations);
            (
                action,
                Scratch { ordinary: 0, short: Short::default(), digest: Digest::default(), ..*wire.scratch },
                host,
                wire.scratch.ordinary,
            )
        });
        assert_eq!(found.0, plain.0, "{side:?} {frame:02x?}");
        assert!(found.2 == plain.2, "conversations, counters or what is reported: {side:?} {frame:02x?}");
        assert_eq!(plain.3, 0, "it has nothing to know it by");
        if found.3 == Scratch::PASSED {
            let said =
                |scratch: &Scratch| (scratch.outcome, scratch.action, scratch.report, scratch.count, scratch.asked);
            assert_eq!(said(&found.1), said(&plain.1), "{side:?} {frame:02x?}");
            return true;
        }
        assert_eq!(found.1.frame, plain.1.frame, "{side:?} {frame:02x?}");
        assert_eq!(found.1.path, plain.1.path, "{side:?} {frame:02x?}");
        assert_eq!(found.1.stream, plain.1.stream, "{side:?} {frame:02x?}");
        assert!(found.1 == plain.1, "the record: {side:?} {frame:02x?}");
        found.3 != 0
    }

    fn change(&mut self, change: impl Fn(&mut Wire)) {
        self.both.iter_mut().for_each(change);
    }

    fn flow(&mut self, change: impl Fn(&mut Flow)) {
        self.change(|wire| change(wire.host.only_flow()));
    }
}

/// A segment between the HMI and the PLC, with a timestamp if `options` say so, and right checksums.
fn with_options(side: Side, numbers: [u32; 2], flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let (from, to, ports) = if side == Side::Network { (HMI, PLC, (40000, 502)) } else { (PLC, HMI, (502, 40000)) };
    let [sequence, acknowledgement] = numbers;
    let mut segment = tcp(ports, sequence, acknowledgement, flags, &[options, payload].concat());
    segment[12] = 0x50 + ((options.len() as u8 / 4) << 4);
    checksum::repaired(ethernet(side, &[], 0x0800, &ipv4(from, to, 6, &[], &segment)))
}

fn segment(side: Side, numbers: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    with_options(side, numbers, flags, &[], payload)
}

fn read() -> Vec<u8> {
    adu(1, 1, &Request::Read(3, 100, 10).pdu())
}

fn answer() -> Vec<u8> {
    adu(1, 1, &[&[3, 20][..], &[0; 20]].concat())
}

/// The next request, whole and in its place.
fn request() -> Vec<u8> {
    segment(Side::Network, [1000, 5000], ACK | PSH, &read())
}

/// The same with bytes changed, and right checksums.
fn request_with(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = request();
    change(&mut frame);
    checksum::repaired(frame)
}

const TIMESTAMP: [u8; 12] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

#[test]
fn requests_answers_and_acknowledgements_are_ordinary() {
    for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
        for options in [&[][..], &TIMESTAMP] {
            let mut two = Two::under_way(&Policy::reads(), mode);
            let (mut client, mut server) = (1000, 5000);
            for _ in 0..20 {
                let mut see = |side, numbers, payload: &[u8]| {
                    assert!(two.see(side, &with_options(side, numbers, ACK | PSH, options, payload)), "{mode:?}");
                };
                see(Side::Network, [client, server], &read());
                client += read().len() as u32;
                see(Side::Device, [server, client], &[]);
                see(Side::Device, [server, client], &answer());
                server += answer().len() as u32;
                see(Side::Network, [client, server], &[]);
            }
        }
    }
}

#[test]
fn a_frame_that_looks_different_is_not_ordinary() {
    let at = |place: usize, value: u8| move |frame: &mut Vec<u8>| frame[place] = value;
    let others: [(&str, Vec<u8>); 14] = [
        ("another receiver on the link", request_with(at(5, 0x11))),
        ("another sender on the link", request_with(at(11, 0x02))),
        ("no IPv4", request_with(at(12, 9))),
        ("an address of its own", request_with(at(29, 6))),
        ("another port", request_with(at(35, 0x41))),
        ("a fragment", request_with(at(20, 0x20))),
        ("the rest of one", request_with(at(21, 1))),
        ("a reserved bit", request_with(at(46, 0x52))),
        ("accurate ECN", request_with(at(46, 0x51))),
        ("urgent data", request_with(at(53, 1))),
        ("FIN", request_with(at(47, ACK | FIN))),
        ("no ACK", request_with(at(47, PSH))),
        ("options", with_options(Side::Network, [1000, 5000], ACK, &[1, 1, 1, 1], &read())),
        ("a timestamp that does not come first", {
            with_options(Side::Network, [1000, 5000], ACK, &[8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1], &read())
        }),
    ];
    for (what, frame) in others {
        let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
        assert!(!two.see(Side::Network, &frame), "{what}");
    }
    for place in [16, 17, 24, 50, 60] {
        let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
        let mut frame = request();
        frame[place] ^= 1;
        assert!(!two.see(Side::Network, &frame), "a wrong sum or length: {place}");
    }
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    assert!(!two.see(Side::Device, &request()), "by the other port");
    let frame = request();
    for length in 0..frame.len() {
        assert!(!two.see(Side::Network, &frame[..length]), "cut to {length}");
    }
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    assert!(two.see(Side::Network, &[&frame[..], &[0xa5; 6]].concat()), "padding is no part of it");
}

#[test]
fn a_segment_out_of_its_place_is_not_ordinary() {
    for (sequence, acknowledgement) in [(1001, 5000), (999, 5000), (1000, 5001), (0, 5000)] {
        let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
        assert!(!two.see(Side::Network, &segment(Side::Network, [sequence, acknowledgement], ACK, &read())));
    }
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    assert!(!two.see(Side::Device, &segment(Side::Device, [5001, 1000], ACK, &answer())));
    assert!(!two.see(Side::Device, &segment(Side::Device, [4999, 1000], ACK, &[])), "a keep-alive");
    assert!(two.see(Side::Network, &segment(Side::Network, [1000, 4000], ACK, &read())), "an old acknowledgement");
}

/// What is other about a conversation.
type Changed = (&'static str, fn(&mut Flow));

#[test]
fn nothing_is_ordinary_while_anything_is_under_way() {
    use enforcer_common::flow::Direction;
    let cases: [Changed; 17] = [
        ("given up", |flow| flow.life += 0x100),
        ("of another policy", |flow| flow.generation += 1),
        ("tagged", |flow| flow.vlans = 7),
        ("reset by the box", |flow| flow.killed = 1),
        ("not covered", |flow| flow.conduit = 0),
        ("not read", |flow| flow.protocol = 0),
        ("a handshake", |flow| flow.network.flags |= Direction::PENDING),
        ("ended", |flow| flow.network.flags |= Direction::CLOSED),
        ("unproved", |flow| flow.network.flags |= Direction::ADOPTED),
        ("no handshake from here", |flow| flow.network.flags &= !Direction::SPOKEN),
        ("the device's numbering unknown", |flow| flow.device.flags &= !Direction::SYNCHRONISED),
        ("another handshake answered", |flow| flow.device.turn += 1),
        ("a unit begun", |flow| flow.network.carry_length = 3),
        ("a unit's rest to come", |flow| flow.network.skip = 3),
        ("bytes ahead", |flow| flow.strays = 1),
        ("built before the box looked away", |flow| flow.network_sync += 1),
        ("bytes that did not pass", |flow| {
            flow.device.flags |= Direction::UNSEEN;
            flow.device.unseen = flow.network.next + 5;
        }),
    ];
    for (what, change) in cases {
        let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
        two.flow(change);
        assert!(!two.see(Side::Network, &request()), "{what}");
    }
    let full: fn(&mut Flow) = |flow| {
        let mut at = flow.network.next;
        for sent in &mut flow.ring {
            (sent.sequence, sent.length) = (at, 10);
            at += 10;
        }
    };
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    two.flow(full);
    assert!(!two.see(Side::Network, &request()), "nothing more can be remembered");
    let cases: [Changed; 8] = [
        ("the device asks", |flow| flow.client = Side::Device as u8),
        ("a unit begun", |flow| flow.device.carry_length = 3),
        ("a unit's rest to come", |flow| flow.device.skip = 3),
        ("unproved", |flow| flow.network.flags |= Direction::ADOPTED),
        ("the device's numbering unknown", |flow| flow.device.flags &= !Direction::SYNCHRONISED),
        ("a handshake", |flow| flow.device.flags |= Direction::PENDING),
        ("built before the box looked away", |flow| flow.device_sync += 1),
        ("reset by the box", |flow| flow.killed = 1),
    ];
    for (what, change) in cases {
        let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
        two.flow(change);
        assert!(!two.see(Side::Device, &segment(Side::Device, [5000, 1000], ACK, &answer())), "{what}");
    }
}

#[test]
fn another_policy_admits_anew() {
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    assert!(two.see(Side::Network, &request()));
    two.change(|wire| wire.policy.header.generation += 2);
    let next = |number: u32| segment(Side::Network, [1000 + 12 * number, 5000], ACK, &read());
    assert!(!two.see(Side::Network, &next(1)));
    assert!(two.see(Side::Network, &next(2)), "it was looked up again, and admitted behind that");
    assert!(two.see(Side::Network, &next(3)));
    two.change(|wire| wire.host.management = DEVICE_MAC);
    assert!(!two.see(Side::Network, &next(4)), "for the box itself");
}

#[test]
fn a_station_that_wears_a_devices_address_is_never_ordinary() {
    let mut two = Two::under_way(&Policy::reads(), Mode::Enforce);
    two.change(|wire| {
        wire.policy.header.generation += 2;
        wire.policy.header.macs.count = 1;
        wire.policy.macs[wire.policy.header.macs.first as usize] = enforcer_common::policy::mac_number(CLIENT_MAC);
    });
    for _ in 0..4 {
        assert!(!two.see(Side::Network, &request()));
        assert_eq!(two.both[0].scratch.outcome, Reason::SpoofedDevice as u8);
    }
}

#[test]
fn a_conversation_taken_up_in_the_middle_becomes_ordinary() {
    let mut two = Two::new(&Policy::reads(), Mode::Enforce);
    let (mut client, mut server) = (1000, 5000);
    for round in 0..ECHOES + 6 {
        let last = [
            two.see(Side::Network, &segment(Side::Network, [client, server], ACK | PSH, &read())),
            two.see(Side::Device, &segment(Side::Device, [server, client + 12], ACK | PSH, &answer())),
        ];
        (client, server) = (client + 12, server + answer().len() as u32);
        assert!(round < ECHOES + 5 || last == [true, true], "{last:?}");
    }
}

/// What happens next between client and server.
#[derive(Clone, Debug)]
enum Step {
    /// The client's or the server's next bytes, some of them, in one or two segments.
    Send { device: bool, options: bool, whole: bool, cut: prop::sample::Index, what: u8 },
    /// Something with this offset from its place.
    Astray { device: bool, offset: i32, flags: u8 },
    /// A bit of the last frame flips, and its sums are repaired or not.
    Flip { device: bool, bit: prop::sample::Index, repaired: bool },
    /// The world changes.
    Change(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        12 => (any::<bool>(), any::<bool>(), 0u8..8, index(), any::<u8>())
            .prop_map(|(device, options, cut_up, cut, what)| Step::Send { device, options, whole: cut_up > 0, cut, what }),
        2 => (any::<bool>(), -30i32..30, 0u8..32).prop_map(|(device, offset, flags)| Step::Astray { device, offset, flags }),
        2 => (any::<bool>(), index(), any::<bool>()).prop_map(|(device, bit, repaired)| Step::Flip { device, bit, repaired }),
        1 => (0u8..7).prop_map(Step::Change),
    ]
}

fn units(device: bool, what: u8) -> Vec<u8> {
    match (device, what % 8) {
        (false, 0) => adu(u16::from(what), 1, &Request::Register(7, 9).pdu()),
        (false, 1) => [read(), read()].concat(),
        (_, 2) => vec![],
        (false, 3) => adu(2, 1, &Request::Registers(10, vec![1; 60]).pdu()),
        (false, _) => adu(u16::from(what), 1, &Request::Read(3, u16::from(what % 4), 10).pdu()),
        (true, _) => answer(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ordinary_course_is_what_all_stages_find(
        steps in vec(step(), 1..60), mode in 0..3usize, stream: bool, drop: bool, watched: bool,
    ) {
        let mode = [Mode::Learn, Mode::Shadow, Mode::Enforce][mode];
        let on_deny = if drop { OnDeny::Drop } else { OnDeny::Reset };
        let policy = Policy { stream, on_deny, ..Policy::new(&[rule(Allow, &[3]), rule(Log, &[16])]) };
        let mut two = Two::under_way(&policy, mode);
        let mut next = [1000u32, 5000];
        let mut last = request();
        if watched {
            two.change(|wire| wire.scratch.looked_on = 1);
        }
        for step in steps {
            let side = |device| if device { Side::Device } else { Side::Network };
            two.change(|wire| wire.host.now += 40_000_000);
            match step {
                Step::Send { device, options, whole, cut, what } => {
                    let bytes = units(device, what);
                    let at = if whole { bytes.len() } else { cut.index(bytes.len() + 1) };
                    let (mine, theirs) = (usize::from(device), usize::from(!device));
                    for part in [&bytes[..at], &bytes[at..]] {
                        let options: &[u8] = if options { &TIMESTAMP } else { &[] };
                        last = with_options(side(device), [next[mine], next[theirs]], ACK, options, part);
                        two.see(side(device), &last);
                        if two.both[0].scratch.action == Action::Forward as u8 {
                            next[mine] = next[mine].wrapping_add(part.len() as u32);
                        }
                    }
                }
                Step::Astray { device, offset, flags } => {
                    let (mine, theirs) = (usize::from(device), usize::from(!device));
                    let numbers = [next[mine].wrapping_add_signed(offset), next[theirs]];
                    two.see(side(device), &segment(side(device), numbers, flags, &read()));
                }
                Step::Flip { device, bit, repaired } => {
                    let bit = bit.index(last.len() * 8);
                    let mut other = last.clone();
                    other[bit / 8] ^= 1 << (bit % 8);
                    two.see(side(device), &if repaired { checksum::repaired(other) } else { other });
                }
                Step::Change(0) => two.change(|wire| wire.policy.header.generation += 2),
                Step::Change(1) => two.change(|wire| wire.host.mode = Mode::Shadow),
                Step::Change(2) => two.change(|wire| wire.host.mode = Mode::Enforce),
                Step::Change(3) => two.change(|wire| wire.host.limits.sync += 1),
                Step::Change(4) => two.change(|wire| wire.host.now += 1 << 36),
                Step::Change(5) => two.change(|wire| wire.scratch.looked_on ^= 1),
                Step::Change(_) => two.change(|wire| wire.host.limits.grace_until = 0),
            }
        }
    }
}
