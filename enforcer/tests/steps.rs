//! What steps are measured from while policies come and go, in real maps. Needs root.

#[path = "stand/mod.rs"]
mod stand;

use enforcer::dataplane::plain::Plain;
use enforcer::dataplane::steps;
use enforcer_common::policy::step::LastKey;
use stand::Stand;

const POLICY: &str = "[policy]\nname = \"steps\"\nrevision = 1\ndefault = \"deny\"\n\n[zones]\nhmi = [\"10.0.0.1\"]\n\
    plc = [\"10.0.0.2\"]\n\n[[conduits]]\nname = \"one\"\nfrom = [\"hmi\"]\nto = [\"plc\"]\nprotocol = \"modbus\"\n\
    [[conduits.rules]]\nname = \"set\"\nfunctions = [\"write_single_register\"]\naction = \"allow\"\n";

fn compiled(text: &str) -> enforcer::policy::Compiled {
    enforcer::policy::parse("steps.toml", text)
        .and_then(|loaded| enforcer::policy::compile(&loaded.valid, 1, 0))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn key(object: u32, candidate: bool) -> LastKey {
    let mut operation = enforcer_common::operation::Operation::EMPTY;
    (operation.space, operation.first) = (3, object);
    LastKey::of([7; 16], &operation, candidate)
}

/// Objects and their last values, those of the candidate with `true`.
fn values(stand: &Stand) -> Vec<(u32, bool, i64)> {
    let all = stand.object.maps.last_value.iter().map(|entry| entry.expect("an entry"));
    let mut all: Vec<_> = all.map(|(key, value)| (key.0.object, key.0.is_candidates(), value)).collect();
    all.sort_unstable();
    all
}

fn set(stand: &mut Stand, object: u32, candidate: bool, value: i64) {
    stand.object.maps.last_value.insert(Plain(key(object, candidate)), value, 0).expect("an entry");
}

#[test]
fn values_go_on_only_as_long_as_they_are_kept() {
    let mut stand = Stand::new();
    let without = compiled(POLICY);
    let with = compiled(&format!("{POLICY}max_step = 10\n"));
    for (object, candidate, value) in [(1, false, 100), (2, false, 200), (2, true, 250), (3, true, 300)] {
        set(&mut stand, object, candidate, value);
    }
    steps::come_into_force(&mut stand.object.maps, &with.image).expect("the kernel takes it");
    assert_eq!(values(&stand).len(), 4, "a policy with steps has kept them up to now");
    steps::promote(&mut stand.object.maps).expect("the kernel takes it");
    let after = [(1, false, 100), (2, false, 200), (3, false, 300)];
    assert_eq!(values(&stand), after, "what the policy in force has is newer");
    set(&mut stand, 9, true, 900);
    steps::try_candidate(&mut stand.object.maps).expect("the kernel takes it");
    assert_eq!(values(&stand), after, "an earlier candidate's are forgotten");
    steps::come_into_force(&mut stand.object.maps, &without.image).expect("the kernel takes it");
    assert_eq!(values(&stand), [], "what a policy without steps left is old");
}
