//! Builds the eBPF object with the compiler that builds everything else.
//!
//! `RUSTC_BOOTSTRAP` is set here and so reaches the eBPF sub-build only: it needs `-Z build-std` for a target that has no
//! prebuilt core. `AYA_BUILD_SKIP=1` leaves the object out, for checks that need no linker.

use anyhow::Context as _;
use aya_build::{Package, Toolchain};

fn main() -> anyhow::Result<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../enforcer-ebpf");
    println!("cargo:rerun-if-changed=../enforcer-common/src");
    println!("cargo:rerun-if-changed=../rust-toolchain.toml");
    // SAFETY: a build script has one thread.
    unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "1") };
    // Else every line of the sub-build's progress comes out as a warning of this crate.
    // SAFETY: as above.
    unsafe { std::env::set_var("CARGO_TERM_QUIET", "true") };
    let pin = std::fs::read_to_string("../rust-toolchain.toml").context("rust-toolchain.toml")?;
    let channel = pin
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .context("rust-toolchain.toml names no channel")?
        .trim_matches('"')
        .to_owned();
    let package = Package { name: "enforcer-ebpf", root_dir: root, no_default_features: false, features: &[] };
    aya_build::build_ebpf([package], Toolchain::Custom(&channel))
}
