//! A large policy fits the memory that a small box has for it, also when it came in place of others.

use enforcer_tests::bench::policy;
use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::namespace::wait_until;
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
    // Waited for: what an answer took is given back when it has been sent.
    let fits = |enforcer: &Enforcer, when: &str| {
        let resident = || process::resident(enforcer.id()).expect("its memory")[0];
        wait_until(&format!("less than {MOST} MiB, {when}"), || resident() < MOST);
    };
    let enforcer = start();
    for round in 1..=3 {
        for file in [&small, &large] {
            enforcer.must(&["policy", "apply", &file.display().to_string()]).expect("it is put in force");
        }
        fits(&enforcer, &format!("applied {round} times"));
    }
    drop(enforcer);
    fits(&start(), "started with it");
}
