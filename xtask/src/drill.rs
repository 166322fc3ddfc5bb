//! `cargo xtask drill`: makes everything in the failure matrix happen, and prints the matrix with what came of it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use enforcer_tests::drill::{MATRIX, tests};

use crate::privilege::find;
use crate::setup::{self, Scope};
use crate::toolchain::cargo;
use crate::{build, say, test};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often the controller is killed, restarted and upgraded in the drill that does so
    #[arg(long, default_value_t = 20)]
    rounds: u32,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(Scope::Everything, false)?;
    build::enforcer(false)?;
    if !find("cargo-nextest") {
        bail!("the drills are told apart by cargo-nextest: `cargo install cargo-nextest --locked`");
    }
    let names = tests().filter_map(|test| test.split_once(' '));
    let filter: Vec<String> = names.map(|(binary, name)| format!("(binary(={binary}) & test(={name}))")).collect();
    let mut command = cargo();
    command.args(["nextest", "run", "--no-fail-fast", "--package", "enforcer-tests", "--status-level", "pass"]);
    command.args(["--color", "never", "--filterset", &filter.join(" | ")]);
    // A hundred rounds take longer than a test may.
    command.env("ENFORCER_ROUNDS", options.rounds.to_string()).stderr(Stdio::piped());
    test::as_root_where_needed(&mut command)?;
    let mut child = command.spawn().context("cannot run cargo nextest")?;
    let stream = child.stderr.take().context("cargo nextest has no output")?;
    let mut came = BTreeMap::new();
    for line in BufReader::new(stream).lines() {
        let line = line.context("cannot read what cargo nextest says")?;
        eprintln!("{line}");
        if let Some((test, passed)) = verdict(&line) {
            came.insert(test, passed);
        }
    }
    child.wait().context("cannot wait for cargo nextest")?;
    print(&came)
}

/// The test and whether it passed, of a line such as `PASS [   1.2s] ( 1/12) enforcer-tests::drill ports::renamed`.
fn verdict(line: &str) -> Option<(String, bool)> {
    let line = line.trim();
    let passed = match line.split_whitespace().next()? {
        "PASS" => true,
        "FAIL" | "TIMEOUT" | "ABORT" | "SIGABRT" => false,
        _ => return None,
    };
    let (_, name) = line.split_once("enforcer-tests::")?;
    Some((name.trim().to_owned(), passed))
}

fn print(came: &BTreeMap<String, bool>) -> Result<()> {
    let mut held = true;
    for part in MATRIX {
        println!("\n{}", say::bold(part.title));
        for row in part.rows {
            let well = row.tests.iter().all(|test| came.get(*test) == Some(&true));
            held &= well;
            let word = if well { say::good("held  ") } else { say::failure("FAILED") };
            println!(
                "  {word} {}\n           traffic: {}\n           report:  {}",
                row.cause, row.traffic, row.reported
            );
        }
    }
    if held { Ok(()) } else { bail!("not everything held") }
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn what_the_runner_prints_is_understood() {
        let line = "        PASS [   0.478s] ( 1/12) enforcer-tests::drill ports::a_renamed_port";
        assert_eq!(verdict(line), Some(("drill ports::a_renamed_port".into(), true)));
        assert_eq!(
            verdict("  TIMEOUT [ 60.000s] enforcer-tests::survive a_crash"),
            Some(("survive a_crash".into(), false))
        );
        assert_eq!(verdict("     Summary [  21.479s] 7/12 tests run"), None);
    }
}
