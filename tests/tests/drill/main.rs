//! Drills: each thing that can fail is made to fail, under traffic. docs/failure-matrix.md is the list.

mod boot;
mod least;
mod page;
mod ports;
mod restart;
mod service;
mod state;
mod systemd;
