//! `cargo xtask build`: the enforcer's binary with its BPF programs inside.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::setup::{self, Scope, succeeds};
use crate::toolchain::cargo;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build without optimisation of the controller; the BPF programs are always optimised
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(Scope::Build, false)?;
    let binary = enforcer(!options.debug)?;
    println!("built {}", binary.display());
    Ok(())
}

/// Builds the enforcer and returns its path. Its build script makes the BPF object, so this one command is all.
pub(crate) fn enforcer(release: bool) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "enforcer"]);
    if release {
        command.arg("--release");
    }
    if !succeeds(&mut command)? {
        bail!("the enforcer does not build");
    }
    Ok(enforcer_tests::enforcer::binary(if release { "release" } else { "debug" }))
}
