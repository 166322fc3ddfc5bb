//! `cargo xtask bench`: what a frame costs in the kernel, and what a plant would notice of the box.

use anyhow::{Result, bail};
use enforcer_tests::bench::{self, Extent};
use enforcer_tests::enforcer::binary;

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope, succeeds};
use crate::toolchain::cargo;
use crate::{build, interrupt, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure: programs (nanoseconds a frame), lines (the lab side by side)
    #[arg(long, value_delimiter = ',', default_value = "programs,lines")]
    parts: Vec<String>,
    /// A few rounds only: to see that it works, not to quote
    #[arg(long)]
    short: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    for part in &options.parts {
        if !["programs", "lines"].contains(&part.as_str()) {
            bail!("\"{part}\" is not measured here; the parts are programs and lines");
        }
    }
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        build::enforcer(true)?;
    }
    become_root("the bench loads BPF programs and makes network namespaces, which")?;
    if options.parts.iter().any(|part| part == "programs") {
        programs()?;
    }
    if options.parts.iter().any(|part| part == "lines") {
        interrupt::clean_up_on_signal()?;
        println!("\n{}", say::bold("The lab side by side, one line after the other in short turns"));
        let extent = if options.short { Extent::SHORT } else { Extent::FULL };
        let found = bench::run(&binary("release"), extent).map_err(anyhow::Error::msg)?;
        println!("{}", bench::table(&found));
    }
    Ok(())
}

/// Everything here runs in the kernel, and the BPF programs are always optimised: the profile of the program that starts
/// them changes nothing.
fn programs() -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "enforcer", "--example", "bench"]);
    if !succeeds(&mut command)? {
        bail!("the bench did not run to its end");
    }
    Ok(())
}
