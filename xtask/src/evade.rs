//! `cargo xtask evade`: everything an attacker on the plant network could try, against real servers behind the box.

use anyhow::{Result, bail};
use enforcer_tests::evade::{self, Choice, Setting, table};

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::{build, interrupt, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only classes and vectors whose name holds these words
    #[arg(default_value = "")]
    words: String,
    /// Do not play the vectors over a plain bridge as well
    #[arg(long)]
    no_bare: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        build::enforcer(false)?;
    }
    become_root("the lab makes network namespaces and loads BPF programs, which")?;
    interrupt::clean_up_on_signal()?;
    let play = |setting| {
        println!("{}", say::bold(&format!("{setting:?}")));
        let choice = Choice { setting, words: options.words.clone() };
        evade::run(&choice, |tally| {
            println!("  {}: {} vectors, {} leaked, {} broken", tally.class, tally.vectors, tally.leaked, tally.broken);
            for note in tally.notes.iter().filter(|note| setting != Setting::Bare || !note.starts_with("LEAK")) {
                println!("    {note}");
            }
        })
    };
    let bare = if options.no_bare { Vec::new() } else { play(Setting::Bare) };
    let enforce = play(Setting::Enforce);
    println!("\n{}", table::markdown(&table::rows(&enforce, &bare)));
    if enforce.iter().any(|tally| tally.leaked + tally.broken > 0) {
        bail!("the box does not hold");
    }
    Ok(())
}
