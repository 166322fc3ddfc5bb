//! What the box tells a Prometheus server: text format 0.0.4 over HTTP, off unless configured.
//!
//! Enters: families, made by the daemon from what the kernel counted ([`Family`]), each of a kind that
//! [`definitions`] lists. Leaves: text ([`text`]), served by [`serve`].

pub mod definitions;
mod family;
pub mod http;
mod text;

pub use definitions::{Definition, Kind};
pub use family::{Family, Value};
pub use text::text;
