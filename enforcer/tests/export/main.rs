//! Exports against real files and servers: what arrives, what is counted as lost, and that nothing is neither.

mod eve;
mod syslog;
mod syslog_server;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use enforcer::export::{Exports, State};
use serde_json::{Value, json};

/// An event of its own for each number.
fn event(number: usize) -> Value {
    json!({
        "schema": 1, "event": "deny", "time": "2026-11-23T06:00:00.123456Z", "src": "10.10.1.20:40000",
        "dst": "10.10.2.5:502", "protocol": "modbus", "function": 6, "unit": number, "conduit": "a=b|c",
        "reason": "function_not_allowed", "action": "reset", "count": 1,
    })
}

fn state(exports: &Exports) -> State {
    exports.states().pop().expect("one export")
}

/// Waits until the only export is as wanted; fails with the state it is in.
#[track_caller]
fn until(exports: &Exports, what: &str, wanted: impl Fn(&State) -> bool) -> State {
    let start = Instant::now();
    loop {
        let state = state(exports);
        if wanted(&state) {
            return state;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {state:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("enforcer-export-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
