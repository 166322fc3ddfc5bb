use super::Class;
pub(super) const CLASS: Class = Class { name: "rollout", held: "", vectors: &[] };
