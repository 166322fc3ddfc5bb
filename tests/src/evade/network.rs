use super::Class;
pub(super) const CLASS: Class = Class { name: "network", held: "", vectors: &[] };
