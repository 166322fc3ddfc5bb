//! Text files that people write: the box configuration and the policy.
//!
//! Enters: a path or a text. Leaves: typed sections, or every mistake in the file as one plain sentence each, with
//! file and line. What the sections mean is decided by `config` and `policy`; this module only knows TOML.

mod errors;
mod sections;
mod source;
mod suggest;
mod word;
mod words;

pub use errors::{Errors, Problem};
pub use sections::{Piece, Reader};
pub use source::Source;
pub use suggest::{choices, nearest};
pub use word::Word;
pub(crate) use words::words;
