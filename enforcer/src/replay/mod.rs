//! `enforcer replay`: the decision core over captures, offline.
//!
//! Enters: capture files, a compiled policy, who is behind the device port. Leaves: a line per operation, or a table.
//! The core that judges here is the one that judges in the kernel; this module only feeds it and writes down what it says.

pub mod capture;
pub mod command;
pub mod environment;
pub mod line;
pub mod link;
pub mod record;
pub mod run;
pub mod side;
pub mod summary;
mod text;
pub mod time;
