//! From learning to enforcing: what tells an operator when a policy may act.

mod again;
pub mod health;
pub mod readiness;
pub mod report;

pub use again::{conduit_of, described, judge_again};
