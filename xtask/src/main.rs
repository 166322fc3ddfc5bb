//! `cargo xtask`: everything a developer or the CI does with this repository, one file per command.

mod bench;
mod build;
mod demo;
mod drill;
mod evade;
mod interrupt;
mod lab;
mod privilege;
mod say;
mod setup;
mod soak;
mod stage;
mod tell;
mod test;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use setup::Scope;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set up, build, show and test the enforcer")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find out what this machine lacks and install it; every other command does this first
    Setup,
    /// Build the enforcer with its BPF programs
    Build(build::Options),
    /// Show the whole way from learning to enforcing on live traffic, on this machine only
    Demo(demo::Options),
    /// Start the enforcer between a Modbus client and a server, and hold it for you to play with
    Lab(lab::Options),
    /// Run every test that the CI runs; words after `--` go to the test runner
    Test(test::Options),
    /// Try to get past the box by everything an attacker on the plant network could do, and print what came of it
    Evade(evade::Options),
    /// Make everything fail that can fail, under traffic, and print what came of it
    Drill(drill::Options),
    /// Measure what a frame costs in the loaded programs, and what a plant notices beside other ways to build the box
    Bench(bench::Options),
    /// Poll as often as in a day, in as little time as it takes, and hold all accounts of what was denied against each other
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    toolchain::put_on_path();
    // The lab's library panics where it is broken; that is a failed command like any other.
    let result = std::panic::catch_unwind(|| match arguments.command {
        Command::Setup => setup::run(Scope::Everything, true),
        Command::Build(options) => build::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Lab(options) => lab::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Evade(options) => evade::run(&options),
        Command::Drill(options) => drill::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Soak(options) => soak::run(&options),
    });
    interrupt::wait_if_stopping();
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("{}", say::failure(&format!("{error:#}")));
            ExitCode::FAILURE
        }
        Err(_panic) => ExitCode::FAILURE,
    }
}
