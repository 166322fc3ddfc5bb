//! `policy explain`: what a policy allows, in words, and what it says about one operation.

mod answer;
mod describe;

pub use answer::{Answer, Nearest, Question, answer, nearest};
pub use describe::{describe, place_words};

#[cfg(test)]
mod tests;
