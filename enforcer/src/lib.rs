//! The library behind the `enforcer` command.

pub mod client;
pub mod command;
pub mod config;
pub mod daemon;
pub mod dataplane;
pub mod doctor;
pub mod document;
pub mod export;
pub mod journal;
pub mod learn;
pub mod metrics;
pub mod policy;
pub mod replay;
pub mod rollout;
