//! What the verifier has to follow in each program, against the committed numbers: growth is seen before it is a rejected
//! program on an older kernel, or seconds at every start.
//!
//! `BUDGET_WRITE=1` writes the numbers of this machine into the file.

#[path = "stand/mod.rs"]
mod stand;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use enforcer::dataplane::object::{ROOTS, stages};
use serde::Deserialize;

use self::stand::Stand;

/// Growth that is none: another compiler lays the same program out a little differently.
const TOLERATED_PERCENT: u32 = 10;

/// No program may come near the kernel's limit of a million: other kernels count other paths.
const MOST: u32 = 200_000;

#[derive(Deserialize)]
struct Budget {
    /// Kernel that the numbers are from, major and minor.
    kernel: String,
    verified: BTreeMap<String, u32>,
}

fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn no_program_grows_unseen() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier-budget.toml");
    let mut stand = Stand::new();
    let names = || ROOTS.into_iter().chain(stages().map(|(name, _)| name));
    let found: BTreeMap<&str, (u32, u32)> = names().map(|name| (name, stand.size(name))).collect();
    if std::env::var_os("BUDGET_WRITE").is_some() {
        write(&file, &found);
    }
    let text = std::fs::read_to_string(&file).expect("the committed numbers");
    let budget: Budget = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));

    let (here, mut failures) = (kernel(), Vec::new());
    println!("{:<26} {:>10} {:>10} {:>10}", "program", "budget", "verified", "machine");
    for (name, (verified, machine)) in &found {
        let Some(allowed) = budget.verified.get(*name) else {
            failures.push(format!("{name} has no number in {}", file.display()));
            continue;
        };
        println!("{name:<26} {allowed:>10} {verified:>10} {machine:>10}");
        // Every kernel follows other paths: only the one that the numbers are from can tell growth.
        if here == budget.kernel && *verified > allowed + allowed * TOLERATED_PERCENT / 100 {
            failures.push(format!("{name} grew from {allowed} verified instructions to {verified}"));
        }
        if *verified > MOST {
            failures.push(format!("{name} takes {verified} verified instructions, more than the {MOST} it may"));
        }
    }
    println!("loaded in {} ms", stand.loading.as_millis());
    if here != budget.kernel {
        println!("the numbers are of kernel {}, this is {here}: growth not judged", budget.kernel);
    }
    for name in budget.verified.keys().filter(|name| !found.contains_key(name.as_str())) {
        failures.push(format!("{} has a number for {name}, which is no program", file.display()));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn write(file: &Path, found: &BTreeMap<&str, (u32, u32)>) {
    let mut text = String::from(
        "# Instructions that the kernel's verifier follows in each program. A program that grows more than a tenth fails\n\
         # enforcer/tests/budget.rs; BUDGET_WRITE=1 in its environment writes this file anew.\n\n",
    );
    writeln!(text, "kernel = \"{}\"\n\n[verified]", kernel()).expect("a string");
    for (name, (verified, _)) in found {
        writeln!(text, "{name} = {verified}").expect("a string");
    }
    std::fs::write(file, text).expect("the file of numbers");
}
