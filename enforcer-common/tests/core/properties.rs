//! Properties over random requests, cuts, frames and conversations.

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::flow::{DEVICE_CARRY, Direction, Flow};
use enforcer_common::operation::Operation;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::modbus::functions::space::*;
use enforcer_common::verdict::{Mode, Reason};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::frames::*;
use crate::support::modbus::{Request, adu};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

/// Sound requests; address and length always fit.
fn request() -> impl Strategy<Value = Request> {
    let address = || 0u16..60000;
    let word = any::<u16>;
    prop_oneof![
        (1u8..=4, address(), 1u16..=125).prop_map(|(code, at, count)| Request::Read(code, at, count)),
        (address(), any::<bool>()).prop_map(|(at, on)| Request::Coil(at, on)),
        (word(), word()).prop_map(|(at, value)| Request::Register(at, value)),
        prop_oneof![Just(7u8), Just(11), Just(12), Just(17)].prop_map(Request::Bare),
        (word(), vec(word(), 1..20)).prop_map(|(sub, data)| Request::Diagnostic(sub, data)),
        (address(), vec(any::<bool>(), 1..=1968)).prop_map(|(at, bits)| Request::Coils(at, bits)),
        (address(), vec(word(), 1..=123)).prop_map(|(at, values)| Request::Registers(at, values)),
        vec((1u16.., 0u16..9000, 1u16..100), 1..=4).prop_map(Request::ReadFiles),
        vec((1u16.., 0u16..9000, vec(word(), 1..20)), 1..=4).prop_map(Request::WriteFiles),
        (word(), word(), word()).prop_map(|(at, and, or)| Request::Mask(at, and, or)),
        (address(), 1u16..=125, address(), vec(word(), 1..=121))
            .prop_map(|(from, count, to, values)| Request::ReadWrite(from, count, to, values)),
        word().prop_map(Request::Fifo),
        (any::<u8>(), any::<u8>()).prop_map(|(code, object)| Request::Identify(code, object)),
        (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..400)).prop_map(|(key, code, data)| Request::Umas(
            key,
            OPAQUE[usize::from(code) % OPAQUE.len()],
            data
        )),
    ]
}

/// A request with one byte changed and some cut off or added.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0u8..20, 0usize..10, vec(any::<u8>(), 0..10));
    (request(), change).prop_filter_map("its own limits", |(request, (place, byte, less, more))| {
        let mut pdu = request.pdu();
        let place = place.index(pdu.len());
        pdu[place] = byte;
        pdu.truncate(pdu.len().saturating_sub(less).max(1));
        pdu.extend(more);
        // File records are only walked when their byte count is right.
        if let [20 | 21, _, ..] = pdu[..] {
            pdu[1] = (pdu.len() - 2) as u8;
        }
        (pdu.len() <= 253).then_some(pdu)
    })
}

/// A unit with a sound header: a sound request, a mangled one, or any bytes.
fn unit() -> impl Strategy<Value = Vec<u8>> {
    let noise = vec(any::<u8>(), 1..=253).prop_filter("longer than what is carried", |pdu| pdu[0] & 0x7f != 90);
    let pdu = prop_oneof![3 => request().prop_map(|request| request.pdu()), 2 => mangled(), 1 => noise];
    (any::<u16>(), any::<u8>(), pdu).prop_map(|(transaction, unit, pdu)| adu(transaction, unit, &pdu))
}

type Range = (u32, u32, u32, Option<(i64, i64)>);

/// Object ranges and values of a request, from the standard.
fn expected(request: &Request) -> Vec<Range> {
    let one = |space, at: u16, value| vec![(space, at.into(), at.into(), value)];
    let many = |space, at: u16, count: usize, value| (space, u32::from(at), u32::from(at) + count as u32 - 1, value);
    let bounds =
        |values: &[u16]| Some((i64::from(*values.iter().min().unwrap()), i64::from(*values.iter().max().unwrap())));
    match request {
        Request::Read(code, at, count) => {
            vec![many([COIL, DISCRETE, HOLDING, INPUT][usize::from(*code) - 1], *at, (*count).into(), None)]
        }
        Request::Coil(at, on) => one(COIL, *at, Some(((*on).into(), (*on).into()))),
        Request::Register(at, value) => one(HOLDING, *at, Some(((*value).into(), (*value).into()))),
        Request::Bare(_) | Request::Umas(..) => vec![(u32::MAX, 0, 0, None)],
        Request::Diagnostic(sub, _) => one(DIAGNOSTIC, *sub, None),
        Request::Coils(at, bits) => {
            let bound = (bits.iter().all(|on| *on).into(), bits.iter().any(|on| *on).into());
            vec![many(COIL, *at, bits.len(), Some(bound))]
        }
        Request::Registers(at, values) => vec![many(HOLDING, *at, values.len(), bounds(values))],
        Request::ReadFiles(groups) => {
            groups.iter().map(|(file, at, count)| many(FILE + u32::from(*file), *at, (*count).into(), None)).collect()
        }
        Request::WriteFiles(groups) => {
            groups.iter().map(|(file, at, data)| many(FILE + u32::from(*file), *at, data.len(), None)).collect()
        }
        Request::Mask(at, and, or) => {
            // Bits that the AND mask clears are the OR mask's; the others are the register's.
            one(HOLDING, *at, Some((i64::from(or & !and), i64::from(and | or))))
        }
        Request::ReadWrite(from, count, to, values) => {
            vec![many(HOLDING, *from, (*count).into(), None), many(HOLDING, *to, values.len(), bounds(values))]
        }
        Request::Fifo(at) => one(FIFO, *at, None),
        Request::Identify(..) => one(MEI, 14, None),
    }
}

/// All that a record says, without what is left in it where it says nothing.
fn said(one: Operation, values: bool) -> Operation {
    let (value_min, value_max) =
        if values && one.has(Operation::HAS_VALUE) { (one.value_min, one.value_max) } else { (0, 0) };
    Operation { value_min, value_max, ..one }
}

/// Judges pieces of a stream one behind the other.
fn stream<'a>(values: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Operation> {
    let mut rules =
        vec![rule(Effect::Allow, &[1, 2, 3, 4, 8, 23]), rule(Effect::Log, &[]).objects(&[(HOLDING, 0, 30000)])];
    if values {
        rules.push(rule(Effect::Allow, &[]).values(&[(0, 40000)]));
    }
    let mut wire = Wire::open(&Policy { stream: true, ..Policy::new(&rules) }, Mode::Shadow);
    pieces.into_iter().flat_map(|piece| wire.ask(piece).operations).map(|one| said(one, values)).collect()
}

/// Functions of UMAS whose data are not read.
const OPAQUE: [u8; 6] = [0x01, 0x0a, 0x29, 0x40, 0x58, 0x99];

/// A device's answers have units in shadow, where they are read, and none in enforce.
fn ordinary(side: Side, reason: Reason) -> Reason {
    if side == Side::Device && reason == Reason::Partial { Reason::Response } else { reason }
}

/// The same without what is known of units that a device has not finished.
fn without_answers(flows: &[Flow]) -> Vec<Flow> {
    let without = |flow: &Flow| Flow {
        device: Direction { skip: 0, carry_length: 0, ..flow.device },
        device_carry: [0; DEVICE_CARRY],
        ..*flow
    };
    flows.iter().map(without).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_encoder_and_the_parser_agree(request in request(), transaction: u16, unit: u8) {
        let policy = Policy::new(&[rule(Effect::Allow, &[]).values(&[(0, 65535)])]);
        let bytes = modbus_udp(&adu(transaction, unit, &request.pdu()));
        let records = Wire::new(&policy, Mode::Enforce).frame(Side::Network, &bytes).operations;
        let function = if let Request::Umas(_, function, _) = &request {
            Protocol::Umas.within(u32::from(*function))
        } else {
            u32::from(request.pdu()[0])
        };
        prop_assert!(records.iter().all(|one| one.fault == 0 && one.function == function));
        prop_assert!(records.iter().all(|one| (one.transaction, one.unit) == (transaction.into(), unit.into())));
        let value = |one: &Operation| one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max));
        let ranges: Vec<Range> = records.iter().map(|one| (one.space, one.first, one.last, value(one))).collect();
        prop_assert_eq!(ranges, expected(&request));
    }

    /// Four units, because the values of at most four writes are read in one frame.
    #[test]
    fn any_cut_of_a_stream_yields_the_same_operations(
        units in vec(unit(), 1..=4), cuts in vec(any::<prop::sample::Index>(), 0..12), values: bool,
    ) {
        let bytes = units.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
        at.sort_unstable();
        at.dedup();
        let pieces = at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        prop_assert_eq!(stream(values, [&bytes[..]]), stream(values, pieces));
    }

    #[test]
    fn any_prefix_of_a_stream_yields_a_prefix_of_its_operations(
        units in vec(unit(), 1..=4), cut: prop::sample::Index, values: bool,
    ) {
        let bytes = units.concat();
        let whole = stream(values, [&bytes[..]]);
        let prefix = stream(values, [&bytes[..=cut.index(bytes.len())]]);
        prop_assert!(whole.starts_with(&prefix), "{prefix:?} of {whole:?}");
    }

    /// Whatever the bytes are: no panic, and `Wire::frame` checks counters and action.
    #[test]
    fn any_bytes_are_forwarded_in_learn_and_shadow(
        noise in vec(any::<u8>(), 0..200), flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        unit in unit(), device: bool, kind in 0..4, cut: prop::sample::Index,
    ) {
        let mut frame = match kind {
            0 => noise,
            1 => modbus_udp(&unit),
            2 => modbus_tcp(1000, ACK, &[&unit[..], &noise].concat()),
            _ => ethernet(Side::Network, &[(0x8100, 1)], 0x86dd, &ipv6(v6(1, 5), v6(2, 10), 17, &udp((9, 502), &unit))),
        };
        for (place, byte) in flips {
            if !frame.is_empty() {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
        }
        if cut.index(4) == 0 {
            frame.truncate(cut.index(frame.len() + 1));
        }
        let side = if device { Side::Device } else { Side::Network };
        for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
            let mut wire = Wire::open(&Policy::reads(), mode);
            let seen = [wire.frame(side, &frame), wire.frame(side, &frame)];
            prop_assert!(mode == Mode::Enforce || seen.iter().all(|one| one.action == Action::Forward));
        }
    }

    #[test]
    fn shadow_says_what_enforce_does_until_enforce_does_it(
        steps in vec((any::<bool>(), -40i32..40, any::<bool>(), 0u8..12, unit(), any::<prop::sample::Index>()), 1..12),
        on in 0..3, reset: bool, opened: bool,
    ) {
        let on_unsynchronised =
            [OnUnsynchronised::Resync, OnUnsynchronised::Reset, OnUnsynchronised::Deny][on as usize];
        let on_deny = if reset { OnDeny::Reset } else { OnDeny::Drop };
        let policy = Policy { on_unsynchronised, on_deny, ..Policy::new(&[rule(Effect::Allow, &[1, 3, 16, 90])]) };
        let mut both = [Mode::Shadow, Mode::Enforce].map(|mode| Wire::new(&policy, mode));
        if opened {
            both.iter_mut().for_each(Wire::handshake);
        }
        let mut next = [1000u32, 5000];
        for (device, offset, in_order, kind, unit, cut) in steps {
            let (side, mine) = if device { (Side::Device, 1) } else { (Side::Network, 0) };
            let place = if in_order { next[mine] } else { next[mine].wrapping_add_signed(offset) };
            let (flags, bytes) = match kind {
                0 => (SYN, &[][..]),
                1 => (SYN | ACK, &[][..]),
                2 => (RST, &[][..]),
                3 => (ACK, &[][..]),
                4 => (ACK | FIN, &unit[..]),
                5..=7 => (ACK, &unit[..=cut.index(unit.len())]),
                _ => (ACK, &unit[..]),
            };
            let ack = next[1 - mine];
            let [shadow, enforce] = &mut both;
            let would = shadow.segment(side, place, ack, flags, bytes);
            let does = enforce.segment(side, place, ack, flags, bytes);
            prop_assert_eq!(ordinary(side, would.reason), ordinary(side, does.reason));
            if does.action != Action::Forward {
                break;
            }
            prop_assert_eq!(without_answers(&shadow.host.flows), without_answers(&enforce.host.flows));
            next[mine] = place.wrapping_add(bytes.len() as u32);
        }
    }
}
