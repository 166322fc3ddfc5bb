use super::Class;
pub(super) const CLASS: Class = Class { name: "handshake", held: "", vectors: &[] };
