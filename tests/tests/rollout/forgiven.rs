//! Whoever was held off for what a change denied is let in again when the change is taken back, whoever takes it back.

use std::thread;
use std::time::{Duration, Instant};

use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::plant::READS;
use enforcer_tests::{Client, Enforcer, Lab, Server};

/// So many resets in a minute hold a station off, unless the configuration says otherwise.
const RESETS: u32 = 3;

#[test]
fn the_controller_after_the_kernels_own_return_holds_nobody_off_for_it() {
    let lab = Lab::new();
    let _server = Server::start(&lab.plc);
    let writes = READS.replace("[\"@read\"]", "[\"@read\", \"@write\"]");
    let policy = lab.write("policy.toml", &writes);
    let narrow = lab.write("narrow.toml", READS).display().to_string();
    let config = lab.write("enforcer.toml", &configuration(&lab, &policy, "enforce"));
    let socket = lab.folder().join("control.sock");
    let start = || Enforcer::start_with(&lab, &current(), &config, &socket).expect("start");
    let write = || {
        Client::connect(&lab.hmi, HMI, PLC)
            .map_err(|error| error.to_string())
            .and_then(|mut client| client.write_single(40, 1).map_err(|failure| failure.to_string()))
    };
    let mut enforcer = start();
    enforcer.must(&["policy", "apply", &narrow, "--confirm-within", "3s"]).expect("apply");
    for _ in 0..RESETS {
        write().expect_err("denied by the change");
    }
    enforcer.process().kill();
    let begin = Instant::now();
    while let Err(error) = write() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the kernel does not go back: {error}");
        thread::sleep(Duration::from_millis(100));
    }
    let enforcer = start();
    let status = enforcer.status().expect("status");
    assert!(status["gone_back"].is_string(), "{status:#}");
    let written = write();
    assert!(written.is_ok(), "held off for what was taken back: {written:?}\n{:#}", enforcer.status().expect("status"));
}
