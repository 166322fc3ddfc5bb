//! The fuzzers' corpora without the fuzzers: every committed input through the same functions.

#[path = "../../enforcer-common/fuzz/src/frame.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod frame;
#[path = "../../enforcer-common/fuzz/src/left_out.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod left_out;
#[path = "../../enforcer-common/fuzz/src/policy.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod policy;
#[path = "../../enforcer-common/fuzz/src/stream/mod.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod stream;
#[path = "../../enforcer-common/tests/support/mod.rs"]
#[allow(dead_code, reason = "made for the tests of the core, which use all of it")]
mod support;

use std::error::Error;
use std::fs;
use std::path::Path;

use enforcer_common::protocol::Protocol;

fn replay(target: &str, run: impl Fn(&[u8])) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../enforcer-common/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        // Names the input when it panics.
        println!("{}", path.display());
        run(&fs::read(&path)?);
        count += 1;
    }
    assert!(count >= 10, "{} holds {count} inputs", folder.display());
    Ok(())
}

#[test]
fn frames() -> Result<(), Box<dyn Error>> {
    replay("frame", frame::run)
}

#[test]
fn policies() -> Result<(), Box<dyn Error>> {
    replay("policy", policy::run)
}

#[test]
fn streams() -> Result<(), Box<dyn Error>> {
    replay("stream", stream::run)
}

/// A folder per protocol, each with seeds and what its fuzz target found.
#[test]
fn protocols() -> Result<(), Box<dyn Error>> {
    let others = Protocol::ALL.iter().copied().filter(|one| one.is_inspected() && one.outer().is_none());
    for protocol in others.filter(|one| *one != Protocol::Modbus) {
        replay(protocol.as_str(), |input| frame::run_protocol(protocol, input))?;
    }
    Ok(())
}
