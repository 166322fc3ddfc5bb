//! The library behind the `enforcer` command.

pub mod replay;
