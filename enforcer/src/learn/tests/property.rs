//! Random observations: what was seen passes, and no write passes that was not seen.

use std::collections::BTreeSet;

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::{Access, NO_OBJECT};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Reach, propose};
use super::{clock, image, modbus, passes, plain, seen};

fn client() -> impl Strategy<Value = String> {
    (1..6u8).prop_map(|last| format!("10.0.0.{last}"))
}

fn server() -> impl Strategy<Value = String> {
    (1..4u8).prop_map(|last| format!("10.0.1.{last}"))
}

/// Functions with the objects they really have, the dangerous and the unknown among them.
fn operation() -> impl Strategy<Value = ObservationKey> {
    let function = select(vec![1u32, 3, 3, 4, 5, 6, 6, 15, 16, 7, 17, 8, 20, 90, 66]);
    (client(), server(), function, 0..4u32, 0..30u32, 0..4u32).prop_map(
        |(client, server, function, unit, first, more)| {
            let objects = match function {
                1 | 15 => Some((0, first, first + more)),
                5 => Some((0, first, first)),
                3 | 16 => Some((3, first, first + more)),
                6 => Some((3, first, first)),
                4 => Some((2, first, first + more)),
                8 => Some((5, first, first)),
                20 => Some((0x1_0000 + more, first, first + more)),
                _ => None,
            };
            let access = match function {
                1 | 3 | 4 | 20 => Access::Read,
                5 | 6 | 15 | 16 => Access::Write,
                _ => Access::Diagnose,
            };
            ObservationKey { access: access as u8, ..modbus(&client, &server, function, unit, objects) }
        },
    )
}

/// Everything but Modbus' own port: to stations, groups and everyone.
fn service() -> impl Strategy<Value = ObservationKey> {
    let others = select(vec!["224.0.0.251", "10.0.1.255", "255.255.255.255"]).prop_map(str::to_owned);
    let kind = select(vec![(ip::TCP, 80), (ip::TCP, 22), (ip::UDP, 123), (ip::UDP, 40_000), (ip::ICMP, 0)]);
    (client(), prop_oneof![server(), others], kind)
        .prop_map(|(client, server, (transport, port))| plain(&client, &server, transport, port, Side::Network))
}

fn observed() -> impl Strategy<Value = Vec<(ObservationKey, Observation)>> {
    prop::collection::vec((prop_oneof![3 => operation(), 1 => service()], 1..1000u64), 0..40)
        .prop_map(|all| all.into_iter().map(|(key, count)| (key, seen(count))).collect())
}

/// What the function table lets learning propose.
fn proposable(key: &ObservationKey) -> bool {
    match key.function {
        90 | 66 => false,
        8 => matches!(key.first, 0 | 2 | 10..=18 | 20..=21),
        _ => true,
    }
}

fn is_write(key: &ObservationKey) -> bool {
    key.protocol == Protocol::Modbus as u8 && key.access == Access::Write as u8
}

/// Every single object of this write was written: same stations, function and unit.
fn was_written(all: &[(ObservationKey, Observation)], write: &ObservationKey) -> bool {
    let same = |key: &ObservationKey| {
        (key.client, key.server, key.function, key.unit, key.space)
            == (write.client, write.server, write.function, write.unit, write.space)
    };
    let written: BTreeSet<u32> =
        all.iter().map(|(key, _)| key).filter(|key| same(key)).flat_map(|key| key.first..=key.last).collect();
    (write.first..=write.last).all(|object| written.contains(&object))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_seen_passes_and_no_other_write(
        all in observed(),
        others in prop::collection::vec((any::<prop::sample::Index>(), 0..7u8, 0..8u32), 60),
        writes in prop::collection::vec(operation(), 60),
    ) {
        let proposal = propose(&all, None, clock(), Reach::default());
        let image = image(&proposal.text);
        for (key, _) in &all {
            let expected = key.protocol == Protocol::Ip as u8 || proposable(key);
            prop_assert_eq!(passes(&image, key), expected, "{:?}\n{}", key, proposal.text);
        }
        // Near misses of what was seen: another client, server, unit, function, object.
        let near = others.iter().filter(|_| !all.is_empty()).map(|(index, what, by)| {
            let mut key = all[index.index(all.len())].0;
            let last = u8::try_from(*by).unwrap();
            match what {
                0 => key.client[15] = last,
                1 => key.server[15] = last,
                2 => key.unit = *by,
                3 => key.function = if key.function == 6 { 16 } else { 6 },
                4 => key.last += by,
                5 => key.first = key.first.saturating_sub(*by),
                _ => (key.first, key.last) = (key.first + by, key.last + by),
            }
            key
        });
        let near = near.filter(|key| key.space != NO_OBJECT);
        for write in near.chain(writes).filter(is_write) {
            prop_assert_eq!(passes(&image, &write), was_written(&all, &write), "{:?}\n{}", write, proposal.text);
        }
    }
}
