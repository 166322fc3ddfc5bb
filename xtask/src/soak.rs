//! `cargo xtask soak`: a day's polling in as little time as it takes.

use anyhow::{Context, Result};
use enforcer_tests::enforcer::binary;
use enforcer_tests::{project_root, soak};

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::{build, interrupt};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Polls; the default is what a line polled a hundred times a second has in a day
    #[arg(long, default_value_t = 8_640_000, value_parser = clap::value_parser!(u64).range(1000..))]
    polls: u64,
    /// Write docs/soak.md with what this run found
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        build::enforcer(true)?;
    }
    become_root("the soak makes network namespaces, which")?;
    interrupt::clean_up_on_signal()?;
    let page = soak::run(&binary("release"), options.polls).map_err(anyhow::Error::msg)?;
    println!("{page}");
    if options.write {
        let path = project_root().join("docs/soak.md");
        std::fs::write(&path, page).with_context(|| path.display().to_string())?;
        println!("written: {}", path.display());
    }
    Ok(())
}
