//! `cargo xtask evade`: everything an attacker on the plant network could try, against real servers behind the box.

use anyhow::{Context, Result, bail};
use enforcer_tests::evade::{self, Choice, Setting, page, random, table};

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::{build, interrupt, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only classes and vectors whose name holds these words
    #[arg(default_value = "")]
    words: String,
    /// Play only in these settings: bare, enforce, shadow, learn
    #[arg(long, value_delimiter = ',', default_value = "bare,enforce,shadow,learn")]
    settings: Vec<String>,
    /// So many random mutations behind the vectors; none when only some vectors are chosen
    #[arg(long)]
    random: Option<usize>,
    /// Write docs/evasion.md with the table of this run
    #[arg(long)]
    write: bool,
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
    let chosen = |setting: Setting| options.settings.contains(&format!("{setting:?}").to_lowercase());
    let [bare, enforce, shadow, learn] = [Setting::Bare, Setting::Enforce, Setting::Shadow, Setting::Learn]
        .map(|setting| if chosen(setting) { play(setting) } else { Vec::new() });
    let mutations = options.random.unwrap_or(if options.words.is_empty() { random::mutations() } else { 0 });
    let random = (mutations > 0).then(|| play_random(mutations));
    let table = table::markdown(&table::rows(&enforce, &bare));
    println!("\n{table}");
    if options.write {
        std::fs::write(page::path(), page::text(&table)).context("docs/evasion.md")?;
    }
    let changed = shadow.iter().chain(&learn).any(|tally| tally.changed > 0);
    let passed = enforce.iter().any(|tally| tally.leaked + tally.broken > 0);
    let random = random.is_some_and(|outcome| !outcome.leaks.is_empty() || !outcome.broken.is_empty());
    if changed || passed || random {
        bail!("the box does not hold");
    }
    Ok(())
}

fn play_random(mutations: usize) -> random::Outcome {
    let seed = random::seed();
    println!("{}", say::bold(&format!("Random, EVADE_SEED={seed}")));
    let outcome = random::run(seed, mutations);
    println!(
        "  {} mutations in {} conversations, {} allowed requests taken, {} leaks, {} broken",
        outcome.mutations,
        outcome.conversations,
        outcome.taken,
        outcome.leaks.len(),
        outcome.broken.len()
    );
    for finding in outcome.leaks.iter().chain(&outcome.broken).take(20) {
        println!("    {finding}");
    }
    outcome
}
