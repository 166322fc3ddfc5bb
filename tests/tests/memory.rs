//! A large policy fits the memory that a small box has for it, also when it came in place of others.

use enforcer_tests::bench::policy;
use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::{Enforcer, Lab, process, require_root};

/// MiB in memory, at most.
const MOST: f64 = 32.0;

#[test]
fn the_controller_stays_small_with_five_thousand_rules() {
    require_root();
    let lab = Lab::new();
    let small = lab.write("small.toml", &policy(10));
    let large = lab.write("large.toml", &policy(5000));
    let tables = "[flows]\nestablished = 50000\n";
    let config = lab.write("enforcer.toml", &format!("{}\n{tables}", configuration(&lab, &small, "shadow")));
    let socket = lab.folder().join("control.sock");
    let start = || Enforcer::start_with(&lab, &current(), &config, &socket).expect("it starts");
    let fits = |enforcer: &Enforcer, when: &str| {
        let [resident, own] = process::resident(enforcer.id()).expect("its memory");
        assert!(resident < MOST, "{when}: {resident:.1} MiB, {own:.1} of them its own");
    };
    let enforcer = start();
    for round in 1..=3 {
        for file in [&small, &large] {
            enforcer.must(&["policy", "apply", &file.display().to_string()]).expect("it is put in force");
        }
        fits(&enforcer, &format!("applied {round} times"));
    }
    enforcer.must(&["policy", "stage", &large.display().to_string()]).expect("it is tried too");
    fits(&enforcer, "with a candidate as large");
    drop(enforcer);
    fits(&start(), "started with it");
}
