use super::Class;
pub(super) const CLASS: Class = Class { name: "exhaustion", held: "", vectors: &[] };
