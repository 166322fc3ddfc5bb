//! Values that are written: types, arrays, what stands beside them, and rules that bind them.

use enforcer_common::operation::Operation;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Reason;

use super::{PLAIN, ask, denied, fault, on, plain};
use crate::support::opcua::*;
use crate::support::policy::{Effect, rule};

/// A Write of this variant to one node, and a plain one behind it.
fn written(variant: &[u8]) -> Vec<u8> {
    write(&[writing(&text(2, "V"), 13, &value(variant)), writing(&text(2, "W"), 13, &value(&[1, 1]))])
}

fn bounds(variant: &[u8]) -> Option<(i64, i64)> {
    let one = plain(&written(variant))[0];
    assert_eq!(one.fault, 0, "{variant:?}");
    one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max))
}

fn typed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind], bytes].concat()
}

#[test]
fn numbers_have_values_with_the_sign_of_their_type() {
    for (variant, wanted) in [
        (typed(1, &[7]), 1),
        (typed(2, &[0xff]), -1),
        (typed(3, &[0xff]), 255),
        (typed(4, &[0xfe, 0xff]), -2),
        (typed(5, &[0xfe, 0xff]), 65534),
        (typed(6, &(-5i32).to_le_bytes()), -5),
        (typed(7, &u32::MAX.to_le_bytes()), i64::from(u32::MAX)),
        (typed(8, &i64::MIN.to_le_bytes()), i64::MIN),
        (typed(9, &i64::MAX.to_le_bytes()), i64::MAX),
    ] {
        assert_eq!(bounds(&variant), Some((wanted, wanted)), "{variant:?}");
    }
    assert_eq!(bounds(&typed(9, &u64::MAX.to_le_bytes())), None, "more than a value holds");
    assert_eq!(bounds(&typed(10, &2.5f32.to_le_bytes())), Some((2, 3)));
    assert_eq!(bounds(&typed(11, &(-2.5f64).to_le_bytes())), Some((-3, -2)));
    assert_eq!(bounds(&typed(11, &f64::NAN.to_le_bytes())), None);
    for nothing in [vec![0], typed(13, &[0; 8]), typed(19, &[0; 4]), typed(14, &[0; 16])] {
        assert_eq!(bounds(&nothing), None);
    }
}

#[test]
fn what_has_no_single_size_is_walked() {
    let guid_node = named(4, 1, &[1; 16]);
    for variant in [
        typed(12, &string(Some("text"))),
        typed(12, &string(None)),
        typed(15, &string(Some("bytes"))),
        typed(16, &string(Some("<a/>"))),
        typed(17, &text(2, "node")),
        typed(18, &guid_node),
        typed(18, &[&[0xc1, 0, 5, 0][..], &string(Some("urn:x")), &[1, 0, 0, 0]].concat()),
        typed(20, &[&[2, 0][..], &string(Some("name"))].concat()),
        typed(21, &[0]),
        typed(21, &[&[3][..], &string(Some("en")), &string(Some("text"))].concat()),
        typed(22, &[&numeric(2, 99)[..], &[1], &string(Some("body"))].concat()),
        typed(22, &[0, 0, 0]),
        typed(0x86, &list(&[words(&[1]), words(&[2])])),
        typed(0x86, &[0xff; 4]),
        typed(0xc6, &[list(&[words(&[1]), words(&[2])]), list(&[words(&[1]), words(&[2])])].concat()),
        typed(0x8c, &list(&[string(Some("a")), string(None), string(Some("ccc"))])),
        typed(0x95, &list(&[vec![0], [vec![2], string(Some("b"))].concat()])),
    ] {
        assert_eq!(bounds(&variant), None, "{variant:?}");
        let records = plain(&written(&variant));
        assert_eq!((records.len(), records[1].value_min), (2, 1), "the next node is found: {variant:?}");
    }
}

#[test]
fn what_is_no_variant_is_no_message() {
    for variant in [
        typed(26, &[0; 4]),
        typed(0x46, &[0; 4]),
        typed(0xba, &[0; 4]),
        typed(17, &[6, 0]),
        typed(17, &[0x80, 0]),
        typed(22, &[0, 0, 3]),
    ] {
        assert_eq!(fault(on(PLAIN), &written(&variant)), Some(Reason::MalformedFraming), "{variant:?}");
    }
    for variant in [typed(12, &[9, 0, 0, 0]), typed(0x86, &[0xff, 0xff, 0xff, 0x7f]), typed(0x8c, &[0, 0, 0, 0x70])] {
        assert!(fault(on(PLAIN), &written(&variant)).is_some(), "{variant:?}");
    }
}

#[test]
fn values_inside_values_are_beyond_inspection_where_a_node_follows() {
    for variant in [typed(24, &[6, 0, 0, 0, 0]), typed(23, &[0]), typed(25, &[0]), typed(0x98, &list(&[vec![1, 1]]))] {
        assert_eq!(fault(on(PLAIN), &written(&variant)), Some(Reason::BeyondInspection), "{variant:?}");
        let last = write(&[writing(&text(2, "V"), 13, &value(&variant))]);
        let records = plain(&last);
        assert_eq!((records[0].fault, records[0].has(Operation::HAS_VALUE)), (0, false), "and known where none does");
    }
}

#[test]
fn what_stands_beside_a_value_has_its_place() {
    let sizes = [0, 4, 8, 8, 2, 2];
    for parts in 0..64u8 {
        let behind: usize = (1..6).filter(|bit| parts >> bit & 1 != 0).map(|bit| sizes[bit]).sum();
        let variant = if parts & 1 != 0 { vec![6, 9, 0, 0, 0] } else { vec![] };
        let data = [&[parts][..], &variant, &vec![0x77; behind]].concat();
        let bytes = write(&[writing(&text(2, "V"), 13, &data), writing(&text(2, "W"), 13, &value(&[1, 1]))]);
        let records = plain(&bytes);
        assert_eq!((records.len(), records[0].fault), (2, 0), "{parts:#x}");
        assert_eq!(records[0].has(Operation::HAS_VALUE), parts & 1 != 0);
    }
    for parts in [0x40, 0x80, 0xff] {
        let bytes = write(&[writing(&text(2, "V"), 13, &[parts, 6, 9, 0, 0, 0])]);
        assert_eq!(fault(on(PLAIN), &bytes), Some(Reason::MalformedFraming));
    }
}

#[test]
fn rules_bind_values() {
    let rules = [rule(Effect::Allow, &[673]).values(&[(0, 10)])];
    let to = |variant: &[u8]| write(&[writing(&text(2, "V"), 13, &value(variant))]);
    assert_eq!(ask(&rules, &to(&typed(10, &9.5f32.to_le_bytes()))).reason, Reason::RuleAllow);
    for variant in [
        typed(10, &10.5f32.to_le_bytes()),
        typed(6, &(-1i32).to_le_bytes()),
        typed(12, &string(Some("5"))),
        typed(0x86, &list(&[words(&[5])])),
    ] {
        denied(&ask(&rules, &to(&variant)), Reason::ValueNotAllowed);
    }
    let mut part = writing(&text(2, "V"), 13, &value(&[6, 5, 0, 0, 0]));
    part.splice(12..16, string(Some("0:1")));
    assert_eq!(fault(on(PLAIN), &write(&[part])), None, "a range of an array");
    assert!(Protocol::Opcua.tables().streams);
}
