//! The lab: what the end-to-end tests and `cargo xtask demo` stand on.
//!
//! ```text
//!   hmi namespace            box namespace             plc namespace
//!   eth0 10.10.1.20/16 ----- eth0 [bridge] eth1 ------ eth0 10.10.2.5/16
//!   client, poller           enforcer or bridge        Modbus server
//! ```
//!
//! Everything lives in network namespaces of this machine, named after the process that owns them, and is removed
//! when the [`Lab`] is dropped, when a later run finds the owner dead, or by [`sweep::own`] on a signal.
//! Code in this crate may panic: a broken lab is a failed test, and the stack trace is the answer.

pub mod bad_line;
pub mod bench;
pub mod booted;
pub mod bridge;
pub mod capture;
pub mod client;
pub mod compare;
pub mod crew;
pub mod crossing;
pub mod drill;
pub mod enforcer;
pub mod evade;
pub mod flood;
pub mod frames;
mod group;
pub mod inject;
pub mod lab;
pub mod namespace;
pub mod peers;
pub mod plant;
pub mod poller;
pub mod process;
pub mod prometheus;
pub mod random;
pub mod server;
pub mod soak;
pub mod sweep;
mod sys;
pub mod xdp;

pub use bad_line::BadLine;
pub use capture::{Capture, Direction, Frame};
pub use client::{Client, Failure};
pub use crossing::Crossing;
pub use enforcer::Enforcer;
pub use flood::Flood;
pub use lab::Lab;
pub use namespace::Namespace;
pub use peers::Peers;
pub use plant::Plant;
pub use poller::{Poller, Tally};
pub use process::Process;
pub use server::Server;

use std::path::{Path, PathBuf};

/// The project's root folder, from which configurations, captures and binaries are found.
pub fn project_root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_path_buf()
}

/// Whether this process may make namespaces and load BPF programs.
pub fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Fails with one plain sentence when the test was started without the rights it needs.
pub fn require_root() {
    assert!(is_root(), "this test needs root for network namespaces and BPF; run it as: sudo -E cargo xtask test");
}

/// Prints a line that is read even when the test passes: a test runner keeps back only what the print macros print.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
