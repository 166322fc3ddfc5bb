//! The `enforcer` command.

use std::process::ExitCode;

use clap::Parser as _;
use enforcer::command;

fn main() -> ExitCode {
    ExitCode::from(command::execute(command::Line::parse()))
}
