//! The compiled policy: plain old data that the kernel and replay share, and the searches over it.
//!
//! One [`Image`] is one generation. The controller builds it whole and publishes it with one map update; a frame sees one
//! image from its first stage to its last. All tables are arrays of fixed size, sorted by the compiler, searched in
//! steps that do not grow with the number of rules. Layout changes are caught by [`crate::abi`].

pub mod grant;
pub mod image;
pub mod lookup;
pub mod memo;
pub mod rate;
pub mod rules;
pub mod step;

pub use image::*;
pub use lookup::mac_number;
