//! What the fuzz targets do with their input. `enforcer/tests/corpora.rs` includes the same files, so that the corpora
//! are replayed by a plain `cargo test`.

pub mod frame;
pub mod policy;
pub mod stream;

#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "made for the tests of the core, which use all of it")]
mod support;
