//! From learning to enforcing: what tells an operator when a policy may act.

pub mod report;
