//! What holds frames against a candidate policy is not loaded before there is one.

#[path = "stand/mod.rs"]
mod stand;

use enforcer::dataplane::maps::Sizes;
use enforcer::dataplane::object::{Object, ROOTS, stages};

const COMPARING: [&str; 3] = ["candidate", "compare_policy", "differences"];

fn is_loaded(object: &mut Object, name: &'static str) -> bool {
    object.program(name).expect("a program of the object").fd().is_ok()
}

#[test]
fn a_start_loads_all_but_what_compares() {
    stand::require_root();
    let mut object = Object::load(None, Sizes::default()).unwrap_or_else(|error| panic!("{error}"));
    for name in ROOTS.into_iter().chain(stages().map(|(name, _)| name)) {
        assert_eq!(is_loaded(&mut object, name), !COMPARING.contains(&name), "{name}");
    }

    // As when an attempt before came to this one and failed at the next.
    object.program("candidate").expect("a program of the object").load().unwrap_or_else(|error| panic!("{error}"));
    for _ in 0..2 {
        object.compare().unwrap_or_else(|error| panic!("{error}"));
        for name in COMPARING {
            assert!(is_loaded(&mut object, name), "{name}");
        }
    }
}
