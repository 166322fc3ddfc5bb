//! `cargo xtask test`: every test that the CI runs, in one run, with the runner's summary at the end.

use std::process::Command;

use anyhow::{Result, bail};

use crate::build;
use crate::privilege::find;
use crate::setup::{self, Scope, succeeds};
use crate::toolchain::cargo;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Handed to the test runner, for example the name of a test
    #[arg(last = true)]
    words: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(Scope::Everything, false)?;
    // The end-to-end tests drive the binary from outside its own package, so cargo does not build it for them.
    build::enforcer(false)?;
    let mut command = cargo();
    if find("cargo-nextest") {
        // One summary for all, and a process per test.
        command.args(["nextest", "run", "--no-fail-fast"]);
    } else {
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    // The BPF crate has nothing to run on the host: its tests are the loaded programs.
    command.args(["--workspace", "--exclude", "enforcer-ebpf"]);
    if !options.words.is_empty() {
        command.arg("--").args(&options.words);
    }
    as_root_where_needed(&mut command)?;
    if !succeeds(&mut command)? {
        // The runner's summary has said it all and is to be the last word.
        std::process::exit(1);
    }
    Ok(())
}

/// Namespaces and BPF need root; building does not. So cargo stays with the user and each test binary runs by sudo.
pub(crate) fn as_root_where_needed(command: &mut Command) -> Result<()> {
    if enforcer_tests::is_root() {
        return Ok(());
    }
    if !find("sudo") {
        bail!("the tests need root for network namespaces and BPF: run this command as root, or install sudo");
    }
    let triple = format!("{}_UNKNOWN_LINUX_GNU", std::env::consts::ARCH.to_uppercase());
    command.env(format!("CARGO_TARGET_{triple}_RUNNER"), "sudo -E");
    Ok(())
}
