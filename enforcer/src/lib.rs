//! The library behind the `enforcer` command.

pub mod dataplane;
pub mod doctor;
