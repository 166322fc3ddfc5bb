//! What the fuzz targets do with their input. `enforcer/tests/corpora.rs` includes the same files, so that the corpora
//! are replayed by a plain `cargo test`. In `enforcer-common`: `cargo +nightly fuzz run stream`; with `STREAM_TRACE=1` an input
//! of `stream` tells every segment and what was decided about it.

pub mod frame;
pub mod left_out;
pub mod policy;
pub mod stream;

#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "made for the tests of the core, which use all of it")]
mod support;
