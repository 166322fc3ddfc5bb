//! The library behind the `enforcer` command.

pub mod config;
pub mod dataplane;
pub mod doctor;
pub mod document;
pub mod learn;
pub mod policy;
