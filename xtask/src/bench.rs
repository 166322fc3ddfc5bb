//! `cargo xtask bench`: what a frame costs in the kernel, and what loading the programs costs.

use anyhow::{Result, bail};

use crate::setup::{self, Scope, succeeds};
use crate::test::as_root_where_needed;
use crate::toolchain::cargo;

pub(crate) fn run() -> Result<()> {
    setup::run(Scope::Build, false)?;
    let mut command = cargo();
    // Everything that is measured runs in the kernel, and the BPF programs are always optimised: the profile of the program
    // that starts them changes nothing.
    command.args(["run", "--quiet", "--package", "enforcer", "--example", "bench"]);
    as_root_where_needed(&mut command)?;
    if !succeeds(&mut command)? {
        bail!("the bench did not run to its end");
    }
    Ok(())
}
