//! `policy explain`: what a policy allows, in words, and what it says about one operation.

mod answer;
mod describe;

pub use answer::{Answer, Question, answer};
pub use describe::describe;

#[cfg(test)]
mod tests;
