//! Builds the eBPF object with the compiler that builds everything else.
//!
//! `RUSTC_BOOTSTRAP` reaches the eBPF sub-build only: it needs `-Z build-std` for a target that has no prebuilt core.
//! `AYA_BUILD_SKIP=1` leaves the object out, for checks that need no linker.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

const PACKAGE: &str = "enforcer-ebpf";

/// Instructions of BPF's third version: 32-bit arithmetic and comparisons, in every kernel since 5.1. Nearly all that the
/// programs compute with has 32 bits, and takes two or three instructions each otherwise.
const CPU: &str = "v3";

fn main() -> anyhow::Result<()> {
    for changed in ["../enforcer-common/src", "../enforcer-ebpf", "../rust-toolchain.toml", "../Cargo.lock"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    println!("cargo:rerun-if-env-changed=AYA_BUILD_SKIP");
    if std::env::var("AYA_BUILD_SKIP").is_ok_and(|skip| skip == "1") {
        println!("cargo:warning=AYA_BUILD_SKIP=1; skipping eBPF build");
        return Ok(());
    }
    let set = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let target = if set("CARGO_CFG_TARGET_ENDIAN")? == "big" { "bpfeb-unknown-none" } else { "bpfel-unknown-none" };
    let architecture = format!("--cfg=bpf_target_arch=\"{}\"", set("CARGO_CFG_TARGET_ARCH")?);
    let cpu = format!("-Ctarget-cpu={CPU}");
    let flags = [architecture.as_str(), "-Cdebuginfo=2", "-Clink-arg=--btf", cpu.as_str()].join("\x1f");

    let out = set("OUT_DIR")?;
    let folder = Path::new(&out).join(PACKAGE.to_owned() + "-build");
    let status = Command::new(set("CARGO")?)
        .args(["build", "--quiet", "--release", "--package", PACKAGE, "--bins", "--target", target])
        .args(["-Z", "build-std=core", "--target-dir"])
        .arg(&folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .status()
        .context("cargo did not start")?;
    if !status.success() {
        bail!("the BPF programs did not build: {status}");
    }
    let object = folder.join(target).join("release").join(PACKAGE);
    std::fs::copy(&object, Path::new(&out).join(PACKAGE)).with_context(|| object.display().to_string())?;
    Ok(())
}
