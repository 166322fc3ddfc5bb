//! The library behind the `enforcer` command.
