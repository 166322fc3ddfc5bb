use super::Class;
pub(super) const CLASS: Class = Class { name: "link", held: "", vectors: &[] };
