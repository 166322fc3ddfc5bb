//! `cargo xtask bench`: what a frame costs in the kernel, and what a plant would notice of the box.

use std::process::Stdio;

use anyhow::{Context, Result, anyhow, bail};
use enforcer_tests::bench::{self, Extent, page};
use enforcer_tests::enforcer::binary;

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::toolchain::cargo;
use crate::{build, interrupt, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure: programs (nanoseconds a frame), lines (the lab side by side), costs (memory, starts, changes)
    #[arg(long, value_enum, value_delimiter = ',', default_value = "programs,lines,costs")]
    parts: Vec<Part>,
    /// A few rounds only: to see that it works, not to quote
    #[arg(long)]
    short: bool,
    /// Write docs/performance.md with what this run found; needs all parts
    #[arg(long, conflicts_with_all = ["parts", "short"])]
    write: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Programs,
    Lines,
    Costs,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        build::enforcer(true)?;
    }
    become_root("the bench loads BPF programs and makes network namespaces, which")?;
    let wants = |part| options.parts.contains(&part);
    let programs = if wants(Part::Programs) { Some(programs()?) } else { None };
    interrupt::clean_up_on_signal()?;
    let mut found = None;
    if wants(Part::Lines) {
        println!("\n{}", say::bold("The lab side by side, one line after the other in short turns"));
        let extent = if options.short { Extent::SHORT } else { Extent::FULL };
        let lines = bench::run(&binary("release"), extent).map_err(anyhow::Error::msg)?;
        println!("{}", bench::table(&lines));
        found = Some(lines);
    }
    let mut costs = None;
    if wants(Part::Costs) {
        println!("\n{}\n", say::bold("What the box takes for itself"));
        let measured = bench::costs(&binary("release")).map_err(anyhow::Error::msg)?;
        println!("{}", measured.table());
        costs = Some(measured);
    }
    if options.write {
        let (Some(programs), Some(found), Some(costs)) = (programs, found, costs) else {
            return Err(anyhow!("the page needs all parts"));
        };
        page::write(&programs, &found, costs).with_context(|| page::path().display().to_string())?;
        println!("written: {}", page::path().display());
    }
    Ok(())
}

/// Everything here runs in the kernel, and the BPF programs are always optimised: the profile of the program that starts
/// them changes nothing.
fn programs() -> Result<String> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "enforcer", "--example", "bench"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{text}");
    if !output.status.success() {
        bail!("the bench did not run to its end");
    }
    Ok(text)
}
