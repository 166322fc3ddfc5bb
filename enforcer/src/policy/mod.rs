//! The policy, `policy.toml`: from text to what the kernel searches.
//!
//! Parse, validate and compile are three types: `raw` is what is written, [`valid::Policy`] is what it means,
//! [`enforcer_common::policy::Image`] is what judges packets. Names exist in the first two only; [`Names`] leads back.

mod address;
mod check;
mod compile;
mod ethertypes;
pub mod explain;
mod names;
mod objects;
mod range;
mod rate;
mod raw;
pub mod trial;
pub mod valid;

pub use address::AddressRange;
pub use check::Loaded;
pub use compile::{Compiled, Names, compile, empty_image};
pub use ethertypes::ethertype_name;
pub use names::{function_codes, function_name, inspected_protocol, operation_code, rows};
pub use objects::{object_words, space_name, space_of};

use std::path::Path;

use self::check::NotYet;
use crate::document::{Errors, Problem, Source};

/// Reads, parses and validates a policy.
pub fn load(path: &Path) -> Result<Loaded, Errors> {
    Ok(check::validate(&Source::read(path)?, NotYet::Refuse)?.0)
}

/// For judging captures: a conduit whose protocol this version does not inspect is left out instead of
/// refused, so that a policy can be tried on what can be judged already. The list says what was left out.
pub fn load_offline(path: &Path) -> Result<(Loaded, Vec<Problem>), Errors> {
    check::validate(&Source::read(path)?, NotYet::LeaveOut)
}

/// The same for a text that is already in memory; `name` is what errors call it.
pub fn parse(name: &str, text: &str) -> Result<Loaded, Errors> {
    Ok(check::validate(&Source::new(name, text), NotYet::Refuse)?.0)
}

/// Reads a policy and also compiles it, to find out whether it fits: all that `enforcer check` can say about it.
pub fn check(path: &Path) -> Result<Loaded, Errors> {
    let loaded = load(path)?;
    compile(&loaded.valid, 1, 0)?;
    Ok(loaded)
}
