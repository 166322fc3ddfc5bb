//! What must hold for every protocol, over every capture of the shared set.

#[path = "../captured/mod.rs"]
mod captured;
#[path = "../../../enforcer-common/tests/support/checksum.rs"]
#[allow(clippy::cast_possible_truncation)]
mod checksum;
mod cut;
mod learned;
