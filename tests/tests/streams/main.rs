//! Conversations through the box: taken up while they run, followed over everything that happens to it, and ended on both
//! sides at once.

mod cables;
mod pickup;
mod plant;
mod resets;
mod splits;
mod tables;
