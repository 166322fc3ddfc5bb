//! The box configuration, `enforcer.toml`: ports, files, and what happens when something fails.
//!
//! Enters: a path. Leaves: a [`Config`] in which every value has been checked, or every mistake in the file.
//! The policy is another file with a life of its own, see [`crate::policy`].

mod duration;
mod exports;
mod raw;
mod rollout;
mod valid;

pub use duration::{Unreadable, parse as parse_duration};
pub use exports::{Eve, EveTarget, Exports, Facility, Metrics, Server, Syslog, SyslogTransport, Tls};
pub use rollout::{Roles, Rollout};
pub use valid::{
    Attach, BoxMode, Config, Control, Failure, Flows, Forwarding, OnBoot, OnDeadman, PolicyFile, Ports, State,
};

use std::path::Path;

use crate::document::{Errors, Source};

/// Reads, parses and validates a configuration. Paths in it that are not absolute start at the file's own directory.
pub fn load(path: &Path) -> Result<Config, Errors> {
    let source = Source::read(path)?;
    let base = path.parent().unwrap_or(Path::new(""));
    valid::validate(&source, base)
}

/// The same for a text that is already in memory; `name` is what errors call it.
pub fn parse(name: &str, text: &str) -> Result<Config, Errors> {
    valid::validate(&Source::new(name, text), Path::new(""))
}

#[cfg(test)]
mod tests;
