//! Policies that are larger than the image, and what keeps ordinary ones small.

use std::fmt::Write as _;

use super::super::super::{compile, parse};
use super::{RULES, rule, rules};

/// The sentence for a policy that does not fit.
fn refused(text: &str) -> String {
    let loaded = parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    compile(&loaded.valid, 1, 0).map(|_| String::new()).unwrap_or_else(|errors| errors.to_string())
}

#[test]
fn equal_runs_are_stored_once() {
    let one = rules(&rule("r", "3", "objects = [\"holding:0-9\"]", "allow"));
    let class = rules(&rule("r", "\"@read\"", "objects = [\"holding:0-9\"]", "allow"));
    assert_eq!(one.image.units, class.image.units);
    assert_eq!(one.image.segments, class.image.segments);
}

#[test]
fn too_many_rules_on_one_object_are_refused() {
    let mut text = RULES.to_owned();
    for index in 0..9 {
        text += &rule(&format!("r{index}"), "3", &format!("units = [\"0-{index}\"]"), "allow");
    }
    assert_eq!(
        refused(&text),
        "policy.toml:18: conduit \"c\", function read_holding_registers: 9 rules, each value range counted, cover the same \
         objects; at most 8 fit"
    );
}

#[test]
fn too_many_denied_ranges_are_refused() {
    let ranges: Vec<String> = (0..17).map(|index| format!("\"holding:{}\"", index * 2)).collect();
    let text = rule("r", "6", &format!("objects = [{}]", ranges.join(", ")), "deny");
    assert_eq!(
        refused(&format!("{RULES}{text}")),
        "policy.toml:18: conduit \"c\", function write_single_register: 17 ranges are denied, each pair of an object and a \
         value range counted; at most 16 fit"
    );
}

#[test]
fn too_many_conduits_and_rules_are_refused() {
    let mut text = "[policy]\nname = \"p\"\n[zones]\nplc = [\"10.0.1.1\"]\n".to_owned();
    for index in 1..=1024 {
        write!(text, "[[conduits]]\nname = \"{index}\"\nfrom = [\"any\"]\nto = [\"plc\"]\nprotocol = \"tcp\"\nports = [{index}]\n").unwrap();
    }
    assert_eq!(
        refused(&text),
        "policy.toml:6143: the policy is too large: it needs more than the 1023 conduits that there is room for"
    );
    let mut text = RULES.to_owned();
    for index in 0..8192 {
        text += &rule(&index.to_string(), &(index % 256).to_string(), &format!("units = [{}]", index / 256), "allow");
    }
    let sentence = refused(&text);
    assert!(
        sentence.ends_with("the policy is too large: it needs more than the 8192 rules that there is room for"),
        "{sentence}"
    );
}

#[test]
fn too_many_zone_pairs_are_refused() {
    let zones = |count: usize| (0..count).map(|zone| format!("\"z{zone}\"")).collect::<Vec<_>>().join(", ");
    let mut text = "[policy]\nname = \"p\"\n[zones]\n".to_owned();
    for zone in 0..100 {
        text += &format!("z{zone} = [\"10.0.0.{zone}\"]\n");
    }
    let conduit = |name: &str, from: &str, to: &str| {
        format!("[[conduits]]\nname = \"{name}\"\nfrom = [{from}]\nto = [{to}]\nprotocol = \"tcp\"\n")
    };
    let errors = parse("policy.toml", &format!("{text}{}", conduit("c", &zones(100), &zones(100)))).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "policy.toml:104: conduit \"c\": \"from\" and \"to\" make more than 8192 zone pairs"
    );
    // Two conduits that are small each, but whose ends meet in every pair.
    let two = conduit("c", &zones(100), "\"any\"") + &conduit("d", "\"any\"", &zones(100));
    assert_eq!(
        refused(&format!("{text}{two}")),
        "policy.toml: the policy is too large: it needs more than the 8192 zone pairs that there is room for"
    );
}
