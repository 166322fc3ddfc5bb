//! What the fuzz targets do with their input. `enforcer/tests/corpora.rs` includes the same files, so that the corpora
//! are replayed by a plain `cargo test`.

pub mod frame;
pub mod policy;
